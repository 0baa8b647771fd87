/* Spectra: ONNX DFT-17, -20, STFT-17, MelWeightMatrix-17, the window functions -17. Everything is
 * computed in double from math.h's sine and cosine and rounded once. */
#ifndef KERNELS_FLOAT_SIGNAL_H
#define KERNELS_FLOAT_SIGNAL_H
#include <stdbool.h>
#include <stdint.h>

/* x [outer, in, inner, 1 or 2 (complex)] -> y [outer, dft_out, inner, 2], or [.., 1] for inverse
 * with onesided. in is cut to length or filled up with zeros. Forward onesided keeps the first
 * length / 2 + 1 bins; inverse onesided takes them and gives the real signal. inverse divides by
 * length. */
struct dft_params {
    int64_t outer, in, inner, length;
    bool complex_in, inverse, onesided;
};
int64_t dft_out(const struct dft_params *p);
/* Doubles of working memory for transforms of this length (any length >= 1); -1: too large.
 * O(length * sum of prime factors), or O(length log length) by a chirp where a prime factor
 * exceeds 31. */
int64_t dft_scratch(int64_t length);
void dft_f32(const struct dft_params *p, const float *x, float *y, double *scratch);

/* x [batch, samples, 1 or 2], window [frame] or NULL (ones); y [batch, frames, bins, 2], frames =
 * (samples - frame) / step + 1, bins = frame, or frame / 2 + 1 with onesided. */
struct stft_params {
    int64_t batch, samples, step, frame;
    bool complex_in, onesided;
};
int64_t stft_frames(const struct stft_params
                        *p); /* 0 when the signal is shorter than a frame; -1: step or frame < 1 */
int64_t stft_scratch(const struct stft_params *p);
void stft_f32(const struct stft_params *p, const float *x, const float *window, float *y,
              double *scratch);

enum signal_window { SIGNAL_HANN, SIGNAL_HAMMING, SIGNAL_BLACKMAN };
/* periodic: over size points, else size - 1. A window of one point is 1. */
void signal_window_f64(enum signal_window kind, int64_t size, bool periodic, double *y);

/* y [dft_length / 2 + 1, bins]: triangles, equally spaced on the mel scale 2595 log10(1 + f / 700).
 * KERNEL_VALUE: an edge lies beyond the spectrum, or sizes are out of range. */
struct mel_params {
    int64_t bins, dft_length, sample_rate;
    double lower, upper; /* Hz */
};
int mel_matrix_f64(const struct mel_params *p, double *y);
#endif

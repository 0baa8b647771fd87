/* Sampling at given coordinates: ONNX GridSample-16, -20, -22 and AffineGrid-20, 2 or 3
 * (GridSample: 1 to 3) spatial axes. Coordinates are computed in float, weights and sums in double
 * with one rounding. */
#ifndef KERNELS_FLOAT_GRID_H
#define KERNELS_FLOAT_GRID_H
#include <stdbool.h>
#include <stdint.h>

enum grid_mode { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC };
enum grid_padding { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION };

int grid_mode_find(const char *text);    /* also "bilinear", "bicubic" of version 16; -1: unknown */
int grid_padding_find(const char *text); /* -1: unknown */

struct grid_params {
    int rank; /* 1..3 */
    int64_t batch, channels;
    int64_t in[3], out[3]; /* outermost first; in > 0 unless out is empty */
    enum grid_mode mode;
    enum grid_padding padding;
    bool align_corners;
};

/* x [batch, channels, in...], grid [batch, out..., rank] with the innermost axis' coordinate first,
 * -1 .. 1 spanning the input: its corner elements' centres with align_corners, else their outer
 * edges. y [batch, channels, out...]. NaN coordinates count as -1. Nearest rounds half to even;
 * cubic is Keys' with a = -0.75. */
void grid_sample_f32(const struct grid_params *p, const float *x, const float *grid, float *y);

/* theta [batch, rank, rank + 1], grid [batch, size..., rank]: theta times (x, y, (z,) 1) for the
 * centres of a regular grid. rank 2 or 3. */
void grid_affine_f32(int rank, int64_t batch, const int64_t *size, bool align_corners,
                     const float *theta, float *grid);
#endif

/* Spectra against the defining sums, window and mel values by hand. */
#include "nn_test.h"

#include "kernels/float/signal.h"
#include "kernels/kernel.h"

static const double TURN = 6.283185307179586;

static double *doubles(int64_t count) { return mem_alloc((size_t)count * sizeof(double)); }

/* One line, complex in and out. */
static void slow(int64_t n, const float *x, double sign, double *y)
{
    for (int64_t k = 0; k < n; k++) {
        y[2 * k] = y[2 * k + 1] = 0;
        for (int64_t j = 0; j < n; j++) {
            const double angle = sign * TURN * (double)(j * k % n) / (double)n,
                         re = (double)x[2 * j], im = (double)x[2 * j + 1];
            y[2 * k] += re * cos(angle) - im * sin(angle);
            y[2 * k + 1] += re * sin(angle) + im * cos(angle);
        }
    }
}

static void any_length_matches_the_sum(void **state)
{
    (void)state;
    static const int64_t LENGTHS[] = {1,  2,  3,  4,  5,  6,  7,   8,   9,   12,  30,
                                      31, 37, 41, 64, 74, 97, 100, 128, 211, 360, 1009};
    uint64_t r = 61;
    for (int i = 0; i < COUNT(LENGTHS); i++) {
        const int64_t n = LENGTHS[i];
        float *x = test_floats(&r, 2 * n), *y = test_zeros(2 * n);
        double *want = doubles(2 * n), *scratch = doubles(dft_scratch(n));
        for (int inverse = 0; inverse < 2; inverse++) {
            const struct dft_params p = {.outer = 1,
                                         .in = n,
                                         .inner = 1,
                                         .length = n,
                                         .complex_in = true,
                                         .inverse = inverse};
            dft_f32(&p, x, y, scratch);
            slow(n, x, inverse ? 1 : -1, want);
            for (int64_t k = 0; k < 2 * n; k++)
                assert_true(fabs((double)y[k] * (inverse ? (double)n : 1) - want[k]) <
                            4e-7 * sqrt((double)n) * 4);
        }
        mem_free(x), mem_free(y), mem_free(want), mem_free(scratch);
    }
}

static void one_sided_and_back(void **state)
{
    (void)state;
    uint64_t r = 62;
    for (int64_t n = 1; n < 40; n++) {
        const int64_t bins = n / 2 + 1;
        float *x = test_floats(&r, 3 * n * 2), *y = test_zeros(3 * bins * 2 * 2),
              *z = test_zeros(3 * n * 2);
        double *scratch = doubles(dft_scratch(n));
        const struct dft_params forward = {
            .outer = 3, .in = n, .inner = 2, .length = n, .onesided = true};
        const struct dft_params back = {.outer = 3,
                                        .in = bins,
                                        .inner = 2,
                                        .length = n,
                                        .complex_in = true,
                                        .inverse = true,
                                        .onesided = true};
        assert_int_equal(dft_out(&forward), bins);
        assert_int_equal(dft_out(&back), n);
        dft_f32(&forward, x, y, scratch);
        dft_f32(&back, y, z, scratch);
        test_close(z, x, 3 * n * 2, 1e-6);
        mem_free(x), mem_free(y), mem_free(z), mem_free(scratch);
    }
}

static void input_is_cut_or_filled(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4};
    float y[12];
    double scratch[64];
    assert_true(dft_scratch(6) <= 64);
    dft_f32(&(struct dft_params){.outer = 1, .in = 4, .inner = 1, .length = 2}, x, y, scratch);
    assert_true(y[0] == 3 && y[1] == 0 && y[2] == -1 && y[3] == 0);
    dft_f32(&(struct dft_params){.outer = 1, .in = 4, .inner = 1, .length = 6}, x, y, scratch);
    assert_true(y[0] == 10 && fabsf(y[2] + 3.5f) < 1e-6f && fabsf(y[3] + 4.330127f) < 1e-6f);
    assert_int_equal(dft_scratch(0), -1);
    assert_int_equal(dft_scratch(INT64_MAX), -1);
}

static void stft_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5}, window[] = {1, 0.5f};
    const float want[] = {2, 0, 0, 0, 5, 0, 1, 0}; /* frames (1, 2/2) and (3, 4/2) */
    float y[8];
    double scratch[32];
    struct stft_params p = {.batch = 1, .samples = 5, .step = 2, .frame = 2, .onesided = true};
    assert_int_equal(stft_frames(&p), 2);
    assert_true(stft_scratch(&p) <= 32);
    stft_f32(&p, x, window, y, scratch);
    test_close(y, want, 8, 1e-7);
    p.frame = 6;
    assert_int_equal(stft_frames(&p), 0);
    p.step = 0;
    assert_int_equal(stft_frames(&p), -1);
}

static void windows(void **state)
{
    (void)state;
    double y[5];
    signal_window_f64(SIGNAL_HANN, 5, false, y);
    assert_true(y[0] == 0 && fabs(y[1] - 0.5) < 1e-15 && y[2] == 1 && fabs(y[4]) < 1e-15);
    signal_window_f64(SIGNAL_HANN, 4, true, y);
    assert_true(y[0] == 0 && fabs(y[1] - 0.5) < 1e-15 && y[2] == 1 && fabs(y[3] - 0.5) < 1e-15);
    signal_window_f64(SIGNAL_HAMMING, 5, false, y);
    assert_true(fabs(y[0] - 4.0 / 46) < 1e-15 && fabs(y[2] - 1) < 1e-15);
    signal_window_f64(SIGNAL_BLACKMAN, 5, false, y);
    assert_true(fabs(y[0]) < 1e-15 && fabs(y[1] - 0.34) < 1e-15 && fabs(y[2] - 1) < 1e-15);
    signal_window_f64(SIGNAL_HANN, 1, false, y);
    assert_true(y[0] == 1);
}

/* The example of the operator's test: 8 bins, length 16, 8192 Hz, 0 to 4096 Hz. */
static void mel_matrix(void **state)
{
    (void)state;
    double y[9 * 8];
    struct mel_params p = {
        .bins = 8, .dft_length = 16, .sample_rate = 8192, .lower = 0, .upper = 4096};
    assert_int_equal(mel_matrix_f64(&p, y), KERNEL_OK);
    assert_true(y[0] == 1 && y[1] == 1 && y[8 + 2] == 1 && y[8 + 3] == 1 && y[2 * 8 + 4] == 1);
    assert_true(y[5 * 8 + 7] == 1 && y[8 * 8 + 7] == 0);
    p.upper = 1e9;
    assert_int_equal(mel_matrix_f64(&p, y), KERNEL_VALUE);
    p.upper = NAN;
    assert_int_equal(mel_matrix_f64(&p, y), KERNEL_VALUE);
    p.upper = 4096, p.sample_rate = 0;
    assert_int_equal(mel_matrix_f64(&p, y), KERNEL_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_length_matches_the_sum),
        cmocka_unit_test(one_sided_and_back),
        cmocka_unit_test(input_is_cut_or_filled),
        cmocka_unit_test(stft_by_hand),
        cmocka_unit_test(windows),
        cmocka_unit_test(mel_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

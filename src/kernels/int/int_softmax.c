/* Integer softmax in the forms of the header. */
#include "kernels/int/int_softmax.h"

#include "kernels/int/fixed.h"
#include "kernels/int/int_unary.h"
#include "kernels/int/requant.h"

static int32_t row_max(const int32_t *x, int64_t size)
{
    int32_t best = x[0];
    for (int64_t i = 1; i < size; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* exp of the scaled difference, Q0.31. */
static int32_t exp8(const struct int_softmax8 *p, int64_t diff)
{
    int32_t scaled = fixed_srdhm32(fixed_saturate32(diff * (INT64_C(1) << p->left)), p->multiplier);
    return fixed_exp_negative(scaled, 5);
}

/* Reciprocal of the row's sum: Q0.31 of 2^k / sum, *bits: where its point lies. sum is Q?.19 in 64
 * bits, > 0. */
static int32_t reciprocal_of_sum(int64_t sum, int *bits)
{
    int lead =
        __builtin_clzll((uint64_t)sum) - 32; /* as counted in 32 bits; negative beyond Q12.19 */
    uint64_t normal = lead >= 0 ? (uint64_t)sum << lead : (uint64_t)sum >> -lead;
    *bits = 12 - lead;
    return fixed_one_over_one_plus((int32_t)(normal - (UINT64_C(1) << 31)));
}

static void row8(const struct int_softmax8 *p, const int32_t *x, int64_t size, int32_t *y)
{
    int32_t max = row_max(x, size);
    int64_t sum = 0;
    for (int64_t i = 0; i < size; i++)
        if ((int64_t)x[i] - max >= p->diff_min)
            sum += fixed_div_pot(exp8(p, (int64_t)x[i] - max), 12);
    int bits;
    int32_t scale = reciprocal_of_sum(sum, &bits);
    for (int64_t i = 0; i < size; i++) {
        int64_t diff = (int64_t)x[i] - max;
        int32_t product = diff >= p->diff_min ? fixed_srdhm32(scale, exp8(p, diff)) : 0;
        int64_t value = fixed_div_pot(product, bits + 31 - p->out_bits) + p->low;
        y[i] = diff >= p->diff_min ? (int32_t)fixed_clamp(value, p->low, p->high) : p->low;
    }
}

void int_softmax8(const struct int_softmax8 *p, const int32_t *x, int64_t rows, int64_t size,
                  int32_t *y)
{
    for (int64_t r = 0; size && r < rows; r++)
        row8(p, x + r * size, size, y + r * size);
}

static void row16(const struct int_softmax16 *p, const int32_t *x, int64_t size, int32_t *y)
{
    const struct requant scale = {REQUANT_TFL_DOUBLE, ROUNDING_HALF_EVEN, p->multiplier, p->shift};
    int32_t max = row_max(x, size);
    int64_t sum = 0;
    for (int64_t i = 0; i < size; i++) {
        int64_t scaled = requant_apply(&scale, (int64_t)x[i] - max) + 32767;
        y[i] = int_lut16_at(p->exp_table, (int16_t)fixed_clamp(scaled, -32768, 32767));
        sum += y[i];
    }
    int lead =
        __builtin_clzll((uint64_t)sum) - 32; /* Q16.15 in 32 bits; negative for longer rows */
    uint64_t up = lead >= 1 ? (uint64_t)sum << (lead - 1) : (uint64_t)sum >> (1 - lead);
    int64_t shifted = (int64_t)((up + (UINT64_C(1) << 13)) >> 14);
    int64_t index = fixed_clamp(shifted - (65536 + 32768), -32768, 32767);
    int64_t reciprocal = int_lut16_at(p->reciprocal_table, (int16_t)index);
    int right = 31 - lead;
    for (int64_t i = 0; i < size; i++) {
        int64_t value = (y[i] * reciprocal + (INT64_C(1) << (right - 1))) >> right; /* both >= 0 */
        y[i] = (int32_t)fixed_clamp(value, 0, 32767);
    }
}

void int_softmax16(const struct int_softmax16 *p, const int32_t *x, int64_t rows, int64_t size,
                   int32_t *y)
{
    for (int64_t r = 0; size && r < rows; r++)
        row16(p, x + r * size, size, y + r * size);
}

static uint32_t exp_lut(const struct int_softmax_lut *p, int64_t below)
{
    return below < p->entries ? p->table[below] : 0;
}

void int_softmax_lut(const struct int_softmax_lut *p, const int32_t *x, int64_t rows, int64_t size,
                     int32_t *y)
{
    for (int64_t r = 0; size && r < rows; r++, x += size, y += size) {
        int64_t max = row_max(x, size);
        uint64_t sum = 0;
        for (int64_t i = 0; i < size; i++)
            sum += exp_lut(p, max - x[i]);
        for (int64_t i = 0; i < size; i++) {
            unsigned __int128 n =
                (unsigned __int128)exp_lut(p, max - x[i]) * (uint64_t)p->numerator;
            int64_t value = (int64_t)((n + sum / 2) / sum);
            y[i] = (int32_t)fixed_clamp(value + p->zero, p->low, p->high);
        }
    }
}

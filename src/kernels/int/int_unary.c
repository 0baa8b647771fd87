/* Element-wise functions of one integer tensor. */
#include "kernels/int/int_unary.h"

#include "kernels/int/fixed.h"
#include "kernels/int/sigmoid_table.h"

void int_lut8(const int32_t *x, int64_t count, int32_t low, const int32_t *table, int32_t *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = table[x[i] - low];
}

int16_t int_lut16_at(const int16_t table[513], int16_t v)
{
    int64_t index = 256 + fixed_shift_floor(v, 7);
    int32_t offset = v & 127, base = table[index], slope = table[index + 1] - base;
    return (int16_t)(base + fixed_shift_floor((int64_t)slope * offset + 64, 7));
}

void int_lut16(const int32_t *x, int64_t count, const int16_t table[513], int32_t *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = int_lut16_at(table, (int16_t)x[i]);
}

void int_requantize(const int32_t *x, int64_t count, int32_t x_zero, const struct int_output *o,
                    int32_t *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = int_finish(o, 0, i, (int64_t)x[i] - x_zero);
}

void int_slope(const struct int_slope *p, const int32_t *x, int64_t count, int32_t *y)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t v = (int64_t)x[i] - p->x_zero, c = i / p->inner % p->n_channels;
        int64_t sign = p->negative_sign ? p->negative_sign[c] : 1;
        y[i] = v >= 0 ? int_finish(p->positive, c, i, v) : int_finish(p->negative, c, i, v * sign);
    }
}

/* ---- 8-bit sigmoids in fixed point ---- */

int32_t int_logistic8(const struct int_sigmoid8 *p, int32_t x)
{
    int32_t d = x - p->x_zero;
    if (d <= -p->radius)
        return -128;
    if (d >= p->radius)
        return 127;
    int32_t u = (int32_t)requant_apply(&p->input, d); /* Q4.27 */
    int32_t s =
        u ? fixed_one_over_one_plus(fixed_exp_negative(u > 0 ? -u : u, 4)) : INT32_C(1) << 30;
    if (u < 0)
        s = INT32_MAX - s;
    return (int32_t)fixed_clamp(fixed_div_pot(s, 23) - 128, -128, 127);
}

int32_t int_tanh8(const struct int_sigmoid8 *p, int32_t x)
{
    int32_t d = x - p->x_zero;
    if (d <= -p->radius)
        return -128;
    if (d >= p->radius)
        return 127;
    int32_t u = (int32_t)requant_apply(&p->input, d);
    if (u == 0)
        return 0;
    /* 2|u| in Q4.27 has the bits of |u| read as Q5.26 */
    int32_t t = fixed_one_minus_over_one_plus(fixed_exp_negative(u > 0 ? -u : u, 5));
    return (int32_t)fixed_clamp(fixed_div_pot(u < 0 ? -(int64_t)t : t, 24), -128, 127);
}

/* ---- 16-bit sigmoids by table ---- */

static int32_t scaled16(const struct int_sigmoid16 *p, int16_t x)
{
    int64_t round = p->shift > 0 ? INT64_C(1) << (p->shift - 1) : 0;
    return (int32_t)fixed_shift_floor((int64_t)x * p->multiplier + round, p->shift);
}

int16_t int_logistic16(const struct int_sigmoid16 *p, int16_t x)
{
    int32_t v = scaled16(p, x);
    uint32_t magnitude = v < 0 ? 0 - (uint32_t)v : (uint32_t)v, high = magnitude >> 9;
    uint32_t result = UINT32_C(0x7FFF) << 10;
    if (high < 255) {
        uint32_t a = SIGMOID_TABLE[high], b = SIGMOID_TABLE[high + 1];
        result = (a << 9) + (magnitude & 511) * (b - a);
    }
    result = v >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1;
    return (int16_t)(result >> 10);
}

int16_t int_tanh16(const struct int_sigmoid16 *p, int16_t x)
{
    int32_t v = scaled16(p, x);
    uint32_t magnitude = v < 0 ? 0 - (uint32_t)v : (uint32_t)v, high = magnitude >> 8;
    int32_t result = INT32_C(0xFFFF) << 8;
    if (high < 255) {
        uint32_t a = SIGMOID_TABLE[high], b = SIGMOID_TABLE[high + 1];
        result = (int32_t)((a << 8) + (magnitude & 255) * (b - a));
    }
    result = v >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
    return (int16_t)fixed_shift_floor(result, 8);
}

/* ---- hard swish ---- */

static int16_t shift_left_sat16(int16_t x, int n)
{
    return (int16_t)fixed_clamp((int64_t)x * (INT64_C(1) << n), INT16_MIN, INT16_MAX);
}

int32_t int_hard_swish(const struct int_hard_swish *p, int32_t x)
{
    int16_t up = (int16_t)((x - p->x_zero) * (1 << 7));
    int16_t product = fixed_srdhm16(up, p->output_multiplier), reluish = up;
    if (p->reluish_exponent > 0)
        reluish = shift_left_sat16(reluish, p->reluish_exponent - 1);
    reluish = fixed_srdhm16(reluish, p->reluish_multiplier);
    if (p->reluish_exponent > 0)
        reluish = shift_left_sat16(reluish, 1);
    if (p->reluish_exponent < 0)
        reluish = (int16_t)fixed_div_pot(reluish, -p->reluish_exponent);
    reluish =
        (int16_t)((reluish + (1 << 15)) >> 1); /* [-1, 1] to [0, 1]; the sum is not negative */
    /* truncation toward zero on purpose: it cancels a bias (TFLite reference hard_swish) */
    int32_t y = (int32_t)reluish * product / (1 << 15);
    return (int32_t)fixed_clamp(fixed_div_pot(y, -p->output_exponent) + p->y_zero, p->low, p->high);
}

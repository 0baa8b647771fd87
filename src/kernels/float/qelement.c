/* See qelement.h. A code is kept as its byte; what it means depends on the side's sign. */
#include "kernels/float/qelement.h"

#include <math.h>

#include "base/num.h"
#include "kernels/float/math.h"

static int32_t number_of(const struct q_side *s, uint8_t byte)
{
    return s->is_signed ? (int8_t)byte : byte;
}

static uint8_t saturate(const struct q_side *s, int64_t q)
{
    const int64_t low = s->is_signed ? INT8_MIN : 0, high = s->is_signed ? INT8_MAX : UINT8_MAX;
    return (uint8_t)(num_clamp(q, low, high) & 0xff);
}

/* The clamp keeps the conversion defined: beyond it the code is saturated anyway. */
uint8_t q_round(const struct q_side *to, float v)
{
    const float most = 65536.0f;
    if (!(v > -most)) /* NaN too */
        v = -most;
    return saturate(to, num_round_even((double)(v < most ? v : most)) + to->zero);
}

uint8_t q_code(const struct q_side *to, float x) { return q_round(to, x / to->scale); }

/* ---- two operands ---- */

struct call {
    const struct q_binary *p;
    const struct broadcast *plan;
    const uint8_t *a, *b;
    uint8_t *y;
    float a_ratio, b_ratio, fixed;
};

/* a * ra + b * rb + (zero - (ra * za + rb * zb)), the bracket computed once. */
static void add_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    const struct call *c = user;
    const struct q_side *sy = &c->p->y, whole = {1, 0, sy->is_signed};
    for (int64_t i = 0; i < n; i++) {
        const float a = (float)number_of(&c->p->a, c->a[at[0] + i * c->plan->inner[0]]);
        const float b = (float)number_of(&c->p->b, c->b[at[1] + i * c->plan->inner[1]]);
        c->y[out + i] = q_round(&whole, c->fixed + a * c->a_ratio + b * c->b_ratio);
    }
}

static void multiply_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    const struct call *c = user;
    const struct q_binary *p = c->p;
    for (int64_t i = 0; i < n; i++) {
        const int32_t a = number_of(&p->a, c->a[at[0] + i * c->plan->inner[0]]) - p->a.zero;
        const int32_t b = number_of(&p->b, c->b[at[1] + i * c->plan->inner[1]]) - p->b.zero;
        c->y[out + i] = q_round(&p->y, (float)(a * b) * c->a_ratio);
    }
}

void q_binary(const struct q_binary *p, const struct broadcast *plan, const uint8_t *a,
              const uint8_t *b, uint8_t *y)
{
    struct call c = {.p = p, .plan = plan, .a = a, .b = b, .y = y};
    c.a_ratio = p->multiply ? p->a.scale * p->b.scale / p->y.scale : p->a.scale / p->y.scale;
    c.b_ratio = p->b.scale / p->y.scale;
    c.fixed = (float)p->y.zero - (c.a_ratio * (float)p->a.zero + c.b_ratio * (float)p->b.zero);
    broadcast_walk(plan, 0, plan->count, p->multiply ? multiply_row : add_row, &c);
}

/* ---- tables ---- */

void q_values(const struct q_side *from, float table[256])
{
    for (int i = 0; i < 256; i++)
        table[i] = from->scale * (float)(number_of(from, (uint8_t)i) - from->zero);
}

void q_table(const struct q_side *from, const struct q_side *to, q_function *f, float parameter,
             uint8_t table[256])
{
    float values[256];
    q_values(from, values);
    for (int i = 0; i < 256; i++)
        table[i] = q_code(to, f ? f(values[i], parameter) : values[i]);
}

float q_sigmoid(float x, float unused)
{
    (void)unused;
    return (float)(1 / (1 + math_exp(-(double)x)));
}

float q_leaky_relu(float x, float alpha) { return x >= 0 ? x : alpha * x; }

/* ---- rows ---- */

void q_mean(const struct q_mean *p, const uint8_t *x, uint8_t *y)
{
    const float ratio = p->x.scale / (p->y.scale * (float)p->size);
    const int64_t group = p->channels_last ? p->rows / p->outer : 1;
    for (int64_t row = 0; row < p->rows; row++) {
        const int64_t first = row / group * group * p->size + row % group;
        int64_t sum = 0;
        for (int64_t i = 0; i < p->size; i++)
            sum += number_of(&p->x, x[first + i * group]) - p->x.zero;
        y[row] = q_round(&p->y, (float)sum * ratio);
    }
}

/* e^((i - 255 + shift) * scale), i the code's rank among the 256. The shift makes the sum of n such numbers stay within 2^32 / e^5
 * and cancels in the quotient; it only moves where the floats round. */
static void exponentials(float scale, int64_t n, float table[256])
{
    const double room = math_log((double)(4294967295u / (uint64_t)n)) - 5;
    const double shift = (room > 0 ? room : 0) / (double)scale;
    for (int i = 0; i < 256; i++)
        table[i] = (float)math_exp((i - 255 + shift) * (double)scale);
}

static void softmax_row(const struct q_softmax *p, const float table[256], const uint8_t *x,
                        uint8_t *y)
{
    const int32_t base = p->x.is_signed ? INT8_MIN : 0;
    const float levels = floorf(1.0f / p->y.scale);
    int32_t top = base;
    float sum = 0;
    for (int64_t i = 0; i < p->n; i++) {
        const int32_t q = number_of(&p->x, x[i * p->inner]);
        top = q > top ? q : top;
    }
    for (int64_t i = 0; i < p->n; i++)
        sum += table[255 - (top - number_of(&p->x, x[i * p->inner]))];
    for (int64_t i = 0; i < p->n; i++) {
        const float e = table[255 - (top - number_of(&p->x, x[i * p->inner]))];
        y[i * p->inner] = q_round(&p->y, e * levels / sum);
    }
}

void q_softmax(const struct q_softmax *p, const uint8_t *x, uint8_t *y)
{
    float table[256];
    const int64_t n = p->n < UINT32_MAX ? p->n : UINT32_MAX;
    exponentials(p->x.scale, n, table);
    for (int64_t i = 0; i < p->outer * p->inner; i++) {
        const int64_t at = i / p->inner * p->n * p->inner + i % p->inner;
        softmax_row(p, table, x + at, y + at);
    }
}

/* Pow: two types, so it has its own walk. A float element is computed by one function whatever the
 * exponent's shape is, so that a repeated exponent gives the same bits as a full one. */
#include "base/num.h"
#include "kernels/float/binary.h"
#include "kernels/float/block.h"
#include "kernels/float/math.h"

struct call {
    enum dtype base, exponent;
    const void *a, *b;
    void *y;
    const struct broadcast *plan;
};

static bool computes(enum dtype t)
{
    return t == DT_FLOAT || t == DT_DOUBLE || block_half(t) ||
           (dtype_is_int(t) && dtype_bits(t) >= 8);
}

/* For results of 24 bits or fewer: the common exponents without a logarithm. Products and quotients
 * in double are off by 2^-52 at most, far below what the last rounding sees. */
static double power_short(double x, double y)
{
    if (y == 2) /* exact constants */
        return x * x;
    if (y == 3)
        return x * x * x;
    if (x > 0 && x < (double)__builtin_inff() && (y == 0.5 || y == -0.5))
        return y > 0 ? math_sqrt(x) : 1 / math_sqrt(x);
    return math_pow(x, y);
}

static void float_block(const struct call *c, const int64_t *at, int64_t out, int64_t n)
{
    double a[BLOCK], b[BLOCK];
    const int64_t as = c->plan->inner[0], bs = c->plan->inner[1];
    block_load_f64(c->base, c->a, at[0], a, as ? n : 1);
    block_load_f64(c->exponent, c->b, at[1], b, bs ? n : 1);
    double first = a[0];
    for (int64_t i = 0; i < n; i++) {
        double x = as ? a[i] : first, y = bs ? b[i] : b[0];
        a[i] = c->base == DT_DOUBLE || dtype_is_int(c->base) ? math_pow(x, y) : power_short(x, y);
    }
    block_store_f64(c->base, c->y, out, a, n);
}

/* base^e modulo 2^64 by squaring. */
static uint64_t power_u64(uint64_t base, uint64_t e)
{
    uint64_t result = 1;
    for (; e; e >>= 1, base *= base)
        if (e & 1)
            result *= base;
    return result;
}

static int64_t power_int(int64_t base, int64_t e, const struct call *c)
{
    if (e >= 0 || c->exponent == DT_UINT64)
        return (int64_t)power_u64((uint64_t)base, (uint64_t)e);
    if (base == 0)
        return c->base == DT_UINT64 ? -1 : dtype_max(c->base);
    if (base == -1 && dtype_is_signed(c->base))
        return e & 1 ? -1 : 1;
    return base == 1;
}

static void int_block(const struct call *c, const int64_t *at, int64_t out, int64_t n)
{
    int64_t a[BLOCK], b[BLOCK];
    const int64_t as = c->plan->inner[0], bs = c->plan->inner[1];
    block_load_int(c->base, c->a, at[0], a, as ? n : 1);
    block_load_int(c->exponent, c->b, at[1], b, bs ? n : 1);
    int64_t first = a[0];
    for (int64_t i = 0; i < n; i++)
        a[i] = power_int(as ? a[i] : first, bs ? b[i] : b[0], c);
    block_store_int(c->base, c->y, out, a, n, false);
}

static void row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    const struct call *c = user;
    bool integers = dtype_is_int(c->base) && dtype_is_int(c->exponent);
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t now = n - done < BLOCK ? n - done : BLOCK;
        int64_t place[] = {at[0] + done * c->plan->inner[0], at[1] + done * c->plan->inner[1]};
        if (integers)
            int_block(c, place, out + done, now);
        else
            float_block(c, place, out + done, now);
    }
}

int kernel_power(enum dtype base, enum dtype exponent, const struct broadcast *plan, const void *a,
                 const void *b, void *y, int64_t begin, int64_t end)
{
    struct call c = {.base = base, .exponent = exponent, .a = a, .b = b, .y = y, .plan = plan};
    if (!computes(base) || !computes(exponent))
        return KERNEL_TYPE;
    if (plan->n != 2)
        return KERNEL_SHAPE;
    broadcast_walk(plan, begin, end, row, &c);
    return KERNEL_OK;
}

/* x^y = e^(y log x) with log x known to about 2^-64 of itself, so that even e^745 is off by less
 * than half an ulp from it.
 *
 * log: x = 2^k m, s = (m - 1) / (m + 1); log m = 2 s + s s^2 (2/3 + s^2 T(s^2)). The first two
 * terms are kept as pairs; T, at most 2^-12 of the whole, is a plain double. */
#include "kernels/float/math.h"

#include "kernels/float/math_core.h"

/* T(z) = ((2 atanh(s) - 2 s) / s^3 - 2/3) / z, z = s^2, |s| <= 3 - sqrt(8); Chebyshev interpolant,
 * adds 2e-20 */
static const double LOG_TAIL[] = {0x1.999999999999ap-2, 0x1.2492492492491p-2, 0x1.c71c71c71cfd9p-3,
                                  0x1.745d174513593p-3, 0x1.3b13b1bc75cd4p-3, 0x1.1110dfad0f8eap-3,
                                  0x1.e1f7fa7547177p-4, 0x1.ac4a89c964b82p-4, 0x1.b8d433113b7fap-4};
static const struct pair TWO_THIRDS = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
static const double LN2_REST = 0x1.f97b57a079a19p-103; /* ln 2 - CORE_LN2_HI - CORE_LN2_LO */

static struct pair pair_add(struct pair a, struct pair b)
{
    struct pair s = core_two_sum(a.hi, b.hi);
    return core_two_sum(s.hi, s.lo + (a.lo + b.lo));
}

static struct pair pair_times(struct pair a, struct pair b)
{
    struct pair p = core_two_product(a.hi, b.hi);
    return core_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static struct pair log_pair(double x)
{
    int k;
    double m = core_split(x, &k), f = m - 1;
    struct pair d = core_two_sum(m, 1), s, z, t, sum;
    s.hi = f / d.hi;
    struct pair back = core_two_product(s.hi, d.hi);
    s.lo = ((f - back.hi) - back.lo - s.hi * d.lo) / d.hi;
    z = pair_times(s, s);
    t = pair_add(TWO_THIRDS, (struct pair){z.hi * core_poly(LOG_TAIL, 9, z.hi), 0});
    t = pair_times(s, pair_times(z, t));
    sum = pair_add((struct pair){2 * s.hi, 2 * s.lo}, t);
    struct pair ln2 = core_two_sum(k * CORE_LN2_HI, k * CORE_LN2_LO);
    ln2.lo += k * LN2_REST;
    return pair_add(ln2, sum);
}

enum whole { NOT_WHOLE, EVEN, ODD };

static enum whole whole_kind(double y)
{
    double a = core_abs(y);
    if (a >= 0x1p53)
        return EVEN;
    int64_t n = (int64_t)a;
    return (double)n != a ? NOT_WHOLE : n & 1 ? ODD : EVEN; /* exact: n is the truncation */
}

/* x a zero or an infinity. */
static double pow_edge(double x, double y)
{
    double inf = core_double((uint64_t)0x7FF << 52), a = core_abs(x);
    double size = (a > 1) == (y > 0) ? inf : 0;
    return whole_kind(y) == ODD ? core_sign(size, x) : size;
}

/* y an infinity. */
static double pow_limit(double x, double y)
{
    double a = core_abs(x);
    if (a == 1) /* exact by definition */
        return 1;
    return (a > 1) == (y > 0) ? core_double((uint64_t)0x7FF << 52) : 0;
}

/* x > 0 and y finite, neither special. */
static double pow_positive(double x, double y)
{
    struct pair l = log_pair(x);
    double rough = y * l.hi;
    if (core_abs(rough) > 800 ||
        core_abs(y) > 0x1p66) /* over or under for certain; or y so large that only x = 1 stays */
        return core_exp(rough, 0);
    if (core_abs(rough) < 0x1p-60)
        return 1;
    struct pair p = core_two_product(y, l.hi);
    struct pair e = core_two_sum(p.hi, p.lo + y * l.lo);
    return core_exp(e.hi, e.lo);
}

double math_pow(double x, double y)
{
    double inf = core_double((uint64_t)0x7FF << 52);
    if (y == 0 || x == 1) /* exact by definition, even for a NaN */
        return 1;
    if (x != x || y != y)
        return x + y;
    if (y == 2 ||
        y == -1) /* exact constants: correctly rounded, and all special values come out right */
        return y > 0 ? x * x : 1 / x;
    if (core_abs(y) == inf)
        return pow_limit(x, y);
    if (x == 0 || core_abs(x) == inf)
        return pow_edge(x, y);
    if (y == 0.5) /* exact constant: correctly rounded; x < 0 gives NaN */
        return math_sqrt(x);
    if (x > 0)
        return pow_positive(x, y);
    enum whole kind = whole_kind(y);
    if (kind == NOT_WHOLE)
        return core_double((uint64_t)0x7FF8 << 48);
    double size = pow_positive(-x, y);
    return kind == ODD ? -size : size;
}

/* exp, expm1, log, log1p and what follows from them.
 *
 * exp: x = k ln2 + r, |r| <= ln2/2; e^r = 1 + r + r^2 q(r), with r kept as a rounded value and its
 * rest. log: x = 2^k (1 + f); with s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - h + s (h +
 * R(s^2)), h = f^2/2, which leaves f as the leading term with nothing rounded before it. The
 * polynomials are Chebyshev interpolants of q and R computed with 90 digits and rounded to double;
 * the comment at each gives the error it adds to the result. */
#include "kernels/float/math.h"

#include "kernels/float/math_core.h"

/* q(r) = (e^r - 1 - r) / r^2 for |r| <= ln2/2; adds 2.9e-19 */
static const double EXP[] = {0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,
                             0x1.11111111100dcp-7,  0x1.6c16c16c162d4p-10, 0x1.a01a01abe7fe1p-13,
                             0x1.a01a01a6d889cp-16, 0x1.71de0231960ebp-19, 0x1.27e4db646b17ep-22,
                             0x1.af4de97ca4197p-26, 0x1.1f730349868d0p-29};
/* R(z) / z with R(s^2) = (2 atanh(s) - 2 s) / s for |s| <= 3 - sqrt(8); adds 1.1e-18 */
static const double LOG[] = {0x1.5555555555555p-1, 0x1.9999999999a38p-2, 0x1.2492492476c87p-2,
                             0x1.c71c720160b47p-3, 0x1.745cf901605f7p-3, 0x1.3b1c360763b8ap-3,
                             0x1.0fbe83c2cbcf3p-3, 0x1.0c04595972ab8p-3};

static const double LOG2_E = 0x1.71547652b82fep+0;
static const double EXP_TOP = 0x1.62e42fefa39efp+9;     /* ln of the largest double */
static const double EXP_BOTTOM = -0x1.74910d52d3051p+9; /* ln 2^-1075: below it 0 */

static double quiet_nan(void) { return core_double((uint64_t)0x7FF8 << 48); }
static double infinity(void) { return core_double((uint64_t)0x7FF << 52); }

double math_sqrt(double x) { return __builtin_sqrt(x); }
float math_sqrtf(float x) { return __builtin_sqrtf(x); }

/* x + lo = k ln2 + r + c; returns e^(r + c) - 1. */
static double exp_reduced(double x, double lo, int *k)
{
    double n = core_round(x * LOG2_E), high = x - n * CORE_LN2_HI, low = n * CORE_LN2_LO - lo;
    double r = high - low, c = (high - r) - low;
    *k = (int)n;
    return r + (r * r * core_poly(EXP, 11, r) + (c + c * r));
}

double core_exp(double x, double lo)
{
    if (x != x)
        return x;
    if (x > EXP_TOP)
        return infinity();
    if (x < EXP_BOTTOM)
        return 0;
    int k;
    double e = exp_reduced(x, lo, &k);
    return core_scale(1 + e, k);
}

double math_exp(double x) { return core_exp(x, 0); }

double math_expm1(double x)
{
    if (x != x || core_abs(x) < 0x1p-54)
        return x;
    if (x < -40) /* e^-40 < 2^-57 */
        return -1;
    if (x > 40)
        return math_exp(x) - 1;
    if (core_abs(x) < 0.34)
        return x + x * x * core_poly(EXP, 11, x);
    int k;
    double e = exp_reduced(x, 0, &k), scale = core_power2(k);
    return scale * e + (scale - 1);
}

double core_log(double f, int k, double c)
{
    double s = f / (2 + f), z = s * s, h = 0.5 * f * f;
    double r = z * core_poly(LOG, 8, z);
    return k * CORE_LN2_HI - ((h - (s * (h + r) + (k * CORE_LN2_LO + c))) - f);
}

double math_log(double x)
{
    if (x != x || x == infinity())
        return x;
    if (x <= 0)
        return x < 0 ? quiet_nan() : -infinity();
    int k;
    double m = core_split(x, &k);
    return core_log(m - 1, k, 0);
}

double math_log1p(double x)
{
    if (x != x || core_abs(x) < 0x1p-54 || x == infinity())
        return x;
    if (x <= -1)
        return x < -1 ? quiet_nan() : -infinity();
    if (x > -0.29 && x < 0.41) /* 1 + x lies in [sqrt(1/2), sqrt(2)] */
        return core_log(x, 0, 0);
    struct pair u = core_two_sum(1, x);
    int k;
    double m = core_split(u.hi, &k);
    return core_log(m - 1, k, u.lo / u.hi);
}

double math_sigmoid(double x)
{
    if (x >= 0)
        return 1 / (1 + math_exp(-x));
    double e = math_exp(x);
    return e / (1 + e);
}

double math_softplus(double x)
{
    return x > 0 ? x + math_log1p(math_exp(-x)) : math_log1p(math_exp(x));
}

double math_sinh(double x)
{
    double a = core_abs(x), t;
    if (a < 0x1p-28)
        return x;
    if (a < 22) {
        t = math_expm1(a);
        return core_sign(0.5 * (t + t / (t + 1)), x);
    }
    t = math_exp(0.5 * a); /* e^a itself may overflow where e^a / 2 does not */
    return a < 700 ? core_sign(0.5 * math_exp(a), x) : core_sign(0.5 * t * t, x);
}

double math_cosh(double x)
{
    double a = core_abs(x), t;
    if (a < 700) {
        t = math_exp(a);
        return 0.5 * (t + 1 / t);
    }
    t = math_exp(0.5 * a);
    return 0.5 * t * t;
}

double math_tanh(double x)
{
    double a = core_abs(x), t;
    if (a < 0x1p-28 || x != x)
        return x;
    if (a > 22)
        return core_sign(1, x);
    t = math_expm1(2 * a);
    return core_sign(a < 1 ? t / (t + 2) : 1 - 2 / (t + 2), x);
}

double math_asinh(double x)
{
    double a = core_abs(x), z = a * a;
    if (a < 0x1p-28 || x != x)
        return x;
    if (a > 0x1p28)
        return core_sign(math_log(a) + 0x1.62e42fefa39efp-1, x);
    return core_sign(math_log1p(a + z / (1 + math_sqrt(1 + z))), x);
}

double math_acosh(double x)
{
    if (x < 1)
        return quiet_nan();
    if (x > 0x1p28)
        return math_log(x) + 0x1.62e42fefa39efp-1;
    double t = x - 1;
    return math_log1p(t + math_sqrt(2 * t + t * t));
}

double math_atanh(double x)
{
    double a = core_abs(x);
    if (a < 0x1p-28 || x != x)
        return x;
    if (a >= 1)
        return a > 1 ? quiet_nan() : core_sign(infinity(), x);
    double t = a < 0.5 ? 2 * a + 2 * a * a / (1 - a) : 2 * a / (1 - a);
    return core_sign(0.5 * math_log1p(t), x);
}

/* erf and erfc.
 *
 * |x| < 1: erf(x) = x + x E(x^2). Beyond: erfc(x) = e^(-x^2) C(t) / (1 + 2 x) with t = (x - 3) / (x
 * + 3), the form of Shepherd and Laframboise (Math. Comp. 36, 1981), in which C is smooth and near
 * 1 up to infinity; x^2 is formed exactly, because an error of it is multiplied by up to 750. */
#include "kernels/float/math.h"

#include "kernels/float/math_core.h"

/* erf(r) / r - 1 in r^2, r < 1; Chebyshev interpolant, adds 1.2e-17 */
static const double ERF[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e7p-2,  0x1.ce2f21a042be2p-4,
                             -0x1.b82ce31288b47p-6,  0x1.565bcd0e6a2eep-8,   -0x1.c02db40035f1ep-11,
                             0x1.f9a326f7ac5b1p-14,  -0x1.f4d25bf9af03ap-17, 0x1.b9e6c38e5cf3dp-20,
                             -0x1.5f73c3bf14b91p-23, 0x1.fcbb312b48443p-27,  -0x1.517ce02f1265fp-30,
                             0x1.9a0fcb5e22c5bp-34,  -0x1.b40e7abf9f000p-38, 0x1.3c01fd3a74542p-42};
/* C(t) for 1 <= x <= 28; adds 4.1e-17 of the value */
static const double ERFC[] = {
    0x1.40c522d7e4987p+0,  -0x1.15c084bb9e8f2p-3,  -0x1.85a15c58aa6d8p-5,  0x1.098366a5b4641p-3,
    -0x1.e88b803a46595p-4, 0x1.17ca2877f3140p-4,   -0x1.8574c40d556cap-6,  0x1.4b884e445310bp-9,
    0x1.ef1bdef16c6f4p-10, -0x1.98db53045615dp-11, -0x1.b913797abd4a5p-14, 0x1.065ac47e76ddfp-13,
    0x1.4c8073443ec4ap-18, -0x1.516005f3158adp-16, -0x1.90d050ce96079p-21, 0x1.d710c12d8b68dp-19,
    0x1.8d0812f755692p-22, -0x1.77725fa3f5c9bp-21, -0x1.c3981cffefb88p-24, 0x1.6ed04180564abp-23,
    -0x1.19abb3fa73411p-25};

/* erfc(x) for x >= 1. */
static double tail(double x)
{
    if (x > 28)
        return 0; /* erfc(27.3) is below the smallest double */
    struct pair square = core_two_product(x, x);
    double t = (x - 3) / (x + 3);
    return core_exp(-square.hi, -square.lo) * (core_poly(ERFC, 21, t) / (1 + 2 * x));
}

double math_erf(double x)
{
    double a = core_abs(x);
    if (x != x)
        return x;
    if (a < 1)
        return x + x * core_poly(ERF, 15, x * x);
    return core_sign(1 - tail(a), x);
}

double math_erfc(double x)
{
    if (x != x)
        return x;
    if (x >= 1)
        return tail(x);
    if (x <= -1)
        return 2 - tail(-x);
    double rest = x * core_poly(ERF, 15, x * x);
    return x < 0.25 ? 1 - (x + rest) : 0.5 - ((x - 0.5) + rest);
}

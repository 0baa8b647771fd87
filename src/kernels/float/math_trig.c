/* sin, cos, tan and their inverses.
 *
 * Reduction (Payne and Hanek 1983): x = m 2^e with a whole m of 53 bits. The bits of 2/pi whose
 * product with m 2^e is a multiple of 4 are left out; 192 bits from there on times m, modulo 2^192,
 * give the quadrant in the top two bits and 190 bits of fraction, wrong by less than 2^-137. The
 * closest a double comes to a multiple of pi/2 costs 62 leading bits, so 75 good ones remain. Up to
 * pi/4 nothing is reduced. Polynomials: Chebyshev interpolants as in math.c. */
#include "kernels/float/math.h"

#include "kernels/float/math_core.h"

__extension__ typedef unsigned __int128 uint128;

/* 2/pi in 64-bit words after one word for the (zero) bits left of the point. */
static const uint64_t TWO_OVER_PI[] = {0,
                                       0xa2f9836e4e441529,
                                       0xfc2757d1f534ddc0,
                                       0xdb6295993c439041,
                                       0xfe5163abdebbc561,
                                       0xb7246e3a424dd2e0,
                                       0x06492eea09d1921c,
                                       0xfe1deb1cb129a73e,
                                       0xe88235f52ebb4484,
                                       0xe99c7026b45f7e41,
                                       0x3991d639835339f4,
                                       0x9c845f8bbdf9283b,
                                       0x1ff897ffde05980f,
                                       0xef2f118b5a0a6d1f,
                                       0x6d367ecf27cb09b7,
                                       0x4f463f669e5fea2d,
                                       0x7527bac7ebe5f17b,
                                       0x3d0739f78a5292ea,
                                       0x6bfb5fb11f8d5d08,
                                       0x56033046fc7b6bab,
                                       0xf0cfbc209af4361d,
                                       0xa9e391615ee61b08};

static const double HALF_PI_HI = 0x1.921fb54442d18p+0, HALF_PI_LO = 0x1.1a62633145c07p-54;
static const double QUARTER_PI = 0x1.921fb54442d18p-1;

/* (sin(r) - r) / r^3, (cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4; they add 5.7e-18 and 8.6e-19
 */
static const double SIN[] = {-0x1.5555555555555p-3, 0x1.1111111111110p-7,   -0x1.a01a01a019937p-13,
                             0x1.71de3a54607a5p-19, -0x1.ae64541295cdfp-26, 0x1.61217ee5cca1bp-33,
                             -0x1.ab17bdcbd3414p-41};
static const double COS[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16c16p-10, 0x1.a01a01a019d0ap-16,
                             -0x1.27e4fb7712ca2p-22, 0x1.1eed8deb82809p-29,  -0x1.9394b9eb4d56dp-37,
                             0x1.ab78473be59d7p-45};
/* (atan(r) - r) / r^3 in r^2, |r| <= 7/16; adds 3.7e-18 */
static const double ATAN[] = {-0x1.5555555555555p-2, 0x1.99999999998c5p-3,  -0x1.24924924854d3p-3,
                              0x1.c71c71bd297ddp-4,  -0x1.745d154c29613p-4, 0x1.3b1375c51724bp-4,
                              -0x1.110c9c528646fp-4, 0x1.e17074088e2d1p-5,  -0x1.ab5964d962e7bp-5,
                              0x1.70003d828e51ep-5,  -0x1.0f5fd11677ccbp-5, 0x1.e40ade8e6b30dp-7};
/* (asin(r) - r) / r^3 in r^2, |r| <= 1/2; adds 2.5e-18 */
static const double ASIN[] = {0x1.5555555555555p-3,  0x1.3333333333388p-4, 0x1.6db6db6dac1dfp-5,
                              0x1.f1c71c7a52bd1p-6,  0x1.6e8ba123e4071p-6, 0x1.1c4efce24020ep-6,
                              0x1.c990ad3b3e6c3p-7,  0x1.7b027efe85410p-7, 0x1.3b49dd7f75ff5p-7,
                              0x1.316229dcdaf14p-7,  0x1.8f18e28b47458p-9, 0x1.4061ad4dc10ffp-6,
                              -0x1.3b4192369e517p-6, 0x1.e529dfb07a481p-6};

static double quiet_nan(void) { return core_double((uint64_t)0x7FF8 << 48); }

/* 64 bits of 2/pi from a bit position of the table. */
static uint64_t window(int position)
{
    int word = position / 64, shift = position % 64;
    uint64_t high = TWO_OVER_PI[word];
    return shift ? high << shift | TWO_OVER_PI[word + 1] >> (64 - shift) : high;
}

/* (w0:w1:w2 / 2^192) * pi/2 as a pair, for a fraction in (0, 1/2]. */
static struct pair times_half_pi(uint64_t w0, uint64_t w1, uint64_t w2)
{
    int zeros = 0;
    if (!w0) {
        w0 = w1, w1 = w2, w2 = 0;
        zeros = 64;
    }
    int shift = w0 ? __builtin_clzll(w0) : 0;
    if (shift) {
        w0 = w0 << shift | w1 >> (64 - shift);
        w1 = w1 << shift | w2 >> (64 - shift);
    }
    uint128 top = (uint128)w0 << 64 | w1;
    double a = (double)(uint64_t)(top >> 75),
           b = (double)(uint64_t)(top >> 22 & (((uint64_t)1 << 53) - 1));
    double scale = core_power2(-53 - zeros - shift);
    a *= scale;
    b *= scale * 0x1p-53;
    struct pair p = core_two_product(a, HALF_PI_HI);
    return core_two_sum(p.hi, p.lo + (a * HALF_PI_LO + b * HALF_PI_HI));
}

/* x >= pi/4, finite: x = quadrant * pi/2 + r, |r| <= pi/4. */
static struct pair reduce(double x, int *quadrant)
{
    uint64_t bits = core_bits(x), m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    int position = (int)(bits >> 52) - 1075 + 62;
    uint128 p2 = (uint128)m * window(position + 128),
            p1 = (uint128)m * window(position + 64) + (uint64_t)(p2 >> 64);
    uint64_t w0 = m * window(position) + (uint64_t)(p1 >> 64), w1 = (uint64_t)p1, w2 = (uint64_t)p2;
    int q = (int)(w0 >> 62);
    w0 = w0 << 2 | w1 >> 62;
    w1 = w1 << 2 | w2 >> 62;
    w2 <<= 2;
    bool negative = w0 >> 63;
    if (negative) { /* the fraction is 1/2 or more: count from the next quadrant */
        q++;
        w2 = 0 - w2;
        w1 = ~w1 + (w2 == 0);
        w0 = ~w0 + (w2 == 0 && w1 == 0);
    }
    *quadrant = q & 3;
    struct pair r = times_half_pi(w0, w1, w2);
    return negative ? (struct pair){-r.hi, -r.lo} : r;
}

static double sin_near(struct pair r)
{
    double z = r.hi * r.hi;
    return r.hi + (r.hi * z * core_poly(SIN, 7, z) + r.lo * (1 - 0.5 * z));
}

static double cos_near(struct pair r)
{
    double z = r.hi * r.hi, h = 0.5 * z, w = 1 - h;
    return w + (((1 - w) - h) + (z * z * core_poly(COS, 7, z) - r.hi * r.lo));
}

static bool finite(double x) { return core_abs(x) < core_double((uint64_t)0x7FF << 52); }

/* |x| reduced; quadrant 0 below pi/4. */
static struct pair reduced(double a, int *quadrant)
{
    *quadrant = 0;
    return a <= QUARTER_PI ? (struct pair){a, 0} : reduce(a, quadrant);
}

double math_sin(double x)
{
    if (!finite(x))
        return quiet_nan();
    int q;
    struct pair r = reduced(core_abs(x), &q);
    double s = q & 1 ? cos_near(r) : sin_near(r);
    return (q >= 2) != (core_bits(x) >> 63) ? -s : s;
}

double math_cos(double x)
{
    if (!finite(x))
        return quiet_nan();
    int q;
    struct pair r = reduced(core_abs(x), &q);
    double c = q & 1 ? sin_near(r) : cos_near(r);
    return q == 1 || q == 2 ? -c : c;
}

double math_tan(double x)
{
    if (!finite(x))
        return quiet_nan();
    int q;
    struct pair r = reduced(core_abs(x), &q);
    double s = sin_near(r), c = cos_near(r), t = q & 1 ? -c / s : s / c;
    return core_bits(x) >> 63 ? -t : t;
}

/* ---- inverses ---- */

/* atan(x) = atan(c) + atan((x - c) / (1 + c x)) for the nearest c of 0, 1/2, 1, 3/2, infinity (Cody
 * and Waite 1980). */
double math_atan(double x)
{
    static const struct {
        double below, c;
        struct pair atan_c;
    } steps[] = {{0.6875, 0.5, {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56}},
                 {1.1875, 1.0, {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55}},
                 {2.4375, 1.5, {0x1.f730bd281f69bp-1, 0x1.007887af0cbbdp-56}}};
    double a = core_abs(x);
    if (a < 0x1p-27 || x != x)
        return x;
    struct pair base = {HALF_PI_HI, HALF_PI_LO};
    double r = -1 / a;
    if (a < 0.4375)
        return x + x * (x * x) * core_poly(ATAN, 12, x * x);
    for (int i = 2; i >= 0; i--)
        if (a < steps[i].below) {
            base = steps[i].atan_c;
            r = (a - steps[i].c) / (1 + steps[i].c * a);
        }
    double z = r * r, t = r * z * core_poly(ATAN, 12, z);
    return core_sign(base.hi + (r + (t + base.lo)), x);
}

/* asin(sqrt(z)) for z <= 1/4, as a pair whose hi is half of sqrt(z)'s bits, so that doubling and
 * subtracting it is exact. */
static struct pair asin_root(double z)
{
    double s = math_sqrt(z), high = core_double(core_bits(s) & ~(uint64_t)UINT32_MAX);
    double low = s > 0 ? (z - high * high) / (s + high) : 0;
    return (struct pair){high, low + s * z * core_poly(ASIN, 14, z)};
}

double math_asin(double x)
{
    double a = core_abs(x);
    if (a < 0x1p-27 || x != x)
        return x;
    if (a > 1)
        return quiet_nan();
    if (a <= 0.5)
        return x + x * (x * x) * core_poly(ASIN, 14, x * x);
    struct pair r = asin_root(0.5 * (1 - a)); /* asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)) */
    double rest = HALF_PI_LO - 2 * r.lo, quarter = QUARTER_PI - 2 * r.hi;
    return core_sign(QUARTER_PI + (quarter + rest), x);
}

double math_acos(double x)
{
    double a = core_abs(x);
    if (!(a <= 1))
        return x != x ? x : quiet_nan();
    if (a <= 0.5) {
        double small = x * (x * x) * core_poly(ASIN, 14, x * x);
        return HALF_PI_HI - (x + (small - HALF_PI_LO));
    }
    struct pair r = asin_root(0.5 * (1 - a));
    if (x > 0)
        return 2 * (r.hi + r.lo);
    return 2 * (HALF_PI_HI - (r.hi + (r.lo - HALF_PI_LO)));
}

/* Complex Fourier transform of any length in double.
 *
 * Small factors: Stockham's self-sorting scheme. A pass takes a factor p of the remaining n = p m
 * (4 while there is one, then the smallest prime) and does, for s = length / n columns,
 * y[q + s (p j + r)] = (sum over t of x[q + s (j + m t)] w_p^(t r)) w_n^(j r). Otherwise Bluestein's: k j = (k^2 + j^2 - (k - j)^2) / 2
 * turns the transform into a convolution with a chirp, which is done with transforms of a power of
 * two. k^2 is reduced modulo 2 length, so the angles stay exact.
 */
#include "kernels/float/dft.h"

#include <stddef.h>
#include <string.h>

#include "kernels/float/math.h"
#include "kernels/kernel.h"

enum { LARGEST_FACTOR = 31 };

static const double PI = 3.14159265358979323846;

static int64_t smallest_factor(int64_t n)
{
    for (int64_t p = 2; p * p <= n && p <= LARGEST_FACTOR; p++)
        if (n % p == 0)
            return p;
    return n; /* a prime, or a product of primes above LARGEST_FACTOR */
}

static bool has_large_factor(int64_t n)
{
    while (n > 1) {
        const int64_t p = smallest_factor(n);
        if (p > LARGEST_FACTOR)
            return true;
        n /= p;
    }
    return false;
}

static int64_t chirp_length(int64_t length)
{
    int64_t n = 1;
    if (!has_large_factor(length))
        return 0;
    while (n < 2 * length - 1)
        n *= 2;
    return n;
}

int64_t dft_scratch(int64_t length)
{
    const int64_t largest = (int64_t)1 << 40;
    if (length < 1 || length > largest)
        return -1;
    const int64_t chirp = chirp_length(length), n = chirp ? chirp : length;
    return 2 * (3 * n + (chirp ? chirp + length : 0)) +
           2 * n; /* turns, two works, spectrum, chirp; the caller's values */
}

/* e^(-2 pi i k / n), 0 <= k < n. The angle is reduced to an eighth of a turn in integers, so that
 * quarter turns are exact. */
static struct complex turn(int64_t k, int64_t n)
{
    const int64_t quarter = 4 * k / n, rest = 4 * k % n;
    const bool beyond = 2 * rest > n;
    const double angle = PI / 2 * ((double)(beyond ? n - rest : rest) / (double)n);
    const double cosine = math_cos(angle), sine = math_sin(angle);
    const double c = beyond ? sine : cosine, s = beyond ? cosine : sine;
    switch (quarter) {
    case 0:
        return (struct complex){c, -s};
    case 1:
        return (struct complex){-s, -c};
    case 2:
        return (struct complex){-c, s};
    default:
        return (struct complex){s, c};
    }
}

static inline struct complex plus(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.re, a.im + b.im};
}

static inline struct complex minus(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.re, a.im - b.im};
}

static inline struct complex times(struct complex a, struct complex b)
{
    return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static struct complex conjugate(struct complex a) { return (struct complex){a.re, -a.im}; }

/* One pass: p points, m of them, s columns; turns has length n. */
static void pass(const struct complex *turns, int64_t n, int64_t p, int64_t m, int64_t s,
                 const struct complex *x, struct complex *y)
{
    const int64_t root = n / p;
    for (int64_t j = 0; j < m; j++)
        for (int64_t r = 0; r < p; r++) {
            const struct complex twiddle = turns[j * r * s % n];
            struct complex *to = y + s * (p * j + r);
            memcpy(to, x + s * j, (size_t)s * sizeof *to);
            for (int64_t t = 1; t < p; t++) {
                const struct complex w = turns[t * r % p * root], *from = x + s * (j + m * t);
                for (int64_t q = 0; q < s; q++)
                    to[q] = plus(to[q], times(from[q], w));
            }
            for (int64_t q = 0; q < s; q++)
                to[q] = times(to[q], twiddle);
        }
}

/* The pass of four points: the roots are 1, -i, -1, i, so that only the twiddles multiply. For the
 * baseline processor only: gcc 12 makes fused vfmaddsub of complex products where a version has it,
 * whatever -ffp-contract says, and the bits would depend on the machine. */
static void pass_of_four(const struct complex *turns, int64_t m, int64_t s, const struct complex *x,
                         struct complex *y)
{
    for (int64_t j = 0; j < m; j++) {
        const struct complex w1 = turns[j * s], w2 = turns[2 * j * s], w3 = turns[3 * j * s];
        const struct complex *a = x + s * j, *b = a + s * m, *c = b + s * m, *d = c + s * m;
        struct complex *to = y + 4 * s * j;
        KERNEL_INDEPENDENT
        for (int64_t q = 0; q < s; q++) {
            const struct complex even = plus(a[q], c[q]), odd = plus(b[q], d[q]),
                                 left = minus(a[q], c[q]), cross = minus(b[q], d[q]);
            const struct complex right = {cross.im, -cross.re};
            to[q] = plus(even, odd);
            to[q + s] = times(plus(left, right), w1);
            to[q + 2 * s] = times(minus(even, odd), w2);
            to[q + 3 * s] = times(minus(left, right), w3);
        }
    }
}

/* n has small factors only; x is the result, work is overwritten. */
static void transform(const struct complex *turns, int64_t n, struct complex *x,
                      struct complex *work)
{
    struct complex *from = x, *to = work;
    for (int64_t left = n, s = 1; left > 1;) {
        const int64_t p = left % 4 ? smallest_factor(left) : 4;
        left /= p;
        if (p == 4)
            pass_of_four(turns, left, s, from, to);
        else
            pass(turns, n, p, left, s, from, to);
        s *= p;
        struct complex *swap = from;
        from = to;
        to = swap;
    }
    if (from != x)
        memcpy(x, from, (size_t)n * sizeof *x);
}

static void make_chirp(struct dft_plan *p)
{
    const int64_t n = p->length, m = p->chirp_length;
    int64_t square = 0; /* k^2 modulo 2 n */
    memset(p->spectrum, 0, (size_t)m * sizeof *p->spectrum);
    for (int64_t k = 0; k < n; k++) {
        p->chirp[k] = turn(square, 2 * n);
        p->spectrum[k] = conjugate(p->chirp[k]);
        if (k > 0)
            p->spectrum[m - k] = p->spectrum[k];
        square = (square + 2 * k + 1) % (2 * n);
    }
    transform(p->turns, m, p->spectrum, p->work[0]);
}

void dft_plan_make(struct dft_plan *p, int64_t length, double *scratch)
{
    p->length = length;
    p->chirp_length = chirp_length(length);
    const int64_t n = p->chirp_length ? p->chirp_length : length;
    p->turns = (struct complex *)scratch;
    p->work[0] = p->turns + n;
    p->work[1] = p->work[0] + n;
    p->spectrum = p->work[1] + n;
    p->chirp = p->spectrum + p->chirp_length;
    for (int64_t k = 0; k < n; k++)
        p->turns[k] = turn(k, n);
    if (p->chirp_length)
        make_chirp(p);
}

static void by_chirp(const struct dft_plan *p, struct complex *x)
{
    const int64_t n = p->length, m = p->chirp_length;
    struct complex *a = p->work[0];
    memset(a, 0, (size_t)m * sizeof *a);
    for (int64_t k = 0; k < n; k++)
        a[k] = times(x[k], p->chirp[k]);
    transform(p->turns, m, a, p->work[1]);
    for (int64_t k = 0; k < m;
         k++) /* the inverse is the conjugate of the transform of the conjugate */
        a[k] = conjugate(times(a[k], p->spectrum[k]));
    transform(p->turns, m, a, p->work[1]);
    for (int64_t k = 0; k < n; k++) {
        const struct complex v = times(conjugate(a[k]), p->chirp[k]);
        x[k] = (struct complex){v.re / (double)m, v.im / (double)m};
    }
}

void dft_run(const struct dft_plan *p, struct complex *x)
{
    if (p->chirp_length)
        by_chirp(p, x);
    else
        transform(p->turns, p->length, x, p->work[0]);
}

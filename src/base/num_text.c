/* Shortest decimal text of a float: the digit generation of Steele and White / Burger and Dybvig
 * ("Printing Floating-Point Numbers Quickly and Accurately", PLDI 1996) on whole numbers of fixed
 * size, so there is no table and no locale.
 *
 * The value is r/s; low and high are the half gaps to its neighbours over the same s. Digits of r/s
 * are taken until what is left is inside the gap; ties on the gap's edge read back to an even
 * mantissa, so they count as inside for even ones. Layout as Python's repr: plain between 1e-4 and
 * 1e16, else d.ddde+XX; without a trailing ".0". */
#include "base/num.h"

#include <stdio.h>
#include <string.h>

enum { WORDS = 36 }; /* 36 * 32 = 1152 bits: 2^1024 * 10 * 2, and 10^324 * 2^53, fit */

struct big {
    uint32_t word[WORDS]; /* least significant first */
    int used;
};

static struct big big_of(uint64_t v)
{
    struct big b = {{(uint32_t)v, (uint32_t)(v >> 32)}, 2};
    return b;
}

static void big_scale(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->used; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && b->used < WORDS)
        b->word[b->used++] = (uint32_t)carry;
}

static void big_shift(struct big *b, int bits)
{
    for (; bits >= 31; bits -= 31)
        big_scale(b, (uint32_t)1 << 31);
    big_scale(b, (uint32_t)1 << bits);
}

static void big_power10(struct big *b, int n)
{
    for (; n >= 9; n -= 9)
        big_scale(b, 1000000000);
    for (; n > 0; n--)
        big_scale(b, 10);
}

/* The sign of a + plus - b; plus may be NULL. */
static int big_compare(const struct big *a, const struct big *plus, const struct big *b)
{
    int n = a->used > b->used ? a->used : b->used, sign = 0;
    n = plus && plus->used > n ? plus->used : n;
    uint64_t carry = 0;
    for (int i = 0; i < n; i++) { /* the highest word that differs decides, so it is asked last */
        carry += (uint64_t)a->word[i] + (plus ? plus->word[i] : 0);
        uint32_t sum = (uint32_t)carry;
        carry >>= 32;
        sign = sum == b->word[i] ? sign : sum < b->word[i] ? -1 : 1;
    }
    return carry ? 1 : sign;
}

static void big_subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;
    for (int i = 0; i < a->used; i++) {
        borrow += (int64_t)a->word[i] - b->word[i];
        a->word[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

/* a / b where the quotient is a digit; leaves the remainder. */
static int big_digit(struct big *a, const struct big *b)
{
    int digit = 0;
    for (; big_compare(a, NULL, b) >= 0; digit++)
        big_subtract(a, b);
    return digit;
}

struct decimal {
    char digit[20];
    int count, exponent; /* 0.d1d2d3... * 10^exponent */
};

struct ratio {
    struct big r, s, low, high;
    bool even;
};

static bool high_reached(const struct ratio *q)
{
    int c = big_compare(&q->r, &q->high, &q->s);
    return q->even ? c >= 0 : c > 0;
}

/* significand * 2^exponent; narrow: the gap below is half the gap above (a power of two). */
static struct ratio ratio_of(uint64_t significand, int exponent, bool narrow)
{
    struct ratio q = {big_of(significand), big_of(1), big_of(1), big_of(1), significand % 2 == 0};
    int up = exponent > 0 ? exponent : 0;
    big_shift(&q.r, up + 1 + narrow);
    big_shift(&q.s, up - exponent + 1 + narrow);
    big_shift(&q.low, up);
    big_shift(&q.high, up + narrow);
    return q;
}

/* Scales so that 0.1 <= (r + high) / s < 1, starting from a guess that is not above the answer. */
static int ratio_scale(struct ratio *q, int guess)
{
    if (guess >= 0)
        big_power10(&q->s, guess);
    for (struct big *b[] = {&q->r, &q->low, &q->high}, **p = b; guess < 0 && p < b + 3; p++)
        big_power10(*p, -guess);
    for (; high_reached(q); guess++)
        big_scale(&q->s, 10);
    return guess;
}

static void ratio_times10(struct ratio *q)
{
    big_scale(&q->r, 10);
    big_scale(&q->low, 10);
    big_scale(&q->high, 10);
}

/* The same where every number fits 128 bits, as it does between 1e-20 and 1e20 or so: most floats
 * are written this way, in a tenth of the time. */
__extension__ typedef unsigned __int128 wide_t;

static wide_t wide_power10(int n)
{
    wide_t p = 1;
    for (; n > 0; n--)
        p *= 10;
    return p;
}

/* Whether r, s and the gaps, times 10 and added, stay below 2^127. log2(10) < 10/3. */
static bool is_wide_enough(uint64_t significand, int exponent, int guess)
{
    int up = exponent > 0 ? exponent : 0, down = exponent > 0 ? 0 : -exponent;
    int tens = (guess < 0 ? -guess : guess) * 10 / 3 + 1;
    int r = 64 - __builtin_clzll(significand) + up + 2 + (guess < 0 ? tens : 0);
    int s = down + 2 + (guess < 0 ? 0 : tens) + 4; /* ratio_scale may add a power of ten */
    return (r > s ? r : s) + 5 <= 127;
}

static struct decimal shortest_wide(uint64_t significand, int exponent, bool narrow, int guess)
{
    bool even = significand % 2 == 0;
    int up = exponent > 0 ? exponent : 0;
    wide_t scale = wide_power10(guess < 0 ? -guess : 0);
    wide_t r = ((wide_t)significand << (up + 1 + narrow)) * scale, low = ((wide_t)1 << up) * scale;
    wide_t high = low << narrow, s = (wide_t)1 << (up - exponent + 1 + narrow);
    s *= wide_power10(guess);
    for (; even ? r + high >= s : r + high > s; guess++)
        s *= 10;
    struct decimal d = {.exponent = guess};
    for (;;) {
        r *= 10, low *= 10, high *= 10;
        int digit = 0;
        for (; r >= s; digit++)
            r -= s;
        bool below = even ? r <= low : r < low, above = even ? r + high >= s : r + high > s;
        if (above && (!below || r + r >= s))
            digit++;
        d.digit[d.count++] = (char)('0' + digit);
        if (below || above)
            return d;
    }
}

static struct decimal shortest(uint64_t significand, int exponent, bool narrow)
{
    int top = exponent + 63 - __builtin_clzll(significand); /* floor(log2(value)) */
    /* floor(log10(value)) or less: log10(2) is between 0.30102 and 0.30103 */
    int guess = top >= 0 ? top * 30102 / 100000 : -((-top * 30103 + 99999) / 100000);
    if (is_wide_enough(significand, exponent, guess))
        return shortest_wide(significand, exponent, narrow, guess);
    struct ratio q = ratio_of(significand, exponent, narrow);
    struct decimal d = {.exponent = ratio_scale(&q, guess)};
    for (;;) {
        ratio_times10(&q);
        int digit = big_digit(&q.r, &q.s), c = big_compare(&q.r, NULL, &q.low);
        bool below = q.even ? c <= 0 : c < 0, above = high_reached(&q);
        if (above && (!below || big_compare(&q.r, &q.r, &q.s) >= 0))
            digit++;
        d.digit[d.count++] = (char)('0' + digit);
        if (below || above)
            return d;
    }
}

/* 0.ddd, ddd000 or d.ddde+XX; e is where the point stands before, in or after the digits. */
static int layout(char *buffer, bool negative, const struct decimal *d)
{
    char *p = buffer;
    int e = d->exponent;
    bool scientific = e > 16 || e < -3;
    int point = scientific ? 1 : e;
    if (negative)
        *p++ = '-';
    for (int i = point > 0 ? 0 : point - 1; i < d->count || i < point; i++) {
        if (i == point)
            *p++ = '.';
        *p++ = i >= 0 && i < d->count ? d->digit[i] : '0';
    }
    *p = 0;
    if (scientific)
        p += snprintf(p, 8, "e%c%02d", e > 0 ? '+' : '-', e > 0 ? e - 1 : 1 - e);
    return (int)(p - buffer);
}

static int plain(char *buffer, const char *text)
{
    size_t n = strlen(text);
    memcpy(buffer, text, n + 1);
    return (int)n;
}

/* man: mantissa bits; bits: the pattern, sign in the bit above the exponent's `wide` bits. */
static int text_of(char *buffer, uint64_t bits, int man, int wide)
{
    uint64_t fraction = bits & (((uint64_t)1 << man) - 1),
             field = bits >> man & (((uint64_t)1 << wide) - 1);
    bool negative = bits >> (man + wide) & 1;
    if (field == ((uint64_t)1 << wide) - 1)
        return plain(buffer, fraction ? "nan" : negative ? "-inf" : "inf");
    if (!field && !fraction)
        return plain(buffer, negative ? "-0" : "0");
    int bias = (1 << (wide - 1)) - 1 + man;
    uint64_t significand = field ? fraction | (uint64_t)1 << man : fraction;
    struct decimal d =
        shortest(significand, (field ? (int)field : 1) - bias, field > 1 && !fraction);
    return layout(buffer, negative, &d);
}

int num_text_f32(char *buffer, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return text_of(buffer, bits, 23, 8);
}

int num_text_f64(char *buffer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return text_of(buffer, bits, 52, 11);
}

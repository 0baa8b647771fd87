/* One row function per operator and type, made from one expression each. A and B are the elements;
 * the repeated-operand cases have loops of their own, so that the compiler keeps the repeated
 * element in a register and vectorises. */
#include "kernels/float/binary_rows.h"

#include <math.h>

#define LOOP(first, second, expression)                \
    KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) \
    {                                                  \
        const IN A = (first), B = (second);            \
        out[i] = (OUT)(expression);                    \
    }

#define ROW(name, in, result, attributes, expression)                                         \
    attributes static int name(const void *a, int64_t as, const void *b, int64_t bs, void *y, \
                               int64_t n)                                                     \
    {                                                                                         \
        typedef in IN;                                                                        \
        typedef result OUT;                                                                   \
        const IN *x = (const IN *)a, *z = (const IN *)b;                                      \
        OUT *out = (OUT *)y;                                                                  \
        if (n <= 0)                                                                           \
            return KERNEL_OK;                                                                 \
        const IN x0 = x[0], z0 = z[0];                                                        \
        if (as && bs)                                                                         \
            LOOP(x[i], z[i], expression)                                                      \
        else if (as)                                                                          \
            LOOP(x[i], z0, expression)                                                        \
        else if (bs)                                                                          \
            LOOP(x0, z[i], expression)                                                        \
        else                                                                                  \
            LOOP(x0, z0, expression)                                                          \
        return KERNEL_OK;                                                                     \
    }

/* Division and remainder of integers: B == 0 is counted, and gives 0. */
#define ROW_DIVIDE(name, in, expression)                                                      \
    static int name(const void *a, int64_t as, const void *b, int64_t bs, void *y, int64_t n) \
    {                                                                                         \
        const in *x = (const in *)a, *z = (const in *)b;                                      \
        in *out = (in *)y;                                                                    \
        bool zero = false;                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                     \
            const in A = x[i * as], B = z[i * bs];                                            \
            zero |= B == 0;                                                                   \
            out[i] = (in)(B == 0 ? 0 : (expression));                                         \
        }                                                                                     \
        return zero ? KERNEL_ZERO : KERNEL_OK;                                                \
    }

#define COMPARISONS(type, s, clones)                   \
    ROW(equal_##s, type, uint8_t, clones, A == B)      \
    ROW(less_##s, type, uint8_t, clones, A < B)        \
    ROW(less_equal_##s, type, uint8_t, clones, A <= B) \
    ROW(greater_##s, type, uint8_t, clones, A > B)     \
    ROW(greater_equal_##s, type, uint8_t, clones, A >= B)

#define FLOAT_ROWS(type, s, f)                                                       \
    ROW(add_##s, type, type, KERNEL_CLONES, A + B)                                   \
    ROW(sub_##s, type, type, KERNEL_CLONES, A - B)                                   \
    ROW(mul_##s, type, type, KERNEL_CLONES, A *B)                                    \
    ROW(div_##s, type, type, KERNEL_CLONES, A / B)                                   \
    ROW(min_##s, type, type, KERNEL_CLONES, A < B || A != A ? A : B)                 \
    ROW(max_##s, type, type, KERNEL_CLONES, A > B || A != A ? A : B)                 \
    ROW(prelu_##s, type, type, KERNEL_CLONES, A < 0 ? B * A : A)                     \
    ROW(fmod_##s, type, type, , fmod##f(A, B)) /* exact, so any library's will do */ \
    COMPARISONS(type, s, )

/* Products and sums modulo 2^64, cut to the type: the same as modulo 2^bits. */
#define INT_ROWS(type, s)                                 \
    ROW(add_##s, type, type, , (uint64_t)A + (uint64_t)B) \
    ROW(sub_##s, type, type, , (uint64_t)A - (uint64_t)B) \
    ROW(mul_##s, type, type, , (uint64_t)A *(uint64_t)B)  \
    ROW(min_##s, type, type, , A < B ? A : B)             \
    ROW(max_##s, type, type, , A > B ? A : B)             \
    ROW(bitand_##s, type, type, , A &B)                   \
    ROW(bitor_##s, type, type, , A | B)                   \
    ROW(bitxor_##s, type, type, , A ^ B)                  \
    COMPARISONS(type, s, )

/* -1 apart: the smallest value divided by it does not fit; negation modulo 2^bits is the answer. */
#define SIGNED_ROWS(type, s)                                                      \
    INT_ROWS(type, s)                                                             \
    ROW(prelu_##s, type, type, , A < 0 ? (uint64_t)B * (uint64_t)A : (uint64_t)A) \
    ROW_DIVIDE(div_##s, type, B == -1 ? 0 - (uint64_t)A : (uint64_t)(A / B))      \
    ROW_DIVIDE(fmod_##s, type, B == -1 ? 0 : A % B)                               \
    ROW_DIVIDE(mod_##s, type, B == -1 ? 0 : A % B && (A % B < 0) != (B < 0) ? A % B + B : A % B)

#define UNSIGNED_ROWS(type, s, bits)                                \
    INT_ROWS(type, s)                                               \
    ROW(prelu_##s, type, type, , ((void)B, A)) /* never negative */ \
    ROW_DIVIDE(div_##s, type, A / B)                                \
    ROW_DIVIDE(fmod_##s, type, A % B)                               \
    ROW(left_##s, type, type, , B < (bits) ? (uint64_t)A << B : 0)  \
    ROW(right_##s, type, type, , B < (bits) ? A >> B : 0)

FLOAT_ROWS(float, f32, f)
FLOAT_ROWS(double, f64, )
SIGNED_ROWS(int8_t, i8)
SIGNED_ROWS(int16_t, i16)
SIGNED_ROWS(int32_t, i32)
SIGNED_ROWS(int64_t, i64)
UNSIGNED_ROWS(uint8_t, u8, 8)
UNSIGNED_ROWS(uint16_t, u16, 16)
UNSIGNED_ROWS(uint32_t, u32, 32)
UNSIGNED_ROWS(uint64_t, u64, 64)
ROW(and_bool, uint8_t, uint8_t, , A &&B)
ROW(or_bool, uint8_t, uint8_t, , A || B)
ROW(xor_bool, uint8_t, uint8_t, , !A != !B)
ROW(equal_bool, uint8_t, uint8_t, , !A == !B)

#define COMMON_TABLE(s)                                                               \
    [BINARY_ADD] = add_##s, [BINARY_SUB] = sub_##s, [BINARY_MUL] = mul_##s,           \
    [BINARY_DIV] = div_##s, [BINARY_MIN] = min_##s, [BINARY_MAX] = max_##s,           \
    [BINARY_PRELU] = prelu_##s, [BINARY_FMOD] = fmod_##s, [BINARY_EQUAL] = equal_##s, \
    [BINARY_LESS] = less_##s, [BINARY_LESS_EQUAL] = less_equal_##s,                   \
    [BINARY_GREATER] = greater_##s, [BINARY_GREATER_EQUAL] = greater_equal_##s
#define INT_TABLE(s)                                                           \
    COMMON_TABLE(s), [BINARY_BITAND] = bitand_##s, [BINARY_BITOR] = bitor_##s, \
                     [BINARY_BITXOR] = bitxor_##s
#define SIGNED_TABLE(s)                      \
    {                                        \
        INT_TABLE(s), [BINARY_MOD] = mod_##s \
    }
#define UNSIGNED_TABLE(s)                                                      \
    {                                                                          \
        INT_TABLE(s), [BINARY_MOD] = fmod_##s, [BINARY_SHIFT_LEFT] = left_##s, \
                      [BINARY_SHIFT_RIGHT] = right_##s                         \
    }

static binary_row *const TABLE[DT_COUNT][BINARY_COUNT] = {
    [DT_FLOAT] = {COMMON_TABLE(f32)},
    [DT_DOUBLE] = {COMMON_TABLE(f64)},
    [DT_INT8] = SIGNED_TABLE(i8),
    [DT_INT16] = SIGNED_TABLE(i16),
    [DT_INT32] = SIGNED_TABLE(i32),
    [DT_INT64] = SIGNED_TABLE(i64),
    [DT_UINT8] = UNSIGNED_TABLE(u8),
    [DT_UINT16] = UNSIGNED_TABLE(u16),
    [DT_UINT32] = UNSIGNED_TABLE(u32),
    [DT_UINT64] = UNSIGNED_TABLE(u64),
    [DT_BOOL] = {[BINARY_AND] = and_bool,
                 [BINARY_OR] = or_bool,
                 [BINARY_XOR] = xor_bool,
                 [BINARY_EQUAL] = equal_bool},
};

binary_row *binary_row_of(enum binary_op op, enum dtype t)
{
    return dtype_valid((int)t) && op < BINARY_COUNT ? TABLE[t][op] : NULL;
}

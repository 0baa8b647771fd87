/* Number formats and checked arithmetic. Every conversion is exact or rounds once, to nearest even,
 * on the raw bits: no CPU conversion instruction, so the same bits on every machine. */
#ifndef BASE_NUM_H
#define BASE_NUM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

/* Product of non-negative dims; false on overflow past INT64_MAX or on a negative one. The empty
 * product is 1. */
bool num_product(const int64_t *dims, int rank, int64_t *product);

/* Small floats as bits. From float: round to nearest even. saturate: out-of-range becomes the
 * largest finite value instead of NaN/Inf (ONNX Cast/QuantizeLinear `saturate`, float8 only).
 * Formats: IEEE binary16; bfloat16 = high half of binary32; float8 as in arXiv 2209.05433 (E4M3FN,
 * E5M2) and arXiv 2206.02915 (FNUZ); E2M1 and E8M0 as in OCP MX v1.0. E2M1
 * always saturates and turns a NaN, for which it has no code, into -0, as the conformance cases of
 * ONNX 1.22 want. */
float num_from_f16(uint16_t h);
uint16_t num_to_f16(float f);
float num_from_bf16(uint16_t h);
uint16_t num_to_bf16(float f);
uint16_t num_double_to_f16(double d); /* one rounding from double */
uint16_t num_double_to_bf16(double d);
float num_from_f8(enum dtype t, uint8_t bits); /* any of the float8 types and FLOAT8E8M0 */
uint8_t num_to_f8(enum dtype t, float f, bool saturate);
float num_from_f4(uint8_t nibble);
uint8_t num_to_f4(float f);

/* The same from double, still with one rounding. num_to_f8 and num_double_to_f8 round E8M0 up, the
 * default of ONNX Cast-24. */
uint8_t num_double_to_f8(enum dtype t, double d, bool saturate);
uint8_t num_double_to_f4(double d);

/* E8M0 = 2^(code - 127), 0xFF NaN. The sign is dropped. saturate: what is below 2^-127 becomes
 * that, what is past 2^127 and infinities become 2^127; else all of these give NaN. NEAREST takes
 * 1.5 * 2^e up (ONNX Cast-24, round_mode). */
enum e8m0_mode { E8M0_UP, E8M0_DOWN, E8M0_NEAREST };
uint8_t num_double_to_e8m0(double d, enum e8m0_mode mode, bool saturate);

/* float to integer only through these. Ties as named; NaN gives 0; the result saturates to the
 * int64 range. */
int64_t num_round_even(double x);
int64_t num_round_away(double x);
int64_t num_round_up(double x); /* half up: floor(x + 1/2) computed exactly */
int64_t num_floor(double x);
int64_t num_trunc(double x);
int64_t num_clamp(int64_t x, int64_t low, int64_t high);

/* Element access in packed raw data, any alignment, any dtype but string/complex. Integers and bool
 * convert exactly to double up to 2^53; use the int64 form for 64-bit integers. */
double num_get(const void *data, enum dtype t, int64_t index);
int64_t num_get_int(const void *data, enum dtype t,
                    int64_t index); /* floats truncate toward zero */
void num_set(void *data, enum dtype t, int64_t index,
             double value); /* floats: one rounding; integers: half even, saturate */
void num_set_int(void *data, enum dtype t, int64_t index,
                 int64_t value); /* wraps modulo 2^bits, as ONNX Cast between integers */

/* Shortest decimal text that reads back to the same value ("0.1", "1e-05", "3.0" as "3"); NaN ->
 * "nan", Inf -> "inf". buffer of NUM_TEXT bytes; returns its length. No locale. */
enum { NUM_TEXT = 32 };
int num_text_f32(char *buffer, float value);
int num_text_f64(char *buffer, double value);
#endif

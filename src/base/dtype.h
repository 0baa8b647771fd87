/* Element types. The numbers are those of ONNX TensorProto.DataType (onnx.proto, IR 13), so they
 * can be stored as they are. */
#ifndef BASE_DTYPE_H
#define BASE_DTYPE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype {
    DT_UNDEFINED = 0,
    DT_FLOAT = 1,
    DT_UINT8 = 2,
    DT_INT8 = 3,
    DT_UINT16 = 4,
    DT_INT16 = 5,
    DT_INT32 = 6,
    DT_INT64 = 7,
    DT_STRING = 8,
    DT_BOOL = 9,
    DT_FLOAT16 = 10,
    DT_DOUBLE = 11,
    DT_UINT32 = 12,
    DT_UINT64 = 13,
    DT_COMPLEX64 = 14,
    DT_COMPLEX128 = 15,
    DT_BFLOAT16 = 16,
    DT_FLOAT8E4M3FN = 17,
    DT_FLOAT8E4M3FNUZ = 18,
    DT_FLOAT8E5M2 = 19,
    DT_FLOAT8E5M2FNUZ = 20,
    DT_UINT4 = 21,
    DT_INT4 = 22,
    DT_FLOAT4E2M1 = 23,
    DT_FLOAT8E8M0 = 24,
    DT_UINT2 = 25,
    DT_INT2 = 26,
    DT_COUNT
};

bool dtype_valid(int number); /* 1..26 */
const char *
dtype_name(enum dtype t); /* "float", "int8", "float8e4m3fn", ... as onnx.proto, lower case */
enum dtype
dtype_find(const char *name); /* DT_UNDEFINED when unknown; numpy spellings too (float32, f32) */
int dtype_bits(enum dtype t); /* bits of one element; 0 for string */
bool dtype_is_float(enum dtype t);  /* float 64/32/16, bfloat16, float8*, float4 */
bool dtype_is_int(enum dtype t);    /* signed and unsigned 2..64; not bool */
bool dtype_is_signed(enum dtype t); /* signed integers only */
int64_t dtype_min(enum dtype t);    /* smallest integer; integers and bool only */
int64_t dtype_max(enum dtype t);    /* largest integer; uint64 saturates to INT64_MAX */

/* Bytes that hold count elements, packed types rounded up to a byte (4-bit: two to a byte, low
 * nibble first; 2-bit: four). false when the product overflows or count < 0. String gives 0. */
bool dtype_bytes(enum dtype t, int64_t count, size_t *bytes);
#endif

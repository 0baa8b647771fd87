/* One row per element type. */
#include "base/dtype.h"

#include <string.h>

struct row {
    const char *name, *alias;
    int bits;
    char kind; /* f float, i signed, u unsigned, b bool, s string, c complex */
};

static const struct row ROWS[DT_COUNT] = {
    [DT_UNDEFINED] = {"undefined", "", 0, '?'},
    [DT_FLOAT] = {"float", "float32", 32, 'f'},
    [DT_UINT8] = {"uint8", "u8", 8, 'u'},
    [DT_INT8] = {"int8", "i8", 8, 'i'},
    [DT_UINT16] = {"uint16", "u16", 16, 'u'},
    [DT_INT16] = {"int16", "i16", 16, 'i'},
    [DT_INT32] = {"int32", "i32", 32, 'i'},
    [DT_INT64] = {"int64", "i64", 64, 'i'},
    [DT_STRING] = {"string", "str", 0, 's'},
    [DT_BOOL] = {"bool", "boolean", 8, 'b'},
    [DT_FLOAT16] = {"float16", "f16", 16, 'f'},
    [DT_DOUBLE] = {"double", "float64", 64, 'f'},
    [DT_UINT32] = {"uint32", "u32", 32, 'u'},
    [DT_UINT64] = {"uint64", "u64", 64, 'u'},
    [DT_COMPLEX64] = {"complex64", "c64", 64, 'c'},
    [DT_COMPLEX128] = {"complex128", "c128", 128, 'c'},
    [DT_BFLOAT16] = {"bfloat16", "bf16", 16, 'f'},
    [DT_FLOAT8E4M3FN] = {"float8e4m3fn", "f8e4m3fn", 8, 'f'},
    [DT_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", "f8e4m3fnuz", 8, 'f'},
    [DT_FLOAT8E5M2] = {"float8e5m2", "f8e5m2", 8, 'f'},
    [DT_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", "f8e5m2fnuz", 8, 'f'},
    [DT_UINT4] = {"uint4", "u4", 4, 'u'},
    [DT_INT4] = {"int4", "i4", 4, 'i'},
    [DT_FLOAT4E2M1] = {"float4e2m1", "f4e2m1", 4, 'f'},
    [DT_FLOAT8E8M0] = {"float8e8m0", "f8e8m0", 8, 'f'},
    [DT_UINT2] = {"uint2", "u2", 2, 'u'},
    [DT_INT2] = {"int2", "i2", 2, 'i'},
};

static const struct row *row(enum dtype t) { return &ROWS[dtype_valid((int)t) ? t : DT_UNDEFINED]; }

bool dtype_valid(int number) { return number > DT_UNDEFINED && number < DT_COUNT; }
const char *dtype_name(enum dtype t) { return row(t)->name; }
int dtype_bits(enum dtype t) { return row(t)->bits; }
bool dtype_is_float(enum dtype t) { return row(t)->kind == 'f'; }
bool dtype_is_int(enum dtype t) { return row(t)->kind == 'i' || row(t)->kind == 'u'; }
bool dtype_is_signed(enum dtype t) { return row(t)->kind == 'i'; }

enum dtype dtype_find(const char *name)
{
    for (int t = DT_FLOAT; t < DT_COUNT; t++)
        if (!strcmp(ROWS[t].name, name) || !strcmp(ROWS[t].alias, name))
            return (enum dtype)t;
    return !strcmp(name, "f32") ? DT_FLOAT : !strcmp(name, "f64") ? DT_DOUBLE : DT_UNDEFINED;
}

int64_t dtype_min(enum dtype t)
{
    if (row(t)->kind != 'i')
        return 0;
    return row(t)->bits == 64 ? INT64_MIN : -((int64_t)1 << (row(t)->bits - 1));
}

int64_t dtype_max(enum dtype t)
{
    const struct row *r = row(t);
    if (r->kind == 'b')
        return 1;
    int bits = r->kind == 'i' ? r->bits - 1 : r->bits;
    return bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
}

bool dtype_bytes(enum dtype t, int64_t count, size_t *bytes)
{
    uint64_t bits;
    if (count < 0 || __builtin_mul_overflow((uint64_t)count, (uint64_t)row(t)->bits, &bits) ||
        bits > UINT64_MAX - 7)
        return false;
    uint64_t whole = (bits + 7) / 8;
    *bytes = (size_t)whole;
    return whole <= SIZE_MAX / 2;
}

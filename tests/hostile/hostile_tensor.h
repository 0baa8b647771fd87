/* Tensors whose type, dims and data contradict each other, dense and sparse. */
#ifndef TESTS_HOSTILE_TENSOR_H
#define TESTS_HOSTILE_TENSOR_H
#include "hostile.h"

static void dims(struct out *f, int rank, const uint64_t *d, size_t bytes)
{
    struct out t = {0};
    for (int i = 0; i < rank; i++)
        out_number(&t, 1, d[i]);
    out_number(&t, 2, 1);
    out_text(&t, 8, "w");
    raw(&t, bytes);
    with_tensor(f, &t);
}
static void negative(struct out *f) { dims(f, 1, (const uint64_t[]){UINT64_MAX}, 16); }
static void huge(struct out *f) { dims(f, 2, (const uint64_t[]){(uint64_t)1 << 62, 8}, 16); }
static void wraps(struct out *f)
{
    dims(f, 3, (const uint64_t[]){(uint64_t)1 << 32, (uint64_t)1 << 32, 4}, 16);
}
static void petabyte(struct out *f) { dims(f, 1, (const uint64_t[]){(uint64_t)1 << 48}, 16); }
static void short_raw(struct out *f) { dims(f, 1, (const uint64_t[]){4}, 15); }
static void long_raw(struct out *f) { dims(f, 1, (const uint64_t[]){4}, 17); }
static void no_data(struct out *f) { dims(f, 1, (const uint64_t[]){4}, 0); }
static void scalar(struct out *f) { dims(f, 0, NULL, 4); }
static void zero(struct out *f) { dims(f, 2, (const uint64_t[]){0, 5}, 0); }

static void rank_2000(struct out *f)
{
    uint64_t ones[2000];
    for (int i = 0; i < 2000; i++)
        ones[i] = 1;
    dims(f, 2000, ones, 4);
}

static void type_rank_2000(struct out *f)
{
    struct out shape = {0}, tensor = {0}, type = {0}, info = {0}, g = {0};
    for (int i = 0; i < 2000; i++)
        out_bytes(&shape, 1, "", 0);
    out_message(&tensor, 2, &shape);
    out_message(&type, 1, &tensor);
    out_text(&info, 1, "z");
    out_message(&info, 2, &type);
    sound(&g);
    out_message(&g, 11, &info);
    whole(f, &g);
}

static void typed(struct out *f, uint64_t type, unsigned field, const char *data, size_t size)
{
    struct out t = {0};
    out_number(&t, 1, 4);
    out_number(&t, 2, type);
    out_text(&t, 8, "w");
    out_bytes(&t, field, data, size);
    with_tensor(f, &t);
}
static void few_floats(struct out *f) { typed(f, 1, 4, "123456789012", 12); }
static void wrong_field(struct out *f) { typed(f, 1, 5, "\1\2\3\4", 4); }
static void dtype_99(struct out *f) { typed(f, 99, 9, "1234", 4); }
static void dtype_none(struct out *f) { typed(f, 0, 9, "1234", 4); }
static void strings_raw(struct out *f) { typed(f, 8, 9, "1234", 4); }
static void out_of_range(struct out *f) { typed(f, 2, 5, "\xac\x02\1\2\3", 5); } /* 300 as uint8 */
static void packed_ints(struct out *f)
{
    typed(f, 3, 5, "\1\2\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13);
}

static void unpacked(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    for (int i = 0; i < 4; i++) {
        out_tag(&t, 4, 5);
        out_put(&t, "\0\0\x80?", 4);
    }
    with_tensor(f, &t);
}

static void both(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    raw(&t, 16);
    out_bytes(&t, 4, "1234567890123456", 16);
    with_tensor(f, &t);
}

static void two_typed(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    out_bytes(&t, 4, "1234567890123456", 16);
    out_bytes(&t, 7, "\1\2\3\4", 4);
    with_tensor(f, &t);
}

static void segment(struct out *f)
{
    struct out t = {0}, s = {0};
    tensor_start(&t, 4);
    out_number(&s, 1, 0);
    out_number(&s, 2, 4);
    out_message(&t, 3, &s);
    raw(&t, 16);
    with_tensor(f, &t);
}

static void name_twice(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    out_text(&t, 8, "v");
    raw(&t, 16);
    with_tensor(f, &t);
}

static void nonfinite(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    out_bytes(&t, 9, "\0\0\xc0\x7f\0\0\x80\x7f\0\0\0\0\0\0\0\0", 16);
    with_tensor(f, &t);
}

/* ---- sparse: values [n] float, indices [n] int64 ---- */

static void sparse(struct out *f, int n_values, const uint64_t *indices, int n, uint64_t dim)
{
    struct out values = {0}, index = {0}, s = {0}, g = {0};
    out_number(&values, 1, (uint64_t)n_values);
    out_number(&values, 2, 1);
    out_text(&values, 8, "s");
    raw(&values, (size_t)n_values * 4);
    out_number(&index, 1, (uint64_t)n);
    out_number(&index, 2, 7);
    for (int i = 0; i < n; i++)
        out_number(&index, 7, indices[i]);
    out_message(&s, 1, &values);
    out_message(&s, 2, &index);
    out_number(&s, 3, dim);
    sound(&g);
    out_message(&g, 15, &s);
    whole(f, &g);
}
static void sparse_good(struct out *f) { sparse(f, 2, (const uint64_t[]){1, 7}, 2, 8); }
static void sparse_outside(struct out *f) { sparse(f, 2, (const uint64_t[]){1, 8}, 2, 8); }
static void sparse_negative(struct out *f)
{
    sparse(f, 2, (const uint64_t[]){UINT64_MAX, 1}, 2, 8);
}
static void sparse_unsorted(struct out *f) { sparse(f, 2, (const uint64_t[]){7, 1}, 2, 8); }
static void sparse_repeated(struct out *f) { sparse(f, 2, (const uint64_t[]){7, 7}, 2, 8); }
static void sparse_unequal(struct out *f) { sparse(f, 3, (const uint64_t[]){1, 7}, 2, 8); }
static void sparse_dims(struct out *f) { sparse(f, 2, (const uint64_t[]){1, 7}, 2, UINT64_MAX); }

static void sparse_empty(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_bytes(&g, 15, "", 0);
    whole(f, &g);
}

static const struct hostile HOSTILE_TENSOR[] = {
    {"dim-negative", "refuse E0118", "", "A4: a dim of -1", negative},
    {"dims-huge", "refuse E0119", "", "A1 onnx PR 8277: dims that multiply past 2^63", huge},
    {"dims-wrap", "refuse E0119", "", "A4: dims that wrap to a small product", wraps},
    {"dims-petabyte", "refuse E0120", "", "A4: a petabyte of floats in 16 bytes", petabyte},
    {"raw-short", "refuse E0120", "", "A1 onnx PR 8109: raw_data a byte short", short_raw},
    {"raw-long", "refuse E0120", "", "A4: raw_data a byte long", long_raw},
    {"no-data", "refuse E0120", "", "A4: dims without data", no_data},
    {"rank-0", "accept", "", "a scalar", scalar},
    {"dim-zero", "accept", "", "A4: an empty tensor is legal", zero},
    {"rank-2000", "refuse E0117", "", "A1 onnx PR 8321: rank cap", rank_2000},
    {"type-rank-2000", "refuse E0117", "", "A1 onnx PR 8321: rank cap of a type", type_rank_2000},
    {"few-floats", "refuse E0120", "", "A4: float_data of three for dims of four", few_floats},
    {"wrong-field", "refuse E0121", "", "A4: floats in int32_data", wrong_field},
    {"dtype-99", "refuse E0116", "", "A3: data_type 99", dtype_99},
    {"dtype-none", "refuse E0116", "", "A3: data_type 0", dtype_none},
    {"strings-raw", "refuse E0120", "", "strings as raw_data", strings_raw},
    {"out-of-range", "warn E0214", "", "300 in a uint8 tensor", out_of_range},
    {"packed-ints", "accept", "", "A3: packed int32_data, a negative one", packed_ints},
    {"unpacked-floats", "accept", "", "A3: unpacked float_data", unpacked},
    {"raw-and-typed", "refuse E0122", "", "A4: raw_data and float_data", both},
    {"two-typed", "refuse E0122", "", "A4: float_data and int64_data", two_typed},
    {"segment", "refuse E0123", "", "a segmented tensor", segment},
    {"tensor-name-twice", "refuse E0111", "", "two names: scanners and runtimes differ",
     name_twice},
    {"nonfinite", "warn E1510", "", "A4: NaN and infinity in a weight", nonfinite},
    {"sparse-good", "accept", "", "A4: a sparse initializer", sparse_good},
    {"sparse-outside", "refuse E0124", "", "A4: a sparse index at the size", sparse_outside},
    {"sparse-negative", "refuse E0124", "", "A4: a negative sparse index", sparse_negative},
    {"sparse-unsorted", "refuse E0124", "", "A4: sparse indices out of order", sparse_unsorted},
    {"sparse-repeated", "refuse E0124", "", "A4: a sparse index twice", sparse_repeated},
    {"sparse-unequal", "refuse E0124", "", "A4: more sparse values than indices", sparse_unequal},
    {"sparse-dims", "refuse E0124", "", "A4: a negative dense dim", sparse_dims},
    {"sparse-empty", "refuse E0124", "", "A4: a sparse tensor of nothing", sparse_empty},
    {0}};
#endif

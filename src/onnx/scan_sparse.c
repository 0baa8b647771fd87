/* Sparse tensors: values [nnz], indices int64 [nnz] (linear) or [nnz, rank], dims of the dense
 * tensor; indices in ascending order without repetition (SparseTensorProto, onnx.proto of
 * release 1.22). Index lists that lie in an external file are checked for their shape only: nothing
 * here executes sparse tensors. */
#include <string.h>

#include "base/num.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"
#include "onnx/wire.h"

struct sparse {
    struct span message;
    struct tensor_proto *values, *indices;
    int32_t rank;
    int64_t dims[TENSOR_MAX_RANK];
    int64_t count;
};

/* Index entries one after the other, from raw_data or int64_data in any packing. */
struct reader {
    struct wire message, packed;
    struct span raw;
};

static bool next_index(struct reader *r, int64_t *index)
{
    uint64_t bits = 0;
    struct field f;
    if (r->raw.size >= sizeof *index) {
        memcpy(index, r->raw.data,
               sizeof *index); /* little-endian, as every machine this is built for */
        r->raw = (struct span){r->raw.data + sizeof *index, r->raw.size - sizeof *index};
        return true;
    }
    while (r->packed.at == r->packed.end) {
        if (wire_next(&r->message, &f) != WIRE_FIELD)
            return false;
        if (f.number != INT64_DATA)
            continue;
        if (f.type == WIRE_VARINT) {
            *index = (int64_t)f.value;
            return true;
        }
        r->packed = wire_of(f.payload);
    }
    bool good = wire_varint(&r->packed, &bits) == WIRE_FIELD;
    *index = (int64_t)bits;
    return good;
}

/* One coordinate list as a linear index; -1 when it lies outside. */
static int64_t linear(const struct sparse *x, struct reader *r)
{
    int64_t at = 0, index;
    if (x->indices->rank == 1)
        return next_index(r, &index) && index >= 0 && index < x->count ? index : -1;
    for (int i = 0; i < x->rank; i++) {
        if (!next_index(r, &index) || index < 0 || index >= x->dims[i])
            return -1;
        at = at * x->dims[i] + index; /* below count, which fits */
    }
    return at;
}

static int check_indices(const struct scan *s, const struct sparse *x)
{
    int64_t before = -1, nnz = x->values->dims[0];
    struct reader r = {.message = wire_of(x->indices->message), .raw = x->indices->raw};
    for (int64_t i = 0; i < nnz && !x->indices->external; i++) {
        int64_t at = linear(x, &r);
        if (at <= before)
            return scan_fail(s, E_SCAN_SPARSE, x->message.data,
                             "index %lld of a sparse tensor is %s", (long long)i,
                             at < 0 ? "outside its dims" : "not above the one before");
        before = at;
    }
    return 0;
}

static int read_dims(struct sparse *x)
{
    struct wire w = wire_of(x->message);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != 3)
            continue;
        struct wire list = wire_of(f.payload);
        uint64_t dim = f.value;
        do {
            if (f.type == WIRE_BYTES && wire_varint(&list, &dim) != WIRE_FIELD)
                break;
            if (x->rank == TENSOR_MAX_RANK)
                return -1;
            x->dims[x->rank++] = (int64_t)dim;
        } while (list.at < list.end);
    }
    return num_product(x->dims, x->rank, &x->count) ? 0 : -1;
}

static bool shapes_fit(const struct sparse *x)
{
    const struct tensor_proto *v = x->values, *i = x->indices;
    if (v->rank != 1 || i->dtype != DT_INT64 || i->rank < 1 || i->rank > 2 ||
        i->dims[0] != v->dims[0])
        return false;
    return v->dims[0] <= x->count && (i->rank == 1 || i->dims[1] == x->rank);
}

static int check(const struct scan *s, struct sparse *x)
{
    struct field values, indices;
    if (!wire_find(x->message, 1, &values) || !wire_find(x->message, 2, &indices))
        return scan_fail(s, E_SCAN_SPARSE, x->message.data,
                         "a sparse tensor lacks its values or indices");
    if (read_dims(x) || tensor_proto_read(x->values, values.payload) ||
        tensor_proto_read(x->indices, indices.payload))
        return scan_fail(s, E_SCAN_SPARSE, x->message.data,
                         "the dims of a sparse tensor are negative or too many");
    if (!shapes_fit(x))
        return scan_fail(s, E_SCAN_SPARSE, x->message.data,
                         "values, indices and dims of a sparse tensor do not fit");
    return check_indices(s, x);
}

int scan_sparse(struct scan *s, struct span message)
{
    struct sparse *x = mem_alloc(sizeof *x);
    x->message = message;
    x->values = mem_alloc(sizeof *x->values);
    x->indices = mem_alloc(sizeof *x->indices);
    int code = check(s, x);
    mem_free(x->values);
    mem_free(x->indices);
    mem_free(x);
    return code;
}

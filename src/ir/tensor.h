/* Constant data and run-time data: element type, dims, bytes.
 *
 * Bytes are little-endian, row-major, packed (4-bit: two to a byte, low nibble first; 2-bit: four
 * to a byte). `data` may point into a mapped file at ANY alignment: read through num_get/memcpy, or
 * ask tensor_aligned(). A tensor whose bytes are not there yet is a recipe (tensor->recipe):
 * tensor_bytes_of() materialises it. Strings stand in `strings`; data is NULL for them.
 */
#ifndef IR_TENSOR_H
#define IR_TENSOR_H
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/dtype.h"
#include "base/span.h"

enum { TENSOR_MAX_RANK = 1024 }; /* upstream's cap for materialised ranks (onnx PR 8321) */

/* A weight that is computed from another one when it is needed, one tensor at a time:
 *   y = round_to_dtype(permute(x) * scale[c] + addend[c]),  c = index along axis of y (after the
 * permutation); the arithmetic is float64 with one rounding at the end. scale/addend NULL: 1 and 0.
 * n is the length of scale and addend: dims[axis], or 1. perm NULL: identity, else perm[i] = source
 * axis of axis i. quantizes, for integer dtypes: y = saturate(rint(permute(x) / scale[c]) +
 * addend[c]) instead, ties to even, addend whole numbers (ONNX QuantizeLinear in exact arithmetic). */
struct recipe {
    const struct tensor *source;
    int32_t axis;
    int64_t n;
    const double *scale, *addend;
    const int32_t *perm;
    bool quantizes;
};

struct tensor {
    enum dtype dtype;
    int32_t rank;
    const int64_t *dims;        /* rank entries */
    int64_t count;              /* product of dims */
    size_t bytes;               /* packed size; 0 for strings */
    const void *data;           /* NULL: strings, recipe, or empty */
    const struct span *strings; /* count entries when dtype is DT_STRING */
    const struct recipe *recipe;
    struct span origin; /* the serialized TensorProto it was read from, without external data; size
                           0: made by us */
    const struct extent
        *extent; /* its bytes in a file, when they lie in one as raw bytes; NULL else */
};

/* A run of bytes in an open file, so that a writer can copy it file to file. */
struct extent {
    const struct mapped_file *file;
    uint64_t offset, size;
    bool external; /* external data of the model, as opposed to the model file itself */
};

/* A tensor in the arena with zeroed data (NULL data when count is 0). dims are copied. NULL when
 * the size overflows. */
struct tensor *tensor_new(struct arena *a, enum dtype dtype, int rank, const int64_t *dims);
/* The same around bytes that somebody else keeps alive. */
struct tensor *tensor_view(struct arena *a, enum dtype dtype, int rank, const int64_t *dims,
                           const void *data);
struct tensor *tensor_scalar(struct arena *a, enum dtype dtype, double value);
struct tensor *tensor_ints(struct arena *a, const int64_t *values,
                           int64_t count); /* rank 1, int64 */
void *tensor_writable(struct tensor *t);   /* data of a tensor made by tensor_new */

/* The packed bytes, materialising a recipe into `scratch`. NULL when memory is refused. */
const void *tensor_bytes_of(const struct tensor *t, struct arena *scratch);
/* The same, aligned for its element type (copied into scratch when the mapping is not). */
const void *tensor_aligned(const struct tensor *t, struct arena *scratch);

double tensor_get(
    const struct tensor *t,
    int64_t index); /* not for strings; materialises nothing: recipes are computed per element */
int64_t tensor_get_int(const struct tensor *t, int64_t index);
bool tensor_is_int_list(
    const struct tensor *t); /* rank <= 1, int32 or int64, at most 1024 elements */
bool tensor_all_equal(const struct tensor *t,
                      double value); /* every element equals value exactly; false for strings */
bool tensor_same(const struct tensor *a,
                 const struct tensor *b);     /* dtype, dims and bytes (NaN bits included) equal */
uint64_t tensor_hash(const struct tensor *t); /* of dtype, dims and bytes */
#endif

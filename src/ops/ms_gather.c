/* com.microsoft GatherBlockQuantized: rows of a table kept in few bits, with a scale and a zero point per block along one axis
 * (onnxruntime docs/ContribOperators.md).
 *
 * Inputs: data, indices, scales, zero_points. Typed 4-bit data has one element per code; uint8 data packs 8 / bits codes along the last axis,
 * low bits first, which then is the quantized one. Scales have data's dims with ceil(n / block_size) along quantize_axis.
 */
#include "base/num.h"
#include "ops/adapt.h"

/* Codes in an element of data. */
static int64_t packing(const struct node *n, enum dtype t)
{
    int64_t bits = node_int(n, "bits", 4);
    return t == DT_UINT8 && (bits == 2 || bits == 4 || bits == 8) ? 8 / bits : 1;
}

int infer_gather_block_quantized(struct infer *c)
{
    int rank = infer_rank(c, 0), index_rank = infer_rank(c, 1), axis, quantize;
    int64_t bits = node_int(c->node, "bits", 4), per = packing(c->node, infer_dtype(c, 0));
    if (rank < 0 || index_rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 2));
    if (bits != 2 && bits != 4 && bits != 8)
        return infer_fail(c, "%lld bits", (long long)bits);
    int rc = infer_axis(c, node_int(c->node, "gather_axis", 0), rank, &axis), n = 0;
    rc = rc ? rc : infer_axis(c, node_int(c->node, "quantize_axis", 1), rank, &quantize);
    if (!rc && per > 1 && (quantize != rank - 1 || axis == rank - 1))
        rc = infer_fail(
            c,
            "codes packed in bytes are quantized along the last axis and gathered along another");
    dim_t *dims = infer_room(c, rank + index_rank);
    for (int i = 0; !rc && i < rank; i++) {
        for (int k = 0; i == axis && k < index_rank; k++)
            dims[n++] = infer_dim(c, 1, k);
        if (i != axis)
            dims[n++] = i == rank - 1 ? dim_mul(c->dims, infer_dim(c, 0, i), infer_int(c, per))
                                      : infer_dim(c, 0, i);
    }
    if (!rc)
        infer_out(c, 0, infer_dtype(c, 2), n, dims);
    return rc;
}

/* Code `at` of a row-major tensor whose last axis holds `per` codes to an element. */
static int64_t code_at(const struct tensor *t, int64_t at, int64_t per)
{
    if (per == 1)
        return num_get_int(t->data, t->dtype, at);
    int bits = (int)(8 / per);
    return ((const uint8_t *)t->data)[at / per] >> (at % per * bits) & ((1 << bits) - 1);
}

/* data as [.., n, inner] along the quantized axis, in codes. */
struct table {
    const struct tensor *data, *scale, *zero;
    int64_t per, block, n, inner, blocks, middle;
};

static float value_at(const struct table *t, int64_t at)
{
    int64_t row = at / (t->n * t->inner), k = at / t->inner % t->n / t->block, z = t->middle,
            place = (row * t->blocks + k) * t->inner + at % t->inner;
    if (t->zero) { /* packed rows begin at a byte */
        int64_t wide = (t->blocks + t->per - 1) / t->per * t->per;
        z = code_at(t->zero, t->per > 1 ? row * wide + k : place, t->per);
    }
    return (float)(code_at(t->data, at, t->per) - z) * (float)tensor_get(t->scale, place);
}

static int read_table(struct eval *e, struct table *t)
{
    const struct tensor *data = e->in[0];
    int axis = (int)eval_axis(e, "quantize_axis", 1, data->rank);
    struct axis_split s = split_axis(data, axis);
    *t = (struct table){.data = data, .scale = e->in[2], .zero = has_in(e, 3) ? e->in[3] : NULL};
    t->per = packing(e->node, data->dtype);
    t->block = node_int(e->node, "block_size", 128);
    t->middle = data->dtype == DT_UINT8 ? (int64_t)1 << (8 / t->per - 1) : 0;
    t->n = s.n * t->per;
    t->inner = s.inner;
    if (t->block < 1 || !dtype_is_int(data->dtype))
        return eval_form(e, "%s in blocks of %lld", dtype_name(data->dtype), (long long)t->block);
    t->blocks = t->n / t->block + (t->n % t->block != 0);
    int64_t zeros =
        s.outer * (t->per > 1 ? (t->blocks + t->per - 1) / t->per : t->blocks * s.inner);
    if (t->scale->count != s.outer * t->blocks * s.inner || (t->zero && t->zero->count != zeros))
        return eval_fail(e, E_SHAPE,
                         "GatherBlockQuantized: %lld scales for %lld blocks along axis %d",
                         (long long)t->scale->count, (long long)t->blocks, axis);
    return 0;
}

int eval_gather_block_quantized(struct eval *e)
{
    const struct tensor *data = e->in[0], *index = e->in[1];
    struct axis_split g = split_axis(data, (int)eval_axis(e, "gather_axis", 0, data->rank));
    struct table t;
    int rc = read_table(e, &t);
    if (rc || !e->out[0]->count)
        return rc;
    float *y = stage_out(e, 0);
    if (!y)
        return eval_memory(e);
    int64_t width = g.inner * t.per;
    for (int64_t i = 0; i < g.outer * index->count; i++) {
        int64_t row = tensor_get_int(index, i % index->count);
        row += row < 0 ? g.n : 0;
        if (row < 0 || row >= g.n)
            return eval_status(e, KERNEL_INDEX);
        int64_t first = (i / index->count * g.n + row) * width;
        for (int64_t k = 0; k < width; k++)
            y[i * width + k] = value_at(&t, first + k);
    }
    stage_store(e, 0, y);
    return 0;
}

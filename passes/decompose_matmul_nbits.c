/* MatMulNBits becomes MatMul with the weight as floats.
 *
 * Before:  y = com.microsoft::MatMulNBits<K, N, bits, block_size>(a, packed, scales, zero points)
 * After:   y = MatMul(a, w),  w[k, n] = (q[n, k] - zero[n, block]) * scale[n, block]; then the bias
 * When:    the result may not hold the operator; packed, scales and zero points are constant, of 2, 4
 * or 8 bits, without group index and not prepacked. The weight takes its full size.
 * Numerics: LOSSY: with accuracy_level 4 the operator rounds a to 8 bits, MatMul does not.
 */
#include "base/num.h"
#include "kernels/float/qdq.h"
#include "rewrite/emit.h"

static const char MICROSOFT[] = "com.microsoft";

PASS_OPS(decompose_matmul_nbits, "com.microsoft::MatMulNBits");

static const float *floats_of(const struct tensor *t, struct arena *scratch)
{
    float *x = arena_array(scratch, (size_t)t->count + 1, sizeof *x);
    for (int64_t i = 0; i < t->count; i++)
        x[i] = (float)tensor_get(t, i);
    return x;
}

static const char *read_weight(const struct node *n, struct qdq_nbits *p, struct arena *scratch)
{
    const struct tensor *b = constant_of(node_input(n, 1)), *s = constant_of(node_input(n, 2));
    const struct tensor *z = node_input(n, 3) ? constant_of(n->inputs[3].value) : NULL;
    *p = (struct qdq_nbits){node_int(n, "N", 0),
                            node_int(n, "K", 0),
                            node_int(n, "block_size", 0),
                            (int)node_int(n, "bits", 4),
                            NULL,
                            NULL,
                            NULL,
                            NULL};
    if (!b || !s || (node_input(n, 3) && !z) || b->dtype != DT_UINT8)
        return "its weight is not constant";
    if (node_input(n, 4) || node_int(n, "weight_prepacked", 0))
        return "its weight has a group index or is prepacked";
    if ((p->bits != 2 && p->bits != 4 && p->bits != 8) || p->n < 1 || p->k < 1 ||
        p->k > INT32_MAX || p->n > INT32_MAX || p->block < 8 / p->bits || p->block > INT32_MAX)
        return "its bits, sizes or blocks are not legal";
    int64_t blocks = (p->k + p->block - 1) / p->block;
    bool bytes = z && z->dtype == DT_UINT8;
    int64_t zeros = bytes ? p->n * ((blocks * p->bits + 7) / 8) : p->n * blocks;
    if (b->count / p->n / blocks != p->block * p->bits / 8 || b->count % (p->n * blocks) ||
        s->count != p->n * blocks || (z && z->count != zeros))
        return "its bits, sizes or blocks are not legal";
    p->b = tensor_bytes_of(b, scratch);
    p->scale = floats_of(s, scratch);
    p->zero = bytes ? tensor_bytes_of(z, scratch) : NULL;
    p->float_zero = z && !bytes ? floats_of(z, scratch) : NULL;
    return NULL;
}

/* [K, N]: as MatMul reads it. */
static struct value *weight_of(struct node *n, const struct qdq_nbits *p, enum dtype dtype,
                               struct arena *scratch)
{
    struct model *m = n->graph->model;
    const int64_t dims[2] = {p->n, p->k};
    struct tensor *rows = tensor_new(scratch, DT_FLOAT, 2, dims);
    if (!rows)
        return NULL;
    qdq_nbits_rows(p, 0, p->n, tensor_writable(rows));
    struct tensor *w = tensor_new(m->arena, dtype, 2, (const int64_t[]){p->k, p->n});
    const float *x = rows->data;
    for (int64_t k = 0; k < p->k; k++)
        for (int64_t j = 0; j < p->n; j++)
            num_set(tensor_writable(w), dtype, k * p->n + j, (double)x[j * p->k + k]);
    return constant_new(n, w, node_input(n, 1));
}

int visit_decompose_matmul_nbits(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct qdq_nbits p;
    if (!decompose_due(r, n, MICROSOFT, "MatMulNBits") || !node_input(n, 2))
        return 0;
    struct arena *scratch = arena_new();
    const char *why = read_weight(n, &p, scratch);
    enum dtype t = value_dtype(n->inputs[0].value);
    if (!why && !dtype_is_float(t))
        why = "the element type of its input is not known";
    if (why) {
        pass_refused(r, n, "%s", why);
    } else {
        pass_rewrote(r, n, "became MatMul with the weight as floats");
        emit_begin(&e, r, n);
        emit_bind(&e, "a", node_input(n, 0));
        emit_bind(&e, "w", weight_of(n, &p, t, scratch));
        emit(&e, "y = MatMul(a, w)");
        if (node_input(n, 5)) {
            emit_bind(&e, "bias", node_input(n, 5));
            emit(&e, "y = Add(y, bias)");
        }
        emit_result(&e, 0, "y");
        emit_end(&e);
    }
    arena_free(scratch);
    return 0;
}

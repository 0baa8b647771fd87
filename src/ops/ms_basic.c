/* com.microsoft ExpandDims and MatMulInteger16 (onnxruntime docs/ContribOperators.md). */
#include "kernels/float/matmul.h"
#include "ops/adapt.h"

/* X, axis int32 of one element: an axis of extent 1 is put in front of `axis`, counted from the end when negative. */
int infer_ms_expand_dims(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    const int64_t *given;
    int64_t n;
    if (rank < 0 || !infer_ints(c, 1, &given, &n))
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (n != 1)
        return infer_fail(c, "the axis has %lld elements", (long long)n);
    int rc = infer_axis(c, given[0], rank + 1, &axis);
    dim_t *dims = infer_room(c, rank + 1);
    for (int i = 0; !rc && i <= rank; i++)
        dims[i] = i == axis ? infer_int(c, 1) : infer_dim(c, 0, i < axis ? i : i - 1);
    if (!rc)
        infer_out(c, 0, infer_dtype(c, 0), rank + 1, dims);
    return rc;
}

/* 16-bit operands, sums modulo 2^32: uint32 where both are unsigned. */
static uint32_t *widened(struct eval *e, uint32_t i)
{
    const struct tensor *t = e->in[i];
    uint32_t *wide = eval_scratch(e, t->count, sizeof *wide);
    for (int64_t k = 0; wide && k < t->count; k++)
        wide[k] = (uint32_t)tensor_get_int(t, k);
    return wide;
}

int eval_ms_matmul_integer16(struct eval *e)
{
    struct matmul_params p;
    int64_t dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    if (!matmul_plan(e->in[0]->dims, e->in[0]->rank, e->in[1]->dims, e->in[1]->rank, &p, dims,
                     &rank))
        return eval_fail(e, E_SHAPE, "MatMulInteger16: the operands do not go together");
    const uint32_t *a = widened(e, 0), *b = widened(e, 1);
    if (!a || !b)
        return eval_memory(e);
    matmul_u32(&p, a, b, out_data(e, 0));
    return 0;
}

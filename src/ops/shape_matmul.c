/* Shapes and multiply-accumulate counts of the matrix products. */
#include <string.h>

#include "ops/op_impl.h"

/* ---- numpy.matmul (MatMul-1..13) ---- */

struct operand {
    int rank;
    const dim_t *dims;
};

static struct operand operand_of(struct infer *c, uint32_t i)
{
    return (struct operand){infer_rank(c, i), infer_type(c, i)->dims};
}

/* The matrix axes: of a vector the one it has and a 1 that vanishes again. */
static dim_t row_of(const struct operand *a) { return a->rank > 1 ? a->dims[a->rank - 2] : NULL; }
static dim_t inner_of_right(const struct operand *b)
{
    return b->dims[b->rank > 1 ? b->rank - 2 : 0];
}

static int matmul_out(struct infer *c, struct operand a, struct operand b, enum dtype dtype)
{
    if (a.rank < 0 || b.rank < 0)
        return infer_unknown(c, 0, dtype);
    if (a.rank == 0 || b.rank == 0)
        return infer_fail(c, "an operand is a scalar");
    int rc = infer_expect(c, a.dims[a.rank - 1], inner_of_right(&b),
                          "the inner extent of the left operand");
    struct type batch_a = {
        .kind = TYPE_TENSOR, .rank = a.rank > 2 ? a.rank - 2 : 0, .dims = a.dims};
    struct type batch_b = {
        .kind = TYPE_TENSOR, .rank = b.rank > 2 ? b.rank - 2 : 0, .dims = b.dims};
    const struct type *both[2] = {&batch_a, &batch_b};
    int rank = 0;
    dim_t *dims = infer_room(c, a.rank + b.rank);
    rc = rc ? rc : infer_broadcast(c, both, 2, &rank, dims);
    if (a.rank > 1)
        dims[rank++] = row_of(&a);
    if (b.rank > 1)
        dims[rank++] = b.dims[b.rank - 1];
    infer_out(c, 0, dtype, rank, dims);
    return rc;
}

int infer_matmul(struct infer *c)
{
    return matmul_out(c, operand_of(c, 0), operand_of(c, 1), infer_dtype(c, 0));
}

/* MatMulInteger-10, com.microsoft MatMulInteger16, DynamicQuantizeMatMul: A and B first. */
int infer_matmul_integer(struct infer *c)
{
    return matmul_out(c, operand_of(c, 0), operand_of(c, 1), DT_INT32);
}
/* com.microsoft MatMulInteger16: unsigned where both operands are. */
int infer_ms_matmul_integer16(struct infer *c)
{
    bool is_unsigned = infer_dtype(c, 0) == DT_UINT16 && infer_dtype(c, 1) == DT_UINT16;
    return matmul_out(c, operand_of(c, 0), operand_of(c, 1), is_unsigned ? DT_UINT32 : DT_INT32);
}
int infer_dynamic_quantize_matmul(struct infer *c)
{
    return matmul_out(c, operand_of(c, 0), operand_of(c, 1), infer_dtype(c, 0));
}
/* A, B, a_scale, ...: floats of the scale's type come out. */
int infer_matmul_integer_to_float(struct infer *c)
{
    return matmul_out(c, operand_of(c, 0), operand_of(c, 1), infer_dtype(c, 2));
}

/* a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero. */
int infer_qlinear_matmul(struct infer *c)
{
    return matmul_out(c, operand_of(c, 0), operand_of(c, 3), infer_dtype(c, 7));
}

/* com.microsoft FusedMatMul: transA/B swap the matrix axes; transBatchA/B move the first axis
 * before the last. */
static struct operand turned(struct infer *c, uint32_t i, bool swap, bool batch)
{
    struct operand o = operand_of(c, i);
    if (o.rank < 2)
        return o;
    dim_t *d = infer_dims_copy(c, i);
    if (batch) {
        memmove(d, d + 1, (size_t)(o.rank - 2) * sizeof *d);
        d[o.rank - 2] = o.dims[0];
    }
    if (swap) {
        dim_t last = d[o.rank - 1];
        d[o.rank - 1] = d[o.rank - 2];
        d[o.rank - 2] = last;
    }
    return (struct operand){o.rank, d};
}

int infer_fused_matmul(struct infer *c)
{
    const struct node *n = c->node;
    struct operand a =
        turned(c, 0, node_int(n, "transA", 0) != 0, node_int(n, "transBatchA", 0) != 0);
    struct operand b =
        turned(c, 1, node_int(n, "transB", 0) != 0, node_int(n, "transBatchB", 0) != 0);
    return matmul_out(c, a, b, infer_dtype(c, 0));
}

/* com.microsoft MatMulNBits: A [..., K], B packed; K and N are attributes. */
int infer_matmul_nbits(struct infer *c)
{
    int rank = infer_rank(c, 0);
    int64_t k = node_int(c->node, "K", 0), n = node_int(c->node, "N", 0),
            block = node_int(c->node, "block_size", 0);
    if (k < 1 || n < 1 || block < 16 || (block & (block - 1)))
        return infer_fail(c, "K, N and block_size are %lld, %lld, %lld", (long long)k, (long long)n,
                          (long long)block);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank == 0)
        return infer_fail(c, "A is a scalar");
    dim_t *dims = infer_dims_copy(c, 0);
    int rc = infer_expect(c, dims[rank - 1], infer_int(c, k), "the last extent of A");
    dims[rank - 1] = infer_int(c, n);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return rc;
}

/* ---- Gemm ---- */

static int gemm_out(struct infer *c, uint32_t a, uint32_t b, uint32_t bias, enum dtype dtype)
{
    bool trans_a = node_int(c->node, "transA", 0) != 0,
         trans_b = node_int(c->node, "transB", 0) != 0;
    if ((infer_rank(c, a) >= 0 && infer_rank(c, a) != 2) ||
        (infer_rank(c, b) >= 0 && infer_rank(c, b) != 2))
        return infer_fail(c, "the operands have ranks %d and %d, expected 2", infer_rank(c, a),
                          infer_rank(c, b));
    dim_t dims[2] = {infer_dim(c, a, trans_a ? 1 : 0), infer_dim(c, b, trans_b ? 0 : 1)};
    int rc = infer_expect(c, infer_dim(c, a, trans_a ? 0 : 1), infer_dim(c, b, trans_b ? 1 : 0),
                          "the inner extent of A");
    infer_out(c, 0, dtype, 2, dims);
    if (rc || infer_rank(c, bias) < 0)
        return rc;
    struct type y = {.kind = TYPE_TENSOR, .rank = 2, .dims = dims};
    const struct type *both[2] = {&y, infer_type(c, bias)};
    int rank;
    dim_t *sum = infer_room(c, infer_rank(c, bias) + 2);
    rc = infer_broadcast(c, both, 2, &rank, sum);
    for (int i = 0; !rc && i < 2 && rank == 2; i++)
        rc = infer_expect(c, sum[i], dims[i], "an extent of C");
    return rc || rank == 2 ? rc : infer_fail(c, "C has rank %d", rank);
}

int infer_gemm(struct infer *c) { return gemm_out(c, 0, 1, 2, infer_dtype(c, 0)); }

/* com.microsoft QGemm: A, a_scale, a_zero, B, b_scale, b_zero, C, y_scale, y_zero; without y_scale
 * floats come out. */
int infer_qgemm(struct infer *c)
{
    return gemm_out(c, 0, 3, 6, infer_has(c, 8) ? infer_dtype(c, 8) : DT_FLOAT);
}

int infer_det(struct infer *c)
{
    int rank = infer_rank(c, 0);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank < 2)
        return infer_fail(c, "the input has rank %d, expected at least 2", rank);
    infer_out(c, 0, infer_dtype(c, 0), rank - 2, infer_type(c, 0)->dims);
    return infer_expect(c, infer_dim(c, 0, -1), infer_dim(c, 0, -2), "the number of columns");
}

/* ---- multiply-accumulates ---- */

static int elements(const struct value *v, int64_t *total)
{
    int64_t size;
    if (!v || v->type.kind != TYPE_TENSOR || v->type.rank < 0)
        return -1;
    for (int i = 0; i < v->type.rank; i++)
        if (!value_dim(v, i, &size) || __builtin_mul_overflow(*total, size, total))
            return -1;
    return 0;
}

/* Output elements times the inner extent of the left operand. */
static int product_macs(const struct node *n, uint32_t left, int inner_axis, int64_t *macs)
{
    const struct value *a = node_input(n, left);
    int64_t inner;
    *macs = 1;
    if (!a || elements(node_output(n, 0), macs) || !value_dim(a, inner_axis, &inner))
        return -1;
    return __builtin_mul_overflow(*macs, inner, macs) ? -1 : 0;
}

int macs_matmul(const struct node *n, int64_t *macs) { return product_macs(n, 0, -1, macs); }
int macs_qlinear_matmul(const struct node *n, int64_t *macs)
{
    return product_macs(n, 0, -1, macs);
}
int macs_matmul_nbits(const struct node *n, int64_t *macs) { return product_macs(n, 0, -1, macs); }
int macs_gemm(const struct node *n, int64_t *macs)
{
    return product_macs(n, 0, node_int(n, "transA", 0) ? 0 : 1, macs);
}
int macs_qgemm(const struct node *n, int64_t *macs) { return macs_gemm(n, macs); }
int macs_fused_matmul(const struct node *n, int64_t *macs)
{
    if (node_int(n, "transBatchA", 0))
        return product_macs(n, 0, node_int(n, "transA", 0) ? 0 : -1, macs);
    return product_macs(n, 0, node_int(n, "transA", 0) ? -2 : -1, macs);
}

/* Shapes and multiply-accumulate counts of attention and its relatives (ai.onnx). */
#include "ops/op_impl.h"

/* Heads and head sizes: from the shape of a 4-D input, from the attribute of a 3-D one. */
struct heads {
    dim_t batch, heads, length, size;
};

static int read_heads(struct infer *c, uint32_t i, const char *attr, struct heads *h)
{
    int rank = infer_rank(c, i);
    int64_t count = node_int(c->node, attr, 0);
    *h = (struct heads){0};
    if (rank < 0)
        return 0;
    if (rank != 3 && rank != 4)
        return infer_fail(c, "input %u has rank %d, expected 3 or 4", i, rank);
    h->batch = infer_dim(c, i, 0);
    h->length = infer_dim(c, i, rank - 2);
    if (rank == 4) {
        h->heads = infer_dim(c, i, 1);
        h->size = infer_dim(c, i, 3);
        return 0;
    }
    if (count < 1)
        return infer_fail(c, "%s is %lld; inputs of rank 3 need it", attr, (long long)count);
    int64_t width;
    if (dim_is_const(infer_dim(c, i, 2), &width) && width % count)
        return infer_fail(c, "%lld columns do not divide into %lld heads", (long long)width,
                          (long long)count);
    h->heads = infer_int(c, count);
    h->size = dim_floordiv(c->dims, infer_dim(c, i, 2), infer_int(c, count));
    return 0;
}

/* Attention-23: Q, K, V, mask, past_key, past_value; Y, present_key, present_value, qk. */
int infer_attention(struct infer *c)
{
    struct heads q, k, v;
    int rc = read_heads(c, 0, "q_num_heads", &q), rank = infer_rank(c, 0);
    rc = rc ? rc : read_heads(c, 1, "kv_num_heads", &k);
    rc = rc ? rc : read_heads(c, 2, "kv_num_heads", &v);
    rc = rc ? rc : infer_expect(c, k.size, q.size, "the head size of K");
    rc = rc ? rc : infer_expect(c, v.length, k.length, "the length of V");
    int64_t qh, kh;
    if (!rc && dim_is_const(q.heads, &qh) && dim_is_const(k.heads, &kh) && (kh < 1 || qh % kh))
        rc = infer_fail(c, "%lld query heads for %lld key heads", (long long)qh, (long long)kh);
    if (rc)
        return rc;
    dim_t total = infer_has(c, 4) ? dim_add(c->dims, infer_dim(c, 4, 2), k.length) : k.length;
    dim_t y4[4] = {q.batch, q.heads, q.length, v.size};
    dim_t y3[3] = {q.batch, q.length, dim_mul(c->dims, q.heads, v.size)};
    infer_out(c, 0, infer_dtype(c, 0), rank < 0 ? -1 : rank, rank == 4 ? y4 : y3);
    dim_t key[4] = {q.batch, k.heads, total, k.size}, value[4] = {q.batch, v.heads, total, v.size};
    dim_t qk[4] = {q.batch, q.heads, q.length, total};
    infer_out(c, 1, infer_dtype(c, 1), 4, key);
    infer_out(c, 2, infer_dtype(c, 2), 4, value);
    infer_out(c, 3, infer_dtype(c, 0), 4, qk);
    return 0;
}

/* Each of q_len * total scores takes the head size, each output element takes total. */
int macs_attention(const struct node *n, int64_t *macs)
{
    const struct value *q = node_input(n, 0), *k = node_input(n, 1), *past = node_input(n, 4);
    int64_t batch, rows, columns, keys, before = 0, width = 1, heads = 1;
    if (!q || !k || !value_dim(q, 0, &batch) || !value_dim(q, -2, &rows) ||
        !value_dim(q, -1, &columns) || !value_dim(k, -2, &keys) ||
        (past && !value_dim(past, 2, &before)))
        return -1;
    if (q->type.rank == 4 && !value_dim(q, 1, &heads))
        return -1;
    bool over = __builtin_mul_overflow(columns, heads, &width) ||
                __builtin_mul_overflow(width, batch, &width) ||
                __builtin_mul_overflow(width, rows, &width) ||
                __builtin_mul_overflow(width, keys + before, &width) ||
                __builtin_mul_overflow(width, 2, &width);
    *macs = width;
    return over ? -1 : 0;
}

/* LinearAttention-27: query, key, value [B, T, heads * size]; present_state [B, kv_heads, dk, dv].
 */
int infer_linear_attention(struct infer *c)
{
    struct heads q, k, v;
    int rc = read_heads(c, 0, "q_num_heads", &q);
    rc = rc ? rc : read_heads(c, 1, "kv_num_heads", &k);
    rc = rc ? rc : read_heads(c, 2, "kv_num_heads", &v);
    rc = rc ? rc : infer_expect(c, k.size, q.size, "the head size of the key");
    if (rc)
        return rc;
    dim_t y[3] = {q.batch, q.length, dim_mul(c->dims, q.heads, v.size)},
          state[4] = {q.batch, k.heads, k.size, v.size};
    infer_out(c, 0, infer_dtype(c, 0), 3, y);
    infer_out(c, 1, infer_has(c, 3) ? infer_dtype(c, 3) : infer_dtype(c, 0), 4, state);
    return 0;
}

/* FlexAttention-1 (ai.onnx.preview): all of rank 4. */
int infer_flex_attention(struct infer *c)
{
    for (uint32_t i = 0; i < 3; i++)
        if (infer_rank(c, i) >= 0 && infer_rank(c, i) != 4)
            return infer_fail(c, "input %u has rank %d, expected 4", i, infer_rank(c, i));
    dim_t y[4] = {infer_dim(c, 0, 0), infer_dim(c, 0, 1), infer_dim(c, 0, 2), infer_dim(c, 2, 3)};
    infer_out(c, 0, infer_dtype(c, 0), 4, y);
    return infer_expect(c, infer_dim(c, 1, 3), infer_dim(c, 0, 3), "the head size of K");
}

/* SwiGLU-28: two tensors of one shape. */
int infer_swiglu(struct infer *c)
{
    int rank = infer_rank(c, 0);
    infer_out_like(c, 0, 0);
    if (rank < 0 || infer_rank(c, 1) < 0)
        return 0;
    if (infer_rank(c, 1) != rank)
        return infer_fail(c, "the inputs have ranks %d and %d", rank, infer_rank(c, 1));
    for (int i = 0; i < rank; i++) {
        int rc = infer_expect(c, infer_dim(c, 1, i), infer_dim(c, 0, i),
                              "an extent of the second input");
        if (rc)
            return rc;
    }
    return 0;
}

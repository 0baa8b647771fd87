/* Shapes and multiply-accumulates of com.microsoft GroupQueryAttention: see ms_gqa.c. */
#include "ops/ms_gqa.h"
#include "ops/op_impl.h"

int infer_ms_gqa(struct infer *c)
{
    int64_t heads = node_int(c->node, "num_heads", 0), kv = node_int(c->node, "kv_num_heads", 0), n;
    if (heads < 1 || kv < 1 || heads % kv)
        return infer_fail(c, "%lld query heads for %lld key heads", (long long)heads,
                          (long long)kv);
    if (infer_rank(c, QUERY) >= 0 && infer_rank(c, QUERY) != 3)
        return infer_fail(c, "the query has rank %d, expected 3", infer_rank(c, QUERY));
    bool packed = !infer_has(c, KEY);
    dim_t width = infer_dim(c, QUERY, 2);
    dim_t head = dim_floordiv(c->dims, width, infer_int(c, packed ? heads + 2 * kv : heads));
    dim_t y[3] = {infer_dim(c, QUERY, 0), infer_dim(c, QUERY, 1),
                  packed ? dim_mul(c->dims, head, infer_int(c, heads)) : width};
    infer_out(c, 0, infer_dtype(c, QUERY), 3, y);
    const dim_t *total;
    dim_t past = infer_has(c, PAST_KEY) ? infer_dim(c, PAST_KEY, 2) : infer_int(c, 0),
          length = NULL;
    if (infer_values(c, TOTAL, &total, &n) && n == 1)
        length = dim_max(c->dims, past, total[0]);
    length = length ? length : infer_fresh(c, "cache");
    dim_t cache_head =
        infer_has(c, PAST_KEY) && infer_dim(c, PAST_KEY, 3) ? infer_dim(c, PAST_KEY, 3) : head;
    dim_t cache[4] = {y[0], infer_int(c, kv), length, cache_head};
    enum dtype dtype = infer_has(c, PAST_KEY) ? infer_dtype(c, PAST_KEY) : infer_dtype(c, QUERY);
    infer_out(c, 1, dtype, 4, cache);
    infer_out(c, 2, dtype, 4, cache);
    dim_t keys = length && infer_values(c, TOTAL, &total, &n) && n == 1 ? total[0] : NULL;
    dim_t qk[4] = {y[0], infer_int(c, heads), y[1], keys ? keys : infer_fresh(c, "keys")};
    infer_out(c, 3, infer_dtype(c, QUERY), 4, qk);
    return 0;
}

/* Twice queries * keys * head size, for all heads. */
int macs_ms_gqa(const struct node *n, int64_t *macs)
{
    const struct value *y = node_output(n, 0), *present = node_output(n, 1);
    int64_t batch, rows, width, keys;
    if (!y || !present || !value_dim(y, 0, &batch) || !value_dim(y, 1, &rows) ||
        !value_dim(y, 2, &width) || !value_dim(present, 2, &keys))
        return -1;
    bool over = __builtin_mul_overflow(width, rows, &width) ||
                __builtin_mul_overflow(width, batch, &width) ||
                __builtin_mul_overflow(width, keys, &width) ||
                __builtin_mul_overflow(width, 2, macs);
    return over ? -1 : 0;
}

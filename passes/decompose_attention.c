/* Attention becomes products and a Softmax.
 *
 * Before:  y, present_key, present_value = Attention(q, k, v, mask, past_key, past_value)
 * After:   k = Concat(past_key, k), v = Concat(past_value, v); s = MatMul(q * scale, k')
 *          s = softcap * Tanh(s / softcap) + mask + causal mask;  y = MatMul(Softmax(s), v)
 * com.microsoft::MultiHeadAttention likewise, its biases added first. Heads are split off three-dimensional input;
 * fewer heads of keys than of queries are repeated.
 * When:    the result may not hold the operator; ranks and numbers of heads are known; no output of
 * scores, no windows, no lengths of valid keys, no packed or padded keys. A query that may see no key
 * comes out as the mean of the values, where the operator gives zeros. Numerics: REASSOC.
 */
#include <math.h>
#include <string.h>

#include "rewrite/emit_attention.h"

static const char MICROSOFT[] = "com.microsoft";

PASS_OPS(decompose_attention, "Attention", "com.microsoft::MultiHeadAttention");

static int64_t heads_of(const struct value *v, int64_t named)
{
    int64_t heads = 0;
    return value_rank(v) == 4 && value_dim(v, 1, &heads) ? heads : named;
}

static const char *read_onnx(const struct node *n, struct attention *p)
{
    for (uint32_t i = 0; i < ATTEND_EXTRA; i++)
        p->extra[i] = node_input(n, 3 + i);
    p->q_heads = heads_of(p->q, node_int(n, "q_num_heads", 0));
    p->kv_heads = heads_of(p->k, node_int(n, "kv_num_heads", 0));
    p->softcap = (double)node_float(n, "softcap", 0);
    p->causal = node_int(n, "is_causal", 0) != 0;
    if (node_input(n, 6) || node_int(n, "left_window_size", -1) >= 0 ||
        node_int(n, "right_window_size", -1) >= 0)
        return "it has windows or lengths of valid keys";
    return NULL;
}

static const char *read_multi_head(const struct node *n, struct attention *p)
{
    int64_t width;
    p->bias = node_input(n, 3);
    p->extra[ATTEND_MASK] = node_input(n, 5);
    p->extra[ATTEND_PAST_KEY] = node_input(n, 6);
    p->extra[ATTEND_PAST_VALUE] = node_input(n, 7);
    p->q_heads = p->kv_heads = node_int(n, "num_heads", 0);
    p->causal = node_int(n, "unidirectional", 0) != 0;
    if (node_input(n, 4) || node_input(n, 8) || node_input(n, 9))
        return "it has padded keys or a shared cache";
    if (value_rank(p->q) != 3 || value_rank(p->k) != 3 || value_rank(p->v) != 3)
        return "its operands are packed";
    return p->bias && (!value_dim(p->q, 2, &width) || !value_dim(p->v, 2, &width))
               ? "the width of its operands is not known"
               : NULL;
}

static const char *read_attention(const struct node *n, struct attention *p)
{
    *p = (struct attention){.q = node_input(n, 0), .k = node_input(n, 1), .v = node_input(n, 2)};
    if (!p->k || !p->v)
        return "its operands are packed";
    p->scale = (double)node_float(n, "scale", 0);
    const char *why = n->domain[0] ? read_multi_head(n, p) : read_onnx(n, p);
    int rank = value_rank(p->q);
    p->flat = rank == 3;
    p->boolean = p->extra[ATTEND_MASK] && value_dtype(p->extra[ATTEND_MASK]) == DT_BOOL;
    if (why)
        return why;
    if (node_output(n, 3) && node_output(n, 3)->n_uses)
        return "its scores are an output";
    if ((rank != 3 && rank != 4) || p->q_heads < 1 || p->kv_heads < 1 || p->q_heads % p->kv_heads)
        return "the number of its heads is not known";
    return value_dtype(p->q) == DT_UNDEFINED ? "the element type of its input is not known" : NULL;
}

int visit_decompose_attention(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct attention p;
    if ((!decompose_due(r, n, "", "Attention") &&
         !decompose_due(r, n, MICROSOFT, "MultiHeadAttention")) ||
        !node_input(n, 0))
        return 0;
    const char *why = read_attention(n, &p);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "q", p.q);
    emit_bind(&e, "k", p.k);
    emit_bind(&e, "v", p.v);
    emit_attention(&e, &p);
    emit_result(&e, 0, "y");
    emit_result(&e, 1, "present_key");
    emit_result(&e, 2, "present_value");
    emit_end(&e);
    return 0;
}

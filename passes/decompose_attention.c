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

#include "rewrite/emit.h"

static const char MICROSOFT[] = "com.microsoft";

PASS_OPS(decompose_attention, "Attention", "com.microsoft::MultiHeadAttention");

enum { MASK, PAST_KEY, PAST_VALUE, N_EXTRA };

struct attention {
    struct value *q, *k, *v, *bias; /* bias of the three, one behind the other; or NULL */
    struct value *extra[N_EXTRA];   /* NULL: none */
    bool flat, causal, boolean;
    int64_t q_heads, kv_heads;
    double scale, softcap; /* scale 0: 1 / sqrt(head); softcap 0: none */
};

static int64_t heads_of(const struct value *v, int64_t named)
{
    int64_t heads = 0;
    return value_rank(v) == 4 && value_dim(v, 1, &heads) ? heads : named;
}

static const char *read_onnx(const struct node *n, struct attention *p)
{
    for (uint32_t i = 0; i < N_EXTRA; i++)
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
    p->extra[MASK] = node_input(n, 5);
    p->extra[PAST_KEY] = node_input(n, 6);
    p->extra[PAST_VALUE] = node_input(n, 7);
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
    p->boolean = p->extra[MASK] && value_dtype(p->extra[MASK]) == DT_BOOL;
    if (why)
        return why;
    if (node_output(n, 3) && node_output(n, 3)->n_uses)
        return "its scores are an output";
    if ((rank != 3 && rank != 4) || p->q_heads < 1 || p->kv_heads < 1 || p->q_heads % p->kv_heads)
        return "the number of its heads is not known";
    return value_dtype(p->q) == DT_UNDEFINED ? "the element type of its input is not known" : NULL;
}

/* ---- writing ---- */

static void emit_biases(struct emit *e, const struct attention *p)
{
    int64_t q = 0, v = 0;
    if (!p->bias)
        return;
    value_dim(p->q, 2, &q);
    value_dim(p->v, 2, &v);
    emit_bind(e, "bias", p->bias);
    emit(e,
         "bq = Slice(bias, [0], [%lld]); bk = Slice(bias, [%lld], [%lld]); "
         "bv = Slice(bias, [%lld], [%lld]); q = Add(q, bq); k = Add(k, bk); v = Add(v, bv)",
         (long long)q, (long long)q, (long long)(2 * q), (long long)(2 * q),
         (long long)(2 * q + v));
}

static void emit_heads(struct emit *e, const char *name, int64_t heads)
{
    emit(e, "h = Reshape(%s, [0, 0, %lld, -1]); %s = Transpose(h){perm=[0, 2, 1, 3]}", name,
         (long long)heads, name);
}

/* [batch, kv heads, tokens, head] to as many heads as the queries have. */
static void emit_repeated(struct emit *e, const char *name, const struct attention *p)
{
    emit(e,
         "u = Unsqueeze(%s){axes=[2]}; w = Expand(u, [1, 1, %lld, 1, 1]); sh = Shape(%s); "
         "b = Slice(sh, [0], [1]); t = Slice(sh, [2], [4]); "
         "to = Concat(b, [%lld], t){axis=0}; %s = Reshape(w, to)",
         name, (long long)(p->q_heads / p->kv_heads), name, (long long)p->q_heads, name);
}

static void emit_past(struct emit *e, const struct attention *p)
{
    if (p->extra[PAST_KEY]) {
        emit_bind(e, "pk", p->extra[PAST_KEY]);
        emit(e, "k = Concat(pk, k){axis=2}");
    }
    if (p->extra[PAST_VALUE]) {
        emit_bind(e, "pv", p->extra[PAST_VALUE]);
        emit(e, "v = Concat(pv, v){axis=2}");
    }
    emit_bind(e, "present_key", emit_value(e, "k"));
    emit_bind(e, "present_value", emit_value(e, "v"));
}

static void emit_scale(struct emit *e, const struct attention *p)
{
    int64_t head;
    e->numbers[0] = p->scale;
    if (p->scale > 0 || p->scale < 0) {
        emit(e, "q = Mul(q, $0)");
    } else if (value_dim(emit_value(e, "q"), 3, &head)) {
        e->numbers[0] = 1 / sqrt((double)head);
        emit(e, "q = Mul(q, $0)");
    } else {
        emit(e,
             "qs = Shape(q); d = Gather(qs, i:3); f = Cast(d){to=%d}; r = Sqrt(f); q = Div(q, r)",
             (int)e->dtype);
    }
}

/* What cannot be seen: the most negative number, which leaves nothing of the exponential. */
static void emit_masks(struct emit *e, const struct attention *p)
{
    e->numbers[1] = e->dtype == DT_FLOAT16 ? -65504 : -3.3e38; /* inside float16, float, bfloat16 */
    if (p->extra[MASK]) {
        emit_bind(e, "m", p->extra[MASK]);
        if (p->boolean)
            emit(e, "m = Where(m, 0.0, $1)");
        emit(e, "s = Add(s, m)");
    }
    if (!p->causal)
        return;
    emit(e,
         "ss = Shape(s); ql = Gather(ss, i:2); kl = Gather(ss, i:3); rows = Range(i:0, ql, i:1); "
         "keys = Range(i:0, kl, i:1)");
    if (p->extra[PAST_KEY])
        emit(e, "ps = Shape(pk); off = Gather(ps, i:2); rows = Add(rows, off)");
    emit(e,
         "row = Unsqueeze(rows){axes=[1]}; late = Greater(keys, row); cm = Where(late, $1, 0.0); "
         "s = Add(s, cm)");
}

static void emit_attention(struct emit *e, const struct attention *p)
{
    emit_biases(e, p);
    if (p->flat) {
        emit_heads(e, "q", p->q_heads);
        emit_heads(e, "k", p->kv_heads);
        emit_heads(e, "v", p->kv_heads);
    }
    emit_past(e, p);
    if (p->kv_heads < p->q_heads) {
        emit_repeated(e, "k", p);
        emit_repeated(e, "v", p);
    }
    emit_scale(e, p);
    emit(e, "kt = Transpose(k){perm=[0, 1, 3, 2]}; s = MatMul(q, kt)");
    if (p->softcap > 0) {
        e->numbers[0] = p->softcap;
        emit(e, "c = Div(s, $0); th = Tanh(c); s = Mul(th, $0)");
    }
    emit_masks(e, p);
    emit(e, "prob = Softmax(s){axis=-1}; y = MatMul(prob, v)");
    if (p->flat)
        emit(e, "o = Transpose(y){perm=[0, 2, 1, 3]}; y = Reshape(o, [0, 0, -1])");
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

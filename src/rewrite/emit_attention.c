/* See emit_attention.h. */
#include "rewrite/emit_attention.h"

#include <math.h>

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

void emit_heads(struct emit *e, const char *name, int64_t heads)
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
    if (p->extra[ATTEND_PAST_KEY]) {
        emit_bind(e, "pk", p->extra[ATTEND_PAST_KEY]);
        emit(e, "k = Concat(pk, k){axis=2}");
    }
    if (p->extra[ATTEND_PAST_VALUE]) {
        emit_bind(e, "pv", p->extra[ATTEND_PAST_VALUE]);
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
    if (p->extra[ATTEND_MASK]) {
        emit_bind(e, "m", p->extra[ATTEND_MASK]);
        if (p->boolean)
            emit(e, "m = Where(m, 0.0, $1)");
        emit(e, "s = Add(s, m)");
    }
    if (!p->causal)
        return;
    emit(e,
         "ss = Shape(s); ql = Gather(ss, i:2); kl = Gather(ss, i:3); rows = Range(i:0, ql, i:1); "
         "keys = Range(i:0, kl, i:1)");
    if (p->extra[ATTEND_PAST_KEY])
        emit(e, "ps = Shape(pk); off = Gather(ps, i:2); rows = Add(rows, off)");
    emit(e,
         "row = Unsqueeze(rows){axes=[1]}; late = Greater(keys, row); cm = Where(late, $1, 0.0); "
         "s = Add(s, cm)");
}

void emit_attention(struct emit *e, const struct attention *p)
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

/* ---- turning ---- */

void emit_turn(struct emit *e, int64_t turned, bool interleaved)
{
    long long all = turned, half = turned / 2;
    if (interleaved)
        emit(e, "a = Slice(t, [0], [%lld], [-1], [2]); b = Slice(t, [1], [%lld], [-1], [2])", all,
             all);
    else
        emit(e, "a = Slice(t, [0], [%lld], [-1]); b = Slice(t, [%lld], [%lld], [-1])", half, half,
             all);
    emit(e, "ac = Mul(a, c); bs = Mul(b, s); re = Sub(ac, bs); as = Mul(a, s); bc = Mul(b, c); "
            "im = Add(as, bc)");
    if (interleaved)
        emit(e,
             "re = Unsqueeze(re){axes=[-1]}; im = Unsqueeze(im){axes=[-1]}; "
             "pair = Concat(re, im){axis=-1}; y = Reshape(pair, [0, 0, 0, %lld])",
             all);
    else
        emit(e, "y = Concat(re, im){axis=-1}");
}

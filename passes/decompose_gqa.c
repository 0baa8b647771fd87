/* GroupQueryAttention becomes products and a Softmax, for one sequence with a growing cache.
 *
 * Before:  y, pk', pv' = com.microsoft::GroupQueryAttention(q, k, v, pk, pv, seqlens, total, cos, sin)
 * After:   queries and keys are split into heads and turned by their positions; pk' = Concat(pk, k),
 *          pv' = Concat(pv, v); y = Softmax(q pk'' * scale + causal mask) pv'' as in emit_attention
 * When:    the result may not hold the operator; the batch is 1, so that nothing is padded, and the
 * cache has room for exactly the tokens it holds: past and present differ in length (a symbolic
 * length is taken to be that of the tokens, not of a buffer shared between calls). Sizes of heads
 * are known. No window, sink, smooth softmax, quantized cache, norms or scores.
 * Numerics: REASSOC. The operator: ContribOperators.md of ONNX Runtime.
 */
#include <string.h>

#include "rewrite/emit_attention.h"

static const char MICROSOFT[] = "com.microsoft";

PASS_OPS(decompose_gqa, "com.microsoft::GroupQueryAttention");

enum { QUERY, KEY, VALUE, PAST_KEY, PAST_VALUE, COS = 7, SIN, POSITIONS, BIAS, SINK };

struct grouped {
    struct attention core;
    int64_t head, turned; /* turned 0: no rotary embedding */
};

static bool has_extras(const struct node *n)
{
    for (uint32_t i = SINK; i < n->n_inputs; i++)
        if (n->inputs[i].value)
            return true;
    return node_int(n, "local_window_size", -1) > 0 || node_int(n, "smooth_softmax", -1) > 0 ||
           node_int(n, "sliding_window_cache", 0) ||
           !node_string_is(n, "k_quant_type", "NONE", "NONE") ||
           !node_string_is(n, "v_quant_type", "NONE", "NONE") ||
           (node_output(n, 3) && node_output(n, 3)->n_uses);
}

/* Past and present of the same length share a buffer: what it holds stands in seqlens only. */
static bool grows(const struct node *n)
{
    const struct value *past = node_input(n, PAST_KEY), *present = node_output(n, 1);
    if (!past)
        return true;
    if (value_rank(past) != 4 || value_dtype(past) != value_dtype(n->inputs[0].value))
        return false;
    return !present || value_rank(present) != 4 || present->type.dims[2] != past->type.dims[2];
}

static const char *read_grouped(const struct node *n, struct grouped *p)
{
    int64_t batch, width, half = 0;
    *p = (struct grouped){.core = {.q = node_input(n, QUERY), .causal = true}};
    p->core.q_heads = node_int(n, "num_heads", 0);
    p->core.kv_heads = node_int(n, "kv_num_heads", 0);
    if (has_extras(n))
        return "it has windows, sinks, norms, a quantized cache or scores";
    if (value_rank(p->core.q) != 3 || !value_dim(p->core.q, 0, &batch) || batch != 1)
        return "its batch is not known to be 1";
    if (!grows(n))
        return "past and present share a buffer";
    int64_t parts = p->core.q_heads + (node_input(n, KEY) ? 0 : 2 * p->core.kv_heads);
    if (p->core.q_heads < 1 || p->core.kv_heads < 1 || p->core.q_heads % p->core.kv_heads ||
        !value_dim(p->core.q, 2, &width) || width % parts)
        return "the size of its heads is not known";
    p->head = width / parts;
    if (node_int(n, "do_rotary", 0) &&
        (!node_input(n, COS) || !node_input(n, SIN) || value_rank(n->inputs[COS].value) != 2 ||
         !value_dim(n->inputs[COS].value, 1, &half)))
        return "the size of what turns is not known";
    p->turned = 2 * half;
    p->core.scale = (double)node_float(n, "scale", 0);
    p->core.softcap = (double)node_float(n, "softcap", 0);
    p->core.causal = node_int(n, "causal", 1) != 0;
    p->core.extra[ATTEND_MASK] = node_input(n, BIAS);
    p->core.extra[ATTEND_PAST_KEY] = node_input(n, PAST_KEY);
    p->core.extra[ATTEND_PAST_VALUE] = node_input(n, PAST_VALUE);
    return NULL;
}

static void emit_operands(struct emit *e, const struct node *n, const struct grouped *p)
{
    long long q = p->core.q_heads * p->head, k = p->core.kv_heads * p->head;
    emit_bind(e, "x", node_input(n, QUERY));
    if (node_input(n, KEY)) {
        emit_bind(e, "q", node_input(n, QUERY));
        emit_bind(e, "k", node_input(n, KEY));
        emit_bind(e, "v", node_input(n, VALUE));
    } else {
        emit(e,
             "q = Slice(x, [0], [%lld], [2]); k = Slice(x, [%lld], [%lld], [2]); "
             "v = Slice(x, [%lld], [%lld], [2])",
             q, q, q + k, q + k, q + 2 * k);
    }
    emit_heads(e, "q", p->core.q_heads);
    emit_heads(e, "k", p->core.kv_heads);
    emit_heads(e, "v", p->core.kv_heads);
}

static void emit_turned(struct emit *e, const struct grouped *p, const char *name, bool interleaved)
{
    long long turned = p->turned, head = p->head;
    emit_bind(e, "t", emit_value(e, name));
    if (turned < head)
        emit(e, "rest = Slice(%s, [%lld], [%lld], [3]); t = Slice(%s, [0], [%lld], [3])", name,
             turned, head, name, turned);
    emit_turn(e, turned, interleaved);
    if (turned < head)
        emit(e, "y = Concat(y, rest){axis=3}");
    emit_bind(e, name, emit_value(e, "y"));
}

/* Angles by position: those given, or the tokens counted on from the past. One sequence: [1, tokens,
 * turned / 2] goes with any head. */
static void emit_rotary(struct emit *e, const struct node *n, const struct grouped *p)
{
    emit_bind(e, "cos", node_input(n, COS));
    emit_bind(e, "sin", node_input(n, SIN));
    if (node_input(n, POSITIONS)) {
        emit_bind(e, "given", node_input(n, POSITIONS));
        emit(e, "pos = Reshape(given, [-1])");
    } else {
        emit(e, "xs = Shape(x); len = Gather(xs, i:1); pos = Range(i:0, len, i:1)");
        if (p->core.extra[ATTEND_PAST_KEY]) {
            emit_bind(e, "past", p->core.extra[ATTEND_PAST_KEY]);
            emit(e, "pks = Shape(past); off = Gather(pks, i:2); pos = Add(pos, off)");
        }
    }
    emit(e, "c = Gather(cos, pos); s = Gather(sin, pos)");
    emit_turned(e, p, "q", node_int(n, "rotary_interleaved", 0) != 0);
    emit_turned(e, p, "k", node_int(n, "rotary_interleaved", 0) != 0);
}

int visit_decompose_gqa(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct grouped p;
    if (!decompose_due(r, n, MICROSOFT, "GroupQueryAttention") || !node_input(n, QUERY))
        return 0;
    const char *why = read_grouped(n, &p);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_operands(&e, n, &p);
    if (p.turned)
        emit_rotary(&e, n, &p);
    emit_attention(&e, &p.core);
    emit(&e, "o = Transpose(y){perm=[0, 2, 1, 3]}; y = Reshape(o, [0, 0, -1])");
    emit_result(&e, 0, "y");
    emit_result(&e, 1, "present_key");
    emit_result(&e, 2, "present_value");
    emit_end(&e);
    return 0;
}

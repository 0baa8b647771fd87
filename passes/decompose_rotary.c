/* RotaryEmbedding becomes slices, products and a Concat.
 *
 * Before:  y = RotaryEmbedding(x, cos, sin, positions)         com.microsoft: (x, positions, cos, sin)
 * After:   c = Gather(cos, positions), a and b the halves of each head (or every second element when
 *          interleaved); y = Concat(a * c - b * s, a * s + b * c, the rest of the head)
 * When:    the result may not hold the operator; the size of a head and, of three-dimensional input,
 * the number of heads are known; no packed batches, no scale. Numerics: REASSOC.
 */
#include <math.h>
#include <string.h>

#include "rewrite/emit_attention.h"

static const char MICROSOFT[] = "com.microsoft";

PASS_OPS(decompose_rotary, "RotaryEmbedding", "com.microsoft::RotaryEmbedding");

struct rotary {
    struct value *x, *cos, *sin, *positions; /* positions NULL: cos and sin by token */
    bool flat;                               /* [batch, tokens, heads * head], else heads second */
    int64_t head, turned;                    /* elements of a head, and how many of them turn */
};

static const char *read_rotary(const struct node *n, struct rotary *p)
{
    bool microsoft = n->domain[0] != '\0';
    uint32_t at = microsoft ? 2 : 1; /* where cos stands */
    int64_t width, half, heads = node_int(n, "num_heads", 0);
    *p = (struct rotary){node_input(n, 0),
                         node_input(n, at),
                         node_input(n, at + 1),
                         node_input(n, microsoft ? 1 : 3),
                         false,
                         0,
                         0};
    int rank = value_rank(p->x);
    if (node_int(n, "is_packed_batching", 0) || fabsf(node_float(n, "scale", 1) - 1) > 0)
        return "it has packed batches or a scale";
    if ((rank != 3 && rank != 4) || !value_dim(p->x, rank - 1, &width) || value_rank(p->cos) < 2 ||
        !value_dim(p->cos, -1, &half) || (p->positions && value_rank(p->positions) < 1))
        return "the size of its heads is not known";
    p->turned = 2 * half;
    p->flat = rank == 3;
    p->head = rank == 4 ? width : heads > 0 ? width / heads : microsoft ? p->turned : 0;
    if (p->head < p->turned || width % (p->head ? p->head : 1))
        return "the number of its heads is not known";
    return NULL;
}

/* cos and sin as [batch or 1, tokens, turned / 2], then with an axis of one for the heads. */
static void emit_angles(struct emit *e, const struct rotary *p)
{
    emit_bind(e, "cos", p->cos);
    emit_bind(e, "sin", p->sin);
    if (p->positions) {
        emit_bind(e, "pos", p->positions);
        if (value_rank(p->positions) == 1) /* where the first token stands */
            emit(e,
                 "sh = Shape(x); len = Gather(sh, i:%d); r = Range(i:0, len, i:1); "
                 "sum = Add(pos, r); pos = Unsqueeze(sum){axes=[0]}",
                 p->flat ? 1 : 2);
        emit(e, "cos = Gather(cos, pos); sin = Gather(sin, pos)");
    }
    emit(e, "c = Unsqueeze(cos){axes=[%d]}; s = Unsqueeze(sin){axes=[%d]}", p->flat ? 2 : 1,
         p->flat ? 2 : 1);
}

int visit_decompose_rotary(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct rotary p;
    if ((!decompose_due(r, n, "", "RotaryEmbedding") &&
         !decompose_due(r, n, MICROSOFT, "RotaryEmbedding")) ||
        !node_input(n, 2))
        return 0;
    const char *why = read_rotary(n, &p);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", p.x);
    emit_bind(&e, "t", p.x);
    emit_angles(&e, &p);
    if (p.flat)
        emit(&e, "t = Reshape(x, [0, 0, -1, %lld])", (long long)p.head);
    if (p.turned < p.head)
        emit(&e, "rest = Slice(t, [%lld], [%lld], [-1]); t = Slice(t, [0], [%lld], [-1])",
             (long long)p.turned, (long long)p.head, (long long)p.turned);
    emit_turn(&e, p.turned, node_int(n, "interleaved", 0) != 0);
    if (p.turned < p.head)
        emit(&e, "y = Concat(y, rest){axis=-1}");
    if (p.flat)
        emit(&e, "y = Reshape(y, [0, 0, -1])");
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}

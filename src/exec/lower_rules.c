/* Which operators can work with channels last, and how their axes are renamed for it.
 *
 * Axis k of the model's order (rank r): 0 stays, 1 becomes r - 1, k > 1 becomes k - 1. A rule must
 * not change bits: the operator's eval runs on a copy of the node with renamed axes, on data whose
 * dims are renamed the same way.
 */
#include <string.h>

#include "exec/lower.h"

static const struct slot *slot_at(const struct lower *l, int slot)
{
    return &l->p->slots.data[slot];
}

static int64_t renamed(int64_t axis, int rank)
{
    if (axis < 0)
        axis += rank;
    return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}

/* ---- copies of nodes ---- */

static struct attr *own_attr(struct lower *l, struct step *s, const char *name)
{
    struct arena *a = l->p->arena;
    struct node *copy = arena_copy(a, s->node, sizeof *copy);
    copy->attrs = arena_array(a, s->node->n_attrs + 1u, sizeof *copy->attrs);
    if (s->node->n_attrs)
        memcpy(copy->attrs, s->node->attrs, s->node->n_attrs * sizeof *copy->attrs);
    uint32_t at = 0;
    while (at < copy->n_attrs && strcmp(copy->attrs[at]->name, name) != 0)
        at++;
    if (at == copy->n_attrs)
        copy->n_attrs++;
    copy->attrs[at] = arena_alloc(a, sizeof **copy->attrs);
    copy->attrs[at]->name = name;
    s->node = copy;
    return copy->attrs[at];
}

static void set_int(struct lower *l, struct step *s, const char *name, int64_t value)
{
    struct attr *a = own_attr(l, s, name);
    a->type = ATTR_INT;
    a->i = value;
}

static void set_ints(struct lower *l, struct step *s, const char *name, const int64_t *values,
                     uint32_t n)
{
    int64_t *copy = arena_copy(l->p->arena, values, n * sizeof *values);
    struct attr *a = own_attr(l, s, name);
    a->type = ATTR_INTS;
    a->ints = copy;
    a->n = n;
}

static int ints_constant(struct lower *l, const int64_t *values, int64_t n)
{
    return plan_const(l->p, NULL, tensor_ints(l->p->arena, values, n));
}

/* ---- operands ---- */

static int out_rank(const struct lower *l, const struct step *s)
{
    return s->n_out > 0 && s->out[0] >= 0 ? slot_at(l, s->out[0])->type.rank : -1;
}

static int64_t count_of(const struct type *t)
{
    int64_t count = 1, size = 0;
    for (int i = 0; i < t->rank; i++) {
        dim_is_const(t->dims[i], &size);
        count *= size;
    }
    return count;
}

static bool operand_fits(const struct lower *l, int slot, int rank)
{
    if (slot < 0)
        return true;
    const struct slot *s = slot_at(l, slot);
    return s->type.rank == rank || count_of(&s->type) == 1 ||
           (s->kind == SLOT_CONST && s->type.rank < rank && s->type.dtype != DT_STRING);
}

/* A constant of lower rank, as the full rank it broadcasts to. */
static int widened(struct lower *l, int slot, int rank)
{
    const struct tensor *t = const_keep(l->b, l->p, slot);
    if (!t)
        return slot;
    int64_t *dims = arena_array(l->p->arena, (size_t)rank, sizeof *dims);
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - t->rank ? 1 : t->dims[i - (rank - t->rank)];
    struct tensor *wide = arena_copy(l->p->arena, t, sizeof *t);
    wide->rank = rank;
    wide->dims = dims;
    return plan_const(l->p, NULL, wide);
}

static int operand(struct lower *l, int slot, int rank)
{
    if (slot < 0 ||
        (slot_at(l, slot)->type.rank != rank && count_of(&slot_at(l, slot)->type) == 1)) {
        if (slot >= 0)
            lower_plain(l, slot);
        return slot;
    }
    if (slot_at(l, slot)->type.rank != rank)
        slot = widened(l, slot, rank);
    return lower_last(l, slot);
}

static bool follow_elementwise(struct lower *l, struct step *s)
{
    int rank = out_rank(l, s);
    bool axis = node_attr(s->node, "axis") || node_is(s->node, "QuantizeLinear") ||
                node_is(s->node, "DequantizeLinear");
    for (int i = 0; i < s->n_in; i++)
        if (!operand_fits(l, s->in[i], rank) ||
            (axis && i > 0 && s->in[i] >= 0 && count_of(&slot_at(l, s->in[i])->type) != 1))
            return false;
    for (int i = 0; i < s->n_in; i++)
        s->in[i] = operand(l, s->in[i], rank);
    return true;
}

static bool follow_concat(struct lower *l, struct step *s)
{
    int rank = out_rank(l, s);
    for (int i = 0; i < s->n_in; i++)
        if (s->in[i] < 0 || slot_at(l, s->in[i])->type.rank != rank)
            return false;
    for (int i = 0; i < s->n_in; i++)
        s->in[i] = lower_last(l, s->in[i]);
    set_int(l, s, "axis", renamed(node_int(s->node, "axis", 1), rank));
    return true;
}

/* ---- operators with an axis or lists of axes ---- */

static bool known_ints(const struct lower *l, const struct step *s, int i, const int64_t **v,
                       int64_t *n)
{
    if (i >= s->n_in || s->in[i] < 0)
        return false;
    const struct tensor *t = slot_at(l, s->in[i])->constant;
    if (!t || !tensor_is_int_list(t))
        return false;
    int64_t *copy = arena_array(l->p->arena, (size_t)t->count + 1, sizeof *copy);
    for (int64_t k = 0; k < t->count; k++)
        copy[k] = tensor_get_int(t, k);
    *v = copy;
    *n = t->count;
    return true;
}

/* Reduce*: axes from the attribute or from input 1. With keepdims 0 only all spatial axes may go:
 * what is left, [N, C], is the same in both orders. */
static bool follow_reduce(struct lower *l, struct step *s)
{
    const int64_t *axes;
    int64_t n = 0;
    uint32_t n_attr;
    int rank = slot_at(l, s->in[0])->type.rank;
    bool attr = node_ints(s->node, "axes", &axes, &n_attr);
    if (attr)
        n = n_attr;
    else if (!known_ints(l, s, 1, &axes, &n))
        return false;
    bool spatial = n == rank - 2;
    int64_t mapped[16];
    if (n < 1 || n > 16 || rank > 16)
        return false;
    for (int64_t i = 0; i < n; i++) {
        spatial &= (axes[i] < 0 ? axes[i] + rank : axes[i]) >= 2;
        mapped[i] = renamed(axes[i], rank);
    }
    if (!node_int(s->node, "keepdims", 1) && !spatial)
        return false;
    s->in[0] = lower_last(l, s->in[0]);
    if (attr)
        set_ints(l, s, "axes", mapped, (uint32_t)n);
    else
        s->in[1] = ints_constant(l, mapped, n);
    return true;
}

static bool follow_axis(struct lower *l, struct step *s, int64_t otherwise)
{
    int rank = slot_at(l, s->in[0])->type.rank;
    for (int i = 1; i < s->n_in; i++)
        lower_plain(l, s->in[i]);
    set_int(l, s, "axis", renamed(node_int(s->node, "axis", otherwise), rank));
    s->in[0] = lower_last(l, s->in[0]);
    return true;
}

static bool reduces(const struct node *n)
{
    return strncmp(n->op_type, "Reduce", 6) == 0 && !*n->domain;
}

enum lower_rule lower_rule(const struct lower *l, const struct step *s)
{
    if (l->p->session->exec->options.tap_writes || s->dynamic || s->n_graphs || !s->node ||
        s->in == NULL || s->n_in < 1 || s->in[0] < 0 || s->out[0] < 0)
        return RULE_PLAIN;
    const struct node *n = s->node;
    const struct type *in = &slot_at(l, s->in[0])->type;
    if (node_is(n, "Transpose"))
        return RULE_TRANSPOSE;
    if (in->dtype == DT_FLOAT && in->rank >= 3 && in->rank <= 5 && s->op->fast &&
        (node_is(n, "Conv") || node_is(n, "ConvTranspose") || node_is(n, "MaxPool") ||
         node_is(n, "AveragePool") || node_is(n, "GlobalAveragePool") ||
         node_is(n, "GlobalMaxPool") || node_is(n, "LRN")))
        return s->n_out > 1 && s->out[1] >= 0 ? RULE_PLAIN : RULE_WINDOW;
    if (dtype_bits(in->dtype) < 8 || dtype_bits(in->dtype) > 64)
        return RULE_PLAIN;
    bool wide = out_rank(l, s) >= 3;
    if ((s->op->traits & OP_ELEMENTWISE) && wide)
        return RULE_FOLLOW;
    if (node_is(n, "Concat") && wide)
        return RULE_FOLLOW;
    if (reduces(n) && in->rank >= 3)
        return RULE_FOLLOW;
    if ((node_is(n, "Softmax") || node_is(n, "LogSoftmax")) && s->version >= 13 && wide)
        return RULE_FOLLOW;
    if (node_is(n, "Split") && in->rank >= 3)
        return RULE_FOLLOW;
    return RULE_PLAIN;
}

bool lower_follow(struct lower *l, struct step *s)
{
    const struct node *n = s->node;
    if (node_is(n, "Concat"))
        return follow_concat(l, s);
    if (node_is(n, "Split"))
        return follow_axis(l, s, 0);
    if (node_is(n, "Softmax") || node_is(n, "LogSoftmax"))
        return follow_axis(l, s, -1);
    if (reduces(n))
        return follow_reduce(l, s);
    return follow_elementwise(l, s);
}

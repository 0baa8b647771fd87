/* The rotation of position embeddings becomes a RotaryEmbedding.
 *
 * Before:  y = x * cos + Concat(-x2, x1) * sin     x1, x2: the halves of x's last axis
 *          cos = Unsqueeze(Cos(Concat(f, f)), 1), sin alike, shared by queries, keys and layers
 * After:   y = RotaryEmbedding(x, Cos(f), Sin(f))
 * Before:  cos = Unsqueeze(Gather(table, positions), 1)     the table's columns twice the same
 * After:   y = RotaryEmbedding(x, Gather(half the cosines, positions), Gather(half the sines, ..))
 *          (the operator's own positions must not be negative, those of Gather may)
 * When:    opset 23; x is [batch, heads, rows, columns] with a constant, even number of columns, f is
 *          [batch, rows, columns / 2] with the same batch and rows (positions: [batch, rows]).
 * Spellings: transformers through torch (legacy and dynamo), older ones with tables.
 * Numerics: REASSOC.
 */
#include "base/num.h"
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {
    "Add(Mul(x, cos), Mul(Concat(Neg(b=Slice(x, ..)), a=Slice(x, ..)), sin))", NULL};

static bool same(dim_t a, dim_t b) { return a && a == b; }

/* The Slice takes [from, from + half) of the last axis. */
static bool takes_half(const struct node *n, int64_t from, int64_t half)
{
    int64_t start, axis, step = 1, length, count;
    const struct value *axes = node_input(n, 3), *steps = node_input(n, 4);
    return axes && constant_ints(node_input(n, 1), &start, 1, &count) && count == 1 &&
           constant_ints(axes, &axis, 1, &count) && count == 1 && axis_within(axis, 4) == 3 &&
           (!steps || (constant_ints(steps, &step, 1, &count) && step == 1)) && start == from &&
           value_dim(n->outputs[0], 3, &length) && length == half;
}

/* ---- where cosines and sines come from ---- */

struct angles {
    struct value *half;      /* f */
    struct value *table;     /* or the table that is gathered from */
    struct value *positions; /* with these */
};

static bool unsqueezes_heads(const struct node *n)
{
    int64_t axis, count;
    return n && constant_ints(node_input(n, 1), &axis, 1, &count) && count == 1 &&
           axis_within(axis, 4) == 1;
}

static bool doubled(const struct tensor *t)
{
    int64_t columns = t->rank == 2 ? t->dims[1] : 1, half = columns / 2;
    for (int64_t i = 0; columns > 1 && i < t->count / 2; i++) {
        int64_t at = i / half * columns + i % half;
        if (tensor_get(t, at) != tensor_get(t, at + half)) /* exactly */
            return false;
    }
    return columns > 1 && columns % 2 == 0;
}

static bool gathered(const struct value *v, struct angles *a)
{
    struct node *gather = producer_of(v, "Gather");
    if (!gather || node_int(gather, "axis", 0) != 0)
        return false;
    a->table = node_input(gather, 0);
    a->positions = node_input(gather, 1);
    const struct tensor *t = a->table ? constant_of(a->table) : NULL;
    return t && t->rank == 2 && a->positions && value_dtype(a->positions) == DT_INT64 && doubled(t);
}

static bool angles_of(const struct value *v, const char *function, struct angles *a)
{
    struct node *spread = producer_of(v, "Unsqueeze");
    *a = (struct angles){0};
    if (!unsqueezes_heads(spread) || !node_input(spread, 0))
        return false;
    struct node *n = producer_of(spread->inputs[0].value, function);
    if (!n)
        return gathered(spread->inputs[0].value, a);
    struct node *twice = producer_of(node_input(n, 0), "Concat");
    bool fits = twice && twice->n_inputs == 2 && node_input(twice, 0) &&
                node_input(twice, 0) == node_input(twice, 1) &&
                axis_within(node_int(twice, "axis", 0), 3) == 2;
    a->half = fits ? twice->inputs[0].value : NULL;
    return fits;
}

/* Batch and rows are x's; columns: of f or the table. */
static bool angles_fit(const struct value *x, const struct angles *a, int64_t columns)
{
    const struct value *by = a->half ? a->half : a->positions;
    int rank = a->half ? 3 : 2;
    if (value_rank(by) != rank || !same(by->type.dims[0], x->type.dims[0]) ||
        !same(by->type.dims[1], x->type.dims[2]))
        return false;
    return a->half ? dim_equals(by->type.dims[2], columns / 2)
                   : constant_of(a->table)->dims[1] == columns;
}

static const char *problem(const struct match *m)
{
    int64_t columns;
    struct angles cos, sin;
    const struct value *x = match_value(m, "x");
    if (value_rank(x) != 4 || !value_dim(x, 3, &columns) || columns % 2 || columns < 2)
        return "its last axis of four has no constant, even length";
    if (!takes_half(match_node(m, "a"), 0, columns / 2) ||
        !takes_half(match_node(m, "b"), columns / 2, columns / 2))
        return "it does not turn the two halves of its last axis";
    if (!angles_of(match_value(m, "cos"), "Cos", &cos) ||
        !angles_of(match_value(m, "sin"), "Sin", &sin) || cos.half != sin.half ||
        cos.positions != sin.positions)
        return "its cosines and sines are not twice the same half";
    return angles_fit(x, &cos, columns) && angles_fit(x, &sin, columns)
               ? NULL
               : "its angles are not known to have its batch, rows and half its columns";
}

/* ---- the operator's caches ---- */

static struct value *half_table(const struct match *m, struct value *table)
{
    const struct tensor *t = constant_of(table);
    const int64_t dims[] = {t->dims[0], t->dims[1] / 2};
    struct tensor *y = tensor_new(m->root->graph->model->arena, t->dtype, 2, dims);
    for (int64_t i = 0; i < y->count; i++)
        num_set(tensor_writable(y), y->dtype, i,
                tensor_get(t, i / dims[1] * t->dims[1] + i % dims[1]));
    return constant_new(m->root, y, table);
}

static struct value *cache(struct pass_run *r, const struct match *m, struct node *fused,
                           const char *name, const char *function)
{
    struct angles a;
    angles_of(match_value(m, name), function, &a);
    if (a.half)
        return rewrite_emit(r, fused, function, 1, &a.half);
    struct value *gather[] = {half_table(m, a.table), a.positions};
    return rewrite_emit(r, fused, "Gather", 2, gather);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_input(fused, 1, cache(r, m, fused, "cos", "Cos"));
    node_set_input(fused, 2, cache(r, m, fused, "sin", "Sin"));
}

static const struct fusion ROTARY = {"RotaryEmbedding", 23,    FUSE_FLOATS, SPELLINGS,
                                     problem,           build, NULL};

int visit_fuse_rotary(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &ROTARY); }

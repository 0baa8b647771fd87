/* The four corners of every 2 x 2 block, taken by slices and joined for a Conv, become a SpaceToDepth.
 *
 * Before:  a, b, c, d = x[:, :, i::2, j::2] for the four (i, j)   t = Concat<axis=1>(a, b, c, d)
 *          y = Conv(t, W)                                         YOLO's Focus
 * After:   y = Conv(SpaceToDepth<blocksize=2>(x), W')
 *          W' is W with its input channels in SpaceToDepth's order: (0, 0), (0, 1), (1, 0), (1, 1)
 * When:    rank 4, the whole of both spatial axes of even length, each corner once, one group, W
 *          constant, nothing else reads the corners or the join.
 * Numerics: REASSOC: the Conv adds its channels in another order.
 */
#include "base/num.h"
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {
    "Conv(Concat(a=Slice(x, ..), b=Slice(x, ..), c=Slice(x, ..), d=Slice(x, ..)), #weight, ..)",
    NULL};

enum { CORNERS = 4 };
static const char *const NAMES[CORNERS] = {"a", "b", "c", "d"};

/* Starts and steps by axis of a Slice of a value of rank 4; ends are judged by what comes out. */
static bool slice_steps(const struct node *n, int64_t starts[4], int64_t steps[4])
{
    int64_t from[4], axes[4], by[4] = {1, 1, 1, 1}, count, n_axes, n_steps = 4;
    const struct value *axes_in = node_input(n, 3), *steps_in = node_input(n, 4);
    if (node_version(n) < 10 || !constant_ints(node_input(n, 1), from, 4, &count) || !axes_in ||
        !constant_ints(axes_in, axes, 4, &n_axes) || n_axes != count)
        return false;
    if (steps_in && (!constant_ints(steps_in, by, 4, &n_steps) || n_steps != count))
        return false;
    for (int i = 0; i < 4; i++) {
        starts[i] = 0;
        steps[i] = 1;
    }
    for (int64_t i = 0; i < count; i++) {
        int axis = axis_within(axes[i], 4);
        if (axis < 0)
            return false;
        starts[axis] = from[i];
        steps[axis] = by[i];
    }
    return true;
}

/* 2 * row + column of the corner that the Slice takes; -1: it takes none. */
static int corner(const struct value *x, const struct node *n)
{
    struct dim_table *t = n->graph->model->dims;
    int64_t starts[4], steps[4];
    const dim_t *all = x->type.dims, *part = n->outputs[0]->type.dims;
    if (value_rank(n->outputs[0]) != 4 || !slice_steps(n, starts, steps))
        return -1;
    for (int i = 0; i < 4; i++) {
        int64_t step = i < 2 ? 1 : 2;
        dim_t covered = dim_mul(t, part[i], dim_const(t, step));
        if (steps[i] != step || starts[i] < 0 || starts[i] >= step || !covered || covered != all[i])
            return -1;
    }
    return (int)(2 * starts[2] + starts[3]);
}

/* Where each block of channels goes. */
static bool corners(const struct match *m, int to[CORNERS])
{
    const struct value *x = match_value(m, "x");
    unsigned seen = 0;
    for (int i = 0; i < CORNERS; i++) {
        to[i] = corner(x, match_node(m, NAMES[i]));
        if (to[i] < 0)
            return false;
        seen |= 1u << to[i];
    }
    return seen == 0xf;
}

static const char *problem(const struct match *m)
{
    int to[CORNERS];
    const struct value *x = match_value(m, "x");
    const struct tensor *w = constant_of(match_value(m, "weight"));
    const struct node *join = node_input(m->root, 0)->producer;
    int64_t channels;
    if (value_rank(x) != 4 || axis_within(node_int(join, "axis", 1), 4) != 1 || !corners(m, to))
        return "its slices are not the four corners of 2 x 2 blocks";
    if (node_int(m->root, "group", 1) != 1)
        return "its Conv has groups";
    bool fits = value_dim(x, 1, &channels) && w->rank == 4 && w->dims[1] == CORNERS * channels;
    return fits ? NULL : "its channels are not known";
}

static struct tensor *reordered(const struct match *m, const struct tensor *w)
{
    int to[CORNERS];
    struct tensor *y = tensor_new(m->root->graph->model->arena, w->dtype, w->rank, w->dims);
    const int64_t block = w->dims[1] / CORNERS * w->dims[2] * w->dims[3];
    corners(m, to);
    for (int64_t i = 0; i < y->count; i++) {
        int64_t k = i / block % CORNERS, filter = i / (block * CORNERS);
        num_set(tensor_writable(y), y->dtype, (filter * CORNERS + to[k]) * block + i % block,
                tensor_get(w, i));
    }
    return y;
}

/* The initializer keeps its name where nobody else reads it. */
static struct value *new_weight(const struct match *m)
{
    struct value *w = match_value(m, "weight");
    struct tensor *t = reordered(m, constant_of(w));
    if (w->n_uses > 1 || w->graph != m->root->graph)
        return constant_new(m->root, t, w);
    value_set_constant(w, t);
    return w;
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct value *x = match_value(m, "x");
    struct value *deep = rewrite_emit(r, fused, "SpaceToDepth", 1, &x);
    node_set_int(deep->producer, "blocksize", CORNERS / 2);
    rewrite_infer(r, deep->producer);
    node_set_source(deep->producer, fused);
    node_set_input(fused, 0, deep);
    node_set_input(fused, 1, new_weight(m));
    if (node_input(m->root, 2))
        node_set_input(fused, 2, m->root->inputs[2].value);
    for (uint32_t i = 0; i < m->root->n_attrs; i++)
        node_copy_attr(fused, m->root->attrs[i]);
}

static const struct fusion FOCUS = {"Conv",  10,    FUSE_FLOATS,   SPELLINGS,
                                    problem, build, "SpaceToDepth"};

int visit_fuse_focus(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &FOCUS); }

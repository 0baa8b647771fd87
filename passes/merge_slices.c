/* Slices in a row become one.
 *
 * Before:  a = Slice(x, s, e, axes, steps)   y = Slice(a, ..)     a has no other reader
 * After:   y = Slice(x, ..)
 * When:    all lists are constant, steps are positive, and each sliced axis has a known size. On
 * one axis the second starts at s1 + s2 * step1 with step1 * step2. Numerics: EXACT.
 */
#include "rewrite/rewrite.h"

enum { MAX_RANK = 32 };

/* What is taken along each axis of the input; length < 0: everything, whatever its size. */
struct window {
    int64_t start[MAX_RANK], step[MAX_RANK], length[MAX_RANK];
    int rank;
};

static int64_t clamp(int64_t x, int64_t size)
{
    x = x < 0 ? x + size : x;
    return x < 0 ? 0 : x > size ? size : x;
}

static const char *read_window(const struct node *n, struct window *w)
{
    int64_t starts[MAX_RANK], ends[MAX_RANK], axes[MAX_RANK], steps[MAX_RANK], count, other, size;
    const struct value *x = node_input(n, 0);
    w->rank = value_rank(x);
    if (w->rank < 0 || w->rank > MAX_RANK)
        return "the rank is not known";
    if (!constant_ints(node_input(n, 1), starts, MAX_RANK, &count) ||
        !constant_ints(node_input(n, 2), ends, MAX_RANK, &other) || other != count ||
        (node_input(n, 3) && !constant_ints(node_input(n, 3), axes, MAX_RANK, &other)) ||
        (node_input(n, 4) && !constant_ints(node_input(n, 4), steps, MAX_RANK, &other)))
        return "its lists are not constant";
    for (int i = 0; i < w->rank; i++) {
        w->start[i] = 0;
        w->step[i] = 1;
        w->length[i] = -1;
    }
    for (int64_t i = 0; i < count; i++) {
        int axis = axis_within(node_input(n, 3) ? axes[i] : i, w->rank);
        int64_t step = node_input(n, 4) ? steps[i] : 1;
        if (axis < 0 || step < 1)
            return "a step is not positive";
        if (!value_dim(x, axis, &size))
            return "the size of a sliced axis is not known";
        int64_t begin = clamp(starts[i], size), end = clamp(ends[i], size);
        w->start[axis] = begin;
        w->step[axis] = step;
        w->length[axis] = end > begin ? (end - begin - 1) / step + 1 : 0;
    }
    return NULL;
}

/* a, then b on what is left. */
static bool compose(const struct window *a, const struct window *b, struct window *both)
{
    *both = *a;
    for (int i = 0; i < a->rank; i++) {
        int64_t skipped;
        if (b->length[i] < 0)
            continue;
        if (__builtin_mul_overflow(b->start[i], a->step[i], &skipped) ||
            __builtin_add_overflow(a->start[i], skipped, &both->start[i]) ||
            __builtin_mul_overflow(a->step[i], b->step[i], &both->step[i]))
            return false;
        both->length[i] = b->length[i];
    }
    return true;
}

static void write_window(struct node *n, struct value *x, const struct window *w)
{
    int64_t lists[4][MAX_RANK];
    int64_t count = 0;
    for (int i = 0; i < w->rank; i++) {
        if (w->length[i] < 0)
            continue;
        int64_t last =
            w->length[i] ? w->start[i] + (w->length[i] - 1) * w->step[i] + 1 : w->start[i];
        lists[0][count] = w->start[i];
        lists[1][count] = last;
        lists[2][count] = i;
        lists[3][count++] = w->step[i];
    }
    node_resize_inputs(n, 5);
    node_set_input(n, 0, x);
    for (uint32_t k = 0; k < 4; k++) {
        struct value *old = n->inputs[k + 1].value;
        node_set_input(n, k + 1, constant_new_ints(n, lists[k], count));
        if (old)
            rewrite_drop_value(old);
    }
}

PASS_OPS(merge_slices, "Slice");
int visit_merge_slices(struct pass_run *r, struct node *n)
{
    struct window a, b, both;
    struct node *before = lone_producer(node_input(n, 0), "Slice");
    if (!node_is(n, "Slice") || !before || node_version(n) < 10 || !node_input(before, 0))
        return 0;
    const char *problem = read_window(before, &a);
    problem = problem ? problem : read_window(n, &b);
    if (problem) {
        pass_refused(r, n, "%s", problem);
        return 0;
    }
    if (a.rank != b.rank || !compose(&a, &b, &both))
        return 0;
    pass_rewrote(r, n, "merged with the Slice before it");
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, before);
    write_window(n, before->inputs[0].value, &both);
    rewrite_drop(before);
    return 0;
}

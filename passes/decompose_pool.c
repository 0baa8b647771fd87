/* Pooling over a large window becomes two poolings in a row.
 *
 * Before:  y = MaxPool<kernel_shape=[13, 13], pads=[6, 6, 6, 6]>(x)
 * After:   y = MaxPool<kernel_shape=[7, 7]>(MaxPool<kernel_shape=[7, 7], pads=[6, 6, 6, 6]>(x))
 *          AveragePool of k = a * b with strides k: of a with strides a, then of b with strides b
 * When:    a side of the window is beyond the target's max_kernel, or beyond 8 where the pass is named. MaxPool:
 * no dilations, rounding up or indices; the strides stand in the second. AveragePool: strides are
 * the window, no padding, no rounding up, and the sizes divide. Numerics: REASSOC (MaxPool keeps bits).
 */
#include "rewrite/emit.h"
#include "targets/target.h"

PASS_OPS(decompose_pool, "MaxPool", "AveragePool");

enum { MAX_SPATIAL = 3, NAMED_LIMIT = 8 };

struct window {
    int axes;
    int64_t kernel[MAX_SPATIAL], strides[MAX_SPATIAL], pads[2 * MAX_SPATIAL];
};

static int64_t limit_of(const struct pass_run *r)
{
    const struct target *t = pass_target(r);
    return t ? t->max_kernel : pass_plan(r)->names ? NAMED_LIMIT : 0;
}

static void read_list(const struct node *n, const char *name, int64_t *out, int count,
                      int64_t otherwise)
{
    const int64_t *list;
    uint32_t given;
    bool there = node_ints(n, name, &list, &given) && given == (uint32_t)count;
    for (int i = 0; i < count; i++)
        out[i] = there ? list[i] : otherwise;
}

static bool is_large(const struct node *n, int64_t limit, struct window *w)
{
    const int64_t *kernel;
    uint32_t count;
    bool large = false;
    if (!limit || !node_ints(n, "kernel_shape", &kernel, &count) || count > MAX_SPATIAL)
        return false;
    w->axes = (int)count;
    read_list(n, "kernel_shape", w->kernel, w->axes, 1);
    read_list(n, "strides", w->strides, w->axes, 1);
    read_list(n, "pads", w->pads, 2 * w->axes, 0);
    for (int i = 0; i < w->axes; i++)
        large |= w->kernel[i] > limit;
    return large;
}

/* The largest divisor of k up to the limit; 1: none. */
static int64_t divisor(int64_t k, int64_t limit)
{
    int64_t a = k < limit ? k : limit;
    while (a > 1 && k % a)
        a--;
    return a;
}

static const char *pool_problem(const struct node *n, const struct window *w, int64_t limit)
{
    const int64_t *dilations;
    uint32_t count;
    bool average = node_is(n, "AveragePool"), dilated = false;
    if (node_ints(n, "dilations", &dilations, &count))
        for (uint32_t i = 0; i < count; i++)
            dilated |= dilations[i] != 1;
    if (dilated || node_int(n, "ceil_mode", 0) || node_output(n, 1) ||
        !node_string_is(n, "auto_pad", "NOTSET", "NOTSET"))
        return "it is dilated, rounds up, pads by itself or gives indices";
    for (int i = 0; !average && i < 2 * w->axes; i++)
        if (w->pads[i] >= limit)
            return "its padding is wider than a smaller window";
    for (int i = 0; average && i < w->axes; i++) {
        int64_t size;
        if (w->strides[i] != w->kernel[i] || w->pads[i] || w->pads[i + w->axes])
            return "its windows overlap or reach the padding";
        if (!value_dim(n->inputs[0].value, i + 2, &size) || size % w->kernel[i] ||
            (w->kernel[i] > limit && divisor(w->kernel[i], limit) == 1))
            return "its window does not divide into smaller ones";
    }
    return NULL;
}

static const char *listed(struct emit *e, const int64_t *x, int n)
{
    char *text = arena_printf(e->scratch, "%lld", (long long)x[0]);
    for (int i = 1; i < n; i++)
        text = arena_printf(e->scratch, "%s, %lld", text, (long long)x[i]);
    return text;
}

/* The windows of the first and the second pooling. */
static void split_window(const struct window *w, int64_t limit, bool average, int64_t *a,
                         int64_t *b)
{
    for (int i = 0; i < w->axes; i++) {
        if (average) {
            a[i] = w->kernel[i] > limit ? divisor(w->kernel[i], limit) : w->kernel[i];
            b[i] = w->kernel[i] / a[i];
        } else {
            a[i] = w->kernel[i] < limit ? w->kernel[i] : limit;
            b[i] = w->kernel[i] - a[i] + 1;
        }
    }
}

int visit_decompose_pool(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct window w;
    int64_t a[MAX_SPATIAL], b[MAX_SPATIAL], limit = limit_of(r);
    bool average = node_is(n, "AveragePool");
    if ((!average && !node_is(n, "MaxPool")) || !n->op || !node_input(n, 0) ||
        graph_opset(n->graph, "") < 11 || !is_large(n, limit, &w))
        return 0;
    const char *why = pool_problem(n, &w, limit);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    split_window(&w, limit, average, a, b);
    pass_rewrote(r, n, "'%s' was split in two", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    if (average)
        emit(&e,
             "t = AveragePool(x){kernel_shape=[%s], strides=[%s]}; "
             "y = AveragePool(t){kernel_shape=[%s], strides=[%s]}",
             listed(&e, a, w.axes), listed(&e, a, w.axes), listed(&e, b, w.axes),
             listed(&e, b, w.axes));
    else
        emit(&e,
             "t = MaxPool(x){kernel_shape=[%s], pads=[%s]}; "
             "y = MaxPool(t){kernel_shape=[%s], strides=[%s]}",
             listed(&e, a, w.axes), listed(&e, w.pads, 2 * w.axes), listed(&e, b, w.axes),
             listed(&e, w.strides, w.axes));
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}

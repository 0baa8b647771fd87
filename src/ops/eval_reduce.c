/* Adapters of reductions, softmax, cumulative sums, selection, and the generators, with
 * kernels/float/{reduce,softmax,scan,select,fill}.h. */
#include <string.h>

#include "kernels/float/fill.h"
#include "kernels/float/reduce.h"
#include "kernels/float/cumulate.h"
#include "kernels/float/select.h"
#include "kernels/float/softmax.h"
#include "ops/adapt.h"

struct reduce_call {
    struct reduce_args args;
    const void *x;
    void *y;
};

static int reduce_piece(void *user, int64_t begin, int64_t end)
{
    struct reduce_call *r = user;
    return kernel_reduce(&r->args, r->x, r->y, begin, end);
}

static int reduce_marks(struct eval *e, bool *reduced)
{
    const struct tensor *x = e->in[0];
    const int64_t *axes;
    int64_t n;
    eval_list(e, "axes", 1, &axes, &n);
    bool all = n == 0 && !node_int(e->node, "noop_with_empty_axes", 0);
    for (int i = 0; i < x->rank; i++)
        reduced[i] = all;
    for (int64_t i = 0; i < n; i++) {
        int64_t axis = axes[i] < 0 ? axes[i] + x->rank : axes[i];
        if (axis < 0 || axis >= x->rank)
            return eval_axis_fault(e, axes[i], x->rank);
        reduced[axis] = true;
    }
    return 0;
}

int eval_reduce(struct eval *e)
{
    const struct tensor *x = e->in[0];
    bool reduced[KERNEL_MAX_RANK];
    struct reduce_call r = {
        .args = {.dtype = x->dtype, .rank = x->rank, .dims = x->dims, .reduced = reduced}};
    if (x->rank > KERNEL_MAX_RANK)
        return eval_form(e, "rank %d, at most %d", x->rank, KERNEL_MAX_RANK);
    if (!reduce_find(e->node->op_type, &r.args.op))
        return eval_form(e, "there is no kernel");
    int rc = reduce_marks(e, reduced);
    if (rc)
        return rc;
    r.x = x->data;
    r.y = out_data(e, 0);
    return eval_status(e, eval_pieces(e, e->out[0]->count, reduce_piece, &r));
}

int eval_arg_reduce(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct axis_split s = split_axis(x, (int)eval_axis(e, "axis", 0, x->rank));
    struct arg_args a = {x->dtype,
                         node_is(e->node, "ArgMax"),
                         node_int(e->node, "select_last_index", 0) != 0,
                         s.outer,
                         s.n,
                         s.inner};
    if (!e->out[0]->count)
        return 0;
    return eval_status(e, kernel_arg(&a, x->data, out_data(e, 0)));
}

struct softmax_call {
    struct softmax_args args;
    const void *x;
    void *y;
};

static int softmax_piece(void *user, int64_t begin, int64_t end)
{
    struct softmax_call *s = user;
    return kernel_softmax(&s->args, s->x, s->y, begin, end);
}

int eval_softmax(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int axis = (int)eval_axis(e, "axis", e->version >= 13 ? -1 : 1, x->rank);
    struct axis_split s = split_axis(x, axis < 0 ? 0 : axis);
    struct softmax_call c = {.args = {.kind = SOFTMAX_PLAIN, .dtype = x->dtype, .fast = e->fast},
                             .x = x->data,
                             .y = out_data(e, 0)};
    if (!x->count)
        return 0;
    if (e->version < 13)
        s = (struct axis_split){s.outer, s.n * s.inner, 1};
    c.args.kind = node_is(e->node, "LogSoftmax") ? SOFTMAX_LOG
                  : node_is(e->node, "Hardmax")  ? SOFTMAX_HARD
                                                 : SOFTMAX_PLAIN;
    c.args.outer = s.outer;
    c.args.axis = s.n;
    c.args.inner = s.inner;
    return eval_status(e, eval_pieces(e, s.outer * s.inner, softmax_piece, &c));
}

int eval_cumulative(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int64_t axis = in_int(e, 1, 0);
    if (e->in[1]->count != 1 || axis < -x->rank || axis >= x->rank)
        return eval_fail(e, E_OP_VALUE, "%s: the axis is not one number within rank %d",
                         e->node->op_type, x->rank);
    struct axis_split s = split_axis(x, (int)(axis < 0 ? axis + x->rank : axis));
    struct scan_args a = {x->dtype,
                          node_is(e->node, "CumProd"),
                          node_int(e->node, "exclusive", 0) != 0,
                          node_int(e->node, "reverse", 0) != 0,
                          s.outer,
                          s.n,
                          s.inner};
    return x->count ? eval_status(e, kernel_scan(&a, x->data, out_data(e, 0))) : 0;
}

/* ---- selection ---- */

int eval_topk(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int axis = (int)eval_axis(e, "axis", -1, x->rank);
    struct axis_split s = split_axis(x, axis);
    int64_t k = e->version < 10 ? node_int(e->node, "k", 0) : in_int(e, 1, 0);
    struct topk_args a = {x->dtype, node_int(e->node, "largest", 1) != 0, s.outer, s.n, s.inner, k};
    if (!x->count || k == 0)
        return 0;
    return eval_status(e, kernel_topk(&a, x->data, has_out(e, 0) ? out_data(e, 0) : NULL,
                                      has_out(e, 1) ? out_data(e, 1) : NULL));
}

struct spans {
    const struct span *list;
};

static int compare_spans(void *user, int64_t a, int64_t b)
{
    const struct span *list = ((struct spans *)user)->list, *x = &list[a], *y = &list[b];
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n ? memcmp(x->data, y->data, n) : 0;
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static int store_ints(struct eval *e, uint32_t i, const int64_t *list, int64_t n)
{
    if (!has_out(e, i))
        return 0;
    if (!e->out[i]->data && !eval_out(e, i, DT_INT64, 1, &n))
        return eval_memory(e);
    if (n)
        memcpy(out_data(e, i), list, (size_t)n * sizeof *list);
    return 0;
}

struct unique_lists {
    int64_t *first, *inverse, *counts, found;
};

/* The unique slices themselves: slice j of the output is slice first[j] of the input. */
static int store_unique(struct eval *e, const struct axis_split *s, int axis, bool flat,
                        const struct unique_lists *u)
{
    const struct tensor *x = e->in[0];
    int64_t *dims = arena_array(e->scratch, (size_t)x->rank + 1, sizeof *dims);
    memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
    dims[axis] = u->found;
    if (!has_out(e, 0))
        return 0;
    if (!e->out[0]->data && !eval_out(e, 0, x->dtype, flat ? 1 : x->rank, dims))
        return eval_memory(e);
    if (!e->out[0]->count)
        return 0;
    size_t size = move_size(x->dtype), row = (size_t)s->inner * size;
    const char *from = move_in(e, 0);
    char *to = move_out(e, 0);
    if (!from || !to)
        return eval_memory(e);
    for (int64_t o = 0; o < s->outer; o++)
        for (int64_t j = 0; j < u->found; j++)
            memcpy(to + (size_t)(o * u->found + j) * row,
                   from + (size_t)(o * s->n + u->first[j]) * row, row);
    return move_store(e, 0, to);
}

int eval_unique(struct eval *e)
{
    const struct tensor *x = e->in[0];
    bool flat = !node_attr(e->node, "axis"), sorted = node_int(e->node, "sorted", 1) != 0;
    int axis = flat ? 0 : (int)eval_axis(e, "axis", 0, x->rank);
    struct axis_split s = flat ? (struct axis_split){1, x->count, 1} : split_axis(x, axis);
    struct unique_args a = {x->dtype, s.outer, s.n, s.inner, sorted};
    struct unique_lists u = {eval_scratch(e, s.n, sizeof(int64_t)),
                             eval_scratch(e, s.n, sizeof(int64_t)),
                             eval_scratch(e, s.n, sizeof(int64_t)), 0};
    struct spans strings = {x->strings};
    if (!u.first || !u.inverse || !u.counts)
        return eval_memory(e);
    if (x->dtype == DT_STRING && !flat && x->rank != 1)
        return eval_form(e, "slices of strings");
    int status = x->dtype == DT_STRING
                     ? kernel_unique_by(s.n, sorted, compare_spans, &strings, u.first, u.inverse,
                                        u.counts, &u.found)
                     : kernel_unique(&a, x->data, u.first, u.inverse, u.counts, &u.found);
    int rc = eval_status(e, status);
    rc = rc ? rc : store_unique(e, &s, axis, flat, &u);
    rc = rc ? rc : store_ints(e, 1, u.first, u.found);
    rc = rc ? rc : store_ints(e, 2, u.inverse, s.n);
    return rc ? rc : store_ints(e, 3, u.counts, u.found);
}

/* ---- generators ---- */

int eval_range(struct eval *e)
{
    enum dtype t = e->in[0]->dtype;
    int64_t n;
    for (uint32_t i = 0; i < 3; i++)
        if (e->in[i]->count != 1)
            return eval_fail(e, E_SHAPE, "Range: input %u is not one number", i);
    int rc = eval_status(e, kernel_range_count(t, in_data(e, 0), in_data(e, 1), in_data(e, 2), &n));
    if (rc)
        return rc;
    if ((!e->out[0]->data || e->out[0]->count != n) && !eval_out(e, 0, t, 1, &n))
        return eval_memory(e);
    return n ? eval_status(e, kernel_range(t, in_data(e, 0), in_data(e, 2), out_data(e, 0), n)) : 0;
}

int eval_eye_like(struct eval *e)
{
    const struct tensor *y = e->out[0];
    return y->count ? eval_status(e, kernel_eye(y->dtype, y->dims[0], y->dims[1],
                                                node_int(e->node, "k", 0), out_data(e, 0)))
                    : 0;
}

/* Inference: the input, and a mask that keeps everything. Training (input 2 true with a ratio above
 * 0) is random. */
int eval_dropout(struct eval *e)
{
    bool training = e->version >= 12 && in_int(e, 2, 0) != 0, drops = in_number(e, 1, 0.5) != 0;
    if (training && drops)
        return eval_form(e, "training mode drops at random");
    if (has_out(e, 1)) {
        const struct tensor *mask = e->out[1];
        for (int64_t i = 0; i < mask->count; i++)
            num_set_int(out_data(e, 1), mask->dtype, i, 1);
    }
    return has_out(e, 0) ? eval_out_value(e, 0, e->in[0]) : 0;
}

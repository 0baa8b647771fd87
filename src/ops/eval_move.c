/* Adapters of the operators that move elements, with kernels/float/{rearrange,pad}.h. */
#include <string.h>

#include "kernels/float/pad.h"
#include "kernels/float/rearrange.h"
#include "ops/adapt.h"

/* Input 0 and output 0 as units. */
struct move {
    size_t size;
    const void *x;
    void *y;
};

/* 0; 1 when there is nothing to do; < 0 reported. */
static int move_begin(struct eval *e, struct move *m)
{
    if (!e->out[0]->count)
        return 1;
    *m = (struct move){move_size(e->in[0]->dtype), move_in(e, 0), move_out(e, 0)};
    return (m->x || !e->in[0]->count) && m->y ? 0 : eval_memory(e);
}

static int move_end(struct eval *e, const struct move *m, int status)
{
    return status ? eval_status(e, status) : move_store(e, 0, m->y);
}

static bool too_deep(const struct eval *e)
{
    return e->in[0]->rank > KERNEL_MAX_RANK || e->out[0]->rank > KERNEL_MAX_RANK;
}

static int refuse_rank(struct eval *e)
{
    return eval_form(e, "rank %d, at most %d",
                     e->in[0]->rank > e->out[0]->rank ? e->in[0]->rank : e->out[0]->rank,
                     KERNEL_MAX_RANK);
}

int eval_transpose(struct eval *e)
{
    const struct tensor *t = e->in[0];
    const int64_t *given;
    uint32_t n;
    int perm[KERNEL_MAX_RANK];
    struct move m;
    if (too_deep(e))
        return refuse_rank(e);
    bool has_perm = node_ints(e->node, "perm", &given, &n);
    for (int i = 0; i < t->rank; i++)
        perm[i] = has_perm ? (int)given[i] : t->rank - 1 - i;
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    return move_end(e, &m, kernel_transpose(m.size, t->rank, t->dims, perm, m.x, m.y));
}

int eval_expand(struct eval *e)
{
    struct move m;
    if (too_deep(e))
        return refuse_rank(e);
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    return move_end(e, &m,
                    kernel_expand(m.size, e->in[0]->rank, e->in[0]->dims, e->out[0]->rank,
                                  e->out[0]->dims, m.x, m.y));
}

int eval_tile(struct eval *e)
{
    const int64_t *repeats;
    int64_t n;
    struct move m;
    if (too_deep(e))
        return refuse_rank(e);
    eval_list(e, NULL, 1, &repeats, &n);
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    return move_end(e, &m, kernel_tile(m.size, e->in[0]->rank, e->in[0]->dims, repeats, m.x, m.y));
}

int eval_concat(struct eval *e)
{
    int axis = (int)eval_axis(e, "axis", 0, e->out[0]->rank);
    struct axis_split s = split_axis(e->out[0], axis);
    const void **parts = arena_array(e->scratch, e->n_in, sizeof *parts);
    int64_t *sizes = arena_array(e->scratch, e->n_in, sizeof *sizes);
    int n = 0;
    if (!e->out[0]->count)
        return 0;
    for (uint32_t i = 0; i < e->n_in; i++) {
        if (!has_in(e, i) || !e->in[i]->count)
            continue;
        sizes[n] = e->in[i]->dims[axis];
        if (!(parts[n++] = move_in(e, i)))
            return eval_memory(e);
    }
    struct move m = {.size = move_size(e->out[0]->dtype), .y = move_out(e, 0)};
    if (!m.y)
        return eval_memory(e);
    return move_end(e, &m, kernel_concat(m.size, s.outer, s.inner, n, sizes, parts, m.y));
}

int eval_split(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int axis = (int)eval_axis(e, "axis", 0, x->rank);
    struct axis_split s = split_axis(x, axis);
    void **parts = arena_array(e->scratch, e->n_out, sizeof *parts);
    int64_t *sizes = arena_array(e->scratch, e->n_out, sizeof *sizes), left = s.n;
    const int64_t *given;
    int64_t n;
    enum list_state state = eval_list(e, "split", 1, &given, &n);
    int64_t chunk = e->version < 18 ? s.n / e->n_out : (s.n + e->n_out - 1) / e->n_out;
    for (uint32_t i = 0; i < e->n_out; i++) {
        sizes[i] = state == LIST_KNOWN ? given[i] : i + 1 < e->n_out && chunk < left ? chunk : left;
        left -= sizes[i];
        if (has_out(e, i) && e->out[i]->count && !(parts[i] = move_out(e, i)))
            return eval_memory(e);
    }
    const void *data = x->count ? move_in(e, 0) : NULL;
    if (!data)
        return x->count ? eval_memory(e) : 0;
    int rc = eval_status(
        e, kernel_split(move_size(x->dtype), s.outer, s.inner, (int)e->n_out, sizes, data, parts));
    for (uint32_t i = 0; !rc && i < e->n_out; i++)
        rc = parts[i] ? move_store(e, i, parts[i]) : 0;
    return rc;
}

/* Start and step per axis, as the kernel wants them; the extents are the output's. */
static int slice_resolve(struct eval *e, int64_t *start, int64_t *step)
{
    const struct tensor *x = e->in[0];
    const int64_t *starts, *axes, *steps;
    int64_t n, n_axes, n_steps;
    eval_list(e, "starts", 1, &starts, &n);
    enum list_state chosen = eval_list(e, "axes", 3, &axes, &n_axes);
    enum list_state stepped = eval_list(e, NULL, 4, &steps, &n_steps);
    for (int i = 0; i < x->rank; i++) {
        start[i] = 0;
        step[i] = 1;
    }
    if ((chosen == LIST_KNOWN && n_axes != n) || (stepped == LIST_KNOWN && n_steps != n))
        return eval_fail(e, E_SHAPE, "Slice: starts, axes and steps have different lengths");
    for (int64_t i = 0; i < n; i++) {
        int64_t axis = chosen == LIST_KNOWN ? axes[i] : i, s = starts[i];
        axis += axis < 0 ? x->rank : 0;
        if (axis < 0 || axis >= x->rank)
            return eval_axis_fault(e, axis, x->rank);
        int64_t by = stepped == LIST_KNOWN ? steps[i] : 1, size = x->dims[axis];
        s = s < -size ? 0 : s < 0 ? s + size : s;
        start[axis] = num_clamp(s, 0, by < 0 ? size - 1 : size);
        step[axis] = by;
    }
    return 0;
}

int eval_slice(struct eval *e)
{
    int64_t start[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
    struct move m;
    if (too_deep(e))
        return refuse_rank(e);
    int rc = slice_resolve(e, start, step);
    if (rc)
        return rc;
    rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    return move_end(e, &m,
                    kernel_slice(m.size, e->in[0]->rank, e->in[0]->dims, start, step,
                                 e->out[0]->dims, m.x, m.y));
}

/* ---- Pad ---- */

static int pad_mode(struct eval *e, enum pad_mode *mode)
{
    static const char *const names[] = {"constant", "reflect", "edge",
                                        "wrap"}; /* order of enum pad_mode */
    for (int i = 0; i < 4; i++)
        if (node_string_is(e->node, "mode", "constant", names[i])) {
            *mode = (enum pad_mode)i;
            return 0;
        }
    return eval_fail(e, E_OP_ATTR, "mode is none of constant, reflect, edge, wrap");
}

/* The element that fills: an attribute (Pad-2) or input 2, else zero. */
static const void *pad_value(struct eval *e)
{
    if (has_in(e, 2) && e->in[2]->count)
        return move_in(e, 2);
    const struct attr *a = node_attr(e->node, "value");
    if (e->version < 11 && a)
        return tensor_scalar(e->scratch, e->in[0]->dtype, (double)a->f)->data;
    static const struct span empty = {NULL, 0};
    return e->in[0]->dtype == DT_STRING ? &empty : NULL;
}

int eval_pad(struct eval *e)
{
    const struct tensor *x = e->in[0];
    const int64_t *pads, *axes;
    int64_t n, n_axes, before[KERNEL_MAX_RANK] = {0}, after[KERNEL_MAX_RANK] = {0};
    struct move m;
    struct pad_args a = {
        .rank = x->rank, .dims = x->dims, .before = before, .after = after, .value = pad_value(e)};
    if (too_deep(e))
        return refuse_rank(e);
    eval_list(e, "pads", 1, &pads, &n);
    bool chosen = eval_list(e, NULL, 3, &axes, &n_axes) == LIST_KNOWN;
    for (int64_t i = 0; i < n / 2; i++) {
        int64_t axis = chosen ? axes[i] : i;
        axis += axis < 0 ? x->rank : 0;
        if (axis < 0 || axis >= x->rank || (chosen && n_axes != n / 2))
            return eval_axis_fault(e, axis, x->rank);
        before[axis] = pads[i];
        after[axis] = pads[i + n / 2];
    }
    int rc = pad_mode(e, &a.mode);
    rc = rc ? rc : move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    a.size = m.size;
    return move_end(e, &m, kernel_pad(&a, m.x, m.y));
}

/* CenterCropPad-18 is Pad with half of the difference on each side: the odd element is cut or added
 * at the end. */
int eval_center_crop_pad(struct eval *e)
{
    const struct tensor *x = e->in[0], *y = e->out[0];
    int64_t before[KERNEL_MAX_RANK] = {0}, after[KERNEL_MAX_RANK] = {0};
    struct move m;
    if (too_deep(e))
        return refuse_rank(e);
    for (int i = 0; i < x->rank; i++) {
        int64_t more = y->dims[i] - x->dims[i];
        before[i] = more < 0 ? -(-more / 2) : more / 2;
        after[i] = more - before[i];
    }
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    struct pad_args a = {m.size, PAD_CONSTANT, x->rank, x->dims, before, after, NULL};
    return move_end(e, &m, kernel_pad(&a, m.x, m.y));
}

/* ---- blocks and sequences ---- */

int eval_depth_to_space(struct eval *e)
{
    struct move m;
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    bool crd = node_string_is(e->node, "mode", "DCR", "CRD");
    return move_end(e, &m,
                    kernel_depth_to_space(m.size, e->in[0]->dims, node_int(e->node, "blocksize", 1),
                                          crd, m.x, m.y));
}

int eval_space_to_depth(struct eval *e)
{
    struct move m;
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    if (node_string_is(e->node, "mode", "DCR", "CRD"))
        return eval_form(e, "mode CRD");
    return move_end(
        e, &m,
        kernel_space_to_depth(m.size, e->in[0]->dims, node_int(e->node, "blocksize", 1), m.x, m.y));
}

int eval_reverse_sequence(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int64_t batch_axis = eval_axis(e, "batch_axis", 1, x->rank),
            time_axis = eval_axis(e, "time_axis", 0, x->rank);
    const int64_t *lengths;
    int64_t n;
    struct move m;
    if (x->rank < 2 || batch_axis + time_axis != 1 || batch_axis * time_axis != 0)
        return eval_form(e, "batch_axis %lld and time_axis %lld", (long long)batch_axis,
                         (long long)time_axis);
    eval_list(e, NULL, 1, &lengths, &n);
    if (n != x->dims[batch_axis])
        return eval_fail(e, E_SHAPE, "%lld lengths for a batch of %lld", (long long)n,
                         (long long)x->dims[batch_axis]);
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    return move_end(e, &m,
                    kernel_reverse_sequence(m.size, n, x->dims[time_axis], split_axis(x, 1).inner,
                                            time_axis == 0, lengths, m.x, m.y));
}

int eval_trilu(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct move m;
    if (x->rank < 2)
        return eval_fail(e, E_SHAPE, "Trilu: the input has rank %d, expected at least 2", x->rank);
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    struct axis_split s = split_axis(x, x->rank - 2);
    return move_end(e, &m,
                    kernel_trilu(m.size, s.outer, s.n, x->dims[x->rank - 1], in_int(e, 1, 0),
                                 node_int(e->node, "upper", 1) != 0, m.x, m.y));
}

int eval_compress(struct eval *e)
{
    const struct tensor *x = e->in[0];
    bool flat = !node_attr(e->node, "axis");
    int axis = flat ? 0 : (int)eval_axis(e, "axis", 0, x->rank);
    struct axis_split s = flat ? (struct axis_split){1, x->count, 1} : split_axis(x, axis);
    const uint8_t *condition = in_data(e, 1);
    int64_t kept = kernel_compress_count(condition, e->in[1]->count, s.n);
    int64_t *dims = arena_array(e->scratch, (size_t)x->rank + 1, sizeof *dims);
    memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
    dims[axis] = kept;
    struct move m;
    if (!e->out[0]->data && !eval_out(e, 0, x->dtype, flat ? 1 : x->rank, dims))
        return eval_memory(e);
    int rc = move_begin(e, &m);
    if (rc)
        return rc < 0 ? rc : 0;
    kernel_compress(m.size, s.outer, s.n, s.inner, condition, e->in[1]->count, m.x, m.y);
    return move_end(e, &m, 0);
}

/* Shape and integer values of Slice-1, -10, -11, -13. Starts and ends may be expressions. */
#include "base/num.h"
#include "ops/op_impl.h"

/* What exporters write for "to the end": INT32_MAX or more. No symbolic extent is taken to be
 * longer. */
enum { END = INT32_MAX };

/* One axis of Slice-10: a start or end counts from the end when negative and is clamped to the
 * axis. */
static dim_t slice_bound(struct infer *c, dim_t at, dim_t n, bool backward)
{
    dim_t low = infer_int(c, backward ? -1 : 0);
    dim_t high = backward ? dim_sub(c->dims, n, infer_int(c, 1)) : n;
    int64_t x;
    if (dim_is_const(at, &x) && !dim_is_const(n, NULL) && (x >= END || x <= -END))
        return x > 0 ? high : low;
    if (dim_at_most(at, -1)) {
        if (dim_is_const(at, &x) && x == INT64_MIN)
            return low;
        at = dim_add(c->dims, at, n);
    } else if (!dim_at_least(at, 0)) {
        return NULL; /* the sign decides, and it is not known */
    }
    return dim_max(c->dims, low, dim_min(c->dims, at, high));
}

static dim_t slice_extent(struct infer *c, dim_t start, dim_t end, int64_t step, dim_t n)
{
    bool back = step < 0;
    int64_t size;
    if (back && dim_is_const(n, &size) && size == 0)
        return infer_int(c, 0);
    dim_t s = slice_bound(c, start, n, false), e = slice_bound(c, end, n, back);
    if (back)
        s = dim_min(c->dims, s, dim_sub(c->dims, n, infer_int(c, 1)));
    dim_t length = back ? dim_sub(c->dims, s, e) : dim_sub(c->dims, e, s);
    dim_t count = dim_ceildiv(c->dims, length, infer_int(c, back ? -step : step));
    return dim_max(c->dims, infer_int(c, 0), count);
}

struct slice {
    const dim_t *starts, *ends;
    const int64_t *axes, *steps; /* NULL: 0.., 1 */
    int64_t n;
};

/* 1: read; 0: not known; < 0 error. */
static int slice_read(struct infer *c, struct slice *s)
{
    int64_t n_ends, n_axes, n_steps;
    enum list_state axes = infer_list(c, "axes", 3, &s->axes, &n_axes);
    enum list_state steps = infer_list(c, NULL, 4, &s->steps, &n_steps);
    if (axes == LIST_UNKNOWN || steps == LIST_UNKNOWN ||
        infer_dim_list(c, "starts", 1, &s->starts, &s->n) != LIST_KNOWN ||
        infer_dim_list(c, "ends", 2, &s->ends, &n_ends) != LIST_KNOWN)
        return 0;
    if (n_ends != s->n || (axes == LIST_KNOWN && n_axes != s->n) ||
        (steps == LIST_KNOWN && n_steps != s->n))
        return infer_fail(c, "starts, ends, axes and steps have different lengths");
    s->axes = axes == LIST_KNOWN ? s->axes : NULL;
    s->steps = steps == LIST_KNOWN ? s->steps : NULL;
    return 1;
}

static void slice_values(struct infer *c, const struct slice *s)
{
    const dim_t *values;
    int64_t n, start, end, step = s->steps ? s->steps[0] : 1, count = 0;
    if (s->n != 1 || !infer_values(c, 0, &values, &n) || !dim_is_const(s->starts[0], &start) ||
        !dim_is_const(s->ends[0], &end))
        return;
    dim_t *out = infer_room(c, (int)n);
    start = num_clamp(start < 0 ? start + n : start, 0, step > 0 ? n : n - 1);
    end = num_clamp(end < 0 ? (end < -n ? -1 : end + n) : end, step > 0 ? 0 : -1, n);
    for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
        out[count++] = values[i];
        if (step > n || step < -n)
            break; /* one element, and no overflow of i */
    }
    infer_out_values(c, 0, out, count);
}

int infer_slice(struct infer *c)
{
    struct slice s;
    int rank = infer_rank(c, 0);
    int known = rank < 0 ? 0 : slice_read(c, &s);
    if (known < 0)
        return known;
    if (!known) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return 0;
    }
    dim_t *dims = infer_dims_copy(c, 0);
    for (int64_t i = 0; i < s.n; i++) {
        int axis, rc = infer_axis(c, s.axes ? s.axes[i] : i, rank, &axis);
        int64_t step = s.steps ? s.steps[i] : 1;
        if (rc)
            return rc;
        if (step == 0 || step == INT64_MIN)
            return infer_fail(c, "the step is %lld", (long long)step);
        dims[axis] = slice_extent(c, s.starts[i], s.ends[i], step, infer_dim(c, 0, axis));
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    if (rank == 1)
        slice_values(c, &s);
    return 0;
}

/* Adapters of gathering and scattering with kernels/float/gather.h, and of OneHot, NonZero. */
#include <string.h>

#include "kernels/float/fill.h"
#include "kernels/float/gather.h"
#include "ops/adapt.h"

static int store(struct eval *e, void *y, int status)
{
    return status ? eval_status(e, status) : move_store(e, 0, y);
}

int eval_gather(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct axis_split s = split_axis(x, (int)eval_axis(e, "axis", 0, x->rank));
    struct gather_args a = {move_size(x->dtype), e->in[1]->dtype, s.outer, s.n, s.inner,
                            e->in[1]->count};
    if (!e->out[0]->count)
        return 0;
    const void *data = move_in(e, 0);
    void *y = move_out(e, 0);
    if (!y || (x->count && !data))
        return eval_memory(e);
    return store(e, y, x->count ? kernel_gather(&a, data, in_data(e, 1), y) : KERNEL_INDEX);
}

static int rank_fits(struct eval *e)
{
    return e->in[0]->rank <= KERNEL_MAX_RANK && e->in[1]->rank <= KERNEL_MAX_RANK
               ? 0
               : eval_form(e, "rank %d, at most %d", e->in[0]->rank, KERNEL_MAX_RANK);
}

int eval_gather_elements(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int rc = rank_fits(e);
    if (rc || !e->out[0]->count)
        return rc;
    const void *data = move_in(e, 0);
    void *y = move_out(e, 0);
    if (!y || !data)
        return x->count ? eval_memory(e) : eval_status(e, KERNEL_INDEX);
    return store(e, y,
                 kernel_gather_elements(move_size(x->dtype), e->in[1]->dtype, x->rank, x->dims,
                                        (int)eval_axis(e, "axis", 0, x->rank), e->in[1]->dims, data,
                                        in_data(e, 1), y));
}

/* GatherND: the first `batch` axes are shared by data and indices. */
static struct nd_args nd_of(struct eval *e, int batch)
{
    const struct tensor *x = e->in[0], *index = e->in[1];
    struct nd_args a = {.size = move_size(x->dtype),
                        .index_type = index->dtype,
                        .batches = 1,
                        .count = 1,
                        .slice = 1};
    a.depth = (int)index->dims[index->rank - 1];
    a.dims = x->dims + batch;
    for (int i = 0; i < batch; i++)
        a.batches *= x->dims[i];
    for (int i = batch; i < index->rank - 1; i++)
        a.count *= index->dims[i];
    for (int i = batch + a.depth; i < x->rank; i++)
        a.slice *= x->dims[i];
    return a;
}

int eval_gather_nd(struct eval *e)
{
    int rc = rank_fits(e), batch = (int)node_int(e->node, "batch_dims", 0);
    if (rc || !e->out[0]->count)
        return rc;
    for (int i = 0; i < batch; i++)
        if (e->in[0]->dims[i] != e->in[1]->dims[i])
            return eval_fail(e, E_SHAPE, "GatherND: batch extent %d differs", i);
    struct nd_args a = nd_of(e, batch);
    const void *data = move_in(e, 0);
    void *y = move_out(e, 0);
    if (!y || !data)
        return e->in[0]->count ? eval_memory(e) : eval_status(e, KERNEL_INDEX);
    return store(e, y, kernel_gather_nd(&a, data, in_data(e, 1), y));
}

/* ---- scatter ---- */

static int read_reduction(struct eval *e, enum scatter_reduction *how)
{
    static const char *const names[] = {"none", "add", "mul", "min",
                                        "max"}; /* order of enum scatter_reduction */
    for (int i = 0; i < 5; i++)
        if (node_string_is(e->node, "reduction", "none", names[i])) {
            *how = (enum scatter_reduction)i;
            return 0;
        }
    return eval_fail(e, E_OP_ATTR, "reduction is none of none, add, mul, min, max");
}

/* Packed elements and strings can be placed, not combined: then they are units of their size. */
static enum dtype unit_type(enum dtype t)
{
    return t == DT_STRING ? DT_COMPLEX128 : dtype_bits(t) < 8 ? DT_UINT8 : t;
}

static void *scatter_copy(struct eval *e)
{
    const void *x = move_in(e, 0);
    void *y = move_out(e, 0);
    size_t bytes = (size_t)e->out[0]->count * move_size(e->out[0]->dtype);
    if (x && y && bytes)
        memcpy(y, x, bytes);
    return x || !bytes ? y : NULL;
}

int eval_scatter_elements(struct eval *e)
{
    const struct tensor *x = e->in[0], *index = e->in[1];
    enum scatter_reduction how = SCATTER_NONE;
    int rc = rank_fits(e);
    rc = rc ? rc : read_reduction(e, &how);
    if (rc || !e->out[0]->count)
        return rc;
    for (int i = 0; i < index->rank; i++)
        if (index->dims[i] != e->in[2]->dims[i])
            return eval_fail(e, E_SHAPE, "%s: indices and updates differ in shape",
                             e->node->op_type);
    void *y = scatter_copy(e);
    const void *updates = move_in(e, 2);
    if (!y || (!updates && index->count))
        return eval_memory(e);
    enum dtype t = how ? x->dtype : unit_type(x->dtype);
    int status = index->count ? kernel_scatter_elements(how, t, index->dtype, x->rank, x->dims,
                                                        (int)eval_axis(e, "axis", 0, x->rank),
                                                        index->dims, in_data(e, 1), updates, y)
                              : 0;
    return store(e, y, status);
}

int eval_scatter_nd(struct eval *e)
{
    enum scatter_reduction how = SCATTER_NONE;
    int rc = rank_fits(e);
    rc = rc ? rc : read_reduction(e, &how);
    if (rc || !e->out[0]->count)
        return rc;
    struct nd_args a = nd_of(e, 0);
    int64_t wanted;
    if (__builtin_mul_overflow(a.count, a.slice, &wanted) || e->in[2]->count != wanted)
        return eval_fail(e, E_SHAPE, "ScatterND: %lld updates for %lld places",
                         (long long)e->in[2]->count, (long long)wanted);
    void *y = scatter_copy(e);
    const void *updates = move_in(e, 2);
    if (!y || (!updates && wanted))
        return eval_memory(e);
    enum dtype t = how ? e->in[0]->dtype : unit_type(e->in[0]->dtype);
    return store(e, y, wanted ? kernel_scatter_nd(how, t, &a, in_data(e, 1), updates, y) : 0);
}

/* TensorScatter-24: past_cache [B, ..., max, ...], update with a shorter extent along axis,
 * write_indices [B] (0 when left out); linear or circular. */
int eval_tensor_scatter(struct eval *e)
{
    const struct tensor *cache = e->in[0], *update = e->in[1];
    int axis = (int)eval_axis(e, "axis", -2, cache->rank);
    if (axis < 1 || (has_in(e, 2) && e->in[2]->count != cache->dims[0]))
        return eval_fail(e, E_SHAPE, "TensorScatter: axis %d, %lld write indices", axis,
                         has_in(e, 2) ? (long long)e->in[2]->count : 0);
    bool circular = node_string_is(e->node, "mode", "linear", "circular");
    if (dtype_bits(cache->dtype) < 8 || cache->dtype == DT_STRING)
        return eval_form(e, "%s", dtype_name(cache->dtype));
    if (!cache->count || !update->count)
        return scatter_copy(e) || !cache->count ? 0 : eval_memory(e);
    struct axis_split to = split_axis(cache, axis), from = split_axis(update, axis);
    if (from.outer != to.outer || from.inner != to.inner || update->dims[0] != cache->dims[0])
        return eval_fail(e, E_SHAPE, "TensorScatter: update and cache differ outside the axis");
    char *y = scatter_copy(e);
    const char *x = in_data(e, 1);
    size_t row = (size_t)to.inner * move_size(cache->dtype);
    int64_t per_batch = to.outer / cache->dims[0];
    for (int64_t o = 0; o < to.outer; o++) {
        int64_t start = has_in(e, 2) ? tensor_get_int(e->in[2], o / per_batch) : 0;
        if (start < 0 || start > to.n || (!circular && from.n > to.n - start))
            return eval_status(e, KERNEL_INDEX);
        for (int64_t i = 0; i < from.n; i++) {
            int64_t at = circular ? (start + i) % to.n : start + i;
            memcpy(y + (size_t)(o * to.n + at) * row, x + (size_t)(o * from.n + i) * row, row);
        }
    }
    return 0;
}

/* ---- OneHot, NonZero ---- */

int eval_one_hot(struct eval *e)
{
    const struct tensor *index = e->in[0], *y = e->out[0];
    int axis = (int)eval_axis(e, "axis", -1, y->rank);
    struct axis_split s = split_axis(y, axis);
    if (!y->count)
        return 0;
    if (e->in[2]->count != 2)
        return eval_fail(e, E_SHAPE, "OneHot: values has %lld elements, expected 2",
                         (long long)e->in[2]->count);
    const void *values = move_in(e, 2);
    void *to = move_out(e, 0);
    if (!to || !values)
        return eval_memory(e);
    return store(e, to,
                 kernel_one_hot(move_size(y->dtype), index->dtype, s.outer, s.n, s.inner,
                                index->data, values, to));
}

int eval_non_zero(struct eval *e)
{
    const struct tensor *x = e->in[0];
    if (x->dtype == DT_STRING || x->rank > KERNEL_MAX_RANK)
        return eval_form(e, "%s of rank %d", dtype_name(x->dtype), x->rank);
    int64_t dims[2] = {x->rank, kernel_nonzero_count(x->dtype, x->data, x->count)};
    if (!e->out[0]->data && !eval_out(e, 0, DT_INT64, 2, dims))
        return eval_memory(e);
    if (!e->out[0]->count)
        return 0;
    return eval_status(
        e, kernel_nonzero(x->dtype, x->data, x->rank, x->dims, dims[1], out_data(e, 0)));
}

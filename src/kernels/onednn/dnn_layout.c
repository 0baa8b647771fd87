/* Memory layouts and the reorders between them. */
#include "base/mem.h"
#include "base/num.h"
#include "kernels/onednn/dnn_core.h"

void dnn_dense_strides(int rank, const int64_t *dims, int64_t *strides)
{
    int64_t step = 1;
    for (int axis = rank - 1; axis >= 0; axis--) {
        strides[axis] = step;
        step *= dims[axis];
    }
}

struct dnn_layout *dnn_layout_of(struct dnn_desc *desc, int rank, const int64_t *dims)
{
    struct dnn_layout *l = mem_try_alloc(sizeof *l);
    if (!l) {
        dnn_desc_drop(desc);
        return NULL;
    }
    l->desc = *desc;
    l->rank = rank;
    memcpy(l->dims, dims, (size_t)rank * sizeof *dims);
    return l;
}

struct dnn_layout *dnn_layout_plain(int rank, const int64_t *dims)
{
    int64_t strides[DNNL_MAX_NDIMS], count;
    struct dnn_desc desc;
    if (rank < 1 || rank > DNNL_MAX_NDIMS || !num_product(dims, rank, &count) || count == 0)
        return NULL;
    dnn_dense_strides(rank, dims, strides);
    return dnn_desc_strided(&desc, rank, dims, strides) ? dnn_layout_of(&desc, rank, dims) : NULL;
}

struct dnn_layout *dnn_layout_last(int rank, const int64_t *dims)
{
    int64_t strides[DNNL_MAX_NDIMS], step = 1, count;
    struct dnn_desc desc;
    if (rank < 3 || rank > 5 || !num_product(dims, rank, &count) || count == 0)
        return NULL;
    strides[1] = 1;
    step = dims[1];
    for (int axis = rank - 1; axis >= 2; axis--) {
        strides[axis] = step;
        step *= dims[axis];
    }
    strides[0] = step;
    return dnn_desc_strided(&desc, rank, dims, strides) ? dnn_layout_of(&desc, rank, dims) : NULL;
}

struct dnn_layout *dnn_layout_copy(const struct dnn_layout *l)
{
    struct dnn_desc desc;
    return dnn_desc_copy(&desc, dnn_desc_ref(&l->desc)) ? dnn_layout_of(&desc, l->rank, l->dims)
                                                        : NULL;
}

void dnn_layout_free(struct dnn_layout *l)
{
    if (l)
        dnn_desc_drop(&l->desc);
    mem_free(l);
}

bool dnn_layout_same(const struct dnn_layout *a, const struct dnn_layout *b)
{
    return dnn_desc_same(&a->desc, &b->desc);
}

bool dnn_layout_is_plain(const struct dnn_layout *l)
{
    int64_t strides[DNNL_MAX_NDIMS];
    struct dnn_desc plain;
    dnn_dense_strides(l->rank, l->dims, strides);
    if (!dnn_desc_strided(&plain, l->rank, l->dims, strides))
        return false;
    const bool same = dnn_desc_same(&l->desc, &plain);
    dnn_desc_drop(&plain);
    return same;
}

bool dnn_layout_is_padded(const struct dnn_layout *l)
{
    int64_t count = 1;
    for (int axis = 0; axis < l->rank; axis++)
        count *= l->dims[axis];
    return dnn_desc_bytes(&l->desc) != (size_t)count * sizeof(float);
}

/* The order of the outer axes is found by comparing with the descriptor that such a layout would
 * have. */
int64_t dnn_layout_block(const struct dnn_layout *l)
{
    const dnnl_dims_t *sizes, *axes;
    if (dnn_layout_is_plain(l))
        return 1;
    if (l->rank < 3 || l->rank > 5 || dnn_desc_blocks(&l->desc, &sizes, &axes) != 1 ||
        (*axes)[0] != 1)
        return 0;
    static const dnnl_format_tag_t BY_16[] = {dnnl_aBc16b, dnnl_aBcd16b, dnnl_aBcde16b};
    static const dnnl_format_tag_t BY_8[] = {dnnl_aBc8b, dnnl_aBcd8b, dnnl_aBcde8b};
    const int64_t size = (*sizes)[0];
    struct dnn_desc like;
    if ((size != 8 && size != 16) ||
        !dnn_desc_tagged(&like, l->rank, l->dims, (size == 8 ? BY_8 : BY_16)[l->rank - 3]))
        return 0;
    const bool same = dnn_desc_same(&l->desc, &like);
    dnn_desc_drop(&like);
    return same ? size : 0;
}

bool dnn_layout_channels_last(const struct dnn_layout *l)
{
    static const dnnl_format_tag_t TAGS[] = {dnnl_acb, dnnl_acdb, dnnl_acdeb};
    struct dnn_desc like;
    if (l->rank < 3 || l->rank > 5 || !dnn_desc_tagged(&like, l->rank, l->dims, TAGS[l->rank - 3]))
        return false;
    const bool same = dnn_desc_same(&l->desc, &like);
    dnn_desc_drop(&like);
    return same;
}

size_t dnn_layout_bytes(const struct dnn_layout *l) { return dnn_desc_bytes(&l->desc); }
int dnn_layout_rank(const struct dnn_layout *l) { return l->rank; }
const int64_t *dnn_layout_dims(const struct dnn_layout *l) { return l->dims; }

struct dnn_reorder {
    struct dnn_prim prim;
    struct dnn_desc from, to;
};

struct dnn_reorder *dnn_reorder_new(const struct dnn_layout *from, const struct dnn_layout *to)
{
    struct dnn_reorder *r = mem_try_alloc(sizeof *r);
    dnnl_primitive_desc_t pd;
    if (!r || !dnn_engine()) {
        mem_free(r);
        return NULL;
    }
    const int before = dnn_single_enter();
    dnnl_primitive_attr_t attr = dnn_attr_new(NULL, 0, false, 1, NULL);
    const bool ok = attr && dnn_desc_copy(&r->from, dnn_desc_ref(&from->desc)) &&
                    dnn_desc_copy(&r->to, dnn_desc_ref(&to->desc)) &&
                    dnn_pd_reorder(&pd, &r->from, &r->to, dnn_engine(), attr) &&
                    dnn_prim_init(&r->prim, pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    dnn_single_leave(before);
    if (ok)
        return r;
    dnn_reorder_free(r);
    return NULL;
}

void dnn_reorder_free(struct dnn_reorder *r)
{
    if (!r)
        return;
    dnn_prim_release(&r->prim);
    dnn_desc_drop(&r->from);
    dnn_desc_drop(&r->to);
    mem_free(r);
}

size_t dnn_reorder_scratch(const struct dnn_reorder *r) { return r->prim.scratch_bytes; }

bool dnn_reorder_run(const struct dnn_reorder *r, const void *from, void *to, void *scratch)
{
    const struct dnn_arg args[] = {{DNNL_ARG_FROM, &r->from, from}, {DNNL_ARG_TO, &r->to, to}};
    return dnn_prim_run(&r->prim, args, 2, scratch);
}

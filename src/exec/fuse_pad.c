/* Pad in front of a convolution: the convolution pads itself.
 *
 * Before:  t = Pad(x, pads, 0); y = Conv(t, w, b)     t read by nobody else
 * After:   y = Conv(x, w, b) with pads added
 * When:    mode constant, the value is 0, only spatial axes are padded and none is cut; the convolution's
 *          pads are explicit (auto_pad NOTSET).
 * Numerics: the products with zero that vanish or appear add 0: the same bits, except that a weight of
 *          infinity times a padded zero (NaN) is no longer met.
 */
#include <string.h>

#include "exec/fuse.h"

static bool known_ints(const struct fuser *f, int slot, const struct tensor **t)
{
    *t = slot >= 0 ? f->p->slots.data[slot].constant : NULL;
    return *t && tensor_is_int_list(*t);
}

/* The Pad's amounts, begins then ends, one per axis of the padded tensor. */
static bool pad_amounts(const struct fuser *f, const struct step *s, int rank, int64_t *amounts)
{
    const struct tensor *t, *axes = NULL;
    const int64_t *attr;
    uint32_t n;
    memset(amounts, 0, 2 * (size_t)rank * sizeof *amounts);
    if (s->version < 11) {
        if (!node_ints(s->node, "pads", &attr, &n) || n != 2 * (uint32_t)rank)
            return false;
        memcpy(amounts, attr, n * sizeof *attr);
        return true;
    }
    if (s->n_in > 3 && s->in[3] >= 0 && !known_ints(f, s->in[3], &axes))
        return false;
    if (!known_ints(f, s->n_in > 1 ? s->in[1] : -1, &t))
        return false;
    int64_t count = axes ? axes->count : rank;
    if (t->count != 2 * count)
        return false;
    for (int64_t i = 0; i < count; i++) {
        int64_t axis = axes ? tensor_get_int(axes, i) : i;
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank)
            return false;
        amounts[axis] = tensor_get_int(t, i);
        amounts[rank + axis] = tensor_get_int(t, count + i);
    }
    return true;
}

static bool pads_zero(const struct fuser *f, const struct step *s)
{
    float value = 0;
    if (!node_string_is(s->node, "mode", "constant", "constant"))
        return false;
    if (s->version < 11)
        value = node_float(s->node, "value", 0);
    else if (s->n_in > 2 && s->in[2] >= 0 && !fuse_scalar(f, s->in[2], &value))
        return false;
    return value == 0; /* exactly */
}

static bool spatial_only(const int64_t *amounts, int rank)
{
    for (int i = 0; i < rank; i++)
        if (amounts[i] < 0 || amounts[rank + i] < 0 || (i < 2 && (amounts[i] || amounts[rank + i])))
            return false;
    return true;
}

/* A copy of the convolution with its pads enlarged. */
static struct node *padded(struct fuser *f, const struct step *conv, const int64_t *amounts,
                           int rank)
{
    struct arena *a = f->p->arena;
    const struct node *n = conv->node;
    int spatial = rank - 2;
    const int64_t *old = NULL;
    uint32_t n_old;
    if (node_ints(n, "pads", &old, &n_old) && n_old != 2 * (uint32_t)spatial)
        return NULL;
    int64_t *pads = arena_array(a, 2 * (size_t)spatial, sizeof *pads);
    for (int i = 0; i < spatial; i++) {
        pads[i] = (old ? old[i] : 0) + amounts[2 + i];
        pads[spatial + i] = (old ? old[spatial + i] : 0) + amounts[rank + 2 + i];
    }
    struct node *copy = arena_copy(a, n, sizeof *n);
    struct attr *attr = arena_alloc(a, sizeof *attr);
    *attr = (struct attr){.name = "pads", .type = ATTR_INTS, .n = 2 * (uint32_t)spatial};
    attr->ints = pads;
    copy->attrs = arena_array(a, n->n_attrs + 1u, sizeof *copy->attrs);
    copy->n_attrs = 0;
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i]->name, "pads") != 0)
            copy->attrs[copy->n_attrs++] = n->attrs[i];
    copy->attrs[copy->n_attrs++] = attr;
    return copy;
}

void fuse_pad(struct fuser *f, int pad)
{
    struct step *s = &f->p->steps.data[pad];
    int64_t amounts[2 * 5];
    if (!fuse_is(s, "Pad") || s->in[0] < 0 || s->out[0] < 0)
        return;
    int rank = f->p->slots.data[s->in[0]].type.rank;
    int reader = fuse_only_reader(f, s->out[0]);
    struct step *conv = reader >= 0 ? &f->p->steps.data[reader] : NULL;
    if (rank < 3 || rank > 5 || !conv || !fuse_is(conv, "Conv") || conv->in[0] != s->out[0] ||
        !node_string_is(conv->node, "auto_pad", "NOTSET", "NOTSET") || !pads_zero(f, s) ||
        !pad_amounts(f, s, rank, amounts) || !spatial_only(amounts, rank))
        return;
    struct node *node = padded(f, conv, amounts, rank);
    if (!node)
        return;
    conv->node = node;
    conv->label = "Pad+Conv";
    conv->in[0] = s->in[0];
    s->removed = true;
}

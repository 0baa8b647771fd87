/* Einsum-12 and -28: the shape, the multiply-accumulates, and the adapter with kernels/float/einsum.h, which reads the equation for all of
 * them.
 */
#include "kernels/float/einsum.h"

#include <string.h>

#include "ops/adapt.h"

static const char *equation_text(const struct node *n, struct arena *a)
{
    struct span s = node_string(n, "equation", "");
    return arena_printf(a, "%.*s", (int)num_clamp((int64_t)s.size, 0, 4096), (const char *)s.data);
}

/* Joins the dims of all axes that have one label. */
static int label_dims(struct infer *c, const struct einsum_plan *p, dim_t *dims)
{
    bool seen[EINSUM_MAX_LABELS] = {false};
    for (int k = 0; k < p->n_inputs; k++)
        for (int i = 0; i < p->input[k].rank; i++) {
            int name = p->input[k].label[i], rank;
            dim_t d = infer_dim(c, (uint32_t)k, i), merged = d;
            struct type have = {.kind = TYPE_TENSOR, .rank = 1, .dims = &dims[name]};
            struct type more = {.kind = TYPE_TENSOR, .rank = 1, .dims = &d};
            const struct type *both[2] = {&have, &more};
            int rc = seen[name] ? infer_broadcast(c, both, 2, &rank, &merged) : 0;
            if (rc)
                return rc;
            dims[name] = merged;
            seen[name] = true;
        }
    return 0;
}

int infer_einsum(struct infer *c)
{
    struct einsum_plan p;
    int ranks[EINSUM_MAX_INPUTS] = {0}, n = (int)c->node->n_inputs;
    dim_t dims[EINSUM_MAX_LABELS] = {NULL}, out[EINSUM_MAX_RANK];
    if (n > EINSUM_MAX_INPUTS)
        return infer_fail(c, "%d operands, at most %d", n, EINSUM_MAX_INPUTS);
    for (int k = 0; k < n; k++) {
        ranks[k] = infer_rank(c, (uint32_t)k);
        if (ranks[k] < 0)
            return infer_unknown(c, 0, infer_dtype(c, 0));
    }
    if (!einsum_labels(equation_text(c->node, c->arena), n, ranks, &p))
        return infer_fail(c, "the equation is not valid, or does not fit the operands' ranks");
    int rc = label_dims(c, &p, dims);
    for (int i = 0; i < p.output.rank; i++)
        out[i] = dims[p.output.label[i]];
    infer_out(c, 0, infer_dtype(c, 0), p.output.rank, out);
    return rc;
}

/* The extents of all labels together. */
int macs_einsum(const struct node *n, int64_t *macs)
{
    struct einsum_plan p;
    int ranks[EINSUM_MAX_INPUTS] = {0};
    int64_t sizes[EINSUM_MAX_LABELS] = {0}, size;
    if (n->n_inputs > EINSUM_MAX_INPUTS)
        return -1;
    for (uint32_t k = 0; k < n->n_inputs; k++)
        if (!n->inputs[k].value || (ranks[k] = n->inputs[k].value->type.rank) < 0)
            return -1;
    struct arena *a = arena_new();
    bool valid = einsum_labels(equation_text(n, a), (int)n->n_inputs, ranks, &p);
    arena_free(a);
    for (int k = 0; valid && k < p.n_inputs; k++)
        for (int i = 0; valid && i < p.input[k].rank; i++) {
            valid = value_dim(n->inputs[k].value, i, &size);
            int64_t *at = &sizes[p.input[k].label[i]];
            *at = valid && size > *at ? size : *at;
        }
    *macs = 1;
    for (int i = 0; valid && i < p.n_labels; i++)
        valid = !__builtin_mul_overflow(*macs, sizes[i], macs);
    return valid ? 0 : -1;
}

static int run_f64(struct eval *e, const struct einsum_plan *p, int64_t elements)
{
    const double *in[EINSUM_MAX_INPUTS];
    double *scratch = eval_scratch(e, elements, sizeof *scratch), *y = stage_out_f64(e, 0);
    for (uint32_t k = 0; k < e->n_in; k++)
        if (!(in[k] = stage_in_f64(e, k)))
            return eval_memory(e);
    if (!scratch || !y)
        return eval_memory(e);
    einsum_f64(p, in, y, scratch);
    stage_store_f64(e, 0, y);
    return 0;
}

static int run_f32(struct eval *e, const struct einsum_plan *p, int64_t elements)
{
    const float *in[EINSUM_MAX_INPUTS];
    float *scratch = eval_scratch(e, elements, sizeof *scratch), *y = stage_out(e, 0);
    for (uint32_t k = 0; k < e->n_in; k++)
        if (!(in[k] = stage_in(e, k)))
            return eval_memory(e);
    if (!scratch || !y)
        return eval_memory(e);
    einsum_f32(p, in, y, scratch);
    stage_store(e, 0, y);
    return 0;
}

/* Integers of up to 32 bits are exact in double as long as sums stay below 2^53. */
int eval_einsum(struct eval *e)
{
    struct einsum_plan p;
    int ranks[EINSUM_MAX_INPUTS];
    const int64_t *dims[EINSUM_MAX_INPUTS];
    for (uint32_t k = 0; k < e->n_in && k < EINSUM_MAX_INPUTS; k++) {
        ranks[k] = e->in[k]->rank;
        dims[k] = e->in[k]->dims;
    }
    if (!einsum_labels(equation_text(e->node, e->scratch), (int)e->n_in, ranks, &p) ||
        !einsum_extents(&p, dims))
        return eval_fail(e, E_SHAPE, "Einsum: the equation does not fit the operands");
    int64_t elements = einsum_scratch(&p);
    if (elements < 0 || !e->out[0]->count)
        return elements < 0 ? eval_form(e, "sizes of this kind") : 0;
    enum dtype t = e->in[0]->dtype;
    return t == DT_DOUBLE || !dtype_is_float(t) ? run_f64(e, &p, elements)
                                                : run_f32(e, &p, elements);
}

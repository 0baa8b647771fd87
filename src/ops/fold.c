/* Constant folding: one node on constant inputs with the reference engine. The smallest host that
 * an eval can have: outputs go to the caller's arena, all sizes are checked against one budget
 * before anything is allocated, subgraphs and sequences are refused.
 */
#include <string.h>

#include "base/num.h"
#include "ops/op_impl.h"

struct fold {
    struct eval e;
    struct arena *arena;
    size_t left; /* bytes that outputs may still take */
    bool over;
};

static struct tensor *fold_tensor(struct fold *f, enum dtype dtype, int rank, const int64_t *dims)
{
    int64_t count;
    size_t bytes;
    f->over = !num_product(dims, rank, &count) || !dtype_bytes(dtype, count, &bytes) ||
              bytes > f->left ||
              (dtype == DT_STRING && (size_t)count > f->left / sizeof(struct span));
    if (f->over)
        return NULL;
    f->left -= bytes;
    struct tensor *t = tensor_new(f->arena, dtype, rank, dims);
    if (dtype == DT_STRING)
        t->strings = arena_array(f->arena, (size_t)count + 1, sizeof *t->strings);
    return t;
}

static struct tensor *fold_out(struct eval *e, uint32_t i, enum dtype dtype, int rank,
                               const int64_t *dims)
{
    struct tensor *t = fold_tensor(e->exec, dtype, rank, dims);
    return t ? (e->out[i] = t) : NULL;
}

/* Not a constant that anybody folds to: given up like a result that is too large. */
static int fold_sequence(struct eval *e, uint32_t i, const struct sequence *s)
{
    struct fold *f = e->exec;
    (void)i, (void)s;
    f->over = true;
    return 1;
}

static const struct eval_host fold_host = {.out = fold_out, .out_sequence = fold_sequence};

/* Inputs as eval wants them: bytes at hand and aligned for the element. */
static const struct tensor *aligned(const struct tensor *t, struct arena *scratch)
{
    if (!t || t->dtype == DT_STRING || !t->bytes)
        return t;
    const void *data = tensor_aligned(t, scratch);
    return data == t->data ? t : tensor_view(scratch, t->dtype, t->rank, t->dims, data);
}

static int size_outputs(struct fold *f, const struct type *types)
{
    for (uint32_t i = 0; i < f->e.n_out; i++) {
        const struct type *t = &types[i];
        if (!f->e.node->outputs[i])
            continue;
        int64_t *dims =
            arena_array(f->e.scratch, (size_t)(t->rank > 0 ? t->rank : 0) + 1, sizeof *dims);
        if (t->kind == TYPE_SEQUENCE || t->kind == TYPE_OPTIONAL)
            return 1;
        bool known = t->kind == TYPE_TENSOR && t->rank >= 0;
        for (int k = 0; known && k < t->rank; k++)
            known = dim_is_const(t->dims[k], &dims[k]);
        if (!known && !(f->e.node->op->traits & OP_SIZES))
            return 1;
        if (!known) {
            f->e.out[i] = arena_alloc(f->arena, sizeof(struct tensor));
            f->e.out[i]->dtype = t->dtype;
        } else if (!(f->e.out[i] = fold_tensor(f, t->dtype, t->rank, dims))) {
            return 1;
        }
    }
    return 0;
}

static int infer_outputs(const struct fold *f, struct type *out)
{
    const struct node *n = f->e.node;
    struct dim_table *dims = n->graph->model->dims;
    struct type *types = arena_array(f->e.scratch, (size_t)n->n_inputs + 1, sizeof *types);
    const struct type **in = arena_array(f->e.scratch, (size_t)n->n_inputs + 1, sizeof *in);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (!f->e.in[i])
            continue;
        const struct tensor *t = f->e.in[i];
        dim_t *d = arena_array(f->e.scratch, (size_t)t->rank + 1, sizeof *d);
        for (int k = 0; k < t->rank; k++)
            d[k] = dim_const(dims, t->dims[k]);
        types[i] =
            (struct type){.kind = TYPE_TENSOR, .dtype = t->dtype, .rank = t->rank, .dims = d};
        in[i] = &types[i];
    }
    struct infer_io io = {in, f->e.in, out};
    return infer_node(n, &io, dims, f->e.scratch, f->e.ctx);
}

static int run(struct fold *f)
{
    struct type *types = arena_array(f->e.scratch, (size_t)f->e.n_out + 1, sizeof *types);
    int rc = infer_outputs(f, types);
    if (!rc)
        rc = size_outputs(f, types);
    if (!rc)
        rc = f->e.node->op->eval(&f->e);
    return f->over ? 1 : rc;
}

static bool can_fold(const struct node *n, const struct tensor *const *in)
{
    if (!n->op || !n->op->eval || (n->op->traits & (OP_CONTROL | OP_RANDOM)) || !node_version(n))
        return false;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].value && !in[i])
            return false;
    return true;
}

int op_fold(const struct node *n, const struct tensor *const *in, struct tensor **out,
            struct arena *a, size_t max_bytes, struct ctx *ctx)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        out[i] = NULL;
    if (!can_fold(n, in))
        return 1;
    struct arena *scratch = arena_new();
    const struct tensor **usable = arena_array(scratch, (size_t)n->n_inputs + 1, sizeof *usable);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        usable[i] = aligned(in[i], scratch);
    struct fold f = {.arena = a, .left = max_bytes};
    f.e = (struct eval){.node = n,
                        .version = node_version(n),
                        .n_in = n->n_inputs,
                        .n_out = n->n_outputs,
                        .in = usable,
                        .out = out,
                        .scratch = scratch,
                        .keep = a,
                        .ctx = ctx,
                        .host = &fold_host,
                        .exec = &f};
    int rc = run(&f);
    arena_free(scratch);
    return rc;
}

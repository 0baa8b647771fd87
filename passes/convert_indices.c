/* Constant 64-bit indices become 32-bit ones.
 *
 * Before:  y = Gather(x, i)           i: int64 constant        also GatherElements, ScatterElements, Slice
 * After:   y = Gather(x, i)           i: int32 constant
 * When:    the target computes int32 and no int64, or the pass is named; all indices of the node are
 * constant and fit. Ends of Slice that mean "to the end" become the largest int32. Numerics: EXACT.
 */
#include "base/num.h"
#include "rewrite/rewrite.h"
#include "targets/target.h"

PASS_OPS(convert_indices, "Gather", "GatherElements", "ScatterElements", "Slice");

static bool is_due(const struct pass_run *r, const struct node *n)
{
    const struct target *t = pass_target(r);
    bool wanted = t ? t->dtypes && !(t->dtypes >> DT_INT64 & 1) && (t->dtypes >> DT_INT32 & 1)
                    : pass_plan(r)->names != NULL;
    return wanted && node_is_onnx(n) && node_version(n) && graph_opset(n->graph, "") >= 10;
}

static uint32_t last_index(const struct node *n) { return node_is(n, "Slice") ? n->n_inputs : 2; }

static bool fits(int64_t x, bool slice)
{
    return (x >= INT32_MIN && x <= INT32_MAX) || (slice && (x >= INT32_MAX || x <= -INT32_MAX));
}

/* Whether any index is int64; *why: one that cannot be changed. */
static bool has_wide(const struct node *n, const char **why)
{
    bool wide = false;
    for (uint32_t i = 1; i < last_index(n) && i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        const struct tensor *t = v ? constant_of(v) : NULL;
        if (!v || value_dtype(v) != DT_INT64)
            continue;
        wide = true;
        if (!t)
            *why = "an index is computed";
        for (int64_t k = 0; t && k < t->count; k++)
            if (!fits(tensor_get_int(t, k), node_is(n, "Slice")))
                *why = "an index does not fit 32 bits";
    }
    return wide;
}

static struct tensor *narrowed(struct model *m, const struct tensor *t)
{
    struct tensor *y = tensor_new(m->arena, DT_INT32, t->rank, t->dims);
    for (int64_t k = 0; k < t->count; k++)
        num_set_int(tensor_writable(y), DT_INT32, k,
                    num_clamp(tensor_get_int(t, k), INT32_MIN, INT32_MAX));
    return y;
}

int visit_convert_indices(struct pass_run *r, struct node *n)
{
    const char *why = NULL;
    if (!is_due(r, n) || !node_input(n, 1) || !has_wide(n, &why))
        return 0;
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "its indices became int32");
    for (uint32_t i = 1; i < last_index(n) && i < n->n_inputs; i++) {
        struct value *v = n->inputs[i].value;
        if (!v || value_dtype(v) != DT_INT64)
            continue;
        node_set_input(n, i, constant_new(n, narrowed(n->graph->model, constant_of(v)), v));
        rewrite_drop_value(v);
    }
    return 0;
}

/* The model goes to another opset of ai.onnx, up or down.
 *
 * Before:  opset 17    y = ReduceMean<axes=[1]>(x)
 * After:   opset 18    y = ReduceMean(x, axes)        axes: initializer [1]
 * When:    the plan names an opset, and every node can be written there: as it stands, or in the
 * form that opset has (src/targets/opset_up.c, opset_down.c). A node that cannot is refused with
 * the reason, and then nothing changes: what is newer than the opset has to be decomposed first.
 * Model-local functions have to be inlined first. Numerics: EXACT.
 */
#include "rewrite/rewrite.h"
#include "targets/opset_convert.h"

int run_convert_opset(struct pass_run *r, struct model *m)
{
    int64_t from = graph_opset(m->graph, ""), to = pass_plan(r)->opset;
    bool fits = true;
    if (!to || !from || from == to)
        return 0;
    struct arena *a = arena_new();
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        const char *why = opset_covers(n) ? opset_problem(n, from, to, a) : NULL;
        if (why)
            pass_refused(r, n, "%s", why);
        fits &= !why;
    }
    arena_free(a);
    if (!fits)
        return 0;
    opset_apply(m, to);
    pass_rewrote_model(r, "opset %lld became %lld", (long long)from, (long long)to);
    return 0;
}

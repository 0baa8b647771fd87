/* Initializers of models of IR versions below 4.
 *
 * Until IR version 3 an initializer had to be listed among the graph's inputs as well, and nobody
 * could override it (ONNX, IR.md: since version 4 an initializer that is an input is a default
 * value). So a pass may fold it, but what it leaves must be listed again and what it drops must
 * not: an entry without its initializer would be an input that a caller has to feed. Keeping the
 * version is what a user of an old runtime needs, and raising it would turn every listed weight
 * into a default value that newer runtimes refuse to fold.
 */
#include "rewrite/old_ir.h"

static bool listed(const struct model *m) { return m->ir_version > 0 && m->ir_version < 4; }

static bool is_live(const struct graph *g)
{
    while (g->parent && !g->parent->removed)
        g = g->parent->graph;
    return !g->parent;
}

static size_t nested_initializers(const struct model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->graphs.count; i++) {
        const struct graph *g = m->graphs.data[i];
        for (size_t k = 0; g != m->graph && is_live(g) && k < g->initializers.count; k++)
            count += !g->initializers.data[k]->removed;
    }
    return count;
}

void old_ir_begin(struct old_ir *o, struct model *m)
{
    struct graph *g = m->graph;
    *o = (struct old_ir){.nested = 0};
    if (!listed(m))
        return;
    o->nested = nested_initializers(m);
    for (size_t i = 0; i < g->initializers.count; i++)
        if (!g->initializers.data[i]->removed && !g->initializers.data[i]->is_input)
            vec_push(&o->loose, g->initializers.data[i]);
    size_t kept = 0;
    for (size_t i = 0; i < g->inputs.count; i++) {
        struct value *v = g->inputs.data[i];
        vec_push(&o->inputs, v);
        v->is_input = !v->constant;
        if (v->is_input)
            g->inputs.data[kept++] = v;
    }
    g->inputs.count = kept;
}

/* true: an entry is gone. */
static bool restore(const struct old_ir *o, struct graph *g)
{
    bool changed = false;
    g->inputs.count = 0;
    for (size_t i = 0; i < o->inputs.count; i++) {
        struct value *v = o->inputs.data[i];
        if (v->removed || !(v->is_input || v->constant)) {
            changed = true;
            continue;
        }
        v->is_input = true;
        vec_push(&g->inputs, v);
    }
    return changed;
}

/* true: there was one. */
static bool list_new(const struct old_ir *o, struct graph *g)
{
    bool changed = false;
    for (size_t i = 0; i < o->loose.count; i++)
        o->loose.data[i]->is_input = true; /* for the moment: they stay out */
    for (size_t i = 0; i < g->initializers.count; i++) {
        struct value *v = g->initializers.data[i];
        if (v->removed || v->is_input)
            continue;
        v->is_input = changed = true;
        vec_push(&g->inputs, v);
    }
    for (size_t i = 0; i < o->loose.count; i++)
        o->loose.data[i]->is_input = false;
    return changed;
}

static void raise(struct model *m)
{
    diag_report(m->ctx->diag, E_PASS_IR, NULL, "IR version %lld became 4",
                (long long)m->ir_version);
    m->ir_version = 4;
    m->ir_dirty = true;
    graph_touch(m->graph);
}

void old_ir_end(struct old_ir *o, struct model *m)
{
    if (listed(m) && nested_initializers(m) > o->nested) {
        raise(m);
    } else if (listed(m)) {
        bool gone = restore(o, m->graph), new = list_new(o, m->graph);
        if (gone || new)
            graph_touch(m->graph);
    }
    vec_free(&o->inputs);
    vec_free(&o->loose);
}

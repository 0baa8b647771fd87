/* Entering graphs during shape inference: bodies of model-local functions, and subgraphs of control
 * flow.
 *
 * A function is inferred where it is called, as if its body stood there: its inputs are the
 * caller's values, references to attributes read the call's. Called twice with the same inputs the
 * result is remembered, so that functions that call functions cost what their bodies cost. A walk
 * that visits nodes too often (nested loops and calls multiply) stops entering: types stay unknown,
 * with a warning.
 */
#include <string.h>

#include "ops/infer.h"

/* ---- attribute references ---- */

static const struct attr *frame_attr(const struct frame *f, const char *name)
{
    const struct attr *given = node_attr(f->call, name);
    if (given)
        return given;
    for (size_t i = 0; i < f->function->defaults.count; i++)
        if (!strcmp(f->function->defaults.data[i]->name, name))
            return f->function->defaults.data[i];
    return NULL;
}

static bool has_references(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (n->attrs[i]->ref)
            return true;
    return false;
}

const struct node *frame_resolve(struct walk *w, const struct node *n)
{
    if (!w->frame || !has_references(n))
        return n;
    struct node *copy = arena_copy(w->scratch, n, sizeof *n);
    copy->attrs = arena_array(w->scratch, (size_t)n->n_attrs + 1, sizeof *copy->attrs);
    copy->n_attrs = 0;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *given =
            n->attrs[i]->ref ? frame_attr(w->frame, n->attrs[i]->ref) : n->attrs[i];
        if (!given)
            continue; /* the call does not give it: the operator's default holds */
        struct attr *a = arena_copy(w->scratch, given, sizeof *a);
        a->name = n->attrs[i]->name;
        copy->attrs[copy->n_attrs++] = a;
    }
    return copy;
}

/* ---- limits ---- */

static bool exhausted(struct walk *w)
{
    if (w->work <= w->work_limit)
        return false;
    if (!w->limit_said)
        diag_report(w->m->ctx->diag, E_SHAPE_LIMIT, NULL,
                    "after %lld node visits, loops and calls are not entered again",
                    (long long)w->work);
    return w->limit_said = true;
}

static int check_depth(struct walk *w, const struct node *n)
{
    struct where where = {.node = node_label(n)};
    for (const struct frame *f = w->frame; f; f = f->outer)
        if (f->function == n->function)
            return diag_report(w->m->ctx->diag, E_SHAPE_DEPTH, &where, "function '%s' calls itself",
                               n->function->name);
    if (w->function_depth >= INFER_FUNCTION_DEPTH)
        return diag_report(w->m->ctx->diag, E_SHAPE_DEPTH, &where,
                           "functions call each other %d deep", INFER_FUNCTION_DEPTH);
    return 0;
}

/* ---- functions ---- */

static bool slots_equal(const struct infer_slot *a, const struct infer_slot *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (a[i].given != b[i].given || a[i].data != b[i].data || a[i].values != b[i].values ||
            !type_equal(&a[i].type, &b[i].type))
            return false;
    return true;
}

static const struct infer_slot *keep_slots(struct walk *w, const struct infer_slot *s, uint32_t n)
{
    struct infer_slot *kept = arena_copy(w->facts->arena, s, n * sizeof *s);
    for (uint32_t i = 0; i < n; i++)
        kept[i].type = type_copy(w->facts->arena, &s[i].type);
    return kept;
}

/* The outputs that an equal call gave before. Calls with attributes are always walked. */
static bool recall(struct walk *w, const struct node *n, const struct engine *g)
{
    const struct memo *m = map_get_u64(&w->memos, (uint64_t)(uintptr_t)n->function);
    if (!m || n->n_attrs || m->n_in != g->n_in || m->n_out != g->n_out ||
        !slots_equal(m->in, g->in, g->n_in))
        return false;
    for (uint32_t i = 0; i < g->n_out; i++) {
        bool given = g->out[i].given;
        g->out[i] = m->out[i];
        g->out[i].given = given;
    }
    return true;
}

static void remember(struct walk *w, const struct node *n, const struct engine *g)
{
    if (n->n_attrs)
        return;
    struct memo *m = arena_alloc(w->facts->arena, sizeof *m);
    *m = (struct memo){keep_slots(w, g->in, g->n_in), keep_slots(w, g->out, g->n_out), g->n_in,
                       g->n_out};
    *map_slot_u64(&w->memos, (uint64_t)(uintptr_t)n->function) = m;
}

static int walk_body(struct walk *w, const struct graph *body, const struct infer_slot *in,
                     uint32_t n_in, struct infer_slot *out, uint32_t n_out)
{
    static const struct infer_slot absent = {.type = {.rank = -1}};
    struct arena *outer = w->scratch;
    w->scratch = arena_new();
    int rc = 0;
    for (uint32_t i = 0; !rc && i < body->inputs.count; i++)
        rc = walk_commit(w, body->inputs.data[i], i < n_in ? &in[i] : &absent);
    if (!rc)
        rc = walk_graph(w, body);
    for (uint32_t i = 0; !rc && i < n_out && i < body->outputs.count; i++) {
        bool given = out[i].given;
        walk_slot(w, body->outputs.data[i]->value, &out[i]);
        out[i].given = given;
    }
    arena_free(w->scratch);
    w->scratch = outer;
    return rc;
}

int walk_function(struct walk *w, const struct node *n, struct infer *c)
{
    struct engine *g = engine_of(c);
    int rc = check_depth(w, n);
    if (rc)
        return rc;
    if (recall(w, n, g) || exhausted(w))
        return 0;
    struct frame frame = {n, n->function, w->frame, NULL};
    frame.path = arena_printf(c->arena, "%s%s/", w->frame ? w->frame->path : "", node_label(n));
    w->frame = &frame;
    w->function_depth++;
    rc = walk_body(w, n->function->body, g->in, g->n_in, g->out, g->n_out);
    w->function_depth--;
    w->frame = frame.outer;
    if (!rc)
        remember(w, n, g);
    return rc;
}

/* ---- subgraphs ---- */

bool infer_may_enter(struct infer *c)
{
    struct walk *w = engine_of(c)->walk;
    return w && !exhausted(w);
}

int infer_enter(struct infer *c, struct graph *g, const struct infer_slot *in, uint32_t n_in,
                struct infer_slot *out, uint32_t n_out, bool maybe_dead)
{
    struct walk *w = engine_of(c)->walk;
    if (g->inputs.count != n_in || g->outputs.count < n_out)
        return infer_fail(c, "the subgraph has %zu inputs and %zu outputs, expected %u and %u",
                          g->inputs.count, g->outputs.count, n_in, n_out);
    w->lenient += maybe_dead;
    int rc = walk_body(w, g, in, n_in, out, n_out);
    w->lenient -= maybe_dead;
    return rc;
}

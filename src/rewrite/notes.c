/* What the passes say about their work: the log of rewrites and refusals.
 *
 * A refusal belongs to a node: said again it is kept once, and it goes when the node is rewritten
 * or removed after all.
 */
#include <stdarg.h>
#include <string.h>

#include "rewrite/manager.h"
#include "targets/target.h"

/* "domain::Type" or "Type". */
static const struct op *named_operator(const char *name)
{
    char domain[64] = "";
    const char *colons = strstr(name, "::");
    if (!colons || (size_t)(colons - name) >= sizeof domain)
        return op_find("", name);
    memcpy(domain, name, (size_t)(colons - name));
    return op_find(domain, colons + 2);
}

void pass_run_init(struct pass_run *r, const struct pass *p, struct manager *g)
{
    *r = (struct pass_run){.pass = p, .manager = g, .result.pass = p};
    r->ignored = bitset_new(op_total() + 1);
    for (size_t i = 0; p->ops && i <= op_total(); i++)
        bitset_add(&r->ignored, i);
    for (size_t i = 0; p->ops && p->ops[i]; i++) {
        const struct op *op = named_operator(p->ops[i]);
        if (op)
            bitset_drop(&r->ignored, (size_t)(op - op_at(0)) + 1);
    }
}

static struct pass_note *noted(struct pass_run *r, const struct node *n)
{
    uintptr_t place = (uintptr_t)map_get_u64(&r->refused, n->id);
    return place && place <= r->result.refusals.count ? &r->result.refusals.data[place - 1] : NULL;
}

static const char *own_label(struct pass_run *r, const struct node *n)
{
    return arena_string(r->manager->log->arena, node_label(n));
}

void pass_rewrote(struct pass_run *r, const struct node *n, const char *what, ...)
{
    struct pass_note *refusal = noted(r, n);
    if (refusal)
        refusal->text = NULL;
    r->result.rewrites++;
    if (r->result.rewritten.count >= PASS_NOTES)
        return;
    va_list args;
    va_start(args, what);
    const char *text = arena_vprintf(r->manager->log->arena, what, args);
    va_end(args);
    vec_push(&r->result.rewritten, ((struct pass_note){own_label(r, n), text}));
}

void pass_rewrote_function(struct pass_run *r, const struct function *f, const char *what)
{
    struct arena *a = r->manager->log->arena;
    r->result.rewrites++;
    if (r->result.rewritten.count < PASS_NOTES)
        vec_push(&r->result.rewritten,
                 ((struct pass_note){arena_string(a, f->name), arena_string(a, what)}));
}

void pass_rewrote_model(struct pass_run *r, const char *what, ...)
{
    for (size_t i = 0; i < r->result.refusals.count; i++)
        r->result.refusals.data[i].text = NULL;
    r->result.rewrites++;
    va_list args;
    va_start(args, what);
    const char *text = arena_vprintf(r->manager->log->arena, what, args);
    va_end(args);
    vec_push(&r->result.rewritten, ((struct pass_note){"", text}));
}

void pass_refused(struct pass_run *r, const struct node *n, const char *why, ...)
{
    struct pass_note *before = noted(r, n);
    va_list args;
    va_start(args, why);
    const char *text = arena_vprintf(r->manager->log->arena, why, args);
    va_end(args);
    if (before) {
        before->text = text;
        return;
    }
    void **place = map_slot_u64(&r->refused, n->id);
    if (*place)
        return;
    vec_push(&r->result.refusals, ((struct pass_note){own_label(r, n), text}));
    vec_push(&r->refused_nodes, n->id);
    *place = (void *)(uintptr_t)r->result.refusals.count;
}

static void settle_refusals(struct pass_run *r)
{
    const struct model *m = r->manager->m;
    size_t kept = 0;
    r->result.refused = 0;
    for (size_t i = 0; i < r->result.refusals.count; i++) {
        struct pass_note note = r->result.refusals.data[i];
        if (!note.text || m->nodes.data[r->refused_nodes.data[i]]->removed)
            continue;
        r->result.refused++;
        if (kept < PASS_NOTES)
            r->result.refusals.data[kept++] = note;
    }
    r->result.refusals.count = kept;
}

void pass_run_finish(struct pass_run *r)
{
    settle_refusals(r);
    vec_push(&r->manager->log->results, r->result);
    vec_free(&r->refused_nodes);
    map_release(&r->refused);
    bitset_release(&r->ignored);
}

void pass_log_release(struct pass_log *log)
{
    for (size_t i = 0; i < log->results.count; i++) {
        vec_free(&log->results.data[i].refusals);
        vec_free(&log->results.data[i].rewritten);
    }
    vec_free(&log->results);
    arena_free(log->arena);
    *log = (struct pass_log){0};
}

/* ---- what a pass may ask its run ---- */

void pass_ignores(struct pass_run *r, const struct node *n)
{
    if (n->op)
        bitset_add(&r->ignored, (size_t)(n->op - op_at(0)) + 1);
}

struct ctx *pass_ctx(const struct pass_run *r) { return r->manager->m->ctx; }
const struct pass_plan *pass_plan(const struct pass_run *r) { return r->manager->plan; }
int pass_sweep(const struct pass_run *r) { return r->manager->sweep; }
const struct target *pass_target(const struct pass_run *r) { return r->manager->plan->target; }

int64_t pass_opset(const struct pass_run *r, const struct node *at, const char *domain)
{
    int64_t planned = *domain ? 0 : r->manager->plan->opset;
    return planned ? planned : graph_opset(at->graph, domain);
}

bool pass_knows(const struct pass_run *r, const struct node *at, const char *domain,
                const char *op_type, enum dtype dtype)
{
    return target_knows(pass_target(r), domain, op_type, pass_opset(r, at, domain), dtype);
}

void *pass_state(struct pass_run *r, size_t bytes)
{
    if (!r->state)
        r->state = arena_alloc(r->manager->arena, bytes);
    return r->state;
}

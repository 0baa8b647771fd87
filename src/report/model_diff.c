/* Comparing two models graph by graph; linear in both. */
#include "report/model_diff.h"

#include <string.h>

#include "base/map.h"
#include "report/facts.h"
#include "report/attr_text.h"

struct walk {
    struct model_diff *d;
    const char *path; /* "" or "node/attribute/" */
};

static void note(const struct walk *w, enum change change, enum change_kind kind, const char *name,
                 const char *what)
{
    struct model_diff *d = w->d;
    vec_push(&d->list, ((struct difference){change, kind,
                                            arena_printf(d->arena, "%s%s", w->path, name), what}));
    d->counts[kind][change]++;
}

static const char *arrow(const struct walk *w, const char *from, const char *to)
{
    return arena_printf(w->d->arena, "%s -> %s", from, to);
}

/* ---- values and tensors ---- */

static void diff_types(const struct walk *w, enum change_kind kind, const struct value *a,
                       const struct value *b)
{
    const char *from = facts_type_text(&a->type, w->d->arena),
               *to = facts_type_text(&b->type, w->d->arena);
    if (strcmp(from, to))
        note(w, CHANGE_CHANGED, kind, a->name, arrow(w, from, to));
}

/* Graph inputs or outputs, by position: an interface is a list. */
static void diff_interface(const struct walk *w, enum change_kind kind,
                           const struct value *const *a, size_t n_a, const struct value *const *b,
                           size_t n_b)
{
    for (size_t i = 0; i < n_a || i < n_b; i++) {
        if (i >= n_b) {
            note(w, CHANGE_REMOVED, kind, a[i]->name, facts_type_text(&a[i]->type, w->d->arena));
        } else if (i >= n_a) {
            note(w, CHANGE_ADDED, kind, b[i]->name, facts_type_text(&b[i]->type, w->d->arena));
        } else if (strcmp(a[i]->name, b[i]->name)) {
            note(w, CHANGE_CHANGED, kind, a[i]->name, arrow(w, a[i]->name, b[i]->name));
        } else {
            diff_types(w, kind, a[i], b[i]);
        }
    }
}

static const char *tensor_text(const struct walk *w, const struct value *v)
{
    const struct tensor *t = v->constant;
    const char *text = arena_printf(w->d->arena, "%s[", dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        text = arena_printf(w->d->arena, "%s%s%lld", text, i ? "," : "", (long long)t->dims[i]);
    return arena_printf(w->d->arena, "%s]", text);
}

static bool is_live(const struct value *v) { return !v->removed && v->constant && !v->sparse; }

static void diff_tensors(const struct walk *w, const struct graph *a, const struct graph *b)
{
    struct map known = {0};
    for (size_t i = 0; i < b->initializers.count; i++)
        if (is_live(b->initializers.data[i]))
            *map_slot_str(&known, b->initializers.data[i]->name) = b->initializers.data[i];
    for (size_t i = 0; i < a->initializers.count; i++) {
        const struct value *v = a->initializers.data[i], *u = map_get_str(&known, v->name);
        if (!is_live(v))
            continue;
        map_remove(&known, v->name, strlen(v->name));
        if (!u)
            note(w, CHANGE_REMOVED, DIFF_TENSOR, v->name, tensor_text(w, v));
        else if (!tensor_same(v->constant, u->constant))
            note(w, CHANGE_CHANGED, DIFF_TENSOR, v->name,
                 strcmp(tensor_text(w, v), tensor_text(w, u))
                     ? arrow(w, tensor_text(w, v), tensor_text(w, u))
                     : "contents");
    }
    for (size_t i = 0; i < known.used; i++)
        if (known.entries[i].hash)
            note(w, CHANGE_ADDED, DIFF_TENSOR, known.entries[i].key,
                 tensor_text(w, known.entries[i].value));
    map_release(&known);
}

/* ---- nodes ---- */

static const char *op_text(const struct walk *w, const struct node *n)
{
    return n->domain[0] ? arena_printf(w->d->arena, "%s::%s", n->domain, n->op_type) : n->op_type;
}

static const char *input_name(const struct node *n, uint32_t i)
{
    return node_input(n, i) ? node_input(n, i)->name : "";
}

static void diff_graph(const struct walk *w, const struct graph *a, const struct graph *b);

static void diff_attr(const struct walk *w, const struct node *n, const struct attr *a,
                      const struct attr *b)
{
    if (a && b && a->type == ATTR_GRAPH && b->type == ATTR_GRAPH && a->graph && b->graph) {
        struct walk inner = {
            w->d, arena_printf(w->d->arena, "%s%s/%s/", w->path, node_label(n), a->name)};
        diff_graph(&inner, a->graph, b->graph);
        return;
    }
    const char *from = a ? attr_text(a, w->d->arena) : "(none)",
               *to = b ? attr_text(b, w->d->arena) : "(none)";
    bool same = a && b && a->type == b->type && !strcmp(from, to);
    if (same && a->type == ATTR_TENSOR)
        same = tensor_same(a->tensor, b->tensor);
    if (!same)
        note(w, CHANGE_CHANGED, DIFF_NODE, node_label(n),
             arena_printf(w->d->arena, "%s %s -> %s", a ? a->name : b->name, from, to));
}

static void diff_node(const struct walk *w, const struct node *a, const struct node *b)
{
    if (strcmp(op_text(w, a), op_text(w, b))) {
        note(w, CHANGE_CHANGED, DIFF_NODE, node_label(a), arrow(w, op_text(w, a), op_text(w, b)));
        return;
    }
    for (uint32_t i = 0; i < a->n_inputs || i < b->n_inputs; i++)
        if (strcmp(input_name(a, i), input_name(b, i)))
            note(w, CHANGE_CHANGED, DIFF_NODE, node_label(a),
                 arena_printf(w->d->arena, "input %u '%s' -> '%s'", (unsigned)i, input_name(a, i),
                              input_name(b, i)));
    for (uint32_t i = 0; i < a->n_attrs; i++)
        diff_attr(w, a, a->attrs[i], node_attr(b, a->attrs[i]->name));
    for (uint32_t i = 0; i < b->n_attrs; i++)
        if (!node_attr(a, b->attrs[i]->name))
            diff_attr(w, a, NULL, b->attrs[i]);
}

/* The name a node is known by: that of the first value it produces. */
static const char *identity(const struct node *n, struct arena *a, int64_t place)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            return n->outputs[i]->name;
    return arena_printf(a, "(%s at %lld)", n->op_type, (long long)place);
}

static void diff_nodes(const struct walk *w, const struct graph *a, const struct graph *b)
{
    struct map known = {0};
    int64_t place = 0;
    for (struct node *n = b->first; n; n = n->next)
        *map_slot_str(&known, identity(n, w->d->arena, place++)) = n;
    place = 0;
    for (struct node *n = a->first; n; n = n->next) {
        const char *name = identity(n, w->d->arena, place++);
        const struct node *other = map_get_str(&known, name);
        map_remove(&known, name, strlen(name));
        if (other)
            diff_node(w, n, other);
        else
            note(w, CHANGE_REMOVED, DIFF_NODE, node_label(n), op_text(w, n));
    }
    for (size_t i = 0; i < known.used; i++)
        if (known.entries[i].hash)
            note(w, CHANGE_ADDED, DIFF_NODE, node_label(known.entries[i].value),
                 op_text(w, known.entries[i].value));
    map_release(&known);
}

static const struct value *const *outputs_of(const struct walk *w, const struct graph *g)
{
    const struct value **list = arena_array(w->d->arena, g->outputs.count, sizeof *list);
    for (size_t i = 0; i < g->outputs.count; i++)
        list[i] = g->outputs.data[i]->value;
    return list;
}

static void diff_graph(const struct walk *w, const struct graph *a, const struct graph *b)
{
    diff_interface(w, DIFF_INPUT, (const struct value *const *)a->inputs.data, a->inputs.count,
                   (const struct value *const *)b->inputs.data, b->inputs.count);
    diff_interface(w, DIFF_OUTPUT, outputs_of(w, a), a->outputs.count, outputs_of(w, b),
                   b->outputs.count);
    diff_tensors(w, a, b);
    diff_nodes(w, a, b);
}

/* ---- the model ---- */

static int64_t version_of(const struct model *m, const char *domain)
{
    return graph_opset(m->graph, domain);
}

static void diff_opsets(const struct walk *w, const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->opsets.count + b->opsets.count; i++) {
        bool first = i < a->opsets.count;
        const char *domain =
            first ? a->opsets.data[i].domain : b->opsets.data[i - a->opsets.count].domain;
        int64_t from = version_of(a, domain), to = version_of(b, domain);
        if (from == to || (!first && from))
            continue;
        note(w,
             !from ? CHANGE_ADDED
             : !to ? CHANGE_REMOVED
                   : CHANGE_CHANGED,
             DIFF_MODEL, arena_printf(w->d->arena, "opset %s", domain[0] ? domain : "ai.onnx"),
             arena_printf(w->d->arena, "%lld -> %lld", (long long)from, (long long)to));
    }
}

static const char *metadata_of(const struct model *m, const char *key)
{
    for (size_t i = 0; i < m->metadata.count; i++)
        if (!strcmp(m->metadata.data[i].key, key))
            return m->metadata.data[i].value;
    return NULL;
}

static void diff_metadata(const struct walk *w, const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->metadata.count; i++) {
        const char *key = a->metadata.data[i].key, *to = metadata_of(b, key);
        if (!to || strcmp(a->metadata.data[i].value, to))
            note(w, to ? CHANGE_CHANGED : CHANGE_REMOVED, DIFF_MODEL,
                 arena_printf(w->d->arena, "metadata %s", key), "");
    }
    for (size_t i = 0; i < b->metadata.count; i++)
        if (!metadata_of(a, b->metadata.data[i].key))
            note(w, CHANGE_ADDED, DIFF_MODEL,
                 arena_printf(w->d->arena, "metadata %s", b->metadata.data[i].key), "");
}

static struct function *find_function(const struct model *m, const struct function *f)
{
    for (size_t i = 0; i < m->functions.count; i++) {
        struct function *g = m->functions.data[i];
        if (!g->removed && !strcmp(g->name, f->name) && !strcmp(g->domain, f->domain) &&
            !strcmp(g->overload, f->overload))
            return g;
    }
    return NULL;
}

static void diff_functions(const struct walk *w, const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->functions.count; i++) {
        const struct function *f = a->functions.data[i], *g = find_function(b, f);
        const char *name = arena_printf(w->d->arena, "function %s::%s", f->domain, f->name);
        struct walk inner = {w->d, arena_printf(w->d->arena, "%s/", name)};
        if (g && !f->removed)
            diff_graph(&inner, f->body, g->body);
        else if (!f->removed)
            note(w, CHANGE_REMOVED, DIFF_MODEL, name, "");
    }
    for (size_t i = 0; i < b->functions.count; i++) {
        const struct function *f = b->functions.data[i];
        if (!f->removed && !find_function(a, f))
            note(w, CHANGE_ADDED, DIFF_MODEL,
                 arena_printf(w->d->arena, "function %s::%s", f->domain, f->name), "");
    }
}

void model_diff(const struct model *a, const struct model *b, struct model_diff *d)
{
    struct walk w = {d, ""};
    if (a->ir_version != b->ir_version)
        note(&w, CHANGE_CHANGED, DIFF_MODEL, "IR version",
             arena_printf(d->arena, "%lld -> %lld", (long long)a->ir_version,
                          (long long)b->ir_version));
    diff_opsets(&w, a, b);
    diff_metadata(&w, a, b);
    diff_graph(&w, a->graph, b->graph);
    diff_functions(&w, a, b);
}

const char *diff_kind_name(enum change_kind kind)
{
    static const char *const NAMES[] = {"model", "input", "output", "tensor", "node"};
    return NAMES[kind];
}

const char *change_name(enum change change)
{
    static const char *const NAMES[] = {"added", "removed", "changed"};
    return NAMES[change];
}

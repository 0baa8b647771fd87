/* Counting a model. Functions are counted once per call, as everyone who inlines them would. */
#include "report/facts.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"

struct counter {
    struct model_facts *f;
    struct arena *arena;
    struct map seen; /* operator name -> 1 + index */
};

static void count_tensor(struct counter *c, const struct tensor *t)
{
    if (!t)
        return;
    c->f->bytes[t->dtype] += (int64_t)t->bytes;
    if (dtype_is_float(t->dtype) || (dtype_bits(t->dtype) <= 16 && dtype_is_int(t->dtype)))
        c->f->parameters += t->count;
}

static void count_op(struct counter *c, const struct node *n)
{
    const char *name =
        n->domain[0] ? arena_printf(c->arena, "%s::%s", n->domain, n->op_type) : n->op_type;
    void **slot = map_slot_str(&c->seen, name);
    if (!*slot) {
        vec_push(&c->f->ops, ((struct op_count){name, 0}));
        *slot = (void *)(uintptr_t)c->f->ops.count;
    }
    c->f->ops.data[(uintptr_t)*slot - 1].count++;
}

/* Operators whose operands are quantized by themselves, as opposed to Q/DQ pairs around float ones. */
static bool is_qoperator(const char *op_type)
{
    static const char *const EXACT[] = {"MatMulInteger", "ConvInteger", "QGemm",
                                        "QAttention",    "MatMulNBits", NULL};
    for (int i = 0; EXACT[i]; i++)
        if (!strcmp(op_type, EXACT[i]))
            return true;
    return !strncmp(op_type, "QLinear", 7) || !strncmp(op_type, "DynamicQuantize", 15);
}

static void count_graph(struct counter *c, const struct graph *g);

static void count_node(struct counter *c, const struct node *n)
{
    struct model_facts *f = c->f;
    f->nodes++;
    count_op(c, n);
    f->q_nodes += !strcmp(n->op_type, "QuantizeLinear");
    f->dq_nodes += !strcmp(n->op_type, "DequantizeLinear");
    f->qoperator_nodes += is_qoperator(n->op_type);
    int64_t macs;
    int known = n->op && n->op->macs ? n->op->macs(n, &macs) : 1;
    if (known == 0)
        f->macs += macs;
    f->macs_unknown += known < 0;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_TENSOR && !a->ref)
            count_tensor(c, a->tensor);
        if (a->type == ATTR_GRAPH && a->graph)
            count_graph(c, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            count_graph(c, a->graphs[k]);
    }
    if (n->function)
        count_graph(c, n->function->body);
}

static void count_graph(struct counter *c, const struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++)
        if (!g->initializers.data[i]->removed)
            count_tensor(c, g->initializers.data[i]->constant);
    for (const struct node *n = g->first; n; n = n->next)
        count_node(c, n);
}

static int by_count(const void *a, const void *b)
{
    const struct op_count *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->name, y->name);
}

static void collect_symbols(const struct model *m, struct counter *c)
{
    struct map seen = {0};
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        const struct type *t = &m->graph->inputs.data[i]->type;
        for (int k = 0; t->kind == TYPE_TENSOR && k < t->rank; k++) {
            const char *name = t->dims[k] ? dim_symbol_name(t->dims[k]) : NULL;
            if (!name || map_has_str(&seen, name))
                continue;
            *map_slot_str(&seen, name) = c;
            vec_push(&c->f->symbols, arena_string(c->arena, name));
        }
    }
    map_release(&seen);
}

void facts_collect(const struct model *m, struct arena *a, struct model_facts *f)
{
    *f = (struct model_facts){.nodes_main = m->graph->n_nodes};
    struct counter c = {f, a, {0}};
    count_graph(&c, m->graph);
    collect_symbols(m, &c);
    if (f->ops.count)
        qsort(f->ops.data, f->ops.count, sizeof *f->ops.data, by_count);
    map_release(&c.seen);
}

void facts_release(struct model_facts *f)
{
    vec_free(&f->ops);
    vec_free(&f->symbols);
}

/* ---- types as text ---- */

enum { DIM_TEXT = 256 };

static void json_dim(struct json_writer *w, dim_t d)
{
    char text[DIM_TEXT];
    int64_t size;
    if (dim_is_const(d, &size)) {
        jw_int(w, size);
    } else if (d) {
        dim_text(d, text, sizeof text);
        jw_string(w, text);
    } else {
        jw_null(w);
    }
}

void facts_json_keys(struct json_writer *w, const struct value *v)
{
    const struct type *t = &v->type;
    jw_key_string(w, "name", v->name);
    jw_key_string(w, "dtype", t->kind == TYPE_TENSOR ? dtype_name(t->dtype) : "");
    jw_key(w, "shape");
    if (t->kind == TYPE_TENSOR && t->rank >= 0) {
        jw_array_inline(w);
        for (int i = 0; i < t->rank; i++)
            json_dim(w, t->dims[i]);
        jw_end(w);
    } else {
        jw_null(w);
    }
}

void facts_json_value(struct json_writer *w, const struct value *v)
{
    jw_object(w);
    facts_json_keys(w, v);
    jw_end(w);
}

static const char *const KINDS[] = {"unknown",  "tensor", "sparse tensor", "sequence",
                                    "optional", "map",    "opaque"};

const char *facts_type_text(const struct type *t, struct arena *a)
{
    if (t->kind != TYPE_TENSOR)
        return t->elem ? arena_printf(a, "%s of %s", KINDS[t->kind], facts_type_text(t->elem, a))
                       : KINDS[t->kind];
    if (t->rank < 0)
        return arena_printf(a, "%s[...]", dtype_name(t->dtype));
    const char *text = arena_printf(a, "%s[", dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++) {
        char dim[DIM_TEXT];
        dim_text(t->dims[i], dim, sizeof dim);
        text = arena_printf(a, "%s%s%s", text, i ? "," : "", dim);
    }
    return arena_printf(a, "%s]", text);
}

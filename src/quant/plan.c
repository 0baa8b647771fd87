/* Which nodes are quantized: walks the main graph once, applies the rules, then drops groups that
 * no computing operator needs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ir/edit.h"
#include "quant/plan.h"

void plan_fit(struct quant_plan *p)
{
    while (p->marks.count < p->model->n_values) {
        struct quant_mark own = {.parent = (uint32_t)p->marks.count, .axis = -1};
        vec_push(&p->marks, own);
    }
    while (p->quantized.count < p->model->n_nodes)
        vec_push(&p->quantized, false);
}

static int check_precision(const struct quant_plan *p)
{
    const struct quant_settings *s = &p->settings;
    bool a = target_dtype(&s->target->activation, s->activation_bits) != DT_UNDEFINED;
    bool w = target_dtype(&s->target->weight, s->weight_bits) != DT_UNDEFINED;
    if (a && w)
        return 0;
    return diag_report(p->model->ctx->diag, E_QUANT_PRECISION, NULL, "target '%s' has no %d-bit %s",
                       s->target->name, a ? s->weight_bits : s->activation_bits,
                       a ? "weights" : "activations");
}

static bool is_quantized_form(const struct node *n)
{
    static const char *const NAMES[] = {"QuantizeLinear", "DequantizeLinear",
                                        "DynamicQuantizeLinear"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(n->op_type, NAMES[i]) == 0)
            return true;
    return strncmp(n->op_type, "QLinear", 7) == 0 && n->op;
}

static int check_float_model(const struct model *m)
{
    graph_each_node(n, m->graph) if (is_quantized_form(n)) return diag_report(
        m->ctx->diag, E_QUANT_TWICE, &(struct where){.node = node_label(n)},
        "the model holds %s already", n->op_type);
    return 0;
}

/* --keep-float: a pattern that matches nothing is a mistake. */
static int check_globs(const struct quant_plan *p)
{
    const struct model *m = p->model;
    for (size_t i = 0; i < p->settings.n_keep_float; i++) {
        const char *glob = p->settings.keep_float[i];
        struct nearest near = {0};
        bool found = false;
        graph_each_node(n, m->graph)
        {
            found |= text_glob(glob, node_label(n));
            nearest_try(&near, glob, node_label(n));
        }
        char hint[160];
        snprintf(hint, sizeof hint, "did you mean '%.120s'?", near.best ? near.best : "");
        if (!found)
            return diag_report_hint(m->ctx->diag, E_QUANT_KEEP_FLOAT, NULL, near.best ? hint : NULL,
                                    "'%s' matches no node", glob);
    }
    return 0;
}

static bool kept_float(const struct quant_plan *p, const struct node *n)
{
    for (size_t i = 0; i < p->settings.n_keep_float; i++)
        if (text_glob(p->settings.keep_float[i], node_label(n)))
            return true;
    return false;
}

/* Nodes that compute on shapes and indices are none of our business. */
static bool has_float_operand(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && dtype_is_float(n->outputs[i]->type.dtype))
            return true;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = node_input(n, i);
        if (v && dtype_is_float(v->type.dtype))
            return true;
    }
    return false;
}

static bool is_excluded(const struct quant_plan *p, const struct value *v)
{
    return v && p->marks.data[v->id].excluded;
}

static bool at_excluded(const struct quant_plan *p, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (is_excluded(p, node_input(n, i)))
            return true;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (is_excluded(p, n->outputs[i]))
            return true;
    return false;
}

/* Masks of -inf and the like. Weights that are still to be computed are looked at later. */
static bool has_nonfinite_constant(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = node_input(n, i);
        const struct tensor *t = v && rule_is_float(v) ? v->constant : NULL;
        for (int64_t k = 0; t && t->data && k < t->count; k++)
            if (!isfinite(tensor_get(t, k)))
                return true;
    }
    return false;
}

static const char *why_float(struct quant_plan *p, struct node *n)
{
    if (kept_float(p, n))
        return "--keep-float names it";
    if (at_excluded(p, n))
        return "a value at it was never seen, or not finite, on the samples";
    if (has_nonfinite_constant(n))
        return "a constant of it holds NaN or infinities";
    return rule_apply(p, n);
}

static void visit(struct quant_plan *p, struct node *n)
{
    if (!has_float_operand(n))
        return;
    const char *why = why_float(p, n);
    if (why)
        vec_push(&p->floats, ((struct quant_float_node){n, why}));
    else
        p->quantized.data[n->id] = true;
}

static void visit_subgraphs(struct quant_plan *p)
{
    for (size_t i = 0; i < p->model->graphs.count; i++) {
        const struct graph *g = p->model->graphs.data[i];
        if (g == p->model->graph || !g->parent || g->parent->removed)
            continue;
        graph_each_node(n, g) if (has_float_operand(n))
            vec_push(&p->floats, ((struct quant_float_node){n, "it stands inside a subgraph"}));
    }
}

/* A group counts when any member is needed; the others lose their roles. */
static void settle_groups(struct quant_plan *p)
{
    struct quant_mark *m = p->marks.data;
    for (uint32_t i = 0; i < p->marks.count; i++)
        if (m[i].role == ROLE_ACTIVATION && m[i].needed)
            m[group_find(p, i)].needed = true;
    for (uint32_t i = 0; i < p->marks.count; i++)
        if (m[i].role == ROLE_ACTIVATION && !m[group_find(p, i)].needed)
            m[i].role = ROLE_NONE;
}

/* What no role is left for: a data movement whose group was dropped. */
static void settle_nodes(struct quant_plan *p)
{
    graph_each_node(n, p->model->graph)
    {
        if (!p->quantized.data[n->id])
            continue;
        bool any = false;
        for (uint32_t i = 0; i < n->n_outputs && !any; i++)
            any = n->outputs[i] && quant_mark(p, n->outputs[i])->role == ROLE_ACTIVATION;
        for (uint32_t i = 0; i < n->n_inputs && !any; i++)
            any = node_input(n, i) && quant_mark(p, node_input(n, i))->role == ROLE_ACTIVATION;
        p->quantized.data[n->id] = any;
        p->n_quantized += any;
        if (!any)
            vec_push(&p->floats,
                     ((struct quant_float_node){n, "it moves data between float operators"}));
    }
}

static void collect_observed(struct quant_plan *p)
{
    for (uint32_t i = 0; i < p->marks.count; i++) {
        const struct value *v = p->model->values.data[i];
        if (v->removed || value_is_constant(v) || p->marks.data[i].role != ROLE_ACTIVATION)
            continue;
        if (!p->marks.data[i].silent && !p->marks.data[i].has_range)
            vec_push(&p->observed, v);
    }
}

int quant_plan_new(struct quant_plan **out, struct model *m, const struct quant_settings *s)
{
    struct quant_plan *p = mem_alloc(sizeof *p);
    *p = (struct quant_plan){.model = m, .settings = *s, .arena = arena_new()};
    int code = check_precision(p);
    if (!code)
        code = check_float_model(m);
    if (!code)
        code = check_globs(p);
    if (code) {
        quant_plan_free(p);
        return code;
    }
    plan_fit(p);
    for (size_t i = 0; i < s->n_excluded; i++)
        quant_mark(p, s->excluded[i])->excluded = true;
    graph_each_node(n, m->graph) visit(p, n);
    constants_settle(p);
    visit_subgraphs(p);
    settle_groups(p);
    settle_nodes(p);
    collect_observed(p);
    if (!p->n_quantized)
        diag_report(m->ctx->diag, E_QUANT_NOTHING, NULL, "no operator of the model is quantized");
    *out = p;
    return 0;
}

void quant_plan_free(struct quant_plan *p)
{
    if (!p)
        return;
    map_release(&p->copies);
    vec_free(&p->marks);
    vec_free(&p->quantized);
    vec_free(&p->floats);
    vec_free(&p->observed);
    arena_free(p->arena);
    mem_free(p);
}

/* One function per question. Every finding is a row of errors.def; a group of like ones (unnamed
 * nodes, unused weights) is one finding with their number and the first of them. */
#include "report/check_model.h"

#include <string.h>

#include "base/num.h"
#include "onnx/load.h"
#include "ops/op.h"
#include "quant/quant.h"
#include "report/check_qdq.h"
#include "report/shape_ends.h"
#include "targets/target.h"

enum { OLDEST_OPSET = 7 }; /* ops.def begins with the signatures in force there */

void check_found(const struct model *m, enum err id, const struct node *n, const char *format, ...)
{
    struct arena *a = arena_new();
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(a, format, args);
    va_end(args);
    struct where where = {.file = m->path, .node = n ? node_label(n) : NULL};
    diag_report(m->ctx->diag, id, &where, "%s", text);
    arena_free(a);
}

/* ---- names ---- */

static void check_node_names(const struct model *m)
{
    struct map names = {0};
    struct arena *keys = arena_new();
    const struct node *unnamed = NULL, *twice = NULL;
    size_t n_unnamed = 0, n_twice = 0;
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        if (n->removed)
            continue;
        if (!n->name[0]) {
            unnamed = unnamed ? unnamed : n;
            n_unnamed++;
            continue;
        }
        const void *key[] = {n->graph, n->name};
        void **slot = map_slot(&names, arena_copy(keys, key, sizeof key), sizeof key);
        if (*slot) {
            twice = twice ? twice : n;
            n_twice++;
        }
        *slot = m->nodes.data[i];
    }
    if (unnamed)
        check_found(m, E_CHECK_UNNAMED, unnamed, "%zu of %zu nodes have no name", n_unnamed,
                    m->nodes.count);
    if (twice)
        check_found(m, E_CHECK_NAME_TWICE, twice,
                    "%zu nodes have the name of another node in their graph", n_twice);
    map_release(&names);
    arena_free(keys);
}

static void check_unused(const struct model *m)
{
    const struct value *input = NULL, *weight = NULL;
    size_t inputs = 0, weights = 0;
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (v->removed || v->n_uses || v->graph->function || v->graph->parent)
            continue;
        if (v->constant) {
            weight = weight ? weight : v;
            weights++;
        } else if (v->is_input) {
            input = input ? input : v;
            inputs++;
        }
    }
    if (input)
        check_found(m, E_CHECK_UNUSED_INPUT, NULL,
                    "%zu graph inputs are read by nothing, the first is '%s'", inputs, input->name);
    if (weight)
        check_found(m, E_CHECK_UNUSED_WEIGHT, NULL,
                    "%zu initializers are read by nothing, the first is '%s'", weights,
                    weight->name);
}

static void check_contract(const struct model *m)
{
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        const struct value *v = m->graph->inputs.data[i];
        if (v->type.kind == TYPE_NONE || (v->type.kind == TYPE_TENSOR && !v->type.dtype))
            check_found(m, E_CHECK_NO_TYPE, NULL, "graph input '%s' has no element type", v->name);
    }
    if (!m->graph->outputs.count)
        check_found(m, E_CHECK_NO_OUTPUT, NULL, "the graph has no outputs");
}

/* ---- operators ---- */

static void check_attributes(const struct node *n, const struct op_version *v)
{
    const struct model *m = n->graph->model;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        int k = 0;
        while (k < v->n_attrs && strcmp(v->attrs[k].name, a->name))
            k++;
        if (k == v->n_attrs)
            check_found(m, E_CHECK_ATTRIBUTE, n, "%s has no attribute '%s'", n->op_type, a->name);
        else if (!a->ref && a->type != v->attrs[k].type)
            check_found(m, E_CHECK_ATTRIBUTE, n, "attribute '%s' of %s has type %d, expected %d",
                        a->name, n->op_type, (int)a->type, (int)v->attrs[k].type);
    }
    for (int k = 0; k < v->n_attrs; k++)
        if (v->attrs[k].required && !node_attr(n, v->attrs[k].name))
            check_found(m, E_CHECK_ATTRIBUTE, n, "%s lacks its attribute '%s'", n->op_type,
                        v->attrs[k].name);
}

static void check_counts(const struct node *n, const struct op_version *v)
{
    const struct model *m = n->graph->model;
    if ((int)n->n_inputs < v->min_in || (v->max_in >= 0 && (int)n->n_inputs > v->max_in))
        check_found(m, E_CHECK_COUNT, n, "%s has %u inputs, expected %d to %d", n->op_type,
                    n->n_inputs, v->min_in, v->max_in);
    if ((int)n->n_outputs < v->min_out || (v->max_out >= 0 && (int)n->n_outputs > v->max_out))
        check_found(m, E_CHECK_COUNT, n, "%s has %u outputs, expected %d to %d", n->op_type,
                    n->n_outputs, v->min_out, v->max_out);
}

static void check_known(const struct node *n, int64_t opset)
{
    const struct model *m = n->graph->model;
    const struct op_version *v = n->op ? op_version_at(n->op, opset) : NULL;
    if (!n->op && !n->domain[0])
        check_found(m, E_CHECK_NO_OPERATOR, n, "ai.onnx has no operator '%s'", n->op_type);
    else if (!n->op)
        check_found(m, E_CHECK_FOREIGN, n, "'%s' of domain '%s' is not known here", n->op_type,
                    n->domain);
    else if (!v && (n->domain[0] || opset >= OLDEST_OPSET))
        check_found(m, E_CHECK_NO_OPERATOR, n, "operator set %lld has no operator '%s'",
                    (long long)opset, n->op_type);
    else if (v && v->deprecated)
        check_found(m, E_CHECK_DEPRECATED, n, "%s is deprecated in operator set %lld", n->op_type,
                    (long long)opset);
    else if (v) {
        check_counts(n, v);
        check_attributes(n, v);
    }
}

static void check_node(const struct node *n)
{
    int64_t opset = node_opset(n);
    if (n->function)
        return;
    if (opset == 0)
        check_found(n->graph->model, E_CHECK_NOT_IMPORTED, n,
                    "the operator set of domain '%s' is not imported",
                    n->domain[0] ? n->domain : "ai.onnx");
    else
        check_known(n, opset);
}

/* ---- weights ---- */

/* Index of the first NaN or infinity, or count. */
static int64_t first_nonfinite(const struct tensor *t)
{
    if (t->dtype == DT_FLOAT) {
        const unsigned char *bytes = t->data;
        for (int64_t i = 0; i < t->count; i++) {
            uint32_t bits;
            memcpy(&bits, bytes + i * 4, sizeof bits);
            if ((bits & 0x7f800000u) == 0x7f800000u) /* IEEE binary32: exponent all ones */
                return i;
        }
        return t->count;
    }
    for (int64_t i = 0; i < t->count; i++) {
        double x = num_get(t->data, t->dtype, i);
        if (x - x != 0) /* NaN for NaN and both infinities */
            return i;
    }
    return t->count;
}

static int check_weights(const struct model *m)
{
    int code = 0;
    for (size_t i = 0; !code && i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (v->removed || !v->constant || v->sparse || !v->constant->data ||
            !dtype_is_float(v->constant->dtype))
            continue;
        int64_t at = first_nonfinite(v->constant);
        struct where where = {.file = m->path, .tensor = v->name};
        if (at < v->constant->count)
            diag_report(m->ctx->diag, E_CHECK_NONFINITE, &where,
                        "element %lld of weight '%s' is NaN or infinite", (long long)at, v->name);
        code = ctx_check(m->ctx);
    }
    return code;
}

/* ---- shapes ---- */

/* What inference reports itself (conflicts, nodes that do not fit) are findings; where it ends, too. */
static void check_shapes(struct model *m)
{
    enum { SHOWN = 20 };
    struct infer_report found;
    struct shape_ends ends;
    if (model_infer(m, NULL, &found) < 0)
        return;
    struct arena *a = arena_new();
    shape_ends_collect(m, found.conflicts, a, &ends);
    for (size_t i = 0; i < ends.list.count && i < SHOWN; i++)
        check_found(m, E_SHAPE_ENDS, ends.list.data[i].node, "the shape of '%s' is not known: %s",
                    ends.list.data[i].value->name, ends.list.data[i].why);
    if (ends.list.count > SHOWN)
        check_found(m, E_SHAPE_ENDS, NULL, "%zu more shapes are not known",
                    ends.list.count - SHOWN);
    shape_ends_release(&ends);
    arena_free(a);
}

int check_model(struct model *m)
{
    ops_resolve(m);
    check_node_names(m);
    check_unused(m);
    check_contract(m);
    for (size_t i = 0; i < m->nodes.count; i++)
        if (!m->nodes.data[i]->removed)
            check_node(m->nodes.data[i]);
    size_t errors = diag_errors(m->ctx->diag);
    int code = check_weights(m);
    if (!code && !errors)
        check_shapes(m);
    return code;
}

/* ---- a target ---- */

static bool has_fixed_shape(const struct value *v)
{
    int64_t size;
    bool fixed = v->type.kind == TYPE_TENSOR && v->type.rank >= 0;
    for (int k = 0; fixed && k < v->type.rank; k++)
        fixed = value_dim(v, k, &size);
    return fixed;
}

static void check_fixed_shapes(const struct model *m, const struct target *t)
{
    const struct value *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        const struct value *v = m->graph->inputs.data[i];
        if (v->constant || has_fixed_shape(v))
            continue;
        first = first ? first : v;
        n++;
    }
    if (n)
        check_found(
            m, E_CHECK_SYMBOLIC, NULL,
            "%zu graph inputs have no fixed shape, the first is '%s'; '%s' compiles fixed ones", n,
            first->name, t->name);
}

/* What the quantizer would leave float. */
static void check_float(struct model *m, const struct target *t)
{
    struct quant_plan *p = NULL;
    struct quant_settings settings = {.target = t, .weight_bits = 8, .activation_bits = 8};
    if (!quant_plan_new(&p, m, &settings))
        for (size_t i = 0; i < p->floats.count; i++)
            check_found(m, E_CHECK_STAYS_FLOAT, p->floats.data[i].node, "%s stays float: %s",
                        p->floats.data[i].node->op_type, p->floats.data[i].why);
    quant_plan_free(p);
}

int check_ready(struct model *m, const char *name)
{
    struct target *t;
    int code = target_load(&t, name, m->ctx);
    if (code)
        return code;
    check_fixed_shapes(m, t);
    if (graph_opset(m->graph, "") < t->opset)
        check_found(m, E_CHECK_OPSET, NULL, "'%s' is given operator set %lld, the model has %lld",
                    t->name, (long long)t->opset, (long long)graph_opset(m->graph, ""));
    if (check_is_qdq(m))
        check_qdq(m, t);
    else
        check_float(m, t);
    target_free(t);
    return 0;
}

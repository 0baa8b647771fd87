/* From value->q to QuantizeLinear and DequantizeLinear nodes.
 *
 * Before: a float graph whose values carry q.   After, for every value with q:
 *   activation t    producer -> t -> QuantizeLinear -> DequantizeLinear -> the readers of t
 *   constant c      integer initializer -> DequantizeLinear -> the readers of c
 * Relu and Clip that the saturation of their output's integers repeats are dropped. Names are those
 * of ONNX Runtime's quantizer (t_QuantizeLinear, t_scale, c_quantized, ...), so tools that match
 * tensors by them work; a graph output keeps its name, its producer writes
 * <name>_QuantizeLinear_Input. Parameters of one group are one initializer.
 * Integers of constants are recipes: they are computed while the model is written.
 *
 * Why it is safe: every reader of t reads the same dequantized tensor, captures in subgraphs too;
 * types and order stay as they were; applying cannot fail, the opset has been checked before.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "ir/edit.h"
#include "targets/opset_convert.h"
#include "quant/plan.h"

struct writer {
    struct quant_plan *p;
    struct model *m;
    bool io_quantized;
    struct node *anchor; /* the first node there was: what has no producer goes before it */
    struct map params;   /* root value id -> struct params */
};

struct params {
    struct value *scale, *zero_point;
};

static const char *suffixed(struct writer *w, const char *name, const char *suffix)
{
    return arena_printf(w->p->arena, "%s%s", name, suffix);
}

/* ---- parameters as initializers ---- */

static struct value *scale_value(struct writer *w, struct graph *g, const struct quant *q,
                                 const char *name)
{
    int64_t n = q->n;
    struct tensor *t = tensor_new(w->m->arena, DT_FLOAT, q->axis >= 0 ? 1 : 0, &n);
    memcpy(tensor_writable(t), q->scale, t->bytes);
    return value_constant(g, suffixed(w, name, "_scale"), t);
}

static struct value *zero_point_value(struct writer *w, struct graph *g, const struct quant *q,
                                      const char *name)
{
    int64_t n = q->n;
    struct tensor *t = tensor_new(w->m->arena, q->dtype, q->axis >= 0 ? 1 : 0, &n);
    for (int64_t i = 0; i < n; i++)
        num_set_int(tensor_writable(t), q->dtype, i, q->zero_point[i]);
    return value_constant(g, suffixed(w, name, "_zero_point"), t);
}

/* One pair per group, named after the member that is written first. */
static struct params *params_of(struct writer *w, struct value *v, const char *name)
{
    const struct value *root = v->q->tied ? v->q->tied : v;
    void **slot = map_slot_u64(&w->params, (uint64_t)root->id + 1);
    if (!*slot) {
        struct params *made = arena_alloc(w->p->arena, sizeof *made);
        made->scale = scale_value(w, v->graph, v->q, name);
        made->zero_point = zero_point_value(w, v->graph, v->q, name);
        *slot = made;
    }
    return *slot;
}

/* ---- nodes ---- */

static void set_type(struct value *v, enum dtype dtype, const struct type *like)
{
    struct type t = *like;
    t.dtype = dtype;
    value_set_type(v, &t);
}

/* op(x, params), not yet in the node list; its output gets the type of `like` with that dtype. */
static struct node *make_node(struct writer *w, const struct params *params, const char *op,
                              const char *name, const struct value *like, enum dtype dtype)
{
    struct graph *g = like->graph;
    struct node *n = node_new(g, op, "", 3, 1);
    node_set_name(n, model_fresh_name(w->m, arena_printf(w->p->arena, "%s_%s", name, op)));
    node_set_input(n, 1, params->scale);
    node_set_input(n, 2, params->zero_point);
    set_type(node_add_output(n, 0, suffixed(w, n->name, "_Output")), dtype, &like->type);
    n->op = op_find("", op);
    return n;
}

static void insert_first(struct writer *w, struct node *n)
{
    if (w->anchor)
        node_insert_before(n, w->anchor);
    else
        node_append(n);
}

/* ---- constants ---- */

static struct tensor *integers(struct writer *w, const struct value *v)
{
    struct arena *a = w->m->arena;
    const struct quant *q = v->q;
    struct tensor *t = arena_copy(a, q->payload ? q->payload : v->constant, sizeof *t);
    if (q->payload)
        return t;
    struct recipe *r = arena_alloc(a, sizeof *r);
    double *scale = arena_array(a, (size_t)q->n, sizeof *scale);
    double *zero = arena_array(a, (size_t)q->n, sizeof *zero);
    for (int64_t i = 0; i < q->n; i++)
        scale[i] = (double)q->scale[i], zero[i] = q->zero_point[i];
    *r = (struct recipe){.source = v->constant,
                         .axis = q->axis,
                         .n = q->n,
                         .scale = scale,
                         .addend = zero,
                         .quantizes = true};
    t->dtype = q->dtype;
    t->data = NULL, t->recipe = r, t->origin = (struct span){0}, t->extent = NULL;
    dtype_bytes(t->dtype, t->count, &t->bytes);
    return t;
}

static void write_constant(struct writer *w, struct value *v)
{
    const char *name = v->name;
    bool bias = v->q->source == QUANT_BIAS;
    struct value *q = value_constant(v->graph, suffixed(w, name, "_quantized"), integers(w, v));
    struct params *params = params_of(w, v, bias ? suffixed(w, name, "_quantized") : name);
    struct node *dq = make_node(w, params, "DequantizeLinear", name, v, v->type.dtype);
    struct value *out = dq->outputs[0];
    node_set_input(dq, 0, q);
    if (v->q->axis >= 0)
        node_set_int(dq, "axis", v->q->axis);
    insert_first(w, dq);
    value_replace(v, out);
    if (bias)
        value_take_name(out, v);
    value_remove(v);
}

/* ---- activations ---- */

/* v, whose name went to `from`, is called <name>_QuantizeLinear_Input from now on. */
static void rename_inner(struct writer *w, struct value *v, const char *name)
{
    struct value *holder = value_new(v->graph, suffixed(w, name, "_QuantizeLinear_Input"));
    value_take_name(v, holder);
    value_remove(holder);
}

/* All readers of v, but not graph outputs. */
static void replace_in_nodes(struct value *v, struct value *by)
{
    value_each_use(u, v) if (u->node) node_set_input(u->node, u->index, by);
}

/* The graph output that v was becomes the quantized (or, to stay float, the dequantized) value. */
static void hand_over_output(struct writer *w, struct value *v, struct value *to, const char *name)
{
    value_replace(v, to);
    value_take_name(to, v);
    rename_inner(w, v, name);
}

/* A graph input of integers: only a DequantizeLinear behind it. */
static void write_integer_input(struct writer *w, struct value *v, struct node *dq)
{
    replace_in_nodes(v, dq->outputs[0]);
    set_type(v, v->q->dtype,
             &(struct type){v->type.kind, v->type.dtype, v->type.rank, v->type.dims, v->type.elem});
    node_set_input(dq, 0, v);
    insert_first(w, dq);
}

static void write_activation(struct writer *w, struct value *v)
{
    const char *name = v->name;
    struct params *params = params_of(w, v, name);
    struct node *dq = make_node(w, params, "DequantizeLinear", name, v, v->type.dtype);
    if (v->is_input && w->io_quantized && !value_is_output(v)) {
        write_integer_input(w, v, dq);
        return;
    }
    struct node *q = make_node(w, params, "QuantizeLinear", name, v, v->q->dtype);
    replace_in_nodes(v, dq->outputs[0]);
    if (value_is_output(v) && !v->is_input)
        hand_over_output(w, v, w->io_quantized ? q->outputs[0] : dq->outputs[0], name);
    node_set_input(q, 0, v);
    node_set_input(dq, 0, q->outputs[0]);
    if (v->producer)
        node_insert_after(q, v->producer);
    else
        insert_first(w, q);
    node_insert_after(dq, q);
    if (dq->outputs[0]->n_uses == 0) /* only an integer graph output */
        node_remove(dq);
}

/* ---- Relu and Clip ---- */

/* The node, and the bounds nobody else reads. */
static void drop_node(struct node *n)
{
    for (uint32_t i = 1; i < n->n_inputs; i++) {
        struct value *v = node_input(n, i);
        node_set_input(n, i, NULL);
        if (v && v->n_uses == 0 && value_is_constant(v))
            value_remove(v);
    }
    node_remove(n);
}

/* The producer writes the Clip's output from now on. */
static void drop_clips(struct writer *w)
{
    graph_each_node(n, w->m->graph)
    {
        if (!n->op || n->op->quant != QRULE_CLIP || !quant_clip_is_redundant(n))
            continue;
        struct value *x = node_input(n, 0), *y = n->outputs[0];
        if (!x->producer && value_is_output(y))
            continue; /* an input may not become an output */
        value_replace(y, x);
        if (x->producer)
            value_take_name(x, y);
        drop_node(n);
    }
}

/* QuantizeLinear knows 16-bit integers since operator set 21. */
static int64_t least_opset(const struct model *m)
{
    enum { SIXTEEN_BITS = 21 };
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (!v->removed && v->q && dtype_bits(v->q->dtype) == 16)
            return SIXTEEN_BITS;
    }
    return 0;
}

int qdq_write(struct quant_plan *p, const struct qdq_options *o)
{
    struct model *m = p->model;
    struct writer w = {.p = p, .m = m, .io_quantized = o->io_quantized};
    int64_t opset = o->opset > p->settings.target->opset ? o->opset : p->settings.target->opset;
    if (opset < least_opset(m))
        opset = least_opset(m);
    int code = opset_raise(m, opset);
    if (code)
        return code;
    drop_clips(&w);
    w.anchor = m->graph->first;
    uint32_t n = m->n_values; /* what is added from here on has no q */
    for (uint32_t i = 0; i < n; i++) {
        struct value *v = m->values.data[i];
        if (v->removed || !v->q || v->n_uses == 0)
            continue;
        if (value_is_constant(v))
            write_constant(&w, v);
        else
            write_activation(&w, v);
    }
    map_release(&w.params);
    return 0;
}

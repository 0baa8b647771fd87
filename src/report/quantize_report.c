/* Gathering the report, and its JSON. */
#include "report/quantize_report.h"

#include <math.h>
#include <string.h>

static void count(struct quantize_report *r, const char *name)
{
    for (size_t i = 0; i < r->ops_quantized.count; i++)
        if (strcmp(r->ops_quantized.data[i].name, name) == 0) {
            r->ops_quantized.data[i].count++;
            return;
        }
    vec_push(&r->ops_quantized, ((struct report_count){name, 1}));
}

static void take_tensors(struct quantize_report *r, const struct model *m)
{
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (v->removed || !v->q)
            continue;
        const char *tied = v->q->tied ? arena_string(r->arena, v->q->tied->name) : NULL;
        vec_push(&r->tensors,
                 ((struct report_tensor){arena_string(r->arena, v->name), v->q, tied}));
    }
}

static void take_nodes(struct quantize_report *r, const struct quant_plan *p)
{
    int64_t quantized = 0, in_float = 0;
    graph_each_node(n, p->model->graph)
    {
        int64_t macs = 0;
        bool is_quantized = p->quantized.data[n->id];
        if (is_quantized)
            count(r, n->op_type);
        if (n->op && n->op->macs && n->op->macs(n, &macs) == 0)
            *(is_quantized ? &quantized : &in_float) += macs;
    }
    if (quantized)
        vec_push(&r->macs, ((struct report_count){r->precision, quantized}));
    if (in_float)
        vec_push(&r->macs, ((struct report_count){"float", in_float}));
}

void report_take_plan(struct quantize_report *r, struct quant_plan *p)
{
    take_tensors(r, p->model);
    take_nodes(r, p);
    for (size_t i = 0; i < p->floats.count; i++) {
        const struct quant_float_node *f = &p->floats.data[i];
        vec_push(&r->ops_float, ((struct report_float){arena_string(r->arena, node_label(f->node)),
                                                       f->node->op_type, f->why}));
    }
}

void report_release(struct quantize_report *r)
{
    vec_free(&r->tensors);
    vec_free(&r->ops_quantized);
    vec_free(&r->ops_float);
    vec_free(&r->macs);
    vec_free(&r->outputs);
}

/* ---- JSON ---- */

static void key_scales(struct json_writer *w, const struct quant *q)
{
    jw_key(w, "scale");
    if (q->axis < 0) {
        jw_f32(w, q->scale[0]);
        return;
    }
    jw_array_inline(w);
    for (int64_t i = 0; i < q->n; i++)
        jw_f32(w, q->scale[i]);
    jw_end(w);
}

/* The range the scales were made for, of all channels together. */
static void key_range(struct json_writer *w, const struct quant *q)
{
    if (!q->rmin || !q->rmax) {
        jw_key(w, "min"), jw_null(w);
        jw_key(w, "max"), jw_null(w);
        return;
    }
    float low = q->rmin[0], high = q->rmax[0];
    for (int64_t i = 1; i < q->n; i++) {
        low = fminf(low, q->rmin[i]);
        high = fmaxf(high, q->rmax[i]);
    }
    jw_key_f32(w, "min", low);
    jw_key_f32(w, "max", high);
}

static void key_zero_points(struct json_writer *w, const struct quant *q)
{
    bool same = true; /* symmetric channels: one number says it */
    for (int64_t i = 1; i < q->n && same; i++)
        same = q->zero_point[i] == q->zero_point[0];
    jw_key(w, "zero_point");
    if (same) {
        jw_int(w, q->zero_point[0]);
        return;
    }
    jw_array_inline(w);
    for (int64_t i = 0; i < q->n; i++)
        jw_int(w, q->zero_point[i]);
    jw_end(w);
}

static void write_tensor(const struct report_tensor *t, struct json_writer *w)
{
    jw_object(w);
    jw_key_string(w, "name", t->name);
    jw_key_string(w, "dtype", dtype_name(t->q->dtype));
    key_scales(w, t->q);
    key_zero_points(w, t->q);
    jw_key(w, "axis");
    if (t->q->axis >= 0)
        jw_int(w, t->q->axis);
    else
        jw_null(w);
    key_range(w, t->q);
    jw_key_string(w, "method", t->q->method);
    jw_key_string(w, "tied_to", t->tied_to);
    jw_end(w);
}

static void write_output(const struct report_output *o, struct json_writer *w)
{
    double top1 = metrics_top1(&o->metrics);
    jw_object(w);
    jw_key_string(w, "name", o->name);
    jw_key_f64(w, "sqnr_db", metrics_sqnr_db(&o->metrics));
    jw_key_f64(w, "cosine", metrics_cosine(&o->metrics));
    jw_key_f64(w, "max_abs", o->metrics.max_abs);
    jw_key(w, "top1_agreement");
    if (isnan(top1))
        jw_null(w);
    else
        jw_f64(w, top1);
    jw_end(w);
}

static void write_floats(const struct quantize_report *r, struct json_writer *w)
{
    jw_key(w, "ops_float");
    jw_array(w);
    for (size_t i = 0; i < r->ops_float.count; i++) {
        const struct report_float *f = &r->ops_float.data[i];
        jw_object(w);
        jw_key_string(w, "node", f->node);
        jw_key_string(w, "op", f->op);
        jw_key_string(w, "why", f->why);
        jw_end(w);
    }
    jw_end(w);
}

void report_keys(const struct quantize_report *r, struct json_writer *w)
{
    jw_key_string(w, "target", r->target);
    jw_key_string(w, "precision", r->precision);
    jw_key_string(w, "method", r->method);
    jw_key_int(w, "samples", r->samples);
    jw_key_int(w, "biases_corrected", r->biases_corrected);
    jw_key_int(w, "nodes_before", r->nodes_before);
    jw_key_int(w, "nodes_after", r->nodes_after);
    jw_key(w, "tensors"), jw_array(w);
    for (size_t i = 0; i < r->tensors.count; i++)
        write_tensor(&r->tensors.data[i], w);
    jw_end(w);
    jw_key(w, "ops_quantized"), jw_object(w);
    for (size_t i = 0; i < r->ops_quantized.count; i++)
        jw_key_int(w, r->ops_quantized.data[i].name, r->ops_quantized.data[i].count);
    jw_end(w);
    write_floats(r, w);
    jw_key(w, "macs_by_precision"), jw_object(w);
    for (size_t i = 0; i < r->macs.count; i++)
        jw_key_int(w, r->macs.data[i].name, r->macs.data[i].count);
    jw_end(w);
    jw_key(w, "outputs"), jw_array(w);
    for (size_t i = 0; i < r->outputs.count; i++)
        write_output(&r->outputs.data[i], w);
    jw_end(w);
    jw_key(w, "eval"), jw_object(w);
    jw_key_string(w, "source", r->eval_source ? r->eval_source : "none");
    jw_key_int(w, "samples", r->eval_samples);
    jw_end(w);
    jw_key_uint(w, "bytes_before", r->bytes_before);
    jw_key_uint(w, "bytes_after", r->bytes_after);
}

int report_write_json(const struct quantize_report *r, struct outfile *out)
{
    struct json_writer *w = jw_new_outfile(out, 1);
    jw_object(w);
    jw_key_string(w, "schema", "npuprep.quantize/1");
    jw_key_string(w, "version", NPUPREP_VERSION);
    jw_key_string(w, "command", "quantize");
    jw_key_string(w, "model", r->model);
    report_keys(r, w);
    jw_end(w);
    return jw_free(w);
}

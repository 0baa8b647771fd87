/* com.microsoft operators that join what ai.onnx has in parts: Gelu, FastGelu, BiasGelu, QuickGelu, FusedConv, NhwcConv, FusedGemm,
 * FusedMatMul, TransposeMatMul, Skip[Simplified]LayerNormalization, EmbedLayerNormalization (onnxruntime ContribOperators.md).
 */
#include <math.h>
#include <string.h>

#include "kernels/float/conv.h"
#include "kernels/float/matmul.h"
#include "kernels/float/norm.h"
#include "kernels/float/rearrange.h"
#include "kernels/float/unary.h"
#include "ops/ops_window.h"

static int no_double(struct eval *e)
{
    return e->in[0]->dtype == DT_DOUBLE ? eval_form(e, "float64") : 0;
}

/* ---- activations ---- */

/* x + bias, the bias along the last axis. */
static float *biased(struct eval *e, const float *x, uint32_t i)
{
    int64_t n = e->in[0]->count, width = e->in[i]->count;
    const float *bias = stage_in(e, i);
    float *sum = eval_scratch(e, n, sizeof *sum);
    for (int64_t k = 0; sum && bias && k < n; k++)
        sum[k] = x[k] + bias[k % width];
    return bias ? sum : NULL;
}

int eval_ms_gelu(struct eval *e)
{
    struct unary_args a = {.op = UNARY_GELU, .dtype = DT_FLOAT, .fast = e->fast};
    const struct tensor *x = e->in[0];
    int rc = no_double(e);
    if (rc || !x->count)
        return rc;
    if (!strcmp(e->node->op_type, "FastGelu"))
        a.op = UNARY_GELU_TANH;
    if (!strcmp(e->node->op_type, "QuickGelu")) {
        a.op = UNARY_SWISH;
        a.alpha = node_float(e->node, "alpha", 1.702f);
    }
    if (has_in(e, 1) && (!x->rank || e->in[1]->count != x->dims[x->rank - 1]))
        return eval_fail(e, E_SHAPE, "%s: the bias does not fit the last axis", e->node->op_type);
    const float *data = stage_in(e, 0);
    if (data && has_in(e, 1))
        data = biased(e, data, 1);
    float *y = stage_out(e, 0);
    if (!data || !y)
        return eval_memory(e);
    rc = eval_status(e, kernel_unary(&a, data, y, 0, x->count));
    stage_store(e, 0, y);
    return rc;
}

/* The activation that a fused operator names; parameters in the order of the fusion. NULL name: none. */
static int activate(struct eval *e, const float parameters[2], float *y, int64_t n)
{
    struct span s = node_string(e->node, "activation", "");
    const char *name = arena_printf(e->scratch, "%.*s", (int)num_clamp((int64_t)s.size, 0, 32),
                                    (const char *)s.data);
    struct unary_args a = {.op = UNARY_RELU};
    if (!*name)
        return 0;
    if (!strcmp(name, "Clip"))
        return eval_status(e, kernel_clip(DT_FLOAT, y, y, &parameters[0], &parameters[1], 0, n));
    if (!unary_find(name, &a) || a.op >= UNARY_FLOAT_OPS)
        return eval_form(e, "the activation '%s'", name);
    a.dtype = DT_FLOAT;
    a.fast = e->fast;
    a.alpha = parameters[0] == parameters[0] ? parameters[0] : a.alpha; /* NaN: not given */
    a.beta = parameters[1] == parameters[1] ? parameters[1] : a.beta;
    return eval_status(e, kernel_unary(&a, y, y, 0, n));
}

/* ---- FusedConv: X, W, B, Z; y = activation(conv + Z). NhwcConv: channels last ---- */

static int conv_geometry(struct eval *e, const int64_t *x_dims, int rank, struct conv_params *p)
{
    const struct tensor *w = e->in[1];
    struct window_attrs attrs;
    if (rank - 2 > WINDOW_MAX_RANK)
        return eval_form(e, "%d spatial axes, at most %d", rank - 2, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, rank - 2, e->scratch, &attrs);
    if (fault)
        return eval_fail(e, E_OP_ATTR, "%s", fault);
    *p = (struct conv_params){
        .batch = x_dims[0], .group = node_int(e->node, "group", 1), .in_channels = x_dims[1]};
    p->out_channels = w->dims[0];
    if (!window_fill(&attrs, x_dims + 2, attrs.kernel ? attrs.kernel : w->dims + 2, &p->window) ||
        !conv_valid(p) || !window_gives(&p->window, p->batch * p->out_channels, e->out[0]))
        return eval_fail(e, E_SHAPE, "%s: the window does not fit the input", e->node->op_type);
    return 0;
}

int eval_ms_fused_conv(struct eval *e)
{
    struct conv_params p;
    const float *list;
    float given[2] = {NAN, NAN};
    uint32_t n;
    int rc = no_double(e);
    rc = rc ? rc : conv_geometry(e, e->in[0]->dims, e->in[0]->rank, &p);
    if (rc || !e->out[0]->count)
        return rc;
    node_floats(e->node, "activation_params", &list, &n);
    for (uint32_t i = 0; i < n && i < 2; i++)
        given[i] = list[i];
    const float *x = stage_in(e, 0), *w = stage_in(e, 1), *bias = stage_in(e, 2),
                *z = stage_in(e, 3);
    float *y = stage_out(e, 0);
    if (!x || !w || !y)
        return eval_memory(e);
    if (has_in(e, 3) && e->in[3]->count != e->out[0]->count)
        return eval_fail(e, E_SHAPE, "FusedConv: Z has another size than the output");
    conv_f32(&p, x, w, bias, y);
    for (int64_t i = 0; z && i < e->out[0]->count; i++)
        y[i] += z[i];
    rc = activate(e, given, y, e->out[0]->count);
    stage_store(e, 0, y);
    return rc;
}

/* Moves the channels to the front or to the back. */
static float *turned(struct eval *e, const float *x, const int64_t *dims, int rank, bool to_front)
{
    int perm[KERNEL_MAX_RANK], last = rank - 1;
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        perm[i] = i == 0 ? 0 : to_front ? (i == 1 ? last : i - 1) : (i == last ? 1 : i + 1);
        count *= dims[i];
    }
    float *y = eval_scratch(e, count, sizeof *y);
    return y && !kernel_transpose(sizeof *y, rank, dims, perm, x, y) ? y : NULL;
}

int eval_ms_nhwc_conv(struct eval *e)
{
    struct conv_params p;
    const struct tensor *t = e->in[0], *out = e->out[0];
    int64_t in_dims[KERNEL_MAX_RANK], out_dims[KERNEL_MAX_RANK];
    int rc = no_double(e);
    if (rc || t->rank > KERNEL_MAX_RANK)
        return rc ? rc : eval_form(e, "rank %d", t->rank);
    for (int i = 0; i < t->rank; i++) {
        int from = i == 0 ? 0 : i == 1 ? t->rank - 1 : i - 1;
        in_dims[i] = t->dims[from];
        out_dims[i] = out->dims[from];
    }
    rc = conv_geometry(e, in_dims, t->rank, &p);
    if (rc || !out->count)
        return rc;
    const float *x = stage_in(e, 0), *w = stage_in(e, 1), *bias = stage_in(e, 2);
    const float *front = x ? turned(e, x, t->dims, t->rank, true) : NULL;
    float *y = eval_scratch(e, out->count, sizeof *y);
    if (!front || !w || !y)
        return eval_memory(e);
    conv_f32(&p, front, w, bias, y);
    float *back = turned(e, y, out_dims, t->rank, false);
    if (!back)
        return eval_memory(e);
    convert_from_f32(out->dtype, back, out->count, out_data(e, 0));
    return 0;
}

/* ---- products ---- */

int eval_ms_fused_gemm(struct eval *e)
{
    float parameters[2] = {node_float(e->node, "activation_alpha", NAN),
                           node_float(e->node, "activation_beta", NAN)};
    if (!dtype_is_float(e->in[0]->dtype) || e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "%s", dtype_name(e->in[0]->dtype));
    int rc = eval_gemm(e);
    float *y = rc ? NULL : stage_out(e, 0);
    if (rc || !y)
        return rc ? rc : eval_memory(e);
    if (y != e->out[0]->data)
        convert_to_f32(e->out[0], y);
    rc = activate(e, parameters, y, e->out[0]->count);
    stage_store(e, 0, y);
    return rc;
}

/* The steps of an operand whose axes are turned: transBatch moves axis 0 before the last one, then trans swaps the last two. */
static int turned_steps(struct eval *e, uint32_t i, bool trans, bool batch, int64_t *dims,
                        int64_t *steps)
{
    const struct tensor *t = e->in[i];
    int64_t step = 1, own[MATMUL_MAX_BATCH_RANK + 2];
    int rank = t->rank;
    if (rank > MATMUL_MAX_BATCH_RANK + 2 || rank < 1)
        return eval_form(e, "rank %d", rank);
    for (int k = rank - 1; k >= 0; step *= t->dims[k], k--)
        own[k] = step;
    for (int k = 0; k < rank; k++) {
        int from = !batch || rank < 3 || k == rank - 1 ? k : k == rank - 2 ? 0 : k + 1;
        if (trans && rank >= 2 && k >= rank - 2)
            from = k == rank - 1 ? (batch && rank >= 3 ? 0 : rank - 2) : rank - 1;
        dims[k] = t->dims[from];
        steps[k] = own[from];
    }
    return 0;
}

int eval_ms_fused_matmul(struct eval *e)
{
    struct matmul_params p;
    int64_t dims[2][MATMUL_MAX_BATCH_RANK + 2], steps[2][MATMUL_MAX_BATCH_RANK + 2],
        y_dims[MATMUL_MAX_BATCH_RANK + 2];
    int ar = e->in[0]->rank, br = e->in[1]->rank, rank, rc = no_double(e);
    const struct node *n = e->node;
    rc = rc ? rc
            : turned_steps(e, 0, node_int(n, "transA", 0) != 0, node_int(n, "transBatchA", 0) != 0,
                           dims[0], steps[0]);
    rc = rc ? rc
            : turned_steps(e, 1, node_int(n, "transB", 0) != 0, node_int(n, "transBatchB", 0) != 0,
                           dims[1], steps[1]);
    if (rc || !e->out[0]->count)
        return rc;
    if (!matmul_plan(dims[0], ar, dims[1], br, &p, y_dims, &rank))
        return eval_fail(e, E_SHAPE, "%s: the operands do not go together", n->op_type);
    if (ar >= 2) {
        p.a_row_step = steps[0][ar - 2];
        p.a_col_step = steps[0][ar - 1];
    }
    if (br >= 2) {
        p.b_row_step = steps[1][br - 2];
        p.b_col_step = steps[1][br - 1];
    }
    for (int i = 0; i < p.batch_rank; i++) { /* batch axes of an operand align at the last one */
        int a = i - (p.batch_rank - (ar - 2)), b = i - (p.batch_rank - (br - 2));
        p.a_batch_step[i] = a >= 0 && dims[0][a] > 1 ? steps[0][a] : 0;
        p.b_batch_step[i] = b >= 0 && dims[1][b] > 1 ? steps[1][b] : 0;
    }
    const float *a = stage_in(e, 0), *b = stage_in(e, 1);
    float *y = stage_out(e, 0), alpha = node_float(n, "alpha", 1);
    if (!a || !b || !y)
        return eval_memory(e);
    matmul_f32(&p, a, b, y);
    for (int64_t i = 0; alpha != 1 && i < e->out[0]->count; i++) /* exactly the default */
        y[i] *= alpha;
    stage_store(e, 0, y);
    return 0;
}

/* ---- normalizations of sums ---- */

/* input + skip (+ bias): the skip may have batch 1 or no batch axis at all and then repeats. */
static float *skip_sum(struct eval *e, uint32_t bias_slot, int64_t width)
{
    int64_t n = e->in[0]->count, skip_n = e->in[1]->count;
    const float *x = stage_in(e, 0), *skip = stage_in(e, 1), *bias = stage_in(e, bias_slot);
    float *sum = eval_scratch(e, n, sizeof *sum);
    for (int64_t i = 0; sum && x && skip && i < n; i++) {
        float s = x[i] + skip[i % skip_n];
        sum[i] = bias ? s + bias[i % width] : s;
    }
    return x && skip ? sum : NULL;
}

/* Skip: input, skip, gamma, beta, bias. SkipSimplified: input, skip, gamma, bias. Outputs: y, mean, inv_std, sum. */
int eval_ms_skip_layer_norm(struct eval *e)
{
    const struct tensor *x = e->in[0];
    bool rms = !strcmp(e->node->op_type, "SkipSimplifiedLayerNormalization");
    uint32_t bias_slot = rms ? 3 : 4;
    int64_t width = x->rank ? x->dims[x->rank - 1] : 1;
    if (!x->count)
        return 0;
    if (!e->in[1]->count || x->count % e->in[1]->count || e->in[2]->count != width ||
        (has_in(e, bias_slot) && e->in[bias_slot]->count != width) ||
        (!rms && has_in(e, 3) && e->in[3]->count != width))
        return eval_fail(e, E_SHAPE, "%s: the inputs do not fit together", e->node->op_type);
    struct norm_rows p = {.rows = x->count / width,
                          .size = width,
                          .epsilon = (double)node_float(e->node, "epsilon", 1e-12f)};
    p.scale = stage_in(e, 2);
    p.bias = rms ? NULL : stage_in(e, 3);
    p.scale_count = p.bias_count = width;
    float *sum = skip_sum(e, bias_slot, width), *y = stage_out(e, 0);
    float *mean = stage_out(e, 1), *inv_std = stage_out(e, 2);
    if (!p.scale || !sum || !y)
        return eval_memory(e);
    if (rms)
        norm_rms_f32(&p, sum, y, inv_std);
    else
        norm_layer_f32(&p, sum, y, mean, inv_std);
    stage_store(e, 0, y);
    stage_store(e, 1, rms ? NULL : mean);
    stage_store(e, 2, inv_std);
    if (has_out(e, 3))
        convert_from_f32(e->out[3]->dtype, sum, x->count, out_data(e, 3));
    return 0;
}

static int table_row(struct eval *e, uint32_t table, int64_t at, const float **row,
                     const float *data)
{
    const struct tensor *t = e->in[table];
    if (at < 0 || at >= t->dims[0])
        return eval_status(e, KERNEL_INDEX);
    *row = data + at * t->dims[1];
    return 0;
}

/* input_ids, segment_ids, word, position and segment tables, gamma, beta, mask, position_ids. */
int eval_ms_embed_layer_norm(struct eval *e)
{
    int64_t batch = e->in[0]->dims[0], length = e->in[0]->dims[1], width = e->in[2]->dims[1];
    struct norm_rows p = {.rows = batch * length,
                          .size = width,
                          .epsilon = (double)node_float(e->node, "epsilon", 1e-12f)};
    const float *word = stage_in(e, 2), *place = stage_in(e, 3), *segment = stage_in(e, 4);
    p.scale = stage_in(e, 5);
    p.bias = stage_in(e, 6);
    p.scale_count = p.bias_count = width;
    float *sum = eval_scratch(e, p.rows * width, sizeof *sum), *y = stage_out(e, 0);
    bool fits =
        e->in[3]->rank == 2 && e->in[3]->dims[1] == width && e->in[5]->count == width &&
        e->in[6]->count == width &&
        (!segment || (has_in(e, 1) && e->in[1]->count == p.rows && e->in[4]->dims[1] == width)) &&
        (!has_in(e, 7) || e->in[7]->count == p.rows) &&
        (!has_in(e, 8) || e->in[8]->count == p.rows || e->in[8]->count == length);
    if (!fits)
        return eval_fail(e, E_SHAPE, "EmbedLayerNormalization: the inputs do not fit together");
    if (!word || !place || !p.scale || !p.bias || !sum || !y)
        return eval_memory(e);
    for (int64_t i = 0; i < p.rows; i++) {
        const float *w = NULL, *q = NULL, *s = NULL;
        int64_t at = has_in(e, 8) ? tensor_get_int(e->in[8], i % e->in[8]->count) : i % length;
        int rc = table_row(e, 2, tensor_get_int(e->in[0], i), &w, word);
        rc = rc ? rc : table_row(e, 3, at, &q, place);
        rc = rc || !segment ? rc : table_row(e, 4, tensor_get_int(e->in[1], i), &s, segment);
        if (rc)
            return rc;
        for (int64_t k = 0; k < width; k++)
            sum[i * width + k] = w[k] + q[k] + (s ? s[k] : 0);
    }
    norm_layer_f32(&p, sum, y, NULL, NULL);
    stage_store(e, 0, y);
    if (has_out(e, 2))
        convert_from_f32(e->out[2]->dtype, sum, p.rows * width, out_data(e, 2));
    for (int64_t b = 0; has_out(e, 1) && b < batch;
         b++) { /* how many tokens the mask lets through */
        int32_t n = 0;
        for (int64_t t = 0; has_in(e, 7) && t < length; t++)
            n += tensor_get_int(e->in[7], b * length + t) != 0;
        ((int32_t *)out_data(e, 1))[b] = n;
    }
    return 0;
}

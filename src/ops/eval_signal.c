/* Adapters of DFT, STFT, the window functions, MelWeightMatrix, Det and NonMaxSuppression with kernels/float/{signal,linalg,nms}.h. */
#include "kernels/float/signal.h"

#include <string.h>

#include "kernels/float/linalg.h"
#include "kernels/float/nms.h"
#include "ops/adapt.h"

static int no_double(struct eval *e)
{
    return e->in[0]->dtype == DT_DOUBLE ? eval_form(e, "float64") : 0;
}

/* ---- spectra ---- */

static int read_dft(struct eval *e, struct dft_params *p)
{
    const struct tensor *x = e->in[0];
    int64_t axis = e->version < 20 ? node_int(e->node, "axis", 1) : in_int(e, 2, -2);
    axis += axis < 0 ? x->rank : 0;
    if (axis < 0 || axis >= x->rank - 1 || x->dims[x->rank - 1] < 1 || x->dims[x->rank - 1] > 2)
        return eval_fail(e, E_SHAPE, "DFT: axis %lld of rank %d", (long long)axis, x->rank);
    struct axis_split s = split_dims(x->dims, x->rank - 1, (int)axis);
    *p = (struct dft_params){
        .outer = s.outer, .in = s.n, .inner = s.inner, .complex_in = x->dims[x->rank - 1] == 2};
    p->inverse = node_int(e->node, "inverse", 0) != 0;
    p->onesided = node_int(e->node, "onesided", 0) != 0;
    p->length = in_int(e, 1, p->inverse && p->onesided ? 2 * (s.n - 1) : s.n);
    return p->length < 1 ? eval_fail(e, E_OP_VALUE, "DFT: the length is %lld", (long long)p->length)
                         : 0;
}

int eval_dft(struct eval *e)
{
    struct dft_params p;
    int rc = no_double(e);
    rc = rc ? rc : read_dft(e, &p);
    if (rc || !e->out[0]->count)
        return rc;
    int64_t doubles = dft_scratch(p.length);
    double *scratch = doubles < 0 ? NULL : eval_scratch(e, doubles, sizeof *scratch);
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!scratch || !x || !y)
        return eval_memory(e);
    dft_f32(&p, x, y, scratch);
    stage_store(e, 0, y);
    return 0;
}

int eval_stft(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct stft_params p = {.batch = x->dims[0],
                            .samples = x->dims[1],
                            .step = in_int(e, 1, 0),
                            .complex_in = x->rank == 3 && x->dims[2] == 2};
    int rc = no_double(e);
    if (rc)
        return rc;
    p.frame = in_int(e, 3, has_in(e, 2) ? e->in[2]->count : 0);
    p.onesided = node_int(e->node, "onesided", 1) != 0;
    int64_t frames = stft_frames(&p);
    if (frames < 0 || (has_in(e, 2) && e->in[2]->count != p.frame))
        return eval_fail(e, E_OP_VALUE, "STFT: step %lld, frame %lld", (long long)p.step,
                         (long long)p.frame);
    int64_t dims[4] = {p.batch, frames, p.onesided ? p.frame / 2 + 1 : p.frame, 2};
    if (!e->out[0]->data && !eval_out(e, 0, x->dtype, 4, dims))
        return eval_memory(e);
    if (!e->out[0]->count)
        return 0;
    int64_t doubles = stft_scratch(&p);
    double *scratch = doubles < 0 ? NULL : eval_scratch(e, doubles, sizeof *scratch);
    const float *data = stage_in(e, 0), *window = stage_in(e, 2);
    float *y = stage_out(e, 0);
    if (!scratch || !data || !y || (has_in(e, 2) && !window))
        return eval_memory(e);
    stft_f32(&p, data, window, y, scratch);
    stage_store(e, 0, y);
    return 0;
}

int eval_window(struct eval *e)
{
    static const char *const names[] = {"HannWindow", "HammingWindow",
                                        "BlackmanWindow"}; /* order of enum signal_window */
    int64_t size = in_int(e, 0, 0);
    enum signal_window kind = SIGNAL_HANN;
    if (size < 0)
        return eval_fail(e, E_OP_VALUE, "%s: the size is %lld", e->node->op_type, (long long)size);
    for (int i = 0; i < 3; i++)
        if (!strcmp(e->node->op_type, names[i]))
            kind = (enum signal_window)i;
    if (!e->out[0]->data &&
        !eval_out(e, 0, (enum dtype)node_int(e->node, "output_datatype", DT_FLOAT), 1, &size))
        return eval_memory(e);
    double *y = stage_out_f64(e, 0);
    if (!y)
        return eval_memory(e);
    signal_window_f64(kind, size, node_int(e->node, "periodic", 1) != 0, y);
    stage_store_f64(e, 0, y);
    return 0;
}

int eval_mel_weight_matrix(struct eval *e)
{
    struct mel_params p = {in_int(e, 0, 0), in_int(e, 1, 0), in_int(e, 2, 0), in_number(e, 3, 0),
                           in_number(e, 4, 0)};
    int64_t dims[2] = {p.dft_length / 2 + 1, p.bins};
    if (p.bins < 0 || p.dft_length < 0)
        return eval_status(e, KERNEL_VALUE);
    if (!e->out[0]->data &&
        !eval_out(e, 0, (enum dtype)node_int(e->node, "output_datatype", DT_FLOAT), 2, dims))
        return eval_memory(e);
    double *y = stage_out_f64(e, 0);
    if (!y)
        return eval_memory(e);
    int rc = eval_status(e, mel_matrix_f64(&p, y));
    if (!rc)
        stage_store_f64(e, 0, y);
    return rc;
}

/* ---- matrices ---- */

/* Batch and order of the square matrices of input 0; their working memory. */
static double *square(struct eval *e, int64_t *batch, int64_t *n)
{
    const struct tensor *x = e->in[0];
    struct axis_split s = split_axis(x, x->rank - 2);
    *batch = s.outer;
    *n = s.n;
    int64_t doubles = linalg_scratch(s.n);
    return doubles < 0 ? NULL : eval_scratch(e, doubles, sizeof(double));
}

int eval_det(struct eval *e)
{
    int64_t batch, n;
    double *scratch = square(e, &batch, &n);
    if (!scratch)
        return eval_memory(e);
    if (e->in[0]->dtype == DT_DOUBLE) {
        linalg_det_f64(batch, n, in_data(e, 0), out_data(e, 0), scratch);
        return 0;
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    linalg_det_f32(batch, n, x, y, scratch);
    stage_store(e, 0, y);
    return 0;
}

int eval_ms_inverse(struct eval *e)
{
    int64_t batch, n;
    const struct tensor *x = e->in[0];
    if (x->rank < 2 || x->dims[x->rank - 1] != x->dims[x->rank - 2])
        return eval_fail(e, E_SHAPE, "Inverse: the matrices are not square");
    if (x->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    double *scratch = square(e, &batch, &n);
    const float *data = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!scratch || !data || !y)
        return eval_memory(e);
    int rc = x->count ? eval_status(e, linalg_inverse_f32(batch, n, data, y, scratch)) : 0;
    if (!rc)
        stage_store(e, 0, y);
    return rc;
}

/* ---- non-maximum suppression: boxes [B, S, 4], scores [B, classes, S] -> [k, 3] of (batch, class, box) ---- */

struct selection {
    int64_t *rows, count, room;
};

static int keep_boxes(struct eval *e, struct selection *s, int64_t batch, int64_t class,
                      const int64_t *boxes, int64_t n)
{
    if (s->count + n > s->room) {
        int64_t room = 2 * (s->room + n);
        int64_t *grown = eval_scratch(e, room, 3 * sizeof *grown);
        if (!grown)
            return eval_memory(e);
        if (s->count)
            memcpy(grown, s->rows, (size_t)s->count * 3 * sizeof *grown);
        s->rows = grown;
        s->room = room;
    }
    for (int64_t i = 0; i < n; i++, s->count++) {
        s->rows[3 * s->count] = batch;
        s->rows[3 * s->count + 1] = class;
        s->rows[3 * s->count + 2] = boxes[i];
    }
    return 0;
}

int eval_non_max_suppression(struct eval *e)
{
    const struct tensor *boxes = e->in[0], *scores = e->in[1];
    struct nms_params p = {.boxes = boxes->dims[1],
                           .most = in_int(e, 2, 0),
                           .iou_threshold = (float)in_number(e, 3, 0)};
    p.has_score_threshold = has_in(e, 4) && e->in[4]->count > 0;
    p.score_threshold = (float)in_number(e, 4, 0);
    p.centred = node_int(e->node, "center_point_box", 0) != 0;
    const float *b = stage_in(e, 0), *s = stage_in(e, 1);
    int64_t *chosen = eval_scratch(e, p.boxes, sizeof *chosen),
            *scratch = eval_scratch(e, p.boxes, sizeof *scratch);
    struct selection all = {0};
    int rc = !b || !s || !chosen || !scratch ? eval_memory(e) : 0;
    int64_t classes = scores->dims[1];
    for (int64_t i = 0; !rc && p.boxes && i < boxes->dims[0] * classes; i++) {
        int64_t n = nms_f32(&p, b + i / classes * p.boxes * 4, s + i * p.boxes, chosen, scratch);
        rc = keep_boxes(e, &all, i / classes, i % classes, chosen, n);
    }
    int64_t dims[2] = {all.count, 3};
    if (rc || !eval_out(e, 0, DT_INT64, 2, dims))
        return rc ? rc : eval_memory(e);
    if (all.count)
        memcpy(out_data(e, 0), all.rows, (size_t)all.count * 3 * sizeof *all.rows);
    return 0;
}

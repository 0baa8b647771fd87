/* Text of Conv and ConvTranspose for one element type, included by conv.c with CONV_T and
 * CONV(name).
 *
 * Conv: per batch and group one product, w [channels of the group, K] times the packed windows [K,
 * positions]. Groups with few output channels (depthwise) would leave the product's rows empty;
 * they add tap after tap to whole output rows instead, in the same order, so which way was taken
 * cannot be seen.
 *
 * ConvTranspose: outputs with the same remainder modulo the stride are reached by the same kernel
 * positions (the taps), each with an input offset that is constant over them. Per remainder and
 * output line that is one product, w [channels, (ic, taps)] times input stretches.
 */
static void CONV(add_bias)(int64_t channels, int64_t size, const CONV_T *bias, CONV_T *y)
{
    for (int64_t c = 0; bias && c < channels; c++)
        for (int64_t i = 0; i < size; i++)
            y[c * size + i] += bias[c];
}

KERNEL_CLONES
static void CONV(axpy)(int64_t n, CONV_T w, const CONV_T *x, int64_t step, CONV_T *y)
{
    if (step == 1)
        for (int64_t i = 0; i < n; i++)
            y[i] += w * x[i];
    else
        for (int64_t i = 0; i < n; i++)
            y[i] += w * x[i * step];
}

/* One output channel's line. */
static void CONV(direct_line)(const struct window *w, int64_t taps, const struct conv_row *row,
                              const CONV_T *x, const CONV_T *weight, CONV_T *y)
{
    const int64_t channel = w->in[0] * w->in[1] * w->in[2];
    for (int j = 0; j < row->count; j++)
        y[j] = 0;
    struct conv_tap t = {0};
    for (int64_t p = 0; p < taps; p++, conv_tap_next(w, &t)) {
        int64_t column;
        int low, high;
        const int64_t line = conv_line(w, &t, row, &column);
        if (line < 0)
            continue;
        conv_inside(w, column, row->count, &low, &high);
        if (low < high)
            CONV(axpy)
            (high - low, weight[p],
             x + t.channel * channel + line * w->in[2] + column + low * w->stride[2], w->stride[2],
             y + low);
    }
}

static void CONV(direct)(const struct window *w, int64_t taps, int64_t channels, const CONV_T *x,
                         const CONV_T *weight, CONV_T *y)
{
    for (int64_t oc = 0; oc < channels; oc++)
        for (int64_t d = 0; d < w->out[0]; d++)
            for (int64_t h = 0; h < w->out[1]; h++, y += w->out[2])
                CONV(direct_line)
                (w, taps, &(struct conv_row){0, (int)w->out[2], {d, h, 0}}, x, weight + oc * taps,
                 y);
}

static void CONV(product)(const struct conv_view *v, int64_t taps, int64_t channels,
                          const CONV_T *x, const CONV_T *weight, CONV_T *y)
{
    const int64_t positions = window_out_size(&v->w);
    const struct gemm_side rows = {CONV(gemm_pack), weight, taps, 1, NULL};
    const struct gemm_side windows = {CONV(conv_pack), x, 0, 0, v};
    const struct gemm_side plain = {CONV(gemm_pack), x, 1, positions, NULL};
    CONV(gemm)
    (channels, positions, taps, &rows, conv_is_pointwise(&v->w) ? &plain : &windows, y, positions,
     1);
}

void CONV(conv)(const struct conv_params *p, const CONV_T *x, const CONV_T *w, const CONV_T *bias,
                CONV_T *y)
{
    const struct conv_view view = {.w = window_rank3(&p->window)};
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group;
    const int64_t taps = ic * window_kernel_size(&view.w), in = window_in_size(&view.w),
                  out = window_out_size(&view.w);
    for (int64_t i = 0; i < p->batch * p->group; i++) {
        const int64_t g = i % p->group;
        if (conv_is_direct(&view.w, oc, taps))
            CONV(direct)(&view.w, taps, oc, x + i * ic * in, w + g * oc * taps, y + i * oc * out);
        else
            CONV(product)(&view, taps, oc, x + i * ic * in, w + g * oc * taps, y + i * oc * out);
    }
    for (int64_t n = 0; n < p->batch; n++)
        CONV(add_bias)(p->out_channels, out, bias, y + n * p->out_channels * out);
}

/* Left side of the transposed form: vector j is the output channel, p counts (ic, taps). */
static void CONV(pack_weights)(const struct gemm_side *side, const struct gemm_cut *cut,
                               void *panel)
{
    const struct tap_set *set = side->more;
    const CONV_T *from = (const CONV_T *)side->data + cut->j0 * side->step_j;
    struct tap t = tap_at(set, cut->p0);
    CONV_T *to = panel;
    for (int p = 0; p < cut->np; p++, to += cut->width, tap_next(set, &t)) {
        const int64_t at = t.channel * side->step_p + tap_kernel(set, &t);
        for (int j = 0; j < cut->width; j++)
            to[j] = j < cut->nj ? from[at + j * side->step_j] : 0;
    }
}

/* Right side: vector j is the j-th output of the line, p counts (ic, taps). */
static void CONV(pack_inputs)(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)
{
    const struct tap_set *set = side->more;
    const struct window *w = set->w;
    struct tap t = tap_at(set, cut->p0);
    CONV_T *to = panel;
    for (int p = 0; p < cut->np; p++, to += cut->width, tap_next(set, &t)) {
        int64_t column;
        const int64_t line = tap_line(set, &t, &column);
        const CONV_T *from = (const CONV_T *)side->data + t.channel * side->step_p +
                             (line < 0 ? 0 : line * w->in[2]);
        for (int j = 0; j < cut->width; j++) {
            const int64_t at = column + cut->j0 + j;
            to[j] = j < cut->nj && line >= 0 && at >= 0 && at < w->in[2] ? from[at] : 0;
        }
    }
}

/* The outputs phase[] + stride[] * n of one group. */
static void CONV(transpose_phase)(const struct window *w, struct tap_set *set, int64_t ic,
                                  int64_t oc, const CONV_T *x, const CONV_T *weight, CONV_T *y)
{
    const int64_t kernel = window_kernel_size(w), in = window_in_size(w), out = window_out_size(w);
    const int64_t count = set->phase[2] < w->out[2]
                              ? (w->out[2] - set->phase[2] + w->stride[2] - 1) / w->stride[2]
                              : 0;
    const struct gemm_side rows = {CONV(pack_weights), weight, kernel, oc * kernel, set};
    const struct gemm_side columns = {CONV(pack_inputs), x, 0, in, set};
    for (int64_t d = set->phase[0]; d < w->out[0]; d += w->stride[0])
        for (int64_t h = set->phase[1]; h < w->out[1]; h += w->stride[1]) {
            set->step[0] = d / w->stride[0], set->step[1] = h / w->stride[1];
            CONV(gemm)
            (oc, count, ic * tap_count(set), &rows, &columns,
             y + (d * w->out[1] + h) * w->out[2] + set->phase[2], out, w->stride[2]);
        }
}

static void CONV(transpose_group)(const struct window *w, int64_t ic, int64_t oc, const CONV_T *x,
                                  const CONV_T *weight, CONV_T *y)
{
    struct tap_set set = {.w = w};
    for (set.phase[0] = 0; set.phase[0] < w->stride[0] && set.phase[0] < w->out[0]; set.phase[0]++)
        for (set.phase[1] = 0; set.phase[1] < w->stride[1] && set.phase[1] < w->out[1];
             set.phase[1]++)
            for (set.phase[2] = 0; set.phase[2] < w->stride[2] && set.phase[2] < w->out[2];
                 set.phase[2]++) {
                tap_set_find(&set);
                CONV(transpose_phase)(w, &set, ic, oc, x, weight, y);
            }
}

void CONV(conv_transpose)(const struct conv_params *p, const CONV_T *x, const CONV_T *w,
                          const CONV_T *bias, CONV_T *y)
{
    const struct window win = window_rank3(&p->window);
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group;
    const int64_t in = window_in_size(&win), out = window_out_size(&win),
                  kernel = window_kernel_size(&win);
    for (int64_t i = 0; i < p->batch * p->group; i++)
        CONV(transpose_group)
        (&win, ic, oc, x + i * ic * in, w + i % p->group * ic * oc * kernel, y + i * oc * out);
    for (int64_t n = 0; n < p->batch; n++)
        CONV(add_bias)(p->out_channels, out, bias, y + n * p->out_channels * out);
}
#undef CONV_T
#undef CONV

/* Text of MaxPool for one element type, included by pool.c with POOL_T, POOL_LOWEST,
 * POOL_NAN(value) and POOL(name).
 */
static int64_t POOL(largest)(const struct window *w, const struct reach *r, const POOL_T *x,
                             POOL_T *y)
{
    int64_t best = -1;
    *y = POOL_LOWEST;
    for (int64_t d = r[0].low; d < r[0].high; d++)
        for (int64_t h = r[1].low; h < r[1].high; h++) {
            const int64_t line = reach_line(w, r, d, h);
            for (int64_t c = r[2].low; c < r[2].high; c++) {
                const int64_t at = line + r[2].start + c * w->dilation[2];
                if (best < 0 || x[at] > *y || POOL_NAN(x[at])) {
                    *y = x[at];
                    best = at;
                }
            }
        }
    return best;
}

void POOL(pool_max)(const struct pool_params *p, const POOL_T *x, POOL_T *y, int64_t *indices,
                    bool column_major)
{
    const struct window w = window_rank3(&p->window);
    const int64_t in = window_in_size(&w), out = window_out_size(&w);
    struct reach r[3];
    for (int64_t plane = 0; plane < p->batch * p->channels; plane++)
        for (int64_t o = 0; o < out; o++) {
            reach_at(&w, o, r);
            const int64_t at = POOL(largest)(&w, r, x + plane * in, y + plane * out + o);
            if (indices)
                indices[plane * out + o] =
                    at < 0 ? -1 : plane * in + (column_major ? transposed(&w, at) : at);
        }
}
#undef POOL_T
#undef POOL_LOWEST
#undef POOL_NAN
#undef POOL

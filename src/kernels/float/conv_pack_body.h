/* Text of one window packer, included by conv_pack.c per element type with PACK_FROM, PACK_TO,
 * PACK_VALUE(x), PACK(name). */
static void PACK(pack_zeros)(int count, PACK_TO *to)
{
    for (int j = 0; j < count; j++)
        to[j] = 0;
}

static void PACK(pack_stretch)(const struct conv_view *v, const PACK_FROM *line, int64_t column,
                               int count, PACK_TO *to)
{
    int low, high;
    conv_inside(&v->w, column, count, &low, &high);
    PACK(pack_zeros)(low, to);
    for (int j = low; j < high; j++)
        to[j] = PACK_VALUE(line[column + j * v->w.stride[2]]);
    PACK(pack_zeros)(count - high, to + high);
}

void PACK(conv_pack)(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)
{
    const struct conv_view *v = side->more;
    const int64_t channel = v->w.in[0] * v->w.in[1] * v->w.in[2];
    struct conv_row rows[CONV_MAX_ROWS];
    const int n = conv_rows(&v->w, cut, rows);
    struct conv_tap t = conv_tap_at(&v->w, cut->p0);
    PACK_TO *to = panel;
    for (int p = 0; p < cut->np; p++, to += cut->width, conv_tap_next(&v->w, &t)) {
        const PACK_FROM *from = (const PACK_FROM *)side->data + t.channel * channel;
        for (int r = 0; r < n; r++) {
            int64_t column;
            const int64_t line = conv_line(&v->w, &t, &rows[r], &column);
            if (line < 0)
                PACK(pack_zeros)(rows[r].count, to + rows[r].at);
            else
                PACK(pack_stretch)
                (v, from + line * v->w.in[2], column, rows[r].count, to + rows[r].at);
        }
        PACK(pack_zeros)(cut->width - cut->nj, to + cut->nj);
    }
}
#undef PACK_FROM
#undef PACK_TO
#undef PACK_VALUE
#undef PACK

/* Inside the convolutions: how a window's input positions become packed panels for gemm.h. */
#ifndef KERNELS_FLOAT_CONV_PACK_H
#define KERNELS_FLOAT_CONV_PACK_H
#include "kernels/float/conv.h"
#include "kernels/float/gemm.h"

/* What a packer knows: the rank-3 window, and the zero point of integer forms. Vector j is the
 * output position with that flat index, p counts (channel, kd, kh, kw) of one group. side->data is
 * the group's first input channel. */
struct conv_view {
    struct window w;
    int32_t zero;
};

/* A place in the p order. */
struct conv_tap {
    int64_t channel, kernel[3];
};
struct conv_tap conv_tap_at(const struct window *w, int64_t p);
void conv_tap_next(const struct window *w, struct conv_tap *t);

/* A stretch of output positions in one row: nj of them from panel column `at` on. */
struct conv_row {
    int at, count;
    int64_t out[3]; /* position of the first */
};
enum { CONV_MAX_ROWS = 16 }; /* columns of the widest panel */
int conv_rows(const struct window *w, const struct gemm_cut *cut, struct conv_row *rows);

/* Where a stretch starts in its input channel: the line's number and *column, which may lie
 * outside; -1: the line is padding. */
int64_t conv_line(const struct window *w, const struct conv_tap *t, const struct conv_row *row,
                  int64_t *column);
/* Elements [*low, *high) of a stretch that starts at `column` read inside the line. */
void conv_inside(const struct window *w, int64_t column, int count, int *low, int *high);

void conv_pack_f32(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void conv_pack_f64(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void conv_pack_s8(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void conv_pack_u8(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
#endif

/* Greedy suppression in order of score. The order comes from a heap over the box numbers with a
 * total order, so it does not depend on how a sort treats equals. Formula of the overlap: ONNX
 * NonMaxSuppression-11. */
#include "kernels/float/nms.h"

/* Does box a come before box b? */
static bool before(const float *scores, int64_t a, int64_t b)
{
    return scores[a] > scores[b] || (!(scores[a] < scores[b]) && a < b);
}

static void sift_down(const float *scores, int64_t *heap, int64_t n, int64_t at)
{
    for (;;) {
        int64_t best = at;
        for (int64_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (before(scores, heap[child], heap[best]))
                best = child;
        if (best == at)
            return;
        const int64_t t = heap[at];
        heap[at] = heap[best];
        heap[best] = t;
        at = best;
    }
}

struct rectangle {
    float x0, x1, y0, y1;
};

static float least(float a, float b) { return a < b ? a : b; }
static float most(float a, float b) { return a > b ? a : b; }

static struct rectangle rectangle_of(const struct nms_params *p, const float *b)
{
    if (p->centred)
        return (struct rectangle){b[0] - b[2] / 2, b[0] + b[2] / 2, b[1] - b[3] / 2,
                                  b[1] + b[3] / 2};
    return (struct rectangle){least(b[1], b[3]), most(b[1], b[3]), least(b[0], b[2]),
                              most(b[0], b[2])};
}

static float area(const struct rectangle *r) { return (r->x1 - r->x0) * (r->y1 - r->y0); }

static bool overlaps(const struct nms_params *p, const float *a, const float *b)
{
    const struct rectangle r = rectangle_of(p, a), s = rectangle_of(p, b);
    const struct rectangle common = {most(r.x0, s.x0), least(r.x1, s.x1), most(r.y0, s.y0),
                                     least(r.y1, s.y1)};
    if (common.x1 <= common.x0 || common.y1 <= common.y0)
        return false;
    const float both = area(&common), of_r = area(&r), of_s = area(&s), either = of_r + of_s - both;
    if (both <= 0 || of_r <= 0 || of_s <= 0 || either <= 0)
        return false;
    return both / either > p->iou_threshold;
}

static bool suppressed(const struct nms_params *p, const float *boxes, int64_t box,
                       const int64_t *selected, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (overlaps(p, boxes + 4 * box, boxes + 4 * selected[i]))
            return true;
    return false;
}

static int64_t candidates(const struct nms_params *p, const float *scores, int64_t *heap)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->boxes; i++) {
        const bool is_number = scores[i] <= scores[i]; /* NaN compares false */
        if (is_number && (!p->has_score_threshold || scores[i] > p->score_threshold))
            heap[n++] = i;
    }
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_down(scores, heap, n, i);
    return n;
}

int64_t nms_f32(const struct nms_params *p, const float *boxes, const float *scores,
                int64_t *selected, int64_t *scratch)
{
    int64_t left = p->most > 0 ? candidates(p, scores, scratch) : 0, n = 0;
    while (left > 0 && n < p->most) {
        const int64_t best = scratch[0];
        scratch[0] = scratch[--left];
        sift_down(scores, scratch, left, 0);
        if (!suppressed(p, boxes, best, selected, n))
            selected[n++] = best;
    }
    return n;
}

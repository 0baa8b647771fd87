/* Non-maximum suppression: ONNX NonMaxSuppression-10, -11, for one batch element and class. */
#ifndef KERNELS_FLOAT_NMS_H
#define KERNELS_FLOAT_NMS_H
#include <stdbool.h>
#include <stdint.h>

struct nms_params {
    int64_t boxes;
    int64_t most;        /* max_output_boxes_per_class; <= 0: none */
    float iou_threshold; /* a box is dropped when it overlaps a chosen one by more */
    bool has_score_threshold;
    float score_threshold; /* only scores above take part */
    bool centred; /* center_point_box: boxes are (x, y, width, height), else (y1, x1, y2, x2),
                     corners in any order */
};

/* boxes [boxes, 4], scores [boxes] -> the chosen boxes' numbers, best first (equal scores: the
 * lower number first; NaN scores take no part). selected and scratch: room for `boxes`. Returns how
 * many. O(n log n + n * chosen). */
int64_t nms_f32(const struct nms_params *p, const float *boxes, const float *scores,
                int64_t *selected, int64_t *scratch);
#endif

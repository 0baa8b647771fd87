/* Einstein summation: ONNX Einsum-12, reference form.
 *
 * einsum_labels reads the equation into labels per axis (shape inference can stop there),
 * einsum_extents checks dims and gives each label its extent. Operands are contracted from left to
 * right, two at a time, as products summed as gemm.h says; one operand alone is summed in double.
 */
#ifndef KERNELS_FLOAT_EINSUM_H
#define KERNELS_FLOAT_EINSUM_H
#include <stdbool.h>
#include <stdint.h>

enum { EINSUM_MAX_INPUTS = 16, EINSUM_MAX_RANK = 16, EINSUM_MAX_LABELS = 64 };

struct einsum_term {
    int rank;
    int label[EINSUM_MAX_RANK]; /* of each axis, 0 .. n_labels-1 */
};

struct einsum_plan {
    int n_inputs, n_labels;
    struct einsum_term input[EINSUM_MAX_INPUTS], output;
    int64_t extent[EINSUM_MAX_LABELS]; /* by einsum_extents */
    int64_t dims[EINSUM_MAX_INPUTS][EINSUM_MAX_RANK];
};

/* Letters, spaces, "...", "," and "->". An axis repeated in one term is its diagonal. Without "->"
 * the output has the ellipsis, then the letters that occur once, in ASCII order. false: the
 * equation is not valid or does not fit the ranks. */
bool einsum_labels(const char *equation, int n_inputs, const int *ranks, struct einsum_plan *p);
/* Axes with one label have one extent, or 1 (broadcast). false: they differ, or a product of
 * extents overflows. */
bool einsum_extents(struct einsum_plan *p, const int64_t *const *dims);

/* Elements (of the operands' type) of working memory; -1: too large. */
int64_t einsum_scratch(const struct einsum_plan *p);
void einsum_f32(const struct einsum_plan *p, const float *const *inputs, float *y, float *scratch);
void einsum_f64(const struct einsum_plan *p, const double *const *inputs, double *y,
                double *scratch);
#endif

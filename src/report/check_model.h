/* Is it valid ONNX; is it ready for an NPU. What the loader refuses does not come this far. */
#ifndef REPORT_CHECK_MODEL_H
#define REPORT_CHECK_MODEL_H
#include "ir/ir.h"

/* Looks at names, imports, signatures, types, shapes and weights of a loaded model and reports what
 * it finds, notes included, to m->ctx. Completes the types. 0, or the code of what kept it from
 * looking (time, interrupt). */
int check_model(struct model *m);

/* The same against a target, after check_model: what it leaves float, and what stands in its way.
 * Splits constants as the quantizer would: do not save m afterwards. */
int check_ready(struct model *m, const char *target);

/* Reports a finding at a node, or at the model (n NULL): for the files of these checks. */
void check_found(const struct model *m, enum err id, const struct node *n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#endif

/* A model that is quantized already, against a target. */
#ifndef REPORT_CHECK_QDQ_H
#define REPORT_CHECK_QDQ_H
#include "ir/ir.h"
#include "targets/target.h"

/* Whether m holds QuantizeLinear or DequantizeLinear. */
bool check_is_qdq(const struct model *m);
/* Reports to m->ctx what does not suit t. Types must be inferred. */
void check_qdq(struct model *m, const struct target *t);
#endif

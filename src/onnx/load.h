/* Reading models. */
#ifndef ONNX_LOAD_H
#define ONNX_LOAD_H
#include "ir/ir.h"

/* The newest IR version whose schema proto/onnx.proto holds; newer files are read with a warning.
 */
enum { ONNX_IR_VERSION = 14 };

/* Reads a model: scanned (onnx/scan.h), names resolved, functions linked, nodes in topological
 * order. Weights stay in the mapped file or in its external data files, which live as long as the
 * model. Returns owned, NULL after a report. path "-" is standard input (a model without external
 * data). */
struct model *model_load(struct ctx *ctx, const char *path);

/* The same from memory, which must outlive the model. name: for messages. External data is refused.
 */
struct model *model_load_bytes(struct ctx *ctx, struct span bytes, const char *name);
#endif

/* The three forms of quantize's output: a folder, NAME.onnx with its companions, NAME.zip. All
 * files are made in a hidden folder beside the place and appear together, the .onnx last. */
#ifndef CMD_QUANTIZE_OUT_H
#define CMD_QUANTIZE_OUT_H
#include "cmd/cmd.h"
#include "report/quantize_report.h"

enum quantize_file {
    FILE_MODEL,
    FILE_FLOAT,
    FILE_ENCODINGS,
    FILE_REPORT_JSON,
    FILE_REPORT_HTML,
    QUANTIZE_FILES
};

struct quantize_out;

int quantize_out_open(struct quantize_out **out, struct cmd *cmd); /* E_EXISTS, E_QUANT_OUTPUT */
const char *quantize_out_path(const struct quantize_out *o,
                              enum quantize_file f); /* write it here */
const char *quantize_out_place(const struct quantize_out *o, enum quantize_file f); /* in the end */
uint64_t quantize_out_bytes(const struct quantize_out *o); /* of the model with its data files */
int quantize_out_commit(struct quantize_out *o, const struct quantize_report *r,
                        const char *model_path); /* frees */
void quantize_out_abort(struct quantize_out *o); /* NULL is allowed */
#endif

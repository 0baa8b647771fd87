/* What quantizing a model came to: the keys of report.json and of quantize --json, and the page. */
#ifndef REPORT_QUANTIZE_REPORT_H
#define REPORT_QUANTIZE_REPORT_H
#include "base/json_write.h"
#include "ir/ir.h"
#include "quant/quant.h"
#include "report/metrics.h"

struct report_tensor {
    const char *name;
    const struct quant *q;
    const char *tied_to; /* or NULL */
};

struct report_count {
    const char *name;
    int64_t count;
};

struct report_float {
    const char *node, *op, *why;
};

struct report_output {
    const char *name;
    struct metrics metrics;
};

struct quantize_report {
    struct arena *arena;
    const char *model; /* base name of the input */
    const char *target, *precision, *method;
    const char *eval_source; /* NULL: nothing was verified */
    int64_t samples, eval_samples;
    int64_t biases_corrected;
    int64_t nodes_before, nodes_after;
    uint64_t bytes_before, bytes_after;
    VEC(struct report_tensor) tensors;
    VEC(struct report_count) ops_quantized;
    VEC(struct report_float) ops_float;
    VEC(struct report_count) macs; /* by precision */
    VEC(struct report_output) outputs;
};

/* Takes tensors, operators and multiply-accumulates from a plan after quant_choose and before
 * qdq_write; strings live in the model's arena or in r->arena. */
void report_take_plan(struct quantize_report *r, struct quant_plan *p);
void report_release(struct quantize_report *r); /* the lists; the arena is the caller's */

void report_keys(const struct quantize_report *r, struct json_writer *w); /* object is open */
int report_write_json(const struct quantize_report *r, struct outfile *out);
int report_write_html(const struct quantize_report *r, struct outfile *out);
#endif

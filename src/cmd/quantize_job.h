/* What the files of `npuprep quantize` share: one job, from options to report. */
#ifndef CMD_QUANTIZE_JOB_H
#define CMD_QUANTIZE_JOB_H
#include "calib/range.h"
#include "cmd/pipeline.h"
#include "cmd/quantize_out.h"
#include "encodings/encodings.h"
#include "quant/quant.h"
#include "report/verify.h"

struct quantize_options {
    const char *target, *precision, *method, *algo, *stats, *encodings_version;
    struct opt_list keep_float, eval_data;
    int engine, io, external_data, verify;
    int64_t opset;
    double min_sqnr, min_top1;
};

struct quantize_job {
    struct cmd *cmd;
    const struct quantize_options *o;
    struct target *target;
    int weight_bits, activation_bits;
    struct range_method method;
    bool correct_bias;
    const struct encodings_format *encodings;
    struct pipeline pipeline;
    struct quant_plan *plan;
    VEC(const struct value *) excluded; /* never seen, or not finite, on the samples */
    struct stats *stats;
    struct samples *eval; /* --eval-data */
    struct verify *verify;
    struct quantize_out *out;
    struct quantize_report report;
};

/* Which nodes and values take part (quantize_ranges.c). */
int quantize_plan(struct quantize_job *j);
/* Calibrates, runs the float model where that is needed besides, chooses scales and zero points. */
int quantize_measure(struct quantize_job *j);

/* Lists the samples to verify on (quantize_verify.c). */
int quantize_verify_open(struct quantize_job *j);
/* The float outputs of those samples where calibration does not bring them along, and what it
 * brings. */
int quantize_verify_float(struct quantize_job *j);
int quantize_verify_keep(void *job, size_t k, const struct tensor *const *out);
/* Compares the quantized graph's. */
int quantize_verify_run(struct quantize_job *j);
/* EXIT_GATE when --min-sqnr or --min-top1 is not reached. */
int quantize_verify_gates(const struct quantize_job *j);

/* The float graph and its encodings, then the same graph with Q/DQ nodes (quantize_write.c). */
int quantize_write_models(struct quantize_job *j);
int quantize_write_reports(struct quantize_job *j);
#endif

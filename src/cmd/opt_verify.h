/* opt --verify: the model before and after on the same samples, with the reference engine. */
#ifndef CMD_OPT_VERIFY_H
#define CMD_OPT_VERIFY_H
#include "cmd/cmd.h"
#include "ir/ir.h"
#include "passes/pass.h"
#include "report/verdict.h"

struct opt_verdict {
    enum pass_class class; /* the loosest of the passes that rewrote something */
    int64_t samples;
    const char *source;              /* "random" or "data" */
    struct verified_output *outputs; /* in cmd->arena */
    size_t n_outputs;
    bool passed;
};

/* Runs the model of `path` as it came and m, which the passes made of it, on --data, or on random
 * numbers without: at most so many samples. The sizes of free dimensions are
 * taken from --dim, --shape or the data, else 4. Exact passes must keep every bit. Reassociating
 * ones may be off by max(1e-5 of the output's largest number, twice the original's own error), both
 * against a run in double; where that cannot be run, by 1e-5 of the largest number. Lossy passes
 * promise nothing. Reports E_PASS_DIFFERS for each output beyond that; the code says only that the
 * comparison could not be made. */
int opt_verify(struct cmd *cmd, const char *path, struct model *m, const struct pass_log *log,
               int64_t samples, struct opt_verdict *verdict);

void opt_verify_text(const struct opt_verdict *v, FILE *out);
void opt_verify_json(const struct opt_verdict *v, struct json_writer *w); /* the key `verify` */
#endif

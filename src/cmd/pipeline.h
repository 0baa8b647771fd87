/* What calibrate and quantize begin with: the model is read, its dimensions bound, rewritten by the
 * passes of level 2, and the samples are listed. */
#ifndef CMD_PIPELINE_H
#define CMD_PIPELINE_H
#include "calib/calibrate.h"
#include "cmd/cmd.h"
#include "data/samples.h"
#include "ir/ir.h"
#include "passes/pass.h"

enum { PIPELINE_LEVEL = 2 }; /* exact passes, and reassociating ones such as BatchNorm folding */

struct pipeline {
    struct cmd *cmd;
    const char *path;
    struct model *m;
    struct pass_log log;
    struct samples_options sample_options;
    struct samples *samples; /* NULL: no --data */
    enum engine engine;
    uint64_t bytes; /* of the model, external data included */
};

/* Options MODEL_OPTIONS and SAMPLE_OPTIONS of the command count. target may be NULL. */
int pipeline_open(struct pipeline *p, struct cmd *cmd, const struct target *target);
void pipeline_close(struct pipeline *p);

/* For calibrate_run: the pipeline's samples, or others of the same model. */
struct sample_source pipeline_source(struct samples *samples);

/* Who the statistics belong to, in s->arena: SHA-256 of the model file, what decides the numbers
 * besides, the engine's instruction set. */
int pipeline_identify(const struct pipeline *p, struct stats *s);

/* Every float32 value of the main graph that is not constant, for statistics that any target can
 * use. In cmd->arena. */
size_t pipeline_observable(const struct pipeline *p, const struct value *const **values);
#endif

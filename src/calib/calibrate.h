/* Running a model over samples and watching its values: one pass, nothing but counts is kept. */
#ifndef CALIB_CALIBRATE_H
#define CALIB_CALIBRATE_H
#include "calib/stats.h"
#include "exec/exec.h"

/* Where samples come from: positions 0 .. count - 1. get fills one tensor per graph input (NULL:
 * the model's default) that live in the arena; 0, > 0: a sample to pass over, < 0: reported. It is
 * called from several threads at once. */
struct sample_source {
    size_t count;
    int64_t (*id)(const void *user, size_t k); /* in the full listing */
    int (*get)(void *user, size_t k, struct arena *a, const struct tensor ***out);
    void *user;
};

struct calibrate_options {
    enum engine engine;
    const struct value *const *values; /* to observe: float32, n_values of them */
    size_t n_values;
    bool histograms, per_sample;
    const bool *plain; /* by value: no histogram of it all the same; NULL: none */
    const int *axes;   /* by value: the axis of the channels whose means are wanted, 1 or the last
                          one, else -1; NULL: no means */
    int64_t shard, shards; /* this one of so many, from 1; 0, 0: all samples */
    /* Sees the outputs of each sample that was run, from several threads at once; NULL: nobody. k is
     * the position in the source. */
    int (*outputs)(void *user, size_t k, const struct tensor *const *out);
    /* Called between samples, at most every checkpoint_seconds, with consistent statistics; NULL:
     * never. */
    int (*checkpoint)(void *user, struct stats *s);
    double checkpoint_seconds;
    void *user;
};

/* Runs the samples and adds what was seen to s, which is new or holds earlier samples of the same
 * values (E_STATS_MISMATCH otherwise); samples that are in s already are passed over. After any
 * error s still holds whole samples only, so that an interrupted run can be saved. */
int calibrate_run(struct stats *s, struct model *m, const struct sample_source *samples,
                  const struct calibrate_options *o);

/* Names what decides the numbers apart from model and samples, for stats->isa: "reference" or the
 * vector extensions that oneDNN picks its code by. */
const char *calibrate_isa(enum engine engine);
#endif

/* What rounding costs at the outputs, measured before any Q/DQ node is written: the float model runs
 * on samples while the values under trial are rounded on their way. */
#ifndef CMD_QUANTIZE_NOISE_H
#define CMD_QUANTIZE_NOISE_H
#include "cmd/quantize_job.h"

struct noise;

/* The grid of a value's group; scale 0: not rounded. */
struct noise_grid {
    float scale;
    int32_t zero_point;
    enum dtype dtype;
};

/* Runs the float model on the first `samples` samples and keeps its outputs. */
int noise_new(struct noise **out, struct quantize_job *j, size_t samples);
void noise_free(struct noise *n); /* NULL is allowed */

/* The grids in force (value->q), by value id; n_values of them, in the arena. */
struct noise_grid *noise_grids(const struct model *m, struct arena *a);

/* Units first .. first + count - 1 are rounded, nothing else. */
struct noise_range {
    uint32_t first, count;
};

/* unit: 1 + the unit that a value belongs to, by id; 0: none. Activations are rounded to their grid.
 * constants: the units are weights and biases, which are rounded by their value->q; one trial then,
 * for which activations keep their grids too where all of them are given. ratio: error power / signal
 * power, of the worst output. */
struct noise_trials {
    const struct noise_grid *grids;
    const uint32_t *unit;
    const struct noise_range *ranges;
    size_t count, samples;
    bool constants;
};
int noise_measure(struct noise *n, const struct noise_trials *t, double *ratio);
#endif

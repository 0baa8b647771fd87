/* Calibration statistics: what activations looked like, in a form that merges exactly.
 *
 * Minimum, maximum and counts are exact; histograms have fixed bins relative to the largest octave
 * and integer counts, so that adding samples or merging files in any order gives the same numbers.
 * The method that turns them into ranges is chosen afterwards (range.h).
 */
#ifndef CALIB_STATS_H
#define CALIB_STATS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "kernels/float/observe.h"

/* Magnitudes in the octaves top - OBSERVE_OCTAVES + 1 .. top, see kernels/float/observe.h. When top
 * grows, counts of octaves that fall out at the bottom go to small. */
struct histogram {
    bool any;    /* an element other than zero was seen: top is valid */
    int32_t top; /* floor(log2) of the largest magnitude */
    uint64_t zero, small[2];
    uint64_t bins[2][OBSERVE_BINS]; /* positive, negative */
};

/* Sums over each channel, in units of 2^-SUM_BITS, so that they add exactly: 2^87 at most. */
enum { SUM_BITS = 40 };
struct channel_sums {
    int64_t channels;
    uint64_t count; /* elements in each channel */
    __int128 *sum;
};

struct tensor_stats {
    const char *name;
    uint64_t finite, nan, above, below; /* elements */
    float low, high;                    /* of the finite ones; low > high: none was seen */
    struct histogram *histogram;        /* NULL: not asked for */
    struct channel_sums *sums;          /* NULL: nobody asks for its means */
};

struct sample_stats {
    int64_t id;            /* in the full listing */
    struct hash128 digest; /* of its input tensors */
    float *ranges;         /* low, high for each tensor; NULL: not kept */
};

struct stats {
    struct arena *arena; /* owns all of it, itself too */
    const char *model;   /* SHA-256 of the model file */
    const char *recipe;  /* what else decides the numbers: passes, dims, sample options */
    const char *isa;     /* "reference", or the instruction set the engine ran on */
    bool histograms, per_sample;
    VEC(struct tensor_stats) tensors; /* by name once sorted */
    VEC(struct sample_stats) samples; /* by id once sorted */
    struct map index;                 /* name -> position + 1; made by stats_sort */
};

struct stats *stats_new(void);    /* returns owned */
void stats_free(struct stats *s); /* NULL is allowed */
void stats_sort(struct stats *s); /* tensors by name, samples by id */
const struct tensor_stats *stats_find(const struct stats *s, const char *name);

/* Warns of NaN and infinities, once, naming the first tensor and how many there are. */
void stats_warn_nonfinite(const struct stats *s, struct diag *diag);

void tensor_stats_clear(struct tensor_stats *t);
void tensor_stats_merge(struct tensor_stats *to, const struct tensor_stats *from,
                        struct arena *a); /* a: of the statistics that `to` belongs to */
/* Adds n elements; the histogram too when there is one. o: what observe_range gave for them. */
void tensor_stats_add(struct tensor_stats *t, const struct observed *o,
                      const struct observe_bins *h, int top);

/* Adds the sums of n channels with `count` elements each. Tensors whose number of channels changes
 * from sample to sample, or that are not finite, get none. */
void tensor_stats_add_sums(struct tensor_stats *t, const double *sum, int64_t n, uint64_t count,
                           struct arena *a);
/* Means of the channels; false: not known. */
bool tensor_stats_means(const struct tensor_stats *t, int64_t channels, double *mean);

/* `from` into `into`, both sorted. Errors: E_STATS_MISMATCH (another model, recipe, tensor set or
 * kind; another instruction set unless mixed_isa), E_STATS_DUPLICATE (a sample in both). */
int stats_merge(struct stats *into, const struct stats *from, bool mixed_isa, const char *name,
                struct diag *diag);

/* File (stats_file.c states the layout). Saving sorts first: equal contents give equal bytes. */
int stats_write(struct stats *s, struct outfile *out);
int stats_save(struct stats *s, const char *path, bool force, struct diag *diag);
int stats_load(struct stats **out, const char *path, struct ctx *ctx); /* E_STATS_FILE */
#endif

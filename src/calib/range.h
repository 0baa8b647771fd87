/* From statistics to a range: the methods of --method. */
#ifndef CALIB_RANGE_H
#define CALIB_RANGE_H
#include "calib/stats.h"

enum range_kind { RANGE_MINMAX, RANGE_MOVING_AVERAGE, RANGE_PERCENTILE, RANGE_MSE, RANGE_ENTROPY };

struct range_method {
    enum range_kind kind;
    double param; /* moving-average: weight of a new sample; percentile: percent kept */
};

/* "minmax", "moving-average[:C]", "percentile[:P]", "mse", "entropy". E_STATS_METHOD. */
int range_method_parse(struct range_method *m, const char *text, struct diag *diag);
size_t range_method_total(void); /* for `list algos` */
const char *range_method_name(size_t index);
const char *range_method_summary(size_t index);
bool range_needs_histograms(const struct range_method *m);
bool range_needs_per_sample(const struct range_method *m);

/* The integers the range is for: some methods weigh clipping against rounding. */
struct range_grid {
    int64_t steps; /* qmax - qmin */
    bool symmetric;
};

/* Range of the tensor at `index` of sorted statistics; zero need not be inside. false: nothing was
 * seen of it, or the statistics lack what the method needs. */
bool range_of(const struct stats *s, size_t index, const struct range_method *m,
              const struct range_grid *g, double *low, double *high);
#endif

/* Range searches over a histogram; for range.c. */
#ifndef CALIB_SEARCH_H
#define CALIB_SEARCH_H
#include "calib/range.h"

/* Non-empty bins in rising order, cut to what was seen; zeros are a bin of no width. */
struct bin {
    double low, high, count;
};
struct bin_list {
    struct bin *data;
    size_t count, cap;
};
void search_bins(struct bin_list *bins, const struct tensor_stats *t); /* vec_free it */

/* low, high: in what was seen, out the best range. */
void search_mse(const struct tensor_stats *t, const struct range_grid *g, double *low,
                double *high);
void search_entropy(const struct tensor_stats *t, const struct range_grid *g, double *low,
                    double *high);
#endif

/* The methods.
 *
 * minmax          what was seen.
 * moving-average  r <- r + C (x - r) over the samples' own extremes in the order of their ids,
 *                 starting from the first (TensorFlow's and PyTorch's moving-average observers). C
 *                 0.1, so that a few dozen samples count; PyTorch's 0.01 is made for thousands.
 * percentile      (100 - P) / 2 percent of the elements are left out at each end; P 99.999 as ONNX
 *                 Runtime's default. The edge of the first bin that is kept, never outside what was
 *                 seen.
 * mse             the range with the least mean squared error of rounding and clipping.
 * entropy         the range whose quantized histogram has the least Kullback-Leibler divergence
 * from the one that was seen (Migacz, "8-bit inference with TensorRT", 2017), with every range
 * tried, unlike ONNX Runtime at its defaults.
 */
#include "calib/range.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "calib/search.h"

static const struct {
    const char *name, *summary;
    enum range_kind kind;
    bool has_param;
    double initial, low, high; /* of the parameter, both ends allowed */
} METHODS[] = {
    {"minmax", "what was seen", RANGE_MINMAX, false, 0, 0, 0},
    {"moving-average",
     "each sample's extremes, averaged with a forgetting factor: moving-average[:C]",
     RANGE_MOVING_AVERAGE, true, 0.1, 1e-6, 1},
    {"percentile", "leaves out the outermost elements: percentile[:P]", RANGE_PERCENTILE, true,
     99.999, 50, 100},
    {"mse", "least squared error of rounding and clipping", RANGE_MSE, false, 0, 0, 0},
    {"entropy", "least divergence between the distribution and the quantized one", RANGE_ENTROPY,
     false, 0, 0, 0},
};
enum { N_METHODS = sizeof METHODS / sizeof METHODS[0] };

size_t range_method_total(void) { return N_METHODS; }
const char *range_method_name(size_t index) { return METHODS[index].name; }
const char *range_method_summary(size_t index) { return METHODS[index].summary; }

static int bad_parameter(const char *text, int i, struct diag *diag)
{
    return diag_report(diag, E_STATS_METHOD, NULL, "'%s': %s takes a number from %g to %g", text,
                       METHODS[i].name, METHODS[i].low, METHODS[i].high);
}

int range_method_parse(struct range_method *m, const char *text, struct diag *diag)
{
    size_t n = strcspn(text, ":");
    struct nearest near = {0};
    for (int i = 0; i < N_METHODS; i++) {
        nearest_try(&near, text, METHODS[i].name);
        if (strlen(METHODS[i].name) != n || strncmp(METHODS[i].name, text, n) != 0)
            continue;
        m->kind = METHODS[i].kind;
        m->param = METHODS[i].initial;
        if (!text[n])
            return 0;
        bool ok = METHODS[i].has_param && text_double(text + n + 1, &m->param) &&
                  m->param >= METHODS[i].low && m->param <= METHODS[i].high;
        return ok ? 0 : bad_parameter(text, i, diag);
    }
    char hint[64];
    snprintf(hint, sizeof hint, "did you mean '%.32s'?", near.best ? near.best : "");
    return diag_report_hint(diag, E_STATS_METHOD, NULL, near.best ? hint : NULL,
                            "there is no range method '%s'", text);
}

bool range_needs_histograms(const struct range_method *m)
{
    return m->kind == RANGE_PERCENTILE || m->kind == RANGE_MSE || m->kind == RANGE_ENTROPY;
}

bool range_needs_per_sample(const struct range_method *m)
{
    return m->kind == RANGE_MOVING_AVERAGE;
}

static bool moving_average(const struct stats *s, size_t index, double c, double *low, double *high)
{
    bool any = false;
    for (size_t k = 0; k < s->samples.count; k++) {
        const float *r = s->samples.data[k].ranges;
        if (!r || r[2 * index] > r[2 * index + 1])
            continue; /* not seen in this sample */
        double a = (double)r[2 * index], b = (double)r[2 * index + 1];
        *low = any ? *low + c * (a - *low) : a;
        *high = any ? *high + c * (b - *high) : b;
        any = true;
    }
    return any;
}

/* The part of the elements to leave out at each end. */
static bool percentile(const struct tensor_stats *t, double percent, double *low, double *high)
{
    struct bin_list bins;
    double cut = (double)t->finite * (100 - percent) / 200, sum = 0;
    search_bins(&bins, t);
    size_t first = 0, last = bins.count;
    while (first < bins.count && sum + bins.data[first].count <= cut)
        sum += bins.data[first++].count;
    sum = 0;
    while (last > first + 1 && sum + bins.data[last - 1].count <= cut)
        sum += bins.data[--last].count;
    if (bins.count) {
        *low = fmax(bins.data[first].low, (double)t->low);
        *high = fmin(bins.data[last - 1].high, (double)t->high);
    }
    vec_free(&bins);
    return true;
}

bool range_of(const struct stats *s, size_t index, const struct range_method *m,
              const struct range_grid *g, double *low, double *high)
{
    const struct tensor_stats *t = &s->tensors.data[index];
    *low = (double)t->low, *high = (double)t->high;
    if (t->low > t->high || (range_needs_histograms(m) && !t->histogram))
        return false;
    switch (m->kind) {
    case RANGE_MINMAX:
        return true;
    case RANGE_MOVING_AVERAGE:
        return moving_average(s, index, m->param, low, high);
    case RANGE_PERCENTILE:
        return percentile(t, m->param, low, high);
    case RANGE_MSE:
        search_mse(t, g, low, high);
        return true;
    case RANGE_ENTROPY:
        search_entropy(t, g, low, high);
        return true;
    }
    return false;
}

/* Range searches over a histogram.
 *
 * mse: for a range [a, b] with zero inside and step s = (b - a) / steps, an element inside costs
 *   s^2 / 12 (rounding error spread evenly, Bennett 1948), one nearer to zero than s / 2 its
 * square, zeros nothing, one outside the square of its distance to the range. Bins count at their
 * middle. Coordinate descent over 128 ends from nothing to what was seen on each side (symmetric:
 * one), at most 8 turns; it ends when a turn changes nothing. The cost is quasi-convex in practice,
 * and any range it returns costs at most what minmax does.
 *
 * entropy: P is the histogram over 2048 equal cells of what was seen, each bin spread evenly over
 *   the cells it covers. For ranges of k steps' worth of cells, from steps + 1 cells up to all: P
 *   clipped (what lies outside goes to the end cells) against Q, P merged into steps + 1 levels and
 *   spread over the cells that are not empty. For asymmetric grids the range shrinks from the side
 *   whose removal loses less; symmetric ones use |x|. Least KL(P || Q) wins.
 */
#include "calib/search.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "kernels/float/math.h"

enum { MSE_ENDS = 128, MSE_TURNS = 8, CELLS = 2048 };

/* ---- bins ---- */

static void push(struct bin_list *bins, double low, double high, double count,
                 const struct tensor_stats *t)
{
    low = fmax(low, (double)t->low), high = fmin(high, (double)t->high);
    if (count > 0)
        vec_push(bins, ((struct bin){low, high < low ? low : high, count}));
}

/* Lower edge of bin i of the magnitudes; i = OBSERVE_BINS: the upper end. */
static double edge(const struct histogram *h, int i)
{
    int octave = h->top - OBSERVE_OCTAVES + 1 + i / OBSERVE_SUB;
    return ldexp(1 + (double)(i % OBSERVE_SUB) / OBSERVE_SUB, octave);
}

void search_bins(struct bin_list *bins, const struct tensor_stats *t)
{
    const struct histogram *h = t->histogram;
    *bins = (struct bin_list){0};
    for (int i = OBSERVE_BINS - 1; h->any && i >= 0; i--)
        push(bins, -edge(h, i + 1), -edge(h, i), (double)h->bins[1][i], t);
    if (h->any)
        push(bins, -edge(h, 0), 0, (double)h->small[1], t);
    push(bins, 0, 0, (double)h->zero, t);
    if (h->any)
        push(bins, 0, edge(h, 0), (double)h->small[0], t);
    for (int i = 0; h->any && i < OBSERVE_BINS; i++)
        push(bins, edge(h, i), edge(h, i + 1), (double)h->bins[0][i], t);
}

/* ---- mse ---- */

static double mse_cost(const struct bin_list *bins, double a, double b, int64_t steps)
{
    double s = (b - a) / (double)steps, inside = s * s / 12, cost = 0;
    for (size_t i = 0; i < bins->count; i++) {
        const struct bin *k = &bins->data[i];
        double x = (k->low + k->high) / 2;
        double beyond = x < a ? a - x : x > b ? x - b : 0;
        double each = beyond > 0 ? beyond * beyond : fmin(inside, x * x);
        cost += k->count * each;
    }
    return cost;
}

/* The best end on one side, the other fixed; from 1/MSE_ENDS to all of what was seen. */
static double best_end(const struct bin_list *bins, double seen, double other, bool upper,
                       const struct range_grid *g)
{
    double best = seen, least = INFINITY;
    for (int i = MSE_ENDS; i >= 1; i--) { /* ties: the wider range */
        double end = seen * i / MSE_ENDS;
        double a = g->symmetric ? -end : upper ? other : end, b = upper ? end : other;
        double cost = mse_cost(bins, a, b, g->steps);
        if (cost < least)
            least = cost, best = end;
    }
    return best;
}

void search_mse(const struct tensor_stats *t, const struct range_grid *g, double *low, double *high)
{
    struct bin_list bins;
    double a = fmin(*low, 0), b = fmax(*high, 0), seen_low = a, seen_high = b;
    search_bins(&bins, t);
    if (g->symmetric) {
        *high = best_end(&bins, fmax(-a, b), 0, true, g);
        *low = -*high;
        vec_free(&bins);
        return;
    }
    for (int turn = 0; turn < MSE_TURNS; turn++) {
        double was_a = a, was_b = b;
        b = seen_high > 0 ? best_end(&bins, seen_high, a, true, g) : 0;
        a = seen_low < 0 ? best_end(&bins, seen_low, b, false, g) : 0;
        if (a == was_a && b == was_b) /* the same candidates again, bit for bit */
            break;
    }
    *low = a, *high = b;
    vec_free(&bins);
}

/* ---- entropy ---- */

struct cells {
    double at[CELLS];
    double low, width; /* of the first cell, of each */
};

static void spread(struct cells *c, double low, double high, double count)
{
    double first = (low - c->low) / c->width, last = (high - c->low) / c->width;
    int i = (int)fmin(fmax(floor(first), 0), CELLS - 1);
    int k = (int)fmin(fmax(floor(last), 0), CELLS - 1);
    if (i == k) {
        c->at[i] += count;
        return;
    }
    double span = last - first;
    for (int j = i; j <= k; j++)
        c->at[j] += count * (fmin(last, j + 1) - fmax(first, j)) / span;
}

static void fill_cells(struct cells *c, const struct tensor_stats *t, bool symmetric, double low,
                       double high)
{
    struct bin_list bins;
    memset(c->at, 0, sizeof c->at);
    c->low = symmetric ? 0 : low;
    c->width = ((symmetric ? fmax(-low, high) : high) - c->low) / CELLS;
    search_bins(&bins, t);
    for (size_t i = 0; i < bins.count; i++) {
        const struct bin *b = &bins.data[i];
        bool flip = symmetric && b->low < 0;
        if (b->low == 0 && b->high == 0)
            continue; /* every grid holds zero exactly */
        spread(c, flip ? -b->high : b->low, flip ? -b->low : b->high, b->count);
    }
    vec_free(&bins);
}

/* KL(P || Q) of cells [first, last) merged into `levels`; terms with Q = 0 cannot have P > 0. */
static double divergence(const struct cells *c, int first, int last, int levels)
{
    double below = 0, above = 0, total = 0, sum = 0;
    for (int i = 0; i < CELLS; i++)
        *(i < first ? &below : i >= last ? &above : &total) += c->at[i];
    total += below + above;
    int n = last - first;
    for (int level = 0; level < levels; level++) {
        int from = first + (int)((int64_t)level * n / levels);
        int to = first + (int)((int64_t)(level + 1) * n / levels), filled = 0;
        double mass = 0;
        for (int i = from; i < to; i++)
            mass += c->at[i], filled += c->at[i] > 0;
        for (int i = from; i < to; i++) {
            double p = c->at[i] + (i == first ? below : 0) + (i == last - 1 ? above : 0);
            double q = c->at[i] > 0 ? mass / filled : 0;
            if (p > 0)
                sum += q > 0 ? p * math_log(p / q) : p * math_log(total); /* clipped mass on an empty cell */
        }
    }
    return sum / total;
}

void search_entropy(const struct tensor_stats *t, const struct range_grid *g, double *low,
                    double *high)
{
    double a = fmin(*low, 0), b = fmax(*high, 0), least = INFINITY;
    int levels = (int)(g->symmetric ? g->steps / 2 + 1 : g->steps + 1);
    if (!(b - a > 0) || levels >= CELLS)
        return;
    struct cells *c = mem_alloc(sizeof *c);
    fill_cells(c, t, g->symmetric, a, b);
    int zero = g->symmetric ? 0 : (int)fmin(floor(-a / c->width), CELLS - 1);
    int first = 0, last = CELLS, best_first = 0, best_last = CELLS;
    while (last - first >= levels) {
        double d = divergence(c, first, last, levels);
        if (d < least)
            least = d, best_first = first, best_last = last;
        bool can_low = first<zero, can_high = last> zero + 1;
        if (!can_low && !can_high)
            break;
        if (can_low && (!can_high || c->at[first] <= c->at[last - 1]))
            first++;
        else
            last--;
    }
    *high = c->low + best_last * c->width;
    *low = g->symmetric ? -*high : c->low + best_first * c->width;
    mem_free(c);
}

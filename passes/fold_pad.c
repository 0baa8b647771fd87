/* Padding with zeros goes into the Conv that reads it.
 *
 * Before:  t = Pad(x, p, 0)   y = Conv<pads=q>(t, W, b)      t has no other reader
 * After:   y = Conv<pads=p+q>(x, W, b)
 * The same for AveragePool with count_include_pad = 1, which counts its own padding as zeros too.
 * When:    the fill is zero, only spatial axes are padded, nothing is cut off (no negative entry),
 *          explicit pads (auto_pad NOTSET or VALID), no ceil_mode.
 * Numerics: REASSOC: an addend 0 * w is left out, which a NaN or an infinity in W would have spread.
 */
#include <string.h>

#include "rewrite/rewrite.h"

enum { MAX_RANK = 16 };

/* What shape inference refuses anyway: no candidate, and nothing to report. */
static const char MALFORMED[] = "";

static const char *fill_problem(const struct node *pad)
{
    double fill = 0;
    if (!node_string_is(pad, "mode", "constant", "constant"))
        return "the Pad before it does not fill with a constant";
    if (node_version(pad) < 11)
        fill = (double)node_float(pad, "value", 0);
    else if (node_input(pad, 2) && !constant_scalar(pad->inputs[2].value, &fill))
        return "the Pad before it fills with what is not constant";
    return fill == 0 ? NULL : "the Pad before it does not fill with zeros"; /* exact on purpose */
}

/* The pads for every axis: begins, then ends. */
static const char *read_pads(const struct node *pad, int rank, int64_t *pads)
{
    int64_t count = 0;
    const int64_t *given;
    uint32_t n;
    if (node_version(pad) < 11) {
        if (node_ints(pad, "pads", &given, &n) && n == (uint32_t)(2 * rank)) {
            memcpy(pads, given, n * sizeof *pads);
            return NULL;
        }
        return MALFORMED;
    }
    if (node_input(pad, 3))
        return "the Pad before it names its axes";
    if (!constant_ints(node_input(pad, 1), pads, 2 * MAX_RANK, &count))
        return "the pads before it are not constant";
    return count == 2 * rank ? NULL : MALFORMED;
}

static const char *amount_problem(const int64_t *pads, int rank)
{
    for (int i = 0; i < 2 * rank; i++) {
        if (pads[i] < 0)
            return "the Pad before it cuts off";
        if (pads[i] && i % rank < 2)
            return "the Pad before it pads the batch or the channels";
    }
    return NULL;
}

static const char *window_problem(const struct node *n)
{
    if (!node_string_is(n, "auto_pad", "NOTSET", "NOTSET") &&
        !node_string_is(n, "auto_pad", "NOTSET", "VALID"))
        return "its own padding depends on its input's size";
    if (node_is(n, "Conv"))
        return NULL;
    if (!node_int(n, "count_include_pad", 0))
        return "it would not count the padding";
    return node_int(n, "ceil_mode", 0) ? "it rounds its output's size up" : NULL;
}

/* pads[0 .. 2 * spatial): the sum of both, begins then ends. */
static const char *join(const struct node *n, const int64_t *outer, int rank, int64_t *pads)
{
    const int64_t *own;
    uint32_t count, spatial = (uint32_t)rank - 2;
    bool has =
        node_ints(n, "pads", &own, &count) && node_string_is(n, "auto_pad", "NOTSET", "NOTSET");
    if (has && count != 2 * spatial)
        return MALFORMED;
    for (uint32_t i = 0; i < 2 * spatial; i++) {
        int64_t add = outer[i < spatial ? i + 2 : i + 4];
        if (__builtin_add_overflow(has ? own[i] : 0, add, &pads[i]))
            return "the sum of both paddings is too large";
    }
    return NULL;
}

PASS_OPS(fold_pad, "Conv", "AveragePool");
int visit_fold_pad(struct pass_run *r, struct node *n)
{
    int64_t outer[2 * MAX_RANK], pads[2 * MAX_RANK];
    if (!node_is(n, "Conv") && !node_is(n, "AveragePool"))
        return 0;
    struct node *pad = lone_producer(node_input(n, 0), "Pad");
    if (!pad || !node_input(pad, 0))
        return 0;
    int rank = value_rank(pad->inputs[0].value);
    const char *problem = rank < 3 || rank > MAX_RANK ? "its rank is not known" : NULL;
    problem = problem ? problem : window_problem(n);
    problem = problem ? problem : fill_problem(pad);
    problem = problem ? problem : read_pads(pad, rank, outer);
    problem = problem ? problem : amount_problem(outer, rank);
    problem = problem ? problem : join(n, outer, rank, pads);
    if (problem == MALFORMED)
        return 0;
    if (problem) {
        pass_refused(r, n, "%s", problem);
        return 0;
    }
    pass_rewrote(r, n, "took over the Pad before it");
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, pad);
    node_drop_attr(n, "auto_pad");
    node_set_ints(n, "pads", pads, 2 * ((uint32_t)rank - 2));
    node_set_input(n, 0, pad->inputs[0].value);
    rewrite_drop(pad);
    return 0;
}

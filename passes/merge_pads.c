/* Paddings in a row become one.
 *
 * Before:  a = Pad(x, p, c)   y = Pad(a, q, c)     a has no other reader
 * After:   y = Pad(x, p + q, c)
 * When:    both fill with the same constant or both repeat the edge, no axes input, nothing is cut
 *          off (no negative entry).
 * Numerics: EXACT.
 */
#include <string.h>

#include "rewrite/rewrite.h"

enum { MAX_PADS = 64 };

static const char *fill_problem(const struct node *a, const struct node *b)
{
    double x = 0, y = 0;
    struct span mode = node_string(a, "mode", "constant");
    if (!span_equals(mode, node_string(b, "mode", "constant")))
        return "the Pad before it fills in another way";
    if (span_equals(mode, span_of("edge")))
        return NULL;
    if (!span_equals(mode, span_of("constant")))
        return "it mirrors what the Pad before it made";
    const struct value *p = node_input(a, 2), *q = node_input(b, 2);
    if ((p && !constant_scalar(p, &x)) || (q && !constant_scalar(q, &y)))
        return "a fill value is not constant";
    bool same = p == q || memcmp(&x, &y, sizeof x) == 0;
    return same ? NULL : "the Pad before it fills with another value";
}

static const char *pads_problem(const struct node *n, int64_t *pads, int64_t *count)
{
    if (node_input(n, 3))
        return "it names its axes";
    if (!node_input(n, 1) || !constant_ints(n->inputs[1].value, pads, MAX_PADS, count))
        return "its pads are not constant";
    for (int64_t i = 0; i < *count; i++)
        if (pads[i] < 0)
            return "it cuts off";
    return NULL;
}

PASS_OPS(merge_pads, "Pad");
int visit_merge_pads(struct pass_run *r, struct node *n)
{
    int64_t p[MAX_PADS], q[MAX_PADS], count = 0, count_before = 0;
    struct node *before = lone_producer(node_input(n, 0), "Pad");
    if (!node_is(n, "Pad") || !before || node_version(n) < 11 || !node_input(before, 0))
        return 0;
    const char *problem = pads_problem(before, p, &count_before);
    problem = problem ? problem : pads_problem(n, q, &count);
    problem = problem ? problem : fill_problem(before, n);
    if (problem || count != count_before) {
        if (problem)
            pass_refused(r, n, "%s", problem);
        return 0;
    }
    for (int64_t i = 0; i < count; i++)
        if (__builtin_add_overflow(p[i], q[i], &q[i]))
            return 0;
    pass_rewrote(r, n, "merged with the Pad before it");
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, before);
    node_set_input(n, 0, before->inputs[0].value);
    struct value *old = n->inputs[1].value;
    node_set_input(n, 1, constant_new_ints(n, q, count));
    rewrite_drop_value(old);
    rewrite_drop(before);
    return 0;
}

/* Transpositions in a row become one, or none.
 *
 * Before:  a = Transpose<perm=p>(x)   y = Transpose<perm=q>(a)
 * After:   y = Transpose<perm=p[q]>(x), or x where p[q] is the identity
 * When:    the permutations are known. When a has other readers, y still reads x directly.
 * Numerics: EXACT.
 */
#include "rewrite/rewrite.h"

enum { MAX_RANK = 32 };

/* perm of n, default reversed. */
static bool perm_of(const struct node *n, int64_t *perm, int *rank)
{
    const int64_t *list;
    uint32_t count;
    if (!node_ints(n, "perm", &list, &count)) {
        *rank = value_rank(node_input(n, 0));
        for (int i = 0; i < *rank && i < MAX_RANK; i++)
            perm[i] = *rank - 1 - i;
        return *rank >= 0 && *rank <= MAX_RANK;
    }
    *rank = (int)count;
    if (count > MAX_RANK)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        perm[i] = list[i];
        if (perm[i] < 0 || perm[i] >= (int64_t)count)
            return false;
    }
    return true;
}

static bool is_identity(const int64_t *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        if (perm[i] != i)
            return false;
    return true;
}

PASS_OPS(merge_transposes, "Transpose");
int visit_merge_transposes(struct pass_run *r, struct node *n)
{
    int64_t p[MAX_RANK], q[MAX_RANK], both[MAX_RANK];
    int rank, rank_before;
    struct node *before = producer_of(node_input(n, 0), "Transpose");
    if (!node_is(n, "Transpose") || !before || !node_input(before, 0) || !node_output(n, 0) ||
        !perm_of(n, q, &rank) || !perm_of(before, p, &rank_before) || rank != rank_before)
        return 0;
    for (int i = 0; i < rank; i++)
        both[i] = p[q[i]];
    struct value *x = before->inputs[0].value;
    if (is_identity(both, rank) && !bypass_problem(n->outputs[0], x)) {
        pass_rewrote(r, n, "undoes the Transpose before it");
        rewrite_bypass(n->outputs[0], x);
        rewrite_drop(n);
        return 0;
    }
    pass_rewrote(r, n, "merged with the Transpose before it");
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, before);
    node_set_ints(n, "perm", both, (uint32_t)rank);
    node_set_input(n, 0, x);
    rewrite_drop(before);
    return 0;
}

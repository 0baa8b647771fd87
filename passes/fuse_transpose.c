/* A transposition of merged axes becomes one of the axes as they are.
 *
 * Before:  a = Reshape(x, [b * h, t, d])   t = Transpose<perm=[0, 2, 1]>(a)   y = Reshape(t, [b, h, d, t])
 * After:   y = Transpose<perm=[0, 1, 3, 2]>(x)
 * When:    the first Reshape only merges leading axes, the Transpose leaves the merged one first, the
 *          second Reshape takes it apart again: all sizes known to be these, up to symbols.
 * Spellings: torch.onnx.export(dynamo=True) for the keys of attention.
 * Numerics: EXACT: nothing is computed.
 */
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {"Reshape(move=Transpose(flat=Reshape(x, ..)), ..)", NULL};

/* perm of the Transpose, checked; false: not known. */
static bool read_perm(const struct match *m, int rank, const int64_t **perm)
{
    uint32_t count;
    bool seen[FUSE_RANK] = {false};
    if (!node_ints(match_node(m, "move"), "perm", perm, &count) || count != (uint32_t)rank)
        return false;
    for (int i = 0; i < rank; i++) {
        if ((*perm)[i] < 0 || (*perm)[i] >= rank || seen[(*perm)[i]])
            return false;
        seen[(*perm)[i]] = true;
    }
    return (*perm)[0] == 0;
}

static bool same(dim_t a, dim_t b) { return a && a == b; }

/* The permutation of x's axes; false: the whole is no transposition, as far as is known. */
static bool whole_perm(const struct match *m, int64_t whole[FUSE_RANK], int *rank)
{
    const struct value *x = match_value(m, "x"), *flat = match_value(m, "flat");
    const struct value *y = m->root->outputs[0];
    const int64_t *perm;
    int n = value_rank(x), f = value_rank(flat), merged = n - f + 1;
    if (n > FUSE_RANK || f < 2 || merged < 2 || value_rank(y) != n || !read_perm(m, f, &perm))
        return false;
    for (int i = 0; i < n; i++)
        whole[i] = i < merged ? i : perm[i - merged + 1] + merged - 1;
    for (int i = 0; i < n; i++)
        if (!same(y->type.dims[i], x->type.dims[whole[i]]))
            return false;
    for (int i = 1; i < f; i++) /* the merged axis has what is left over */
        if (!same(flat->type.dims[i], x->type.dims[i + merged - 1]))
            return false;
    *rank = n;
    return true;
}

/* Any Reshape, Transpose, Reshape: no refusal. */
static const char *problem(const struct match *m)
{
    int64_t whole[FUSE_RANK];
    int rank;
    return whole_perm(m, whole, &rank) ? NULL : FUSE_NONE;
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    int64_t whole[FUSE_RANK];
    int rank = 0;
    (void)r;
    whole_perm(m, whole, &rank);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_ints(fused, "perm", whole, (uint32_t)rank);
}

static const struct fusion TRANSPOSE = {"Transpose", 1, FUSE_ALL, SPELLINGS, problem, build, NULL};

int visit_fuse_transpose(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &TRANSPOSE);
}

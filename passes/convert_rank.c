/* Transpose of many axes becomes one of at most four.
 *
 * Before:  y = Transpose<perm=[0, 2, 3, 1, 4]>(x)            x: [2, 3, 4, 5, 6]
 * After:   y = Reshape(Transpose<perm=[0, 2, 1, 3]>(Reshape(x, [2, 3, 20, 6])), [2, 4, 5, 3, 6])
 *          axes that stay neighbours are one axis, axes of size 1 go with their neighbour
 * When:    the rank is beyond the target's max_rank, or beyond four where the pass is named; all sizes
 * are known; four axes (max_rank) are enough. Numerics: EXACT.
 */
#include "rewrite/emit.h"
#include "targets/target.h"

PASS_OPS(convert_rank, "Transpose");

enum { MAX_RANK = 16, NAMED_LIMIT = 4 };

/* 0: no limit. */
static int limit_of(const struct pass_run *r)
{
    const struct target *t = pass_target(r);
    if (t)
        return t->max_rank > 0 && t->max_rank < MAX_RANK ? (int)t->max_rank : 0;
    return pass_plan(r)->names ? NAMED_LIMIT : 0;
}

struct merged {
    int64_t sizes[MAX_RANK]; /* in the order of the input */
    int64_t perm[MAX_RANK];
    int rank;
};

/* Axes of size 1 move without moving anything: they are left out. Then runs of axes that follow each
 * other in input and output are one. */
static void merge(const int64_t *dims, const int64_t *perm, int rank, struct merged *out)
{
    int first[MAX_RANK], owner[MAX_RANK], order[MAX_RANK], n = 0, kept = 0, place[MAX_RANK];
    for (int i = 0; i < rank; i++)
        place[i] = dims[i] != 1 ? kept++ : -1;
    for (int i = 0; i < rank; i++)
        if (place[perm[i]] >= 0)
            order[n++] = (int)perm[i];
    out->rank = 0;
    for (int i = 0; i < n; i++) {
        bool follows = i && place[order[i]] == place[order[i - 1]] + 1;
        if (!follows)
            first[out->rank++] = order[i];
        owner[i] = out->rank - 1;
    }
    for (int g = 0; g < out->rank; g++) { /* the place of group g among the input's groups */
        out->perm[g] = 0;
        for (int k = 0; k < out->rank; k++)
            out->perm[g] += first[k] < first[g];
    }
    for (int g = 0; g < out->rank; g++)
        out->sizes[g] = 1;
    for (int i = 0; i < n; i++)
        out->sizes[out->perm[owner[i]]] *= dims[order[i]];
}

static const char *listed(struct emit *e, const int64_t *x, int n)
{
    char *text = arena_printf(e->scratch, "%lld", (long long)x[0]);
    for (int i = 1; i < n; i++)
        text = arena_printf(e->scratch, "%s, %lld", text, (long long)x[i]);
    return text;
}

static bool read_perm(const struct node *n, int rank, int64_t *perm)
{
    const int64_t *given;
    uint32_t count;
    bool named = node_ints(n, "perm", &given, &count);
    for (int i = 0; i < rank; i++)
        perm[i] = named && i < (int)count ? given[i] : rank - 1 - i;
    return !named || (int)count == rank;
}

int visit_convert_rank(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct merged m;
    int64_t dims[MAX_RANK], perm[MAX_RANK], after[MAX_RANK];
    int limit = limit_of(r), rank = node_input(n, 0) ? value_rank(n->inputs[0].value) : -1;
    if (!limit || !node_is(n, "Transpose") || !n->op || rank <= limit || rank > MAX_RANK ||
        graph_opset(n->graph, "") < 11 || !read_perm(n, rank, perm))
        return 0;
    if (!value_static_dims(n->inputs[0].value, dims, MAX_RANK, &rank)) {
        pass_refused(r, n, "its sizes are not known");
        return 0;
    }
    merge(dims, perm, rank, &m);
    if (m.rank > limit) {
        pass_refused(r, n, "its axes move apart from each other");
        return 0;
    }
    for (int i = 0; i < rank; i++)
        after[i] = dims[perm[i]];
    pass_rewrote(r, n, "%d axes became %d", rank, m.rank);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    if (m.rank > 1)
        emit(&e, "v = Reshape(x, [%s]); x = Transpose(v){perm=[%s]}", listed(&e, m.sizes, m.rank),
             listed(&e, m.perm, m.rank));
    emit(&e, "y = Reshape(x, [%s])", listed(&e, after, rank));
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}

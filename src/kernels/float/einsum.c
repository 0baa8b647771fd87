/* Contraction of two operands at a time.
 *
 * The labels of a pair fall into four groups: batch (in both, kept), left and right (in one, kept),
 * summed (not kept: not in the output nor in a later operand). For each batch element that is one
 * matrix product, [left, summed] times [summed, right]; an operand that lacks a summed label is
 * constant along it (step 0). Intermediate results are dense in the order batch, left, right.
 */
#include "kernels/float/einsum.h"

#include <stddef.h>

#include "kernels/float/gemm.h"

/* Steps of an array by label; 0 where it does not vary. */
struct view {
    uint64_t has; /* labels of its axes */
    int64_t step[EINSUM_MAX_LABELS];
};

struct group {
    int n, label[EINSUM_MAX_LABELS];
    int64_t size;
};

struct pair {
    const struct einsum_plan *plan;
    struct view a, b, y;
    struct group batch, left, right, summed;
};

static uint64_t bit(int label) { return (uint64_t)1 << label; }

static struct view view_of_input(const struct einsum_plan *p, int i)
{
    struct view v = {0};
    int64_t step = 1;
    for (int k = p->input[i].rank - 1; k >= 0; k--) {
        const int l = p->input[i].label[k];
        v.has |= bit(l);
        v.step[l] += p->dims[i][k] == 1 ? 0 : step; /* a repeated label walks the diagonal */
        step *= p->dims[i][k] ? p->dims[i][k] : 1;
    }
    return v;
}

static struct view view_of_labels(const struct einsum_plan *p, const int *label, int n)
{
    struct view v = {0};
    int64_t step = 1;
    for (int k = n - 1; k >= 0; k--) {
        v.has |= bit(label[k]);
        v.step[label[k]] = step;
        step *= p->extent[label[k]] ? p->extent[label[k]] : 1;
    }
    return v;
}

static void add_label(const struct einsum_plan *p, struct group *g, int label)
{
    g->label[g->n++] = label;
    g->size *= p->extent[label];
}

/* Labels needed after operand i has been taken in. */
static uint64_t needed_after(const struct einsum_plan *p, int i)
{
    uint64_t needed = 0;
    for (int k = 0; k < p->output.rank; k++)
        needed |= bit(p->output.label[k]);
    for (int j = i + 1; j < p->n_inputs; j++)
        for (int k = 0; k < p->input[j].rank; k++)
            needed |= bit(p->input[j].label[k]);
    return needed;
}

/* Sorts the labels of a step into groups, kept ones in the output's order first so that results
 * often come out dense. */
static void classify(struct pair *s, uint64_t keep)
{
    const struct einsum_plan *p = s->plan;
    const uint64_t all = s->a.has | s->b.has;
    int order[EINSUM_MAX_LABELS], n = 0;
    uint64_t placed = 0;
    s->batch = s->left = s->right = s->summed = (struct group){.size = 1};
    for (int k = 0; k < p->output.rank; k++) {
        order[n++] = p->output.label[k];
        placed |= bit(p->output.label[k]);
    }
    for (int l = 0; l < p->n_labels; l++)
        if (!(placed & bit(l)))
            order[n++] = l;
    for (int i = 0; i < n; i++) {
        const uint64_t l = bit(order[i]);
        if (!(all & l))
            continue;
        struct group *g = !(keep & l)       ? &s->summed
                          : !(s->b.has & l) ? &s->left
                          : !(s->a.has & l) ? &s->right
                                            : &s->batch;
        add_label(p, g, order[i]);
    }
}

/* The result of a step that is not the last. */
static struct view dense_result(const struct pair *s)
{
    int label[EINSUM_MAX_LABELS], n = 0;
    for (int i = 0; i < s->batch.n; i++)
        label[n++] = s->batch.label[i];
    for (int i = 0; i < s->left.n; i++)
        label[n++] = s->left.label[i];
    for (int i = 0; i < s->right.n; i++)
        label[n++] = s->right.label[i];
    return view_of_labels(s->plan, label, n);
}

static int64_t offset(const struct einsum_plan *p, const struct group *g, const struct view *v,
                      int64_t i)
{
    int64_t at = 0;
    for (int k = g->n - 1; k >= 0; k--) {
        const int64_t extent = p->extent[g->label[k]];
        at += i % extent * v->step[g->label[k]];
        i /= extent;
    }
    return at;
}

/* Step i of the chain: a is the result so far (labels a.has), operand i joins. */
static void step_make(struct pair *s, const struct einsum_plan *p, int i, const struct view *so_far)
{
    s->plan = p;
    s->a = *so_far;
    s->b = view_of_input(p, i);
    classify(s, needed_after(p, i));
    s->y =
        i + 1 == p->n_inputs ? view_of_labels(p, p->output.label, p->output.rank) : dense_result(s);
}

static int64_t result_size(const struct pair *s)
{
    return s->batch.size * s->left.size * s->right.size;
}

/* Two intermediate results in turn, and one product of a batch element before it is put in its
 * place. */
static bool scratch_sizes(const struct einsum_plan *p, int64_t *result, int64_t *product)
{
    struct view so_far = view_of_input(p, 0);
    *result = *product = 0;
    for (int i = 1; i < p->n_inputs; i++) {
        struct pair s;
        step_make(&s, p, i, &so_far);
        const int64_t size = result_size(&s), one = s.left.size * s.right.size;
        *result = i + 1 < p->n_inputs && size > *result ? size : *result;
        *product = one > *product ? one : *product;
        so_far = s.y;
    }
    return true;
}

int64_t einsum_scratch(const struct einsum_plan *p)
{
    int64_t result, product, total;
    scratch_sizes(p, &result, &product);
    if (__builtin_mul_overflow(result, 2, &total) ||
        __builtin_add_overflow(total, product, &total) || total > PTRDIFF_MAX / 16)
        return -1;
    return total;
}

/* A side of the product: vectors along `across`, sums along the summed labels. */
struct side {
    const struct pair *pair;
    const struct view *view;
    const struct group *across;
};

#define EINSUM_T float
#define EINSUM(name) name##_f32
#include "kernels/float/einsum_body.h"

#define EINSUM_T double
#define EINSUM(name) name##_f64
#include "kernels/float/einsum_body.h"

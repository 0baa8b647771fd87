/* Einsum becomes sums, transpositions and one MatMul.
 *
 * Before:  y = Einsum<equation="bhid,bhjd->bhij">(a, b)
 * After:   axes that only one operand has and the output lacks are summed; a is turned to [batch, m, k],
 *          b to [batch, k, n], both flattened to three axes; y = MatMul, unflattened and turned
 * When:    the result may not hold the operator; one or two operands of known sizes, no letter twice
 * in one of them, no broadcasting between them. Numerics: REASSOC.
 */
#include <string.h>

#include "kernels/float/einsum.h"
#include "rewrite/emit.h"

PASS_OPS(decompose_einsum, "Einsum");

enum { MAX_TERMS = 2 };

static const char INVALID[] = "its equation is not valid"; /* inference refuses it before */

struct sum_of {
    struct einsum_plan plan;
    bool batch[EINSUM_MAX_LABELS], m[EINSUM_MAX_LABELS], n[EINSUM_MAX_LABELS], k[EINSUM_MAX_LABELS];
};

static bool has_label(const struct einsum_term *t, int label)
{
    for (int i = 0; i < t->rank; i++)
        if (t->label[i] == label)
            return true;
    return false;
}

static bool repeats(const struct einsum_term *t)
{
    for (int i = 0; i < t->rank; i++)
        for (int k = 0; k < i; k++)
            if (t->label[k] == t->label[i])
                return true;
    return false;
}

static const char *extents_problem(const struct node *n, struct einsum_plan *p)
{
    for (int l = 0; l < EINSUM_MAX_LABELS; l++)
        p->extent[l] = -1;
    for (int i = 0; i < p->n_inputs; i++)
        for (int k = 0; k < p->input[i].rank; k++) {
            int64_t size, *extent = &p->extent[p->input[i].label[k]];
            if (!value_dim(n->inputs[i].value, k, &size) || size < 1)
                return "the sizes of its operands are not known";
            if (*extent >= 0 && *extent != size)
                return "it broadcasts one operand";
            *extent = size;
        }
    return NULL;
}

static const char *read_equation(const struct node *n, struct sum_of *s)
{
    int ranks[MAX_TERMS];
    char text[256];
    struct span equation = node_string(n, "equation", "");
    if (n->n_inputs > MAX_TERMS || equation.size >= sizeof text)
        return "it has more than two operands";
    memcpy(text, equation.data, equation.size);
    text[equation.size] = '\0';
    for (uint32_t i = 0; i < n->n_inputs; i++)
        ranks[i] = n->inputs[i].value ? value_rank(n->inputs[i].value) : -1;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (ranks[i] < 0)
            return "the sizes of its operands are not known";
    if (!einsum_labels(text, (int)n->n_inputs, ranks, &s->plan))
        return INVALID;
    for (int i = 0; i < s->plan.n_inputs; i++)
        if (repeats(&s->plan.input[i]))
            return "it takes a diagonal";
    return extents_problem(n, &s->plan);
}

/* What each letter does. */
static void classify(struct sum_of *s)
{
    const struct einsum_plan *p = &s->plan;
    for (int l = 0; l < p->n_labels; l++) {
        bool a = has_label(&p->input[0], l), out = has_label(&p->output, l);
        bool b = p->n_inputs > 1 && has_label(&p->input[1], l);
        s->batch[l] = a && b && out;
        s->k[l] = a && b && !out;
        s->m[l] = a && !b && out;
        s->n[l] = b && !a && out;
    }
}

static char *joined(struct emit *e, char *list, int64_t x)
{
    return *list ? arena_printf(e->scratch, "%s, %lld", list, (long long)x)
                 : arena_printf(e->scratch, "%lld", (long long)x);
}

/* Axes of `name` whose letters go nowhere are summed; t keeps the others. */
static void emit_summed(struct emit *e, const struct sum_of *s, const char *name,
                        struct einsum_term *t)
{
    char *axes = arena_string(e->scratch, "");
    int kept = 0;
    for (int i = 0; i < t->rank; i++) {
        int l = t->label[i];
        if (s->batch[l] || s->k[l] || s->m[l] || s->n[l])
            t->label[kept++] = l;
        else
            axes = joined(e, axes, i);
    }
    if (*axes)
        emit(e, "%s = ReduceSum(%s){keepdims=0, axes=[%s]}", name, name, axes);
    t->rank = kept;
}

struct group { /* letters in the order of the term */
    int label[EINSUM_MAX_RANK], count;
    int64_t size;
};

static void collect(const struct einsum_term *t, const struct sum_of *s, const bool *wanted,
                    struct group *g)
{
    *g = (struct group){.size = 1};
    for (int i = 0; i < t->rank; i++)
        if (wanted[t->label[i]]) {
            g->label[g->count++] = t->label[i];
            g->size *= s->plan.extent[t->label[i]];
        }
}

static int place_of(const struct einsum_term *t, int label)
{
    for (int i = 0; i < t->rank; i++)
        if (t->label[i] == label)
            return i;
    return 0;
}

/* name with its axes in the order of the groups. */
static void emit_ordered(struct emit *e, const char *name, const struct einsum_term *t,
                         const struct group *const *groups, int count)
{
    char *perm = arena_string(e->scratch, "");
    for (int g = 0; g < count; g++)
        for (int i = 0; i < groups[g]->count; i++)
            perm = joined(e, perm, place_of(t, groups[g]->label[i]));
    if (t->rank > 1)
        emit(e, "%s = Transpose(%s){perm=[%s]}", name, name, perm);
}

static void emit_pair(struct emit *e, struct sum_of *s)
{
    struct group batch, m, n, k;
    struct einsum_term *a = &s->plan.input[0], *b = &s->plan.input[1], made = {0};
    collect(a, s, s->batch, &batch);
    collect(a, s, s->k, &k);
    collect(a, s, s->m, &m);
    collect(b, s, s->n, &n);
    const struct group *const left[] = {&batch, &m, &k}, *const right[] = {&batch, &k, &n};
    const struct group *const out[] = {&batch, &m, &n};
    char *dims = arena_string(e->scratch, "");
    emit_ordered(e, "a", a, left, 3);
    emit_ordered(e, "b", b, right, 3);
    emit(e,
         "a = Reshape(a, [%lld, %lld, %lld]); b = Reshape(b, [%lld, %lld, %lld]); "
         "y = MatMul(a, b)",
         (long long)batch.size, (long long)m.size, (long long)k.size, (long long)batch.size,
         (long long)k.size, (long long)n.size);
    for (int g = 0; g < 3; g++)
        for (int i = 0; i < out[g]->count; i++) {
            made.label[made.rank++] = out[g]->label[i];
            dims = joined(e, dims, s->plan.extent[out[g]->label[i]]);
        }
    emit(e, "y = Reshape(y, [%s])", dims);
    s->plan.input[0] = made;
}

/* y, whose axes are those of input 0 of the plan, as the output has them. */
static void emit_output(struct emit *e, const struct sum_of *s)
{
    const struct einsum_term *t = &s->plan.input[0], *out = &s->plan.output;
    char *perm = arena_string(e->scratch, "");
    bool turned = false;
    for (int i = 0; i < out->rank; i++) {
        perm = joined(e, perm, place_of(t, out->label[i]));
        turned |= place_of(t, out->label[i]) != i;
    }
    if (turned)
        emit(e, "y = Transpose(y){perm=[%s]}", perm);
}

int visit_decompose_einsum(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct sum_of s = {0};
    if (!decompose_due(r, n, "", "Einsum") || !node_input(n, 0))
        return 0;
    const char *why = read_equation(n, &s);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "Einsum was taken apart");
    classify(&s);
    emit_begin(&e, r, n);
    emit_bind(&e, "a", node_input(n, 0));
    emit_summed(&e, &s, "a", &s.plan.input[0]);
    if (n->n_inputs > 1) {
        emit_bind(&e, "b", node_input(n, 1));
        emit_summed(&e, &s, "b", &s.plan.input[1]);
        emit_pair(&e, &s);
    } else {
        emit_bind(&e, "y", emit_value(&e, "a"));
    }
    emit_output(&e, &s);
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}

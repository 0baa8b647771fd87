/* What each class of passes promises (pass_check.h), on random graphs. FULL=1 takes 2,000 graphs and
 * every pass of the catalogue on each; else a sample. SEED=n: that one graph, every pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph_gen.h"
#include "pass_check.h"

enum { GRAPHS_SAMPLED = 150, GRAPHS_FULL = 2000, FAILURES_SHOWN = 10 };

static bool full;

/* Unknown operators cannot run: their inputs become outputs, their outputs inputs, in the order of
 * the nodes' names. */
static void cut_unknown(struct model *m)
{
    for (int k = 0; k < 100; k++) {
        char name[32];
        snprintf(name, sizeof name, "mystery%d", k);
        graph_each_node(n, m->graph)
        {
            if (strcmp(n->name, name))
                continue;
            struct value *x = n->inputs[0].value, *y = n->outputs[0];
            struct node *copy = node_new(m->graph, "Identity", "", 1, 1);
            node_set_input(copy, 0, x);
            node_insert_before(copy, n);
            struct value *probe = node_add_output(copy, 0, "probe");
            graph_add_output(m->graph, probe);
            struct value *in = value_input(m->graph, model_fresh_name(m, "answer"));
            value_set_type(in, &y->type);
            value_replace(y, in);
            node_remove(n);
        }
    }
    ops_resolve(m);
}

static uint64_t seed_of(const struct subject *s) { return *(const uint64_t *)s->user; }

static struct model *make(const struct subject *s)
{
    return gen_model((struct ctx *)&s->ctx, seed_of(s));
}

/* Signed zeros and numbers near them often, infinities and NaN for some graphs. */
static double special(const struct subject *s, struct gen *g, double x)
{
    static const double ODD[] = {-0.0, 0.0,      -0.0, 0x1p-140,  -0.5,
                                 1,    INFINITY, NAN,  -INFINITY, 0x1p100};
    return gen_chance(g, 30) ? ODD[gen_below(g, s->loose ? 10 : 6)] : x;
}

static const struct tensor *input(const struct subject *s, const struct value *v, size_t which)
{
    int64_t dims[GEN_RANK];
    for (int i = 0; i < v->type.rank; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            dims[i] = 2;
    enum dtype t = v->type.dtype == DT_DOUBLE ? DT_FLOAT : v->type.dtype;
    struct tensor *x = tensor_new(s->arena, t, v->type.rank, dims);
    struct gen g = {.state = 77 + (uint64_t)which * 1000};
    gen_bits(&g);
    for (int64_t i = 0; i < x->count; i++)
        num_set(tensor_writable(x), t, i,
                t == DT_BOOL ? (double)(which & 1)
                             : special(s, &g, (double)(float)(2 * gen_real(&g))));
    return x;
}

static void check_graph(uint64_t seed, struct gen *choice)
{
    struct subject s = {
        .make = make, .ready = cut_unknown, .input = input, .user = &seed, .loose = seed % 5 == 0};
    snprintf(s.label, sizeof s.label, "seed %llu", (unsigned long long)seed);
    if (subject_open(&s) && s.runs) {
        check_levels(&s);
        for (size_t i = 0; i < pass_total(); i++)
            if (full || gen_chance(choice, 15))
                check_pass(&s, pass_at(i));
    } /* else a symbol turned out not to be what a node needs */
    subject_close(&s);
}

static void test_random_graphs(void **state)
{
    (void)state;
    const char *wanted = getenv("FULL"), *only = getenv("SEED");
    full = wanted && *wanted;
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : full ? GRAPHS_FULL : GRAPHS_SAMPLED;
    struct gen choice = {.state = 12345};
    printf("graphs of the seeds %llu to %llu\n", (unsigned long long)first,
           (unsigned long long)last);
    full = full || only;
    for (uint64_t seed = first; seed <= last && totals.failures < FAILURES_SHOWN; seed++)
        check_graph(seed, &choice);
    check_summary();
    assert_int_equal(totals.failures, 0);
    assert_true(totals.running * 10 >= totals.subjects * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The quantizer's steps on a small graph in text form, for its tests. */
#ifndef TESTS_QUANT_TEST_H
#define TESTS_QUANT_TEST_H
#include <math.h>

#include "base/num.h"
#include "data_test.h"
#include "ops/op.h"
#include "quant/quant.h"

struct fixture {
    struct bench b;
    struct model *m;
    struct target *target;
    struct quant_plan *plan;
    const char *const *keep_float;
    size_t n_keep_float;
};

static const char *const CONV_RELU = "ir 8\nopset 17\n"
                                     "graph g(big_x: float[1,2,4,4]) -> (out: float[1,2,4,4]) {\n"
                                     "    w: float[2,2,1,1] = [1, -2, 0.5, 0.25]\n"
                                     "    b: float[2] = [1, -1]\n"
                                     "    mid = Conv(big_x, w, b)\n"
                                     "    pos = Relu(mid)\n"
                                     "    out = Sigmoid(pos)\n"
                                     "}\n";

static inline void open_text(struct fixture *f, const char *profile, const char *text)
{
    *f = (struct fixture){0};
    bench_open(&f->b);
    const char *name = profile ? bench_file(&f->b, "t.json", profile, strlen(profile)) : "int8";
    assert_int_equal(target_load(&f->target, name, &f->b.ctx), 0);
    f->m = model_parse(&f->b.ctx, text);
    if (!f->m)
        fail_msg("%s", diag_at(f->b.ctx.diag, diag_count(f->b.ctx.diag) - 1)->message);
    ops_resolve(f->m);
    assert_int_equal(model_infer(f->m, NULL, NULL), 0);
}

static inline int plan(struct fixture *f)
{
    struct quant_settings s = {.target = f->target,
                               .weight_bits = 8,
                               .activation_bits = 8,
                               .keep_float = f->keep_float,
                               .n_keep_float = f->n_keep_float};
    return quant_plan_new(&f->plan, f->m, &s);
}

/* Every range is [-1, 3], but "pos..." [0, 2] and "big..." [-8, 8]. */
static inline bool fixed_range(void *user, const struct value *v, double *low, double *high)
{
    (void)user;
    *low = -1, *high = 3;
    if (strncmp(v->name, "pos", 3) == 0)
        *low = 0, *high = 2;
    if (strncmp(v->name, "big", 3) == 0)
        *low = -8, *high = 8;
    return true;
}

static inline void choose(struct fixture *f)
{
    assert_int_equal(plan(f), 0);
    assert_int_equal(quant_choose(f->plan, fixed_range, NULL, "minmax"), 0);
}

static inline void close_fixture(struct fixture *f)
{
    quant_plan_free(f->plan);
    target_free(f->target);
    model_free(f->m);
    bench_close(&f->b);
}

static inline struct value *value_of(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->m->values.count; i++) {
        struct value *v = f->m->values.data[i];
        if (!v->removed && strcmp(v->name, name) == 0)
            return v;
    }
    fail_msg("there is no value '%s'", name);
    return NULL;
}

static const struct quant *q_of(const struct fixture *f, const char *name)
{
    return value_of(f, name)->q;
}

static inline void expect_q(const struct fixture *f, const char *name, double scale, int zero_point)
{
    const struct quant *q = q_of(f, name);
    if (!q)
        fail_msg("'%s' is float", name);
    if (fabs((double)q->scale[0] - scale) > 1e-6 * scale || q->zero_point[0] != zero_point)
        fail_msg("'%s': %.9g %d, expected %.9g %d", name, (double)q->scale[0], q->zero_point[0],
                 scale, zero_point);
}

static inline bool same_q(const struct fixture *f, const char *a, const char *b)
{
    const struct quant *p = q_of(f, a), *q = q_of(f, b);
    return p && q && p->scale[0] == q->scale[0] && p->zero_point[0] == q->zero_point[0];
}

static inline int count_ops(const struct fixture *f, const char *op_type)
{
    int n = 0;
    graph_each_node(node, f->m->graph) n += strcmp(node->op_type, op_type) == 0;
    return n;
}

/* ---- an independent look at a Q/DQ graph ---- */

static inline void check_dequantize(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    assert_true(x->producer ? node_is(x->producer, "QuantizeLinear")
                            : x->constant != NULL || x->is_input);
    if (!x->producer)
        return;
    assert_ptr_equal(node_input(n, 1), node_input(x->producer, 1));
    assert_ptr_equal(node_input(n, 2), node_input(x->producer, 2));
}

/* Q only behind something that computes, DQ only behind Q or integers, integers only into DQ. */
static inline void check_form(const struct fixture *f)
{
    assert_int_equal(model_verify(f->m), 0);
    graph_each_node(n, f->m->graph)
    {
        if (node_is(n, "DequantizeLinear"))
            check_dequantize(n);
        if (node_is(n, "QuantizeLinear")) {
            const struct value *x = node_input(n, 0);
            assert_true(!x->producer || !node_is(x->producer, "DequantizeLinear"));
            value_each_use(u, n->outputs[0])
                assert_true(!u->node || node_is(u->node, "DequantizeLinear"));
        }
    }
}

static inline void write_qdq(struct fixture *f, bool io_quantized)
{
    assert_int_equal(qdq_write(f->plan, &(struct qdq_options){.io_quantized = io_quantized}), 0);
    check_form(f);
}
#endif

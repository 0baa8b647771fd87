/* Attention and rotary embedding against plain loops over the definition, with every option. */
#include "nn_test.h"

#include "kernels/float/attention.h"
#include "kernels/kernel.h"

/* Element (b, h, s, i) of a tensor with `heads` heads and `len` rows. */
static int64_t at(const struct attention_params *p, int64_t b, int64_t h, int64_t s, int64_t i,
                  int64_t heads, int64_t len, int64_t size)
{
    return p->packed ? ((b * len + s) * heads + h) * size + i
                     : ((b * heads + h) * len + s) * size + i;
}

static double key_at(const struct attention_params *p, const float *x, const float *past, int64_t b,
                     int64_t h, int64_t s, int64_t i, int64_t size)
{
    if (s < p->past_len)
        return (double)past[((b * p->kv_heads + h) * p->past_len + s) * size + i];
    return (double)x[at(p, b, h, s - p->past_len, i, p->kv_heads, p->kv_len, size)];
}

static double bias_of(const struct attention_params *p, const struct attention_args *a, int64_t b,
                      int64_t h, int64_t i, int64_t k)
{
    const int64_t position =
        i + (a->nonpad && p->past_len == 0 ? a->nonpad[b] - p->q_len : p->past_len);
    const int64_t m =
        b * a->mask_step[0] + h * a->mask_step[1] + i * a->mask_step[2] + k * a->mask_key_step;
    bool open = !(p->causal && k > position) && !(a->nonpad && k >= a->nonpad[b]);
    open = open && !(p->left_window >= 0 && position - k > p->left_window) &&
           !(p->right_window >= 0 && k - position > p->right_window);
    if ((a->bias || a->allowed) && k >= a->mask_len)
        open = false;
    if (!open || (a->allowed && !a->allowed[m]))
        return (double)-INFINITY;
    return a->bias ? (double)a->bias[m] : 0;
}

/* One query row; p.output_mode's scores go to qk. */
static void slow_row(const struct attention_params *p, const struct attention_args *a, int64_t b,
                     int64_t h, int64_t i, double *y, double *qk)
{
    const int64_t total = p->past_len + p->kv_len, kv = h / (p->q_heads / p->kv_heads);
    double s[32], sum = 0, top = (double)-INFINITY;
    for (int64_t k = 0; k < total; k++) {
        s[k] = 0;
        for (int64_t d = 0; d < p->head; d++)
            s[k] += (double)a->q[at(p, b, h, i, d, p->q_heads, p->q_len, p->head)] *
                    key_at(p, a->k, a->past_key, b, kv, k, d, p->head);
        s[k] *= (double)p->scale;
        qk[k] = s[k];
        if (p->softcap > 0)
            s[k] = (double)p->softcap * tanh(s[k] / (double)p->softcap);
        qk[k] = p->output_mode >= 1 ? s[k] : qk[k];
        s[k] += bias_of(p, a, b, h, i, k);
        qk[k] = p->output_mode >= 2 ? s[k] : qk[k];
        top = s[k] > top ? s[k] : top;
    }
    for (int64_t k = 0; k < total; k++)
        sum += s[k] = isinf(top) ? 0 : exp(s[k] - top);
    memset(y, 0, (size_t)p->v_head * sizeof *y);
    for (int64_t k = 0; k < total; k++) {
        s[k] = sum > 0 ? s[k] / sum : 0;
        qk[k] = p->output_mode == 3 ? s[k] : qk[k];
        for (int64_t d = 0; d < p->v_head; d++)
            y[d] += s[k] * key_at(p, a->v, a->past_value, b, kv, k, d, p->v_head);
    }
}

struct buffers {
    float *q, *k, *v, *pk, *pv, *bias, *y, *present_k, *present_v, *qk, *scratch;
    bool allowed[4096];
    int64_t nonpad[2];
};

static void make(struct attention_params *p, struct attention_args *a, struct buffers *m,
                 uint64_t *r, int round)
{
    *p = (struct attention_params){.batch = 2,
                                   .kv_heads = test_int(r, 1, 2),
                                   .q_len = test_int(r, 1, 6),
                                   .kv_len = test_int(r, 1, 7),
                                   .past_len = round % 3 ? 0 : test_int(r, 1, 4),
                                   .head = test_int(r, 1, 5),
                                   .v_head = test_int(r, 1, 5),
                                   .packed = round % 2,
                                   .softcap = round % 5 ? 0 : 0.5f,
                                   .causal = test_int(r, 0, 1),
                                   .left_window = test_int(r, -1, 3),
                                   .right_window = test_int(r, -1, 3),
                                   .output_mode = round % 4};
    p->q_heads = p->kv_heads * test_int(r, 1, 3);
    p->scale = attention_scale(p->head);
    const int64_t total = p->past_len + p->kv_len, n_qk = 2 * p->q_heads * p->q_len * total;
    m->q = test_floats(r, 2 * p->q_heads * p->q_len * p->head),
    m->k = test_floats(r, 2 * p->kv_heads * p->kv_len * p->head);
    m->v = test_floats(r, 2 * p->kv_heads * p->kv_len * p->v_head),
    m->pk = test_floats(r, 2 * p->kv_heads * 4 * p->head);
    m->pv = test_floats(r, 2 * p->kv_heads * 4 * p->v_head), m->bias = test_floats(r, n_qk);
    m->y = test_zeros(2 * p->q_heads * p->q_len * p->v_head), m->qk = test_zeros(n_qk);
    m->present_k = test_zeros(2 * p->kv_heads * total * p->head),
    m->present_v = test_zeros(2 * p->kv_heads * total * p->v_head);
    m->scratch = test_zeros(attention_scratch(p));
    for (int i = 0; i < 4096; i++)
        m->allowed[i] = test_int(r, 0, 3) > 0;
    m->nonpad[0] = test_int(r, 0, p->kv_len), m->nonpad[1] = p->kv_len;
    *a = (struct attention_args){.q = m->q,
                                 .k = m->k,
                                 .v = m->v,
                                 .past_key = p->past_len ? m->pk : NULL,
                                 .past_value = p->past_len ? m->pv : NULL,
                                 .bias = round % 4 == 1 ? m->bias : NULL,
                                 .allowed = round % 4 == 2 ? m->allowed : NULL,
                                 .mask_key_step = 1,
                                 .mask_len = total - round % 2,
                                 .nonpad = round % 3 == 1 ? m->nonpad : NULL,
                                 .y = m->y,
                                 .qk = m->qk};
    if (round % 7 == 0)
        a->present_key = m->present_k, a->present_value = m->present_v;
    a->mask_step[2] = total;
    a->mask_step[1] = round % 5 ? p->q_len * total : 0;
    a->mask_step[0] = round % 5 ? p->q_heads * p->q_len * total : 0;
}

static void drop(struct buffers *m)
{
    mem_free(m->q), mem_free(m->k), mem_free(m->v), mem_free(m->pk), mem_free(m->pv),
        mem_free(m->bias), mem_free(m->y);
    mem_free(m->present_k), mem_free(m->present_v), mem_free(m->qk), mem_free(m->scratch);
}

static bool near(float got, double want)
{
    return isinf(want) ? isinf(got) && got < 0 : fabs((double)got - want) < 3e-6;
}

static void every_option_matches_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 51;
    for (int round = 0; round < 200; round++) {
        struct attention_params p;
        struct attention_args a;
        struct buffers m;
        make(&p, &a, &m, &r, round);
        const int64_t total = p.past_len + p.kv_len;
        for (int fast = 0; fast < 2; fast++) {
            p.fast = fast;
            attention_f32(&p, &a, m.scratch);
            for (int64_t row = 0; row < 2 * p.q_heads * p.q_len; row++) {
                const int64_t b = row / p.q_len / p.q_heads, h = row / p.q_len % p.q_heads,
                              i = row % p.q_len;
                double y[8], qk[32];
                slow_row(&p, &a, b, h, i, y, qk);
                for (int64_t d = 0; d < p.v_head; d++)
                    assert_true(near(m.y[at(&p, b, h, i, d, p.q_heads, p.q_len, p.v_head)], y[d]));
                for (int64_t k = 0; k < total; k++)
                    assert_true(near(m.qk[row * total + k], qk[k]));
            }
        }
        for (int64_t i = 0; a.present_key && i < 2 * p.kv_heads * total * p.head; i++)
            assert_true((double)m.present_k[i] == key_at(&p, m.k, m.pk,
                                                         i / p.head / total / p.kv_heads,
                                                         i / p.head / total % p.kv_heads,
                                                         i / p.head % total, i % p.head, p.head));
        drop(&m);
    }
}

/* Bottom-right alignment with a static cache: more queries than keys leave the first queries empty
 * (errata of ONNX 1.23). */
static void a_query_without_keys_gives_zeros(void **state)
{
    (void)state;
    const float q[] = {1, 1, 1}, k[] = {1, 2}, v[] = {5, 7};
    const int64_t nonpad[] = {2};
    float y[3], scratch[16];
    const struct attention_params p = {.batch = 1,
                                       .q_heads = 1,
                                       .kv_heads = 1,
                                       .q_len = 3,
                                       .kv_len = 2,
                                       .head = 1,
                                       .v_head = 1,
                                       .scale = 1,
                                       .causal = true,
                                       .left_window = -1,
                                       .right_window = -1};
    assert_true(attention_scratch(&p) <= 16);
    attention_f32(&p, &(struct attention_args){.q = q, .k = k, .v = v, .nonpad = nonpad, .y = y},
                  scratch);
    assert_true(y[0] == 0 && y[1] == 5 && y[2] > 6 && y[2] < 7);
}

static void infinite_bias_masks_after_the_softcap(void **state)
{
    (void)state;
    const float q[] = {1}, k[] = {1, 100}, v[] = {3, 9}, bias[] = {0, -INFINITY};
    float y[1], scratch[16];
    const struct attention_params p = {.batch = 1,
                                       .q_heads = 1,
                                       .kv_heads = 1,
                                       .q_len = 1,
                                       .kv_len = 2,
                                       .head = 1,
                                       .v_head = 1,
                                       .scale = 1,
                                       .softcap = 2,
                                       .left_window = -1,
                                       .right_window = -1};
    attention_f32(
        &p,
        &(struct attention_args){
            .q = q, .k = k, .v = v, .bias = bias, .mask_key_step = 1, .mask_len = 2, .y = y},
        scratch);
    assert_true(y[0] == 3);
}

static void rotary_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5}, cos[] = {1, 1, 0, 0},
                sin[] = {0, 0, 1, 1}; /* position 1: a quarter turn */
    const float halves[] = {-3, -4, 1, 2, 5}, neighbours[] = {-2, 1, -4, 3, 5};
    const int64_t one[] = {1}, bad[] = {2}, negative[] = {-1};
    float y[5];
    struct rotary_params p = {
        .batch = 1, .len = 1, .heads = 1, .head = 5, .rotary = 4, .positions = 2};
    assert_int_equal(rotary_f32(&p, x, cos, sin, one, y), KERNEL_OK);
    test_same(y, halves, 5);
    p.interleaved = true;
    assert_int_equal(rotary_f32(&p, x, cos, sin, one, y), KERNEL_OK);
    test_same(y, neighbours, 5);
    assert_int_equal(rotary_f32(&p, x, cos, sin, bad, y), KERNEL_INDEX);
    assert_int_equal(rotary_f32(&p, x, cos, sin, negative, y), KERNEL_INDEX);
    assert_int_equal(rotary_f32(&p, x, cos, sin, NULL, y), KERNEL_OK); /* the row itself: no turn */
    test_same(y, x, 5);
}

static void rotary_layouts(void **state)
{
    (void)state;
    const float x[] = {1, 0, 2, 0, 3, 0, 4, 0}, cos[] = {1, 0},
                sin[] = {0, 1}; /* rows of two elements */
    const float by_position[] = {1, 0, 2, 0, 0, 3, 0, 4}, by_head[] = {1, 0, 0, 2, 3, 0, 0, 4};
    float y[8];
    struct rotary_params p = {.batch = 1, .len = 2, .heads = 2, .head = 2, .rotary = 2};
    assert_int_equal(rotary_f32(&p, x, cos, sin, NULL, y), KERNEL_OK);
    test_same(y, by_position, 8);
    p.heads_first = true;
    assert_int_equal(rotary_f32(&p, x, cos, sin, NULL, y), KERNEL_OK);
    test_same(y, by_head, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_matches_plain_loops),
        cmocka_unit_test(a_query_without_keys_gives_zeros),
        cmocka_unit_test(infinite_bias_masks_after_the_softcap),
        cmocka_unit_test(rotary_by_hand),
        cmocka_unit_test(rotary_layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

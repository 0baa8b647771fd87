/* LSTM and SVDF. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/int/int_recurrent.h"
#include "vectors.h"

static bool is_lstm(const struct vectors *v)
{
    return vectors_find(v, "forget_gate_input_weights") && vectors_has(v, "cell_scale_power");
}

static struct requant scale(const struct vectors *v, const char *stem)
{
    char key[96];
    snprintf(key, sizeof key, "%s_multiplier", stem);
    int32_t m = (int32_t)vectors_get(v, key);
    snprintf(key, sizeof key, "%s_shift", stem);
    return (struct requant){REQUANT_TFL_DOUBLE, 0, m, (int32_t)vectors_get(v, key)};
}

static const struct array *named(const struct vectors *v, const char *gate, const char *what)
{
    char name[96];
    snprintf(name, sizeof name, "%s_%s", gate, what);
    return vectors_find(v, name);
}

static struct int_lstm_gate gate(const struct vectors *v, const char *name, int64_t hidden)
{
    char stem[96];
    snprintf(stem, sizeof stem, "%s_input", name);
    struct requant input = scale(v, stem);
    snprintf(stem, sizeof stem, "%s_hidden", name);
    return (struct int_lstm_gate){widen(named(v, name, "input_weights"), -1),
                                  widen(named(v, name, "hidden_weights"), -1),
                                  copy64(named(v, name, "bias"), hidden), input, scale(v, stem)};
}

static void free_gate(struct int_lstm_gate *g)
{
    free((void *)(uintptr_t)g->input_weights);
    free((void *)(uintptr_t)g->hidden_weights);
    free((void *)(uintptr_t)g->bias);
}

static bool lstm_in_order(const struct vectors *v, struct int_lstm *p, const struct array *want,
                          bool quiet)
{
    int64_t units = p->batch * p->hidden_size, n = units * p->steps;
    int32_t *x = widen(vectors_find(v, "input_tensor"), -1), *y = calloc((size_t)n + 1, sizeof *y);
    int32_t *hidden = calloc((size_t)units + 1, sizeof *hidden),
            *cell = calloc((size_t)units + 1, sizeof *cell);
    int32_t *gates = calloc((size_t)p->hidden_size * 4, sizeof *gates);
    for (int64_t i = 0; i < units; i++)
        hidden[i] = p->output_zero;
    int_lstm(p, x, hidden, cell, gates, y);
    bool good = true;
    for (int64_t i = 0; i < n; i++)
        good = good && y[i] == want->data[i];
    if (!good && !quiet)
        agree(v, y, want, n);
    free(x), free(y), free(hidden), free(cell), free(gates);
    return good;
}

static bool lstm(const struct vectors *v)
{
    static const char *const GATE[INT_GATES] = {"input_gate", "forget_gate", "cell_gate",
                                                "output_gate"};
    const struct array *x = vectors_find(v, "input_tensor"), *want = vectors_find(v, "output");
    bool wide = x->item_bytes == 2;
    struct int_lstm p = {.batch = vectors_get(v, "batch_size"),
                         .steps = vectors_get(v, "time_steps"),
                         .input_size = vectors_get(v, "input_size"),
                         .hidden_size = vectors_get(v, "hidden_size"),
                         .input_zero = (int32_t)-vectors_get(v, "input_zero_point"),
                         .output_zero = (int32_t)vectors_get(v, "output_zero_point"),
                         .low = wide ? INT16_MIN : -128,
                         .high = wide ? INT16_MAX : 127,
                         .forget_to_cell = scale(v, "forget_to_cell"),
                         .input_to_cell = scale(v, "input_to_cell"),
                         .output = scale(v, "output"),
                         .cell_clip = (int32_t)vectors_get(v, "cell_clip"),
                         .cell_scale_power = (int)vectors_get(v, "cell_scale_power")};
    for (int g = 0; g < INT_GATES; g++)
        p.gate[g] = gate(v, GATE[g], p.hidden_size);
    p.batch_major =
        strstr(v->stem, "batch_major") != NULL; /* the order of the axes stands in the name only */
    bool good = lstm_in_order(v, &p, want, false);
    for (int g = 0; g < INT_GATES; g++)
        free_gate(&p.gate[g]);
    return good;
}

static bool is_svdf(const struct vectors *v) { return vectors_find(v, "weights_feature") != NULL; }

static bool svdf(const struct vectors *v)
{
    int64_t n = vectors_get(v, "dst_size");
    int32_t *feature = widen(vectors_find(v, "weights_feature"), -1),
            *time = widen(vectors_find(v, "weights_time"), -1);
    int64_t *bias = copy64(vectors_find(v, "biases"), n);
    struct int_svdf p = {vectors_get(v, "input_batches"),
                         vectors_get(v, "input_size"),
                         vectors_get(v, "feature_batches"),
                         vectors_get(v, "rank"),
                         vectors_get(v, "time_batches"),
                         (int32_t)vectors_get(v, "input_offset"),
                         (int32_t)vectors_get(v, "output_offset"),
                         (int32_t)vectors_get(v, "in_activation_min"),
                         (int32_t)vectors_get(v, "in_activation_max"),
                         (int32_t)vectors_get(v, "out_activation_min"),
                         (int32_t)vectors_get(v, "out_activation_max"),
                         feature,
                         time,
                         bias,
                         {REQUANT_TFL_DOUBLE, 0, (int32_t)vectors_get(v, "multiplier_in"),
                          (int32_t)vectors_get(v, "shift_1")},
                         {REQUANT_TFL_DOUBLE, 0, (int32_t)vectors_get(v, "multiplier_out"),
                          (int32_t)vectors_get(v, "shift_2")}};
    int32_t *x = widen(vectors_find(v, "input_sequence"), -1),
            *state = widen(vectors_find(v, "state"), -1), *y = calloc((size_t)n + 1, sizeof *y);
    const struct array *sequence = vectors_find(v, "input_sequence");
    int64_t step = p.batch * p.input_size;
    for (int64_t at = 0; at + step <= sequence->count; at += step)
        int_svdf(&p, x + at, state, y);
    bool good = agree(v, y, vectors_find(v, "output_ref"), n);
    free(feature), free(time), free(bias), free(x), free(state), free(y);
    return good;
}

const struct family FAMILY_LSTM = {"LSTM", is_lstm, lstm};
const struct family FAMILY_SVDF = {"SVDF", is_svdf, svdf};

/* One time step after another; all sums in int64. */
#include "kernels/int/int_recurrent.h"

#include "kernels/int/fixed.h"
#include "kernels/int/int_unary.h"

static int32_t sat16(int64_t x) { return (int32_t)fixed_clamp(x, INT16_MIN, INT16_MAX); }

static int64_t dot(const int32_t *w, const int32_t *x, int64_t n, int64_t zero)
{
    int64_t sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += w[k] * ((int64_t)x[k] - zero);
    return sum;
}

/* Input and hidden parts are requantized apart and added in 16 bits. */
static int32_t gate_value(const struct int_lstm *p, const struct int_lstm_gate *g, int64_t unit,
                          const int32_t *x, const int32_t *hidden)
{
    const int32_t *w = g->input_weights + unit * p->input_size;
    const int32_t *r = g->hidden_weights + unit * p->hidden_size;
    int64_t from_input = dot(w, x, p->input_size, p->input_zero) + (g->bias ? g->bias[unit] : 0);
    int64_t from_hidden = dot(r, hidden, p->hidden_size, p->output_zero);
    int32_t first = sat16(requant_apply(&g->input, from_input));
    return sat16(first + requant_apply(&g->hidden, from_hidden));
}

/* Gates arrive as Q3.12, so the activation's factor is 3 (the table's step is 1/24 of 2^-12 * 3
 * units). */
static const struct int_sigmoid16 GATE = {3, 0};

/* The cell has scale 2^power: tanh wants Q3.12, that is a left shift by power + 12 or a rounding
 * right shift. */
static int16_t tanh_of_cell(const struct int_lstm *p, int32_t cell)
{
    int left = p->cell_scale_power + 12;
    struct int_sigmoid16 f = {left >= 0 ? 3 * (1 << left) : 3, left >= 0 ? 0 : -left};
    return int_tanh16(&f, (int16_t)cell);
}

static void update_unit(const struct int_lstm *p, const int32_t *gates, int64_t unit, int32_t *cell,
                        int32_t *hidden)
{
    int64_t n = p->hidden_size;
    int32_t input = int_logistic16(&GATE, (int16_t)gates[INT_GATE_INPUT * n + unit]);
    int32_t forget = int_logistic16(&GATE, (int16_t)gates[INT_GATE_FORGET * n + unit]);
    int32_t fresh = int_tanh16(&GATE, (int16_t)gates[INT_GATE_CELL * n + unit]);
    int32_t output = int_logistic16(&GATE, (int16_t)gates[INT_GATE_OUTPUT * n + unit]);
    int32_t kept = sat16(requant_apply(&p->forget_to_cell, (int64_t)forget * cell[unit]));
    int32_t c = sat16(kept + requant_apply(&p->input_to_cell, (int64_t)input * fresh));
    if (p->cell_clip > 0)
        c = (int32_t)fixed_clamp(c, -p->cell_clip, p->cell_clip);
    cell[unit] = c;
    int64_t h = requant_apply(&p->output, (int64_t)output * tanh_of_cell(p, c)) + p->output_zero;
    hidden[unit] = (int32_t)fixed_clamp(h, p->low, p->high);
}

static void lstm_step(const struct int_lstm *p, const int32_t *x, int32_t *hidden, int32_t *cell,
                      int32_t *gates)
{
    for (int g = 0; g < INT_GATES; g++)
        for (int64_t unit = 0; unit < p->hidden_size; unit++)
            gates[g * p->hidden_size + unit] = gate_value(p, &p->gate[g], unit, x, hidden);
    for (int64_t unit = 0; unit < p->hidden_size; unit++)
        update_unit(p, gates, unit, cell, hidden);
}

void int_lstm(const struct int_lstm *p, const int32_t *x, int32_t *hidden, int32_t *cell,
              int32_t *gates, int32_t *y)
{
    for (int64_t t = 0; t < p->steps; t++)
        for (int64_t b = 0; b < p->batch; b++) {
            int64_t at = p->batch_major ? b * p->steps + t : t * p->batch + b;
            int32_t *h = hidden + b * p->hidden_size;
            lstm_step(p, x + at * p->input_size, h, cell + b * p->hidden_size, gates);
            for (int64_t u = 0; u < p->hidden_size; u++)
                y[at * p->hidden_size + u] = h[u];
        }
}

/* ---- SVDF ---- */

static void push_feature(const struct int_svdf *p, const int32_t *x, int64_t feature,
                         int32_t *memory)
{
    for (int64_t m = 0; m + 1 < p->memory; m++)
        memory[m] = memory[m + 1];
    int64_t sum =
        dot(p->feature_weights + feature * p->input_size, x, p->input_size, p->input_zero);
    int64_t value = requant_apply(&p->input, sum);
    memory[p->memory - 1] = (int32_t)fixed_clamp(value, p->state_low, p->state_high);
}

void int_svdf(const struct int_svdf *p, const int32_t *x, int32_t *state, int32_t *y)
{
    int64_t units = p->features / p->rank;
    for (int64_t b = 0; b < p->batch; b++) {
        int32_t *rows = state + b * p->features * p->memory;
        for (int64_t f = 0; f < p->features; f++)
            push_feature(p, x + b * p->input_size, f, rows + f * p->memory);
        for (int64_t u = 0; u < units; u++) {
            int64_t acc = p->bias ? p->bias[u] : 0;
            for (int64_t f = u * p->rank; f < (u + 1) * p->rank; f++)
                acc += dot(p->time_weights + f * p->memory, rows + f * p->memory, p->memory, 0);
            int64_t value = requant_apply(&p->output, acc) + p->output_zero;
            y[b * units + u] = (int32_t)fixed_clamp(value, p->low, p->high);
        }
    }
}

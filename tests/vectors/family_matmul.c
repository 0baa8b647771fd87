/* Fully connected layers and batched matrix products. */
#include <stdlib.h>
#include <string.h>

#include "kernels/int/int_matmul.h"
#include "vectors.h"

static const char *const WEIGHTS[] = {"weights", "input_weights", NULL},
                         *const BIASES[] = {"biases", "bias", "input_bias", NULL},
                         *const OUTPUTS[] = {"output_ref", "output", NULL};

static struct requant multiplier(const struct vectors *v, bool wide)
{
    return (struct requant){wide ? REQUANT_TFL_S64 : REQUANT_TFL_DOUBLE, 0,
                            (int32_t)vectors_get(v, "output_multiplier"),
                            (int32_t)vectors_get(v, "output_shift")};
}

static bool is_fully_connected(const struct vectors *v)
{
    return vectors_has(v, "accumulation_depth") && !vectors_has(v, "ch_mult");
}

static bool fully_connected(const struct vectors *v)
{
    const struct array *x = vectors_find(v, "input"), *w = vectors_first(v, WEIGHTS),
                       *b = vectors_first(v, BIASES);
    bool wide = x->item_bytes == 2, packed = strstr(v->stem, "int4") != NULL;
    int64_t depth = vectors_get(v, "accumulation_depth"), columns = vectors_get(v, "out_ch");
    int64_t rows = vectors_get(v, "input_batches");
    struct requant r = multiplier(v, wide);
    struct int_output o = {&r,
                           1,
                           (int32_t)vectors_or(v, "output_offset", 0),
                           (int32_t)vectors_get(v, "out_activation_min"),
                           (int32_t)vectors_get(v, "out_activation_max"),
                           wide ? 64 : 32,
                           OVERFLOW_WRAP,
                           NULL};
    int32_t a_zero = (int32_t)-vectors_get(v, "input_offset"),
            b_zero = (int32_t)-vectors_or(v, "filter_offset", 0);
    int64_t *bias = copy64(b, columns);
    struct int_matmul p = {rows, depth, columns, depth, 1, 1, depth, &a_zero, &b_zero, 1, 1, bias};
    int32_t *a = widen(x, -1),
            *weights = packed ? unpack4(w, depth * columns) : widen(w, depth * columns);
    int32_t *y = calloc((size_t)(rows * columns) + 1, sizeof *y);
    int_matmul(&p, a, weights, &o, y);
    bool good = agree(v, y, vectors_first(v, OUTPUTS), rows * columns);
    free(a), free(weights), free(y), free(bias);
    return good;
}

static bool is_batch_matmul(const struct vectors *v) { return vectors_has(v, "lhs_rows"); }

struct side {
    int64_t batch, height, rows, columns;
};

static struct side side_of(const struct vectors *v, const char *which)
{
    bool left = which[0] == 'l';
    return (struct side){vectors_get(v, left ? "lhs_batch" : "rhs_batch"),
                         vectors_get(v, left ? "lhs_height" : "rhs_height"),
                         vectors_get(v, left ? "lhs_rows" : "rhs_rows"),
                         vectors_get(v, left ? "lhs_cols" : "rhs_cols")};
}

/* First element of slice (batch, height), each repeated when it is 1. */
static int64_t slice(const struct side *s, int64_t batch, int64_t height)
{
    int64_t b = s->batch > 1 ? batch : 0, h = s->height > 1 ? height : 0;
    return (b * s->height + h) * s->rows * s->columns;
}

static bool batch_matmul(const struct vectors *v)
{
    const struct array *x = vectors_find(v, "lhs_input_tensor"),
                       *w = vectors_find(v, "rhs_input_tensor");
    struct side l = side_of(v, "lhs"), r = side_of(v, "rhs");
    bool wide = x->item_bytes == 2, turn_l = vectors_get(v, "adj_x"),
         turn_r = vectors_get(v, "adj_y");
    struct requant q = multiplier(v, wide);
    struct int_output o = {&q,
                           1,
                           (int32_t)vectors_get(v, "output_offset"),
                           (int32_t)vectors_get(v, "activation_min"),
                           (int32_t)vectors_get(v, "activation_max"),
                           wide ? 64 : 32,
                           OVERFLOW_WRAP,
                           NULL};
    int32_t a_zero = (int32_t)-vectors_get(v, "lhs_offset"),
            b_zero = (int32_t)-vectors_get(v, "rhs_offset");
    struct int_matmul p = {.rows = turn_l ? l.columns : l.rows,
                           .inner = turn_l ? l.rows : l.columns,
                           .columns = turn_r ? r.rows : r.columns,
                           .a_row = turn_l ? 1 : l.columns,
                           .a_inner = turn_l ? l.columns : 1,
                           .b_inner = turn_r ? 1 : r.columns,
                           .b_column = turn_r ? r.columns : 1,
                           .a_zero = &a_zero,
                           .b_zero = &b_zero,
                           .n_a_zero = 1,
                           .n_b_zero = 1};
    int64_t batches = vectors_get(v, "output_batch"), heights = vectors_get(v, "output_height"),
            one = p.rows * p.columns;
    int32_t *a = widen(x, -1), *b = widen(w, -1),
            *y = calloc((size_t)(batches * heights * one) + 1, sizeof *y);
    for (int64_t i = 0; i < batches * heights; i++)
        int_matmul(&p, a + slice(&l, i / heights, i % heights),
                   b + slice(&r, i / heights, i % heights), &o, y + i * one);
    bool good = agree(v, y, vectors_find(v, "output"), batches * heights * one);
    free(a), free(b), free(y);
    return good;
}

const struct family FAMILY_FULLY_CONNECTED = {"fully connected", is_fully_connected,
                                              fully_connected};
const struct family FAMILY_BATCH_MATMUL = {"batched matrix product", is_batch_matmul, batch_matmul};

/* The slow, obvious matrix product: the oracle. */
#include "kernels/int/int_matmul.h"

static int32_t zero_at(const int32_t *zero, int64_t n, int64_t i)
{
    return zero ? zero[n > 1 ? i : 0] : 0;
}

int64_t int_matmul_at(const struct int_matmul *p, const int32_t *a, const int32_t *b, int64_t i,
                      int64_t j)
{
    int64_t acc = p->bias ? p->bias[j] : 0;
    int64_t a_zero = zero_at(p->a_zero, p->n_a_zero, i),
            b_zero = zero_at(p->b_zero, p->n_b_zero, j);
    const int32_t *row = a + i * p->a_row, *column = b + j * p->b_column;
    for (int64_t k = 0; k < p->inner; k++)
        acc += (row[k * p->a_inner] - a_zero) * (column[k * p->b_inner] - b_zero);
    return acc;
}

void int_matmul(const struct int_matmul *p, const int32_t *a, const int32_t *b,
                const struct int_output *o, int32_t *y)
{
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->columns; j++) {
            int64_t index = i * p->columns + j;
            y[index] = int_finish(o, j, index, int_matmul_at(p, a, b, i, j));
        }
}

static int64_t block_sum(const struct int_matmul *p, const int32_t *row, const int32_t *column,
                         int64_t begin, int64_t end, int64_t a_zero, int64_t b_zero)
{
    int64_t sum = 0;
    for (int64_t k = begin; k < end; k++)
        sum += (row[k * p->a_inner] - a_zero) * (column[k * p->b_inner] - b_zero);
    return sum;
}

static int64_t blocks_at(const struct int_matmul *p, const struct int_block_scales *s,
                         const int32_t *a, const int32_t *b, int64_t i, int64_t j)
{
    int64_t acc = p->bias ? p->bias[j] : 0, a_zero = zero_at(p->a_zero, p->n_a_zero, i);
    for (int64_t begin = 0, k = 0; begin < p->inner; begin += s->block, k++) {
        int64_t end = begin + s->block < p->inner ? begin + s->block : p->inner;
        int64_t at = k * p->columns + j, b_zero = s->b_zero ? s->b_zero[at] : 0;
        acc += s->scale[at] *
               block_sum(p, a + i * p->a_row, b + j * p->b_column, begin, end, a_zero, b_zero);
    }
    return acc;
}

void int_matmul_blocks(const struct int_matmul *p, const struct int_block_scales *s,
                       const int32_t *a, const int32_t *b, const struct int_output *o, int32_t *y)
{
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->columns; j++) {
            int64_t index = i * p->columns + j;
            y[index] = int_finish(o, j, index, blocks_at(p, s, a, b, i, j));
        }
}

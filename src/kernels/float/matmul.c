/* MatMul, MatMulInteger and Gemm on top of the one product of gemm.h. */
#include "kernels/float/matmul.h"

#include <stddef.h>

#include "base/num.h"
#include "kernels/float/gemm.h"

/* dims[rank - 1 - back], or 1 where the shape has no such axis. */
static int64_t from_end(const int64_t *dims, int rank, int back)
{
    return back < rank ? dims[rank - 1 - back] : 1;
}

/* Where this would wrap the tensor is empty and the step is never used. */
static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* The batch axes, innermost last. Steps start at one matrix. */
static bool plan_batch(const int64_t *a, int a_rank, const int64_t *b, int b_rank,
                       struct matmul_params *p)
{
    int64_t a_step = times(p->m, p->k), b_step = times(p->k, p->n);
    for (int i = p->batch_rank - 1, back = 2; i >= 0; i--, back++) {
        const int64_t da = from_end(a, a_rank, back), db = from_end(b, b_rank, back);
        if (da != db && da != 1 && db != 1)
            return false;
        p->batch[i] = da == 1 ? db : da;
        p->a_batch_step[i] = da == 1 ? 0 : a_step;
        p->b_batch_step[i] = db == 1 ? 0 : b_step;
        a_step = times(a_step, da);
        b_step = times(b_step, db);
    }
    return true;
}

bool matmul_plan(const int64_t *a, int a_rank, const int64_t *b, int b_rank,
                 struct matmul_params *p, int64_t *y_dims, int *y_rank)
{
    const int64_t vector[2] = {1, a_rank == 1 ? a[0] : 0}, column[2] = {b_rank == 1 ? b[0] : 0, 1};
    const bool drop_row = a_rank == 1, drop_column = b_rank == 1;
    int64_t count;
    a = drop_row ? vector : a, a_rank = drop_row ? 2 : a_rank;
    b = drop_column ? column : b, b_rank = drop_column ? 2 : b_rank;
    const int rank = a_rank > b_rank ? a_rank : b_rank;
    if (a_rank < 2 || b_rank < 2 || rank > MATMUL_MAX_BATCH_RANK + 2 ||
        a[a_rank - 1] != b[b_rank - 2] || !num_product(a, a_rank, &count) ||
        !num_product(b, b_rank, &count))
        return false;
    *p = (struct matmul_params){.m = a[a_rank - 2],
                                .n = b[b_rank - 1],
                                .k = a[a_rank - 1],
                                .batch_rank = rank - 2,
                                .a_row_step = a[a_rank - 1],
                                .a_col_step = 1,
                                .b_row_step = b[b_rank - 1],
                                .b_col_step = 1};
    if (!plan_batch(a, a_rank, b, b_rank, p))
        return false;
    *y_rank = 0;
    for (int i = 0; i < rank - 2; i++)
        y_dims[(*y_rank)++] = p->batch[i];
    if (!drop_row)
        y_dims[(*y_rank)++] = p->m;
    if (!drop_column)
        y_dims[(*y_rank)++] = p->n;
    return num_product(y_dims, *y_rank, &count);
}

int64_t matmul_batches(const struct matmul_params *p)
{
    int64_t count = 1;
    for (int i = 0; i < p->batch_rank; i++)
        count *= p->batch[i];
    return count;
}

void matmul_offsets(const struct matmul_params *p, int64_t i, int64_t *a, int64_t *b)
{
    *a = *b = 0;
    for (int axis = p->batch_rank - 1; axis >= 0; axis--) {
        const int64_t at = i % p->batch[axis];
        i /= p->batch[axis];
        *a += at * p->a_batch_step[axis];
        *b += at * p->b_batch_step[axis];
    }
}

#define MATMUL_T float
#define MATMUL_FACTOR(x) ((float)(x))
#define MATMUL(name) name##_f32
#include "kernels/float/matmul_body.h"

#define MATMUL_T double
#define MATMUL_FACTOR(x) (x)
#define MATMUL(name) name##_f64
#include "kernels/float/matmul_body.h"

#define MATMUL_T uint32_t
#define MATMUL_FACTOR(x) ((uint32_t)num_trunc(x))
#define MATMUL(name) name##_u32
#include "kernels/float/matmul_body.h"

#define MATMUL_T uint64_t
#define MATMUL_FACTOR(x) ((uint64_t)num_trunc(x))
#define MATMUL(name) name##_u64
#include "kernels/float/matmul_body.h"

static struct gemm_zero zero_of(const struct matmul_zero *z, int64_t batch)
{
    return (struct gemm_zero){z->zero ? z->zero + batch * z->batch_step : NULL, z->step};
}

void matmul_int(const struct matmul_params *p, const struct matmul_int_args *args, int32_t *y)
{
    const int64_t batches = matmul_batches(p);
    for (int64_t i = 0; i < batches; i++) {
        int64_t at_a, at_b;
        matmul_offsets(p, i, &at_a, &at_b);
        const struct gemm_zero a_zero = zero_of(&args->a_zero, i),
                               b_zero = zero_of(&args->b_zero, i);
        const struct gemm_side rows = {args->a_signed ? gemm_pack_s8 : gemm_pack_u8,
                                       (const uint8_t *)args->a + at_a, p->a_row_step,
                                       p->a_col_step, &a_zero};
        const struct gemm_side columns = {args->b_signed ? gemm_pack_s8 : gemm_pack_u8,
                                          (const uint8_t *)args->b + at_b, p->b_col_step,
                                          p->b_row_step, &b_zero};
        gemm_u32(p->m, p->n, p->k, &rows, &columns, (uint32_t *)y + i * p->m * p->n, p->n, 1);
    }
}

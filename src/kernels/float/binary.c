/* The two-input operators over broadcast plans, and their variadic relatives. */
#include "kernels/float/binary.h"

#include <string.h>

#include "kernels/float/binary_rows.h"
#include "kernels/float/block.h"

static const struct {
    const char *name;
    enum binary_op op;
} NAMES[] = {
    {"Add", BINARY_ADD},
    {"And", BINARY_AND},
    {"BitShift", BINARY_SHIFT_LEFT},
    {"BitwiseAnd", BINARY_BITAND},
    {"BitwiseOr", BINARY_BITOR},
    {"BitwiseXor", BINARY_BITXOR},
    {"Div", BINARY_DIV},
    {"Equal", BINARY_EQUAL},
    {"Greater", BINARY_GREATER},
    {"GreaterOrEqual", BINARY_GREATER_EQUAL},
    {"Less", BINARY_LESS},
    {"LessOrEqual", BINARY_LESS_EQUAL},
    {"Max", BINARY_MAX},
    {"Min", BINARY_MIN},
    {"Mod", BINARY_MOD},
    {"Mul", BINARY_MUL},
    {"Or", BINARY_OR},
    {"PRelu", BINARY_PRELU},
    {"Sub", BINARY_SUB},
    {"Xor", BINARY_XOR},
};

bool binary_find(const char *name, enum binary_op *op)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (!strcmp(NAMES[i].name, name)) {
            *op = NAMES[i].op;
            return true;
        }
    return false;
}

bool binary_compares(enum binary_op op) { return op >= BINARY_EQUAL && op < BINARY_COUNT; }

struct call {
    binary_row *row;
    const char *a, *b;
    char *y;
    const struct broadcast *plan;
    int64_t a_size, b_size, y_size; /* bytes of an element */
    enum dtype half;                /* halves only: their type, and row is that of float */
    bool compares;
    int status;
};

static void direct_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    struct call *c = user;
    int status = c->row(c->a + at[0] * c->a_size, c->plan->inner[0], c->b + at[1] * c->b_size,
                        c->plan->inner[1], c->y + out * c->y_size, n);
    c->status = status ? status : c->status;
}

static void half_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    struct call *c = user;
    const int64_t as = c->plan->inner[0], bs = c->plan->inner[1];
    float a[BLOCK], b[BLOCK], y[BLOCK];
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t now = n - done < BLOCK ? n - done : BLOCK;
        block_load_f32(c->half, c->a, at[0] + done * as, as, a, now);
        block_load_f32(c->half, c->b, at[1] + done * bs, bs, b, now);
        c->row(a, 1, b, 1, c->compares ? (void *)(c->y + out + done) : (void *)y, now);
        if (!c->compares)
            block_store_f32(c->half, c->y, out + done, y, now);
    }
}

int kernel_binary(enum binary_op op, enum dtype t, const struct broadcast *plan, const void *a,
                  const void *b, void *y, int64_t begin, int64_t end)
{
    bool half = block_half(t), compares = binary_compares(op);
    int64_t size = dtype_bits(t) / 8;
    struct call c = {.row = binary_row_of(op, half ? DT_FLOAT : t),
                     .a = a,
                     .b = b,
                     .y = y,
                     .plan = plan,
                     .a_size = size,
                     .b_size = size,
                     .y_size = compares ? 1 : size,
                     .half = t,
                     .compares = compares};
    if (!c.row || plan->n != 2)
        return c.row ? KERNEL_SHAPE : KERNEL_TYPE;
    broadcast_walk(plan, begin, end, half ? half_row : direct_row, &c);
    return c.status;
}

/* ---- Sum, Mean, Min, Max ---- */

enum { CHUNK = 4096 }; /* elements of the float sum kept on the stack for halves: 16 KiB */

static const enum binary_op STEP[] = {[VARIADIC_SUM] = BINARY_ADD,
                                      [VARIADIC_MEAN] = BINARY_ADD,
                                      [VARIADIC_MIN] = BINARY_MIN,
                                      [VARIADIC_MAX] = BINARY_MAX};

/* The result's elements of a chunk, and the row operation with an input. */
struct fold {
    binary_row *row;
    enum dtype t;
    const void *x;
    int64_t step, start; /* of the chunk */
    char *sum;
    int64_t size;
    bool first; /* copies instead */
};

static void fold_half(struct fold *f, int64_t at, char *sum, int64_t n)
{
    float buffer[BLOCK], *acc = (float *)(void *)sum;
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t now = n - done < BLOCK ? n - done : BLOCK;
        block_load_f32(f->t, f->x, at + done * f->step, f->step, f->first ? acc + done : buffer,
                       now);
        if (!f->first)
            f->row(acc + done, 1, buffer, 1, acc + done, now);
    }
}

static void fold_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    struct fold *f = user;
    char *sum = f->sum + (out - f->start) * f->size;
    if (block_half(f->t)) {
        fold_half(f, at[0], sum, n);
        return;
    }
    const char *x = (const char *)f->x + at[0] * f->size;
    if (!f->first)
        f->row(sum, 1, x, f->step, sum, n);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(sum + i * f->size, x + i * f->step * f->size, (size_t)f->size);
}

static void mean_of(enum dtype t, char *sum, int64_t count, int n)
{
    const double many_d = n;
    const float many = (float)n;
    binary_row *divide = binary_row_of(BINARY_DIV, t);
    divide(sum, 1, t == DT_FLOAT ? (const void *)&many : (const void *)&many_d, 0, sum, count);
}

static int variadic_chunk(enum variadic_op op, struct fold *f, const struct kernel_shape *out,
                          const struct kernel_shape *shapes, const void *const *in, int n,
                          int64_t end)
{
    for (int k = 0; k < n; k++) {
        const struct kernel_shape pair[2] = {shapes[k], *out};
        struct broadcast plan;
        int status = broadcast_plan(&plan, pair, 2);
        if (status)
            return status;
        f->x = in[k];
        f->step = plan.inner[0];
        f->first = k == 0;
        broadcast_walk(&plan, f->start, end, fold_row, f);
    }
    if (op == VARIADIC_MEAN)
        mean_of(f->t == DT_DOUBLE ? DT_DOUBLE : DT_FLOAT, f->sum, end - f->start, n);
    return KERNEL_OK;
}

int kernel_variadic(enum variadic_op op, enum dtype t, const struct kernel_shape *out,
                    const struct kernel_shape *shapes, const void *const *in, int n, void *y,
                    int64_t begin, int64_t end)
{
    bool half = block_half(t), floats = half || t == DT_FLOAT || t == DT_DOUBLE;
    float sums[CHUNK];
    struct fold f = {.row = binary_row_of(STEP[op], half ? DT_FLOAT : t),
                     .t = t,
                     .size = half ? 4 : dtype_bits(t) / 8};
    if (!f.row || (!floats && (op == VARIADIC_SUM || op == VARIADIC_MEAN)))
        return KERNEL_TYPE;
    if (n == 2 && op != VARIADIC_MEAN) {
        struct broadcast plan;
        int status = broadcast_plan(&plan, shapes, n);
        return status ? status : kernel_binary(STEP[op], t, &plan, in[0], in[1], y, begin, end);
    }
    for (f.start = begin; f.start < end; f.start += CHUNK) {
        int64_t stop = end - f.start < CHUNK ? end : f.start + CHUNK;
        f.sum = half ? (char *)sums : (char *)y + f.start * f.size;
        int status = variadic_chunk(op, &f, out, shapes, in, n, stop);
        if (status)
            return status;
        if (half)
            block_store_f32(t, y, f.start, sums, stop - f.start);
    }
    return KERNEL_OK;
}

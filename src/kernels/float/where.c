/* See where.h. Elements are moved as unsigned integers of their size. */
#include "kernels/float/where.h"

struct call {
    const uint8_t *condition;
    const void *a, *b;
    void *y;
    const struct broadcast *plan;
};

struct wide {
    uint64_t half[2];
};

#define ROW(name, type)                                                                       \
    static void name(void *user, const int64_t *at, int64_t out, int64_t n)                   \
    {                                                                                         \
        const struct call *c = user;                                                          \
        const int64_t cs = c->plan->inner[0], as = c->plan->inner[1], bs = c->plan->inner[2]; \
        const uint8_t *condition = c->condition + at[0];                                      \
        const type *a = (const type *)c->a + at[1], *b = (const type *)c->b + at[2];          \
        type *y = (type *)c->y + out;                                                         \
        if (cs && as && bs)                                                                   \
            KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++)                                \
            {                                                                                 \
                type p = a[i], q = b[i];                                                      \
                y[i] = condition[i] ? p : q;                                                  \
            }                                                                                 \
        else                                                                                  \
            KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++)                                \
            {                                                                                 \
                type p = a[i * as], q = b[i * bs];                                            \
                y[i] = condition[i * cs] ? p : q;                                             \
            }                                                                                 \
    }

ROW(row_1, uint8_t)
ROW(row_2, uint16_t)
ROW(row_4, uint32_t)
ROW(row_8, uint64_t)
ROW(row_16, struct wide)

int kernel_where(size_t size, const struct broadcast *plan, const uint8_t *condition, const void *a,
                 const void *b, void *y, int64_t begin, int64_t end)
{
    static broadcast_row *const rows[17] = {
        [1] = row_1, [2] = row_2, [4] = row_4, [8] = row_8, [16] = row_16};
    struct call c = {condition, a, b, y, plan};
    if (size > 16 || !rows[size])
        return KERNEL_TYPE;
    if (plan->n != 3)
        return KERNEL_SHAPE;
    broadcast_walk(plan, begin, end, rows[size], &c);
    return KERNEL_OK;
}

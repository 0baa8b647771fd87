/* See select.h. */
#include "kernels/float/select.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

enum { LANES = 64, PIECE = 256 }; /* neighbouring lines, or elements of one, handled together */

/* ---- ArgMax, ArgMin ---- */

static void arg_lanes(const struct arg_args *a, const void *x, int64_t at, int64_t n, int64_t *y)
{
    int64_t best[LANES], keys[LANES], worst = a->largest ? INT64_MAX : INT64_MIN;
    order_keys(a->dtype, x, at, best, n, worst);
    memset(y, 0, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < a->axis; i++) {
        order_keys(a->dtype, x, at + i * a->inner, keys, n, worst);
        for (int64_t k = 0; k < n; k++) {
            bool beats = a->largest ? keys[k] > best[k] : keys[k] < best[k];
            if (beats || (a->select_last && keys[k] == best[k])) {
                best[k] = keys[k];
                y[k] = i;
            }
        }
    }
}

/* A contiguous line, in pieces. */
static int64_t arg_line(const struct arg_args *a, const void *x, int64_t at)
{
    int64_t keys[PIECE], worst = a->largest ? INT64_MAX : INT64_MIN, best = 0, where = 0;
    for (int64_t i = 0; i < a->axis; i += PIECE) {
        int64_t n = a->axis - i < PIECE ? a->axis - i : PIECE;
        order_keys(a->dtype, x, at + i, keys, n, worst);
        best = i == 0 ? keys[0] : best;
        for (int64_t k = 0; k < n; k++) {
            bool beats = a->largest ? keys[k] > best : keys[k] < best;
            if (beats || (a->select_last && keys[k] == best)) {
                best = keys[k];
                where = i + k;
            }
        }
    }
    return where;
}

int kernel_arg(const struct arg_args *a, const void *x, int64_t *y)
{
    if (a->outer && a->inner && a->axis < 1)
        return KERNEL_SHAPE;
    for (int64_t o = 0; o < a->outer && a->inner == 1; o++)
        y[o] = arg_line(a, x, o * a->axis);
    for (int64_t o = 0; o < a->outer && a->inner != 1; o++)
        for (int64_t k = 0; k < a->inner; k += LANES)
            arg_lanes(a, x, o * a->axis * a->inner + k, a->inner - k < LANES ? a->inner - k : LANES,
                      y + o * a->inner + k);
    return KERNEL_OK;
}

/* ---- TopK: a heap of the k best so far whose root is the worst of them ---- */

struct entry {
    int64_t key,
        index; /* keys are negated in order for the smallest: the greater is always the better */
};

static bool worse(struct entry a, struct entry b)
{
    return a.key < b.key || (a.key == b.key && a.index > b.index);
}

static void sift_down(struct entry *heap, int64_t n, int64_t at)
{
    struct entry moved = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && worse(heap[child + 1], heap[child]);
        if (!worse(heap[child], moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* Offers element i of a line to the heap. */
static void offer(struct entry *heap, int64_t k, struct entry e)
{
    if (e.index < k) {
        heap[e.index] = e;
        for (int64_t at = k / 2 - 1; e.index == k - 1 && at >= 0; at--)
            sift_down(heap, k, at);
    } else if (worse(heap[0], e)) {
        heap[0] = e;
        sift_down(heap, k, 0);
    }
}

static void topk_line(const struct topk_args *a, const void *x, int64_t start, struct entry *heap)
{
    int64_t keys[PIECE], piece = a->inner == 1 ? PIECE : 1;
    for (int64_t i = 0; i < a->axis; i += piece) {
        int64_t n = a->axis - i < piece ? a->axis - i : piece;
        order_keys(a->dtype, x, start + i * a->inner, keys, n, INT64_MAX);
        for (int64_t k = 0; k < n; k++)
            offer(heap, a->k, (struct entry){a->largest ? keys[k] : ~keys[k], i + k});
    }
    for (int64_t n = a->k - 1; n > 0; n--) { /* the worst goes to the end */
        struct entry worst = heap[0];
        heap[0] = heap[n];
        heap[n] = worst;
        sift_down(heap, n, 0);
    }
}

static void topk_write(const struct topk_args *a, const void *x, int64_t start, int64_t out,
                       const struct entry *heap, void *values, int64_t *indices)
{
    const size_t size = (size_t)dtype_bits(a->dtype) / 8;
    for (int64_t i = 0; i < a->k; i++) {
        int64_t from = start + heap[i].index * a->inner, to = out + i * a->inner;
        if (values)
            memcpy((char *)values + (size_t)to * size, (const char *)x + (size_t)from * size, size);
        if (indices)
            indices[to] = heap[i].index;
    }
}

int kernel_topk(const struct topk_args *a, const void *x, void *values, int64_t *indices)
{
    int64_t bytes;
    if (dtype_bits(a->dtype) < 8 || (!dtype_is_float(a->dtype) && !dtype_is_int(a->dtype)))
        return KERNEL_TYPE;
    if (a->k < 0 || a->k > a->axis ||
        __builtin_mul_overflow(a->k, (int64_t)sizeof(struct entry), &bytes))
        return KERNEL_VALUE;
    if (!a->k)
        return KERNEL_OK;
    struct entry *heap = mem_try_alloc_raw((size_t)bytes);
    if (!heap)
        return KERNEL_MEMORY;
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t i = 0; i < a->inner; i++) {
            int64_t start = o * a->axis * a->inner + i;
            topk_line(a, x, start, heap);
            topk_write(a, x, start, o * a->k * a->inner + i, heap, values, indices);
        }
    mem_free(heap);
    return KERNEL_OK;
}

/* ---- Unique ---- */

/* order: the items sorted. Numbers the groups of equal ones; inverse gets group numbers. */
static int64_t group(const int64_t *order, int64_t n, order_compare *compare, void *user,
                     int64_t *first, int64_t *inverse, int64_t *counts)
{
    int64_t groups = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || compare(user, order[i - 1], order[i]) != 0) {
            first[groups] = order[i]; /* the sort is stable: the lowest index of the group */
            counts[groups++] = 0;
        }
        counts[groups - 1]++;
        inverse[order[i]] = groups - 1;
    }
    return groups;
}

/* Renumbers groups in order of first appearance. number, old_counts: room for the groups. */
static void by_appearance(int64_t n, int64_t groups, int64_t *number, int64_t *old_counts,
                          int64_t *first, int64_t *inverse, int64_t *counts)
{
    int64_t next = 0;
    memcpy(old_counts, counts, (size_t)groups * sizeof *counts);
    for (int64_t g = 0; g < groups; g++)
        number[g] = -1;
    for (int64_t i = 0; i < n; i++) {
        int64_t g = inverse[i];
        if (number[g] < 0) {
            first[next] = i;
            counts[next] = old_counts[g];
            number[g] = next++;
        }
        inverse[i] = number[g];
    }
}

int kernel_unique_by(int64_t n, bool sorted, order_compare *compare, void *user, int64_t *first,
                     int64_t *inverse, int64_t *counts, int64_t *found)
{
    int64_t bytes, *order;
    if (__builtin_mul_overflow(n, (int64_t)(2 * sizeof *order), &bytes))
        return KERNEL_SHAPE;
    order = mem_try_alloc_raw((size_t)bytes + 1);
    if (!order)
        return KERNEL_MEMORY;
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    order_sort(order, order + n, n, compare, user);
    *found = group(order, n, compare, user, first, inverse, counts);
    if (!sorted)
        by_appearance(n, *found, order, order + n, first, inverse, counts);
    mem_free(order);
    return KERNEL_OK;
}

struct slices {
    const int64_t *keys; /* [n, length] */
    int64_t length;
};

static int compare_slices(void *user, int64_t a, int64_t b)
{
    const struct slices *s = user;
    const int64_t *p = s->keys + a * s->length, *q = s->keys + b * s->length;
    for (int64_t i = 0; i < s->length; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

int kernel_unique(const struct unique_args *a, const void *x, int64_t *first, int64_t *inverse,
                  int64_t *counts, int64_t *found)
{
    int64_t total, bytes;
    const int64_t dims[] = {a->outer, a->n, a->inner};
    if (!dtype_is_float(a->dtype) && !dtype_is_int(a->dtype) && a->dtype != DT_BOOL)
        return KERNEL_TYPE;
    if (!num_product(dims, 3, &total) ||
        __builtin_mul_overflow(total, (int64_t)sizeof(int64_t), &bytes))
        return KERNEL_SHAPE;
    int64_t *keys = mem_try_alloc_raw((size_t)bytes + 1);
    if (!keys)
        return KERNEL_MEMORY;
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t o = 0; o < a->outer; o++)
            order_keys(a->dtype, x, (o * a->n + i) * a->inner, keys + (i * a->outer + o) * a->inner,
                       a->inner, INT64_MAX);
    struct slices s = {keys, a->outer * a->inner};
    int status =
        kernel_unique_by(a->n, a->sorted, compare_slices, &s, first, inverse, counts, found);
    mem_free(keys);
    return status;
}

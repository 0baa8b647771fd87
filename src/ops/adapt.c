/* Access and staging for the adapters: see adapt.h. */
#include "ops/adapt.h"

#include <string.h>

#include "base/pool.h"
#include "kernels/float/half.h"

const void *in_data(const struct eval *e, uint32_t i) { return e->in[i]->data; }

void *out_data(const struct eval *e, uint32_t i) { return tensor_writable(e->out[i]); }

enum dtype in_dtype(const struct eval *e, uint32_t i)
{
    return has_in(e, i) ? e->in[i]->dtype : DT_UNDEFINED;
}

int eval_memory(const struct eval *e)
{
    (void)e;
    return -(int)E_LIMIT_MEMORY;
}

void *eval_scratch(struct eval *e, int64_t count, size_t size)
{
    size_t bytes;
    void *block = NULL;
    if (count >= 0 && !__builtin_mul_overflow((size_t)count, size, &bytes))
        block = arena_try(e->scratch, bytes ? bytes : 1);
    if (!block)
        eval_fail(e, E_LIMIT_MEMORY, "'%s' needs room for %lld elements", e->node->op_type,
                  (long long)count);
    return block;
}

/* ---- conversion ---- */

void convert_to_f32(const struct tensor *t, float *to)
{
    switch (t->dtype) {
    case DT_FLOAT16:
        half_from_f16(t->data, to, t->count);
        return;
    case DT_BFLOAT16:
        half_from_bf16(t->data, to, t->count);
        return;
    case DT_FLOAT:
        if (t->count)
            memcpy(to, t->data, t->bytes);
        return;
    default:
        for (int64_t i = 0; i < t->count; i++)
            to[i] = (float)num_get(t->data, t->dtype, i);
    }
}

void convert_from_f32(enum dtype dtype, const float *from, int64_t count, void *to)
{
    switch (dtype) {
    case DT_FLOAT16:
        half_to_f16(from, to, count);
        return;
    case DT_BFLOAT16:
        half_to_bf16(from, to, count);
        return;
    case DT_FLOAT:
        if (count && to != from)
            memcpy(to, from, (size_t)count * sizeof *from);
        return;
    default:
        for (int64_t i = 0; i < count; i++)
            num_set(to, dtype, i, (double)from[i]);
    }
}

const float *stage_in(struct eval *e, uint32_t i)
{
    if (!has_in(e, i))
        return NULL;
    if (e->in[i]->dtype == DT_FLOAT && e->in[i]->data)
        return e->in[i]->data;
    float *buffer = eval_scratch(e, e->in[i]->count, sizeof *buffer);
    if (buffer)
        convert_to_f32(e->in[i], buffer);
    return buffer;
}

const double *stage_in_f64(struct eval *e, uint32_t i)
{
    if (!has_in(e, i))
        return NULL;
    const struct tensor *t = e->in[i];
    if (t->dtype == DT_DOUBLE && t->data)
        return t->data;
    double *buffer = eval_scratch(e, t->count, sizeof *buffer);
    for (int64_t k = 0; buffer && k < t->count; k++)
        buffer[k] = num_get(t->data, t->dtype, k);
    return buffer;
}

float *stage_out(struct eval *e, uint32_t i)
{
    if (!has_out(e, i))
        return NULL;
    if (e->out[i]->dtype == DT_FLOAT && e->out[i]->data)
        return out_data(e, i);
    return eval_scratch(e, e->out[i]->count, sizeof(float));
}

double *stage_out_f64(struct eval *e, uint32_t i)
{
    if (!has_out(e, i))
        return NULL;
    if (e->out[i]->dtype == DT_DOUBLE && e->out[i]->data)
        return out_data(e, i);
    return eval_scratch(e, e->out[i]->count, sizeof(double));
}

void stage_store(struct eval *e, uint32_t i, const float *buffer)
{
    if (buffer && has_out(e, i) && buffer != e->out[i]->data)
        convert_from_f32(e->out[i]->dtype, buffer, e->out[i]->count, out_data(e, i));
}

void stage_store_f64(struct eval *e, uint32_t i, const double *buffer)
{
    if (!buffer || !has_out(e, i) || buffer == e->out[i]->data)
        return;
    for (int64_t k = 0; k < e->out[i]->count; k++)
        num_set(out_data(e, i), e->out[i]->dtype, k, buffer[k]);
}

/* ---- parameters ---- */

enum list_state eval_list(struct eval *e, const char *attr, uint32_t i, const int64_t **ints,
                          int64_t *count)
{
    uint32_t n;
    if (attr && node_ints(e->node, attr, ints, &n)) {
        *count = n;
        return LIST_KNOWN;
    }
    *ints = NULL;
    *count = 0;
    if (!has_in(e, i))
        return LIST_ABSENT;
    int64_t *list = arena_array(e->scratch, (size_t)e->in[i]->count + 1, sizeof *list);
    for (int64_t k = 0; k < e->in[i]->count; k++)
        list[k] = tensor_get_int(e->in[i], k);
    *ints = list;
    *count = e->in[i]->count;
    return LIST_KNOWN;
}

int64_t in_int(const struct eval *e, uint32_t i, int64_t otherwise)
{
    return has_in(e, i) && e->in[i]->count > 0 ? tensor_get_int(e->in[i], 0) : otherwise;
}

double in_number(const struct eval *e, uint32_t i, double otherwise)
{
    return has_in(e, i) && e->in[i]->count > 0 ? tensor_get(e->in[i], 0) : otherwise;
}

int64_t eval_axis(const struct eval *e, const char *attr, int64_t otherwise, int rank)
{
    int64_t axis = node_int(e->node, attr, otherwise);
    return axis < 0 ? axis + rank : axis;
}

int eval_axis_fault(struct eval *e, int64_t axis, int rank)
{
    return eval_fail(e, E_SHAPE, "%s: axis %lld, the input has %d axes", e->node->op_type,
                     (long long)axis, rank);
}

struct axis_split split_dims(const int64_t *dims, int rank, int axis)
{
    uint64_t outer = 1,
             inner = 1; /* may wrap only where another extent is 0 and nothing is looped over */
    for (int i = 0; i < axis && i < rank; i++)
        outer *= (uint64_t)dims[i];
    for (int i = axis + 1; i < rank; i++)
        inner *= (uint64_t)dims[i];
    return (struct axis_split){(int64_t)outer, axis < rank ? dims[axis] : 1, (int64_t)inner};
}

struct axis_split split_axis(const struct tensor *t, int axis)
{
    return split_dims(t->dims, t->rank, axis);
}

int eval_form(struct eval *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(e->scratch, format, args);
    va_end(args);
    return eval_fail(e, E_OP_FORM, "%s: %s", e->node->op_type, text);
}

/* ---- kernels ---- */

int eval_status(struct eval *e, int status)
{
    static const enum err ids[] = {
        [KERNEL_TYPE] = E_OP_FORM,   [KERNEL_SHAPE] = E_SHAPE,    [KERNEL_ZERO] = E_OP_VALUE,
        [KERNEL_INDEX] = E_OP_INDEX, [KERNEL_VALUE] = E_OP_VALUE, [KERNEL_MEMORY] = E_LIMIT_MEMORY,
    };
    if (status <= 0)
        return status;
    enum err id = (size_t)status < sizeof ids / sizeof *ids ? ids[status] : E_INTERNAL;
    return eval_fail(e, id, "%s: %s", e->node->op_type, kernel_error(status));
}

enum {
    PIECE = 1 << 15
}; /* elements: a piece takes some 10 us, long against handing it out; a multiple of 4 for packed
      types */

struct split {
    piece_fn *piece;
    void *user;
    int64_t count;
};

static int split_piece(void *user, size_t index, int worker)
{
    const struct split *s = user;
    int64_t begin = (int64_t)index * PIECE,
            end = begin + PIECE < s->count ? begin + PIECE : s->count;
    (void)worker;
    return -s->piece(s->user, begin, end);
}

int eval_pieces(struct eval *e, int64_t count, piece_fn *piece, void *user)
{
    struct split s = {piece, user, count};
    if (count <= 0)
        return 0;
    if (!e->pool || count <= PIECE)
        return piece(user, 0, count);
    return -pool_run(e->pool, (size_t)((count - 1) / PIECE + 1), split_piece, &s);
}

struct kernel_shape shape_of(const struct tensor *t)
{
    return (struct kernel_shape){t->rank, t->dims};
}

/* QuantizeLinear and DequantizeLinear.
 *
 * The tensor is walked in runs: stretches whose scales are one value (step 0) or neighbours (step
 * 1). A run is computed in chunks of int32 and stored by type, so the rounding exists once.
 * Rounding: x / scale is clamped to [qmin - zero, qmax - zero], as ONNX Runtime does; the clamped
 * value is at most 2^17 in size, and adding and subtracting 1.5 * 2^23 rounds it half to even.
 */
#include "kernels/float/qdq.h"

#include <math.h>

#include "base/num.h"
#include "kernels/kernel.h"

enum { CHUNK = 256 };

struct run {
    int64_t at, count; /* elements */
    int64_t scale;     /* index of the first */
    int step;          /* to the next element's scale */
};

static int64_t blocks_of(const struct qdq_params *p)
{
    return p->block ? p->n / p->block + (p->n % p->block != 0) : p->n;
}

int64_t qdq_scales(const struct qdq_params *p)
{
    return p->block ? p->outer * blocks_of(p) * p->inner : p->n;
}

static struct run run_at(const struct qdq_params *p, int64_t row)
{
    const int64_t o = row / p->n, c = row % p->n;
    if (p->block)
        return (struct run){row * p->inner, p->inner, (o * blocks_of(p) + c / p->block) * p->inner,
                            1};
    return (struct run){row * p->inner, p->inner, c, 0};
}

/* inner = 1: the elements along n are the neighbours. */
static struct run line_at(const struct qdq_params *p, int64_t line)
{
    if (!p->block)
        return (struct run){line * p->n, p->n, 0, 1};
    const int64_t blocks = blocks_of(p), o = line / blocks, b = line % blocks, first = b * p->block;
    const int64_t count = p->n - first < p->block ? p->n - first : p->block;
    return (struct run){o * p->n + first, count, line, 0};
}

static int64_t runs_of(const struct qdq_params *p)
{
    if (p->inner != 1)
        return p->outer * p->n;
    return p->block ? p->outer * blocks_of(p) : p->outer;
}

static struct run run_of(const struct qdq_params *p, int64_t i)
{
    return p->inner == 1 ? line_at(p, i) : run_at(p, i);
}

static int64_t implied_block(int64_t n, int64_t blocks)
{
    return blocks > 0 && n % blocks == 0 ? n / blocks : 0;
}

bool qdq_plan(const int64_t *dims, int rank, const int64_t *scale_dims, int scale_rank,
              int64_t axis, int64_t block_size, struct qdq_params *p)
{
    int64_t scales, count;
    p->outer = p->n = p->inner = 1;
    p->block = 0;
    if (rank < 0 || scale_rank < 0 || !num_product(dims, rank, &count) ||
        !num_product(scale_dims, scale_rank, &scales))
        return false;
    if (scales == 1) {
        p->inner = count;
        return true;
    }
    if (axis < -rank || axis >= rank)
        return false;
    axis += axis < 0 ? rank : 0;
    p->n = dims[axis];
    if (!num_product(dims, (int)axis, &p->outer) ||
        !num_product(dims + axis + 1, rank - 1 - (int)axis, &p->inner))
        return false;
    if (scale_rank == 1 && block_size == 0)
        return scales == p->n;
    if (scale_rank != rank || block_size < 0)
        return false;
    for (int i = 0; i < rank; i++)
        if (i != axis && scale_dims[i] != dims[i])
            return false;
    p->block = block_size ? block_size : implied_block(p->n, scale_dims[axis]);
    return p->block > 0 && scale_dims[axis] == blocks_of(p);
}

/* ---- quantize ---- */

static float to_precision(float v, enum dtype division)
{
    if (division == DT_FLOAT16)
        return num_from_f16(num_to_f16(v));
    return division == DT_BFLOAT16 ? num_from_bf16(num_to_bf16(v)) : v;
}

KERNEL_CLONES
static void divide_same(const float *x, int count, float scale, float *v)
{
    for (int i = 0; i < count; i++)
        v[i] = x[i] / scale;
}

static void divide(const struct qdq_params *p, const float *x, int count, const float *scale,
                   int step, float *v)
{
    if (step == 0)
        divide_same(x, count, *scale, v);
    for (int i = 0; step != 0 && i < count; i++)
        v[i] = x[i] / scale[i];
    const bool rounded = p->division == DT_FLOAT16 || p->division == DT_BFLOAT16;
    for (int i = 0; rounded && i < count; i++)
        v[i] = to_precision(v[i], p->division);
}

static inline int32_t round_one(float v, int32_t zero, int32_t low, int32_t high)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: the sum's last bit is worth 1 */
    const float least = (float)(low - zero), most = (float)(high - zero);
    v = v > least ? v : least; /* NaN too */
    v = v < most ? v : most;
    return (int32_t)((v + magic) - magic) + zero;
}

KERNEL_CLONES
static void round_same(const float *v, int count, int32_t zero, int32_t low, int32_t high,
                       int32_t *q)
{
    for (int i = 0; i < count; i++)
        q[i] = round_one(v[i], zero, low, high);
}

static void round_each(const float *v, int count, const int32_t *zero, int32_t low, int32_t high,
                       int32_t *q)
{
    for (int i = 0; i < count; i++)
        q[i] = round_one(v[i], zero[i], low, high);
}

static void store(enum dtype type, void *y, int64_t at, int count, const int32_t *q)
{
    if (type == DT_INT8 || type == DT_UINT8)
        for (int i = 0; i < count; i++)
            ((uint8_t *)y)[at + i] = (uint8_t)(uint32_t)q[i];
    else if (type == DT_INT16 || type == DT_UINT16)
        for (int i = 0; i < count; i++)
            ((uint16_t *)y)[at + i] = (uint16_t)(uint32_t)q[i];
    else
        for (int i = 0; i < count; i++)
            num_set_int(y, type, at + i, q[i]);
}

static bool is_small_float(enum dtype t)
{
    return (t >= DT_FLOAT8E4M3FN && t <= DT_FLOAT8E5M2FNUZ) || t == DT_FLOAT4E2M1;
}

static bool is_quantized_int(enum dtype t) { return dtype_is_int(t) && dtype_bits(t) <= 16; }

static void store_float(const struct qdq_params *p, void *y, int64_t at, int count, const float *v)
{
    for (int i = 0; i < count; i++)
        if (p->type == DT_FLOAT4E2M1) /* num_set rounds to nearest even and saturates */
            num_set(y, p->type, at + i, (double)v[i]);
        else
            ((uint8_t *)y)[at + i] = num_to_f8(p->type, v[i], p->saturate);
}

/* q of at most CHUNK elements from element `at` on, `skip` into the run. */
static void quantize_chunk(const struct qdq_params *p, const struct run *r, int64_t skip, int count,
                           const float *v, int32_t *q)
{
    const int32_t low = (int32_t)dtype_min(p->type), high = (int32_t)dtype_max(p->type);
    if (p->zero && r->step)
        round_each(v, count, p->zero + r->scale + skip, low, high, q);
    else
        round_same(v, count, p->zero ? p->zero[r->scale] : 0, low, high, q);
}

static void quantize_run(const struct qdq_params *p, const struct run *r, const float *x, void *y)
{
    float v[CHUNK];
    int32_t q[CHUNK];
    for (int64_t skip = 0; skip < r->count; skip += CHUNK) {
        const int count = r->count - skip < CHUNK ? (int)(r->count - skip) : CHUNK;
        divide(p, x + r->at + skip, count, p->scale + r->scale + skip * r->step, r->step, v);
        if (is_small_float(p->type)) {
            store_float(p, y, r->at + skip, count, v);
            continue;
        }
        quantize_chunk(p, r, skip, count, v, q);
        store(p->type, y, r->at + skip, count, q);
    }
}

/* The fields of a packed byte beyond the last element are zero. */
static void clear_last_byte(const struct qdq_params *p, void *y)
{
    size_t bytes;
    if (dtype_bytes(p->type, p->outer * p->n * p->inner, &bytes) && bytes > 0)
        ((uint8_t *)y)[bytes - 1] = 0;
}

int qdq_quantize(const struct qdq_params *p, const float *x, void *y)
{
    if (!is_small_float(p->type) && !is_quantized_int(p->type))
        return KERNEL_TYPE;
    clear_last_byte(p, y);
    for (int64_t i = 0; i < runs_of(p); i++) {
        const struct run r = run_of(p, i);
        quantize_run(p, &r, x, y);
    }
    return KERNEL_OK;
}

/* ---- dequantize ---- */

/* (float)(x - zero), exact for up to 16 bits; int32 is rounded once. */
static void load(const struct qdq_params *p, const void *x, int64_t at, int count,
                 const int32_t *zero, int step, float *v)
{
    for (int i = 0; i < count; i++) {
        const int64_t z = zero ? zero[i * step] : 0;
        int64_t q;
        if (p->type == DT_INT8)
            q = ((const int8_t *)x)[at + i];
        else if (p->type == DT_UINT8)
            q = ((const uint8_t *)x)[at + i];
        else
            q = num_get_int(x, p->type, at + i);
        v[i] = (float)(q - z);
    }
}

static void load_float(const struct qdq_params *p, const void *x, int64_t at, int count, float *v)
{
    for (int i = 0; i < count; i++)
        v[i] = (float)num_get(x, p->type, at + i);
}

static void scale_chunk(const float *v, int count, const float *scale, int step, float *y)
{
    for (int i = 0; i < count; i++)
        y[i] = v[i] * scale[i * step];
}

int qdq_dequantize(const struct qdq_params *p, const void *x, float *y)
{
    if (!is_small_float(p->type) && !is_quantized_int(p->type) && p->type != DT_INT32)
        return KERNEL_TYPE;
    float v[CHUNK];
    for (int64_t i = 0; i < runs_of(p); i++) {
        const struct run r = run_of(p, i);
        for (int64_t skip = 0; skip < r.count; skip += CHUNK) {
            const int count = r.count - skip < CHUNK ? (int)(r.count - skip) : CHUNK;
            const int64_t scale = r.scale + skip * r.step;
            if (is_small_float(p->type))
                load_float(p, x, r.at + skip, count, v);
            else
                load(p, x, r.at + skip, count, p->zero ? p->zero + scale : NULL, r.step, v);
            scale_chunk(v, count, p->scale + scale, r.step, y + r.at + skip);
        }
    }
    return KERNEL_OK;
}

/* ---- both ---- */

static float through_small_float(const struct qdq_params *p, float v)
{
    if (p->type == DT_FLOAT4E2M1)
        return num_from_f4(num_to_f4(v));
    return num_from_f8(p->type, num_to_f8(p->type, v, p->saturate));
}

int qdq_simulate(const struct qdq_params *p, const float *x, float *y)
{
    const bool small = is_small_float(p->type);
    float v[CHUNK];
    int32_t q[CHUNK];
    if (!small && !is_quantized_int(p->type))
        return KERNEL_TYPE;
    for (int64_t i = 0; i < runs_of(p); i++) {
        const struct run r = run_of(p, i);
        for (int64_t skip = 0; skip < r.count; skip += CHUNK) {
            const int count = r.count - skip < CHUNK ? (int)(r.count - skip) : CHUNK;
            const int64_t scale = r.scale + skip * r.step;
            divide(p, x + r.at + skip, count, p->scale + scale, r.step, v);
            if (!small)
                quantize_chunk(p, &r, skip, count, v, q);
            for (int j = 0; j < count; j++)
                v[j] = small ? through_small_float(p, v[j])
                             : (float)(q[j] - (p->zero ? p->zero[scale + j * r.step] : 0));
            scale_chunk(v, count, p->scale + scale, r.step, y + r.at + skip);
        }
    }
    return KERNEL_OK;
}

void qdq_dynamic(const float *x, int64_t count, uint8_t *y, float *scale, uint8_t *zero)
{
    float low = 0, high = 0;
    for (int64_t i = 0; i < count; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *scale = high > low ? (high - low) / 255 : 1;
    const int32_t z = round_one(0 - low / *scale, 0, 0, 255);
    *zero = (uint8_t)z;
    const struct qdq_params p = {
        .outer = 1, .n = 1, .inner = count, .scale = scale, .zero = &z, .type = DT_UINT8};
    qdq_quantize(&p, x, y);
}

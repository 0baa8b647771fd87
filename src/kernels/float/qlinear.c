/* The operators on quantized tensors that ONNX defines through float: QLinearConv, QLinearMatMul,
 * and weights of a few bits. Requantization is the `fp32` mode of ONNX Runtime and XNNPACK:
 * (float)acc (rounded half to even above 2^24) times a float factor, clamped, rounded half to even,
 * then the zero point. */
#include <stddef.h>

#include "base/num.h"
#include "kernels/float/qdq.h"

static int32_t wrapping_sum(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

static uint8_t requantize(float v, const struct qdq_requant *r)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23, see qdq.c */
    const int32_t low = (int32_t)dtype_min(r->type), high = (int32_t)dtype_max(r->type);
    const float least = (float)(low - r->zero), most = (float)(high - r->zero);
    v = v > least ? v : least;
    v = v < most ? v : most;
    return (uint8_t)((uint32_t)((int32_t)((v + magic) - magic) + r->zero));
}

void qdq_requantize(const struct qdq_requant *r, int64_t rows, int64_t size, const int32_t *acc,
                    const int32_t *bias, void *y)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = row * size; i < (row + 1) * size; i++)
            ((uint8_t *)y)[i] = requantize(
                (float)(bias ? wrapping_sum(acc[i], bias[row]) : acc[i]) * r->factor[row * r->step],
                r);
}

void qdq_conv(const struct conv_params *p, const struct conv_int_args *args, const int32_t *bias,
              const struct qdq_requant *r, int32_t *acc, void *y)
{
    const int64_t size = window_out_size(&p->window);
    conv_int(p, args, acc);
    for (int64_t n = 0; n < p->batch; n++) {
        const int64_t at = n * p->out_channels * size;
        qdq_requantize(r, p->out_channels, size, acc + at, bias, (uint8_t *)y + at);
    }
}

void qdq_matmul(const struct matmul_params *p, const struct matmul_int_args *args,
                const struct qdq_requant *r, const float *column_factor, int32_t *acc, void *y)
{
    const int64_t rows = matmul_batches(p) * p->m;
    matmul_int(p, args, acc);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t j = 0; j < p->n; j++) {
            const float factor =
                r->factor[row % p->m * r->step] * (column_factor ? column_factor[j] : 1.0f);
            ((uint8_t *)y)[row * p->n + j] = requantize((float)acc[row * p->n + j] * factor, r);
        }
}

static unsigned field(const uint8_t *bytes, int64_t index, int bits)
{
    const int64_t bit = index * bits;
    return (bytes[bit / 8] >> (bit % 8)) & ((1u << bits) - 1);
}

static float zero_of(const struct qdq_nbits *p, int64_t row, int64_t block, int64_t blocks)
{
    if (p->float_zero)
        return p->float_zero[row * blocks + block];
    const int64_t row_bytes = (blocks * p->bits + 7) / 8;
    return (float)(p->zero ? field(p->zero + row * row_bytes, block, p->bits)
                           : 1u << (p->bits - 1));
}

void qdq_nbits_dequantize(const struct qdq_nbits *p, float *w)
{
    const int64_t blocks = (p->k + p->block - 1) / p->block,
                  row_bytes = blocks * (p->block * p->bits / 8);
    for (int64_t row = 0; row < p->n; row++)
        for (int64_t b = 0; b < blocks; b++) {
            const float zero = zero_of(p, row, b, blocks), scale = p->scale[row * blocks + b];
            const int64_t end = (b + 1) * p->block < p->k ? (b + 1) * p->block : p->k;
            for (int64_t i = b * p->block; i < end; i++)
                w[row * p->k + i] =
                    ((float)field(p->b + row * row_bytes, i, p->bits) - zero) * scale;
        }
}

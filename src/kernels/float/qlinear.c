/* The operators on quantized tensors that ONNX defines through float: QLinearConv, QLinearMatMul,
 * and weights of a few bits. Requantization is the `fp32` mode of ONNX Runtime and XNNPACK:
 * (float)acc (rounded half to even above 2^24) times a float factor, clamped, rounded half to even,
 * then the zero point. */
#include <stddef.h>

#include "base/num.h"
#include "kernels/float/qdq.h"
#include "kernels/kernel.h"

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

/* Whole bytes of codes, low bits first: w = (code - zero) * scale. */
KERNEL_CLONES
static void unpack_4(const uint8_t *b, int64_t bytes, float zero, float scale, float *w)
{
    for (int64_t i = 0; i < bytes; i++) {
        w[2 * i] = ((float)(b[i] & 15) - zero) * scale;
        w[2 * i + 1] = ((float)(b[i] >> 4) - zero) * scale;
    }
}

KERNEL_CLONES
static void unpack_8(const uint8_t *b, int64_t bytes, float zero, float scale, float *w)
{
    for (int64_t i = 0; i < bytes; i++)
        w[i] = ((float)b[i] - zero) * scale;
}

/* n codes of one block, which starts at a whole byte. */
static void unpack_block(const uint8_t *b, int bits, int64_t n, float zero, float scale, float *w)
{
    int64_t done = bits == 4 ? n / 2 * 2 : bits == 8 ? n : 0;
    if (bits == 4)
        unpack_4(b, done / 2, zero, scale, w);
    else if (bits == 8)
        unpack_8(b, done, zero, scale, w);
    for (; done < n; done++)
        w[done] = ((float)field(b, done, bits) - zero) * scale;
}

void qdq_nbits_rows(const struct qdq_nbits *p, int64_t first, int64_t count, float *w)
{
    const int64_t blocks = (p->k + p->block - 1) / p->block, bytes = p->block * p->bits / 8;
    for (int64_t row = first; row < first + count; row++, w += p->k)
        for (int64_t b = 0; b < blocks; b++) {
            const float zero = zero_of(p, row, b, blocks), scale = p->scale[row * blocks + b];
            const int64_t from = b * p->block, left = p->k - from;
            unpack_block(p->b + (row * blocks + b) * bytes, p->bits,
                         left < p->block ? left : p->block, zero, scale, w + from);
        }
}

KERNEL_CLONES
void qdq_round_symmetric(const float *x, int64_t n, float *y)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23, see qdq.c */
    float most = 0;
    for (int64_t i = 0; i < n; i++)
        most = __builtin_fabsf(x[i]) > most ? __builtin_fabsf(x[i]) : most;
    const float scale = most / 127, inverse = most > 0 ? 127 / most : 0;
    for (int64_t i = 0; i < n; i++)
        y[i] = ((x[i] * inverse + magic) - magic) * scale;
}

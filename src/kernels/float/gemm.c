/* The matrix product for float, double and wrapping 32 and 64-bit integers. The text is in
 * gemm_body.h.
 *
 * Blocking: WIDE columns times a run of p are packed once (64 KiB, the second-level cache), then
 * every group of ROWS rows is packed (4 KiB) and multiplied with them. Loop order and block sizes
 * cannot be seen in the result, except for the run length, which is part of the contract (gemm.h).
 */
#include "kernels/float/gemm.h"

#include <stdbool.h>

#include "kernels/kernel.h"

enum { ROWS = 4 };

#define GEMM_T float
#define GEMM(name) name##_f32
#include "kernels/float/gemm_body.h"
#undef GEMM_T
#undef GEMM

#define GEMM_T double
#define GEMM(name) name##_f64
#include "kernels/float/gemm_body.h"
#undef GEMM_T
#undef GEMM

#define GEMM_T uint32_t
#define GEMM(name) name##_u32
#include "kernels/float/gemm_body.h"
#undef GEMM_T
#undef GEMM

#define GEMM_T uint64_t
#define GEMM(name) name##_u64
#include "kernels/float/gemm_body.h"
#undef GEMM_T
#undef GEMM

#define PACK_BYTE(name, type)                                                              \
    void name(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)       \
    {                                                                                      \
        const struct gemm_zero *zero = side->more;                                         \
        const type *from =                                                                 \
            (const type *)side->data + cut->p0 * side->step_p + cut->j0 * side->step_j;    \
        uint32_t *to = panel;                                                              \
        for (int p = 0; p < cut->np; p++, from += side->step_p, to += cut->width) {        \
            for (int j = 0; j < cut->nj; j++) {                                            \
                const int32_t z = zero->zero ? zero->zero[(cut->j0 + j) * zero->step] : 0; \
                to[j] = (uint32_t)from[j * side->step_j] - (uint32_t)z;                    \
            }                                                                              \
            for (int j = cut->nj; j < cut->width; j++)                                     \
                to[j] = 0;                                                                 \
        }                                                                                  \
    }
PACK_BYTE(gemm_pack_s8, int8_t)
PACK_BYTE(gemm_pack_u8, uint8_t)

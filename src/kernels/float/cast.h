/* Conversion of elements, ONNX Cast-24: every pair of numeric types and bool, packed ones included.
 * To float types: nearest even, once. float8 and E2M1: see base/num.h; `saturate` and `e8m0` as
 * Cast's saturate and round_mode. Integer to integer: modulo 2^bits. Float to integer: toward zero,
 * NaN to 0. What is then out of range, which ONNX leaves open, saturates for integers of 8 bits or
 * more and is cut modulo 2^bits for the 4- and 2-bit ones, as the conformance cases of ONNX 1.22
 * have it. To bool: anything but a zero. */
#ifndef KERNELS_FLOAT_CAST_H
#define KERNELS_FLOAT_CAST_H
#include "base/num.h"
#include "kernels/kernel.h"

struct cast_args {
    enum dtype from, to;
    bool saturate;       /* float8 only; ONNX's default is true */
    enum e8m0_mode e8m0; /* float8e8m0 only; ONNX's default is up */
};

/* y[i] = x[i] for begin <= i < end; x and y hold whole tensors. begin must be a multiple of 4 when
 * y is packed. y must not be x unless the types are the same. KERNEL_TYPE for strings and complex
 * numbers. */
int kernel_cast(const struct cast_args *a, const void *x, void *y, int64_t begin, int64_t end);
#endif

/* What all kernels share. A kernel sees numbers only: pointers, dims, parameter structs; never
 * nodes or tensors. Buffers are contiguous, row-major, aligned to their element; sub-byte types are
 * packed as ONNX packs them (base/num.h). A kernel is single-threaded; the large element-wise ones
 * take [begin, end) so that a caller may split the work, and the bits do not depend on how. Nothing
 * is allocated unless the header says so. */
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

enum { KERNEL_MAX_RANK = 16 }; /* of kernels that walk axes; adapters refuse more */

/* Returned by kernels: 0, or why the numbers cannot be computed. The adapter turns it into a
 * diagnostic. */
enum kernel_status {
    KERNEL_OK = 0,
    KERNEL_TYPE,   /* the element type is not supported by this kernel */
    KERNEL_SHAPE,  /* dims, axes or ranks do not fit together */
    KERNEL_ZERO,   /* division or remainder of integers by zero */
    KERNEL_INDEX,  /* an index is outside its axis */
    KERNEL_VALUE,  /* a parameter is outside its range */
    KERNEL_MEMORY, /* working memory was refused */
};
const char *kernel_error(int status); /* "an index is outside its axis"; for messages */

/* The loop's iterations are independent even where output and input are the same buffer. */
#if defined(__clang__)
#define KERNEL_INDEPENDENT /* clang checks for overlap at run time */
#else
#define KERNEL_INDEPENDENT _Pragma("GCC ivdep")
#endif

/* Versions of a hot function for wider vectors. Without contraction (-ffp-contract=off) the bits
 * are those of the default one. Not for clang, whose release 14 makes clones that other files
 * cannot call, nor under sanitizers, which start later than the choice of a version. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNEL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define KERNEL_CLONES
#endif
#define KERNEL_INLINE static inline __attribute__((always_inline))
#endif

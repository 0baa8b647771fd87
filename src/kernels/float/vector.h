/* How a hot loop asks for wider vectors. The clones contain the same IEEE operations (contraction
 * is off), so every clone gives the same bits; the loader picks the widest one the CPU has. */
#ifndef KERNELS_FLOAT_VECTOR_H
#define KERNELS_FLOAT_VECTOR_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR_CLONES
#endif
#endif

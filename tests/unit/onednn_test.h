/* What the tests of the fast engine share. */
#ifndef ONEDNN_TEST_H
#define ONEDNN_TEST_H
#include <dlfcn.h>

#include "nn_test.h"

#include "kernels/onednn/dnn.h"

static const double TOLERANCE = 1e-5;

static inline void *scratch_of(size_t bytes)
{
    return mem_alloc(bytes > 4096 ? bytes : 4096); /* 64-byte aligned from 4 KiB up */
}

static inline float *aligned_floats(size_t bytes) { return scratch_of(bytes); }

/* What OMP_NUM_THREADS would do. */
static inline void allow_threads(int n)
{
    void *found = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    void (*set)(int);
    memcpy(&set, &found, sizeof set);
    assert_non_null(set);
    set(n);
}

static inline void reorder(const struct dnn_layout *from, const struct dnn_layout *to,
                           const void *x, void *y)
{
    struct dnn_reorder *r = dnn_reorder_new(from, to);
    assert_non_null(r);
    void *scratch = scratch_of(dnn_reorder_scratch(r));
    assert_true(dnn_reorder_run(r, x, y, scratch));
    mem_free(scratch);
    dnn_reorder_free(r);
}
#endif

/* All arrays of an .npz by name, for files that hold results rather than samples of a model. */
#ifndef DATA_NPZ_READ_H
#define DATA_NPZ_READ_H
#include "base/ctx.h"
#include "ir/tensor.h"

struct npz_named {
    const char *name;
    const struct tensor *t;
};

/* In the order of the archive; everything lies in a. Native byte order and C order only. Errors:
 * E_NO_INPUT, the E_NPZ and E_NPY ranges, E_LIMIT_MEMORY. */
int npz_read(const char *path, struct arena *a, struct npz_named **arrays, size_t *count,
             struct ctx *ctx);
#endif

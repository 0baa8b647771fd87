/* The .npy format of NumPy (format versions 1.0, 2.0, 3.0): reading and writing of its header.
 *
 *   "\x93NUMPY" major minor | header length: u16 (1.0) or u32 little-endian | header text | data
 *
 * The text is a Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } padded
 * with blanks to a newline. It is read by a tokenizer that knows exactly this dictionary.
 */
#ifndef DATA_NPY_HEADER_H
#define DATA_NPY_HEADER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/dtype.h"

enum {
    NPY_PREFIX_MAX = 12,    /* magic, version, length */
    NPY_HEADER_MAX = 10000, /* as numpy.lib.format */
    NPY_RANK_MAX = 64,      /* NPY_MAXDIMS of NumPy 2 */
    NPY_TEXT_MAX = 2048,    /* longest header npy_write_header makes: rank 64, 20 digits each */
};

struct npy_header {
    enum dtype dtype;
    bool swap;    /* big-endian elements */
    bool fortran; /* first index runs fastest */
    int rank;
    int64_t dims[NPY_RANK_MAX];
    int64_t count;
    size_t offset; /* of the data */
    size_t bytes;  /* of the data */
};

/* How many bytes npy_parse needs: call with the first NPY_PREFIX_MAX bytes (fewer at the end of the
 * file). Errors: E_NPY_MAGIC, E_NPY_VERSION, E_NPY_HEADER. */
int npy_header_size(const void *prefix, size_t size, const struct where *at, size_t *need,
                    struct diag *diag);
/* size >= *need of the above. Errors: E_NPY_HEADER, E_NPY_TYPE, E_NPY_SHAPE. */
int npy_parse(const void *data, size_t size, const struct where *at, struct npy_header *h,
              struct diag *diag);

/* Header text of version 1.0 for a C-order array, 64-byte aligned end; returns its length. The
 * dtype must have a NumPy name (npy_descr not NULL). */
size_t npy_write_header(char buffer[NPY_TEXT_MAX], enum dtype dtype, int rank, const int64_t *dims);
const char *npy_descr(enum dtype t);
#endif

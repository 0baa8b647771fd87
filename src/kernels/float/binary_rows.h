/* Rows of the two-input operators; between binary.c and binary_rows.c. */
#ifndef KERNELS_FLOAT_BINARY_ROWS_H
#define KERNELS_FLOAT_BINARY_ROWS_H
#include "kernels/float/binary.h"

/* y[i] = op(a[i * as], b[i * bs]), steps 1 or 0; y has a's type, or bool for comparisons. Returns a
 * kernel_status. */
typedef int binary_row(const void *a, int64_t as, const void *b, int64_t bs, void *y, int64_t n);

binary_row *binary_row_of(enum binary_op op,
                          enum dtype t); /* NULL: not defined for the type; halves have none */
#endif

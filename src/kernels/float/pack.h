/* Packed 2- and 4-bit elements to one byte each and back, so that the kernels that move elements
 * serve them too. The bytes hold the bare fields (no sign extension); order as base/num.h. */
#ifndef KERNELS_FLOAT_PACK_H
#define KERNELS_FLOAT_PACK_H
#include "kernels/kernel.h"

bool pack_needed(enum dtype t); /* elements of fewer than 8 bits */
void pack_spread(enum dtype t, const void *packed, uint8_t *bytes, int64_t count);
void pack_gather(enum dtype t, const uint8_t *bytes, void *packed,
                 int64_t count); /* unused bits of the last byte become 0 */
#endif

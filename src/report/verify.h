/* The quantized graph against the float one on the same samples: the float outputs are kept, then
 * compared with what the other graph gives, one sample at a time. */
#ifndef REPORT_VERIFY_H
#define REPORT_VERIFY_H
#include "base/ctx.h"
#include "report/metrics.h"

struct verify;

struct verify *verify_new(size_t samples, size_t outputs, struct ctx *ctx); /* returns owned */
void verify_free(struct verify *v);                                         /* NULL is allowed */

/* Copies the float outputs of sample k; E_LIMIT_MEMORY. Thread-safe for different samples. */
int verify_keep(struct verify *v, size_t k, const struct tensor *const *out);
/* Compares, and frees the copies. E_VERIFY_SHAPE when the dims differ. A sample that was not kept
 * is passed over. */
int verify_compare(struct verify *v, size_t k, const struct tensor *const *out);

size_t verify_samples(const struct verify *v);                        /* compared so far */
struct metrics verify_metrics(const struct verify *v, size_t output); /* joined in sample order */
#endif

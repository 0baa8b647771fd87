/* For the adapters of all families: typed access to an eval's tensors, and staging of
 * half-precision floats.
 *
 * Kernels compute in float (or the element type itself). A tensor of float16, bfloat16 or a smaller
 * float is converted to a float buffer in scratch, the kernel runs, and the result is rounded once
 * when it is stored.
 */
#ifndef OPS_ADAPT_H
#define OPS_ADAPT_H
#include "base/num.h"
#include "kernels/float/broadcast.h"
#include "ops/op_impl.h"

static inline bool has_in(const struct eval *e, uint32_t i) { return i < e->n_in && e->in[i]; }
static inline bool has_out(const struct eval *e, uint32_t i) { return i < e->n_out && e->out[i]; }

const void *in_data(const struct eval *e, uint32_t i); /* raw data of a given input */
void *out_data(const struct eval *e, uint32_t i);      /* writable data of a wanted output */
enum dtype in_dtype(const struct eval *e, uint32_t i); /* DT_UNDEFINED when left out */

/* Scratch for a size that comes from input: NULL after E_LIMIT_MEMORY was reported. */
void *eval_scratch(struct eval *e, int64_t count, size_t size);

/* Input i as floats or doubles: its own data, or converted. NULL: left out, or memory refused
 * (reported; see staged). */
const float *stage_in(struct eval *e, uint32_t i);
const double *stage_in_f64(struct eval *e, uint32_t i);
/* A float buffer for output i: its own data, or scratch. NULL: nobody wants it, or memory refused.
 */
float *stage_out(struct eval *e, uint32_t i);
double *stage_out_f64(struct eval *e, uint32_t i);
/* Rounds the buffer into the output where it is not the output itself. buffer NULL: nothing. */
void stage_store(struct eval *e, uint32_t i, const float *buffer);
void stage_store_f64(struct eval *e, uint32_t i, const double *buffer);
void convert_to_f32(const struct tensor *t, float *to);
void convert_from_f32(enum dtype dtype, const float *from, int64_t count, void *to);

/* For operators that only move elements: any element type as units of move_size bytes. Packed types
 * are unpacked to bytes, strings move as spans; move_store packs, or copies the strings' bytes. */
size_t move_size(enum dtype t);
const void *move_in(struct eval *e, uint32_t i);
void *move_out(struct eval *e, uint32_t i);
int move_store(struct eval *e, uint32_t i, const void *buffer);

/* Integer lists at run time: attribute or input, as infer_list. The state is never LIST_UNKNOWN. */
enum list_state eval_list(struct eval *e, const char *attr, uint32_t i, const int64_t **ints,
                          int64_t *count);
int64_t in_int(const struct eval *e, uint32_t i,
               int64_t otherwise); /* first element of an integer input */
double in_number(const struct eval *e, uint32_t i,
                 double otherwise); /* first element of an input */
int64_t eval_axis(const struct eval *e, const char *attr, int64_t otherwise,
                  int rank); /* normalised; checked by the shape function */

/* E_SHAPE: that axis is not one of rank axes. For axes that only the run knows. */
int eval_axis_fault(struct eval *e, int64_t axis, int rank);

/* Elements before, along and after an axis: a dense tensor as [outer, n, inner]. */
struct axis_split {
    int64_t outer, n, inner;
};
struct axis_split split_axis(const struct tensor *t, int axis);
struct axis_split split_dims(const int64_t *dims, int rank, int axis);

/* A kernel's status (kernels/kernel.h) as 0 or a reported code. */
int eval_status(struct eval *e, int status);
/* Runs piece over [0, count) on the call's threads, in pieces whose borders do not depend on them.
 * Returns the first piece's status that is not 0. */
typedef int piece_fn(void *user, int64_t begin, int64_t end);
int eval_pieces(struct eval *e, int64_t count, piece_fn *piece, void *user);
struct kernel_shape shape_of(const struct tensor *t);

/* Fills string output i: count spans, whose bytes are copied to where they live as long as the
 * output. */
int eval_out_strings(struct eval *e, uint32_t i, const struct span *strings);

int eval_form(struct eval *e, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* E_OP_FORM */
int eval_memory(
    const struct eval *e); /* -E_LIMIT_MEMORY: what a NULL from staging means (already reported) */
/* Zero points of input i as int32 in scratch; one 0 when it is left out. */
int32_t *eval_zero_points(struct eval *e, uint32_t i);
#endif

/* What an NPU takes, as data: a profile per target, src/targets/NAME.json built in, or a user's own
 * file of the same form. The quantizer, the checks and the integer interpreter read the same one.
 *
 *   {
 *     "schema": "npuprep.target/1", "name": "int8", "summary": "one line",
 *     "opset": 13,                 lowest opset of what is written for it
 *     "activation": {
 *       "dtypes": ["int8"],        storage types, one for each width it takes
 *       "symmetric": false},       zero point in the middle of the type
 *     "weight": {
 *       "dtypes": ["int8"], "symmetric": true,
 *       "per_channel": true,       one scale per output channel where the operator has such an axis
 *       "narrow": true},           symmetric ranges leave out the lowest integer: -127 .. 127
 *     "bias": {
 *       "dtype": "int32",          or "float": biases stay float
 *       "scale": "product",        of input scale and weight scale
 *       "adjust_weight": true},    raise weight scales that would overflow the bias (ONNX Runtime)
 *     "tie": {
 *       "moves": true,             data movement shares its input's parameters
 *       "joins": false},           all inputs and the output of Concat, Where, Max, Min share
 * theirs "absorb_clip": true,         Relu and Clip vanish into the range where that is exact
 *     "ops": {"Type" or "domain::Type": {
 *       "quantize": false, "why": "text",    stays float
 *       "tie": true,                         joins or moves, against the rule above
 *       "per_channel": false,                for its weights
 *       "output_range": [0, 1],              instead of what was observed
 *       "parameters": "float"}}              constant operands of norms stay float
 *   }
 *
 * Keys may be left out: the values shown for int8 are the defaults, except the names. Unknown keys
 * are refused with the nearest known one.
 */
#ifndef TARGETS_TARGET_H
#define TARGETS_TARGET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/dtype.h"

enum { TARGET_DTYPES = 4 };

enum target_choice { TARGET_BY_RULE, TARGET_NO, TARGET_YES };

struct target_op {
    const char *name; /* "Softmax", "com.microsoft::Gelu" */
    bool stays_float;
    const char *why; /* when it stays float; or NULL */
    enum target_choice tie, per_channel;
    bool has_range;
    double low, high;
    bool float_parameters;
};

struct target_operand {
    enum dtype dtypes[TARGET_DTYPES];
    int n_dtypes;
    bool symmetric, per_channel, narrow;
};

struct target {
    const char *name, *summary;
    int64_t opset;
    struct target_operand activation, weight;
    bool bias_quantized, bias_adjusts_weight;
    bool tie_moves, tie_joins, absorb_clip;
    const struct target_op *ops;
    size_t n_ops;
    struct arena *arena; /* owns all of this, itself too */
};

/* name: of a built-in profile, or a path when it holds a slash or ends in .json. Errors:
 * E_TARGET_UNKNOWN, E_TARGET_PROFILE, E_NO_INPUT. The result is owned: target_free. */
int target_load(struct target **out, const char *name, struct ctx *ctx);
void target_free(struct target *t); /* NULL is allowed */

/* Rules for an operator; NULL: only the general ones. */
const struct target_op *target_op(const struct target *t, const char *domain, const char *op_type);

/* The storage type of that many bits; DT_UNDEFINED: the target has none. */
enum dtype target_dtype(const struct target_operand *o, int bits);

/* Built-in names, for `list targets`, in alphabetical order. */
size_t target_total(void);
const char *target_name(size_t i);
int target_summary(size_t i, char *text, size_t room, struct ctx *ctx);
#endif

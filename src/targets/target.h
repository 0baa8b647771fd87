/* What an NPU takes, as data: a profile per target, src/targets/NAME.json built in, or a user's own
 * file of the same form. The quantizer, the checks and the integer interpreter read the same one.
 *
 *   {
 *     "schema": "npuprep.target/1", "name": "int8", "summary": "one line",
 *     "opset": 13,                 lowest opset of what is written for it
 *     "max_opset": 26,             operators that came after it are not known
 *     "operators": "onnx",         knows what ai.onnx has, but for "known": false;
 *                                  or "listed": only what stands in "ops" without "known": false
 *     "dtypes": ["float"],         element types of operators' first outputs; left out: all
 *     "max_rank": 0,               of tensors that are transposed; 0: no limit
 *     "max_kernel": 0,             side of a pooling window; 0: no limit
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
 *       "known": false,                      the target does not have it
 *       "since": 13, "dtypes": ["float"],    it has it from that opset on, for these element types
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
    bool unknown;    /* "known": false */
    int64_t since;   /* 0: as ai.onnx has it */
    uint32_t dtypes; /* bit per element type; 0: those of the target */
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
    int64_t opset, max_opset, max_rank, max_kernel;
    bool only_listed; /* "operators": "listed" */
    uint32_t dtypes;  /* bit per element type it computes; 0: all */
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

/* Whether an operator of that name may stand in a model for the target, at this opset of its domain
 * and with first outputs of this element type (DT_UNDEFINED: any). THE question of fusions and
 * decompositions. t NULL: what ONNX Runtime runs, that is every operator that is current in the
 * opset's specification, up to TARGET_NEWEST_OPSET. Operators of domains that ops.def lacks are
 * known only when the profile lists them. */
enum { TARGET_NEWEST_OPSET = 26 }; /* of ONNX Runtime 1.31 */
bool target_knows(const struct target *t, const char *domain, const char *op_type, int64_t opset,
                  enum dtype dtype);

/* The storage type of that many bits; DT_UNDEFINED: the target has none. */
enum dtype target_dtype(const struct target_operand *o, int bits);

/* Built-in names, for `list targets`, in alphabetical order. */
size_t target_total(void);
const char *target_name(size_t i);
int target_summary(size_t i, char *text, size_t room, struct ctx *ctx);
#endif

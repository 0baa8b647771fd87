/* Shared by the files of src/ops, not for others: the signature's checks, and what shape functions
 * and adapters of several families need. */
#ifndef OPS_OP_IMPL_H
#define OPS_OP_IMPL_H
#include "ops/op.h"

/* Prototypes of every function and fast form that a row of ops.def names. */
#define OP(dom, nam, tra, inf, evl, fas, qua, mac, ...) \
    int infer_##inf(struct infer *c);                   \
    int eval_##evl(struct eval *e);                     \
    extern const struct op_fast fast_##fas;             \
    int macs_##mac(const struct node *n, int64_t *macs);
#include "ops/ops.def"
#undef OP

/* ---- signatures (op_types.c) ---- */

/* A set of element types and kinds: bit t for enum dtype t, and the kinds above. */
typedef uint64_t type_set;
#define SET_SEQUENCE ((type_set)1 << 32)
#define SET_OPTIONAL ((type_set)1 << 33)
#define SET_MAP ((type_set)1 << 34)
#define SET_SPARSE ((type_set)1 << 35)

const struct op_version *
node_signature(const struct node *n); /* NULL: unknown operator or not there yet */

/* Input slot i (output when `output`) of the signature: the set it accepts, 0 past the end. */
type_set signature_set(const struct op_version *v, uint32_t i, bool output);
bool signature_optional(const struct op_version *v, uint32_t i);

/* What is wrong with the call: number of inputs, missing ones, attributes, element types that are
 * not allowed or that differ where one variable stands. types has n->n_inputs entries, NULL or kind
 * TYPE_NONE where nothing is known. 0, or the id with *text in the arena. */
enum err signature_check(const struct node *n, const struct op_version *v,
                         const struct type *const *types, struct arena *a, const char **text);

/* ---- for shape functions (infer_access.c) ---- */

int infer_fault(struct infer *c, enum err id, const char *text); /* as infer_fail with another id */
/* The output is this tensor: its type and its data follow. The tensor must outlive the model's
 * facts. */
void infer_out_data(struct infer *c, uint32_t i, const struct tensor *t);
/* Input i as integers, all constant. false: not known. */
bool infer_ints(const struct infer *c, uint32_t i, const int64_t **ints, int64_t *count);
/* A list that older versions give as an attribute and newer ones as an input. attr NULL: only the
 * input. */
enum list_state { LIST_ABSENT, LIST_KNOWN, LIST_UNKNOWN };
enum list_state infer_list(const struct infer *c, const char *attr, uint32_t i,
                           const int64_t **ints, int64_t *count);
/* The same as expressions. */
enum list_state infer_dim_list(struct infer *c, const char *attr, uint32_t i, const dim_t **dims,
                               int64_t *count);
dim_t *infer_room(struct infer *c, int rank);        /* space for rank dims, all NULL */
dim_t *infer_dims_copy(struct infer *c, uint32_t i); /* of an input whose rank is known */
dim_t infer_product(struct infer *c, const dim_t *dims, int64_t n); /* NULL when one is */
dim_t infer_int(struct infer *c, int64_t value);                    /* a constant dim */
struct arena *infer_keep(struct infer *c);                 /* for tensors given to infer_out_data */
enum dtype infer_dtype(const struct infer *c, uint32_t i); /* DT_UNDEFINED unknown */
int infer_unknown(struct infer *c, uint32_t i,
                  enum dtype dtype); /* output i: that element type, rank unknown; 0 */
/* Checks that a dim is this size where both are constants. */
int infer_expect(struct infer *c, dim_t have, dim_t want, const char *what);
/* Passes the values of input 0 on when output 0 has rank <= 1. */
void infer_pass_values(struct infer *c);
#endif

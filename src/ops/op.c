/* The operator table of ops.def and the ways to look into it.
 *
 * ops.def is read three times: once for the prototypes of the functions that its rows name, once
 * for the signature versions, once for the rows. Everything is constant data: no start-up work, no
 * locks. Invariant: the versions of a row ascend.
 */
#include "ops/op.h"

#include <string.h>

#include "base/map.h"
#include "ops/op_impl.h"

#define DOMAIN_ONNX ""
#define DOMAIN_ML "ai.onnx.ml"
#define DOMAIN_MICROSOFT "com.microsoft"
#define DOMAIN_PREVIEW "ai.onnx.preview"
#define DOMAIN_TRAINING "ai.onnx.preview.training"

#define TYPE_I ATTR_INT
#define TYPE_F ATTR_FLOAT
#define TYPE_S ATTR_STRING
#define TYPE_T ATTR_TENSOR
#define TYPE_G ATTR_GRAPH
#define TYPE_IS ATTR_INTS
#define TYPE_FS ATTR_FLOATS
#define TYPE_SS ATTR_STRINGS
#define TYPE_TS ATTR_TENSORS
#define TYPE_GS ATTR_GRAPHS
#define TYPE_SP ATTR_SPARSE_TENSOR
#define TYPE_TP ATTR_TYPE_PROTO

/* Versions. */
#define D(type, name, fallback) {#name, TYPE_##type, false, fallback},
#define O(type, name) {#name, TYPE_##type, false, NULL},
#define R(type, name) {#name, TYPE_##type, true, NULL},
#define LAST                              \
    {                                     \
        NULL, ATTR_UNDEFINED, false, NULL \
    }
#define ROW(since, min_in, max_in, min_out, max_out, types, deprecated, ...)                 \
    {since,                                                                                  \
     min_in,                                                                                 \
     max_in,                                                                                 \
     min_out,                                                                                \
     max_out,                                                                                \
     types,                                                                                  \
     (const struct op_attr[]){__VA_ARGS__ LAST},                                             \
     (int)(sizeof((const struct op_attr[]){__VA_ARGS__ LAST}) / sizeof(struct op_attr)) - 1, \
     deprecated},
#define V(since, min_in, max_in, min_out, max_out, types, ...) \
    ROW(since, min_in, max_in, min_out, max_out, types, false, __VA_ARGS__)
#define X(since, min_in, max_in, min_out, max_out, types, ...) \
    ROW(since, min_in, max_in, min_out, max_out, types, true, __VA_ARGS__)
#define OP(dom, nam, tra, inf, evl, fas, qua, mac, ...) \
    static const struct op_version versions_##dom##_##nam[] = {__VA_ARGS__};
#include "ops/ops.def"
#undef OP

/* Rows. A row that says `none` holds NULL. */
#define infer_none NULL
#define eval_none NULL
#define macs_none NULL
#define fast_none (*(const struct op_fast *)NULL)
static const struct op rows[] = {
#define OP(dom, nam, tra, inf, evl, fas, qua, mac, ...)                     \
    {DOMAIN_##dom,                                                          \
     #nam,                                                                  \
     versions_##dom##_##nam,                                                \
     (int)(sizeof versions_##dom##_##nam / sizeof *versions_##dom##_##nam), \
     tra,                                                                   \
     infer_##inf,                                                           \
     eval_##evl,                                                            \
     &fast_##fas,                                                           \
     QRULE_##qua,                                                           \
     macs_##mac},
#include "ops/ops.def"
};

size_t op_total(void) { return sizeof rows / sizeof *rows; }

const struct op *op_at(size_t index) { return &rows[index]; }

const struct op *op_find(const char *domain, const char *name)
{
    if (!strcmp(domain, "ai.onnx"))
        domain = "";
    for (size_t i = 0; i < op_total(); i++)
        if (!strcmp(rows[i].name, name) && !strcmp(rows[i].domain, domain))
            return &rows[i];
    return NULL;
}

const struct op_version *op_version_at(const struct op *op, int64_t opset)
{
    const struct op_version *found = NULL;
    for (int i = 0; i < op->n_versions && op->versions[i].since <= opset; i++)
        found = &op->versions[i];
    return found;
}

const struct op_version *node_signature(const struct node *n)
{
    return n->op ? op_version_at(n->op, node_opset(n)) : NULL;
}

int64_t node_version(const struct node *n)
{
    const struct op_version *v = node_signature(n);
    return v ? v->since : 0;
}

/* The row of (op_type, domain), looked up once per distinct op_type pointer: names are interned,
 * and a model that uses one op_type in two domains only pays the search again. */
struct resolver {
    struct map by_type;
};

static const struct op *resolve(struct resolver *r, const struct node *n)
{
    void **slot = map_slot_u64(&r->by_type, (uint64_t)(uintptr_t)n->op_type);
    const struct op *known = *slot;
    if (known && !strcmp(known->domain, n->domain))
        return known;
    const struct op *found = op_find(n->domain, n->op_type);
    *slot = (void *)(uintptr_t)found;
    return found;
}

void ops_resolve(struct model *m)
{
    struct resolver r = {0};
    for (size_t i = 0; i < m->nodes.count; i++) {
        struct node *n = m->nodes.data[i];
        if (!n->removed)
            n->op = n->function ? NULL : resolve(&r, n);
    }
    map_release(&r.by_type);
}

/* What a model consists of: counts over all graphs and called functions. For info and the quantizer's report. */
#ifndef REPORT_FACTS_H
#define REPORT_FACTS_H
#include "base/json_write.h"
#include "base/map.h"
#include "ir/ir.h"

struct op_count {
    const char *name; /* "Conv", "com.microsoft::Gelu" */
    int64_t count;
};

struct model_facts {
    int64_t nodes,
        nodes_main; /* all graphs and called functions, a function once per call; the main graph */
    VEC(struct op_count) ops; /* by falling count, then by name */
    int64_t
        parameters; /* elements of constant tensors that hold numbers with a fraction or quantized ones */
    int64_t macs, macs_unknown; /* multiply-accumulates; nodes that have some but unknown dims */
    int64_t bytes[DT_COUNT];    /* of constant tensors, per element type */
    int64_t q_nodes, dq_nodes, qoperator_nodes;
    VEC(const char *) symbols; /* symbolic dims of the main graph's inputs, each once */
};

/* After ops_resolve and model_infer. The arena keeps the names. */
void facts_collect(const struct model *m, struct arena *a, struct model_facts *f);
void facts_release(struct model_facts *f);

/* {"name", "dtype", "shape"} of an input or output; shape null when the rank is unknown. */
void facts_json_keys(struct json_writer *w, const struct value *v); /* into an open object */
void facts_json_value(struct json_writer *w, const struct value *v);
/* "float[batch,3,224,224]" into the arena. */
const char *facts_type_text(const struct type *t, struct arena *a);
#endif

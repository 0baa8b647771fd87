/* Encodings files: value->q of a float graph as the vendors' tools read it.
 *
 * A format is one file here and one row of encodings.def. Every float-typed tensor of the graph
 * gets an entry: quantized ones an integer entry, all others a 16-bit float one, because tools
 * quantize or demand data for what has none. Biases in int32 get none: tools derive them from input
 * and weight, and a float entry would turn the whole layer float.
 */
#ifndef ENCODINGS_ENCODINGS_H
#define ENCODINGS_ENCODINGS_H
#include <jansson.h>

#include "base/json_write.h"
#include "ir/ir.h"

struct encodings_source {
    const struct model *model; /* value->q set where quantized, types inferred */
    int activation_bits, weight_bits;
    bool weight_symmetric, per_channel;
    const char *method; /* of the ranges: "minmax", ... */
};

/* What a file holds of one tensor, in ONNX's sign of the zero point. */
struct encoding {
    const char *name;
    bool is_float; /* then only bits */
    int bits;
    bool is_signed, symmetric;
    int64_t n; /* parameters */
    const float *scale;
    const int32_t *zero_point;
    bool is_parameter; /* stands among the parameters */
};
struct encodings { /* as read */
    struct encoding *items;
    size_t count;
};

struct encodings_format {
    const char *version, *summary;
    bool (*probe)(const json_t *root); /* is it of this version */
    /* Everything in the file, in the arena; E_ENCODINGS at `file`. NULL: only written. */
    int (*read)(const json_t *root, const char *file, struct arena *a, struct encodings *out,
                struct diag *diag);
    /* The whole document; errors stay in the writer. NULL: only read. */
    void (*write)(const struct encodings_source *s, struct json_writer *w);
};

size_t encodings_total(void);
const struct encodings_format *encodings_at(size_t index);
/* E_ENCODINGS_VERSION, naming those there are; NULL then. */
const struct encodings_format *encodings_find(const char *version, struct diag *diag);

/* Whether the file has an integer entry (1), a float entry (0), or none (-1) for the value. */
int encodings_kind(const struct value *v);
/* The values with entries, each name once: parameters (initializers) or activations, by id. */
size_t encodings_values(const struct model *m, bool parameters, struct arena *a,
                        const struct value ***values);
/* Zero points counted from the unsigned grid, never above 0: AIMET's "offset". */
int64_t encodings_offset(const struct quant *q, int64_t i);
#endif

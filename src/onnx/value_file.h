/* Values in files of their own: the input_k.pb and output_k.pb of ONNX test data. Such a file does
 * not say whether it holds a TensorProto, a SequenceProto or an OptionalProto: the type of the
 * model's input or output does. */
#ifndef ONNX_VALUE_FILE_H
#define ONNX_VALUE_FILE_H
#include "ir/ir.h"

struct file_value {
    enum type_kind kind;      /* TYPE_TENSOR, TYPE_SEQUENCE or TYPE_OPTIONAL */
    const char *name;         /* "" when the file gives none */
    struct tensor *tensor;    /* of a tensor */
    size_t count;             /* elements of a sequence; of an optional 1, or 0 when it is empty */
    struct file_value *items; /* count entries */
};

/* Reads path as a value of that kind of type (TYPE_NONE: a tensor) into the arena, screened like a
 * model; external data is refused. Errors: E_NO_INPUT, E_SCAN_*, E_EXT_NO_FOLDER, E_LOAD_VALUE_KIND
 * for maps and sparse tensors. */
int value_file_load(struct ctx *ctx, const char *path, const struct type *type, struct arena *a,
                    struct file_value *value);

/* The same from memory, which is copied. */
int value_bytes_load(struct ctx *ctx, struct span bytes, const char *name, const struct type *type,
                     struct arena *a, struct file_value *value);
#endif

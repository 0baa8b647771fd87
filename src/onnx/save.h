/* Writing models. What nobody touched goes out as the bytes it came as; a touched object is packed
 * again from its origin with the IR's fields put over it, so that documentation, metadata and
 * unknown fields survive. The file is streamed: lengths are computed first, weights are copied from
 * file to file, and recipes are materialised one at a time. */
#ifndef ONNX_SAVE_H
#define ONNX_SAVE_H
#include "ir/ir.h"

enum external_data {
    EXTERNAL_DATA_AUTO,   /* as the input, but outside from 1.9 GB on; written to another folder it
                             goes along */
    EXTERNAL_DATA_NEVER,  /* everything in the model file */
    EXTERNAL_DATA_ALWAYS, /* every initializer from 1 KiB on in a data file */
    EXTERNAL_DATA_KEEP,   /* existing references stay as they are, wherever the model goes */
};

struct save_options {
    enum external_data external;
    bool force;     /* replace an existing file */
    bool roundtrip; /* pack every message from the IR, touched or not */
    bool types;     /* add value_info for every value whose type is known */
};

/* External data goes to STEM.<hash>.data beside path (STEM: path without .onnx), named by its
 * content, ranges aligned to 4096 and stored once; it is in place before the model appears. path
 * "-" is standard output, without external data. After an error nothing is left behind and an
 * existing model is as it was. 0, or the reported code. */
int model_save(struct model *m, const char *path, const struct save_options *options);

/* The same into the arena, everything inside. */
int model_save_bytes(struct model *m, const struct save_options *options, struct arena *a,
                     struct span *bytes);
#endif

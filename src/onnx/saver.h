/* The parts of the writer, for the files save*.c only. Everything appends to s->plan; errors are
 * kept in s->error, the first one counts, and whoever appends after it does no harm. */
#ifndef ONNX_SAVER_H
#define ONNX_SAVER_H
#include "base/file.h"
#include "ir/ir.h"
#include "onnx.pb-c.h"
#include "onnx/extdata.h"
#include "onnx/pb.h"
#include "onnx/save_plan.h"
#include "onnx/save.h"
#include "onnx/save_data.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"

enum placing {
    PLACE_AS_IS,   /* inline stays inline, a reference stays a reference */
    PLACE_INLINE,  /* a reference becomes raw data */
    PLACE_EXTERNAL /* into the new data file */
};

struct saver {
    struct ctx *ctx;
    const struct model *m;
    const struct save_options *options;
    struct scan scan;       /* of the model's origin: where tensors lie that may move */
    bool move_references;   /* existing external data is copied (external) or taken in (inline) */
    bool externalise;       /* large initializers go to the data file */
    enum placing reference; /* what becomes of existing references when they move */
    struct data_file *data; /* NULL: none is written */
    struct extfiles *files; /* opened on demand */
    struct plan plan;
    struct pb pb;
    struct arena *arena; /* lives as long as the plan */
    int error;
};

void saver_fail(struct saver *s, int code); /* keeps the first */

/* ---- any message, by the schema (save_message.c) ---- */

/* The payload as it came, but for tensors that move. */
void save_verbatim(struct saver *s, struct span message, const ProtobufCMessageDescriptor *type);
/* The payload parsed and packed anew, fields in order, unknown ones last. */
void save_parsed(struct saver *s, struct span message, const ProtobufCMessageDescriptor *type);
/* One of the two, by options->roundtrip; as a field with tag and length. */
void save_field(struct saver *s, uint32_t number, struct span message,
                const ProtobufCMessageDescriptor *type);

/* Interleaves a packed head with child messages in the order of field numbers. */
struct merge {
    struct saver *s;
    const ProtobufCMessageDescriptor *type;
    struct span rest; /* of the head */
};
struct merge merge_begin(struct saver *s, const ProtobufCMessageDescriptor *type, struct span head);
void merge_upto(struct merge *m, uint32_t number); /* known head fields below number */
void merge_end(struct merge *m);
/* The origin's fields except those in the mask, unpacked to be changed; a fresh message when the
 * origin is empty. */
void *save_head(struct saver *s, struct span origin, const ProtobufCMessageDescriptor *type,
                uint32_t without);
void save_put_text(char **field, const char *text,
                   const char *absent); /* keeps the field when it says the same */

/* ---- parts of a model ---- */

void save_model(struct saver *s);
void save_graph(struct saver *s, uint32_t number, const struct graph *g);
void save_node(struct saver *s, uint32_t number, const struct node *n);
void save_attr(struct saver *s, uint32_t number, const struct attr *a);
void save_tensor(struct saver *s, uint32_t number, const struct tensor *t, const char *name,
                 bool initializer);
void save_tensor_message(struct saver *s, struct span message, const char *name,
                         bool initializer); /* its payload */
/* number: the field; record: the ValueInfoProto to start from, or empty. io: a graph input or
 * output. */
void save_value(struct saver *s, uint32_t number, const struct value *v, struct span record,
                bool io);
void save_declared(struct saver *s, uint32_t number, const struct graph *g); /* its value_info */
bool save_attr_is_clean(const struct attr *a);
#endif

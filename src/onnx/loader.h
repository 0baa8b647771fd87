/* The parts of the loader, for the files load*.c only. Everything they read has been scanned
 * (onnx/scan.h), so records are well-formed and payload sizes agree; what remains to be checked is
 * meaning. Functions return 0 or the reported code, or NULL after a report. */
#ifndef ONNX_LOADER_H
#define ONNX_LOADER_H
#include "ir/edit.h"
#include "onnx.pb-c.h"
#include "onnx/extdata.h"
#include "onnx/pb.h"
#include "onnx/scan.h"

/* The names of one graph; a body sees the names of the graphs around it. */
struct scope {
    struct map values; /* interned name -> struct value */
    struct scope *outer;
    struct graph *graph;
};

struct loader {
    struct ctx *ctx;
    struct model *m;
    struct scan scan;
    struct pb pb;
    struct extfiles *files;
    struct arena *pending;                          /* what lives until the model is complete */
    struct node *node;                              /* being read, for messages; may be NULL */
    bool unsorted;                                  /* some node reads what a later one produces */
    bool warned_range, warned_shadow, warned_input; /* reported once each */
};

int load_fail(const struct loader *l, enum err id, const void *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const char *load_name(struct loader *l, const char *text);      /* interned; NULL gives "" */
const char *load_name_span(struct loader *l, struct span text); /* interned */
const char *load_domain(struct loader *l, const char *text);    /* "ai.onnx" becomes "" */

struct tensor *load_tensor(struct loader *l, struct span message);
void load_type(struct loader *l, const Onnx__TypeProto *from, struct type *to);
struct attr *load_attr(struct loader *l, struct span message, struct scope *scope);
int load_attrs(struct loader *l, struct node *n, struct scope *scope);

int load_graph(struct loader *l, struct span message, struct graph *g, struct scope *outer);
int load_body(struct loader *l, struct function *f);
int load_functions(struct loader *l, struct span model);
int load_link_calls(struct loader *l); /* node->function, and no recursion */

/* Values of a scope: used by load_graph.c and load_function.c. */
struct value *scope_find(const struct scope *s, const char *name);
struct value *scope_define(struct loader *l, struct scope *s, const char *name, const void *at);
int load_nodes(struct loader *l, struct scope *s, const struct span *nodes, size_t count);
int load_value_type(struct loader *l, struct value *v, struct span message);
int load_declared(struct loader *l, struct scope *s, struct span message);
#endif

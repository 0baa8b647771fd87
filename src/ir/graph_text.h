/* The text form of the IR: options of the printer, and what printer and parser share. */
#ifndef IR_GRAPH_TEXT_H
#define IR_GRAPH_TEXT_H
#include "ir/ir.h"

enum text_flags {
    TEXT_TYPES = 1 << 0,  /* types of what nodes compute, not only of inputs and outputs */
    TEXT_DATA = 1 << 1,   /* all data; else more than TEXT_INLINE elements become hash(..) */
    TEXT_SOURCE = 1 << 2, /* provenance as a comment */
};
enum { TEXT_INLINE = 64 };

/* model_print() is this with TEXT_TYPES | TEXT_DATA: it parses back to the same model. */
char *model_print_with(const struct model *m, struct arena *a, unsigned flags);

/* ---- shared by graph_text*.c and graph_parse*.c ---- */

struct text_out {
    VEC(char) bytes;
    unsigned flags;
    struct arena *scratch;
};
void text_put(struct text_out *o, const char *text);
void text_putf(struct text_out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_string(struct text_out *o, const void *bytes, size_t size); /* in double quotes */
void text_data(struct text_out *o, const struct tensor *t);           /* the literal */
void text_float(struct text_out *o, float value);                     /* always reads as a float */
void text_name(struct text_out *o, const char *name); /* of a value, node or graph */
void text_word(struct text_out *o, const char *name); /* of an operator or attribute */
void text_quant(struct text_out *o, const struct quant *q);
void text_attr_value(struct text_out *o, const struct attr *a, int depth);
void text_graph(struct text_out *o, const struct graph *g, int depth);
bool text_bare(const char *name, bool colons); /* may stand without quotes */

/* Element i of fill(seed, low, high): low + u * (high - low), u from SplitMix64 in 24 bits;
 * integers are floored. */
void text_fill(struct tensor *t, uint64_t seed, double low, double high);
void text_fill_range(enum dtype t, double *low, double *high); /* the default */

enum { TEXT_ATTR_KINDS = ATTR_TYPE_PROTOS + 1 };
extern const char *const TEXT_ATTR_KIND[TEXT_ATTR_KINDS];
extern const char *const TEXT_QUANT_SOURCE[QUANT_ABSORBED + 1];

struct text_in {
    struct model *m;
    const char *begin, *at;
    int depth;
    struct arena *scratch; /* until the end of the parse */
};
int text_error(struct text_in *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_skip(struct text_in *in);
bool text_peek(struct text_in *in, const char *mark);
bool text_accept(struct text_in *in, const char *mark); /* punctuation or a whole word */
int text_expect(struct text_in *in, const char *mark);
int text_read_name(struct text_in *in, bool colons, const char **name);
int text_read_string(struct text_in *in, struct span *out);
int text_read_int(struct text_in *in, int64_t *value);
int text_read_number(struct text_in *in, double *value, bool *is_float);
int text_read_type(struct text_in *in, struct type *type);
bool text_at_type(struct text_in *in);
bool text_at_number(struct text_in *in);
/* A literal of that type stands here, not an operator's name. */
bool text_at_data(struct text_in *in, const struct type *type);
int text_read_data(struct text_in *in, const struct type *type, struct tensor **out);

struct text_scope {
    struct text_scope *outer;
    struct graph *graph;
    struct map names;            /* name -> value */
    VEC(struct value *) pending; /* used, not defined yet */
};
struct value *text_lookup(struct text_scope *s, const char *name);
int text_read_quant(struct text_in *in, struct text_scope *s, struct value *v);
/* n NULL: the default of a function's attribute. */
int text_read_attr(struct text_in *in, struct text_scope *s, struct node *n, struct attr *a);
int text_read_graph(struct text_in *in, struct text_scope *outer, struct graph *g);

/* Evaluates call and returns its code when it is not 0. */
#define TEXT_TRY(call)      \
    do {                    \
        int code_ = (call); \
        if (code_)          \
            return code_;   \
    } while (0)
#endif

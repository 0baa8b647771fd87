/* Writing what a node decomposes to, as text.
 *
 *   struct emit e;
 *   emit_begin(&e, r, n);
 *   emit_bind(&e, "x", node_input(n, 0));
 *   emit(&e, "m = ReduceMean(x){axes=[-1]}; d = Sub(x, m); y = Div(d, %g)", 3.0);
 *   emit_result(&e, 0, "y");
 *   emit_end(&e);                       n is gone, its outputs have their names and readers still
 *
 * A statement is NAME = Op(argument, ...){attribute=value, ...}, several outputs a, b = ...; a
 * semicolon or newline ends it. Arguments: names, "_" (left out), numbers (a scalar of e.dtype),
 * [1, 2] (int64, rank 1; [] too), i:5 (an int64 scalar), $0 (a scalar of e.numbers[0]). Attribute values: integers, numbers with a point, "text", lists of
 * integers. Nodes are of ai.onnx, in the form of the graph's opset: an attribute that the version
 * lacks becomes the next input (axes of ReduceMean from opset 18 on). Nothing is checked here: the
 * texts are the program's own, and a wrong one asserts.
 */
#ifndef REWRITE_EMIT_H
#define REWRITE_EMIT_H
#include "rewrite/rewrite.h"

enum { EMIT_NAMES = 160 };

struct emit {
    struct pass_run *r;
    struct node *at;  /* what is decomposed: new nodes stand before it */
    enum dtype dtype; /* of numbers; emit_begin: that of at's first input */
    double numbers[4];
    struct arena *scratch;
    uint32_t first_value; /* ids from here on are ours */
    struct {
        const char *name;
        struct value *value; /* NULL: left out */
    } names[EMIT_NAMES];
    int n_names;
};

void emit_begin(struct emit *e, struct pass_run *r, struct node *at);
void emit_bind(struct emit *e, const char *name, struct value *v); /* a later one of a name wins */
struct value *emit_value(const struct emit *e, const char *name);
void emit(struct emit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* at's output i is what `name` holds from now on; nothing when at has no such output. */
void emit_result(struct emit *e, uint32_t i, const char *name);
void emit_end(struct emit *e);
/* Forgets what was bound; nothing was made. */
void emit_cancel(struct emit *e);

/* Whether n, of that operator, is to be taken apart: the result may not hold it (pass_knows), or
 * the pass was named without a target and an opset. Not in graphs below opset 11, whose forms emit
 * does not write: --opset raises them. */
bool decompose_due(const struct pass_run *r, const struct node *n, const char *domain,
                   const char *op_type);
#endif

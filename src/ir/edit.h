/* The only way to change a graph. Everything is O(1) or O(what it touches); nothing can fail. */
#ifndef IR_EDIT_H
#define IR_EDIT_H
#include "ir/ir.h"

/* Marks: the writer emits the origin of whatever is clean. A dirty thing has dirty ancestors
 * (graphs and the nodes that hold them). The functions below mark by themselves; call these only
 * after setting a field of ir.h directly. */
void graph_touch(struct graph *g);
void node_touch(struct node *n);
void value_touch(struct value *v);

/* values */
struct value *value_new(struct graph *g,
                        const char *name_hint); /* fresh unique name from the hint */
struct value *value_named(struct graph *g,
                          const char *name); /* exactly that name: the caller knows it is free */
struct value *value_constant(struct graph *g, const char *name_hint,
                             struct tensor *data);            /* a new initializer */
struct value *value_input(struct graph *g, const char *name); /* appended to the graph's inputs */
void value_set_type(struct value *v, const struct type *t);   /* dims are copied */
void value_set_constant(struct value *v,
                        struct tensor *data); /* makes or changes the initializer; type follows */
void value_become_constant(struct value *v, struct tensor *data); /* what a node computed is an
                                                                    initializer from now on */
void value_replace(struct value *old,
                   struct value *by); /* every use of old, graph outputs too, reads by */
void value_take_name(struct value *v,
                     struct value *from); /* v becomes from's name (a graph output that must
                                             survive); from gets a fresh one */
void value_rename(struct value *v); /* a fresh name after its own: it holds other numbers now */
void value_remove(struct value *v); /* no uses, no producer left; drops initializer/value_info */
const char *
model_fresh_name(struct model *m,
                 const char *hint); /* not in use by any value or node; interned, reserved */

/* nodes: created unlinked from the node list; insert it */
struct node *node_new(struct graph *g, const char *op_type, const char *domain, uint32_t n_inputs,
                      uint32_t n_outputs);
void node_insert_before(struct node *n, struct node *at);
void node_insert_after(struct node *n, struct node *at);
void node_append(struct node *n);
void node_move_before(struct node *n, struct node *at); /* both stand in the same list */
void node_set_name(struct node *n, const char *name);
void node_set_op(struct node *n, const char *op_type, const char *domain);
void node_set_input(struct node *n, uint32_t i, struct value *v); /* v NULL: left out */
void node_resize_inputs(struct node *n, uint32_t count);
struct value *node_add_output(struct node *n, uint32_t i,
                              const char *name_hint); /* a new value in slot i */
void node_move_output(struct node *from, uint32_t i, struct node *to,
                      uint32_t j);                 /* the value changes its producer */
void node_drop_output(struct node *n, uint32_t i); /* nothing reads it; the slot is left out */
void node_set_source(struct node *n,
                     const struct node *from); /* provenance; adds up when called again */
void node_remove(struct node *n);              /* its outputs have no uses left; they go too */

/* attributes: replaced or added */
void node_set_int(struct node *n, const char *name, int64_t value);
void node_set_float(struct node *n, const char *name, float value);
void node_set_string(struct node *n, const char *name, const char *text);
void node_set_ints(struct node *n, const char *name, const int64_t *values, uint32_t count);
void node_set_floats(struct node *n, const char *name, const float *values, uint32_t count);
void node_set_tensor(struct node *n, const char *name, struct tensor *t);
void node_copy_attr(struct node *n,
                    const struct attr *from); /* shared, not deep: subgraphs are not copied */
void node_drop_attr(struct node *n, const char *name);

/* graphs and model */
struct graph *graph_new(struct model *m, struct node *parent, const char *name);
void graph_add_output(struct graph *g, struct value *v);
void graph_set_output(struct graph *g, uint32_t i, struct value *v);
void graph_remove_input(struct graph *g, uint32_t i);
void graph_remove_output(struct graph *g, uint32_t i); /* the value stays */
/* A deep copy of n (subgraphs too) at the end of g's list: inputs mapped by `map` (old value -> new
 * value, by id, n_values entries at the time of the call; NULL: the same values). The copies of its
 * outputs are entered in map. */
struct node *node_clone(const struct node *n, struct graph *g, struct value **map);
void model_set_opset(struct model *m, const char *domain, int64_t version);
void model_set_metadata(struct model *m, const char *key,
                        const char *value); /* NULL value: removed */
#endif

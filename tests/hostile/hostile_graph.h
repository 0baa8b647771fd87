/* Graphs that no order of execution, scope or signature makes sense of, and odd ones that are in
 * use. */
#ifndef TESTS_HOSTILE_GRAPH_H
#define TESTS_HOSTILE_GRAPH_H
#include "hostile.h"

static void with_nodes(struct out *f, void (*nodes)(struct out *g))
{
    struct out g = {0};
    nodes(&g);
    sound(&g);
    whole(f, &g);
}

/* ---- order and names ---- */

static void two_cycle(struct out *g)
{
    out_node(g, "Relu", "p", NULL, "q");
    out_node(g, "Relu", "q", NULL, "p");
}
static void cycle(struct out *f) { with_nodes(f, two_cycle); }
static void self_node(struct out *g) { out_node(g, "Relu", "p", NULL, "p"); }
static void self_loop(struct out *f) { with_nodes(f, self_node); }

static void reversed(struct out *g)
{
    out_node(g, "Relu", "p", NULL, "q");
    out_node(g, "Relu", "x", NULL, "p");
}
static void unsorted(struct out *f) { with_nodes(f, reversed); }

/* 20 000 nodes in reverse: sorting must neither recurse nor take quadratic time. */
static void long_reverse(struct out *g)
{
    char a[16], b[16];
    for (int i = 20000; i > 0; i--) {
        snprintf(a, sizeof a, "n%d", i - 1);
        snprintf(b, sizeof b, "n%d", i);
        out_node(g, "Relu", i == 1 ? "x" : a, NULL, b);
    }
}
static void unsorted_long(struct out *f) { with_nodes(f, long_reverse); }

static void same_output(struct out *g)
{
    out_node(g, "Relu", "x", NULL, "p");
    out_node(g, "Relu", "x", NULL, "p");
}
static void output_twice(struct out *f) { with_nodes(f, same_output); }
static void writes_weight(struct out *g) { out_node(g, "Relu", "x", NULL, "w"); }
static void output_is_weight(struct out *f) { with_nodes(f, writes_weight); }
static void writes_input(struct out *g) { out_node(g, "Relu", "w", NULL, "x"); }
static void output_is_input(struct out *f) { with_nodes(f, writes_input); }
static void reads_nothing(struct out *g) { out_node(g, "Relu", "nowhere", NULL, "p"); }
static void undefined(struct out *f) { with_nodes(f, reads_nothing); }
static void weight_twice(struct out *f) { with_nodes(f, weight); }

static void same_names(struct out *g)
{
    for (int i = 0; i < 2; i++) {
        struct out node = {0};
        out_text(&node, 1, "x");
        out_text(&node, 2, i ? "p" : "q");
        out_text(&node, 3, "twin");
        out_text(&node, 4, "Relu");
        out_message(g, 1, &node);
    }
}
static void node_names(struct out *f) { with_nodes(f, same_names); }

static void middle_left_out(struct out *g)
{
    struct out node = {0};
    out_text(&node, 1, "x");
    out_text(&node, 1, "");
    out_text(&node, 1, "w");
    out_text(&node, 2, "p");
    out_text(&node, 4, "Clip");
    out_message(g, 1, &node);
}
static void optional_middle(struct out *f) { with_nodes(f, middle_left_out); }

static void unknown_op(struct out *g)
{
    struct out node = {0};
    out_text(&node, 1, "x");
    out_text(&node, 2, "p");
    out_text(&node, 4, "Nothing");
    out_text(&node, 7, "org.example");
    out_message(g, 1, &node);
}
static void unknown_domain(struct out *f)
{
    struct out set = {0};
    with_nodes(f, unknown_op);
    out_text(&set, 1, "org.example");
    out_number(&set, 2, 1);
    out_message(f, 8, &set);
}

static void output_missing(struct out *f)
{
    struct out g = {0};
    ends(&g);
    whole(f, &g);
}

static void input_unnamed(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_value(&g, 11, "", 4);
    whole(f, &g);
}

static void no_operator(struct out *f)
{
    struct out g = {0};
    out_node(&g, "", "x", NULL, "p");
    sound(&g);
    whole(f, &g);
}

/* ---- model head ---- */

static void ir_missing(struct out *f)
{
    struct out g = {0}, set = {0};
    sound(&g);
    out_message(f, 7, &g);
    out_number(&set, 2, 17);
    out_message(f, 8, &set);
}

static void ir_99(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_model(f, 99, 17, &g);
}

static void ir_3(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_model(f, 3, 7, &g);
}

static void no_opset(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_number(f, 1, 8);
    out_message(f, 7, &g);
}

static void opset_twice(struct out *f)
{
    struct out g = {0}, set = {0};
    sound(&g);
    whole(f, &g);
    out_text(&set, 1, "ai.onnx");
    out_number(&set, 2, 9);
    out_message(f, 8, &set);
}

static void training(struct out *f)
{
    struct out g = {0}, info = {0};
    sound(&g);
    whole(f, &g);
    sound(&g);
    out_message(&info, 2, &g);
    out_message(f, 20, &info);
}

/* ---- attributes ---- */

static void attribute(struct out *g, struct out *attr, int copies)
{
    struct out node = {0};
    out_text(&node, 1, "x");
    out_text(&node, 2, "p");
    out_text(&node, 4, "LeakyRelu");
    for (int i = 0; i < copies; i++)
        out_bytes(&node, 5, attr->data, attr->size);
    free(attr->data);
    out_message(g, 1, &node);
}

static void alpha_twice(struct out *g)
{
    struct out a = {0};
    out_text(&a, 1, "alpha");
    out_number(&a, 3, 1);
    out_number(&a, 20, 2);
    attribute(g, &a, 2);
}
static void attribute_twice(struct out *f) { with_nodes(f, alpha_twice); }

static void alpha_elsewhere(struct out *g)
{
    struct out a = {0};
    out_text(&a, 1, "alpha");
    out_number(&a, 3, 1);
    out_number(&a, 20, 1); /* says float, holds an int */
    attribute(g, &a, 1);
}
static void attribute_mismatch(struct out *f) { with_nodes(f, alpha_elsewhere); }

static void alpha_untyped(struct out *g)
{
    struct out a = {0};
    out_text(&a, 1, "alpha");
    attribute(g, &a, 1);
}
static void attribute_untyped(struct out *f) { with_nodes(f, alpha_untyped); }

static void alpha_null_graph(struct out *g)
{
    struct out a = {0};
    out_text(&a, 1, "body");
    out_number(&a, 20, 5);
    attribute(g, &a, 1);
}
static void attribute_no_graph(struct out *f) { with_nodes(f, alpha_null_graph); }

/* ---- what loads, and only check objects to ---- */

static void no_such_op(struct out *g) { out_node(g, "Nonsense", "x", NULL, "p"); }
static void attribute_op(struct out *f) { with_nodes(f, no_such_op); }
static void domain_missing(struct out *f) { with_nodes(f, unknown_op); }
static void add_of_three(struct out *g)
{
    struct out node = {0};
    for (int i = 0; i < 3; i++)
        out_text(&node, 1, "x");
    out_text(&node, 2, "p");
    out_text(&node, 4, "Add");
    out_message(g, 1, &node);
}
static void input_extra(struct out *f) { with_nodes(f, add_of_three); }

static void beta_on_leaky_relu(struct out *g)
{
    struct out a = {0};
    out_text(&a, 1, "beta");
    out_number(&a, 3, 1);
    out_number(&a, 20, 2);
    attribute(g, &a, 1);
}
static void attribute_foreign(struct out *f) { with_nodes(f, beta_on_leaky_relu); }

/* ---- bodies ---- */

static void if_node(struct out *g, struct out *body)
{
    struct out node = {0}, attr = {0};
    out_text(&node, 1, "w");
    out_text(&node, 2, "picked");
    out_text(&node, 4, "If");
    for (int i = 0; i < 2; i++) {
        out_text(&attr, 1, i ? "else_branch" : "then_branch");
        out_bytes(&attr, 6, body->data, body->size);
        out_number(&attr, 20, 5);
        out_message(&node, 5, &attr);
    }
    free(body->data);
    out_message(g, 1, &node);
}

static void captures(struct out *g)
{
    struct out body = {0};
    out_node(&body, "Add", "x", "w", "b");
    out_text(&body, 2, "body");
    out_value(&body, 12, "b", 4);
    if_node(g, &body);
}
static void capture(struct out *f) { with_nodes(f, captures); }

static void hides(struct out *g)
{
    struct out body = {0};
    out_node(&body, "Relu", "w", NULL, "x");
    out_text(&body, 2, "body");
    out_value(&body, 12, "x", 4);
    if_node(g, &body);
}
static void shadow(struct out *f) { with_nodes(f, hides); }

static void reads_own_result(struct out *g)
{
    struct out body = {0};
    out_node(&body, "Relu", "picked", NULL, "b");
    out_text(&body, 2, "body");
    out_value(&body, 12, "b", 4);
    if_node(g, &body);
}
static void cycle_through_body(struct out *f) { with_nodes(f, reads_own_result); }

static void reads_inner(struct out *g)
{
    captures(g);
    out_node(g, "Relu", "b", NULL, "outside");
}
static void out_of_scope(struct out *f) { with_nodes(f, reads_inner); }

/* ---- functions ---- */

static void call(struct out *g, const char *name, const char *in, const char *result)
{
    struct out node = {0};
    out_text(&node, 1, in);
    out_text(&node, 2, result);
    out_text(&node, 4, name);
    out_text(&node, 7, "local");
    out_message(g, 1, &node);
}

/* Function `name` that calls `callee` (NULL: Relu), inside the branches of an If when wanted. */
static void function(struct out *f, const char *name, const char *callee, int in_if)
{
    struct out fn = {0}, node = {0}, body = {0}, attr = {0}, set = {0};
    out_text(&fn, 1, name);
    out_text(&fn, 4, "a");
    out_text(&fn, 5, "b");
    out_text(&node, 1, "a");
    out_text(&node, 2, in_if ? "c" : "b");
    out_text(&node, 4, callee ? callee : "Relu");
    out_text(&node, 7, callee ? "local" : "");
    if (in_if) {
        out_message(&body, 1, &node);
        out_text(&body, 2, "body");
        out_value(&body, 12, "c", 4);
        out_text(&attr, 1, "then_branch");
        out_message(&attr, 6, &body);
        out_number(&attr, 20, 5);
        out_text(&node, 1, "a");
        out_text(&node, 2, "b");
        out_text(&node, 4, "If");
        out_message(&node, 5, &attr);
    }
    out_message(&fn, 7, &node);
    out_number(&set, 2, 17);
    out_message(&fn, 9, &set);
    out_text(&set, 1, "local");
    out_number(&set, 2, 1);
    out_message(&fn, 9, &set);
    out_text(&fn, 10, "local");
    out_message(f, 25, &fn);
}

static void calls_f0(struct out *g) { call(g, "f0", "x", "r"); }

static void local_model(struct out *f)
{
    struct out set = {0};
    with_nodes(f, calls_f0);
    out_text(&set, 1, "local");
    out_number(&set, 2, 1);
    out_message(f, 8, &set);
}

static void recursion(struct out *f)
{
    local_model(f);
    function(f, "f0", "f1", 0);
    function(f, "f1", "f0", 0);
}

static void recursion_in_if(struct out *f)
{
    local_model(f);
    function(f, "f0", "f0", 1);
}

static void chain(struct out *f, int length)
{
    char name[16], next[16];
    local_model(f);
    for (int i = 0; i < length; i++) {
        snprintf(name, sizeof name, "f%d", i);
        snprintf(next, sizeof next, "f%d", i + 1);
        function(f, name, i + 1 < length ? next : NULL, 0);
    }
}
static void chain_3000(struct out *f) { chain(f, 3000); }
static void chain_101(struct out *f) { chain(f, 101); }
static void chain_100(struct out *f) { chain(f, 100); }
static void functions_10001(struct out *f)
{
    local_model(f);
    for (int i = 0; i <= 10000; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        function(f, name, NULL, 0);
    }
}

static void function_twice(struct out *f)
{
    local_model(f);
    function(f, "f0", NULL, 0);
    function(f, "f0", NULL, 0);
}

/* A body whose If takes its branches from the caller. */
static void graph_from_caller(struct out *f)
{
    struct out fn = {0}, node = {0}, attr = {0}, set = {0};
    with_nodes(f, captures);
    out_text(&fn, 1, "Choose");
    out_text(&fn, 4, "c");
    out_text(&fn, 5, "r");
    out_text(&fn, 6, "body");
    out_text(&node, 1, "c");
    out_text(&node, 2, "r");
    out_text(&node, 4, "If");
    for (int i = 0; i < 2; i++) {
        out_text(&attr, 1, i ? "else_branch" : "then_branch");
        out_number(&attr, 20, 5);
        out_text(&attr, 21, "body");
        out_message(&node, 5, &attr);
    }
    out_message(&fn, 7, &node);
    out_number(&set, 2, 17);
    out_message(&fn, 9, &set);
    out_text(&fn, 10, "local");
    out_message(f, 25, &fn);
}

static const struct hostile HOSTILE_GRAPH[] = {
    {"cycle", "refuse E0280", "", "A4: two nodes that need each other", cycle},
    {"self-loop", "refuse E0280", "", "A4: a node that reads its own output", self_loop},
    {"cycle-through-body", "refuse E0280", "", "A4: a branch that reads its If's result",
     cycle_through_body},
    {"unsorted", "warn E0210", "", "A4: nodes not in topological order", unsorted},
    {"unsorted-20000", "warn E0210", "", "A4: a long chain backwards", unsorted_long},
    {"output-twice", "refuse E0204", "", "A4: two producers of one name (SSA)", output_twice},
    {"output-is-weight", "refuse E0204", "", "A4: a node writes an initializer", output_is_weight},
    {"output-is-input", "refuse E0204", "", "A4: a node writes a graph input", output_is_input},
    {"weight-twice", "refuse E0204", "", "A4: two initializers of one name", weight_twice},
    {"undefined", "refuse E0208", "", "A4: a node reads what nothing produces", undefined},
    {"out-of-scope", "refuse E0208", "", "A4: a node reads a name of a branch", out_of_scope},
    {"output-missing", "refuse E0209", "", "A4: a graph output that nothing produces",
     output_missing},
    {"input-unnamed", "refuse E0203", "", "A4: an input without a name", input_unnamed},
    {"no-operator", "refuse E0207", "", "A1 onnx PR 8127: a node without operator", no_operator},
    {"node-names", "warn E1501", "", "A4: two nodes of one name", node_names},
    {"optional-middle", "accept", "", "A4: an empty optional input in the middle", optional_middle},
    {"unknown-domain", "accept", "", "A4: unknown domains are kept", unknown_domain},
    {"ir-missing", "warn E0200", "", "no ir_version", ir_missing},
    {"ir-99", "warn E0200", "", "an IR version from the future", ir_99},
    {"ir-3", "warn E0206", "", "IR below 4 with an initializer that is no input", ir_3},
    {"no-opset", "warn E0201", "", "no opset_import", no_opset},
    {"opset-twice", "refuse E0202", "", "ai.onnx imported as 17 and 9", opset_twice},
    {"training-info", "accept", "", "A4: training_info is kept", training},
    {"attribute-twice", "refuse E0213", "", "an attribute twice", attribute_twice},
    {"attribute-mismatch", "refuse E0212", "", "an attribute with an int that says float",
     attribute_mismatch},
    {"attribute-untyped", "refuse E0212", "", "an attribute without type and value",
     attribute_untyped},
    {"attribute-no-graph", "refuse E0212", "", "a graph attribute without graph",
     attribute_no_graph},
    {"attribute-op", "warn E1507", "", "A1 onnx PR 8127: an operator without schema", attribute_op},
    {"domain-missing", "warn E1506", "", "A4: a domain that is not imported", domain_missing},
    {"input-extra", "warn E1512", "", "A1 onnx PR 7813: an input too many", input_extra},
    {"attribute-foreign", "warn E1511", "", "an attribute the operator does not have",
     attribute_foreign},
    {"capture", "accept", "", "A4: branches that read outer values", capture},
    {"shadow", "warn E0205", "", "A4: a branch that defines an outer name", shadow},
    {"recursion", "refuse E0217", "", "A1 GHSA-7w46-vvrh-m8q5: functions in a circle", recursion},
    {"recursion-in-if", "refuse E0217", "", "A1 onnx PR 7815: a circle through an If body",
     recursion_in_if},
    {"chain-3000", "refuse E0218", "", "A1: a chain of 3000 functions crashes ONNX Runtime 1.26",
     chain_3000},
    {"chain-101", "refuse E0218", "", "A1: one call deeper than upstream's cap", chain_101},
    {"chain-100", "accept", "", "A1: upstream's cap", chain_100},
    {"functions-10001", "refuse E0215", "", "A1: one function more than upstream's cap",
     functions_10001},
    {"graph-from-caller", "accept", "", "A4: ref_attr_name of a graph", graph_from_caller},
    {"function-twice", "refuse E0216", "", "A4: one key, two functions", function_twice},
    {0}};
#endif

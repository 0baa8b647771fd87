/* Patterns over def-use chains, written as text.
 *
 *   Mul*(x, 0.5, Add(Erf(Mul*(x, 0.7071067811865476)), 1))          the Gelu with erf
 *
 * A pattern is read from its last node, the root, upwards:
 *   Op(a, b)     a node of ai.onnx in the root's graph with exactly these inputs; the first two may
 *                stand the other way round where the operator commutes
 *   Op(a, ..)    it may have more inputs, which the pass reads itself (axes, bounds, shapes)
 *   Op?(a)       the node may be missing: then a itself
 *   Mul*(a, b, c), Add*(..)   any tree of that operator with these leaves in any order; dividing by
 *                the constant 1/c (subtracting the constant -c) counts as the number c
 *   x            any value; the same name is the same value everywhere
 *   #w           a constant value under a name, as above
 *   0.5, -3, 6   a constant all of whose elements are that number, see match_near
 *   d=Op(..)     gives the value a name
 *   a|b          either of them, the first that fits
 *   ; d = Op(..) after the root: what the value named d is, where the choice taken has that name
 *
 * Every node that a pattern names is taken up by the rewrite, so match_problem demands that nothing
 * outside reads what they compute. Cost: a constant for each pattern and root (STEPS of match.c),
 * whatever the size of the graph.
 */
#ifndef REWRITE_MATCH_H
#define REWRITE_MATCH_H
#include "rewrite/rewrite.h"

enum {
    MATCH_TERMS = 96, /* of one pattern */
    MATCH_NAMES = 24,
    MATCH_ARGS = 5,
    MATCH_EQUATIONS = 12,
    MATCH_NODES = 48,
    MATCH_WORD = 32 /* characters of a name or an operator */
};

enum term_kind { TERM_ANY, TERM_CONSTANT, TERM_NUMBER, TERM_NODE };

struct match_term {
    enum term_kind kind;
    bool optional, chain, open; /* Op?(..), Op*(..), Op(.., ..) */
    char op[MATCH_WORD];
    const struct op *row, *inverse; /* of op, and of Div for a chain of Mul, Sub for Add; or NULL */
    double number;
    int name;             /* in the pattern's names, or -1 */
    int args[MATCH_ARGS]; /* terms */
    int n_args;
    int otherwise; /* the next choice, or -1 */
};

struct match_pattern {
    struct match_term terms[MATCH_TERMS];
    char names[MATCH_NAMES][MATCH_WORD];
    int n_terms, n_names, root;
    struct match_equation {
        int name, term;
    } equations[MATCH_EQUATIONS];
    int n_equations;
};

/* Reads a pattern. false, with the place in *where, when the text is none. */
bool match_parse(const char *text, struct match_pattern *p, const char **where);

/* What a pattern found. */
struct match {
    const struct match_pattern *pattern;
    struct node *root;
    struct value *values[MATCH_NAMES]; /* by name */
    struct node *nodes[MATCH_NODES];   /* the root first; a node may stand twice */
    int n_nodes;
    int constant_rank;  /* the highest rank of the constants: numbers and #names */
    bool wide_constant; /* one of them has not one element */
};

bool match_at(const struct match_pattern *p, struct node *root, struct match *m);
/* The operators that the root may be: at most room of them, returns how many. */
int match_roots(const struct match_pattern *p, const struct op **rows, int room);

struct value *match_value(const struct match *m, const char *name); /* NULL: not in this choice */
struct node *match_node(const struct match *m, const char *name);   /* its producer */

/* NULL, or why the nodes cannot be taken up: something else reads what is inside. */
const char *match_problem(const struct match *m);
/* NULL, or why the root's output may have another shape than x: x may be broadcast by the constants
 * of the pattern. */
const char *match_shape_problem(const struct match *m, const struct value *x);

/* A constant of that type stands for the number: it differs by no more than a few roundings to that
 * type (numbers in exported files were computed in float32 even where they are stored as float64).
 * Zero only for zero. */
bool match_near(double found, double wanted, enum dtype dtype);
#endif

/* Matching a pattern: a search with backtracking over goals "this value is computed like that term".
 *
 * A goal list lives on the C stack: solving a goal means putting its sub-goals before the rest and
 * solving that, so a later failure tries the next choice of an earlier goal. What a choice bound is
 * unbound when it fails. STEPS bounds the search for one root whatever the graph looks like; a
 * pattern of the catalogue needs a few dozen steps where it fits, and one or two where it does not.
 */
#include "rewrite/match.h"

#include <math.h>
#include <string.h>

enum { STEPS = 2000, DEPTH = 200 }; /* DEPTH: nested goals, a few hundred bytes of stack each */

struct goal {
    int equation; /* > 0: that one of the pattern, counted from 1; the fields below do not count */
    int term;
    uint32_t chosen; /* of the arguments of a chain; 0: the term itself */
    struct value *v;
    const struct goal *next;
};

struct search {
    const struct match_pattern *p;
    struct match *m;
    int steps, depth;
};

static bool solve(struct search *s, const struct goal *g);

/* ---- numbers ---- */

enum { WIDEST = 65536 }; /* elements: more are not looked through for all being the same number */

/* Half an ulp for each of up to eight roundings, relative: float16 has 11 bits, bfloat16 8, the
 * others are taken as float32 with 24. */
bool match_near(double found, double wanted, enum dtype dtype)
{
    double unit = dtype == DT_FLOAT16 ? 0x1p-11 : dtype == DT_BFLOAT16 ? 0x1p-8 : 0x1p-24;
    return fabs(found - wanted) <= fabs(wanted) * 8 * unit;
}

static bool is_constant(struct search *s, const struct value *v)
{
    if (!constant_of(v))
        return false;
    if (v->constant->rank > s->m->constant_rank)
        s->m->constant_rank = v->constant->rank;
    s->m->wide_constant |= v->constant->count != 1;
    return true;
}

static bool is_number(struct search *s, const struct value *v, double wanted)
{
    double x;
    return constant_of(v) && v->constant->count <= WIDEST && constant_scalar(v, &x) &&
           match_near(x, wanted, v->constant->dtype) && is_constant(s, v);
}

/* ---- nodes ---- */

/* Inputs up to the last one that is given. */
static int given_inputs(const struct node *n)
{
    uint32_t count = n->n_inputs;
    while (count && !n->inputs[count - 1].value)
        count--;
    return (int)count;
}

static struct node *maker(const struct search *s, const struct value *v, const struct op *row)
{
    struct node *n = v->producer;
    bool fits = n && n->op == row && v->slot == 0 && n->graph == s->m->root->graph &&
                !n->function && s->m->n_nodes < MATCH_NODES;
    return fits ? n : NULL;
}

/* Arguments against inputs, first the structured ones, so that names are bound late. */
static bool solve_args(struct search *s, const struct match_term *t, const struct node *n,
                       const bool swap, const struct goal *next)
{
    struct goal goals[MATCH_ARGS];
    for (int late = 1; late >= 0; late--) {
        for (int i = t->n_args; i-- > 0;) {
            bool any = s->p->terms[t->args[i]].kind == TERM_ANY;
            uint32_t slot = (uint32_t)(swap && i < 2 ? 1 - i : i);
            if (any != late)
                continue;
            goals[i] = (struct goal){0, t->args[i], 0, n->inputs[slot].value, next};
            next = &goals[i];
        }
    }
    return solve(s, next);
}

static bool solve_node(struct search *s, const struct match_term *t, struct value *v,
                       const struct goal *next)
{
    struct node *n = maker(s, v, t->row);
    int given = n ? given_inputs(n) : 0, kept = s->m->n_nodes;
    if (!n || (t->open ? given < t->n_args : given != t->n_args))
        return false;
    s->m->nodes[s->m->n_nodes++] = n;
    if (solve_args(s, t, n, false, next))
        return true;
    if (t->n_args >= 2 && n->op->traits & OP_COMMUTES && solve_args(s, t, n, true, next))
        return true;
    s->m->n_nodes = kept;
    return false;
}

/* ---- chains ---- */

/* v = Div(a, c) where c is the reciprocal of a number among the chosen, or Sub(a, -number). */
static bool solve_inverse(struct search *s, const struct match_term *t, const struct goal *g)
{
    bool product = !strcmp(t->op, "Mul"), wide = s->m->wide_constant;
    int rank = s->m->constant_rank;
    struct node *n = maker(s, g->v, t->inverse);
    int kept = s->m->n_nodes;
    if (!n || !node_input(n, 0) || !node_input(n, 1))
        return false;
    s->m->nodes[s->m->n_nodes++] = n;
    for (int i = 0; i < t->n_args; i++) {
        const struct match_term *arg = &s->p->terms[t->args[i]];
        if (!(g->chosen >> i & 1) || arg->kind != TERM_NUMBER)
            continue;
        struct goal rest = {0, g->term, g->chosen & ~(1u << i), n->inputs[0].value, g->next};
        double inverse = product ? 1 / arg->number : -arg->number;
        if (is_number(s, n->inputs[1].value, inverse) && solve(s, &rest))
            return true;
    }
    s->m->constant_rank = rank;
    s->m->wide_constant = wide;
    s->m->n_nodes = kept;
    return false;
}

/* The chosen arguments, split between the two inputs in every way. */
static bool solve_chain(struct search *s, const struct goal *g)
{
    const struct match_term *t = &s->p->terms[g->term];
    uint32_t all = g->chosen;
    if (!(all & (all - 1))) {
        struct goal one = {0, t->args[__builtin_ctz(all)], 0, g->v, g->next};
        return solve(s, &one);
    }
    if (solve_inverse(s, t, g))
        return true;
    struct node *n = maker(s, g->v, t->row);
    int kept = s->m->n_nodes;
    if (!n || given_inputs(n) != 2 || !n->inputs[0].value)
        return false;
    s->m->nodes[s->m->n_nodes++] = n;
    for (uint32_t left = (all - 1) & all; left; left = (left - 1) & all) {
        uint32_t right = all & ~left;
        uint32_t first = right & (right - 1) ? 0 : 1; /* a single term says no sooner than a tree */
        struct goal later = {0, g->term, first ? left : right, n->inputs[1 - first].value, g->next};
        struct goal sooner = {0, g->term, first ? right : left, n->inputs[first].value, &later};
        if (solve(s, &sooner))
            return true;
    }
    s->m->n_nodes = kept;
    return false;
}

/* ---- terms ---- */

static bool solve_optional(struct search *s, const struct match_term *t, struct value *v,
                           const struct goal *next)
{
    struct goal without = {0, t->args[0], 0, v, next};
    return solve_node(s, t, v, next) || solve(s, &without);
}

static bool solve_choice(struct search *s, int index, struct value *v, const struct goal *next)
{
    const struct match_term *t = &s->p->terms[index];
    int rank = s->m->constant_rank;
    bool wide = s->m->wide_constant;
    struct goal chain = {0, index, (1u << t->n_args) - 1, v, next};
    if (t->kind == TERM_NODE && t->chain)
        return solve_chain(s, &chain);
    if (t->kind == TERM_NODE)
        return t->optional ? solve_optional(s, t, v, next) : solve_node(s, t, v, next);
    if (t->kind == TERM_CONSTANT && !is_constant(s, v))
        return false;
    if (t->kind == TERM_NUMBER && !is_number(s, v, t->number))
        return false;
    if (solve(s, next))
        return true;
    s->m->constant_rank = rank;
    s->m->wide_constant = wide;
    return false;
}

static bool solve_named(struct search *s, int index, struct value *v, const struct goal *next)
{
    int name = s->p->terms[index].name;
    if (name < 0)
        return solve_choice(s, index, v, next);
    struct value **bound = &s->m->values[name], *before = *bound;
    if (before && before != v)
        return false;
    *bound = v;
    if (solve_choice(s, index, v, next))
        return true;
    *bound = before;
    return false;
}

/* The equations from that one on; one whose name no choice has bound holds. */
static bool solve_equation(struct search *s, int index)
{
    while (index < s->p->n_equations && !s->m->values[s->p->equations[index].name])
        index++;
    if (index == s->p->n_equations)
        return true;
    const struct match_equation *e = &s->p->equations[index];
    struct goal others = {index + 2, 0, 0, NULL, NULL};
    struct goal it = {0, e->term, 0, s->m->values[e->name], &others};
    return solve(s, &it);
}

static bool solve(struct search *s, const struct goal *g)
{
    if (g->equation)
        return solve_equation(s, g->equation - 1);
    if (!g->v || s->steps++ > STEPS || s->depth >= DEPTH)
        return false;
    s->depth++;
    bool found = g->chosen && solve_chain(s, g);
    for (int t = g->chosen ? -1 : g->term; t >= 0 && !found; t = s->p->terms[t].otherwise)
        found = solve_named(s, t, g->v, g->next);
    s->depth--;
    return found;
}

int match_roots(const struct match_pattern *p, const struct op **rows, int room)
{
    int count = 0;
    for (int t = p->root; t >= 0; t = p->terms[t].otherwise) {
        const struct match_term *term = &p->terms[t];
        if (term->row && count < room)
            rows[count++] = term->row;
        if (term->inverse && count < room)
            rows[count++] = term->inverse;
    }
    return count;
}

bool match_at(const struct match_pattern *p, struct node *root, struct match *m)
{
    m->pattern = p;
    m->root = root;
    m->n_nodes = m->constant_rank = 0;
    m->wide_constant = false;
    memset(m->values, 0, sizeof m->values);
    struct search s = {.p = p, .m = m};
    struct goal equations = {1, 0, 0, NULL, NULL};
    struct goal all = {0, p->root, 0, node_output(root, 0), &equations};
    return node_is_onnx(root) && solve(&s, &all) && m->n_nodes > 0;
}

/* ---- answers ---- */

struct value *match_value(const struct match *m, const char *name)
{
    for (int i = 0; i < m->pattern->n_names; i++)
        if (!strcmp(m->pattern->names[i], name))
            return m->values[i];
    return NULL;
}

struct node *match_node(const struct match *m, const char *name)
{
    struct value *v = match_value(m, name);
    return v ? v->producer : NULL;
}

static bool taken_up(const struct match *m, const struct node *n)
{
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i] == n)
            return true;
    return false;
}

static const char *output_problem(const struct match *m, const struct value *v)
{
    if (value_is_output(v))
        return "a value in its middle is a graph output";
    if (v->n_uses > MATCH_NODES * MATCH_ARGS)
        return "something else reads a value in its middle";
    value_each_use(u, v)
    {
        if (!u->node || !taken_up(m, u->node))
            return "something else reads a value in its middle";
    }
    return NULL;
}

const char *match_problem(const struct match *m)
{
    const char *problem = NULL;
    for (int i = 0; i < m->n_nodes && !problem; i++) {
        const struct node *n = m->nodes[i];
        for (uint32_t k = 0; n != m->root && k < n->n_outputs && !problem; k++)
            problem = n->outputs[k] ? output_problem(m, n->outputs[k]) : NULL;
    }
    return problem;
}

const char *match_shape_problem(const struct match *m, const struct value *x)
{
    bool narrow = !m->wide_constant && (m->constant_rank == 0 || m->constant_rank <= value_rank(x));
    return narrow || same_type(x, m->root->outputs[0])
               ? NULL
               : "its constants may widen the result beyond its input";
}

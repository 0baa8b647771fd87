/* Replacing what a pattern found by one node; see match_fuse.h. */
#include "rewrite/match_fuse.h"

#include <assert.h>

enum { ROOTS = 16 };

/* The spellings, read once for a run of the pass, and the operators that they end with. */
struct spellings {
    int count, n_roots;
    const struct op *roots[ROOTS];
    struct match_pattern patterns[];
};

static void add_roots(struct spellings *s, const struct match_pattern *p)
{
    const struct op *rows[ROOTS];
    int count = match_roots(p, rows, ROOTS);
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (int k = 0; k < s->n_roots; k++)
            known |= s->roots[k] == rows[i];
        assert(known || s->n_roots < ROOTS);
        if (!known)
            s->roots[s->n_roots++] = rows[i];
    }
}

static void read_spellings(struct spellings *s, const struct fusion *f, int count)
{
    for (int i = 0; i < count; i++) {
        const char *where;
        bool fine = match_parse(f->spellings[i], &s->patterns[i], &where);
        assert(fine); /* a text of our own */
        (void)fine;
        add_roots(s, &s->patterns[i]);
    }
    s->count = count;
}

static const struct spellings *spellings_of(struct pass_run *r, const struct fusion *f)
{
    int count = 0;
    while (f->spellings[count])
        count++;
    struct spellings *s = pass_state(r, sizeof *s + (size_t)count * sizeof(struct match_pattern));
    if (!s->count)
        read_spellings(s, f, count);
    return s;
}

static bool may_end_with(const struct spellings *s, const struct node *n)
{
    bool found = false;
    for (int i = 0; i < s->n_roots; i++)
        found |= s->roots[i] == n->op;
    return found;
}

/* ---- what is known ---- */

const char FUSE_NONE[] = "";

static const char *type_problem(const struct fusion *f, const struct match *m)
{
    const struct value *x = match_value(m, "x");
    enum dtype t = x ? value_dtype(x) : DT_UNDEFINED;
    if (f->types == FUSE_ALL || t == DT_FLOAT || t == DT_FLOAT16)
        return NULL;
    if (f->types == FUSE_DOUBLE && t == DT_DOUBLE)
        return NULL;
    if (t == DT_UNDEFINED)
        return "its element type is not known";
    return dtype_is_float(t) ? "ONNX Runtime does not run the operator with its element type"
                             : FUSE_NONE;
}

static const char *fusion_problem(const struct fusion *f, const struct match *m)
{
    const char *own = f->problem ? f->problem(m) : NULL, *type = type_problem(f, m);
    if (own == FUSE_NONE || type == FUSE_NONE)
        return FUSE_NONE;
    const char *readers = match_problem(m);
    return readers ? readers : type ? type : own;
}

/* ---- replacing ---- */

static const char *operator_of(const struct fusion *f, const struct match *m)
{
    return f->op ? f->op : match_node(m, "norm")->op_type;
}

static uint32_t room(const struct fusion *f, const struct match *m)
{
    const struct op *op = op_find("", operator_of(f, m));
    const struct op_version *v = op_version_at(op, graph_opset(m->root->graph, ""));
    return v->max_in < 0 ? 1 : (uint32_t)v->max_in;
}

static void trim_inputs(struct node *n)
{
    uint32_t count = n->n_inputs;
    while (count && !n->inputs[count - 1].value)
        count--;
    node_resize_inputs(n, count);
}

static int count_nodes(const struct match *m)
{
    int count = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        bool again = false;
        for (int k = 0; k < i; k++)
            again |= m->nodes[k] == m->nodes[i];
        count += !again;
    }
    return count;
}

static void replace(struct pass_run *r, const struct fusion *f, const struct match *m)
{
    struct node *fused = rewrite_node(m->root, operator_of(f, m), room(f, m), 1);
    for (int i = m->n_nodes - 1; i >= 0; i--)
        if (m->nodes[i] != m->root)
            node_set_source(fused, m->nodes[i]);
    if (f->build)
        f->build(r, m, fused);
    else
        node_set_input(fused, 0, match_value(m, "x"));
    trim_inputs(fused);
    pass_rewrote(r, m->root, "%d nodes are %s", count_nodes(m), fused->op_type);
    node_move_output(m->root, 0, fused, 0);
    rewrite_drop(m->root);
}

/* The opset in which the result has to make sense: the model is read in one and may be written in
 * another. */
static int64_t lower_opset(struct pass_run *r, const struct node *n)
{
    int64_t now = graph_opset(n->graph, ""), then = pass_opset(r, n, "");
    return now < then ? now : then;
}

static bool is_known(struct pass_run *r, const struct match *m, const char *op)
{
    const struct node *n = m->root;
    const struct value *x = match_value(m, "x");
    if (pass_plan(r)->quantizes && op_find("", op)->quant == QRULE_NONE)
        pass_refused(r, n, "the quantizer has no rule for %s", op);
    else if (!pass_knows(r, n, "", op, x ? value_dtype(x) : DT_UNDEFINED))
        pass_refused(r, n, "the target does not have %s", op);
    else
        return true;
    return false;
}

/* Whether the operators are there; else the refusal is noted. */
static bool may_become(struct pass_run *r, const struct fusion *f, const struct match *m)
{
    int64_t opset = lower_opset(r, m->root);
    if (!f->op)
        return true;
    if (opset < f->since) {
        pass_refused(r, m->root, "%s needs opset %d, the model has %lld", f->op, f->since,
                     (long long)opset);
        return false;
    }
    return is_known(r, m, f->op) && (!f->also || is_known(r, m, f->also));
}

int fuse_visit(struct pass_run *r, struct node *n, const struct fusion *f)
{
    const char *why = NULL;
    struct match m;
    if (!n->op)
        return 0;
    const struct spellings *s = spellings_of(r, f);
    if (!may_end_with(s, n)) {
        pass_ignores(r, n);
        return 0;
    }
    for (int i = 0; i < s->count; i++) {
        if (!node_output(n, 0) || !match_at(&s->patterns[i], n, &m))
            continue;
        const char *problem = fusion_problem(f, &m);
        if (!problem && may_become(r, f, &m))
            replace(r, f, &m);
        if (!problem)
            return 0;
        why = why || problem == FUSE_NONE ? why : problem;
    }
    if (why)
        pass_refused(r, n, "%s", why);
    return 0;
}

/* ---- questions ---- */

static bool is_pool(const struct node *n)
{
    return node_is(n, "GlobalAveragePool") || node_is(n, "GlobalMaxPool");
}

bool reduction_keeps(const struct node *n) { return is_pool(n) || node_int(n, "keepdims", 1) != 0; }

static bool all_but_two(int rank, int axes[FUSE_RANK], int *count)
{
    *count = 0;
    for (int i = 2; i < rank; i++)
        axes[(*count)++] = i;
    return rank > 2;
}

bool reduction_axes(const struct node *n, int rank, int axes[FUSE_RANK], int *count)
{
    int64_t given[FUSE_RANK], n_given = 0;
    const int64_t *attr;
    uint32_t n_attr = 0;
    bool reduced[FUSE_RANK] = {false};
    if (rank < 1 || rank > FUSE_RANK)
        return false;
    if (is_pool(n))
        return all_but_two(rank, axes, count);
    if (node_input(n, 1) && !constant_ints(n->inputs[1].value, given, FUSE_RANK, &n_given))
        return false;
    if (!node_input(n, 1) && node_ints(n, "axes", &attr, &n_attr)) {
        if (n_attr > FUSE_RANK)
            return false;
        for (uint32_t i = 0; i < n_attr; i++)
            given[n_given++] = attr[i];
    }
    if (!n_given && node_int(n, "noop_with_empty_axes", 0))
        return false;
    for (int64_t i = 0; i < n_given; i++) {
        int axis = axis_within(given[i], rank);
        if (axis < 0)
            return false;
        reduced[axis] = true;
    }
    *count = 0;
    for (int i = 0; i < rank; i++)
        if (!n_given || reduced[i])
            axes[(*count)++] = i;
    return true;
}

bool match_scalar(const struct match *m, const char *name, double *x)
{
    const struct value *v = match_value(m, name);
    return v && constant_is_single(v) && constant_scalar(v, x);
}

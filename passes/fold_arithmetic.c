/* Multiplication, division, addition and subtraction of constants go into a linear layer.
 *
 * Before:  t = Conv(x, W, b)   y = Mul(t, s)             s: one number for each channel, or one
 * After:   y = Conv(x, W * s, b * s)
 *          the same for Add, Sub, Div, and for a layer behind: Conv(Mul(x, s), W) = Conv(x, W * s)
 * Layers and ways as for fold-batchnorm. One factor for all goes through a product of two computed
 *          matrices too: (q k) / sqrt(d) scales the projection that makes q.
 * When:    the constant gives each channel one number, nobody else reads what changes.
 *          x + 0 is x wherever it stands.
 * Numerics: REASSOC; float64 with one rounding. x + 0 turns -0 into 0, which x does not.
 */
#include "rewrite/linear.h"

static void backward(struct pass_run *r, struct node *n, struct fold *p, struct value *x)
{
    struct node *layer = p->parts.data[0].l.layer, *by = x->producer;
    pass_rewrote(r, n, "%s folded into %s '%s'", n->op_type, layer->op_type, node_label(layer));
    fold_apply(p);
    rewrite_absorb(by, n);
}

static void forward(struct pass_run *r, struct node *n, struct fold *p, struct value *x)
{
    struct node *layer = p->parts.data[0].l.layer;
    pass_rewrote(r, n, "%s folded into %s '%s' behind it", n->op_type, layer->op_type,
                 node_label(layer));
    fold_apply(p);
    rewrite_bypass(n->outputs[0], x);
    rewrite_drop(n);
}

static bool drop(struct pass_run *r, struct node *n, const struct affine *f, struct value *x)
{
    if (f->scales || f->shifts || !same_type(x, n->outputs[0]) || bypass_problem(n->outputs[0], x))
        return false;
    pass_rewrote(r, n, "%s changes nothing but the sign of zeros", n->op_type);
    rewrite_bypass(n->outputs[0], x);
    rewrite_drop(n);
    return true;
}

/* The addition of a bias to a product of matrices is part of that layer already. */
static bool is_bias(const struct node *n, const struct value *x)
{
    return node_is(n, "Add") && producer_of(x, "MatMul");
}

static bool is_arithmetic(const struct node *n)
{
    return n && (node_is(n, "Mul") || node_is(n, "Div") || node_is(n, "Add") || node_is(n, "Sub"));
}

static void visit_arithmetic(struct pass_run *r, struct node *n)
{
    struct affine f;
    uint32_t slot;
    struct fold p = {.scratch = arena_new(), .graph = n->graph};
    if (affine_of_arithmetic(n, p.scratch, &f, &slot) && !drop(r, n, &f, n->inputs[slot].value) &&
        !is_bias(n, n->inputs[slot].value)) {
        struct value *x = n->inputs[slot].value;
        p.hint = n->inputs[1 - slot].value;
        if (!fold_backward(&p, x, &f))
            backward(r, n, &p, x);
        else if (!fold_forward(&p, n->outputs[0], &f))
            forward(r, n, &p, x);
    }
    fold_release(&p);
    arena_free(p.scratch);
}

PASS_OPS(fold_arithmetic, "Mul", "Div", "Sub", "Conv", "ConvTranspose", "Gemm", "MatMul", "Add",
         "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity");
int visit_fold_arithmetic(struct pass_run *r, struct node *n)
{
    struct node *before = fold_candidate(n); /* Add is a layer itself: both are looked at */
    if (is_arithmetic(n))
        visit_arithmetic(r, n);
    if (before && before != n && !before->removed && is_arithmetic(before))
        visit_arithmetic(r, before);
    return 0;
}

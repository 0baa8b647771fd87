/* A product of two matrices and the addition behind it become a Gemm.
 *
 * Before:  t = MatMul(a, b)   y = Add(t, c)       t has no other reader
 * After:   y = Gemm(a, b, c)
 * When:    a and b are matrices of a floating-point type, c broadcasts to the product, the target
 *          has Gemm.
 * Numerics: REASSOC: a runtime may begin its sums with c.
 */
#include "rewrite/rewrite.h"

/* Each dim of c, counted from the end, is 1 or the product's. */
static bool broadcasts_to(const struct value *c, const struct value *t)
{
    int rank = value_rank(c), diff = 2 - rank;
    int64_t size;
    if (rank < 0 || rank > 2 || value_rank(t) != 2 || value_dtype(c) != value_dtype(t))
        return false;
    for (int i = 0; i < rank; i++) {
        dim_t d = c->type.dims[i];
        bool one = dim_is_const(d, &size) && size == 1;
        if (!one && (!d || d != t->type.dims[i + diff]))
            return false;
    }
    return true;
}

static bool is_matrix(const struct value *v)
{
    return v && value_rank(v) == 2 && dtype_is_float(value_dtype(v));
}

/* The operand of the Add that a MatMul computes; the other is *c. */
static struct node *find_product(const struct node *add, struct value **c)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct node *n = lone_producer(node_input(add, i), "MatMul");
        *c = node_input(add, 1 - i);
        if (n && *c && n->graph == add->graph && is_matrix(node_input(n, 0)) &&
            is_matrix(node_input(n, 1)))
            return n;
    }
    return NULL;
}

PASS_OPS(matmul_add_to_gemm, "Add");
int visit_matmul_add_to_gemm(struct pass_run *r, struct node *n)
{
    struct value *c;
    if (!node_is(n, "Add") || !n->op || !node_output(n, 0) || node_version(n) < 7 ||
        !pass_knows(r, n, "", "Gemm", value_dtype(n->outputs[0])))
        return 0;
    struct node *product = find_product(n, &c);
    if (!product || !pass_knows(r, n, "", "Gemm", value_dtype(n->outputs[0])))
        return 0;
    if (!broadcasts_to(c, product->outputs[0])) {
        pass_refused(r, n, "its other operand does not broadcast to the product");
        return 0;
    }
    pass_rewrote(r, n, "became a Gemm with '%s'", node_label(product));
    struct value *a = product->inputs[0].value, *b = product->inputs[1].value;
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, product);
    if (product->name[0])
        node_set_name(n, product->name); /* the layer's, like its weight */
    node_set_op(n, "Gemm", "");          /* the Add's place: c is computed there */
    node_resize_inputs(n, 3);
    node_set_input(n, 2, c);
    node_set_input(n, 0, a);
    node_set_input(n, 1, b);
    rewrite_drop(product);
    return 0;
}

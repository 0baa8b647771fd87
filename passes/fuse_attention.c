/* Scaled dot-product attention becomes an Attention.
 *
 * Before:  s = MatMul(q, k')   p = Softmax(s * scale + mask)   y = MatMul(p, v)     k': k transposed
 * After:   y = Attention<scale>(q, k, v, mask)
 *          The scale may stand before the product, on either factor or both; the mask may be missing;
 *          Where(IsNaN(p), 0, p) may guard rows that are masked as a whole; k' may be a Transpose of
 *          k, the same of k with batch and heads merged, or anything (then it is transposed back).
 * Before:  k, v = Reshape(Expand(Unsqueeze(kv, 2)), ..)     each head used for a group of queries
 * After:   Attention reads kv: head h of q belongs to head h / group of kv
 * When:    opset 23; everything has rank 4, [batch, heads, rows, columns], with batches, heads and
 *          lengths known to be the same; the mask's last two axes are queries and keys (ONNX Runtime
 *          broadcasts none of these two); scales are single constants.
 * Spellings: torch's scaled_dot_product_attention (legacy and dynamo), transformers' eager form,
 *          PaddlePaddle.
 * Numerics: REASSOC. A row that is masked with -infinity as a whole gives zeros.
 */
#include <math.h>
#include <string.h>

#include "rewrite/match_fuse.h"

#define WEIGHTS                                                                       \
    "MatMul(Where(IsNaN(soft), 0, soft), v)|MatMul(soft, v)"                          \
    "; soft = Softmax(Add(scaled, mask))|Softmax(scaled)"                             \
    "; scaled = Mul(product, #scale)|Div(product, #over)|product=MatMul(left, right)" \
    "; product = MatMul(left, right)"                                                 \
    "; left = Mul(x, #scale_left)|Div(x, #over_left)|x"                               \
    "; right = Mul(turned, #scale_right)|Div(turned, #over_right)|turned"
#define TURNED "; turned = move=Transpose(k)"
#define TURNED_FLAT "; turned = Reshape(move=Transpose(flat=Reshape(k, ..)), ..)"
#define GROUPS                                                    \
    "; k = Reshape(k_wide=Expand(Unsqueeze(k_head, ..), ..), ..)" \
    "; v = Reshape(v_wide=Expand(Unsqueeze(v_head, ..), ..), ..)"

static const char *const SPELLINGS[] = {WEIGHTS TURNED GROUPS,
                                        WEIGHTS TURNED_FLAT GROUPS,
                                        WEIGHTS TURNED,
                                        WEIGHTS TURNED_FLAT,
                                        WEIGHTS,
                                        NULL};

/* ---- the scale ---- */

static const char *const FACTORS[] = {"scale", "scale_left", "scale_right"};
static const char *const DIVISORS[] = {"over", "over_left", "over_right"};

static bool total_scale(const struct match *m, double *scale)
{
    *scale = 1;
    for (int i = 0; i < 3; i++) {
        double factor = 1, divisor = 1;
        if ((match_value(m, FACTORS[i]) && !match_scalar(m, FACTORS[i], &factor)) ||
            (match_value(m, DIVISORS[i]) && !match_scalar(m, DIVISORS[i], &divisor)))
            return false;
        *scale *= factor / divisor;
    }
    return isfinite(*scale) && *scale > 0;
}

/* ---- shapes ---- */

static const dim_t *dims4(const struct value *v)
{
    return value_rank(v) == 4 ? v->type.dims : NULL;
}
static bool same(dim_t a, dim_t b) { return a && a == b; }

static bool has_perm(const struct node *n, const int64_t *wanted, uint32_t count)
{
    const int64_t *perm;
    uint32_t n_perm;
    return node_ints(n, "perm", &perm, &n_perm) && n_perm == count &&
           !memcmp(perm, wanted, count * sizeof *wanted);
}

/* k is turned as [batch, heads, columns, rows]. */
static bool turns_key(const struct match *m)
{
    static const int64_t LAST_TWO[] = {0, 1, 3, 2}, FLAT[] = {0, 2, 1};
    const struct value *flat = match_value(m, "flat");
    const dim_t *t = dims4(match_value(m, "turned")), *k;
    if (!match_value(m, "k"))
        return t != NULL;
    k = dims4(match_value(m, "k"));
    if (!t || !k || !same(k[0], t[0]) || !same(k[1], t[1]) || !same(k[2], t[3]) ||
        !same(k[3], t[2]))
        return false;
    if (!flat)
        return has_perm(match_node(m, "move"), LAST_TWO, 4);
    return has_perm(match_node(m, "move"), FLAT, 3) && value_rank(flat) == 3 &&
           same(flat->type.dims[1], k[2]) && same(flat->type.dims[2], k[3]);
}

/* all = [b, h * g, t, d] from head = [b, h, t, d] through wide = [b, h, g, t, d]. */
static bool repeats(const struct match *m, const char *name, const char *wide_name,
                    const char *head_name)
{
    const struct value *wide = match_value(m, wide_name);
    const dim_t *all = dims4(match_value(m, name)), *head = dims4(match_value(m, head_name)), *w;
    int64_t heads, group, total;
    if (!all || !head || value_rank(wide) != 5)
        return false;
    w = wide->type.dims;
    return same(head[0], w[0]) && same(head[1], w[1]) && same(head[2], w[3]) &&
           same(head[3], w[4]) && same(head[0], all[0]) && same(head[2], all[2]) &&
           same(head[3], all[3]) && dim_is_const(head[1], &heads) && dim_is_const(w[2], &group) &&
           dim_is_const(all[1], &total) && heads * group == total &&
           node_input(wide->producer, 0)->type.rank == 5 &&
           dim_equals(node_input(wide->producer, 0)->type.dims[2], 1);
}

static bool shapes_fit(const struct match *m)
{
    const dim_t *q = dims4(match_value(m, "x")), *t = dims4(match_value(m, "turned"));
    const dim_t *v = dims4(match_value(m, "v")), *y = dims4(m->root->outputs[0]);
    return q && t && v && y && same(y[0], q[0]) && same(y[1], q[1]) && same(y[2], q[2]) &&
           same(y[3], v[3]) && same(q[0], t[0]) && same(q[1], t[1]) && same(q[0], v[0]) &&
           same(q[1], v[1]) && same(q[3], t[2]) && same(t[3], v[2]);
}

static bool broadcasts(dim_t mask, dim_t scores)
{
    return dim_equals(mask, 1) || same(mask, scores);
}

static bool mask_fits(const struct match *m)
{
    const struct value *mask = match_value(m, "mask");
    const dim_t *q = match_value(m, "x")->type.dims, *t = match_value(m, "turned")->type.dims;
    if (!mask)
        return true;
    int rank = value_rank(mask);
    if (rank < 2 || rank > 4 || value_dtype(mask) != value_dtype(match_value(m, "x")))
        return false;
    const dim_t *d = mask->type.dims + rank - 2;
    return same(d[0], q[2]) && same(d[1], t[3]) && (rank < 3 || broadcasts(d[-1], q[1])) &&
           (rank < 4 || broadcasts(d[-2], q[0]));
}

/* ---- the fusion ---- */

static const char *problem(const struct match *m)
{
    double scale;
    const struct node *soft = match_node(m, "soft");
    if (!turns_key(m) || axis_within(node_int(soft, "axis", -1), 4) != 3)
        return FUSE_NONE;
    if (match_value(m, "k_wide") &&
        (!repeats(m, "k", "k_wide", "k_head") || !repeats(m, "v", "v_wide", "v_head")))
        return FUSE_NONE; /* the next spelling leaves the repetition where it is */
    if (!shapes_fit(m))
        return "its batches, heads and lengths are not known to be the same";
    if (!mask_fits(m))
        return "its mask has not the queries and keys as its last two axes";
    return total_scale(m, &scale) ? NULL : "its scale is not one positive number";
}

/* What stands before the repetition, where the pattern has one. */
static struct value *head_or_all(const struct match *m, const char *head, const char *all)
{
    struct value *v = match_value(m, head);
    return v ? v : match_value(m, all);
}

static struct value *key(struct pass_run *r, const struct match *m, struct node *at)
{
    static const int64_t BACK[] = {0, 1, 3, 2};
    struct value *k = head_or_all(m, "k_head", "k");
    struct value *turned = match_value(m, "turned");
    if (k)
        return k;
    struct node *back = rewrite_node(at, "Transpose", 1, 1);
    node_set_input(back, 0, turned);
    node_set_ints(back, "perm", BACK, 4);
    node_set_source(back, at);
    k = node_add_output(back, 0, turned->name);
    rewrite_infer(r, back);
    return k;
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    double scale = 1;
    total_scale(m, &scale);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_input(fused, 1, key(r, m, fused));
    node_set_input(fused, 2, head_or_all(m, "v_head", "v"));
    if (match_value(m, "mask"))
        node_set_input(fused, 3, match_value(m, "mask"));
    node_set_float(fused, "scale", (float)scale);
}

static const struct fusion ATTENTION = {"Attention", 23,    FUSE_FLOATS, SPELLINGS,
                                        problem,     build, NULL};

int visit_fuse_attention(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &ATTENTION);
}

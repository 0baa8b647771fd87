/* The Gaussian error linear unit becomes a Gelu.
 *
 * Before:  y = x * 0.5 * (1 + erf(x / sqrt(2)))                            factors in any order
 * After:   y = Gelu(x)
 * Before:  y = x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))   also with the product
 *          multiplied out, x factored out, or 0.5 * (1 + tanh(z)) written as sigmoid(2 * z)
 * After:   y = Gelu<approximate="tanh">(x)
 * When:    opset 20; the numbers are these up to rounding.
 * Spellings: torch (both), transformers' NewGELU, JAX and TensorFlow (cdf first), PaddlePaddle.
 * Numerics: REASSOC.
 */
#include "rewrite/match_fuse.h"

#define ERF "Erf(Mul*(x, 0.7071067811865476))"
#define CUBE "Pow(x, 3)|Mul*(x, x, x)|Mul(x, Pow(x, 2))"
#define SQUARE "Pow(x, 2)|Mul(x, x)"
/* sqrt(2 / pi), and its product with 0.044715 */
#define ROOT "0.7978845608028654"
#define ROOT_CUBIC "0.035677408136300125"
#define INNER                                                                    \
    "Mul(Add(x, Mul(0.044715, " CUBE ")|Mul*(0.044715, x, x, x)), " ROOT ")"     \
    "|Mul*(x, " ROOT ", Add(1, Mul(0.044715, " SQUARE ")|Mul*(0.044715, x, x)))" \
    "|Mul(x, Add(" ROOT ", Mul(" ROOT_CUBIC ", " SQUARE ")))"

static const char *const WITH_ERF[] = {"Mul*(Add(" ERF ", 1), 0.5, x)",
                                       "Mul(x, Add(Mul(" ERF ", 0.5), 0.5))", NULL};
static const char *const WITH_TANH[] = {"Mul*(Add(Tanh(" INNER "), 1), 0.5, x)",
                                        "Mul(x, Add(Mul(Tanh(" INNER "), 0.5), 0.5))",
                                        "Mul(x, Sigmoid(Mul(2, " INNER ")))", NULL};

static const char *problem(const struct match *m)
{
    return match_shape_problem(m, match_value(m, "x"));
}

static void build_tanh(struct pass_run *r, const struct match *m, struct node *fused)
{
    (void)r;
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_string(fused, "approximate", "tanh");
}

static const struct fusion GELU = {"Gelu", 20, FUSE_FLOATS, WITH_ERF, problem, NULL, NULL};
static const struct fusion GELU_TANH = {"Gelu",  20,         FUSE_FLOATS, WITH_TANH,
                                        problem, build_tanh, NULL};

int visit_fuse_gelu(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &GELU); }
int visit_fuse_gelu_tanh(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &GELU_TANH);
}

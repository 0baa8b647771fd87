/* Blocks moved between channels and space by reshaping become DepthToSpace or SpaceToDepth.
 *
 * Before:  a = Reshape(x, [n, c, b, b, h, w])   t = Transpose<perm=[0, 1, 4, 2, 5, 3]>(a)
 *          y = Reshape(t, [n, c, h * b, w * b])
 * After:   y = DepthToSpace<blocksize=b, mode="CRD">(x)     PyTorch's PixelShuffle
 * Before:  a = Reshape(x, [n, b, b, c, h, w])   perm [0, 3, 4, 1, 5, 2]
 * After:   y = DepthToSpace<blocksize=b>(x)                 TensorFlow's depth_to_space
 * Before:  a = Reshape(x, [n, c, h, b, w, b])   perm [0, 3, 5, 1, 2, 4]   y: [n, b * b * c, h, w]
 * After:   y = SpaceToDepth<blocksize=b>(x)                 YOLO's reorg, without its order of channels
 * When:    the sizes are known to be these, up to symbols; CRD: opset 11.
 * Numerics: EXACT: nothing is computed.
 */
#include <string.h>

#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {"Reshape(move=Transpose(split=Reshape(x, ..)), ..)", NULL};

struct shuffle {
    int64_t perm[6];
    int block_a, block_b;  /* axes of the split that have the block's size */
    int channel, row, col; /* axes of the split: channels, rows of blocks, columns of blocks */
    bool to_depth;
};

static const struct shuffle DCR = {{0, 3, 4, 1, 5, 2}, 1, 2, 3, 4, 5, false};
static const struct shuffle CRD = {{0, 1, 4, 2, 5, 3}, 2, 3, 1, 4, 5, false};
static const struct shuffle TO_DEPTH = {{0, 3, 5, 1, 2, 4}, 3, 5, 1, 2, 4, true};

static bool permutes_like(const struct match *m, const struct shuffle *s)
{
    const int64_t *perm;
    uint32_t n;
    return node_ints(match_node(m, "move"), "perm", &perm, &n) && n == 6 &&
           !memcmp(perm, s->perm, sizeof s->perm);
}

static bool same(dim_t a, dim_t b) { return a && a == b; }

/* small and large: the dims of the side with small and large space; depth = channels * b * b there. */
static bool sizes_fit(struct dim_table *t, const struct shuffle *s, const dim_t *small,
                      const dim_t *split, const dim_t *large, int64_t b)
{
    dim_t block = dim_const(t, b), square = dim_mul(t, block, block);
    return same(small[0], split[0]) && same(large[0], split[0]) &&
           same(small[1], dim_mul(t, split[s->channel], square)) &&
           same(large[1], split[s->channel]) && same(small[2], split[s->row]) &&
           same(small[3], split[s->col]) && same(large[2], dim_mul(t, small[2], block)) &&
           same(large[3], dim_mul(t, small[3], block));
}

static bool is_shuffle(const struct match *m, const struct shuffle *s, int64_t *b)
{
    const struct value *x = match_value(m, "x"), *split = match_value(m, "split");
    const struct value *y = m->root->outputs[0];
    const struct value *small = s->to_depth ? y : x, *large = s->to_depth ? x : y;
    int64_t second;
    return permutes_like(m, s) && value_rank(x) == 4 && value_rank(y) == 4 &&
           value_rank(split) == 6 && value_dim(split, s->block_a, b) && *b > 1 &&
           value_dim(split, s->block_b, &second) && *b == second &&
           sizes_fit(m->root->graph->model->dims, s, small->type.dims, split->type.dims,
                     large->type.dims, *b);
}

static const char *to_space_problem(const struct match *m)
{
    int64_t b;
    const struct shuffle *s = permutes_like(m, &CRD) ? &CRD : &DCR;
    if (!permutes_like(m, s))
        return FUSE_NONE;
    if (!is_shuffle(m, s, &b))
        return "its sizes are not known to be those of square blocks";
    return s == &CRD && graph_opset(m->root->graph, "") < 11
               ? "before opset 11 there is no mode CRD"
               : NULL;
}

static const char *to_depth_problem(const struct match *m)
{
    int64_t b;
    if (!permutes_like(m, &TO_DEPTH))
        return FUSE_NONE;
    return is_shuffle(m, &TO_DEPTH, &b) ? NULL
                                        : "its sizes are not known to be those of square blocks";
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    int64_t b = 1;
    (void)r;
    bool crd = is_shuffle(m, &CRD, &b);
    if (!crd && !is_shuffle(m, &DCR, &b))
        is_shuffle(m, &TO_DEPTH, &b);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_int(fused, "blocksize", b);
    if (crd)
        node_set_string(fused, "mode", "CRD");
}

static const struct fusion TO_SPACE_FUSION = {"DepthToSpace",   1,     FUSE_DOUBLE, SPELLINGS,
                                              to_space_problem, build, NULL};
static const struct fusion TO_DEPTH_FUSION = {"SpaceToDepth",   1,     FUSE_DOUBLE, SPELLINGS,
                                              to_depth_problem, build, NULL};

int visit_fuse_depth_to_space(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &TO_SPACE_FUSION);
}

int visit_fuse_space_to_depth(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &TO_DEPTH_FUSION);
}

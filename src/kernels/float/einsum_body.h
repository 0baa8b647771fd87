/* Text of Einsum for one element type, included by einsum.c with EINSUM_T and EINSUM(name). */
static void EINSUM(pack)(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)
{
    const struct side *s = side->more;
    const struct einsum_plan *p = s->pair->plan;
    int64_t at[GEMM_RUN];
    EINSUM_T *to = panel;
    for (int j = 0; j < cut->nj; j++)
        at[j] = offset(p, s->across, s->view, cut->j0 + j);
    for (int k = 0; k < cut->np; k++, to += cut->width) {
        const EINSUM_T *from =
            (const EINSUM_T *)side->data + offset(p, &s->pair->summed, s->view, cut->p0 + k);
        for (int j = 0; j < cut->width; j++)
            to[j] = j < cut->nj ? from[at[j]] : 0;
    }
}

static void EINSUM(contract)(const struct pair *s, const EINSUM_T *a, const EINSUM_T *b,
                             EINSUM_T *y, EINSUM_T *product)
{
    const struct side left = {s, &s->a, &s->left}, right = {s, &s->b, &s->right};
    const int64_t m = s->left.size, n = s->right.size;
    for (int64_t i = 0; i < s->batch.size; i++) {
        const struct gemm_side rows = {EINSUM(pack), a + offset(s->plan, &s->batch, &s->a, i), 0, 0,
                                       &left};
        const struct gemm_side columns = {EINSUM(pack), b + offset(s->plan, &s->batch, &s->b, i), 0,
                                          0, &right};
        EINSUM_T *to = y + offset(s->plan, &s->batch, &s->y, i);
        EINSUM(gemm)(m, n, s->summed.size, &rows, &columns, product, n, 1);
        for (int64_t r = 0; r < m; r++) {
            EINSUM_T *row = to + offset(s->plan, &s->left, &s->y, r);
            for (int64_t c = 0; c < n; c++)
                row[offset(s->plan, &s->right, &s->y, c)] = product[r * n + c];
        }
    }
}

/* One operand: permutation, diagonal, sum. */
static void EINSUM(alone)(const struct einsum_plan *p, const EINSUM_T *x, EINSUM_T *y)
{
    struct pair s = {.plan = p, .a = view_of_input(p, 0)};
    classify(&s, needed_after(p, 0));
    s.y = view_of_labels(p, p->output.label, p->output.rank);
    for (int64_t i = 0; i < s.left.size; i++) {
        const EINSUM_T *from = x + offset(p, &s.left, &s.a, i);
        double sum = 0;
        for (int64_t k = 0; k < s.summed.size; k++)
            sum += (double)from[offset(p, &s.summed, &s.a, k)];
        y[offset(p, &s.left, &s.y, i)] = (EINSUM_T)sum;
    }
}

void EINSUM(einsum)(const struct einsum_plan *p, const EINSUM_T *const *inputs, EINSUM_T *y,
                    EINSUM_T *scratch)
{
    struct view so_far = view_of_input(p, 0);
    const EINSUM_T *a = inputs[0];
    int64_t result, product;
    if (p->n_inputs == 1) {
        EINSUM(alone)(p, a, y);
        return;
    }
    scratch_sizes(p, &result, &product);
    for (int i = 1; i < p->n_inputs; i++) {
        struct pair s;
        step_make(&s, p, i, &so_far);
        EINSUM_T *to = i + 1 == p->n_inputs ? y : scratch + product + i % 2 * result;
        EINSUM(contract)(&s, a, inputs[i], to, scratch);
        so_far = s.y;
        a = to;
    }
}
#undef EINSUM_T
#undef EINSUM

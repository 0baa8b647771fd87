/* Text of MatMul and Gemm for one element type, included by matmul.c with MATMUL_T,
 * MATMUL_FACTOR(double) and MATMUL(name). */
void MATMUL(matmul)(const struct matmul_params *p, const MATMUL_T *a, const MATMUL_T *b,
                    MATMUL_T *y)
{
    const int64_t batches = matmul_batches(p);
    for (int64_t i = 0; i < batches; i++, y += p->m * p->n) {
        int64_t at_a, at_b;
        matmul_offsets(p, i, &at_a, &at_b);
        const struct gemm_side rows = {MATMUL(gemm_pack), a + at_a, p->a_row_step, p->a_col_step,
                                       NULL};
        const struct gemm_side columns = {MATMUL(gemm_pack), b + at_b, p->b_col_step, p->b_row_step,
                                          NULL};
        MATMUL(gemm)(p->m, p->n, p->k, &rows, &columns, y, p->n, 1);
    }
}

void MATMUL(gemm_full)(const struct gemm_args *g, const MATMUL_T *a, const MATMUL_T *b,
                       const MATMUL_T *c, MATMUL_T *y)
{
    const struct gemm_side rows = {MATMUL(gemm_pack), a, g->trans_a ? 1 : g->k,
                                   g->trans_a ? g->m : 1, NULL};
    const struct gemm_side columns = {MATMUL(gemm_pack), b, g->trans_b ? g->k : 1,
                                      g->trans_b ? 1 : g->n, NULL};
    const MATMUL_T alpha = MATMUL_FACTOR(g->alpha), beta = MATMUL_FACTOR(g->beta);
    MATMUL(gemm)(g->m, g->n, g->k, &rows, &columns, y, g->n, 1);
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++, y++) {
            *y = alpha * *y;
            if (c)
                *y += beta * c[i * g->c_row_step + j * g->c_col_step];
        }
}
#undef MATMUL_T
#undef MATMUL_FACTOR
#undef MATMUL

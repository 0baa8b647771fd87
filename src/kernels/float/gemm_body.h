/* Text of one matrix product, included by gemm.c once per element type with GEMM_T and GEMM(name)
 * defined.
 *
 * A tile of ROWS x COLS sums stays in registers while it walks a run of p: two 32-byte vectors per
 * row, eight vectors in all, as many as AVX2 needs to hide the latency of an addition. The lanes of
 * a vector are different j, so the vectoriser's width never reaches the order of a sum.
 */
typedef GEMM_T GEMM(vec) __attribute__((vector_size(32), aligned(8), may_alias));

enum { GEMM(COLS) = 2 * 32 / sizeof(GEMM_T), GEMM(WIDE) = 4 * GEMM(COLS) };

KERNEL_CLONES
static void GEMM(tile)(int np, const GEMM_T *a, const GEMM_T *b, GEMM_T *sums)
{
    GEMM(vec)
    r00 = {0}, r01 = {0}, r10 = {0}, r11 = {0}, r20 = {0}, r21 = {0}, r30 = {0}, r31 = {0};
    for (int p = 0; p < np; p++, a += ROWS, b += GEMM(COLS)) {
        const GEMM(vec) b0 = *(const GEMM(vec) *)b, b1 = *(const GEMM(vec) *)(b + GEMM(COLS) / 2);
        r00 += a[0] * b0, r01 += a[0] * b1;
        r10 += a[1] * b0, r11 += a[1] * b1;
        r20 += a[2] * b0, r21 += a[2] * b1;
        r30 += a[3] * b0, r31 += a[3] * b1;
    }
    GEMM(vec) *out = (GEMM(vec) *)sums;
    out[0] = r00, out[1] = r01, out[2] = r10, out[3] = r11;
    out[4] = r20, out[5] = r21, out[6] = r30, out[7] = r31;
}

static void GEMM(store)(const GEMM_T *sums, int rows, int cols, bool first, GEMM_T *c,
                        int64_t row_step, int64_t col_step)
{
    for (int i = 0; i < rows; i++) {
        GEMM_T *row = c + i * row_step;
        const GEMM_T *from = sums + i * GEMM(COLS);
        for (int j = 0; j < cols; j++)
            row[j * col_step] = first ? from[j] : row[j * col_step] + from[j];
    }
}

/* One run of p: all rows against the packed columns j0 .. j0+nj-1. */
static void GEMM(rows)(int64_t m, const struct gemm_side *a, const struct gemm_cut *cut,
                       const GEMM_T *panels, GEMM_T *c, int64_t row_step, int64_t col_step)
{
    GEMM_T left[GEMM_RUN * ROWS] __attribute__((aligned(64)));
    GEMM_T sums[ROWS * GEMM(COLS)] __attribute__((aligned(64)));
    for (int64_t i = 0; i < m; i += ROWS) {
        const int rows = m - i < ROWS ? (int)(m - i) : ROWS;
        a->pack(a, &(struct gemm_cut){cut->p0, i, cut->np, rows, ROWS}, left);
        for (int j = 0; j < cut->nj; j += GEMM(COLS)) {
            const int cols = cut->nj - j < GEMM(COLS) ? cut->nj - j : GEMM(COLS);
            GEMM(tile)(cut->np, left, panels + j * GEMM_RUN, sums);
            GEMM(store)
            (sums, rows, cols, cut->p0 == 0, c + i * row_step + (cut->j0 + j) * col_step, row_step,
             col_step);
        }
    }
}

static void GEMM(columns)(int64_t m, int64_t k, const struct gemm_side *a,
                          const struct gemm_side *b, int64_t j0, int nj, GEMM_T *c,
                          int64_t row_step, int64_t col_step)
{
    GEMM_T panels[GEMM_RUN * GEMM(WIDE)] __attribute__((aligned(64)));
    for (int64_t p = 0; p < k; p += GEMM_RUN) {
        const int np = k - p < GEMM_RUN ? (int)(k - p) : GEMM_RUN;
        for (int j = 0; j < nj; j += GEMM(COLS)) {
            const int cols = nj - j < GEMM(COLS) ? nj - j : GEMM(COLS);
            b->pack(b, &(struct gemm_cut){p, j0 + j, np, cols, GEMM(COLS)}, panels + j * GEMM_RUN);
        }
        GEMM(rows)(m, a, &(struct gemm_cut){p, j0, np, nj, 0}, panels, c, row_step, col_step);
    }
}

/* One row times plain columns: packing would cost as much as the product, so the operand is read as it lies. sums[j], j < n, of one
 * run of p. */
KERNEL_CLONES
static void GEMM(row_along)(int np, const GEMM_T *left, const GEMM_T *from, int64_t step_p, int n,
                            GEMM_T *sums)
{
    for (int j = 0; j < n; j++)
        sums[j] = 0;
    for (int p = 0; p < np; p++, from += step_p)
        for (int j = 0; j < n; j++)
            sums[j] += left[p] * from[j];
}

/* The same for columns that lie along p: eight sums at a time hide the latency of an addition. */
static void GEMM(row_across)(int np, const GEMM_T *left, const GEMM_T *from, int64_t step_j, int n,
                             GEMM_T *sums)
{
    for (int j = 0; j < n; j += 8) {
        const GEMM_T *b[8];
        GEMM_T s[8] = {0};
        for (int l = 0; l < 8; l++)
            b[l] = from + (j + l < n ? j + l : j) * step_j;
        for (int p = 0; p < np; p++) {
            const GEMM_T x = left[p];
            s[0] += x * b[0][p], s[1] += x * b[1][p], s[2] += x * b[2][p], s[3] += x * b[3][p];
            s[4] += x * b[4][p], s[5] += x * b[5][p], s[6] += x * b[6][p], s[7] += x * b[7][p];
        }
        for (int l = 0; l < 8 && j + l < n; l++)
            sums[j + l] = s[l];
    }
}

enum { GEMM(BAND) = 1024 };

static bool GEMM(is_row)(int64_t m, const struct gemm_side *b)
{
    return m == 1 && b->pack == GEMM(gemm_pack) && (b->step_j == 1 || b->step_p == 1);
}

static void GEMM(row)(int64_t n, int64_t k, const struct gemm_side *a, const struct gemm_side *b,
                      GEMM_T *c, int64_t col_step)
{
    GEMM_T left[GEMM_RUN], sums[GEMM(BAND)] __attribute__((aligned(64)));
    for (int64_t p = 0; p < k; p += GEMM_RUN) {
        const int np = k - p < GEMM_RUN ? (int)(k - p) : GEMM_RUN;
        a->pack(a, &(struct gemm_cut){p, 0, np, 1, 1}, left);
        for (int64_t j = 0; j < n; j += GEMM(BAND)) {
            const int nj = n - j < GEMM(BAND) ? (int)(n - j) : GEMM(BAND);
            const GEMM_T *from = (const GEMM_T *)b->data + p * b->step_p + j * b->step_j;
            if (b->step_j == 1)
                GEMM(row_along)(np, left, from, b->step_p, nj, sums);
            else
                GEMM(row_across)(np, left, from, b->step_j, nj, sums);
            GEMM(store)(sums, 1, nj, p == 0, c + j * col_step, 0, col_step);
        }
    }
}

void GEMM(gemm)(int64_t m, int64_t n, int64_t k, const struct gemm_side *a,
                const struct gemm_side *b, GEMM_T *c, int64_t row_step, int64_t col_step)
{
    if (n < GEMM(COLS) / 2 &&
        m > n) { /* few columns: let the rows fill the vectors; the sums are the same */
        GEMM(gemm)(n, m, k, b, a, c, col_step, row_step);
        return;
    }
    for (int64_t i = 0; k == 0 && i < m; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * row_step + j * col_step] = 0;
    if (GEMM(is_row)(m, b)) {
        GEMM(row)(n, k, a, b, c, col_step);
        return;
    }
    for (int64_t j = 0; j < n; j += GEMM(WIDE)) {
        const int nj = n - j < GEMM(WIDE) ? (int)(n - j) : GEMM(WIDE);
        GEMM(columns)(m, k, a, b, j, nj, c, row_step, col_step);
    }
}

void GEMM(gemm_pack)(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)
{
    const GEMM_T *from =
        (const GEMM_T *)side->data + cut->p0 * side->step_p + cut->j0 * side->step_j;
    GEMM_T *to = panel;
    for (int p = 0; p < cut->np; p++, from += side->step_p, to += cut->width) {
        for (int j = 0; j < cut->nj; j++)
            to[j] = from[j * side->step_j];
        for (int j = cut->nj; j < cut->width; j++)
            to[j] = 0;
    }
}

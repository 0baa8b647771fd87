/* Products of 8-bit integers with constant weights on oneDNN: MatMulInteger, DynamicQuantizeMatMul,
 * MatMulIntegerToFloat, DynamicQuantizeLSTM.
 *
 * oneDNN gives sum(a b); the zero points come in afterwards, all modulo 2^32 and so exact:
 * sum((a - za)(b - zb)) = sum(a b) - za sum(b) - zb sum(a) + k za zb. The sums of the columns of b are
 * kept. Unsigned weights are kept as b - 128. The columns are cut into pieces for the threads; the
 * operator's own adapter runs and finds the products through e->local.
 */
#include "ops/fast_int.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "kernels/kernel.h"
#include "kernels/onednn/dnn.h"
#include "ops/op_impl.h"

enum { PIECES = 4, PRODUCTS = 4 };
/* Multiplications worth a thread: some 10 us of one core with VNNI. */
static const double PIECE_WORK = 512e3;

struct product {
    int64_t m, n, k;
    int pieces;
    struct dnn_int *piece[PIECES];
    int32_t shift; /* of the kept weights: b = kept + shift */
    int32_t *sums; /* of the kept columns */
};

struct int_state {
    int n;
    struct product product[PRODUCTS];
    size_t scratch;
};

/* ---- prepare ---- */

static void sum_columns(const int8_t *b, int64_t k, int64_t n, int32_t *sums)
{
    for (int64_t i = 0; i < k; i++, b += n)
        for (int64_t j = 0; j < n; j++)
            sums[j] += b[j];
}

static const int8_t *signed_copy(const uint8_t *b, int64_t count, struct arena *a)
{
    uint8_t *copy = arena_try(a, (size_t)count);
    for (int64_t i = 0; copy && i < count; i++)
        copy[i] = b[i] ^ 0x80; /* b - 128 */
    return (const int8_t *)copy;
}

static int pieces_of(const struct product *p)
{
    double work = (double)p->m * (double)p->n * (double)p->k;
    int n = 1;
    while (n < PIECES && work / (2 * n) >= PIECE_WORK && p->n / (2 * n) >= 64)
        n *= 2;
    return n;
}

static int64_t piece_start(const struct product *p, int i)
{
    return p->n * i / p->pieces / 64 * 64; /* whole blocks of oneDNN's columns */
}

static int64_t piece_end(const struct product *p, int i)
{
    return i + 1 == p->pieces ? p->n : piece_start(p, i + 1);
}

/* oneDNN writes densely: a piece's result stands in the workspace first, before its scratch. */
static size_t result_bytes(const struct product *p, int i)
{
    size_t bytes = (size_t)(p->m * (piece_end(p, i) - piece_start(p, i))) * sizeof(int32_t);
    return (bytes + 63) & ~(size_t)63;
}

/* b: [k, n] of int8 or uint8. */
static bool make_product(struct prepare *q, struct int_state *s, struct product *p, bool a_signed,
                         const struct tensor *t, const void *b)
{
    const bool flip = t->dtype == DT_UINT8;
    const int8_t *kept = flip ? signed_copy(b, p->k * p->n, q->scratch) : b;
    if (!kept || p->m < 1 || p->n < 1 || p->k < 1)
        return false;
    p->shift = flip ? 128 : 0;
    p->pieces = pieces_of(p);
    p->sums = mem_alloc((size_t)p->n * sizeof *p->sums);
    sum_columns(kept, p->k, p->n, p->sums);
    for (int i = 0; i < p->pieces; i++) {
        const int64_t from = piece_start(p, i);
        const struct dnn_int_args args = {p->m, piece_end(p, i) - from, p->k, a_signed, kept + from,
                                          p->n};
        p->piece[i] = dnn_int_new(&args);
        if (!p->piece[i])
            return false;
        q->held += dnn_int_held(p->piece[i]);
        size_t bytes = dnn_int_scratch(p->piece[i]) + result_bytes(p, i);
        s->scratch = bytes > s->scratch ? bytes : s->scratch;
    }
    return true;
}

static void int_release(void *state)
{
    struct int_state *s = state;
    for (int i = 0; i < PRODUCTS; i++) {
        for (int k = 0; k < PIECES; k++)
            dnn_int_free(s->product[i].piece[k]);
        mem_free(s->product[i].sums);
    }
    mem_free(s);
}

static bool is_bytes(const struct tensor *t)
{
    return t && (t->dtype == DT_INT8 || t->dtype == DT_UINT8) && t->bytes && !t->recipe;
}

static int finish(struct prepare *p, struct int_state *s, bool made)
{
    if (!made) {
        int_release(s);
        return 1;
    }
    p->state = s;
    s->scratch = (s->scratch + 63) & ~(size_t)63;
    p->workspace = s->scratch;
    return 0;
}

/* Dims of a tensor as one number of rows and the last extent; false: not constant. */
static bool rows_of(const struct type *t, int64_t *rows, int64_t *last)
{
    *rows = 1;
    if (!t || t->rank < 1)
        return false;
    for (int i = 0; i < t->rank; i++)
        if (!dim_is_const(t->dims[i], last) || *last < 1 ||
            (i < t->rank - 1 && __builtin_mul_overflow(*rows, *last, rows)))
            return false;
    return true;
}

static int matmul_prepare(struct prepare *p)
{
    const struct tensor *b = p->constants[1];
    int64_t m, k;
    if (!is_bytes(b) || b->rank != 2 || !rows_of(p->in_types[0], &m, &k) || k != b->dims[0])
        return 1;
    struct int_state *s = mem_alloc(sizeof *s);
    s->n = 1;
    s->product[0] = (struct product){.m = m, .n = b->dims[1], .k = k};
    bool made = make_product(p, s, &s->product[0], p->in_types[0]->dtype == DT_INT8, b, b->data);
    if (made)
        file_forget(b->data, b->bytes);
    return finish(p, s, made);
}

/* W [directions, input, 4 hidden] meets the rows of all steps, R [directions, hidden, 4 hidden]
 * those of one. */
static int lstm_prepare(struct prepare *p)
{
    const struct tensor *w[2] = {p->constants[1], p->constants[2]};
    int64_t rows[2], input, steps;
    if (!is_bytes(w[0]) || !is_bytes(w[1]) || w[0]->rank != 3 || w[1]->rank != 3 ||
        !rows_of(p->in_types[0], &rows[0], &input) || p->in_types[0]->rank != 3 ||
        !dim_is_const(p->in_types[0]->dims[0], &steps) || w[0]->dims[1] != input ||
        w[0]->dims[0] != w[1]->dims[0] || w[0]->dims[0] > 2 || w[0]->dims[2] != w[1]->dims[2])
        return 1;
    struct int_state *s = mem_alloc(sizeof *s);
    bool made = true;
    rows[1] = rows[0] / steps;
    for (int i = 0; made && i < 2; i++)
        for (int64_t d = 0; made && d < w[i]->dims[0]; d++) {
            struct product *to = &s->product[s->n++];
            *to = (struct product){.m = rows[i], .n = w[i]->dims[2], .k = w[i]->dims[1]};
            made =
                make_product(p, s, to, false, w[i], (const char *)w[i]->data + d * to->k * to->n);
        }
    for (int i = 0; made && i < 2; i++)
        file_forget(w[i]->data, w[i]->bytes);
    return finish(p, s, made);
}

/* ---- run ---- */

static int int_run(const void *state, struct eval *e)
{
    const union {
        const void *in;
        void *out;
    } own = {state};
    *e->local = own.out;
    return e->node->op->eval(e);
}

struct call {
    struct eval *e;
    const struct product *p;
    const struct matmul_int_args *args;
    size_t scratch;
    int32_t *y;
};

static uint32_t sum_row(const struct call *c, int64_t row)
{
    const int64_t k = c->p->k;
    const int8_t *s = (const int8_t *)c->args->a + row * k;
    const uint8_t *u = (const uint8_t *)c->args->a + row * k;
    int64_t sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += c->args->a_signed ? s[i] : u[i];
    return (uint32_t)sum;
}

/* Columns from .. end of y from the piece's dense result. */
static void add_zero_points(const struct call *c, const uint32_t *result, int64_t from, int64_t end)
{
    const struct matmul_zero *bz = &c->args->b_zero;
    const int32_t *sums = c->p->sums;
    const uint32_t za = c->args->a_zero.zero ? (uint32_t)*c->args->a_zero.zero : 0,
                   kza = (uint32_t)c->p->k * za, shift = (uint32_t)c->p->shift;
    bool columns = bz->zero && bz->step;
    const uint32_t one = (bz->zero ? (uint32_t)*bz->zero : 0) - shift;
    for (int64_t i = 0; i < c->p->m; i++, result += end - from) {
        uint32_t *y = (uint32_t *)c->y + i * c->p->n;
        const uint32_t rest = columns || one ? kza - sum_row(c, i) : 0;
        for (int64_t j = from; !columns && j < end; j++)
            y[j] = result[j - from] + one * rest - za * (uint32_t)sums[j];
        for (int64_t j = from; columns && j < end; j++)
            y[j] =
                result[j - from] + ((uint32_t)bz->zero[j] - shift) * rest - za * (uint32_t)sums[j];
    }
}

static int run_piece(void *user, size_t i, int worker)
{
    const struct call *c = user;
    char *work = (char *)c->e->workspace + (size_t)worker * c->scratch;
    int32_t *result = (int32_t *)(void *)work;
    if (!dnn_int_run(c->p->piece[i], c->args->a, result, work + result_bytes(c->p, (int)i)))
        return eval_fail(c->e, E_LIMIT_MEMORY, "oneDNN could not run a product of integers");
    add_zero_points(c, (const uint32_t *)(void *)work, piece_start(c->p, (int)i),
                    piece_end(c->p, (int)i));
    return 0;
}

int eval_matmul_int(struct eval *e, int index, const struct matmul_params *p,
                    const struct matmul_int_args *args, int32_t *y)
{
    const struct int_state *s = e->local ? *e->local : NULL;
    if (!s || index >= s->n || args->a_zero.step || args->b_zero.batch_step ||
        args->a_signed != (e->in[0]->dtype == DT_INT8)) {
        matmul_int(p, args, y);
        return 0;
    }
    struct call c = {e, &s->product[index], args, s->scratch, y};
    return pool_run(e->pool, (size_t)c.p->pieces, run_piece, &c);
}

const struct op_fast fast_matmul_integer = {matmul_prepare, int_run, int_release, NULL};
const struct op_fast fast_dynamic_quantize_lstm = {lstm_prepare, int_run, int_release, NULL};

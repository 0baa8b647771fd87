/* A change between the model's order of axes and channels last: [n][c][m] <-> [n][m][c].
 *
 * Work is cut into pieces of whole batches and runs of m; a piece's bytes depend on nothing else,
 * so the pool may take them in any order.
 */
#include <string.h>

#include "exec/lower.h"
#include "kernels/float/swap_axes.h"

enum { PIECE_BYTES = 64 << 10 };

struct reorder {
    int64_t n, rows, cols, step; /* [rows][cols] -> [cols][rows], n times; rows per piece */
    size_t size;                 /* of an element */
};

struct reorder_call {
    const struct reorder *r;
    const char *from;
    char *to;
};

static int64_t pieces_of(const struct reorder *r) { return (r->rows + r->step - 1) / r->step; }

static int run_piece(void *user, size_t index, int worker)
{
    const struct reorder_call *c = user;
    const struct reorder *r = c->r;
    int64_t batch = (int64_t)index / pieces_of(r), first = (int64_t)index % pieces_of(r) * r->step;
    int64_t rows = r->rows - first < r->step ? r->rows - first : r->step;
    size_t base = (size_t)(batch * r->rows * r->cols) * r->size;
    (void)worker;
    swap_axes(c->from + base + (size_t)(first * r->cols) * r->size,
              c->to + base + (size_t)first * r->size,
              &(struct swap_axes_args){rows, r->cols, r->cols, r->rows, r->size});
    return 0;
}

int reorder_run(const void *state, struct eval *e)
{
    const struct reorder *r = state;
    struct reorder_call c = {r, e->in[0]->data, tensor_writable(e->out[0])};
    size_t count = (size_t)(r->n * pieces_of(r));
    return pool_run(count > 1 ? e->pool : NULL, count, run_piece, &c);
}

struct step reorder_step(struct lower *l, int from, int to, bool to_last)
{
    struct plan *p = l->p;
    struct reorder *r = arena_alloc(p->arena, sizeof *r);
    const struct type *t = &p->slots.data[to_last ? to : from].type; /* N, spatial..., C */
    int64_t dims[2] = {0}, m = 1, size = 0;
    dim_is_const(t->dims[0], &dims[0]);
    dim_is_const(t->dims[t->rank - 1], &dims[1]);
    for (int i = 1; i < t->rank - 1; i++) {
        dim_is_const(t->dims[i], &size);
        m *= size;
    }
    r->n = dims[0];
    r->rows = to_last ? dims[1] : m;
    r->cols = to_last ? m : dims[1];
    r->size = (size_t)dtype_bits(t->dtype) / 8;
    r->step = PIECE_BYTES / ((int64_t)r->size * (r->cols ? r->cols : 1)) / 16 * 16;
    r->step = r->step < 16 ? 16 : r->step;
    struct step s = {.n_in = 1, .n_out = 1, .workspace = -1, .run = reorder_run, .state = r};
    s.in = arena_alloc(p->arena, sizeof *s.in);
    s.out = arena_alloc(p->arena, sizeof *s.out);
    s.in[0] = from;
    s.out[0] = to;
    s.label = "reorder";
    return s;
}

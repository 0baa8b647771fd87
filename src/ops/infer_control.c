/* Shapes of control flow: If, Loop, Scan, SequenceMap.
 *
 * If: both branches are inferred; a known condition decides, else what both say stays. A branch may
 * be dead (exporters guard what does not fit), so faults inside are warnings unless the branch is
 * known to be taken. Loop, Scan: the body is inferred with the types that go in; where it gives a
 * carried value back differently, the two are joined and the body is inferred again, so that the
 * types hold for every iteration. Scan outputs get the trip count as an extent when it is known.
 */
#include "ops/infer.h"

#include <string.h>

static struct infer_slot *new_slots(struct infer *c, uint32_t n)
{
    struct infer_slot *s = arena_array(c->arena, (size_t)n + 1, sizeof *s);
    for (uint32_t i = 0; i < n; i++)
        s[i] = (struct infer_slot){.given = true, .type = {.rank = -1}};
    return s;
}

static void put(struct infer *c, uint32_t i, const struct infer_slot *s)
{
    infer_out_type(c, i, &s->type);
    struct engine *g = engine_of(c);
    if (i < g->n_out) {
        g->out[i].data = s->data;
        g->out[i].values = s->values;
        g->out[i].n_values = s->n_values;
    }
}

/* Extents that are not known get a name of their own. */
static struct type named(struct infer *c, const struct type *t, const char *hint)
{
    struct type full = *t;
    if (t->kind != TYPE_TENSOR || t->rank <= 0)
        return full;
    dim_t *dims = arena_copy(c->arena, t->dims, (size_t)t->rank * sizeof *dims);
    for (int i = 0; i < t->rank; i++)
        dims[i] = dims[i] ? dims[i] : infer_fresh(c, hint);
    full.dims = dims;
    return full;
}

/* ---- If ---- */

static int enter_branch(struct infer *c, const char *name, bool maybe_dead, struct infer_slot *out)
{
    struct graph *g = node_graph(c->node, name);
    uint32_t n = c->node->n_outputs;
    if (g->outputs.count < n)
        return infer_fail(c, "%s gives %zu outputs for %u", name, g->outputs.count, n);
    return infer_enter(c, g, NULL, 0, out, n, maybe_dead);
}

int infer_if(struct infer *c)
{
    uint32_t n = c->node->n_outputs;
    const dim_t *values;
    int64_t count, taken = -1;
    if (!infer_may_enter(c))
        return 0;
    if (infer_values(c, 0, &values, &count) && count == 1 && !dim_is_const(values[0], &taken))
        taken = -1;
    struct infer_slot *then_out = new_slots(c, n), *else_out = new_slots(c, n);
    int rc = enter_branch(c, "then_branch", taken < 1, then_out);
    rc = rc ? rc : enter_branch(c, "else_branch", taken != 0, else_out);
    for (uint32_t i = 0; !rc && i < n; i++) {
        struct infer_slot joined = {.given = true};
        joined.type = type_join(c->arena, &then_out[i].type, &else_out[i].type);
        put(c, i, taken > 0 ? &then_out[i] : taken == 0 ? &else_out[i] : &joined);
    }
    return rc;
}

/* ---- bodies that repeat ---- */

struct repeat {
    struct graph *body;
    struct infer_slot *in, *out;
    uint32_t n_in, n_out;
    uint32_t first_in, first_out, carried; /* where the carried values stand in in and out */
};

/* Joins what goes in with what comes back. true: nothing changed. */
static bool settle(struct infer *c, struct repeat *r)
{
    bool stable = true;
    for (uint32_t i = 0; i < r->carried; i++) {
        struct infer_slot *in = &r->in[r->first_in + i];
        struct type joined = type_join(c->arena, &in->type, &r->out[r->first_out + i].type);
        stable = stable && type_equal(&joined, &in->type);
        in->type = joined;
    }
    return stable;
}

/* A type loses something in every round (extents, then rank, then element type): three rounds
 * settle what shapes do in practice; what is left after them is forgotten. */
static int enter_repeated(struct infer *c, struct repeat *r)
{
    enum { ROUNDS = 3 };
    bool stable = false;
    for (int round = 0; round < ROUNDS && !stable; round++) {
        if (!infer_may_enter(c))
            break;
        int rc = infer_enter(c, r->body, r->in, r->n_in, r->out, r->n_out, false);
        if (rc)
            return rc;
        stable = settle(c, r);
    }
    for (uint32_t i = 0; !stable && i < r->carried; i++)
        r->in[r->first_in + i].type.rank = -1;
    return 0;
}

/* ---- Loop: M, condition, carried... ---- */

static bool starts_true(struct infer *c)
{
    const dim_t *values;
    int64_t n, on;
    return !infer_has(c, 1) ||
           (infer_values(c, 1, &values, &n) && n == 1 && dim_is_const(values[0], &on) && on);
}

/* The trip count when the condition never changes. */
static dim_t trips_of(struct infer *c, const struct repeat *r)
{
    const dim_t *values;
    int64_t n, on;
    const struct infer_slot *again = &r->out[0];
    bool always = starts_true(c) && again->values && again->n_values == 1 &&
                  dim_is_const(again->values[0], &on) && on;
    if (!always || !infer_values(c, 0, &values, &n) || n != 1)
        return NULL;
    return dim_max(c->dims, infer_int(c, 0), values[0]);
}

static void scan_output(struct infer *c, uint32_t i, const struct type *elem, int axis, dim_t trips)
{
    trips = trips ? trips : infer_fresh(c, "trips");
    if (elem->kind != TYPE_TENSOR || elem->rank < 0) {
        infer_unknown(c, i, elem->kind == TYPE_TENSOR ? elem->dtype : DT_UNDEFINED);
        return;
    }
    axis = axis < 0 ? axis + elem->rank + 1 : axis;
    dim_t *dims = infer_room(c, elem->rank + 1);
    for (int k = 0, from = 0; k <= elem->rank; k++)
        dims[k] = k == axis ? trips : elem->dims[from++];
    infer_out(c, i, elem->dtype, elem->rank + 1, dims);
}

static void loop_inputs(struct infer *c, struct repeat *r)
{
    dim_t *on = infer_room(c, 1);
    on[0] = infer_int(c, 1);
    r->in[0].type = (struct type){.kind = TYPE_TENSOR, .dtype = DT_INT64, .dims = on};
    r->in[1].type = (struct type){.kind = TYPE_TENSOR, .dtype = DT_BOOL, .dims = on};
    if (starts_true(c)) {
        r->in[1].values = on; /* the body runs only while it holds */
        r->in[1].n_values = 1;
    }
    for (uint32_t i = 0; i < r->carried; i++)
        r->in[i + 2].type = *infer_type(c, i + 2);
}

int infer_loop(struct infer *c)
{
    struct graph *body = node_graph(c->node, "body");
    uint32_t n_in = c->node->n_inputs < 2 ? 2 : c->node->n_inputs, carried = n_in - 2;
    if (!infer_may_enter(c))
        return 0;
    if (body->outputs.count < 1 + (size_t)carried || body->inputs.count != n_in)
        return infer_fail(c, "the body takes %zu inputs and gives %zu, expected %u and at least %u",
                          body->inputs.count, body->outputs.count, n_in, carried + 1);
    struct repeat r = {.body = body,
                       .n_in = n_in,
                       .n_out = (uint32_t)body->outputs.count,
                       .first_in = 2,
                       .first_out = 1};
    r.carried = carried;
    r.in = new_slots(c, r.n_in);
    r.out = new_slots(c, r.n_out);
    loop_inputs(c, &r);
    int rc = enter_repeated(c, &r);
    dim_t trips = rc ? NULL : trips_of(c, &r);
    for (uint32_t i = 0; !rc && i < carried; i++) {
        struct infer_slot s = {.given = true, .type = named(c, &r.in[i + 2].type, "carried")};
        put(c, i, &s);
    }
    for (uint32_t i = carried; !rc && i + 1 < r.n_out; i++)
        scan_output(c, i, &r.out[i + 1].type, 0, trips);
    return rc;
}

/* ---- Scan: states..., sequences... Scan-8 has sequence lengths first, and batch and sequence as
 * the axes 0 and 1 of everything. ---- */

static int64_t axis_at(const struct node *n, const char *name, uint32_t i)
{
    const int64_t *axes;
    uint32_t count;
    return node_ints(n, name, &axes, &count) && i < count ? axes[i] : 0;
}

/* The type without `drop` leading axes (Scan-8), or without one axis. */
static struct type without_axis(struct infer *c, const struct type *t, int axis)
{
    struct type elem = *t;
    if (t->kind != TYPE_TENSOR || t->rank < 1)
        return elem;
    dim_t *dims = infer_room(c, t->rank);
    for (int i = 0, to = 0; i < t->rank; i++)
        if (i != axis)
            dims[to++] = t->dims[i];
    elem.rank = t->rank - 1;
    elem.dims = dims;
    return elem;
}

struct scan {
    uint32_t first, states, sequences;
    bool batched; /* Scan-8 */
    dim_t batch, length;
};

static int scan_inputs(struct infer *c, const struct scan *s, struct repeat *r, dim_t *length)
{
    for (uint32_t i = 0; i < s->states; i++) {
        const struct type *t = infer_type(c, s->first + i);
        r->in[i].type = s->batched ? without_axis(c, t, 0) : *t;
    }
    for (uint32_t i = 0; i < s->sequences; i++) {
        const struct type *t = infer_type(c, s->first + s->states + i);
        int axis = s->batched ? 1 : (int)axis_at(c->node, "scan_input_axes", i);
        int rc = t->kind == TYPE_TENSOR && t->rank >= 0 ? infer_axis(c, axis, t->rank, &axis) : 0;
        if (rc)
            return rc;
        if (t->kind == TYPE_TENSOR && t->rank > axis && !*length)
            *length = t->dims[axis];
        struct type elem = without_axis(c, t, axis);
        r->in[s->states + i].type = s->batched ? without_axis(c, &elem, 0) : elem;
    }
    return 0;
}

static struct type with_batch(struct infer *c, const struct type *t, dim_t batch)
{
    struct type full = *t;
    if (t->kind != TYPE_TENSOR || t->rank < 0)
        return full;
    dim_t *dims = infer_room(c, t->rank + 1);
    dims[0] = batch;
    memcpy(dims + 1, t->dims, (size_t)t->rank * sizeof *dims);
    full.rank = t->rank + 1;
    full.dims = dims;
    return full;
}

static void scan_outputs(struct infer *c, const struct scan *s, const struct repeat *r,
                         dim_t length)
{
    dim_t batch = s->batched ? infer_dim(c, s->first, 0) : NULL;
    for (uint32_t i = 0; i < s->states; i++) {
        struct infer_slot out = {.given = true, .type = r->in[i].type};
        if (s->batched)
            out.type = with_batch(c, &out.type, batch);
        put(c, i, &out);
    }
    for (uint32_t i = s->states; i < r->n_out; i++) {
        struct type elem = s->batched ? with_batch(c, &r->out[i].type, batch) : r->out[i].type;
        scan_output(c, i, &elem,
                    s->batched ? 1 : (int)axis_at(c->node, "scan_output_axes", i - s->states),
                    length);
    }
}

int infer_scan(struct infer *c)
{
    struct graph *body = node_graph(c->node, "body");
    int64_t sequences = node_int(c->node, "num_scan_inputs", 0);
    struct scan s = {.batched = c->version < 9, .first = c->version < 9};
    if (!infer_may_enter(c))
        return 0;
    if (sequences < 1 || sequences > (int64_t)c->node->n_inputs - s.first)
        return infer_fail(c, "%lld of %u inputs are scanned", (long long)sequences,
                          c->node->n_inputs - s.first);
    s.sequences = (uint32_t)sequences;
    s.states = c->node->n_inputs - s.first - s.sequences;
    if (body->inputs.count != s.states + s.sequences || body->outputs.count < s.states)
        return infer_fail(c, "the body takes %zu inputs, expected %u", body->inputs.count,
                          s.states + s.sequences);
    struct repeat r = {.body = body,
                       .n_in = s.states + s.sequences,
                       .n_out = (uint32_t)body->outputs.count,
                       .carried = s.states};
    r.in = new_slots(c, r.n_in);
    r.out = new_slots(c, r.n_out);
    dim_t length = NULL;
    int rc = scan_inputs(c, &s, &r, &length);
    rc = rc ? rc : enter_repeated(c, &r);
    if (!rc)
        scan_outputs(c, &s, &r, length);
    return rc;
}

/* ---- SequenceMap: the body maps one element of each input sequence ---- */

int infer_sequence_map(struct infer *c)
{
    struct graph *body = node_graph(c->node, "body");
    uint32_t n_in = c->node->n_inputs, n_out = c->node->n_outputs;
    if (!infer_may_enter(c))
        return 0;
    if (body->outputs.count < n_out || body->inputs.count != n_in)
        return infer_fail(c, "the body takes %zu inputs and gives %zu", body->inputs.count,
                          body->outputs.count);
    struct infer_slot *in = new_slots(c, n_in), *out = new_slots(c, n_out);
    for (uint32_t i = 0; i < n_in; i++) {
        const struct type *t = infer_type(c, i);
        in[i].type = t->kind == TYPE_SEQUENCE && t->elem ? *t->elem : *t;
    }
    int rc = infer_enter(c, body, in, n_in, out, n_out, false);
    for (uint32_t i = 0; !rc && i < n_out; i++) {
        struct type *elem = arena_alloc(c->arena, sizeof *elem);
        *elem = out[i].type;
        struct type t = {.kind = TYPE_SEQUENCE, .rank = -1, .elem = elem};
        infer_out_type(c, i, &t);
    }
    return rc;
}

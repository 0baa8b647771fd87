/* Running control flow: If, Loop, Scan, SequenceMap. The host runs the subgraphs; what a body gives
 * back lives until the body has run twice more, so carried values are handed on as they are and
 * everything that is collected is copied at once.
 */
#include <string.h>

#include "ops/adapt.h"

static struct tensor *scratch_tensor(struct eval *e, enum dtype dtype, int rank,
                                     const int64_t *dims)
{
    int64_t count;
    size_t bytes;
    void *data = NULL;
    if (num_product(dims, rank, &count) && dtype_bytes(dtype, count, &bytes))
        data = eval_scratch(e, (int64_t)(bytes ? bytes : 1), 1);
    return data ? tensor_view(e->scratch, dtype, rank, dims, data) : NULL;
}

/* A copy in scratch. NULL: memory refused. Strings share their bytes. */
static const struct tensor *copied(struct eval *e, const struct tensor *t)
{
    if (t->dtype == DT_UNDEFINED || t->dtype == DT_STRING) {
        struct tensor *same = arena_copy(e->scratch, t, sizeof *t);
        if (t->dtype == DT_STRING)
            same->strings =
                arena_copy(e->scratch, t->strings, (size_t)t->count * sizeof *t->strings);
        same->dims = arena_copy(e->scratch, t->dims, (size_t)t->rank * sizeof *t->dims);
        return same;
    }
    struct tensor *to = scratch_tensor(e, t->dtype, t->rank, t->dims);
    if (to && t->bytes)
        memcpy(tensor_writable(to), t->data, t->bytes);
    return to;
}

int eval_if(struct eval *e)
{
    if (e->in[0]->count != 1)
        return eval_fail(e, E_SHAPE, "If: the condition has %lld elements",
                         (long long)e->in[0]->count);
    const struct graph *g = node_graph(e->node, in_int(e, 0, 0) ? "then_branch" : "else_branch");
    const struct tensor **out = arena_array(e->scratch, (size_t)e->n_out + 1, sizeof *out);
    int rc = eval_graph(e, g, NULL, 0, out, e->n_out);
    for (uint32_t i = 0; !rc && i < e->n_out; i++)
        rc = has_out(e, i) ? eval_out_value(e, i, out[i]) : 0;
    return rc;
}

/* ---- collecting one tensor per iteration ---- */

struct collected {
    const struct tensor **items;
    int64_t count, room;
};

static int collect(struct eval *e, struct collected *c, const struct tensor *t)
{
    if (c->count == c->room) {
        int64_t room = c->room ? 2 * c->room : 16;
        const struct tensor **grown = eval_scratch(e, room, sizeof *grown);
        if (!grown)
            return eval_memory(e);
        if (c->count)
            memcpy(grown, c->items, (size_t)c->count * sizeof *grown);
        c->items = grown;
        c->room = room;
    }
    const struct tensor *kept = copied(e, t);
    if (!kept)
        return eval_memory(e);
    c->items[c->count++] = kept;
    return 0;
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

/* Stacks the items along a new axis 0 of output i. like: the type of an item when there is none. */
static int stack(struct eval *e, uint32_t i, const struct collected *c, const struct type *like)
{
    const struct tensor *first = c->count ? c->items[0] : NULL;
    int rank = first ? first->rank : like->kind == TYPE_TENSOR && like->rank >= 0 ? like->rank : 0;
    int64_t *dims = arena_array(e->scratch, (size_t)rank + 1, sizeof *dims);
    dims[0] = c->count;
    for (int k = 0; k < rank; k++)
        if (first)
            dims[k + 1] = first->dims[k];
        else if (!dim_is_const(like->dims[k], &dims[k + 1]))
            dims[k + 1] = 0;
    if (!has_out(e, i))
        return 0;
    struct tensor *out = eval_out(e, i, first ? first->dtype : like->dtype, rank + 1, dims);
    if (!out)
        return eval_memory(e);
    if (first && (dtype_bits(first->dtype) < 8 || first->dtype == DT_STRING))
        return eval_form(e, "collects %s", dtype_name(first->dtype));
    for (int64_t k = 0; k < c->count; k++) {
        if (!same_shape(c->items[k], first))
            return eval_fail(e, E_SHAPE, "%s: iteration %lld gives another shape than the first",
                             e->node->op_type, (long long)k);
        if (first->bytes)
            memcpy((char *)tensor_writable(out) + (size_t)k * first->bytes, c->items[k]->data,
                   first->bytes);
    }
    return 0;
}

/* ---- Loop ---- */

struct loop {
    const struct graph *body;
    uint32_t carried, n_in, n_out;
    const struct tensor **in, **out;
    struct collected *scans;
};

static int loop_begin(struct eval *e, struct loop *l)
{
    l->body = node_graph(e->node, "body");
    l->carried = e->n_in > 2 ? e->n_in - 2 : 0;
    l->n_in = l->carried + 2;
    l->n_out = (uint32_t)l->body->outputs.count;
    if (l->body->inputs.count != l->n_in || l->n_out < l->carried + 1)
        return eval_fail(e, E_SHAPE, "Loop: the body does not fit its node");
    l->in = arena_array(e->scratch, l->n_in, sizeof *l->in);
    l->out = arena_array(e->scratch, l->n_out, sizeof *l->out);
    l->scans = arena_array(e->scratch, l->n_out, sizeof *l->scans);
    for (uint32_t i = 0; i < l->carried; i++)
        if (!(l->in[i + 2] = e->in[i + 2]))
            return eval_fail(e, E_OP_ARITY, "Loop: carried value %u is left out", i);
    return 0;
}

/* One iteration. *go: the body's condition. */
static int loop_step(struct eval *e, struct loop *l, int64_t iteration, bool *go)
{
    struct tensor *count = tensor_scalar(e->scratch, DT_INT64, 0);
    num_set_int(tensor_writable(count), DT_INT64, 0, iteration);
    l->in[0] = count;
    l->in[1] = tensor_scalar(e->scratch, DT_BOOL, 1);
    int rc = eval_graph(e, l->body, l->in, l->n_in, l->out, l->n_out);
    if (rc)
        return rc;
    *go = l->out[0]->count == 1 && tensor_get(l->out[0], 0) != 0;
    for (uint32_t i = 0; i < l->carried; i++)
        l->in[i + 2] = l->out[i + 1];
    for (uint32_t i = l->carried + 1; !rc && i < l->n_out; i++)
        rc = has_out(e, i - 1) ? collect(e, &l->scans[i], l->out[i]) : 0;
    return rc;
}

int eval_loop(struct eval *e)
{
    struct loop l = {0};
    int64_t most = has_in(e, 0) ? in_int(e, 0, 0) : INT64_MAX;
    bool go = !has_in(e, 1) || in_int(e, 1, 1) != 0;
    int rc = loop_begin(e, &l);
    for (int64_t i = 0; !rc && go && i < most; i++) {
        rc = ctx_check(e->ctx);
        rc = rc ? rc : loop_step(e, &l, i, &go);
    }
    for (uint32_t i = 0; !rc && i < l.carried; i++)
        rc = has_out(e, i) ? eval_out_value(e, i, l.in[i + 2]) : 0;
    for (uint32_t i = l.carried; !rc && i + 1 < l.n_out; i++)
        rc = stack(e, i, &l.scans[i + 1], &l.body->outputs.data[i + 1]->value->type);
    return rc;
}

/* ---- Scan ---- */

struct scan {
    const struct graph *body;
    uint32_t first, states, sequences, n_out; /* first: the input where the states begin */
    bool batched; /* Scan-8: batch is axis 0 and the sequence axis 1 of everything */
    int64_t batch, length;
    const struct tensor **in, **out;
};

static int64_t listed(const struct node *n, const char *name, uint32_t i)
{
    const int64_t *list;
    uint32_t count;
    return node_ints(n, name, &list, &count) && i < count ? list[i] : 0;
}

static int64_t sequence_axis(const struct eval *e, const struct scan *s, uint32_t i)
{
    const struct tensor *t = e->in[s->first + s->states + i];
    int64_t axis = listed(e->node, "scan_input_axes", i);
    return s->batched ? 1 : axis < 0 ? axis + t->rank : axis;
}

static int scan_begin(struct eval *e, struct scan *s)
{
    *s = (struct scan){.body = node_graph(e->node, "body"),
                       .batched = e->version < 9,
                       .first = e->version < 9,
                       .batch = 1};
    int64_t sequences = node_int(e->node, "num_scan_inputs", 0);
    if (sequences < 1 || sequences > (int64_t)e->n_in - s->first)
        return eval_fail(e, E_OP_ATTR, "Scan: num_scan_inputs is %lld, the node has %u inputs",
                         (long long)sequences, e->n_in);
    s->sequences = (uint32_t)sequences;
    s->states = e->n_in - s->first - s->sequences;
    s->n_out = (uint32_t)s->body->outputs.count;
    if (s->body->inputs.count != s->states + s->sequences || s->n_out < s->states)
        return eval_fail(e, E_SHAPE, "Scan: the body does not fit its node");
    for (uint32_t i = s->first; i < e->n_in; i++)
        if (!has_in(e, i) || e->in[i]->dtype == DT_UNDEFINED)
            return eval_fail(e, E_OP_ARITY, "Scan: input %u is no tensor", i);
    for (uint32_t i = 0; i < s->sequences; i++) {
        const struct tensor *t = e->in[s->first + s->states + i];
        int64_t axis = sequence_axis(e, s, i);
        if (axis < 0 || axis >= t->rank || (i && t->dims[axis] != s->length))
            return eval_fail(e, E_SHAPE, "Scan: the sequences differ in length");
        if (dtype_bits(t->dtype) < 8 || t->dtype == DT_STRING)
            return eval_form(e, "sequences of %s", dtype_name(t->dtype));
        s->length = t->dims[axis];
        s->batch = s->batched ? t->dims[0] : 1;
    }
    for (uint32_t i = s->first; s->batched && i < e->n_in; i++)
        if (e->in[i]->rank < 1 || e->in[i]->dims[0] != s->batch)
            return eval_fail(e, E_SHAPE, "Scan: input %u does not have the batch of the others", i);
    if (s->batched && has_in(e, 0))
        return eval_form(e, "sequence lengths");
    s->in = arena_array(e->scratch, (size_t)s->states + s->sequences + 1, sizeof *s->in);
    s->out = arena_array(e->scratch, (size_t)s->n_out + 1, sizeof *s->out);
    return 0;
}

/* Element `at` of t along axis, as a tensor of its own. */
static const struct tensor *element(struct eval *e, const struct tensor *t, int axis, int64_t at)
{
    int64_t *dims = arena_array(e->scratch, (size_t)t->rank, sizeof *dims);
    struct axis_split s = split_axis(t, axis);
    size_t row = (size_t)s.inner * (size_t)dtype_bits(t->dtype) / 8;
    for (int i = 0, to = 0; i < t->rank; i++)
        if (i != axis)
            dims[to++] = t->dims[i];
    struct tensor *elem = scratch_tensor(e, t->dtype, t->rank - 1, dims);
    for (int64_t o = 0; elem && elem->bytes && o < s.outer; o++)
        memcpy((char *)tensor_writable(elem) + (size_t)o * row,
               (const char *)t->data + (size_t)(o * s.n + at) * row, row);
    return elem;
}

static const struct tensor *batch_element(struct eval *e, const struct scan *s,
                                          const struct tensor *t, int64_t b)
{
    return s->batched ? element(e, t, 0, b) : t;
}

static int scan_step(struct eval *e, struct scan *s, int64_t b, int64_t step,
                     struct collected *outs)
{
    for (uint32_t i = 0; i < s->sequences; i++) {
        const struct tensor *t = batch_element(e, s, e->in[s->first + s->states + i], b);
        bool back = listed(e->node, s->batched ? "directions" : "scan_input_directions", i) != 0;
        int axis = s->batched ? 0 : (int)sequence_axis(e, s, i);
        if (!t || !(s->in[s->states + i] = element(e, t, axis, back ? s->length - 1 - step : step)))
            return eval_memory(e);
    }
    int rc = eval_graph(e, s->body, s->in, s->states + s->sequences, s->out, s->n_out);
    for (uint32_t i = 0; !rc && i < s->states; i++)
        s->in[i] = s->out[i];
    for (uint32_t i = s->states; !rc && i < s->n_out; i++)
        rc = has_out(e, i) ? collect(e, &outs[i], s->out[i]) : 0;
    return rc;
}

/* Writes the items, in order of batch and step, into output i along the scan axis. */
static int scan_store(struct eval *e, const struct scan *s, uint32_t i, const struct collected *c)
{
    if (!has_out(e, i) || (!c->count && e->out[i]->data))
        return 0;
    if (!c->count)
        return e->out[i]->count || !e->out[i]->dtype ? eval_form(e, "sequences of length 0") : 0;
    const struct tensor *first = c->items[0];
    bool back = listed(e->node, "scan_output_directions", i - s->states) != 0;
    int64_t axis = s->batched ? 0 : listed(e->node, "scan_output_axes", i - s->states);
    axis = axis < 0 ? axis + first->rank + 1 : axis;
    if (axis < 0 || axis > first->rank)
        return eval_axis_fault(e, axis, first->rank + 1);
    int64_t *dims = arena_array(e->scratch, (size_t)first->rank + 2, sizeof *dims);
    int rank = 0;
    if (s->batched)
        dims[rank++] = s->batch;
    for (int k = 0, from = 0; k <= first->rank; k++)
        dims[rank++] = k == axis ? s->length : first->dims[from++];
    struct tensor *out = eval_out(e, i, first->dtype, rank, dims);
    if (!out)
        return eval_memory(e);
    struct axis_split t = split_dims(first->dims, first->rank, (int)axis);
    size_t row = (size_t)(t.n * t.inner) * (size_t)dtype_bits(first->dtype) / 8;
    row = first->count ? row : 0;
    for (int64_t k = 0; k < c->count && row; k++) {
        int64_t b = k / s->length, step = k % s->length, at = back ? s->length - 1 - step : step;
        if (!same_shape(c->items[k], first))
            return eval_fail(e, E_SHAPE, "Scan: step %lld gives another shape than the first",
                             (long long)k);
        for (int64_t o = 0; o < t.outer; o++)
            memcpy((char *)tensor_writable(out) +
                       (size_t)((b * t.outer + o) * s->length + at) * row,
                   (const char *)c->items[k]->data + (size_t)o * row, row);
    }
    return 0;
}

int eval_scan(struct eval *e)
{
    struct scan s;
    int rc = scan_begin(e, &s);
    struct collected *outs = arena_array(e->scratch, (size_t)(rc ? 0 : s.n_out) + 1, sizeof *outs);
    struct collected *finals =
        arena_array(e->scratch, (size_t)(rc ? 0 : s.states) + 1, sizeof *finals);
    for (int64_t b = 0; !rc && b < s.batch; b++) {
        for (uint32_t i = 0; i < s.states; i++)
            if (!(s.in[i] = batch_element(e, &s, e->in[s.first + i], b)))
                return eval_memory(e);
        for (int64_t step = 0; !rc && step < s.length; step++)
            rc = scan_step(e, &s, b, step, outs);
        for (uint32_t i = 0; !rc && s.batched && i < s.states; i++)
            rc = collect(e, &finals[i], s.in[i]);
    }
    for (uint32_t i = 0; !rc && i < s.states; i++)
        rc = !has_out(e, i) ? 0
             : s.batched    ? stack(e, i, &finals[i], &e->node->outputs[i]->type)
                            : eval_out_value(e, i, s.in[i]);
    for (uint32_t i = s.states; !rc && i < s.n_out; i++)
        rc = scan_store(e, &s, i, &outs[i]);
    return rc;
}

/* ---- SequenceMap ---- */

int eval_sequence_map(struct eval *e)
{
    const struct graph *body = node_graph(e->node, "body");
    const struct sequence *first = eval_sequence(e, 0);
    const struct tensor **in = arena_array(e->scratch, (size_t)e->n_in + 1, sizeof *in);
    const struct tensor **out = arena_array(e->scratch, (size_t)e->n_out + 1, sizeof *out);
    struct collected *outs = arena_array(e->scratch, (size_t)e->n_out + 1, sizeof *outs);
    if (!first || body->inputs.count != e->n_in || body->outputs.count < e->n_out)
        return eval_fail(e, E_SHAPE, "SequenceMap: the body does not fit its node");
    int rc = 0;
    for (uint32_t i = 0; i < e->n_in; i++)
        if (!has_in(e, i))
            return eval_fail(e, E_OP_ARITY, "SequenceMap: input %u is left out", i);
    for (int64_t k = 0; !rc && k < first->count; k++) {
        for (uint32_t i = 0; i < e->n_in; i++) {
            const struct sequence *s = eval_sequence(e, i);
            if (s && k >= s->count)
                return eval_fail(e, E_SHAPE, "SequenceMap: the sequences differ in length");
            in[i] = s ? s->items[k] : e->in[i];
        }
        rc = eval_graph(e, body, in, e->n_in, out, e->n_out);
        for (uint32_t i = 0; !rc && i < e->n_out; i++)
            rc = has_out(e, i) ? collect(e, &outs[i], out[i]) : 0;
    }
    for (uint32_t i = 0; !rc && i < e->n_out; i++) {
        enum dtype dtype =
            outs[i].count ? outs[i].items[0]->dtype : body->outputs.data[i]->value->type.dtype;
        struct sequence s = {TYPE_SEQUENCE, dtype, outs[i].count, outs[i].items};
        rc = has_out(e, i) ? eval_out_sequence(e, i, &s) : 0;
    }
    return rc;
}

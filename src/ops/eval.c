/* The front of evaluation: what an operator's eval calls, passed on to whoever runs it (struct
 * eval_host: the executor, constant folding, a test). Nothing here knows a graph beyond the node
 * being run.
 */
#include <string.h>

#include "base/mem.h"
#include "ops/op.h"

/* Bytes that must be left before a subgraph runs again: one chunk of an arena. A loop without end stops here with a reason, not
 * in the middle of an allocation. */
enum { GRAPH_ROOM = 1 << 20 };

struct tensor *eval_out(struct eval *e, uint32_t i, enum dtype dtype, int rank, const int64_t *dims)
{
    return e->host->out(e, i, dtype, rank, dims);
}

int eval_fail(struct eval *e, enum err id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(e->scratch, format, args);
    va_end(args);
    const struct where where = {.node = node_label(e->node)};
    return diag_report(e->ctx->diag, id, &where, "%s", text);
}

const struct sequence *eval_sequence(const struct eval *e, uint32_t i)
{
    if (i >= e->n_in || !e->in[i] || e->in[i]->dtype != DT_UNDEFINED)
        return NULL;
    return e->in[i]->data;
}

int eval_out_sequence(struct eval *e, uint32_t i, const struct sequence *s)
{
    if (!e->host->out_sequence)
        return eval_fail(e, E_NO_SEQUENCE, "output %u of '%s' is a sequence or optional", i,
                         e->node->op_type);
    return e->host->out_sequence(e, i, s);
}

static int copy_strings(struct eval *e, struct tensor *to, const struct tensor *from)
{
    (void)e;
    to->strings = from->strings; /* string bytes live with the model or the run, never in scratch */
    return 0;
}

static int copy_tensor(struct eval *e, uint32_t i, const struct tensor *from)
{
    struct tensor *to = e->out[i];
    if (!to)
        return 0;
    if (!to->data || to->bytes != from->bytes || to->dtype != from->dtype)
        to = eval_out(e, i, from->dtype, from->rank, from->dims);
    if (!to)
        return -E_LIMIT_MEMORY;
    if (from->dtype == DT_STRING)
        return copy_strings(e, to, from);
    if (from->bytes) {
        const void *bytes = tensor_bytes_of(from, e->scratch);
        if (!bytes)
            return eval_fail(e, E_LIMIT_MEMORY, "%zu bytes of a constant", from->bytes);
        memcpy(tensor_writable(to), bytes, from->bytes);
    }
    return 0;
}

int eval_out_value(struct eval *e, uint32_t i, const struct tensor *value)
{
    if (e->host->out_value)
        return e->host->out_value(e, i, value);
    if (value->dtype == DT_UNDEFINED)
        return eval_out_sequence(e, i, value->data);
    return copy_tensor(e, i, value);
}

int eval_graph(struct eval *e, const struct graph *g, const struct tensor *const *in, uint32_t n_in,
               const struct tensor **out, uint32_t n_out)
{
    if (!e->host->graph)
        return eval_fail(e, E_NO_SUBGRAPH, "'%s' runs a subgraph", e->node->op_type);
    if (mem_limit() && mem_in_use() + GRAPH_ROOM > mem_limit())
        return eval_fail(e, E_LIMIT_MEMORY, "'%s' has no memory left for its subgraph",
                         e->node->op_type);
    return e->host->graph(e, g, in, n_in, out, n_out);
}

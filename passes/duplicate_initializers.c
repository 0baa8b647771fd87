/* Initializers with the same content become one.
 *
 * When:    same type, dims and bytes, same quantization, both in one graph, neither overridable, at
 *          least SMALLEST bytes (small ones save nothing). The first one stays. A graph output
 * stays. Numerics: EXACT.
 */
#include "base/hash.h"
#include "rewrite/rewrite.h"

enum { SMALLEST = 257 }; /* below, common-subexpressions compares by content */

static bool is_candidate(const struct value *v)
{
    return !v->removed && !v->is_input && !v->sparse && v->constant->bytes >= SMALLEST;
}

/* Dtype and dims: only what agrees in them is hashed, so weights of a kind of their own are never
 * read. */
static uint64_t shape_hash(const struct tensor *t)
{
    struct hash128 h = hash_bytes(t->dims, (size_t)t->rank * sizeof *t->dims);
    return h.low + (uint64_t)t->dtype * 0x9E3779B97F4A7C15u;
}

static bool merge(struct pass_run *r, struct value *first, struct value *v)
{
    if (first->q != v->q || value_is_output(v) || !tensor_same(first->constant, v->constant))
        return false;
    struct node *reader = v->uses ? v->uses->node : NULL;
    if (!reader)
        return false;
    pass_rewrote(r, reader, "'%s' is the same as '%s'", v->name, first->name);
    value_replace(v, first);
    value_remove(v);
    return true;
}

static void visit_graph(struct pass_run *r, struct graph *g)
{
    struct map shapes = {0}, contents = {0};
    for (size_t i = 0; i < g->initializers.count; i++) {
        struct value *v = g->initializers.data[i];
        if (!is_candidate(v))
            continue;
        void **shape = map_slot_u64(&shapes, shape_hash(v->constant));
        struct value *alone = *shape;
        if (!alone) {
            *shape = v;
            continue;
        }
        if (!map_has_u64(&contents, alone->id)) { /* the first of its shape: hash it now */
            *map_slot_u64(&contents, alone->id) = alone;
            *map_slot_u64(&contents, tensor_hash(alone->constant) | 1ull << 63) = alone;
        }
        void **same = map_slot_u64(&contents, tensor_hash(v->constant) | 1ull << 63);
        if (*same)
            merge(r, *same, v);
        else
            *same = v;
    }
    map_release(&shapes);
    map_release(&contents);
}

int run_duplicate_initializers(struct pass_run *r, struct model *m)
{
    for (size_t i = 0; i < m->graphs.count; i++)
        visit_graph(r, m->graphs.data[i]);
    return 0;
}

/* Declared dimensions whose name is an expression.
 *
 * Exporters call a dimension "past_sequence_length + sequence_length" and mean just that. Such a name
 * stands for the expression when every symbol in it is the plain name of some dimension of the main
 * graph's inputs; "batch-size" in a model without "batch" and "size" stays a name of its own.
 */
#include <string.h>

#include "base/mem.h"
#include "ops/infer.h"

static bool looks_composed(const char *name) { return strpbrk(name, "+-*/%(") != NULL; }

/* Every plain name bound to 1: an expression over plain names alone is a constant then. */
void walk_collect_names(struct walk *w)
{
    const struct graph *g = w->m->graph;
    VEC(struct dim_binding) names = {0};
    for (size_t i = 0; i < g->inputs.count; i++) {
        const struct type *t = &g->inputs.data[i]->type;
        for (int k = 0; t->kind == TYPE_TENSOR && k < t->rank; k++) {
            const char *name = dim_symbol_name(t->dims[k]);
            if (name && *name && !looks_composed(name))
                vec_push(&names, ((struct dim_binding){name, 1}));
        }
    }
    w->n_plain = names.count;
    w->plain = arena_copy(w->facts->arena, names.data, names.count * sizeof *names.data);
    vec_free(&names);
}

static dim_t composed(struct walk *w, dim_t d, const char *name)
{
    dim_t meant = dim_parse(w->m->dims, name);
    dim_t known = meant ? dim_bind(w->m->dims, meant, w->plain, w->n_plain) : NULL;
    return dim_is_const(known, NULL) && !dim_is_const(meant, NULL) ? meant : d;
}

dim_t walk_composed(struct walk *w, dim_t d)
{
    const char *name = dim_symbol_name(d);
    if (!name || !looks_composed(name))
        return d;
    void **slot = map_slot_u64(&w->composed, (uint64_t)(uintptr_t)d);
    if (!*slot) {
        union { /* a map holds pointers to what may change */
            dim_t in;
            void *out;
        } cast = {composed(w, d, name)};
        *slot = cast.out;
    }
    return *slot;
}

/* passes.def as a table. */
#include <string.h>

#include "passes/pass.h"

#define VISIT(function, name, class, level, needs, breaks, summary) \
    int visit_##function(struct pass_run *r, struct node *n);       \
    extern const char *const ops_##function[] __attribute__((weak)); /* PASS_OPS */
#define RUN(function, name, class, level, needs, breaks, summary) \
    int run_##function(struct pass_run *r, struct model *m);
#include "passes/passes.def"
#undef VISIT
#undef RUN

#define VISIT(function, name, class, level, needs, breaks, summary) \
    {name, summary, PASS_##class, level, needs, breaks, NULL, visit_##function, ops_##function},
#define RUN(function, name, class, level, needs, breaks, summary) \
    {name, summary, PASS_##class, level, needs, breaks, run_##function, NULL, NULL},
static const struct pass PASSES[] = {
#include "passes/passes.def"
};
#undef VISIT
#undef RUN

enum { N_PASSES = sizeof PASSES / sizeof PASSES[0] };

size_t pass_total(void) { return N_PASSES; }
const struct pass *pass_at(size_t index) { return index < N_PASSES ? &PASSES[index] : NULL; }

const struct pass *pass_find(const char *name)
{
    for (size_t i = 0; i < N_PASSES; i++)
        if (!strcmp(PASSES[i].name, name))
            return &PASSES[i];
    return NULL;
}

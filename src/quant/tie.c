/* Groups of values with equal parameters: union-find with path halving; the smallest id is the
 * root, so the outcome does not depend on the order of the unions. */
#include "quant/plan.h"

uint32_t group_find(struct quant_plan *p, uint32_t id)
{
    struct quant_mark *m = p->marks.data;
    while (m[id].parent != id)
        id = m[id].parent = m[m[id].parent].parent;
    return id;
}

void group_tie(struct quant_plan *p, const struct value *a, const struct value *b)
{
    uint32_t x = group_find(p, a->id), y = group_find(p, b->id);
    if (x < y)
        p->marks.data[y].parent = x;
    else
        p->marks.data[x].parent = y;
}

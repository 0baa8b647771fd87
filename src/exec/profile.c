/* Time per step, summed over the workers, in the order of execution: a subgraph's steps follow the
 * node that ran it. Steps of sessions that were evicted are forgotten. */
#include "base/mem.h"
#include "exec/plan.h"

struct listing {
    struct exec_time *times;
    size_t room, count;
};

static void list_plan(struct listing *l, const struct plan *p, struct frame *const *frames, int n);

static void list_nested(struct listing *l, const struct step *s, int at,
                        struct frame *const *frames, int n)
{
    struct frame **inner = mem_alloc((size_t)n * sizeof *inner);
    for (int g = 0; g < s->n_graphs; g++) {
        for (int w = 0; w < n; w++)
            inner[w] = frames[w] && frames[w]->nested[at] ? frames[w]->nested[at][g] : NULL;
        list_plan(l, s->plans[g], inner, n);
    }
    mem_free(inner);
}

static void list_plan(struct listing *l, const struct plan *p, struct frame *const *frames, int n)
{
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *s = &p->steps.data[i];
        struct exec_time t = {.node = s->origin, .op = s->label};
        for (int w = 0; w < n; w++) {
            if (!frames[w] || !frames[w]->times)
                continue;
            const struct exec_time *own = &frames[w]->times[i];
            if (own->calls && (!t.calls || own->fastest < t.fastest))
                t.fastest = own->fastest;
            t.seconds += frames[w]->times[i].seconds;
            t.calls += frames[w]->times[i].calls;
        }
        if (l->count < l->room)
            l->times[l->count] = t;
        l->count++;
        if (s->n_graphs)
            list_nested(l, s, (int)i, frames, n);
    }
}

size_t exec_profile(struct exec *x, struct exec_time *times, size_t room)
{
    struct listing l = {times, room, 0};
    struct frame **frames = mem_alloc((size_t)x->n_workers * sizeof *frames);
    for (size_t i = 0; i < x->sessions.count; i++) {
        const struct plan *p = x->sessions.data[i]->plan;
        for (int w = 0; w < x->n_workers; w++) {
            frames[w] = NULL;
            for (size_t k = 0; k < x->workers[w].frames.count; k++)
                if (x->workers[w].frames.data[k]->plan == p)
                    frames[w] = x->workers[w].frames.data[k];
        }
        list_plan(&l, p, frames, x->n_workers);
    }
    mem_free(frames);
    return l.count;
}

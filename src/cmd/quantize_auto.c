/* npuprep quantize --precision auto: 8 bits everywhere, and more only where the outputs ask for it.
 *
 * 1. Everything at 8 bits, rounded on its way through the float model: when the outputs keep --aim,
 *    that is the answer, for the cost of one run of a few samples.
 * 2. Else each group of values is rounded alone, at 8 and at 16 bits. Rounding errors of different
 *    tensors are nearly uncorrelated, so their powers at an output add (the additive noise model of
 *    fixed-point analysis: Widrow and Kollar, Quantization Noise, 2008). Groups are taken to 16 bits,
 *    or to float where 16 would still cost too much, in the order of noise saved per multiplication
 *    that loses its 8-bit operand, until the sum of what is left keeps the aim.
 * 3. The choice runs as a whole. Where the sum was too hopeful the budget is halved and 2 chooses
 *    again from the same measurements.
 *
 * Weights keep 8 bits; layers whose rounded weights cost too much by themselves stay float.
 */
#include "cmd/quantize_auto.h"

#include <math.h>
#include <stdlib.h>
#include <stdlib.h>

#include "cmd/quantize_noise.h"

enum {
    SAMPLES = 4, /* that every trial runs on: one alone may be an easy one */
    ROUNDS = 8,  /* halvings of the budget: a factor of 256 */
    WIDE_BITS = 16,
};
/* dB that the samples at hand must be better than --aim: others are worse. */
static const double RESERVE = 1.5;

enum level { LEVEL_NARROW, LEVEL_WIDE, LEVEL_FLOAT };

/* What is raised together: a group of activations, or one constant. */
struct unit {
    uint32_t id; /* of the group's root, or of the constant */
    bool constant;
    enum level level;
    double narrow, wide; /* noise of it alone */
    double macs;         /* share of the multiplications that read it */
};

struct search {
    struct quantize_job *job;
    struct model *m;
    struct noise *noise;
    struct arena *arena;
    size_t n_values;   /* when the units were measured */
    uint32_t *roots;   /* of activations; of constants: themselves */
    uint32_t *unit_of; /* 1 + index by root */
    VEC(struct unit) units;
    double rest; /* noise of what is no unit */
    bool has_wide;
    size_t samples;
};

/* ---- units ---- */

static bool is_constant(const struct search *s, size_t i)
{
    const struct value *v = s->m->values.data[i];
    return !v->removed && v->q && v->constant;
}

static bool is_activation(const struct search *s, size_t i)
{
    const struct value *v = s->m->values.data[i];
    return !v->removed && v->q && !v->constant;
}

static void add_unit(struct search *s, uint32_t id, bool constant)
{
    if (s->unit_of[id])
        return;
    vec_push(&s->units, ((struct unit){.id = id, .constant = constant}));
    s->unit_of[id] = (uint32_t)s->units.count;
}

static struct unit *unit_at(struct search *s, const struct value *v)
{
    uint32_t index = v && v->id < s->n_values ? s->unit_of[s->roots[v->id]] : 0;
    return index ? &s->units.data[index - 1] : NULL;
}

/* Activations first: their trials run together. */
static void list_units(struct search *s, bool constants)
{
    size_t n = s->n_values = s->m->values.count;
    s->roots = arena_array(s->arena, n, sizeof *s->roots);
    s->unit_of = arena_array(s->arena, n, sizeof *s->unit_of);
    for (uint32_t i = 0; i < n; i++)
        s->roots[i] = is_constant(s, i) ? i : quant_group(s->job->plan, s->m->values.data[i]);
    for (uint32_t i = 0; i < n; i++)
        if (is_activation(s, i))
            add_unit(s, s->roots[i], false);
    for (uint32_t i = 0; constants && i < n; i++)
        if (is_constant(s, i))
            add_unit(s, i, true);
}

/* Where the dims are not known, each element of a layer's weight counts once. */
static int64_t macs_of(const struct node *n)
{
    int64_t macs = 0;
    if (!n->op || !n->op->macs)
        return 0;
    if (n->op->macs(n, &macs) == 0)
        return macs;
    const struct value *w = node_input(n, 1);
    return w && w->constant ? w->constant->count : 0;
}

static void count_macs(struct search *s)
{
    double total = 0;
    graph_each_node(n, s->m->graph)
    {
        int64_t macs = macs_of(n);
        total += (double)macs;
        for (uint32_t i = 0; i < n->n_inputs; i++) {
            struct unit *u = unit_at(s, node_input(n, i));
            if (u)
                u->macs += (double)macs;
        }
    }
    for (size_t i = 0; total > 0 && i < s->units.count; i++)
        s->units.data[i].macs /= total;
}

/* ---- measuring ---- */

static int choose_at(struct search *s, bool wide)
{
    for (size_t i = 0; i < s->n_values; i++)
        if (!s->m->values.data[i]->removed)
            quant_widen(s->job->plan, s->m->values.data[i], wide);
    return quantize_choose(s->job);
}

/* The units of the ranges, rounded together: noise each. */
static int measure_ranges(struct search *s, const struct noise_range *ranges, size_t count,
                          bool constants, double *ratio)
{
    struct arena *a = arena_new();
    struct noise_trials t = {.grids = noise_grids(s->m, a),
                             .unit = s->unit_of,
                             .ranges = ranges,
                             .count = constants ? 1 : count,
                             .samples = s->samples,
                             .constants = constants};
    int code = 0;
    for (size_t i = 0; !code && i < count; i += t.count) {
        t.ranges = ranges + i;
        code = noise_measure(s->noise, &t, ratio + i);
    }
    arena_free(a);
    return code;
}

static void share(struct search *s, struct noise_range r, double noise, bool wide)
{
    for (uint32_t i = r.first; i < r.first + r.count; i++)
        *(wide ? &s->units.data[i].wide : &s->units.data[i].narrow) = noise / r.count;
}

/* The noise of single units where it matters: a range that stays below `little` as a whole is not
 * looked into, and its units share what it has. */
static int measure_units_in(struct search *s, struct noise_range all, double little, bool constants)
{
    VEC(struct noise_range) now = {0}, next = {0};
    int code = 0;
    if (all.count)
        vec_push(&now, all);
    while (!code && now.count) {
        double *ratio = arena_array(s->arena, now.count, sizeof *ratio);
        code = measure_ranges(s, now.data, now.count, constants, ratio);
        next.count = 0;
        for (size_t i = 0; !code && i < now.count; i++) {
            struct noise_range r = now.data[i], half = {r.first, r.count / 2};
            share(s, r, ratio[i], false);
            if (ratio[i] <= little || r.count == 1)
                continue;
            vec_push(&next, half);
            vec_push(&next, ((struct noise_range){r.first + half.count, r.count - half.count}));
        }
        now.count = 0;
        for (size_t i = 0; i < next.count; i++)
            vec_push(&now, next.data[i]);
    }
    vec_free(&now);
    vec_free(&next);
    return code;
}

/* The activations or not, and the constants, as they are chosen now. */
static int measure_whole(struct search *s, bool activations, double *ratio)
{
    struct arena *a = arena_new();
    size_t n = s->m->values.count;
    uint32_t *unit = arena_array(a, n, sizeof *unit);
    for (size_t i = 0; i < n; i++)
        unit[i] = 1;
    struct noise_trials t = {.grids = activations ? noise_grids(s->m, a)
                                                  : arena_array(a, n, sizeof *t.grids),
                             .unit = unit,
                             .ranges = &(struct noise_range){0, 1},
                             .count = 1,
                             .samples = s->samples,
                             .constants = true};
    int code = noise_measure(s->noise, &t, ratio);
    arena_free(a);
    return code;
}

static struct noise_range range_of_units(const struct search *s, bool constants)
{
    uint32_t n = 0, all = (uint32_t)s->units.count;
    while (n < all && !s->units.data[n].constant)
        n++;
    return constants ? (struct noise_range){n, all - n} : (struct noise_range){0, n};
}

/* At 16 bits only what costs something at 8. */
static int measure_wide(struct search *s, double little)
{
    VEC(struct noise_range) loud = {0};
    for (uint32_t i = 0; i < s->units.count; i++)
        if (!s->units.data[i].constant && s->units.data[i].narrow > little)
            vec_push(&loud, ((struct noise_range){i, 1}));
    double *ratio = arena_array(s->arena, loud.count, sizeof *ratio);
    int code = loud.count ? choose_at(s, true) : 0;
    if (!code && loud.count)
        code = measure_ranges(s, loud.data, loud.count, false, ratio);
    for (size_t i = 0; i < loud.count; i++)
        share(s, loud.data[i], ratio[i], true);
    vec_free(&loud);
    return code;
}

/* Constants by themselves only where they matter together. */
static int measure_units(struct search *s, double limit)
{
    double little = limit / 16;
    cmd_phase(s->job->cmd, "search");
    int code = measure_whole(s, false, &s->rest);
    if (code)
        return code;
    bool constants = s->rest > limit / 4;
    list_units(s, constants);
    count_macs(s);
    code = measure_units_in(s, range_of_units(s, false), little, false);
    if (!code && constants) {
        s->rest = 0;
        code = measure_units_in(s, range_of_units(s, true), little, true);
    }
    return code || !s->has_wide ? code : measure_wide(s, little);
}

/* ---- choosing ---- */

struct step {
    struct unit *unit;
    enum level to;
    double rate; /* noise saved per cost */
};

static int by_rate(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->rate != y->rate)
        return x->rate > y->rate ? -1 : 1;
    return x->unit->id < y->unit->id ? -1 : x->unit->id > y->unit->id;
}

/* What raising a unit brings: to 16 bits where these cost next to nothing, else to float. */
static struct step step_of(const struct search *s, struct unit *u, double budget)
{
    static const double UNIT = 1e-3; /* what any change costs beside multiplications */
    static const double LITTLE = 0.1;
    bool fits = s->has_wide && !u->constant && u->wide <= LITTLE * budget;
    double saved = u->narrow - (fits ? u->wide : 0);
    return (struct step){u, fits ? LEVEL_WIDE : LEVEL_FLOAT,
                         saved / (UNIT + u->macs * (fits ? 1 : 2))};
}

/* Summed anew each time: infinities do not subtract. */
static double noise_left(const struct search *s)
{
    double left = s->rest;
    for (size_t i = 0; i < s->units.count; i++) {
        const struct unit *u = &s->units.data[i];
        left += u->level == LEVEL_NARROW ? u->narrow : u->level == LEVEL_WIDE ? u->wide : 0;
    }
    return left;
}

static void choose_levels(struct search *s, double budget)
{
    VEC(struct step) steps = {0};
    for (size_t i = 0; i < s->units.count; i++) {
        s->units.data[i].level = LEVEL_NARROW;
        if (s->units.data[i].narrow > 0)
            vec_push(&steps, step_of(s, &s->units.data[i], budget));
    }
    if (steps.count)
        qsort(steps.data, steps.count, sizeof *steps.data, by_rate);
    for (size_t i = 0; i < steps.count && !(noise_left(s) <= budget); i++)
        steps.data[i].unit->level = steps.data[i].to;
    vec_free(&steps);
}

static enum level level_of(struct search *s, size_t i)
{
    const struct unit *u = unit_at(s, s->m->values.data[i]);
    return u ? u->level : LEVEL_NARROW;
}

/* A plan with the levels in force, and its scales. */
static int apply_levels(struct search *s)
{
    struct quantize_job *j = s->job;
    j->spared.count = 0;
    for (size_t i = 0; i < s->n_values; i++)
        if (level_of(s, i) == LEVEL_FLOAT)
            vec_push(&j->spared, s->m->values.data[i]);
    int code = quantize_plan(j);
    if (!code)
        code = quantize_calibrate(j);
    for (size_t i = 0; !code && i < s->n_values; i++)
        if (!s->m->values.data[i]->removed && level_of(s, i) == LEVEL_WIDE)
            quant_widen(j->plan, s->m->values.data[i], true);
    return code ? code : quantize_choose(j);
}

/* ---- the search ---- */

static int search(struct search *s, double aim)
{
    double limit = pow(10, -(aim + RESERVE) / 10), ratio;
    int code = measure_whole(s, true, &ratio);
    if (code || ratio <= limit)
        return code;
    /* Corrected biases cancel what the other errors add up to, so trials of single units say nothing
     * about them; and beyond 30 dB or so they cost more than they bring. */
    if (strcmp(s->job->o->algo, "auto") == 0)
        s->job->correct_bias = false;
    s->job->report.biases_corrected = 0;
    code = measure_units(s, limit);
    double budget = limit;
    for (int round = 0; !code && round < ROUNDS; round++, budget /= 2) {
        choose_levels(s, budget);
        code = apply_levels(s);
        if (!code)
            code = measure_whole(s, true, &ratio);
        if (!code && ratio <= limit)
            break;
    }
    return code;
}

int quantize_auto(struct quantize_job *j)
{
    size_t samples = j->pipeline.samples ? samples_count(j->pipeline.samples) : 0;
    if (!samples)
        return 0; /* statistics alone: there is nothing to run */
    struct search s = {.job = j, .m = j->pipeline.m, .arena = arena_new()};
    s.has_wide = target_dtype(&j->target->activation, WIDE_BITS) != DT_UNDEFINED;
    s.samples = samples < SAMPLES ? samples : SAMPLES;
    int code = noise_new(&s.noise, j, s.samples);
    if (!code)
        code = search(&s, j->o->aim);
    noise_free(s.noise);
    vec_free(&s.units);
    arena_free(s.arena);
    return code;
}

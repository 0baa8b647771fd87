/* Format random: "random:N[:seed]" makes N samples out of nothing: floats uniform in [-1, 1),
 * integers and bools 0 or 1 (any larger number could be out of range as an index). For trying
 * things out: ranges found this way say nothing about real data, and a warning says so. */
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "data/data.h"

struct random_state {
    uint64_t seed;
};

static bool random_probe(const char *path, struct span head, bool folder)
{
    (void)head;
    return !folder && strncmp(path, "random:", 7) == 0;
}

/* SplitMix64 (Steele, Lea, Flood 2014): a full-period counter hashed to 64 bits. */
static uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int check_input(const struct sample_input *in, struct ctx *ctx)
{
    struct where at = {.tensor = in->name};
    if (in->rank < 0)
        return diag_report(ctx->diag, E_SAMPLE_DIM, &at,
                           "the shape of input '%s' is not known, random data needs it", in->name);
    for (int i = 0; i < in->rank; i++)
        if (in->dims[i] < 0)
            return diag_report(ctx->diag, E_SAMPLE_DIM, &at,
                               "dimension %d of input '%s' is not fixed, random data needs it", i,
                               in->name);
    if (!dtype_is_float(in->dtype) && !dtype_is_int(in->dtype) && in->dtype != DT_BOOL)
        return diag_report(ctx->diag, E_SAMPLE_DTYPE, &at, "random data cannot be of type %s",
                           dtype_name(in->dtype));
    return 0;
}

static int random_open(struct data_item *item, const struct data_model *m)
{
    struct random_state *s = arena_alloc(m->arena, sizeof *s);
    char *text = arena_string(m->arena, item->path + 7);
    char *colon = strchr(text, ':');
    int64_t n = 0, seed = 0;
    if (colon)
        *colon = '\0';
    if (!text_int(text, &n) || n < 1 || (colon && !text_int(colon + 1, &seed)))
        return diag_report(m->ctx->diag, E_SAMPLE_FORMAT, &(struct where){.file = item->path},
                           "random:N[:seed] takes a count from 1 and an integer");
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        int code = m->inputs[i].optional ? 0 : check_input(&m->inputs[i], m->ctx);
        if (code)
            return code;
    }
    diag_report(m->ctx->diag, E_SAMPLE_RANDOM, &(struct where){.file = item->path},
                "the samples are random numbers, what follows from them is not real");
    s->seed = (uint64_t)seed;
    item->state = s;
    item->count = (size_t)n;
    return 0;
}

static int fill(const struct sample_input *in, uint64_t seed, struct arena *a,
                const struct tensor **out, struct ctx *ctx)
{
    struct where at = {.tensor = in->name};
    int64_t count = 0;
    size_t bytes = 0;
    if (!num_product(in->dims, in->rank, &count) || !dtype_bytes(in->dtype, count, &bytes))
        return diag_report(ctx->diag, E_SAMPLE_SHAPE, &at, "the sizes overflow");
    void *data = data_alloc(bytes, &at, a, ctx);
    if (!data)
        return -E_LIMIT_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = next_bits(&seed);
        double unit = (double)(bits >> 11) * 0x1p-52 - 1.0;
        num_set(data, in->dtype, i, dtype_is_float(in->dtype) ? unit : (double)(bits >> 63));
    }
    *out = tensor_view(a, in->dtype, in->rank, in->dims, data);
    return 0;
}

static int random_get(const struct data_item *item, const struct data_model *m, size_t index,
                      struct arena *a, const struct tensor **out)
{
    const struct random_state *s = item->state;
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        uint64_t seed = s->seed;
        seed = next_bits(&seed) ^ (uint64_t)index;
        seed = next_bits(&seed) ^ (uint64_t)i;
        int code = m->inputs[i].optional ? 0 : fill(&m->inputs[i], seed, a, &out[i], m->ctx);
        if (code)
            return code;
    }
    return 0;
}

const struct data_format data_random = {
    .name = "random",
    .summary = "random:N[:seed], for trying things out",
    .probe = random_probe,
    .open = random_open,
    .get = random_get,
};

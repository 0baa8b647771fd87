/* The table of formats, and what they share. */
#include "encodings/encodings.h"

#include <string.h>

#include "base/text.h"

#define ENCODINGS(symbol) extern const struct encodings_format encodings_##symbol;
#include "encodings/encodings.def"
#undef ENCODINGS

static const struct encodings_format *const FORMATS[] = {
#define ENCODINGS(symbol) &encodings_##symbol,
#include "encodings/encodings.def"
#undef ENCODINGS
};
enum { N_FORMATS = sizeof FORMATS / sizeof FORMATS[0] };

size_t encodings_total(void) { return N_FORMATS; }

const struct encodings_format *encodings_at(size_t index)
{
    return index < N_FORMATS ? FORMATS[index] : NULL;
}

const struct encodings_format *encodings_find(const char *version, struct diag *diag)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (FORMATS[i]->write && strcmp(FORMATS[i]->version, version) == 0)
            return FORMATS[i];
    diag_report(diag, E_ENCODINGS_VERSION, NULL, "there is no encodings version '%s'", version);
    return NULL;
}

int encodings_kind(const struct value *v)
{
    if (v->removed || v->type.kind != TYPE_TENSOR || !dtype_is_float(v->type.dtype))
        return -1;
    if (!v->q)
        return 0;
    return v->q->source == QUANT_BIAS ? -1 : 1;
}

/* Dead leftovers are not in the file: a value that is written has a producer, is an input or an
 * initializer. */
static bool is_written(const struct value *v)
{
    return v->producer ? !v->producer->removed : v->is_input || v->constant;
}

size_t encodings_values(const struct model *m, bool parameters, struct arena *a,
                        const struct value ***values)
{
    struct map seen = {0};
    size_t n = 0;
    *values = arena_array(a, m->values.count, sizeof **values);
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        bool is_parameter = v->constant && !v->is_input;
        if (encodings_kind(v) < 0 || is_parameter != parameters || !is_written(v) ||
            v->graph->function || !v->name[0])
            continue;
        void **slot = map_slot_str(&seen, v->name);
        if (*slot)
            continue;
        *slot = (void *)v;
        (*values)[n++] = v;
    }
    map_release(&seen);
    return n;
}

int64_t encodings_offset(const struct quant *q, int64_t i)
{
    int64_t zero = q->zero_point[i];
    return -(zero - dtype_min(q->dtype)); /* both ends of the type move to the unsigned grid */
}

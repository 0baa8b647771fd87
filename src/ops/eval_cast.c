/* Adapters of Cast, CastLike, BitCast (kernels/float/cast.h). Strings are read and written as ONNX
 * describes: decimal or exponent notation, INF, +INF, -INF, NaN in any case.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/float/cast.h"
#include "ops/adapt.h"

struct cast_call {
    struct cast_args args;
    const void *x;
    void *y;
};

static int cast_piece(void *user, int64_t begin, int64_t end)
{
    struct cast_call *c = user;
    return kernel_cast(&c->args, c->x, c->y, begin, end);
}

static int read_round_mode(struct eval *e, enum e8m0_mode *mode)
{
    static const char *const names[] = {"up", "down", "nearest"}; /* order of enum e8m0_mode */
    for (int i = 0; i < 3; i++)
        if (node_string_is(e->node, "round_mode", "up", names[i])) {
            *mode = (enum e8m0_mode)i;
            return 0;
        }
    return eval_fail(e, E_OP_ATTR, "round_mode is none of up, down, nearest");
}

/* ---- strings ---- */

static bool parse_number(struct span text, double *value)
{
    char buffer[64];
    if (text.size == 0 || text.size >= sizeof buffer)
        return false;
    memcpy(buffer, text.data, text.size);
    buffer[text.size] = 0;
    char *end;
    *value = strtod(buffer, &end); /* the C locale: main never sets another */
    return *end == 0;
}

static int from_strings(struct eval *e)
{
    const struct tensor *t = e->in[0];
    enum dtype to = e->out[0]->dtype;
    for (int64_t i = 0; i < t->count; i++) {
        double value;
        if (!parse_number(t->strings[i], &value))
            return eval_fail(e, E_OP_VALUE, "element %lld is not a number", (long long)i);
        num_set(out_data(e, 0), to, i, to == DT_FLOAT ? (double)(float)value : value);
    }
    return 0;
}

static const char *number_text(struct eval *e, int64_t i)
{
    const struct tensor *t = e->in[0];
    char buffer[NUM_TEXT];
    if (t->dtype == DT_BOOL)
        return tensor_get(t, i) != 0 ? "True"
                                     : "False"; /* as the node suite's reference writes it */
    if (!dtype_is_float(t->dtype))
        return arena_printf(e->scratch, "%lld", (long long)tensor_get_int(t, i));
    double x = tensor_get(t, i);
    if (x != x)
        return "NaN";
    if (x - x != 0) /* only infinities */
        return x > 0 ? "INF" : "-INF";
    if (t->dtype == DT_DOUBLE)
        num_text_f64(buffer, x);
    else
        num_text_f32(buffer, (float)x);
    return arena_printf(e->scratch, "%s%s", buffer, strpbrk(buffer, ".e") ? "" : ".0");
}

static int to_strings(struct eval *e)
{
    int64_t n = e->in[0]->count;
    struct span *list = arena_array(e->scratch, (size_t)n + 1, sizeof *list);
    for (int64_t i = 0; i < n; i++)
        list[i] = span_of(number_text(e, i));
    return eval_out_strings(e, 0, list);
}

/* ---- operators ---- */

/* Cast-19 to -23 make an infinity NaN in the FNUZ types even when they saturate; Cast-24 does not.
 */
static void old_infinities(struct eval *e)
{
    enum dtype to = e->out[0]->dtype;
    if (to != DT_FLOAT8E4M3FNUZ && to != DT_FLOAT8E5M2FNUZ)
        return;
    uint8_t *y = out_data(e, 0);
    for (int64_t i = 0; i < e->in[0]->count; i++) {
        double x = tensor_get(e->in[0], i);
        if (x - x != 0) /* infinite or NaN */
            y[i] = 0x80;
    }
}

int eval_cast(struct eval *e)
{
    struct cast_call c = {.x = e->in[0]->data};
    c.args.from = e->in[0]->dtype;
    c.args.to = e->out[0]->dtype;
    c.args.saturate = node_int(e->node, "saturate", 1) != 0;
    int rc = read_round_mode(e, &c.args.e8m0);
    if (rc || (c.args.from == c.args.to && c.args.to == DT_STRING))
        return rc ? rc : eval_out_strings(e, 0, e->in[0]->strings);
    if (c.args.from == DT_STRING)
        return from_strings(e);
    if (c.args.to == DT_STRING)
        return to_strings(e);
    c.y = out_data(e, 0);
    rc = eval_status(e, eval_pieces(e, e->out[0]->count, cast_piece, &c));
    if (!rc && e->version < 24 && c.args.saturate && dtype_is_float(c.args.from))
        old_infinities(e);
    return rc;
}

int eval_bitcast(struct eval *e)
{
    if (e->out[0]->bytes)
        memcpy(out_data(e, 0), in_data(e, 0), e->out[0]->bytes);
    return 0;
}

/* Half precision to single and back, through the whole model.
 *
 * Before:  y = Conv(x: float16, w: float16)
 * After:   x_1 = Cast(x), y_1 = Conv(x_1: float, w: float), y = Cast(y_1)
 * Graph inputs and outputs keep their types, with casts behind them; operators that do not take the
 * new type keep the old one between casts (rewrite/retype.h).
 * When:    convert-float32: the target computes float but no float16, or the pass is named.
 * convert-float16: only when named. The model holds no sequences, every weight fits the new type.
 * Numerics: LOSSY: float rounds less than float16 did, float16 more.
 */
#include <math.h>

#include "base/num.h"
#include "rewrite/retype.h"
#include "rewrite/rewrite.h"
#include "targets/target.h"

static const double LARGEST_HALF = 65504; /* IEEE 754 binary16 */

static const struct value *too_large(const struct model *m)
{
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        const struct tensor *t = v->removed ? NULL : constant_of(v);
        for (int64_t k = 0; t && t->dtype == DT_FLOAT && k < t->count; k++) {
            double x = fabs(tensor_get(t, k));
            if (isfinite(x) && x > LARGEST_HALF)
                return v;
        }
    }
    return NULL;
}

static int retype(struct pass_run *r, struct model *m, enum dtype from, enum dtype to)
{
    struct retype t = {from, to, true};
    if (!retype_pending(m, &t))
        return 0;
    const char *why = retype_problem(m, &t);
    const struct value *large = to == DT_FLOAT16 ? too_large(m) : NULL;
    const struct node *at = m->graph->first;
    if (large)
        why = arena_printf(m->arena, "'%s' has numbers beyond 65504", large->name);
    if (why) {
        pass_refused(r, at, "%s", why);
        return 0;
    }
    int64_t changes = model_retype(m, &t);
    pass_rewrote_model(r, "%s became %s in %lld places", dtype_name(from), dtype_name(to),
                       (long long)changes);
    return 0;
}

int run_convert_float32(struct pass_run *r, struct model *m)
{
    const struct target *t = pass_target(r);
    bool asked = t ? t->dtypes && !(t->dtypes >> DT_FLOAT16 & 1) && (t->dtypes >> DT_FLOAT & 1)
                   : pass_plan(r)->names != NULL;
    return asked ? retype(r, m, DT_FLOAT16, DT_FLOAT) : 0;
}

int run_convert_float16(struct pass_run *r, struct model *m)
{
    return retype(r, m, DT_FLOAT, DT_FLOAT16);
}

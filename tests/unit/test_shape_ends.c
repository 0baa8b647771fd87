/* What inference says about itself: where it ends and why, what contradicts, what a dimension's name
 * means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ir/edit.h"
#include "ir/graph_text.h"
#include "ops/op.h"
#include "report/shape_ends.h"

struct said {
    struct ctx ctx;
    struct model *m;
    struct arena *arena;
    struct shape_ends ends;
};

static void infer(struct said *s, const char *text, const struct infer_options *options)
{
    struct infer_report found;
    memset(s, 0, sizeof *s);
    s->ctx = (struct ctx){.diag = diag_new(NULL, NULL), .threads = 1};
    s->arena = arena_new();
    s->m = model_parse(&s->ctx, text);
    assert_non_null(s->m);
    assert_true(model_infer(s->m, options, &found) >= 0);
    shape_ends_collect(s->m, found.conflicts, s->arena, &s->ends);
}

static void done(struct said *s)
{
    shape_ends_release(&s->ends);
    model_free(s->m);
    arena_free(s->arena);
    diag_free(s->ctx.diag);
}

static void ends_at(const char *text, const char *value, const char *op, const char *why)
{
    struct said s;
    infer(&s, text, NULL);
    assert_int_equal(s.ends.list.count, 1);
    const struct shape_end *e = &s.ends.list.data[0];
    assert_string_equal(e->value->name, value);
    assert_string_equal(e->node ? e->node->op_type : "", op);
    assert_string_equal(e->why, why);
    assert_true(s.ends.known < s.ends.values);
    done(&s);
}

static void unknown_operator(void **state)
{
    (void)state; /* what comes after it is not listed */
    ends_at("ir 8 opset 17 opset odd 1 graph g(x: float[2,n]) -> (z) {\n"
            "  y = odd::Thing(x)\n  z = Relu(y)\n}",
            "y", "Thing", "operator 'odd.Thing' is not known");
}

static void size_from_data(void **state)
{
    (void)state;
    ends_at("ir 8 opset 17 graph g(x: float[2,n], s) -> (y) {\n  y = Relu(s)\n}", "s", "",
            "the input declares no shape");
    ends_at("ir 8 opset 17 graph g(x: float[2,n], s: int64[k]) -> (y) {\n"
            "  t = Reshape(x, s)\n  y = Relu(t)\n}",
            "t", "Reshape", "it depends on the data of 's'");
    ends_at("ir 8 opset 17 graph g(x: float[1,1,n,n], f: float[k]) -> (y) {\n"
            "  y = Resize(x, _, f)\n}",
            "y", "Resize", "it depends on the data of 'f'");
}

static void axes_left_open(void **state)
{
    (void)state;
    ends_at("ir 8 opset 11 graph g(x: float[1,n]) -> (y) {\n  y = Squeeze(x)\n}", "y", "Squeeze",
            "it depends on extents that are not fixed");
}

static void branches_differ(void **state)
{
    (void)state;
    ends_at("ir 8 opset 17 graph g(x: float[1,n], c: bool[]) -> (y) {\n"
            "  a: int64[1] = [0]\n"
            "  y = If<then_branch=graph p() -> (q) { q = Squeeze(x, a) }, else_branch=graph r() -> "
            "(s) { s = Relu(x) }>(c)\n}",
            "y", "If", "it differs between branches or rounds");
}

static void extents_from_data_have_names(void **state)
{
    struct said s;
    (void)state;
    infer(&s, "ir 8 opset 17 graph g(x: float[n]) -> (z) {\n  y = NonZero(x)\n  z = Neg(y)\n}",
          NULL);
    assert_int_equal(s.ends.list.count, 0);
    assert_int_equal(s.ends.known, s.ends.values);
    done(&s);
}

/* ---- names that are expressions ---- */

static const char LENGTHS[] =
    "ir 8 opset 17 graph g(x: float[p,4], y: float[s,4], m: float['p + s',4]) -> (z) {\n"
    "  c = Concat<axis=0>(x, y)\n  z = Add(c, m)\n}";

static dim_t first_dim(const struct said *s, const char *name)
{
    for (size_t i = 0; i < s->m->values.count; i++)
        if (!strcmp(s->m->values.data[i]->name, name))
            return s->m->values.data[i]->type.dims[0];
    return NULL;
}

static void composed_names(void **state)
{
    struct said s;
    (void)state;
    infer(&s, LENGTHS, NULL);
    assert_ptr_equal(first_dim(&s, "m"), first_dim(&s, "c"));
    assert_ptr_equal(first_dim(&s, "z"), first_dim(&s, "c"));
    done(&s);
    const struct dim_binding two[] = {{"p", 3}, {"s", 5}};
    infer(&s, LENGTHS, &(struct infer_options){.bindings = two, .n_bindings = 2});
    assert_true(dim_equals(first_dim(&s, "m"), 8));
    done(&s);
    const struct dim_binding whole[] = {{"p + s", 9}};
    infer(&s, LENGTHS, &(struct infer_options){.bindings = whole, .n_bindings = 1});
    assert_true(dim_equals(first_dim(&s, "m"), 9));
    done(&s);
}

static void names_with_a_dash(void **state)
{
    struct said s;
    (void)state;
    infer(&s, "ir 8 opset 17 graph g(x: float['batch-size',batch]) -> (y) {\n  y = Relu(x)\n}",
          NULL);
    assert_string_equal(dim_symbol_name(first_dim(&s, "y")), "batch-size");
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_operator),
        cmocka_unit_test(size_from_data),
        cmocka_unit_test(axes_left_open),
        cmocka_unit_test(branches_differ),
        cmocka_unit_test(extents_from_data_have_names),
        cmocka_unit_test(composed_names),
        cmocka_unit_test(names_with_a_dash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

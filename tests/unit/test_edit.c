/* The edit functions keep use lists, node lists and dirty marks consistent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/edit.h"

struct fixture {
    struct ctx ctx;
    struct model *m;
    struct value *x;
    struct node *relu, *neg;
};

/* x -> Relu -> r -> Neg -> y (output) */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->ctx.diag = diag_new(NULL, NULL);
    f->m = model_new(&f->ctx);
    struct graph *g = f->m->graph;
    f->x = value_input(g, "x");
    f->relu = node_new(g, "Relu", "", 1, 1);
    node_set_input(f->relu, 0, f->x);
    node_add_output(f->relu, 0, "r");
    node_append(f->relu);
    f->neg = node_new(g, "Neg", "", 1, 1);
    node_set_input(f->neg, 0, f->relu->outputs[0]);
    node_add_output(f->neg, 0, "y");
    node_append(f->neg);
    graph_add_output(g, f->neg->outputs[0]);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    model_free(f->m);
    diag_free(f->ctx.diag);
    free(f);
    return 0;
}

static void clean(struct model *m)
{
    for (size_t i = 0; i < m->graphs.count; i++)
        m->graphs.data[i]->dirty = false;
    for (size_t i = 0; i < m->nodes.count; i++)
        m->nodes.data[i]->dirty = false;
    for (size_t i = 0; i < m->values.count; i++)
        m->values.data[i]->dirty = false;
}

static void replacing_a_value_moves_every_use(void **state)
{
    struct fixture *f = *state;
    struct value *r = f->relu->outputs[0], *y = f->neg->outputs[0];
    graph_add_output(f->m->graph, r);
    value_replace(r, f->x);
    assert_int_equal(r->n_uses, 0);
    assert_null(r->uses);
    assert_int_equal(f->x->n_uses, 3);
    assert_ptr_equal(node_input(f->neg, 0), f->x);
    assert_ptr_equal(f->m->graph->outputs.data[1]->value, f->x);
    assert_true(value_is_output(f->x));
    assert_true(value_is_output(y));
    value_replace(y, y);
    assert_int_equal(y->n_uses, 1);
}

static void removing_a_node_drops_its_uses_and_outputs(void **state)
{
    struct fixture *f = *state;
    struct value *r = f->relu->outputs[0];
    value_replace(r, f->x);
    node_remove(f->relu);
    assert_true(f->relu->removed);
    assert_true(r->removed);
    assert_int_equal(f->x->n_uses, 1);
    assert_ptr_equal(f->m->graph->first, f->neg);
    assert_ptr_equal(f->m->graph->last, f->neg);
    assert_int_equal(f->m->graph->n_nodes, 1);
}

static void nodes_are_listed_where_they_are_put(void **state)
{
    struct fixture *f = *state;
    struct graph *g = f->m->graph;
    struct node *a = node_new(g, "Abs", "", 0, 0), *b = node_new(g, "Exp", "", 0, 0);
    node_insert_before(a, f->relu);
    node_insert_after(b, f->relu);
    const char *want[] = {"Abs", "Relu", "Exp", "Neg"};
    int i = 0;
    graph_each_node(n, g) assert_string_equal(n->op_type, want[i++]);
    assert_int_equal(i, 4);
    assert_ptr_equal(g->first, a);
    assert_ptr_equal(f->neg->prev, b);
}

static void a_surviving_output_keeps_its_name(void **state)
{
    struct fixture *f = *state;
    struct value *r = f->relu->outputs[0], *y = f->neg->outputs[0];
    value_replace(y, r);
    value_take_name(r, y);
    node_remove(f->neg);
    assert_string_equal(f->m->graph->outputs.data[0]->value->name, "y");
    assert_string_not_equal(y->name, "y");
}

static void inputs_can_grow_and_shrink(void **state)
{
    struct fixture *f = *state;
    node_resize_inputs(f->neg, 3);
    node_set_input(f->neg, 2, f->x);
    assert_int_equal(f->x->n_uses, 2);
    assert_null(node_input(f->neg, 1));
    assert_ptr_equal(node_input(f->neg, 0), f->relu->outputs[0]);
    node_resize_inputs(f->neg, 1);
    assert_int_equal(f->x->n_uses, 1);
    assert_int_equal(f->relu->outputs[0]->n_uses, 1);
    assert_null(node_input(f->neg, 2));
}

static void fresh_names_never_collide(void **state)
{
    struct fixture *f = *state;
    const char *a = model_fresh_name(f->m, "x"), *b = model_fresh_name(f->m, "x");
    assert_string_not_equal(a, "x");
    assert_string_not_equal(a, b);
    value_named(f->m->graph, "q_1");
    value_named(f->m->graph, "q");
    assert_string_equal(model_fresh_name(f->m, "q"), "q_2");
}

static void attributes_are_replaced_not_doubled(void **state)
{
    struct fixture *f = *state;
    node_set_int(f->relu, "axis", 1);
    node_set_int(f->relu, "axis", 2);
    node_set_string(f->relu, "mode", "edge");
    assert_int_equal(f->relu->n_attrs, 2);
    assert_int_equal(node_int(f->relu, "axis", 0), 2);
    assert_true(node_string_is(f->relu, "mode", "", "edge"));
    assert_int_equal(node_int(f->relu, "mode", 5), 5); /* another type: the default */
    node_drop_attr(f->relu, "axis");
    assert_int_equal(node_int(f->relu, "axis", -1), -1);
    assert_int_equal(f->relu->n_attrs, 1);
}

static struct graph *add_branch(struct fixture *f, struct node *holder)
{
    struct graph *body = graph_new(f->m, holder, "branch");
    struct node *inner = node_new(body, "Abs", "", 1, 1);
    node_set_input(inner, 0, f->x); /* captured */
    node_add_output(inner, 0, "inner");
    node_append(inner);
    graph_add_output(body, inner->outputs[0]);
    return body;
}

static void put_graph(struct node *n, struct graph *g)
{
    struct attr a = {.name = "body", .type = ATTR_GRAPH, .graph = g};
    node_copy_attr(n, &a);
}

static void captures_are_uses_and_go_with_their_node(void **state)
{
    struct fixture *f = *state;
    struct node *holder = node_new(f->m->graph, "If", "", 0, 0);
    node_append(holder);
    put_graph(holder, add_branch(f, holder));
    assert_int_equal(f->x->n_uses, 2);
    struct node *copy = node_clone(holder, f->m->graph, NULL);
    assert_int_equal(f->x->n_uses, 3);
    struct graph *body = node_graph(copy, "body");
    assert_ptr_equal(body->parent, copy);
    assert_ptr_not_equal(body->outputs.data[0]->value,
                         node_graph(holder, "body")->outputs.data[0]->value);
    assert_ptr_equal(body->outputs.data[0]->value->producer, body->first);
    node_remove(holder);
    node_remove(copy);
    assert_int_equal(f->x->n_uses, 1);
}

static void a_change_inside_marks_every_ancestor(void **state)
{
    struct fixture *f = *state;
    struct node *holder = node_new(f->m->graph, "If", "", 0, 0);
    node_append(holder);
    struct graph *body = add_branch(f, holder);
    put_graph(holder, body);
    clean(f->m);
    node_set_int(body->first, "k", 1);
    assert_true(body->first->dirty);
    assert_true(body->dirty);
    assert_true(holder->dirty);
    assert_true(f->m->graph->dirty);
    assert_false(f->relu->dirty);
}

static void initializers_are_constant_unless_overridable(void **state)
{
    struct fixture *f = *state;
    struct value *w = value_constant(f->m->graph, "w", tensor_scalar(f->m->arena, DT_FLOAT, 1.5));
    assert_true(value_is_constant(w));
    assert_int_equal(w->type.rank, 0);
    value_set_constant(f->x, tensor_scalar(f->m->arena, DT_FLOAT, 1));
    assert_false(value_is_constant(f->x));
    assert_int_equal(f->m->graph->initializers.count, 2);
}

static void recipes_scale_add_and_permute(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->m->arena;
    struct tensor *w = tensor_new(a, DT_FLOAT, 2, (int64_t[]){2, 3});
    for (int i = 0; i < 6; i++)
        ((float *)tensor_writable(w))[i] = (float)i;
    double scale[] = {2, 10}, addend[] = {0.5, 0};
    int32_t perm[] = {1, 0};
    struct recipe r = {.source = w, .n = 2, .scale = scale, .addend = addend};
    struct recipe p = {.source = w, .n = 1, .perm = perm};
    struct tensor *y = tensor_view(a, DT_FLOAT, 2, (int64_t[]){2, 3}, NULL);
    y->recipe = &r;
    const float *out = tensor_bytes_of(y, a);
    const float want[] = {0.5f, 2.5f, 4.5f, 30, 40, 50};
    for (int i = 0; i < 6; i++) {
        assert_true(out[i] == want[i]);
        assert_true(tensor_get(y, i) == (double)want[i]);
    }
    struct tensor *t = tensor_view(a, DT_FLOAT, 2, (int64_t[]){3, 2}, NULL);
    t->recipe = &p;
    const float *turned = tensor_bytes_of(t, a);
    const float want_t[] = {0, 3, 1, 4, 2, 5};
    assert_memory_equal(turned, want_t, sizeof want_t);
    assert_false(tensor_same(t, y));
    assert_true(tensor_same(t, t));
}

static void a_domain_imported_twice_has_one_version(void **state)
{
    struct fixture *f = *state;
    model_set_opset(f->m, "", 17);
    vec_push(&f->m->opsets, f->m->opsets.data[0]); /* as a file may list it */
    model_set_opset(f->m, "", 24);
    assert_int_equal(f->m->opsets.count, 2);
    assert_int_equal(f->m->opsets.data[0].version, 24);
    assert_int_equal(f->m->opsets.data[1].version, 24);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(replacing_a_value_moves_every_use),
        CASE(removing_a_node_drops_its_uses_and_outputs),
        CASE(nodes_are_listed_where_they_are_put),
        CASE(a_surviving_output_keeps_its_name),
        CASE(inputs_can_grow_and_shrink),
        CASE(fresh_names_never_collide),
        CASE(attributes_are_replaced_not_doubled),
        CASE(captures_are_uses_and_go_with_their_node),
        CASE(a_change_inside_marks_every_ancestor),
        CASE(initializers_are_constant_unless_overridable),
        CASE(recipes_scale_add_and_permute),
        CASE(a_domain_imported_twice_has_one_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the writer keeps and what it changes. */
#include "onnx_test.h"

/* A model with something of everything that an edit nearby must not lose. */
static void rich_node(struct out *g, const char *op, const char *in, const char *result,
                      const char *doc)
{
    struct out node = {0}, entry = {0}, attr = {0};
    out_text(&node, 1, in);
    out_text(&node, 2, result);
    out_text(&node, 4, op);
    out_text(&attr, 1, "alpha");
    out_number(&attr, 3, 5);
    out_text(&attr, 13, "about alpha");
    out_number(&attr, 20, ATTR_INT);
    out_message(&node, 5, &attr);
    out_text(&node, 6, doc);
    out_text(&entry, 1, "key");
    out_text(&entry, 2, "value");
    out_message(&node, 9, &entry);
    out_text(&node, 500, "from the future");
    out_message(g, 1, &node);
}

static void annotation(struct out *g, const char *tensor)
{
    struct out a = {0}, entry = {0};
    out_text(&a, 1, tensor);
    out_text(&entry, 1, "SCALE_TENSOR");
    out_text(&entry, 2, "w");
    out_message(&a, 2, &entry);
    out_message(g, 14, &a);
}

static void rich(struct out *file)
{
    struct out g = {0};
    rich_node(&g, "First", "x", "a", "about first");
    rich_node(&g, "Second", "a", "b", "about second");
    rich_node(&g, "Third", "b", "y", "about third");
    out_text(&g, 2, "g");
    out_floats(&g, 5, "w", 4);
    out_text(&g, 10, "about the graph");
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_value(&g, 13, "a", 4);
    out_value(&g, 13, "b", 4);
    annotation(&g, "a");
    annotation(&g, "b");
    out_text(&g, 600, "graph extra");
    out_model(file, 10, 17, &g);
    out_text(file, 700, "model extra");
}

static void untouched_is_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    assert_true(span_equals(save(f), span_out(&f->file)));
    assert_true(span_equals(save_as(f, f->m, (struct save_options){.roundtrip = true}),
                            span_out(&f->file)));
}

static void an_edit_leaves_its_surroundings(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    node_set_name(node_of(f->m, "Second"), "renamed");
    struct span bytes = save(f);
    assert_int_equal(bytes.size, f->file.size + strlen("renamed") + 2);
    static const char *const KEPT[] = {"about first",     "about second",    "about alpha",
                                       "from the future", "about the graph", "graph extra",
                                       "model extra",     "SCALE_TENSOR"};
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++)
        assert_true(holds(bytes, KEPT[i]));
    struct model *m = again(f);
    assert_string_equal(node_of(m, "Second")->name, "renamed");
    assert_int_equal(node_int(node_of(m, "Second"), "alpha", 0), 5);
    model_free(m);
}

static void removed_values_take_their_descriptions_along(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    struct node *second = node_of(f->m, "Second");
    value_replace(second->outputs[0], second->inputs[0].value);
    node_remove(second);
    struct model *m = again(f);
    assert_int_equal(m->graph->n_nodes, 2);
    assert_int_equal(m->graph->declared.count, 1);
    assert_string_equal(m->graph->declared.data[0]->name, "a");
    assert_false(holds(save(f), "about second"));
    struct span bytes = save(f);
    struct out of_b = {0};
    annotation(&of_b, "b");
    assert_null(memmem(bytes.data, bytes.size, of_b.data, of_b.size));
    free(of_b.data);
    model_free(m);
}

static void new_nodes_and_weights_are_written(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    struct graph *g = f->m->graph;
    int64_t dims[] = {2, 2};
    struct tensor *t = tensor_new(f->m->arena, DT_INT8, 2, dims);
    memcpy(tensor_writable(t), "\1\2\3\4", 4);
    struct node *n = node_new(g, "Made", "com.example", 2, 1);
    node_set_input(n, 0, value_of(f->m, "a"));
    node_set_input(n, 1, value_constant(g, "fresh", t));
    node_add_output(n, 0, "made");
    node_set_ints(n, "list", (const int64_t[]){-1, 2}, 2);
    node_set_float(n, "zero", 0);
    node_set_string(n, "text", "hello");
    node_set_tensor(n, "tensor", t);
    node_insert_after(n, node_of(f->m, "First"));
    model_set_opset(f->m, "com.example", 3);
    model_set_metadata(f->m, "npuprep.test", "yes");
    struct model *m = again(f);
    const struct node *made = node_of(m, "Made");
    const int64_t *list;
    uint32_t count;
    assert_ptr_equal(m->graph->first->next, made);
    assert_string_equal(made->domain, "com.example");
    assert_int_equal(graph_opset(m->graph, "com.example"), 3);
    assert_string_equal(m->metadata.data[0].value, "yes");
    assert_true(node_ints(made, "list", &list, &count) && count == 2 && list[0] == -1);
    assert_true(node_float(made, "zero", 1) == 0);
    assert_true(node_string_is(made, "text", "", "hello"));
    assert_memory_equal(made->inputs[1].value->constant->data, "\1\2\3\4", 4);
    assert_int_equal(node_tensor(made, "tensor")->dims[1], 2);
    assert_true(holds(save(f), "model extra"));
    model_free(m);
}

/* y = x * scale + addend, permuted: computed by the writer. */
static void recipes_are_computed_while_writing(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    struct value *w = value_of(f->m, "w");
    double scale = 2, addend = 1;
    struct recipe recipe = {
        .source = w->constant, .axis = 0, .n = 1, .scale = &scale, .addend = &addend};
    struct tensor *t = tensor_view(f->m->arena, DT_FLOAT, 1, w->constant->dims, NULL);
    t->recipe = &recipe;
    t->data = NULL;
    value_set_constant(w, t);
    struct model *m = again(f);
    assert_true(tensor_get(value_of(m, "w")->constant, 3) == 7);
    model_free(m);
}

static void renamed_weights_keep_their_bytes(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    struct value *w = value_of(f->m, "w");
    struct value *copy = value_constant(f->m->graph, "copy", w->constant);
    struct model *m = again(f);
    assert_true(tensor_same(value_of(m, copy->name)->constant, value_of(m, "w")->constant));
    model_free(m);
}

/* ---- types ---- */

static void inference_does_not_rewrite_the_contract(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    rich(&file);
    load(f, &file);
    struct dim_table *t = f->m->dims;
    dim_t n = dim_symbol(t, "n"), sum = dim_add(t, n, dim_const(t, 1)), dims[] = {sum};
    struct type type = {.kind = TYPE_TENSOR, .dtype = DT_FLOAT, .rank = 1, .dims = dims};
    value_set_type(value_of(f->m, "y"), &type); /* an output: the declared 4 stays */
    value_set_type(value_of(f->m, "b"), &type);
    struct model *m = again(f);
    char text[64];
    assert_true(dim_equals(value_of(m, "y")->type.dims[0], 4));
    dim_text(sum, text, sizeof text);
    assert_string_equal(dim_symbol_name(value_of(m, "b")->type.dims[0]), text);
    model_free(m);
    dims[0] = dim_const(t, 7); /* but a number is somebody's wish: --dim, a new batch */
    value_set_type(value_of(f->m, "y"), &type);
    m = again(f);
    assert_true(dim_equals(value_of(m, "y")->type.dims[0], 7));
    model_free(m);
}

static void types_are_added_when_asked(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0};
    out_node(&g, "Relu", "x", NULL, "a");
    out_node(&g, "Relu", "a", NULL, "y");
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_model(&file, 8, 17, &g);
    load(f, &file);
    value_set_type(value_of(f->m, "a"), &value_of(f->m, "x")->type);
    struct model *plain = again(f);
    assert_int_equal(plain->graph->declared.count, 0);
    struct model *typed =
        model_load_bytes(&f->ctx, save_as(f, f->m, (struct save_options){.types = true}), "typed");
    assert_int_equal(typed->graph->declared.count, 1);
    model_free(plain);
    model_free(typed);
}

/* ---- bodies and functions ---- */

static void edits_inside_bodies_reach_the_file(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, node = {0}, attr = {0}, body = {0};
    out_node(&body, "Neg", "x", NULL, "inner");
    out_text(&body, 2, "body");
    out_text(&body, 10, "about the body");
    out_value(&body, 12, "inner", 4);
    out_text(&attr, 1, "then_branch");
    out_message(&attr, 6, &body);
    out_number(&attr, 20, ATTR_GRAPH);
    out_text(&node, 1, "c");
    out_text(&node, 2, "y");
    out_text(&node, 4, "If");
    out_message(&node, 5, &attr);
    out_message(&g, 1, &node);
    out_value(&g, 11, "c", 1);
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_model(&file, 8, 17, &g);
    load(f, &file);
    node_set_op(node_of(f->m, "Neg"), "Abs", "");
    assert_true(holds(save(f), "about the body"));
    struct model *m = again(f);
    assert_non_null(node_of(m, "Abs"));
    assert_null(node_of(m, "Neg"));
    model_free(m);
}

static void functions_are_kept_changed_and_dropped(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, fn = {0}, set = {0};
    rich(&file);
    for (int i = 0; i < 2; i++) {
        out_text(&fn, 1, i ? "Other" : "Local");
        out_text(&fn, 4, "p");
        out_text(&fn, 5, "q");
        struct out node = {0};
        out_text(&node, 1, "p");
        out_text(&node, 2, "q");
        out_text(&node, 4, "Relu");
        out_message(&fn, 7, &node);
        out_text(&fn, 8, "about the function");
        out_number(&set, 2, 17);
        out_message(&fn, 9, &set);
        out_text(&fn, 10, "local");
        out_message(&file, 25, &fn);
    }
    load(f, &file);
    assert_true(span_equals(save(f), span_out(&f->file)));
    node_set_op(f->m->functions.data[0]->body->first, "Abs", "");
    f->m->functions.data[1]->removed = true;
    f->m->functions_dirty = true;
    assert_true(holds(save(f), "about the function"));
    struct model *m = again(f);
    assert_int_equal(m->functions.count, 1);
    assert_string_equal(m->functions.data[0]->body->first->op_type, "Abs");
    model_free(m);
}

static void a_model_from_nothing_can_be_written(void **state)
{
    struct fixture *f = *state;
    f->m = model_new(&f->ctx);
    f->m->ir_version = 8;
    model_set_opset(f->m, "", 17);
    struct graph *g = f->m->graph;
    struct value *x = value_input(g, "x");
    dim_t dims[] = {dim_symbol(f->m->dims, "n"), NULL};
    value_set_type(
        x, &(struct type){.kind = TYPE_TENSOR, .dtype = DT_FLOAT16, .rank = 2, .dims = dims});
    struct node *n = node_new(g, "Relu", "", 1, 1);
    node_set_input(n, 0, x);
    graph_add_output(g, node_add_output(n, 0, "y"));
    node_append(n);
    struct model *m = again(f);
    assert_int_equal(m->ir_version, 8);
    assert_string_equal(dim_symbol_name(value_of(m, "x")->type.dims[0]), "n");
    assert_null(value_of(m, "x")->type.dims[1]);
    model_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(untouched_is_the_same_bytes),
        TEST(an_edit_leaves_its_surroundings),
        TEST(removed_values_take_their_descriptions_along),
        TEST(new_nodes_and_weights_are_written),
        TEST(recipes_are_computed_while_writing),
        TEST(renamed_weights_keep_their_bytes),
        TEST(inference_does_not_rewrite_the_contract),
        TEST(types_are_added_when_asked),
        TEST(edits_inside_bodies_reach_the_file),
        TEST(functions_are_kept_changed_and_dropped),
        TEST(a_model_from_nothing_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the loader makes of a model's parts. */
#include "onnx_test.h"

#include "base/num.h"
#include "onnx/value_file.h"

/* ---- structure ---- */

static void small(struct out *file)
{
    struct out g = {0};
    out_node(&g, "Add", "x", "w", "s");
    out_node(&g, "Relu", "s", NULL, "y");
    out_text(&g, 2, "main graph");
    out_floats(&g, 5, "w", 4);
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_value(&g, 13, "s", 4);
    out_model(file, 8, 17, &g);
}

static void reads_nodes_values_and_uses(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    small(&file);
    load(f, &file);
    struct graph *g = f->m->graph;
    assert_string_equal(g->name, "main graph");
    assert_int_equal(g->n_nodes, 2);
    assert_int_equal(graph_opset(g, ""), 17);
    struct value *s = value_of(f->m, "s"), *w = value_of(f->m, "w");
    assert_ptr_equal(s->producer, node_of(f->m, "Add"));
    assert_ptr_equal(value_only_user(s), node_of(f->m, "Relu"));
    assert_true(value_is_output(value_of(f->m, "y")));
    assert_true(value_is_constant(w));
    assert_int_equal(s->type.rank, 1);
    assert_true(dim_equals(s->type.dims[0], 4));
    assert_false(g->dirty);
    assert_false(node_of(f->m, "Add")->dirty);
    assert_false(w->dirty);
}

static void raw_data_stays_in_the_file(void **state)
{
    struct fixture *f = *state;
    struct out file = {0};
    small(&file);
    load(f, &file);
    const struct tensor *w = value_of(f->m, "w")->constant;
    const unsigned char *data = w->data;
    assert_true(data >= f->file.data && data + w->bytes <= f->file.data + f->file.size);
    assert_true(tensor_get(w, 3) == 3);
}

/* ---- typed data ---- */

struct typed_case {
    enum dtype dtype;
    unsigned field;
    const char *packed; /* four elements as packed entries */
    size_t size;
    const char *bytes; /* the same as raw data */
    size_t n_bytes;
};

#define BYTES(text) text, sizeof(text) - 1
static const struct typed_case TYPED[] = {
    {DT_FLOAT, 4, BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0@@"), BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0@@")},
    {DT_UINT8, 5, BYTES("\0\1\xff\1\2"), BYTES("\0\1\xff\2")},
    {DT_INT8, 5, BYTES("\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2"), BYTES("\0\1\xff\2")},
    {DT_BOOL, 5, BYTES("\0\1\1\0"), BYTES("\0\1\1\0")},
    {DT_UINT16, 5, BYTES("\0\1\x80\2\2"), BYTES("\0\0\1\0\0\1\2\0")},
    {DT_FLOAT16, 5, BYTES("\0\1\x80\x78\2"), BYTES("\0\0\1\0\0\x3c\2\0")},
    {DT_BFLOAT16, 5, BYTES("\0\1\x80\x7f\2"), BYTES("\0\0\1\0\x80\x3f\2\0")},
    {DT_FLOAT8E4M3FN, 5, BYTES("\0\1\x38\2"), BYTES("\0\1\x38\2")},
    {DT_INT32, 5, BYTES("\0\1\x80\2\2"), BYTES("\0\0\0\0\1\0\0\0\0\1\0\0\2\0\0\0")},
    {DT_INT4, 5, BYTES("\x10\xc3\1"), BYTES("\x10\xc3")}, /* two to an entry */
    {DT_UINT2, 5, BYTES("\xe4\1"), BYTES("\xe4")},        /* four to an entry */
    {DT_INT64, 7, BYTES("\0\1\x80\2\2"),
     BYTES("\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\2\0\0\0\0\0\0\0")},
    {DT_UINT32, 11, BYTES("\0\1\x80\2\2"), BYTES("\0\0\0\0\1\0\0\0\0\1\0\0\2\0\0\0")},
    {DT_COMPLEX64, 4,
     BYTES("\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08"),
     BYTES("\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08")},
};

static void typed_model(struct out *file, const struct typed_case *c)
{
    struct out t = {0}, g = {0};
    out_number(&t, 1, 4);
    out_number(&t, 2, c->dtype);
    if (c->field > 8) /* in the order of field numbers, as protobuf writes */
        out_text(&t, 8, "w");
    out_bytes(&t, c->field, c->packed, c->size);
    if (c->field < 8)
        out_text(&t, 8, "w");
    out_node(&g, "Relu", "x", NULL, "y");
    out_message(&g, 5, &t);
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_model(file, 13, 21, &g);
}

static void typed_data_becomes_packed_bytes(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof TYPED / sizeof *TYPED; i++) {
        struct out file = {0};
        typed_model(&file, &TYPED[i]);
        load(f, &file);
        const struct tensor *w = value_of(f->m, "w")->constant;
        assert_int_equal(w->bytes, TYPED[i].n_bytes);
        assert_memory_equal(w->data, TYPED[i].bytes, w->bytes);
        assert_true(span_equals(save(f), span_out(&f->file)));
        assert_true(span_equals(save_as(f, f->m, (struct save_options){.roundtrip = true}),
                                span_out(&f->file)));
        model_free(f->m);
        f->m = NULL;
        free(f->file.data);
        f->file = (struct out){0};
    }
}

/* ---- attributes ---- */

static void attributes(struct out *node)
{
    struct out a = {0};
    out_text(&a, 1, "f");
    out_tag(&a, 2, 5);
    out_put(&a, &(float){2.5f}, 4);
    out_number(&a, 20, ATTR_FLOAT);
    out_message(node, 5, &a);
    out_text(&a, 1, "packed");
    out_bytes(&a, 8, "\1\x80\2", 3);
    out_number(&a, 8, 7);
    out_number(&a, 20, ATTR_INTS);
    out_message(node, 5, &a);
    out_text(&a, 1, "s");
    out_bytes(&a, 4, "a\0b", 3);
    out_number(&a, 20, ATTR_STRING);
    out_message(node, 5, &a);
    out_text(&a, 1, "list");
    out_text(&a, 9, "one");
    out_text(&a, 9, "");
    out_number(&a, 20, ATTR_STRINGS);
    out_message(node, 5, &a);
    out_text(&a, 1, "t");
    out_floats(&a, 5, NULL, 3);
    out_number(&a, 20, ATTR_TENSOR);
    out_message(node, 5, &a);
    out_text(&a, 1, "untyped");
    out_number(&a, 3, 9);
    out_message(node, 5, &a);
}

static void reads_attributes(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, node = {0};
    out_text(&node, 1, "x");
    out_text(&node, 2, "y");
    out_text(&node, 4, "Odd");
    attributes(&node);
    out_text(&node, 7, "ai.onnx");
    out_message(&g, 1, &node);
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_model(&file, 8, 17, &g);
    load(f, &file);
    const struct node *n = f->m->graph->first;
    const int64_t *ints;
    uint32_t count;
    assert_string_equal(n->domain, "");
    assert_true(node_float(n, "f", 0) == 2.5f);
    assert_true(node_ints(n, "packed", &ints, &count));
    assert_int_equal(count, 3);
    assert_int_equal(ints[1], 256);
    assert_int_equal(node_string(n, "s", "").size, 3);
    assert_int_equal(node_attr(n, "list")->n, 2);
    assert_true(tensor_get(node_tensor(n, "t"), 2) == 2);
    assert_int_equal(node_int(n, "untyped", 0), 9);
}

/* ---- bodies and functions ---- */

static void branch(struct out *node, const char *name, const char *reads)
{
    struct out body = {0}, attr = {0};
    out_node(&body, "Neg", reads, NULL, "inner");
    out_text(&body, 2, name);
    out_value(&body, 12, "inner", 4);
    out_text(&attr, 1, name);
    out_message(&attr, 6, &body);
    out_number(&attr, 20, ATTR_GRAPH);
    out_message(node, 5, &attr);
}

static void bodies_read_what_is_around_them(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, node = {0};
    out_text(&node, 1, "c");
    out_text(&node, 2, "y");
    out_text(&node, 4, "If");
    branch(&node, "then_branch", "x");
    branch(&node, "else_branch", "late"); /* produced further down */
    out_message(&g, 1, &node);
    out_node(&g, "Relu", "x", NULL, "late");
    out_value(&g, 11, "x", 4);
    out_value(&g, 11, "c", 1);
    out_value(&g, 12, "y", 4);
    out_model(&file, 8, 17, &g);
    load(f, &file);
    const struct node *branching = node_of(f->m, "If");
    const struct graph *then_branch = node_graph(branching, "then_branch");
    assert_ptr_equal(then_branch->parent, branching);
    assert_ptr_equal(then_branch->first->inputs[0].value, value_of(f->m, "x"));
    assert_ptr_equal(f->m->graph->first, node_of(f->m, "Relu")); /* sorted */
    assert_int_equal(diag_at(f->ctx.diag, 0)->info->id, E_LOAD_UNSORTED);
    assert_true(span_equals(save(f), span_out(&f->file))); /* and yet written as it came */
}

static void add_function(struct out *file, const char *overload)
{
    struct out fn = {0}, set = {0};
    out_text(&fn, 1, "Twice");
    out_text(&fn, 4, "a");
    out_text(&fn, 5, "b");
    struct out node = {0};
    out_text(&node, 1, "a");
    out_text(&node, 1, "a");
    out_text(&node, 2, "b");
    out_text(&node, 4, *overload ? "Mul" : "Add");
    out_message(&fn, 7, &node);
    out_number(&set, 2, 18);
    out_message(&fn, 9, &set);
    out_text(&fn, 10, "local");
    out_text(&fn, 13, overload);
    out_message(file, 25, &fn);
}

static void functions_are_linked_by_overload(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, node = {0};
    out_text(&node, 1, "x");
    out_text(&node, 2, "y");
    out_text(&node, 4, "Twice");
    out_text(&node, 7, "local");
    out_text(&node, 8, "times");
    out_message(&g, 1, &node);
    out_value(&g, 11, "x", 4);
    out_value(&g, 12, "y", 4);
    out_model(&file, 10, 17, &g);
    add_function(&file, "");
    add_function(&file, "times");
    load(f, &file);
    const struct function *called = node_of(f->m, "Twice")->function;
    assert_non_null(called);
    assert_string_equal(called->overload, "times");
    assert_string_equal(called->body->first->op_type, "Mul");
    assert_int_equal(graph_opset(called->body, ""), 18);
    assert_int_equal(called->body->inputs.data[0]->n_uses, 2);
}

/* ---- value files ---- */

static void reads_tensors_sequences_and_optionals(void **state)
{
    struct fixture *f = *state;
    struct out list = {0}, some = {0}, one = {0};
    struct file_value v;
    struct type sequence = {.kind = TYPE_SEQUENCE}, optional = {.kind = TYPE_OPTIONAL};
    out_floats(&list, 3, "a", 2);
    out_floats(&list, 3, "b", 3);
    assert_int_equal(value_bytes_load(&f->ctx, span_out(&list), "t", &sequence, f->arena, &v), 0);
    assert_int_equal(v.count, 2);
    assert_true(tensor_get(v.items[1].tensor, 2) == 2);
    assert_string_equal(v.items[0].name, "a");
    out_bytes(&some, 5, list.data, list.size);
    assert_int_equal(value_bytes_load(&f->ctx, span_out(&some), "t", &optional, f->arena, &v), 0);
    assert_int_equal(v.count, 1);
    assert_int_equal(v.items[0].kind, TYPE_SEQUENCE);
    assert_int_equal(value_bytes_load(&f->ctx, (struct span){0}, "t", &optional, f->arena, &v), 0);
    assert_int_equal(v.count, 0);
    out_number(&one, 1, 1);
    out_number(&one, 2, 1);
    out_bytes(&one, 9, "\0\0\x80?", 4);
    assert_int_equal(value_bytes_load(&f->ctx, span_out(&one), "t", NULL, f->arena, &v), 0);
    assert_true(tensor_get(v.tensor, 0) == 1);
    free(list.data);
    free(some.data);
    free(one.data);
}

static void value_files_hold_their_own_data(void **state)
{
    struct fixture *f = *state;
    struct out t = {0}, entry = {0};
    struct file_value v;
    out_number(&t, 1, 1);
    out_number(&t, 2, 1);
    out_text(&entry, 1, "location");
    out_text(&entry, 2, "w.bin");
    out_message(&t, 13, &entry);
    out_number(&t, 14, 1);
    assert_true(value_bytes_load(&f->ctx, span_out(&t), "t", NULL, f->arena, &v) < 0);
    assert_int_equal(first_error(f), E_EXT_NO_FOLDER);
    free(t.data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_nodes_values_and_uses),           TEST(raw_data_stays_in_the_file),
        TEST(typed_data_becomes_packed_bytes),       TEST(reads_attributes),
        TEST(bodies_read_what_is_around_them),       TEST(functions_are_linked_by_overload),
        TEST(reads_tensors_sequences_and_optionals), TEST(value_files_hold_their_own_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

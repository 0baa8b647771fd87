/* Broken encoding: reference is "Encoding" on protobuf.dev, and what protobuf-c 1.4 does to such
 * bytes. */
#ifndef TESTS_HOSTILE_WIRE_H
#define TESTS_HOSTILE_WIRE_H
#include "hostile.h"

static void empty(struct out *f) { (void)f; }

static void lfs(struct out *f)
{
    const char *text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    out_put(f, text, strlen(text));
}

static void html(struct out *f)
{
    const char *text = "<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n";
    out_put(f, text, strlen(text));
}

static void no_graph(struct out *f) { out_number(f, 1, 8); }

static void truncated(struct out *f)
{
    struct out g = {0};
    sound(&g);
    whole(f, &g);
    f->size -= 20;
}

static void cut_in_varint(struct out *f)
{
    no_graph(f);
    out_put(f, "\xba", 1);
}

static void length_past_end(struct out *f)
{
    out_tag(f, 7, 2);
    out_varint(f, (uint64_t)1 << 62);
    out_put(f, "abc", 3);
}

static void varint_11(struct out *f)
{
    out_put(f, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
}
static void varint_65_bits(struct out *f)
{
    out_put(f, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11);
}
static void field_zero(struct out *f) { out_put(f, "\x02\x01z", 3); }
static void wire_seven(struct out *f) { out_put(f, "\x0f", 1); }
static void group(struct out *f) { out_put(f, "\x0b\x0c", 2); }

static void end_group(struct out *f)
{
    struct out g = {0};
    sound(&g);
    out_put(&g, "\xa4\x06", 2); /* field 100, end group */
    whole(f, &g);
}

static void wrong_wire_type(struct out *f)
{
    out_text(f, 1, "ten"); /* ir_version as bytes */
    no_graph(f);
}

static void graph_as_number(struct out *f) { out_number(f, 7, 5); }

static void packed_cut(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    out_bytes(&t, 4, "1234567", 7); /* float_data */
    with_tensor(f, &t);
}

static void packed_varint_cut(struct out *f)
{
    struct out t = {0};
    out_bytes(&t, 1, "\xff", 1); /* dims */
    with_tensor(f, &t);
}

/* Sequence types within each other: what brought protobuf-c down at 4500 levels. */
static void nested_types(struct out *f, int depth)
{
    struct out inner = {0}, info = {0}, g = {0};
    for (int i = 0; i < depth; i++) {
        struct out sequence = {0}, type = {0};
        out_message(&sequence, 1, &inner);
        out_message(&type, 4, &sequence);
        inner = type;
    }
    out_text(&info, 1, "z");
    out_message(&info, 2, &inner);
    sound(&g);
    out_message(&g, 11, &info);
    whole(f, &g);
}
static void types_4500(struct out *f) { nested_types(f, 4500); }
static void types_51(struct out *f) { nested_types(f, 51); }
static void types_48(struct out *f) { nested_types(f, 48); }

/* Bodies within each other. */
static void nested_ifs(struct out *f)
{
    struct out body = {0};
    out_node(&body, "Relu", "x", NULL, "b");
    for (int i = 0; i < 40; i++) {
        struct out attr = {0}, node = {0}, outer = {0};
        out_text(&attr, 1, "then_branch");
        out_message(&attr, 6, &body);
        out_number(&attr, 20, 5);
        out_text(&node, 4, "If");
        out_message(&node, 5, &attr);
        out_message(&outer, 1, &node);
        body = outer;
    }
    sound(&body);
    whole(f, &body);
}

/* ---- memory for nothing: protobuf-c turns 2 bytes into 200 ---- */

static void repeat(struct out *f, unsigned field, const char *bytes, size_t size, long count)
{
    struct out g = {0};
    sound(&g);
    for (long i = 0; i < count; i++)
        out_bytes(&g, field, bytes, size);
    whole(f, &g);
}
static void empty_nodes(struct out *f) { repeat(f, 1, "", 0, 10000000); }
static void small_nodes(struct out *f)
{
    repeat(f, 1,
           "\x22\x01"
           "A",
           3, 2000000);
}
static void empty_tensors(struct out *f) { repeat(f, 5, "", 0, 5000000); }
static void empty_infos(struct out *f) { repeat(f, 13, "", 0, 1000000); }

static void many_inputs(struct out *f)
{
    struct out node = {0}, g = {0};
    for (long i = 0; i < 1000000; i++)
        out_text(&node, 1, "");
    out_text(&node, 4, "A");
    sound(&g);
    out_message(&g, 1, &node);
    whole(f, &g);
}

/* ---- fields twice ---- */

static void graph_twice(struct out *f)
{
    struct out g = {0};
    sound(&g);
    whole(f, &g);
    sound(&g);
    out_message(f, 7, &g);
}

static void ir_twice(struct out *f)
{
    struct out g = {0};
    sound(&g);
    whole(f, &g);
    out_number(f, 1, 3);
}

static void oneof_twice(struct out *f)
{
    struct out tensor = {0}, type = {0}, info = {0}, g = {0};
    out_number(&tensor, 1, 1);
    out_message(&type, 1, &tensor);
    out_message(&type, 4, &tensor);
    out_text(&info, 1, "z");
    out_message(&info, 2, &type);
    sound(&g);
    out_message(&g, 11, &info);
    whole(f, &g);
}

/* ---- text and numbers ---- */

static void node_named(struct out *f, const char *name, size_t size, unsigned field)
{
    struct out node = {0}, g = {0};
    out_text(&node, 1, "x");
    out_text(&node, 2, "extra");
    out_text(&node, 4, "Relu");
    out_bytes(&node, field, name, size);
    sound(&g);
    out_message(&g, 1, &node);
    whole(f, &g);
}
static void nul_in_name(struct out *f) { node_named(f, "ab\0cd", 5, 3); }
static void bad_utf8(struct out *f) { node_named(f, "\xc0\xaf", 2, 3); }
static void bad_utf8_doc(struct out *f) { node_named(f, "caf\xe9", 4, 6); }
static void format_name(struct out *f) { node_named(f, "%s%n%x%1000000d", 15, 3); }
static void escape_name(struct out *f) { node_named(f, "\x1b[2J\x1b]0;owned\x07", 14, 3); }

static void long_name(struct out *f)
{
    char *name = malloc(1 << 20);
    if (!name)
        abort();
    memset(name, 'n', 1 << 20);
    node_named(f, name, 1 << 20, 3);
    free(name);
}

static void unknown_fields(struct out *f)
{
    node_named(f, "later", 5, 400);
    out_number(f, 5000, 7);
    out_bytes(f, 536870911, "x", 1);
}

static void attribute_type(struct out *f)
{
    struct out attr = {0}, node = {0}, g = {0};
    out_text(&attr, 1, "a");
    out_number(&attr, 20, 127);
    out_text(&node, 4, "A");
    out_message(&node, 5, &attr);
    sound(&g);
    out_message(&g, 1, &node);
    whole(f, &g);
}

static void elem_type(struct out *f)
{
    struct out tensor = {0}, type = {0}, info = {0}, g = {0};
    out_number(&tensor, 1, 4294967297u); /* 1 once cut to 32 bits */
    out_message(&type, 1, &tensor);
    out_text(&info, 1, "z");
    out_message(&info, 2, &type);
    sound(&g);
    out_message(&g, 11, &info);
    whole(f, &g);
}

static const struct hostile HOSTILE_WIRE[] = {
    {"empty", "refuse E0100", "", "an empty file", empty},
    {"lfs", "refuse E0101", "", "a Git LFS pointer", lfs},
    {"html", "refuse E0106", "", "an error page saved as a model", html},
    {"no-graph", "refuse E0102", "", "a model without a graph", no_graph},
    {"truncated", "refuse E0103", "", "A1 onnx PR 8318: a cut file must not parse", truncated},
    {"cut-in-varint", "refuse E0103", "", "the file ends inside a tag", cut_in_varint},
    {"length-past-end", "refuse E0103", "", "A1 onnx PR 8109: a length of 2^62", length_past_end},
    {"varint-11", "refuse E0104", "", "a varint of eleven bytes", varint_11},
    {"varint-65-bits", "refuse E0104", "", "a varint of more than 64 bits", varint_65_bits},
    {"field-zero", "refuse E0105", "", "field number 0", field_zero},
    {"wire-seven", "refuse E0105", "", "wire type 7", wire_seven},
    {"group", "refuse E0106", "", "A3: groups", group},
    {"end-group", "refuse E0106", "", "A3: an end of group inside the graph", end_group},
    {"wrong-wire-type", "refuse E0107", "", "ir_version as bytes", wrong_wire_type},
    {"graph-as-number", "refuse E0107", "", "the graph as a number", graph_as_number},
    {"packed-cut", "refuse E0108", "", "packed floats of 7 bytes", packed_cut},
    {"packed-varint-cut", "refuse E0108", "", "a packed list that ends inside a number",
     packed_varint_cut},
    {"types-4500", "refuse E0110", "", "A3: 4500 nested sequence types crash protobuf-c",
     types_4500},
    {"types-51", "refuse E0110", "", "A3: one level more than C++ protobuf reads", types_51},
    {"types-48", "accept", "", "A3: deep, but within the limit", types_48},
    {"ifs-40", "refuse E0110", "", "A4: bodies nested 40 deep", nested_ifs},
    {"empty-nodes", "refuse E0004", "", "A3: 10 M empty NodeProtos, 2 bytes each", empty_nodes},
    {"small-nodes", "refuse E0004", "", "A3: 2 M nodes of 5 bytes", small_nodes},
    {"empty-tensors", "refuse E0116", "", "A3: 5 M empty TensorProtos", empty_tensors},
    {"empty-infos", "refuse E0003", "--max-memory 64M", "A3: 1 M empty ValueInfoProtos",
     empty_infos},
    {"many-inputs", "refuse E0003", "--max-memory 64M", "A3: a node with 1 M inputs", many_inputs},
    {"graph-twice", "refuse E0111", "", "A3: protobuf-c merges, and loses unknown fields",
     graph_twice},
    {"ir-twice", "refuse E0111", "", "a number twice: readers differ", ir_twice},
    {"oneof-twice", "refuse E0111", "", "A3: a type that is tensor and sequence", oneof_twice},
    {"nul-in-name", "refuse E0112", "", "A3: protobuf-c writes such a name back shorter",
     nul_in_name},
    {"bad-utf8", "refuse E0113", "", "A3: an overlong encoding in a name", bad_utf8},
    {"bad-utf8-doc", "warn E0114", "", "A3: Latin-1 in a doc_string", bad_utf8_doc},
    {"format-name", "accept", "", "A1 CVE-2024-27319: model strings are never a format",
     format_name},
    {"escape-name", "accept", "", "a name that would drive a terminal", escape_name},
    {"long-name", "accept", "", "a name of 1 MiB", long_name},
    {"unknown-fields", "accept", "", "A3: unknown fields are kept", unknown_fields},
    {"attribute-type", "refuse E0115", "", "A3: AttributeProto.type = 127", attribute_type},
    {"elem-type", "refuse E0116", "", "A3: an enumeration beyond 32 bits", elem_type},
    {0}};
#endif

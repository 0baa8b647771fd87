/* gen_onnx SHAPE COUNT OUT.onnx: models of a given size for scaling tests, written as wire bytes by
 * hand, so that they do not depend on the code under test. SHAPE is one of chain       COUNT nodes:
 * Conv 1x1 (4 channels), BatchNormalization, Relu, Conv, ... relus       COUNT nodes: Relu after
 * Relu transposes  COUNT Transpose nodes that cancel in pairs fanout      one Relu with COUNT - 2
 * consumers, summed by one Sum ifs         If nodes nested COUNT deep Field numbers: onnx.proto
 * (ModelProto 1 ir_version, 7 graph, 8 opset_import; GraphProto 1 node, 2 name, 5 initializer, 11
 * input, 12 output; NodeProto 1 input, 2 output, 3 name, 4 op_type, 5 attribute; AttributeProto 1
 * name, 6 g, 8 ints, 20 type; TensorProto 1 dims, 2 data_type, 8 name, 9 raw_data; ValueInfoProto 1
 * name, 2 type).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buf {
    unsigned char *data;
    size_t size, cap;
};

static void put(struct buf *b, const void *bytes, size_t size)
{
    if (b->size + size > b->cap) {
        b->cap = (b->size + size) * 2;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            abort();
    }
    if (size)
        memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

static void varint(struct buf *b, uint64_t v)
{
    do {
        unsigned char byte = (unsigned char)((v & 127) | (v > 127 ? 128 : 0));
        put(b, &byte, 1);
        v >>= 7;
    } while (v);
}

static void number(struct buf *b, unsigned field, uint64_t v)
{
    varint(b, field << 3);
    varint(b, v);
}

static void bytes(struct buf *b, unsigned field, const void *data, size_t size)
{
    varint(b, field << 3 | 2);
    varint(b, size);
    put(b, data, size);
}

static void text(struct buf *b, unsigned field, const char *s) { bytes(b, field, s, strlen(s)); }

/* Appends `inner` as a message and empties it. */
static void message(struct buf *b, unsigned field, struct buf *inner)
{
    bytes(b, field, inner->data, inner->size);
    inner->size = 0;
}

static void ints_attr(struct buf *node, const char *name, const int *values, int count)
{
    struct buf a = {0};
    text(&a, 1, name);
    for (int i = 0; i < count; i++)
        number(&a, 8, (uint64_t)values[i]);
    number(&a, 20, 7);
    message(node, 5, &a);
    free(a.data);
}

static void value_info(struct buf *graph, unsigned field, const char *name, int type,
                       const int *dims, int rank)
{
    struct buf shape = {0}, dim = {0}, tensor = {0}, kind = {0}, info = {0};
    for (int i = 0; i < rank; i++) {
        number(&dim, 1, (uint64_t)dims[i]);
        message(&shape, 1, &dim);
    }
    number(&tensor, 1, (uint64_t)type);
    message(&tensor, 2, &shape);
    message(&kind, 1, &tensor);
    text(&info, 1, name);
    message(&info, 2, &kind);
    message(graph, field, &info);
    free(shape.data), free(dim.data), free(tensor.data), free(kind.data), free(info.data);
}

static void floats(struct buf *graph, const char *name, const int *dims, int rank, long salt)
{
    struct buf t = {0};
    int count = 1;
    float data[64];
    for (int i = 0; i < rank; i++) {
        number(&t, 1, (uint64_t)dims[i]);
        count *= dims[i];
    }
    for (int i = 0; i < count; i++)
        data[i] = 0.2f + (float)((salt * 31 + i * 7) % 97) /
                             2000.0f; /* below 1/4: a chain does not grow */
    number(&t, 2, 1);
    text(&t, 8, name);
    bytes(&t, 9, data, sizeof(float) * (size_t)count);
    message(graph, 5, &t);
    free(t.data);
}

static void node(struct buf *graph, const char *op, const char *const *inputs, int n_inputs,
                 const char *output, const int *perm)
{
    struct buf n = {0};
    for (int i = 0; i < n_inputs; i++)
        text(&n, 1, inputs[i]);
    text(&n, 2, output);
    text(&n, 4, op);
    if (perm)
        ints_attr(&n, "perm", perm, 4);
    message(graph, 1, &n);
    free(n.data);
}

enum { NAME = 40 };

static void name_of(char *out, const char *stem, long i) { snprintf(out, NAME, "%s%ld", stem, i); }

static void chain_node(struct buf *g, long i, const char *from, const char *to)
{
    static const int kernel[] = {4, 4, 1, 1}, four[] = {4};
    char names[4][NAME];
    if (i % 3 == 0) {
        name_of(names[0], "w", i);
        floats(g, names[0], kernel, 4, i);
        node(g, "Conv", (const char *[]){from, names[0]}, 2, to, NULL);
    } else if (i % 3 == 1) {
        for (int k = 0; k < 4; k++) {
            snprintf(names[k], NAME, "b%ld_%d", i, k);
            floats(g, names[k], four, 1, i + k);
        }
        node(g, "BatchNormalization",
             (const char *[]){from, names[0], names[1], names[2], names[3]}, 5, to, NULL);
    } else {
        node(g, "Relu", &from, 1, to, NULL);
    }
}

static void linear(struct buf *g, const char *shape, long count)
{
    static const int perm[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
    char from[NAME] = "x", to[NAME];
    for (long i = 0; i < count; i++) {
        name_of(to, "v", i);
        const char *input = from;
        if (!strcmp(shape, "chain"))
            chain_node(g, i, from, to);
        else if (!strcmp(shape, "relus"))
            node(g, "Relu", &input, 1, to, NULL);
        else
            node(g, "Transpose", &input, 1, to, i % 2 ? back : perm);
        snprintf(from, sizeof from, "%s", to);
    }
    const char *last = from;
    node(g, "Identity", &last, 1, "y", NULL);
}

static void fanout(struct buf *g, long count)
{
    const char *x = "x", *r = "r";
    char(*names)[NAME] = calloc((size_t)count, sizeof *names);
    const char **inputs = calloc((size_t)count, sizeof *inputs);
    if (!names || !inputs)
        abort();
    node(g, "Relu", &x, 1, "r", NULL);
    for (long i = 0; i < count - 2; i++) {
        name_of(names[i], "f", i);
        inputs[i] = names[i];
        node(g, "Neg", &r, 1, names[i], NULL);
    }
    node(g, "Sum", inputs, (int)(count - 2), "y", NULL);
    free(names);
    free(inputs);
}

/* A body whose output is one If (or, innermost, an Identity of x). */
static void nested(struct buf *g, long depth)
{
    struct buf inner = {0}, a = {0}, n = {0};
    const char *x = "x";
    char name[NAME];
    name_of(name, "d", depth);
    if (depth == 0) {
        node(g, "Identity", &x, 1, name, NULL);
    } else {
        char below[NAME];
        name_of(below, "d", depth - 1);
        text(&n, 1, "cond");
        text(&n, 2, name);
        text(&n, 4, "If");
        for (int branch = 0; branch < 2; branch++) {
            if (branch == 0)
                nested(&inner, depth - 1);
            else
                node(&inner, "Identity", &x, 1, "e", NULL);
            text(&inner, 2, "body");
            value_info(&inner, 12, branch ? "e" : below, 1, (const int[]){1, 4, 8, 8}, 4);
            text(&a, 1, branch ? "else_branch" : "then_branch");
            message(&a, 6, &inner);
            number(&a, 20, 5);
            message(&n, 5, &a);
        }
        message(g, 1, &n);
    }
    free(inner.data), free(a.data), free(n.data);
}

int main(int argc, char **argv)
{
    static const int dims[] = {1, 4, 8, 8};
    if (argc != 4)
        return fprintf(stderr,
                       "usage: gen_onnx chain|relus|transposes|fanout|ifs COUNT OUT.onnx\n"),
               64;
    const char *shape = argv[1];
    long count = strtol(argv[2], NULL, 10);
    struct buf g = {0}, m = {0}, opset = {0};
    char output[NAME] = "y";
    if (!strcmp(shape, "fanout"))
        fanout(&g, count);
    else if (!strcmp(shape, "ifs"))
        nested(&g, count), name_of(output, "d", count);
    else
        linear(&g, shape, count);
    text(&g, 2, shape);
    value_info(&g, 11, "x", 1, dims, 4);
    if (!strcmp(shape, "ifs"))
        value_info(&g, 11, "cond", 9, dims, 0);
    value_info(&g, 12, output, 1, dims, 4);
    number(&m, 1, 8);
    text(&m, 2, "gen_onnx");
    message(&m, 7, &g);
    number(&opset, 2, 13);
    message(&m, 8, &opset);
    FILE *f = fopen(argv[3], "wb");
    if (!f || fwrite(m.data, 1, m.size, f) != m.size || fclose(f))
        return perror(argv[3]), 74;
    free(g.data), free(m.data), free(opset.data);
    return 0;
}

/* Protocol buffers written by hand for test generators, so that files do not depend on the code
 * under test. Field numbers: onnx.proto. A message is built in a buffer of its own and appended to
 * its parent. */
#ifndef TESTS_GEN_WIRE_OUT_H
#define TESTS_GEN_WIRE_OUT_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
    unsigned char *data;
    size_t size, cap;
};

static inline void out_put(struct out *o, const void *bytes, size_t size)
{
    if (o->size + size > o->cap) {
        o->cap = (o->size + size) * 2;
        o->data = realloc(o->data, o->cap);
        if (!o->data)
            abort();
    }
    if (size)
        memcpy(o->data + o->size, bytes, size);
    o->size += size;
}

static inline void out_varint(struct out *o, uint64_t v)
{
    for (; v > 127; v >>= 7)
        out_put(o, &(unsigned char){(unsigned char)(v | 128)}, 1);
    out_put(o, &(unsigned char){(unsigned char)v}, 1);
}

static inline void out_tag(struct out *o, unsigned field, unsigned wire)
{
    out_varint(o, (uint64_t)field << 3 | wire);
}

static inline void out_number(struct out *o, unsigned field, uint64_t v)
{
    out_tag(o, field, 0);
    out_varint(o, v);
}

static inline void out_bytes(struct out *o, unsigned field, const void *data, size_t size)
{
    out_tag(o, field, 2);
    out_varint(o, size);
    out_put(o, data, size);
}

static inline void out_text(struct out *o, unsigned field, const char *text)
{
    out_bytes(o, field, text, strlen(text));
}

/* Appends a message and empties its buffer. */
static inline void out_message(struct out *o, unsigned field, struct out *inner)
{
    out_bytes(o, field, inner->data, inner->size);
    free(inner->data);
    *inner = (struct out){0};
}

/* A ValueInfoProto of a float tensor of rank 1 as `field` of a graph. */
static inline void out_value(struct out *graph, unsigned field, const char *name, uint64_t size)
{
    struct out dim = {0}, shape = {0}, tensor = {0}, type = {0}, info = {0};
    out_number(&dim, 1, size);
    out_message(&shape, 1, &dim);
    out_number(&tensor, 1, 1);
    out_message(&tensor, 2, &shape);
    out_message(&type, 1, &tensor);
    out_text(&info, 1, name);
    out_message(&info, 2, &type);
    out_message(graph, field, &info);
}

/* A node with up to two inputs and one output; NULL leaves one out. */
static inline void out_node(struct out *graph, const char *op, const char *a, const char *b,
                            const char *y)
{
    struct out node = {0};
    if (a)
        out_text(&node, 1, a);
    if (b)
        out_text(&node, 1, b);
    if (y)
        out_text(&node, 2, y);
    out_text(&node, 4, op);
    out_message(graph, 1, &node);
}

/* ir_version, the default operator set, and the graph. */
static inline void out_model(struct out *model, uint64_t ir, uint64_t opset, struct out *graph)
{
    struct out set = {0};
    out_number(model, 1, ir);
    out_message(model, 7, graph);
    out_text(&set, 1, "");
    out_number(&set, 2, opset);
    out_message(model, 8, &set);
}

static inline int out_save(const struct out *o, const char *path)
{
    FILE *f = fopen(path, "wb");
    int bad = !f || (o->size && fwrite(o->data, 1, o->size, f) != o->size);
    return (f && fclose(f)) || bad ? -1 : 0;
}
#endif

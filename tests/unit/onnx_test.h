/* For the tests of src/onnx: a context without talk, models written by hand, and looking things up
 * in what was read. */
#ifndef TESTS_UNIT_ONNX_TEST_H
#define TESTS_UNIT_ONNX_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../gen/wire_out.h"
#include "base/file.h"
#include "base/mem.h"
#include "ir/edit.h"
#include "onnx/load.h"
#include "onnx/save.h"

struct fixture {
    struct ctx ctx;
    struct out file; /* what was loaded */
    struct model *m;
    struct arena *arena;
    size_t held; /* heap before the test */
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->held = mem_in_use();
    f->ctx = (struct ctx){.diag = diag_new(NULL, NULL), .threads = 1};
    f->arena = arena_new();
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    model_free(f->m);
    arena_free(f->arena);
    diag_free(f->ctx.diag);
    int leaked = mem_in_use() != f->held;
    free(f->file.data);
    free(f);
    return leaked;
}

static inline struct span span_out(const struct out *o) { return (struct span){o->data, o->size}; }

/* Takes the bytes as the fixture's model. */
static inline void load(struct fixture *f, struct out *file)
{
    f->file = *file;
    f->m = model_load_bytes(&f->ctx, span_out(&f->file), "test");
    assert_non_null(f->m);
    assert_int_equal(model_verify(f->m), 0);
}

static inline struct span save_as(struct fixture *f, struct model *m, struct save_options options)
{
    struct span bytes = {0};
    assert_int_equal(model_save_bytes(m, &options, f->arena, &bytes), 0);
    return bytes;
}
static inline struct span save(struct fixture *f)
{
    return save_as(f, f->m, (struct save_options){0});
}

/* What is saved, read again; owned by the caller. */
static inline struct model *again(struct fixture *f)
{
    struct model *m = model_load_bytes(&f->ctx, save(f), "again");
    assert_non_null(m);
    return m;
}

static inline struct node *node_of(struct model *m, const char *op)
{
    for (size_t i = 0; i < m->nodes.count; i++)
        if (!strcmp(m->nodes.data[i]->op_type, op) && !m->nodes.data[i]->removed)
            return m->nodes.data[i];
    return NULL;
}

static inline struct value *value_of(struct model *m, const char *name)
{
    for (size_t i = 0; i < m->values.count; i++)
        if (!strcmp(m->values.data[i]->name, name) && !m->values.data[i]->removed)
            return m->values.data[i];
    return NULL;
}

/* Does text occur in the bytes? */
static inline int holds(struct span bytes, const char *text)
{
    return memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static inline int first_error(const struct fixture *f)
{
    for (size_t i = 0; i < diag_count(f->ctx.diag); i++)
        if (diag_at(f->ctx.diag, i)->info->severity == SEVERITY_ERROR)
            return (int)diag_at(f->ctx.diag, i)->info->id;
    return 0;
}

/* A float tensor of one dim with raw data 0, 1, 2, ... as `field`. */
static inline void out_floats(struct out *graph, unsigned field, const char *name, uint64_t count)
{
    struct out t = {0};
    out_number(&t, 1, count);
    out_number(&t, 2, 1);
    if (name)
        out_text(&t, 8, name);
    out_tag(&t, 9, 2);
    out_varint(&t, count * 4);
    for (uint64_t i = 0; i < count; i++)
        out_put(&t, &(float){(float)i}, 4);
    out_message(graph, field, &t);
}
#endif

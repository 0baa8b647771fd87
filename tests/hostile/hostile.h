/* The parts of gen_hostile: small models to spoil, and the tables of cases. */
#ifndef TESTS_GEN_HOSTILE_H
#define TESTS_GEN_HOSTILE_H
#include "../gen/wire_out.h"

/* One case. expect: "refuse E0302", "warn E0210" or "accept". options: of npuprep, "" for none. */
struct hostile {
    const char *name, *expect, *options, *what;
    void (*make)(struct out *file);
};

/* The sound model that cases start from: y = x + w with four floats each, in pieces. */
static void whole(struct out *file, struct out *graph); /* ir_version 10, opset 17 */
static void ends(struct out *graph);                    /* name, input x, output y */
static void weight(struct out *graph);                  /* initializer w */
static void sound(struct out *graph);                   /* node, ends and weight */
static void
with_tensor(struct out *file,
            struct out *tensor); /* the model, with that initializer in the place of w */
static void tensor_start(struct out *tensor, uint64_t dim); /* dims [dim], float, name w */
static void raw(struct out *tensor, size_t size);           /* raw_data of so many zero bytes */
#endif

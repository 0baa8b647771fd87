/* libFuzzer target: scan, load, save. Whatever loads must come back as it was, and survive being
 * rebuilt.
 *
 *   sh tests/fuzz/run.sh load 600 SEEDS...
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "onnx/load.h"
#include "onnx/save.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_NODES = 10000 };

static struct span rebuilt(struct model *m, struct arena *a)
{
    struct span bytes = {0};
    struct save_options options = {.external = EXTERNAL_DATA_KEEP, .roundtrip = true};
    if (model_save_bytes(m, &options, a, &bytes))
        abort(); /* what was read can be written */
    return bytes;
}

static void check_saves(struct ctx *ctx, struct model *m, struct span input)
{
    struct arena *a = arena_new();
    struct span same = {0};
    if (model_save_bytes(m, &(struct save_options){.external = EXTERNAL_DATA_KEEP}, a, &same) ||
        !span_equals(same, input))
        abort(); /* untouched is unchanged */
    if (model_verify(m))
        abort();
    struct span once = rebuilt(m, a);
    struct model *again = model_load_bytes(ctx, once, "rebuilt");
    if (!again || again->n_nodes != m->n_nodes || again->functions.count != m->functions.count)
        abort();
    if (!span_equals(rebuilt(again, a), once))
        abort(); /* rebuilding reaches a fixed point at once */
    model_free(again);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diag *diag = diag_new(NULL, NULL);
    struct ctx ctx = {.diag = diag, .threads = 1, .max_nodes = MAX_NODES};
    struct span input = {data, size};
    struct model *m = model_load_bytes(&ctx, input, "input");
    if (m)
        check_saves(&ctx, m, input);
    else if (!diag_errors(diag))
        abort(); /* a refusal says why */
    model_free(m);
    diag_free(diag);
    if (mem_in_use())
        abort();
    return 0;
}

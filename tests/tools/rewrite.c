/* rewrite [--roundtrip]: loads each model named on standard input, saves it in memory and compares
 * the bytes. A model that comes back different must at least be stable: rebuilt once more it stays
 * as it is. Prints the names that differ, then "N identical, M stable, F failed". Exit status 1
 * when some failed, or when untouched ones differ.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "onnx/load.h"
#include "onnx/save.h"

enum verdict { IDENTICAL, STABLE, FAILED };

static void talk(void *user, const struct diagnostic *d)
{
    (void)user;
    if (d->info->severity == SEVERITY_ERROR)
        log_diagnostic(d);
}

static bool is_stable(struct ctx *ctx, struct span bytes, const struct save_options *options,
                      struct arena *a)
{
    struct span once = {0};
    struct model *m = model_load_bytes(ctx, bytes, "rewritten");
    bool stable = m && !model_save_bytes(m, options, a, &once) && span_equals(once, bytes);
    model_free(m);
    return stable;
}

static enum verdict judge(struct ctx *ctx, const char *path, bool roundtrip)
{
    struct save_options options = {.external = EXTERNAL_DATA_KEEP, .roundtrip = roundtrip};
    struct span bytes = {0};
    struct model *m = model_load(ctx, path);
    if (!m)
        return FAILED;
    struct arena *a = arena_new();
    enum verdict v = FAILED;
    if (!model_save_bytes(m, &options, a, &bytes) && !model_verify(m)) {
        v = span_equals(bytes, m->origin) ? IDENTICAL : STABLE;
        if (v == STABLE && (!roundtrip || !is_stable(ctx, bytes, &options, a)))
            v = FAILED;
    }
    arena_free(a);
    model_free(m);
    return v;
}

int main(int argc, char **argv)
{
    bool roundtrip = argc > 1 && !strcmp(argv[1], "--roundtrip");
    size_t counts[FAILED + 1] = {0};
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        struct ctx ctx = {.diag = diag_new(talk, NULL), .threads = 1};
        enum verdict v = judge(&ctx, path, roundtrip);
        counts[v]++;
        if (v != IDENTICAL)
            printf("%s: %s\n", path, v == STABLE ? "other bytes, stable" : "failed");
        diag_free(ctx.diag);
    }
    printf("%zu identical, %zu stable, %zu failed\n", counts[IDENTICAL], counts[STABLE],
           counts[FAILED]);
    return counts[FAILED] > 0;
}

/* resave IN.onnx OUT.onnx auto|always|never|keep [rename]: loads and saves over OUT; rename: one
 * node gets a name first. resave --check OUT.onnx: does it load whole, with every byte of its data?
 * Exit status 0, or the one of the error. For tests that kill a save, fill the disk or time it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ir/edit.h"
#include "onnx/load.h"
#include "onnx/save.h"

static void talk(void *user, const struct diagnostic *d)
{
    (void)user;
    log_diagnostic(d);
}

/* Reads every byte of every weight, so that a hole or a cut would show. */
static int check(struct ctx *ctx, const char *path)
{
    struct model *m = model_load(ctx, path);
    if (!m)
        return (int)diag_exit(ctx->diag);
    uint64_t hash = 0;
    for (size_t i = 0; i < m->values.count; i++)
        if (m->values.data[i]->constant)
            hash = hash * 31 + tensor_hash(m->values.data[i]->constant);
    printf("%016llx\n", (unsigned long long)hash);
    model_free(m);
    return 0;
}

static int policy_of(const char *text)
{
    static const char *const NAMES[] = {"auto", "never", "always",
                                        "keep"}; /* in the order of enum external_data */
    for (int i = 0; i < 4; i++)
        if (!strcmp(text, NAMES[i]))
            return i;
    return -1;
}

static int resave(struct ctx *ctx, char **argv, int argc)
{
    struct save_options options = {.force = true,
                                   .external = (enum external_data)policy_of(argv[2])};
    struct model *m = model_load(ctx, argv[0]);
    if (!m)
        return (int)diag_exit(ctx->diag);
    if (argc > 3)
        node_set_name(m->graph->first, "renamed");
    int code = model_save(m, argv[1], &options);
    model_free(m);
    return code ? (int)diag_exit(ctx->diag) : 0;
}

int main(int argc, char **argv)
{
    struct ctx ctx = {.diag = diag_new(talk, NULL), .threads = 1};
    int status = EXIT_USAGE;
    if (argc == 3 && !strcmp(argv[1], "--check"))
        status = check(&ctx, argv[2]);
    else if ((argc == 4 || argc == 5) && policy_of(argv[3]) >= 0)
        status = resave(&ctx, argv + 1, argc - 1);
    else
        fprintf(stderr,
                "usage: resave IN OUT auto|always|never|keep [rename] | resave --check FILE\n");
    diag_free(ctx.diag);
    return status;
}

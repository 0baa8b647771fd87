/* One side of compare: see compare.h. */
#include "cmd/compare.h"

#include <string.h>

#include "base/mem.h"
#include "cmd/options_model.h"
#include "onnx/load.h"
#include "ops/op.h"

static void add_name(struct side *s, const char *name, const struct value *v,
                     const struct tensor *t, bool output)
{
    vec_push(&s->names, ((struct side_name){name, v, t, output}));
}

static void list_values(struct side *s, bool layers)
{
    const struct graph *g = s->m->graph;
    for (size_t i = 0; i < g->outputs.count; i++)
        add_name(s, g->outputs.data[i]->value->name, g->outputs.data[i]->value, NULL, true);
    for (const struct node *n = g->first; layers && n; n = n->next)
        for (uint32_t i = 0; i < n->n_outputs; i++)
            if (n->outputs[i] && !value_is_output(n->outputs[i]))
                add_name(s, n->outputs[i]->name, n->outputs[i], NULL, false);
}

static int open_saved(struct side *s, struct cmd *cmd)
{
    struct npz_named *arrays;
    size_t count;
    int code = npz_read(s->path, s->arena, &arrays, &count, cmd->ctx);
    for (size_t i = 0; !code && i < count; i++)
        add_name(s, arrays[i].name, NULL, arrays[i].t, true);
    return code;
}

static int open_model(struct side *s, struct cmd *cmd, bool layers)
{
    struct infer_options infer = {0};
    s->m = model_load(cmd->ctx, s->path);
    if (!s->m)
        return -E_NO_INPUT;
    ops_resolve(s->m);
    int code = model_options_apply(cmd, s->m, &infer);
    if (!code)
        code = model_infer(s->m, &infer, NULL);
    if (!code)
        list_values(s, layers);
    return code;
}

int side_open(struct side *s, struct cmd *cmd, const char *path, bool layers)
{
    int code = cmd_input(cmd, path);
    s->path = path;
    s->arena = arena_new();
    s->saved = path_has_suffix(path, ".npz");
    if (code)
        return code;
    return s->saved ? open_saved(s, cmd) : open_model(s, cmd, layers);
}

void side_close(struct side *s)
{
    exec_free(s->exec);
    model_free(s->m);
    arena_free(s->arena);
    vec_free(&s->names);
}

const struct side_name *side_find(const struct side *s, const char *name, size_t *index)
{
    for (size_t i = 0; i < s->names.count; i++)
        if (strcmp(s->names.data[i].name, name) == 0) {
            *index = i;
            return &s->names.data[i];
        }
    return NULL;
}

/* Binding dimensions by name, or by the shape of an input. */
#include "cmd/options_model.h"

#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "ir/edit.h"

struct model_options {
    struct opt_list dim, shape;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct model_options, dim), .name = "dim", .kind = OPT_LIST, .value = "NAME=N",
     .help = "give a symbolic dimension of the inputs a size; repeatable"},
    {OPT_AT(struct model_options, shape), .name = "shape", .kind = OPT_LIST,
     .value = "INPUT=N,N,...", .help = "give an input its whole shape; repeatable"},
    {0}};
const struct opt_group MODEL_OPTIONS = {"Model options", ROWS, sizeof(struct model_options)};

typedef VEC(struct dim_binding) binding_list;

struct apply {
    struct cmd *cmd;
    struct model *m;
    binding_list bindings;
};

static int bad_value(struct apply *a, const char *option, const char *text, const char *expected)
{
    return diag_report(a->cmd->ctx->diag, E_OPTION_VALUE, NULL, "%s: '%s' given, expected %s",
                       option, text, expected);
}

/* "NAME=REST" at its last equals sign: names may hold some. NULL when there is none. */
static const char *split(struct apply *a, const char *text, char **name)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text)
        return NULL;
    *name = arena_copy(a->cmd->arena, text, (size_t)(equals - text) + 1);
    (*name)[equals - text] = '\0';
    return equals + 1;
}

static int bind(struct apply *a, const char *name, int64_t value, const char *text)
{
    for (size_t i = 0; i < a->bindings.count; i++) {
        const struct dim_binding *b = &a->bindings.data[i];
        if (!strcmp(b->name, name) && b->value != value)
            return bad_value(
                a, "--dim and --shape", text,
                arena_printf(a->cmd->arena, "%s=%lld, as given before", name, (long long)b->value));
        if (!strcmp(b->name, name))
            return 0;
    }
    vec_push(&a->bindings, ((struct dim_binding){name, value}));
    return 0;
}

/* ---- --dim ---- */

/* Names of the bare symbols in the inputs' types, NULL-terminated. */
static const char **symbols(struct apply *a)
{
    VEC(const char *) names = {0};
    const struct graph *g = a->m->graph;
    for (size_t i = 0; i < g->inputs.count; i++) {
        const struct type *t = &g->inputs.data[i]->type;
        for (int32_t d = 0; t->dims && d < t->rank; d++)
            if (dim_symbol_name(t->dims[d]))
                vec_push(&names, dim_symbol_name(t->dims[d]));
    }
    vec_push(&names, NULL);
    const char **list = arena_copy(a->cmd->arena, names.data, names.count * sizeof *names.data);
    vec_free(&names);
    return list;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int apply_dim(struct apply *a, const char *text)
{
    char *name;
    int64_t value;
    const char *number = split(a, text, &name);
    if (!number || !text_int(number, &value) || value < 0)
        return bad_value(a, "--dim", text, "NAME=N with N >= 0");
    const char **known = symbols(a);
    return is_one_of(name, known) ? bind(a, name, value, text)
                                  : cmd_unknown(a->cmd, "dimension", name, known);
}

/* ---- --shape ---- */

static const char **input_names(struct apply *a)
{
    const struct graph *g = a->m->graph;
    const char **names = arena_array(a->cmd->arena, g->inputs.count + 1, sizeof *names);
    for (size_t i = 0; i < g->inputs.count; i++)
        names[i] = g->inputs.data[i]->name;
    return names;
}

static struct value *find_input(struct apply *a, const char *name)
{
    const struct graph *g = a->m->graph;
    for (size_t i = 0; i < g->inputs.count; i++)
        if (!strcmp(g->inputs.data[i]->name, name))
            return g->inputs.data[i];
    return NULL;
}

/* "1,3,224,224" to dims; "" is a scalar. Returns the rank, -1 on a bad text. */
static int parse_shape(struct apply *a, const char *text, int64_t dims[TENSOR_MAX_RANK])
{
    char *rest = *text ? arena_string(a->cmd->arena, text) : NULL;
    int rank = 0;
    for (char *number; (number = strsep(&rest, ","));)
        if (rank == TENSOR_MAX_RANK || !text_int(number, &dims[rank]) || dims[rank++] < 0)
            return -1;
    return rank;
}

/* The shape as the input's type; symbols it replaces are bound everywhere. */
static int set_shape(struct apply *a, struct value *v, int rank, const int64_t *sizes,
                     const char *text)
{
    dim_t dims[TENSOR_MAX_RANK];
    int code = 0;
    for (int i = 0; i < rank; i++) {
        dims[i] = dim_const(a->m->dims, sizes[i]);
        const char *symbol =
            v->type.dims && v->type.rank == rank ? dim_symbol_name(v->type.dims[i]) : NULL;
        if (symbol && !code)
            code = bind(a, symbol, sizes[i], text);
    }
    struct type type = v->type;
    type.rank = rank;
    type.dims = dims;
    if (!code)
        value_set_type(v, &type);
    return code;
}

static int apply_shape(struct apply *a, const char *text)
{
    char *name;
    int64_t sizes[TENSOR_MAX_RANK];
    const char *list = split(a, text, &name);
    int rank = list ? parse_shape(a, list, sizes) : -1;
    if (rank < 0)
        return bad_value(a, "--shape", text, "INPUT=N,N,... with sizes >= 0");
    struct value *v = find_input(a, name);
    if (!v)
        return cmd_unknown(a->cmd, "input", name, input_names(a));
    if (v->type.kind != TYPE_TENSOR)
        return bad_value(a, "--shape", text, "an input that is a tensor");
    if (v->type.rank >= 0 && v->type.rank != rank)
        return bad_value(a, "--shape", text,
                         arena_printf(a->cmd->arena, "%d sizes", (int)v->type.rank));
    return set_shape(a, v, rank, sizes, text);
}

int model_options_apply(struct cmd *cmd, struct model *m, struct infer_options *infer)
{
    const struct model_options *o = cmd_options(cmd, &MODEL_OPTIONS);
    struct apply a = {.cmd = cmd, .m = m};
    int code = 0;
    for (size_t i = 0; i < o->dim.count && !code; i++)
        code = apply_dim(&a, o->dim.items[i]);
    for (size_t i = 0; i < o->shape.count && !code; i++)
        code = apply_shape(&a, o->shape.items[i]);
    *infer = (struct infer_options){.n_bindings = a.bindings.count};
    if (a.bindings.count)
        infer->bindings =
            arena_copy(cmd->arena, a.bindings.data, a.bindings.count * sizeof *a.bindings.data);
    vec_free(&a.bindings);
    return code;
}

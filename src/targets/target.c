/* Reading a profile: every key is checked for its name and type, so that a misspelt rule is an
 * error and not a silently different target. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/text.h"
#include "targets/embedded.h"
#include "targets/target.h"

struct reader {
    struct target *t;
    struct json_place at;
    struct ctx *ctx;
};

static int bad(const struct reader *r, const char *what, const char *name)
{
    return diag_report(r->ctx->diag, E_TARGET_PROFILE, &(struct where){.file = r->at.file},
                       "%s '%s'", what, name);
}

static int read_dtype(const struct reader *r, const json_t *item, struct target_operand *o)
{
    const char *name = json_string_value(item);
    enum dtype t = name ? dtype_find(name) : DT_UNDEFINED;
    if (!dtype_is_int(t) || dtype_bits(t) > 16)
        return bad(r, "'dtypes' takes integer types up to 16 bits, found",
                   name ? name : "something else");
    if (o->n_dtypes == TARGET_DTYPES || target_dtype(o, dtype_bits(t)) != DT_UNDEFINED)
        return bad(r, "'dtypes' takes one type for each width, too much is", name);
    o->dtypes[o->n_dtypes++] = t;
    return 0;
}

static int read_operand(const struct reader *r, const json_t *root, const char *key,
                        struct target_operand *o)
{
    static const char *const KEYS[] = {"dtypes", "symmetric", "per_channel", "narrow", NULL};
    const json_t *object = NULL, *dtypes = NULL, *item;
    size_t i;
    int code = json_read_object(&r->at, root, key, &object);
    if (code || !object)
        return code;
    code = json_check_keys(&r->at, object, KEYS);
    if (!code)
        code = json_read_array(&r->at, object, "dtypes", &dtypes);
    if (!code && dtypes) {
        o->n_dtypes = 0;
        json_array_foreach(dtypes, i, item) if (!code) code = read_dtype(r, item, o);
    }
    if (!code)
        code = json_read_bool(&r->at, object, "symmetric", &o->symmetric, o->symmetric);
    if (!code)
        code = json_read_bool(&r->at, object, "per_channel", &o->per_channel, o->per_channel);
    if (!code)
        code = json_read_bool(&r->at, object, "narrow", &o->narrow, o->narrow);
    return code;
}

static int read_bias(const struct reader *r, const json_t *root)
{
    static const char *const KEYS[] = {"dtype", "scale", "adjust_weight", NULL};
    struct target *t = r->t;
    const json_t *object = NULL;
    const char *dtype = NULL, *scale = NULL;
    int code = json_read_object(&r->at, root, "bias", &object);
    if (code || !object)
        return code;
    code = json_check_keys(&r->at, object, KEYS);
    if (!code)
        code = json_read_string(&r->at, object, "dtype", &dtype, "int32");
    if (!code)
        code = json_read_string(&r->at, object, "scale", &scale, "product");
    if (!code)
        code = json_read_bool(&r->at, object, "adjust_weight", &t->bias_adjusts_weight,
                              t->bias_adjusts_weight);
    if (!code && strcmp(scale, "product") != 0)
        code = bad(r, "the 'scale' of the bias must be 'product', found", scale);
    if (!code && strcmp(dtype, "int32") != 0 && strcmp(dtype, "float") != 0)
        code = bad(r, "the 'dtype' of the bias must be 'int32' or 'float', found", dtype);
    if (!code)
        t->bias_quantized = strcmp(dtype, "int32") == 0;
    return code;
}

static int read_tie(const struct reader *r, const json_t *root)
{
    static const char *const KEYS[] = {"moves", "joins", NULL};
    const json_t *object = NULL;
    int code = json_read_object(&r->at, root, "tie", &object);
    if (code || !object)
        return code;
    code = json_check_keys(&r->at, object, KEYS);
    if (!code)
        code = json_read_bool(&r->at, object, "moves", &r->t->tie_moves, r->t->tie_moves);
    if (!code)
        code = json_read_bool(&r->at, object, "joins", &r->t->tie_joins, r->t->tie_joins);
    return code;
}

static int read_choice(const struct reader *r, const json_t *object, const char *key,
                       enum target_choice *choice)
{
    bool value = false;
    if (!json_object_get(object, key))
        return 0;
    int code = json_read_bool(&r->at, object, key, &value, false);
    *choice = value ? TARGET_YES : TARGET_NO;
    return code;
}

static int read_range(const struct reader *r, const json_t *object, struct target_op *op)
{
    const json_t *range = NULL;
    int code = json_read_array(&r->at, object, "output_range", &range);
    if (code || !range)
        return code;
    const json_t *low = json_array_get(range, 0), *high = json_array_get(range, 1);
    if (json_array_size(range) != 2 || !json_is_number(low) || !json_is_number(high) ||
        json_number_value(low) >= json_number_value(high))
        return bad(r, "'output_range' takes two rising numbers, see", op->name);
    op->has_range = true;
    op->low = json_number_value(low), op->high = json_number_value(high);
    return 0;
}

static int read_parameters(const struct reader *r, const json_t *object, struct target_op *op)
{
    const char *text = NULL;
    int code = json_read_string(&r->at, object, "parameters", &text, "quantized");
    if (code)
        return code;
    if (strcmp(text, "float") != 0 && strcmp(text, "quantized") != 0)
        return bad(r, "'parameters' must be 'float' or 'quantized', found", text);
    op->float_parameters = strcmp(text, "float") == 0;
    return 0;
}

/* A list of element types as bits; left out: unchanged. */
static int read_dtype_set(const struct reader *r, const json_t *object, uint32_t *set)
{
    const json_t *list = NULL, *item;
    size_t i;
    int code = json_read_array(&r->at, object, "dtypes", &list);
    if (code || !list)
        return code;
    *set = 0;
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);
        enum dtype t = name ? dtype_find(name) : DT_UNDEFINED;
        if (t == DT_UNDEFINED)
            return bad(r, "'dtypes' takes names of element types, found",
                       name ? name : "something else");
        *set |= (uint32_t)1 << t;
    }
    return 0;
}

static int read_known(const struct reader *r, const json_t *object, struct target_op *op)
{
    bool known = true;
    int code = json_read_bool(&r->at, object, "known", &known, true);
    if (!code)
        code = json_read_int(&r->at, object, "since", &op->since, 0);
    op->unknown = !known;
    return code ? code : read_dtype_set(r, object, &op->dtypes);
}

static int read_op(const struct reader *r, const char *name, const json_t *object,
                   struct target_op *op)
{
    static const char *const KEYS[] = {"quantize",     "why",        "tie",   "per_channel",
                                       "output_range", "parameters", "known", "since",
                                       "dtypes",       NULL};
    const char *why = NULL;
    bool quantize = true;
    if (!json_is_object(object))
        return bad(r, "an object is expected for operator", name);
    op->name = arena_string(r->t->arena, name);
    int code = json_check_keys(&r->at, object, KEYS);
    if (!code)
        code = json_read_bool(&r->at, object, "quantize", &quantize, true);
    if (!code)
        code = json_read_string(&r->at, object, "why", &why, NULL);
    if (!code)
        code = read_choice(r, object, "tie", &op->tie);
    if (!code)
        code = read_choice(r, object, "per_channel", &op->per_channel);
    if (!code)
        code = read_range(r, object, op);
    if (!code)
        code = read_parameters(r, object, op);
    if (!code)
        code = read_known(r, object, op);
    op->stays_float = !quantize;
    op->why = why ? arena_string(r->t->arena, why) : NULL;
    return code;
}

static int read_ops(const struct reader *r, const json_t *root)
{
    const json_t *ops = NULL;
    int code = json_read_object(&r->at, root, "ops", &ops);
    if (code || !ops)
        return code;
    struct target_op *list = arena_array(r->t->arena, json_object_size(ops), sizeof *list);
    const char *name;
    json_t *object;
    json_object_foreach((json_t *)ops, name, object)
    {
        if (!code)
            code = read_op(r, name, object, &list[r->t->n_ops++]);
    }
    r->t->ops = list;
    return code;
}

static int read_names(const struct reader *r, const json_t *root)
{
    const char *schema = NULL, *name = NULL, *summary = NULL;
    struct target *t = r->t;
    int code = json_read_string(&r->at, root, "schema", &schema, "");
    if (!code && strcmp(schema, "npuprep.target/1") != 0)
        code = bad(r, "'schema' must be 'npuprep.target/1', found", schema);
    if (!code)
        code = json_read_string(&r->at, root, "name", &name, "");
    if (!code)
        code = json_read_string(&r->at, root, "summary", &summary, "");
    if (!code && !*name)
        code = bad(r, "a profile must have a", "name");
    if (code)
        return code;
    t->name = arena_string(t->arena, name);
    t->summary = arena_string(t->arena, summary);
    return 0;
}

static int read_knowledge(const struct reader *r, const json_t *root)
{
    struct target *t = r->t;
    const char *operators = NULL;
    int code = json_read_int(&r->at, root, "opset", &t->opset, t->opset);
    if (!code)
        code = json_read_int(&r->at, root, "max_opset", &t->max_opset, t->max_opset);
    if (!code)
        code = json_read_int(&r->at, root, "max_rank", &t->max_rank, t->max_rank);
    if (!code)
        code = json_read_int(&r->at, root, "max_kernel", &t->max_kernel, 0);
    if (!code)
        code = read_dtype_set(r, root, &t->dtypes);
    if (!code)
        code = json_read_string(&r->at, root, "operators", &operators, "onnx");
    if (!code && strcmp(operators, "onnx") != 0 && strcmp(operators, "listed") != 0)
        code = bad(r, "'operators' must be 'onnx' or 'listed', found", operators);
    if (!code)
        t->only_listed = strcmp(operators, "listed") == 0;
    return code;
}

static int read_profile(const struct reader *r, const json_t *root)
{
    static const char *const KEYS[] = {"schema",    "name",        "summary",    "opset",
                                       "max_opset", "max_rank",    "max_kernel", "operators",
                                       "dtypes",    "activation",  "weight",     "bias",
                                       "tie",       "absorb_clip", "ops",        NULL};
    struct target *t = r->t;
    if (!json_is_object(root))
        return bad(r, "a profile is one object, see", r->at.file);
    int code = json_check_keys(&r->at, root, KEYS);
    if (!code)
        code = read_names(r, root);
    if (!code)
        code = read_knowledge(r, root);
    if (!code)
        code = read_operand(r, root, "activation", &t->activation);
    if (!code)
        code = read_operand(r, root, "weight", &t->weight);
    if (!code)
        code = read_bias(r, root);
    if (!code)
        code = read_tie(r, root);
    if (!code)
        code = json_read_bool(&r->at, root, "absorb_clip", &t->absorb_clip, t->absorb_clip);
    return code ? code : read_ops(r, root);
}

static struct target *target_new(void)
{
    struct arena *a = arena_new();
    struct target *t = arena_alloc(a, sizeof *t);
    *t = (struct target){
        .opset = 13,
        .max_opset = TARGET_NEWEST_OPSET,
        .activation = {.dtypes = {DT_INT8}, .n_dtypes = 1, .narrow = true},
        .weight = {{DT_INT8}, 1, true, true, true},
        .bias_quantized = true,
        .bias_adjusts_weight = true,
        .tie_moves = true,
        .absorb_clip = true,
        .arena = a,
    };
    return t;
}

static const struct embedded_target *find_embedded(const char *name)
{
    for (const struct embedded_target *e = EMBEDDED_TARGETS; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return e;
    return NULL;
}

static int unknown(const char *name, struct ctx *ctx)
{
    struct nearest near = {0};
    for (const struct embedded_target *e = EMBEDDED_TARGETS; e->name; e++)
        nearest_try(&near, name, e->name);
    char hint[128];
    snprintf(hint, sizeof hint, "did you mean '%.64s'?", near.best ? near.best : "");
    return diag_report_hint(ctx->diag, E_TARGET_UNKNOWN, NULL, near.best ? hint : NULL,
                            "there is no target '%s'", name);
}

int target_load(struct target **out, const char *name, struct ctx *ctx)
{
    json_t *root = NULL;
    const struct embedded_target *e = find_embedded(name);
    bool is_path = strchr(name, '/') || path_has_suffix(name, ".json");
    int code;
    if (e)
        code = json_read_text(&root, e->text, e->size, name, E_TARGET_PROFILE, ctx->diag);
    else if (is_path)
        code = json_read_path(&root, name, E_TARGET_PROFILE, ctx->diag);
    else
        code = unknown(name, ctx);
    if (code)
        return code;
    struct target *t = target_new();
    struct reader r = {t, {name, E_TARGET_PROFILE, ctx->diag}, ctx};
    code = read_profile(&r, root);
    json_decref(root);
    if (code)
        target_free(t);
    else
        *out = t;
    return code;
}

void target_free(struct target *t)
{
    if (t)
        arena_free(t->arena);
}

const struct target_op *target_op(const struct target *t, const char *domain, const char *op_type)
{
    size_t n = strlen(domain);
    for (size_t i = 0; i < t->n_ops; i++) {
        const char *name = t->ops[i].name;
        if (n == 0 ? strcmp(name, op_type) == 0
                   : strncmp(name, domain, n) == 0 && strncmp(name + n, "::", 2) == 0 &&
                         strcmp(name + n + 2, op_type) == 0)
            return &t->ops[i];
    }
    return NULL;
}

enum dtype target_dtype(const struct target_operand *o, int bits)
{
    for (int i = 0; i < o->n_dtypes; i++)
        if (dtype_bits(o->dtypes[i]) == bits)
            return o->dtypes[i];
    return DT_UNDEFINED;
}

size_t target_total(void)
{
    size_t n = 0;
    while (EMBEDDED_TARGETS[n].name)
        n++;
    return n;
}

const char *target_name(size_t i) { return i < target_total() ? EMBEDDED_TARGETS[i].name : NULL; }

int target_summary(size_t i, char *text, size_t room, struct ctx *ctx)
{
    struct target *t;
    int code = target_load(&t, target_name(i), ctx);
    if (code)
        return code;
    snprintf(text, room, "%s", t->summary);
    target_free(t);
    return 0;
}

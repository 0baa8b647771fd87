/* Reads the type strings of ops.def (grammar at its head) and checks calls against them. The
 * strings are short and are walked where they stand: no tables are built.
 */
#include <stdlib.h>
#include <string.h>

#include "ops/op_impl.h"

#define T(x) ((type_set)1 << DT_##x)
#define SET_I (T(INT8) | T(INT16) | T(INT32) | T(INT64))
#define SET_U (T(UINT8) | T(UINT16) | T(UINT32) | T(UINT64))
#define SET_F (T(FLOAT16) | T(FLOAT) | T(DOUBLE))
#define SET_CPLX (T(COMPLEX64) | T(COMPLEX128))
#define SET_F8 (T(FLOAT8E4M3FN) | T(FLOAT8E4M3FNUZ) | T(FLOAT8E5M2) | T(FLOAT8E5M2FNUZ))
#define SET_NUM (SET_I | SET_U | SET_F)

static const struct set_name {
    const char *name;
    type_set set;
} set_names[] = {
    {"all", SET_NUM | T(BOOL) | T(STRING) | SET_CPLX},
    {"num", SET_NUM},
    {"int", SET_I | SET_U},
    {"F", SET_F},
    {"I", SET_I},
    {"U", SET_U},
    {"f8", SET_F8},
    {"i4", T(INT4) | T(UINT4)},
    {"i2", T(INT2) | T(UINT2)},
    {"cplx", SET_CPLX},
    {"f16", T(FLOAT16)},
    {"f32", T(FLOAT)},
    {"f64", T(DOUBLE)},
    {"bf16", T(BFLOAT16)},
    {"f4", T(FLOAT4E2M1)},
    {"e8m0", T(FLOAT8E8M0)},
    {"f8e4m3fn", T(FLOAT8E4M3FN)},
    {"f8e4m3fnuz", T(FLOAT8E4M3FNUZ)},
    {"f8e5m2", T(FLOAT8E5M2)},
    {"f8e5m2fnuz", T(FLOAT8E5M2FNUZ)},
    {"i8", T(INT8)},
    {"i16", T(INT16)},
    {"i32", T(INT32)},
    {"i64", T(INT64)},
    {"u8", T(UINT8)},
    {"u16", T(UINT16)},
    {"u32", T(UINT32)},
    {"u64", T(UINT64)},
    {"bool", T(BOOL)},
    {"str", T(STRING)},
    {"c64", T(COMPLEX64)},
    {"c128", T(COMPLEX128)},
    {"seq", SET_SEQUENCE},
    {"opt", SET_OPTIONAL},
    {"map", SET_MAP},
    {"sparse", SET_SPARSE},
};

static size_t word_length(const char *s) { return strcspn(s, ",>?*~ +="); }

static bool same_word(const char *s, size_t length, const char *word)
{
    return strlen(word) == length && !memcmp(s, word, length);
}

/* A set: words joined by "+". Unknown words stand for nothing (a test reads the whole table). */
static type_set parse_set(const char *s)
{
    type_set set = 0;
    for (;;) {
        size_t length = word_length(s);
        for (size_t i = 0; i < sizeof set_names / sizeof *set_names; i++)
            if (same_word(s, length, set_names[i].name))
                set |= set_names[i].set;
        s += length;
        if (*s++ != '+')
            return set;
    }
}

/* A slot as it stands in the string. */
struct slot {
    const char *name; /* not terminated */
    size_t length;
    char mark; /* '?', '*', '~' or 0 */
};

/* Slot i of a comma-separated list that ends at '>' or ' '; the last one repeats when it is marked
 * so. */
static bool find_slot(const char *list, uint32_t i, struct slot *slot)
{
    for (uint32_t at = 0; *list && *list != '>' && *list != ' '; at++) {
        size_t length = strcspn(list, ",> ");
        char mark = list[length - 1];
        mark = strchr("?*~", mark) ? mark : 0;
        *slot = (struct slot){list, length - (mark != 0), mark};
        if (at == i || mark == '*' || mark == '~')
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

static bool signature_slot(const struct op_version *v, uint32_t i, bool output, struct slot *slot)
{
    const char *list = output ? strchr(v->types, '>') + 1 : v->types;
    return find_slot(list, i, slot);
}

/* " NAME=" among the constraints, or NULL: then the slot itself is a set. */
static const char *variable_set(const struct op_version *v, const struct slot *slot)
{
    for (const char *s = strchr(v->types, ' '); s; s = strchr(s + 1, ' '))
        if (!strncmp(s + 1, slot->name, slot->length) && s[1 + slot->length] == '=')
            return s + slot->length + 2;
    return NULL;
}

static type_set slot_set(const struct op_version *v, const struct slot *slot)
{
    const char *set = variable_set(v, slot);
    return parse_set(set ? set : slot->name);
}

type_set signature_set(const struct op_version *v, uint32_t i, bool output)
{
    struct slot slot;
    return signature_slot(v, i, output, &slot) ? slot_set(v, &slot) : 0;
}

bool op_version_takes(const struct op_version *v, uint32_t slot, bool output, enum dtype dtype)
{
    return (signature_set(v, slot, output) & (type_set)1 << dtype) != 0;
}

bool signature_optional(const struct op_version *v, uint32_t i)
{
    struct slot slot;
    return signature_slot(v, i, false, &slot) && slot.mark == '?';
}

/* ---- checks ---- */

struct check {
    const struct node *n;
    const struct op_version *v;
    const struct type *const *types;
    struct arena *arena;
    const char **text;
};

static enum err check_count(const struct check *c)
{
    uint32_t given = 0;
    for (uint32_t i = 0; i < c->n->n_inputs; i++)
        given = c->n->inputs[i].value ? i + 1 : given;
    bool few = given < (uint32_t)c->v->min_in;
    bool many = c->v->max_in >= 0 && given > (uint32_t)c->v->max_in;
    if (few || many) {
        *c->text =
            arena_printf(c->arena, "'%s' takes %s %d inputs, %u are given", c->n->op_type,
                         few ? "at least" : "at most", few ? c->v->min_in : c->v->max_in, given);
        return E_OP_ARITY;
    }
    if (c->v->max_out >= 0 && c->n->n_outputs > (uint32_t)c->v->max_out) {
        *c->text = arena_printf(c->arena, "'%s' has at most %d outputs, the node names %u",
                                c->n->op_type, c->v->max_out, c->n->n_outputs);
        return E_OP_ARITY;
    }
    for (uint32_t i = 0; i < given || i < (uint32_t)c->v->min_in; i++) /* of a repeated slot too */
        if (!c->n->inputs[i].value && !signature_optional(c->v, i)) {
            *c->text = arena_printf(c->arena, "'%s' needs its input %u", c->n->op_type, i);
            return E_OP_ARITY;
        }
    return E_NONE;
}

static enum err check_attrs(const struct check *c)
{
    for (int i = 0; i < c->v->n_attrs; i++) {
        const struct op_attr *want = &c->v->attrs[i];
        const struct attr *have = node_attr(c->n, want->name);
        if (!have && want->required) {
            *c->text =
                arena_printf(c->arena, "'%s' needs the attribute '%s'", c->n->op_type, want->name);
            return E_OP_ATTR;
        }
        if (have && !have->ref && have->type != want->type) {
            *c->text = arena_printf(c->arena, "attribute '%s' of '%s' has type %d, expected %d",
                                    want->name, c->n->op_type, have->type, want->type);
            return E_OP_ATTR;
        }
    }
    return E_NONE;
}

static type_set type_bit(const struct type *t)
{
    switch (t->kind) {
    case TYPE_TENSOR:
        return t->dtype == DT_UNDEFINED ? 0 : (type_set)1 << t->dtype;
    case TYPE_SEQUENCE:
        return SET_SEQUENCE;
    case TYPE_OPTIONAL:
        return SET_OPTIONAL;
    case TYPE_MAP:
        return SET_MAP;
    case TYPE_SPARSE:
        return SET_SPARSE;
    default:
        return 0;
    }
}

static const char *type_label(const struct type *t)
{
    static const char *const kinds[] = {"nothing",  "tensor", "sparse tensor", "sequence",
                                        "optional", "map",    "opaque"};
    return t->kind == TYPE_TENSOR ? dtype_name(t->dtype) : kinds[t->kind];
}

static bool same_name(const struct slot *a, const struct slot *b)
{
    return a->length == b->length && !memcmp(a->name, b->name, a->length);
}

/* Where to begin comparing input i with earlier ones. Inputs of a repeated slot were compared one after the
 * other, so the neighbour speaks for all: linear in the number of inputs. */
static uint32_t first_to_compare(const struct check *c, uint32_t i, const struct slot *slot)
{
    struct slot before;
    const struct type *t = i ? c->types[i - 1] : NULL;
    bool speaks = slot->mark == '*' && t && t->kind == TYPE_TENSOR && t->dtype != DT_UNDEFINED &&
                  find_slot(c->v->types, i - 1, &before) && same_name(&before, slot);
    return speaks ? i - 1 : 0;
}

/* An earlier input in a slot of the same name, with another tensor element type. */
static const struct type *clash(const struct check *c, uint32_t i, const struct slot *slot)
{
    if (slot->mark == '~' || !variable_set(c->v, slot) || c->types[i]->kind != TYPE_TENSOR)
        return NULL;
    for (uint32_t j = first_to_compare(c, i, slot); j < i; j++) {
        struct slot other;
        const struct type *t = c->types[j];
        if (!t || t->kind != TYPE_TENSOR || t->dtype == DT_UNDEFINED ||
            t->dtype == c->types[i]->dtype)
            continue;
        if (find_slot(c->v->types, j, &other) && same_name(&other, slot))
            return t;
    }
    return NULL;
}

static enum err check_type(const struct check *c, uint32_t i)
{
    const struct type *t = c->types[i];
    type_set bit = t ? type_bit(t) : 0;
    struct slot slot;
    if (!bit || !find_slot(c->v->types, i, &slot))
        return E_NONE;
    type_set set = slot_set(c->v, &slot);
    if (set & SET_OPTIONAL)
        return E_NONE; /* what an optional may hold passes for the optional, as later versions say
                        */
    if (!(set & bit)) {
        *c->text = arena_printf(c->arena,
                                "input %u of '%s' (since opset %d) is %s, which it does not take",
                                i, c->n->op_type, c->v->since, type_label(t));
        return E_OP_TYPE;
    }
    const struct type *other = clash(c, i, &slot);
    if (!other)
        return E_NONE;
    *c->text = arena_printf(c->arena, "input %u of '%s' is %s where another input is %s", i,
                            c->n->op_type, type_label(t), type_label(other));
    return E_OP_TYPE;
}

enum err signature_check(const struct node *n, const struct op_version *v,
                         const struct type *const *types, struct arena *a, const char **text)
{
    struct check c = {n, v, types, a, text};
    enum err fault = check_count(&c);
    if (!fault)
        fault = check_attrs(&c);
    for (uint32_t i = 0; !fault && i < n->n_inputs; i++)
        fault = check_type(&c, i);
    return fault;
}

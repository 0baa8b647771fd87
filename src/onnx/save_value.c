/* ValueInfoProto: name and type. What the type's message says beside the IR (denotations) stays.
 *
 * Declared inputs and outputs are a contract with whoever runs the model: there, a dimension is
 * only overwritten by a number or a plain symbol, never by an expression that inference found.
 */
#include <string.h>

#include "onnx/saver.h"

enum { DIM_TEXT = 512 };

static void set_symbol(struct saver *s, Onnx__TensorShapeProto__Dimension *d, const char *text)
{
    d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    d->dim_param = arena_string(s->arena, text);
}

/* Does the message say this already? */
static bool says(struct saver *s, const Onnx__TensorShapeProto__Dimension *d, dim_t dim)
{
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
        return d->dim_value >= 0 ? dim_equals(dim, d->dim_value) : !dim;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
        dim_names_symbol(d->dim_param))
        return dim == dim_symbol(s->m->dims, d->dim_param);
    return !dim;
}

/* kept: a dim that the graph's interface had already. It may become a constant, but inference's own symbols
 * do not take the place of an unknown size there. */
static void put_dim(struct saver *s, Onnx__TensorShapeProto__Dimension *d, dim_t dim, bool io,
                    bool kept)
{
    int64_t value;
    char text[DIM_TEXT];
    if (says(s, d, dim))
        return;
    if (dim_is_const(dim, &value)) {
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = value;
    } else if (dim && dim_symbol_name(dim) && !kept) {
        set_symbol(s, d, dim_symbol_name(dim));
    } else if (dim && !io && dim_text(dim, text, sizeof text) < sizeof text) {
        set_symbol(s, d, text);
    } else if (!io) {
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
    }
}

static Onnx__TensorShapeProto__Dimension *fresh_dim(struct saver *s)
{
    Onnx__TensorShapeProto__Dimension *d = arena_alloc(s->arena, sizeof *d);
    onnx__tensor_shape_proto__dimension__init(d);
    return d;
}

static Onnx__TensorShapeProto *put_shape(struct saver *s, Onnx__TensorShapeProto *shape,
                                         const struct type *t, bool io)
{
    if (t->rank < 0)
        return io ? shape : NULL;
    bool kept = io && shape && shape->n_dim == (size_t)t->rank;
    if (!shape || shape->n_dim != (size_t)t->rank) {
        shape = arena_alloc(s->arena, sizeof *shape);
        onnx__tensor_shape_proto__init(shape);
        shape->n_dim = (size_t)t->rank;
        shape->dim = arena_array(s->arena, shape->n_dim, sizeof *shape->dim);
        for (size_t i = 0; i < shape->n_dim; i++)
            shape->dim[i] = fresh_dim(s);
    }
    for (size_t i = 0; i < shape->n_dim; i++)
        put_dim(s, shape->dim[i], t->dims ? t->dims[i] : NULL, io, kept);
    return shape;
}

static void put_tensor(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (p->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
        p->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
        p->tensor_type = arena_alloc(s->arena, sizeof *p->tensor_type);
        onnx__type_proto__tensor__init(p->tensor_type);
    }
    p->tensor_type->has_elem_type = p->tensor_type->has_elem_type || t->dtype;
    p->tensor_type->elem_type = (int32_t)t->dtype;
    p->tensor_type->shape = put_shape(s, p->tensor_type->shape, t, io);
}

static void put_sparse(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (p->value_case != ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE) {
        p->value_case = ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE;
        p->sparse_tensor_type = arena_alloc(s->arena, sizeof *p->sparse_tensor_type);
        onnx__type_proto__sparse_tensor__init(p->sparse_tensor_type);
    }
    p->sparse_tensor_type->has_elem_type = p->sparse_tensor_type->has_elem_type || t->dtype;
    p->sparse_tensor_type->elem_type = (int32_t)t->dtype;
    p->sparse_tensor_type->shape = put_shape(s, p->sparse_tensor_type->shape, t, io);
}

static Onnx__TypeProto *put_type(struct saver *s, Onnx__TypeProto *p, const struct type *t,
                                 bool io);

static void put_sequence(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (p->value_case != ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE) {
        p->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
        p->sequence_type = arena_alloc(s->arena, sizeof *p->sequence_type);
        onnx__type_proto__sequence__init(p->sequence_type);
    }
    p->sequence_type->elem_type = put_type(s, p->sequence_type->elem_type, t->elem, io);
}

static void put_optional(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (p->value_case != ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE) {
        p->value_case = ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE;
        p->optional_type = arena_alloc(s->arena, sizeof *p->optional_type);
        onnx__type_proto__optional__init(p->optional_type);
    }
    p->optional_type->elem_type = put_type(s, p->optional_type->elem_type, t->elem, io);
}

static void put_map(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (p->value_case != ONNX__TYPE_PROTO__VALUE_MAP_TYPE) {
        p->value_case = ONNX__TYPE_PROTO__VALUE_MAP_TYPE;
        p->map_type = arena_alloc(s->arena, sizeof *p->map_type);
        onnx__type_proto__map__init(p->map_type);
    }
    p->map_type->has_key_type = p->map_type->has_key_type || t->dtype;
    p->map_type->key_type = (int32_t)t->dtype;
    p->map_type->value_type = put_type(s, p->map_type->value_type, t->elem, io);
}

/* Recursion follows struct type, which is as deep as a scanned TypeProto or as a pass made it.
 * Opaque types and types that are not known stay as the message says. */
static Onnx__TypeProto *put_type(struct saver *s, Onnx__TypeProto *p, const struct type *t, bool io)
{
    if (!t || t->kind == TYPE_NONE || t->kind == TYPE_OPAQUE)
        return p;
    if (!p) {
        p = arena_alloc(s->arena, sizeof *p);
        onnx__type_proto__init(p);
    }
    switch (t->kind) {
    case TYPE_TENSOR:
        put_tensor(s, p, t, io);
        break;
    case TYPE_SPARSE:
        put_sparse(s, p, t, io);
        break;
    case TYPE_SEQUENCE:
        put_sequence(s, p, t, io);
        break;
    case TYPE_OPTIONAL:
        put_optional(s, p, t, io);
        break;
    default:
        put_map(s, p, t, io);
        break;
    }
    return p;
}

static void rebuild(struct saver *s, const struct value *v, struct span record, bool io)
{
    Onnx__ValueInfoProto *p = save_head(s, record, &onnx__value_info_proto__descriptor, 0);
    if (!p)
        return;
    bool read_from = record.size && v->origin.data == record.data;
    save_put_text(&p->name, v->name, "");
    if (v->dirty || read_from || record.size == 0)
        p->type = put_type(s, p->type, &v->type, io && record.size);
    plan_bytes(&s->plan, pb_pack(p, s->arena));
    pb_reset(&s->pb);
}

void save_value(struct saver *s, uint32_t number, const struct value *v, struct span record,
                bool io)
{
    plan_open(&s->plan, number);
    if (record.size && !v->dirty && !s->options->roundtrip)
        plan_bytes(&s->plan, record);
    else
        rebuild(s, v, record, io);
    plan_close(&s->plan);
}

/* TypeProto to struct type. A dim_param is one symbol, whatever its text: what exporters write
 * there ("batch-size", "past + 1", "s0") is a name that users bind with --dim as they read it. A
 * negative dim_value means unknown, as some exporters write -1; so does the dim_param "?". */
#include "onnx/loader.h"

static dim_t load_dim(struct loader *l, const Onnx__TensorShapeProto__Dimension *d)
{
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
        return d->dim_value >= 0 ? dim_const(l->m->dims, d->dim_value) : NULL;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
        dim_names_symbol(d->dim_param))
        return dim_symbol(l->m->dims, d->dim_param);
    return NULL;
}

static void load_shape(struct loader *l, const Onnx__TensorShapeProto *shape, struct type *to)
{
    to->rank = -1;
    if (!shape)
        return;
    to->rank = (int32_t)shape->n_dim;
    dim_t *dims = arena_array(l->m->arena, shape->n_dim, sizeof *dims);
    for (size_t i = 0; i < shape->n_dim; i++)
        dims[i] = load_dim(l, shape->dim[i]);
    to->dims = dims;
}

static void load_elem(struct loader *l, const Onnx__TypeProto *from, struct type *to)
{
    struct type *elem = arena_alloc(l->m->arena, sizeof *elem);
    elem->rank = -1;
    to->elem = elem;
    if (from)
        load_type(l, from, elem);
}

/* Recursion ends at the scan's depth limit. */
void load_type(struct loader *l, const Onnx__TypeProto *from, struct type *to)
{
    *to = (struct type){.kind = TYPE_NONE, .rank = -1};
    switch (from->value_case) {
    case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
        to->kind = TYPE_TENSOR;
        to->dtype = (enum dtype)from->tensor_type->elem_type;
        load_shape(l, from->tensor_type->shape, to);
        return;
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
        to->kind = TYPE_SPARSE;
        to->dtype = (enum dtype)from->sparse_tensor_type->elem_type;
        load_shape(l, from->sparse_tensor_type->shape, to);
        return;
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
        to->kind = TYPE_SEQUENCE;
        load_elem(l, from->sequence_type->elem_type, to);
        return;
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
        to->kind = TYPE_OPTIONAL;
        load_elem(l, from->optional_type->elem_type, to);
        return;
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
        to->kind = TYPE_MAP;
        to->dtype = (enum dtype)from->map_type->key_type;
        load_elem(l, from->map_type->value_type, to);
        return;
    case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
        to->kind = TYPE_OPAQUE;
        return;
    default:
        return;
    }
}

int load_value_type(struct loader *l, struct value *v, struct span message)
{
    v->origin = message;
    const Onnx__ValueInfoProto *info =
        pb_unpack_head(&l->pb, message, &onnx__value_info_proto__descriptor, PB_FIELD(2));
    if (info && info->type)
        load_type(l, info->type, &v->type);
    pb_reset(&l->pb);
    return info ? 0 : -E_LIMIT_MEMORY;
}

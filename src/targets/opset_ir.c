/* IR versions: what a model needs, and what the release of an opset brought (onnx.proto's history
 * of Version, onnx/helper.py VERSION_TABLE). */
#include <string.h>

#include "ir/edit.h"
#include "targets/opset_convert.h"

int64_t opset_ir(int64_t opset)
{
    static const struct {
        int64_t opset, ir;
    } RELEASES[] = {{23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {9, 4}};
    for (size_t i = 0; i < sizeof RELEASES / sizeof RELEASES[0]; i++)
        if (opset >= RELEASES[i].opset)
            return RELEASES[i].ir;
    return 3;
}

struct least {
    int64_t ir;
    const char *why;
};

static void need(struct least *l, int64_t ir, const char *why)
{
    if (ir <= l->ir)
        return;
    l->ir = ir;
    l->why = why;
}

static void need_dtype(struct least *l, enum dtype t)
{
    if (t >= DT_FLOAT8E4M3FN && t <= DT_FLOAT8E5M2FNUZ)
        need(l, 9, "float8 numbers");
    else if (t == DT_UINT4 || t == DT_INT4)
        need(l, 10, "4-bit integers");
    else if (t == DT_FLOAT4E2M1)
        need(l, 11, "float4 numbers");
    else if (t == DT_FLOAT8E8M0)
        need(l, 12, "float8e8m0 numbers");
    else if (t == DT_UINT2 || t == DT_INT2)
        need(l, 13, "2-bit integers");
}

static void need_value(struct least *l, const struct value *v)
{
    if (v->removed)
        return;
    if (v->type.kind == TYPE_TENSOR)
        need_dtype(l, v->type.dtype);
    if (v->constant)
        need_dtype(l, v->constant->dtype);
    if (v->constant && !v->is_input)
        need(l, 4, "initializers that are no graph inputs");
    if (v->constant && v->sparse)
        need(l, 6, "sparse initializers");
    if (v->type.kind == TYPE_OPTIONAL)
        need(l, 8, "optional values");
}

int64_t model_least_ir(const struct model *m, const char **why)
{
    struct least l = {3, "opset imports"};
    for (size_t i = 0; i < m->values.count; i++)
        need_value(&l, m->values.data[i]);
    for (size_t i = 0; i < m->functions.count; i++) {
        const struct function *f = m->functions.data[i];
        if (f->removed)
            continue;
        need(&l, 8, "model-local functions");
        if (f->defaults.count)
            need(&l, 9, "functions with default attributes");
        if (f->overload[0])
            need(&l, 10, "overloaded functions");
    }
    *why = l.why;
    return l.ir;
}

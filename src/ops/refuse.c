/* What operators cannot do here although they have an adapter: forms that no kernel serves.
 * Executors ask before anything runs. An adapter met with such a form at run time (types that were
 * not known before) fails with the same facts.
 */
#include <string.h>

#include "kernels/kernel.h"
#include "ops/op_impl.h"

/* Element types of one input that the operator's specification allows and our kernels do not
 * compute in. */
static const struct untyped {
    const char *name;
    uint32_t input;
    enum dtype dtype;
} untyped[] = {
    {"BatchNormalization", 0, DT_DOUBLE},
    {"InstanceNormalization", 0, DT_DOUBLE},
    {"LayerNormalization", 0, DT_DOUBLE},
    {"RMSNormalization", 0, DT_DOUBLE},
    {"SimplifiedLayerNormalization", 0, DT_DOUBLE},
    {"GroupNormalization", 0, DT_DOUBLE},
    {"LpNormalization", 0, DT_DOUBLE},
    {"MeanVarianceNormalization", 0, DT_DOUBLE},
    {"LRN", 0, DT_DOUBLE},
    {"LpPool", 0, DT_DOUBLE},
    {"GlobalLpPool", 0, DT_DOUBLE},
    {"MaxUnpool", 0, DT_DOUBLE},
    {"MaxRoiPool", 0, DT_DOUBLE},
    {"RoiAlign", 0, DT_DOUBLE},
    {"DeformConv", 0, DT_DOUBLE},
    {"Col2Im", 0, DT_DOUBLE},
    {"LSTM", 0, DT_DOUBLE},
    {"GRU", 0, DT_DOUBLE},
    {"RNN", 0, DT_DOUBLE},
    {"Attention", 0, DT_DOUBLE},
    {"SwiGLU", 0, DT_DOUBLE},
    {"GridSample", 0, DT_DOUBLE},
    {"AffineGrid", 0, DT_DOUBLE},
    {"NegativeLogLikelihoodLoss", 0, DT_DOUBLE},
    {"SoftmaxCrossEntropyLoss", 0, DT_DOUBLE},
    {"DFT", 0, DT_DOUBLE},
    {"STFT", 0, DT_DOUBLE},
    {"Where", 1, DT_STRING},
    {"com.microsoft.Gelu", 0, DT_DOUBLE},
    {"com.microsoft.Inverse", 0, DT_DOUBLE},
    {"com.microsoft.FastGelu", 0, DT_DOUBLE},
    {"com.microsoft.BiasGelu", 0, DT_DOUBLE},
    {"com.microsoft.QuickGelu", 0, DT_DOUBLE},
    {"com.microsoft.FusedConv", 0, DT_DOUBLE},
    {"com.microsoft.NhwcConv", 0, DT_DOUBLE},
    {"com.microsoft.FusedGemm", 0, DT_DOUBLE},
    {"com.microsoft.FusedGemm", 0, DT_INT32},
    {"com.microsoft.FusedGemm", 0, DT_INT64},
    {"com.microsoft.FusedGemm", 0, DT_UINT32},
    {"com.microsoft.FusedGemm", 0, DT_UINT64},
    {"com.microsoft.FusedMatMul", 0, DT_DOUBLE},
    {"com.microsoft.TransposeMatMul", 0, DT_DOUBLE},
};

/* Whether the node's operator has this name, with its domain when that is not ai.onnx. */
static bool named(const struct node *n, const char *name)
{
    size_t domain = strlen(n->domain);
    if (!domain)
        return !strcmp(n->op_type, name);
    return !strncmp(n->domain, name, domain) && name[domain] == '.' &&
           !strcmp(n->op_type, name + domain + 1);
}

static const char *refuse_type(const struct node *n, struct arena *a)
{
    for (size_t i = 0; i < sizeof untyped / sizeof *untyped; i++) {
        const struct value *v = node_input(n, untyped[i].input);
        if (v && v->type.kind == TYPE_TENSOR && v->type.dtype == untyped[i].dtype &&
            named(n, untyped[i].name))
            return arena_printf(a, "'%s' is not computed in %s", n->op_type,
                                dtype_name(untyped[i].dtype));
    }
    return NULL;
}

static const char *refuse_rank(const struct node *n, struct arena *a)
{
    int most = 0;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].value && n->inputs[i].value->type.rank > most)
            most = n->inputs[i].value->type.rank;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && n->outputs[i]->type.rank > most)
            most = n->outputs[i]->type.rank;
    if (most <= KERNEL_MAX_RANK || (n->op->traits & (OP_VIEW | OP_SHAPE | OP_CONTROL)))
        return NULL;
    return arena_printf(a, "'%s' is computed for up to %d dimensions, not %d", n->op_type,
                        KERNEL_MAX_RANK, most);
}

/* A known number of an input, or `otherwise`. */
static int64_t known_int(const struct node *n, uint32_t i, int64_t otherwise)
{
    const struct value *v = node_input(n, i);
    const dim_t *values;
    int64_t count, x;
    if (v && value_is_constant(v) && v->constant->count == 1 && v->constant->dtype != DT_STRING)
        return tensor_get(v->constant, 0) != 0 ? 1 : 0;
    if (v && model_values(n->graph->model, v, &values, &count) && count == 1 &&
        dim_is_const(values[0], &x))
        return x;
    return otherwise;
}

/* Training mode drops elements at random; a ratio of 0 drops none. */
static const char *refuse_dropout(const struct node *n)
{
    bool trains = node_input(n, 2) && known_int(n, 2, 1) && known_int(n, 1, 1);
    return trains && node_version(n) >= 12
               ? "'Dropout' may be in training mode, which drops elements at random"
               : NULL;
}

static const char *refuse_attributes(const struct node *n)
{
    if (node_is(n, "Dropout"))
        return refuse_dropout(n);
    if (node_is(n, "Constant") && node_attr(n, "sparse_value"))
        return "'Constant' has a sparse value";
    if (node_is(n, "SpaceToDepth") && node_string_is(n, "mode", "DCR", "CRD"))
        return "'SpaceToDepth' is not computed in mode CRD";
    if (node_is(n, "BatchNormalization") && node_version(n) < 14 && node_output(n, 1))
        return "'BatchNormalization' has training outputs";
    if (node_is(n, "Scan") && node_version(n) < 9 && node_input(n, 0))
        return "'Scan' of opset 8 has sequence lengths";
    return NULL;
}

/* Integer attributes that must be 0, and inputs that must be left out. */
static const struct unbuilt {
    const char *name, *attr;
    int input; /* -1: the attribute counts */
    const char *what;
} unbuilt[] = {
    {"com.microsoft.Attention", "do_rotary", -1, "rotates its queries"},
    {"com.microsoft.Attention", "past_present_share_buffer", -1, "shares a buffer with its past"},
    {"com.microsoft.QAttention", "do_rotary", -1, "rotates its queries"},
    {"com.microsoft.QAttention", "past_present_share_buffer", -1, "shares a buffer with its past"},
    {"com.microsoft.MultiHeadAttention", NULL, 8, "shares a buffer with its past"},
    {"com.microsoft.MultiHeadAttention", NULL, 9, "searches with beams"},
    {"com.microsoft.GroupQueryAttention", "sliding_window_cache", -1, "has a sliding-window cache"},
    {"com.microsoft.GroupQueryAttention", NULL, 12, "has a quantized cache"},
    {"com.microsoft.GroupQueryAttention", NULL, 13, "has a quantized cache"},
    {"com.microsoft.RotaryEmbedding", "is_packed_batching", -1, "has packed batches"},
    {"com.microsoft.MatMulNBits", "weight_prepacked", -1, "has prepacked weights"},
    {"com.microsoft.MatMulNBits", NULL, 4, "has a group index"},
};

static const char *refuse_unbuilt(const struct node *n, struct arena *a)
{
    for (size_t i = 0; *n->domain && i < sizeof unbuilt / sizeof *unbuilt; i++) {
        const struct unbuilt *u = &unbuilt[i];
        bool there = u->input >= 0 ? node_input(n, (uint32_t)u->input) != NULL
                                   : node_int(n, u->attr, 0) != 0;
        if (named(n, u->name) && there)
            return arena_printf(a, "'%s' %s", n->op_type, u->what);
    }
    return NULL;
}

const char *op_refusal(const struct node *n, struct arena *a)
{
    const char *why;
    if (!n->op || !n->op->eval)
        return NULL;
    if ((why = refuse_type(n, a)) || (why = refuse_rank(n, a)) || (why = refuse_unbuilt(n, a)))
        return why;
    return refuse_attributes(n);
}

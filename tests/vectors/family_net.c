/* A whole keyword-spotting network, layer after layer. Keys and arrays carry their layer in the
 * name ("conv_2d_3_stride_x", "layer_3_conv_2d_weights"); each layer becomes vectors of its own
 * family, whose input is the output before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static const struct {
    const char *name;
    const struct family *family;
} KINDS[] = {
    {"conv_2d", &FAMILY_CONV},         {"depthwise_conv_2d", &FAMILY_CONV},
    {"average_pool_2d", &FAMILY_POOL}, {"fully_connected", &FAMILY_FULLY_CONNECTED},
    {"softmax", &FAMILY_SOFTMAX},
};

enum { LAYERS = 64, TEXT = 8192 };

static bool is_net(const struct vectors *v) { return vectors_has(v, "conv_2d_1_in_ch"); }

/* The keys of one layer with the prefix taken off, plus what single files say in other words. */
static void layer_config(const struct vectors *v, const char *prefix, char text[TEXT])
{
    size_t size = strlen(prefix), used = 0;
    const char *at = v->config;
    char quoted[96];
    snprintf(quoted, sizeof quoted, "\"%s_", prefix);
    while ((at = strstr(at, quoted)) != NULL) {
        const char *key = at + size + 2, *end = strchr(key, '"');
        used += (size_t)snprintf(text + used, (size_t)TEXT - 256 - used, "\"%.*s\": %lld, ",
                                 (int)(end - key), key, strtoll(end + 2, NULL, 10));
        at = end;
    }
    if (used && strstr(prefix, "depthwise"))
        used += (size_t)snprintf(text + used, (size_t)TEXT - 256 - used, "\"ch_mult\": 1, ");
}

static void alias(struct vectors *layer, const char *from, const char *to)
{
    size_t used = strlen(layer->config);
    if (vectors_has(layer, from))
        snprintf(layer->config + used, (size_t)TEXT - 256 - used, "\"%s\": %lld, ", to,
                 (long long)vectors_get(layer, from));
}

static void add_array(struct vectors *layer, const struct array *a, const char *name)
{
    struct array *slot = &layer->arrays[layer->n_arrays++];
    *slot = *a;
    snprintf(slot->name, sizeof slot->name, "%s", name);
}

static void layer_arrays(const struct vectors *v, struct vectors *layer, const char *prefix)
{
    size_t size = strlen(prefix);
    for (int i = 0; i < v->n_arrays; i++)
        if (!strncmp(v->arrays[i].name, prefix, size)) {
            const char *name = v->arrays[i].name + size;
            add_array(layer, &v->arrays[i], strcmp(name, "bias") ? name : "biases");
        }
}

/* Pools and the last two layers name their dims otherwise than the single files do. */
static void translate(struct vectors *layer, const char *kind)
{
    if (!strcmp(kind, "average_pool_2d")) {
        static const char *const KEYS[][2] = {{"pad_h", "padding_h"},
                                              {"pad_w", "padding_w"},
                                              {"in_ch", "input_c"},
                                              {"input_batches", "batch_size"},
                                              {"out_activation_min", "activation_min"},
                                              {"out_activation_max", "activation_max"}};
        for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
            alias(layer, KEYS[i][0], KEYS[i][1]);
    } else if (!strcmp(kind, "softmax")) {
        alias(layer, "mult", "input_mult");
        alias(layer, "shift", "input_left_shift");
    }
}

static bool run_layer(const struct vectors *v, int number, size_t kind, struct array *value)
{
    char prefix[64], text[TEXT] = {0};
    snprintf(prefix, sizeof prefix, "%s_%d", KINDS[kind].name, number);
    const struct array *want = vectors_find(v, "output_ref");
    if (!strcmp(KINDS[kind].name, "fully_connected")) /* its own keys mix up the two */
        snprintf(text, TEXT, "\"accumulation_depth\": %lld, \"out_ch\": %lld, ",
                 (long long)value->count, (long long)want->count);
    size_t head = strlen(text);
    layer_config(v, prefix, text + head);
    if (!text[head])
        return true;
    struct array output = {0};
    struct vectors layer = {
        .path = v->path, .stem = KINDS[kind].name, .config = text, .capture = &output};
    layer.arrays = calloc((size_t)v->n_arrays + 3, sizeof *layer.arrays);
    snprintf(prefix, sizeof prefix, "layer_%d_%s_", number, KINDS[kind].name);
    layer_arrays(v, &layer, prefix);
    add_array(&layer, value, "input");
    add_array(&layer, value, "input_tensor");
    add_array(&layer, want, "output_ref");
    translate(&layer, KINDS[kind].name);
    bool good = KINDS[kind].family->run(&layer);
    free(layer.arrays);
    free(value->data);
    *value = output;
    return good;
}

static bool net(const struct vectors *v)
{
    const struct array *input = vectors_find(v, "input");
    struct array value = {.count = input->count, .item_bytes = input->item_bytes};
    value.data = copy64(input, input->count);
    bool good = true;
    for (int layer = 1; good && layer < LAYERS; layer++)
        for (size_t kind = 0; good && kind < sizeof KINDS / sizeof KINDS[0]; kind++)
            good = run_layer(v, layer, kind, &value);
    const struct array *want = vectors_find(v, "output_ref");
    int32_t *got = widen(&value, -1);
    good = good && agree(v, got, want, want->count);
    free(got);
    free(value.data);
    return good;
}

const struct family FAMILY_NET = {"network", is_net, net};

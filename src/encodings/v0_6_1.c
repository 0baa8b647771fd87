/* Encodings 0.6.1 (AIMET's first public format, read by snpe-onnx-to-dlc and qnn-onnx-converter).
 *
 *   {"version": "0.6.1",
 *    "activation_encodings": {NAME: [E]},
 *    "param_encodings": {NAME: [E, one for each channel]},
 *    "quantizer_args": {...}}
 *   E of integers: bitwidth, dtype "int", is_symmetric "True"/"False" (text), min, max, offset,
 * scale E of floats:   bitwidth 16, dtype "float"
 *
 * min = scale * offset and max = scale * (2^bitwidth - 1 + offset), the ends of the grid: readers
 * compute scale and offset anew from them. There is no axis; it follows from the operator.
 */
#include <string.h>

#include "encodings/encodings.h"

static void write_integer(const struct quant *q, int64_t i, struct json_writer *w)
{
    int bits = dtype_bits(q->dtype);
    int64_t offset = encodings_offset(q, i), steps = ((int64_t)1 << bits) - 1;
    double scale = (double)q->scale[i];
    jw_object(w);
    jw_key_int(w, "bitwidth", bits);
    jw_key_string(w, "dtype", "int");
    jw_key_string(w, "is_symmetric", q->symmetric ? "True" : "False");
    jw_key_f64(w, "max", scale * (double)(steps + offset));
    jw_key_f64(w, "min", scale * (double)offset);
    jw_key_int(w, "offset", offset);
    jw_key_f32(w, "scale", q->scale[i]);
    jw_end(w);
}

static void write_value(const struct value *v, struct json_writer *w)
{
    jw_key(w, v->name);
    jw_array(w);
    if (encodings_kind(v) == 0) {
        jw_object(w);
        jw_key_int(w, "bitwidth", 16);
        jw_key_string(w, "dtype", "float");
        jw_end(w);
    }
    for (int64_t i = 0; v->q && i < v->q->n; i++)
        write_integer(v->q, i, w);
    jw_end(w);
}

static void write_group(const struct encodings_source *s, bool parameters, struct json_writer *w)
{
    struct arena *a = arena_new();
    const struct value **values;
    size_t n = encodings_values(s->model, parameters, a, &values);
    jw_key(w, parameters ? "param_encodings" : "activation_encodings");
    jw_object(w);
    for (size_t i = 0; i < n; i++)
        write_value(values[i], w);
    jw_end(w);
    arena_free(a);
}

static void write(const struct encodings_source *s, struct json_writer *w)
{
    jw_object(w);
    jw_key_string(w, "version", "0.6.1");
    write_group(s, false, w);
    write_group(s, true, w);
    jw_key(w, "quantizer_args");
    jw_object(w);
    jw_key_int(w, "activation_bitwidth", s->activation_bits);
    jw_key_string(w, "dtype", "int");
    jw_key_string(w, "is_symmetric", s->weight_symmetric ? "True" : "False");
    jw_key_int(w, "param_bitwidth", s->weight_bits);
    jw_key_string(w, "per_channel_quantization", s->per_channel ? "True" : "False");
    jw_key_string(w, "quant_scheme",
                  strcmp(s->method, "minmax") == 0 ? "min_max" : "post_training_tf_enhanced");
    jw_end(w);
    jw_end(w);
}

static bool probe(const json_t *root)
{
    const char *version = json_string_value(json_object_get(root, "version"));
    return (!version || strncmp(version, "0.6.", 4) == 0) &&
           json_is_object(json_object_get(root, "param_encodings"));
}

const struct encodings_format encodings_v0_6_1 = {
    .version = "0.6.1",
    .summary = "AIMET 0.6.1: SNPE and QNN converters of any release",
    .probe = probe,
    .write = write,
};

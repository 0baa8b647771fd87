/* Encodings 1.0.0 (the default of aimet_onnx; read by the QNN converters and qairt-converter).
 *
 *   {"version": "1.0.0",
 *    "activation_encodings": [E], "param_encodings": [E],
 *    "quantizer_args": {...}, "excluded_layers": []}
 *   E of integers: name, enc_type "PER_TENSOR"/"PER_CHANNEL", dtype "INT", bw, is_sym (a real
 *                  boolean), scale [n], offset [n]
 *   E of floats:   name, enc_type "PER_TENSOR", dtype "FLOAT", bw 16
 *
 * real = (q + offset) * scale with q unsigned, so offset is never above 0. There is no axis:
 * channels are the output channels of the operator that reads the tensor.
 */
#include <string.h>

#include "encodings/encodings.h"

static void write_integer(const struct quant *q, struct json_writer *w)
{
    jw_key_string(w, "dtype", "INT");
    jw_key_int(w, "bw", dtype_bits(q->dtype));
    jw_key_bool(w, "is_sym", q->symmetric);
    jw_key(w, "scale");
    jw_array_inline(w);
    for (int64_t i = 0; i < q->n; i++)
        jw_f32(w, q->scale[i]);
    jw_end(w);
    jw_key(w, "offset");
    jw_array_inline(w);
    for (int64_t i = 0; i < q->n; i++)
        jw_int(w, encodings_offset(q, i));
    jw_end(w);
}

static void write_value(const struct value *v, struct json_writer *w)
{
    jw_object(w);
    jw_key_string(w, "name", v->name);
    jw_key_string(w, "enc_type", v->q && v->q->axis >= 0 ? "PER_CHANNEL" : "PER_TENSOR");
    if (v->q) {
        write_integer(v->q, w);
    } else {
        jw_key_string(w, "dtype", "FLOAT");
        jw_key_int(w, "bw", 16);
    }
    jw_end(w);
}

static void write_group(const struct encodings_source *s, bool parameters, struct json_writer *w)
{
    struct arena *a = arena_new();
    const struct value **values;
    size_t n = encodings_values(s->model, parameters, a, &values);
    jw_key(w, parameters ? "param_encodings" : "activation_encodings");
    jw_array(w);
    for (size_t i = 0; i < n; i++)
        write_value(values[i], w);
    jw_end(w);
    arena_free(a);
}

static void write(const struct encodings_source *s, struct json_writer *w)
{
    jw_object(w);
    jw_key_string(w, "version", "1.0.0");
    write_group(s, false, w);
    write_group(s, true, w);
    jw_key(w, "quantizer_args");
    jw_object(w);
    jw_key_int(w, "activation_bitwidth", s->activation_bits);
    jw_key_int(w, "param_bitwidth", s->weight_bits);
    jw_key_string(w, "dtype", "int");
    jw_key_bool(w, "is_symmetric", s->weight_symmetric);
    jw_key_bool(w, "per_channel_quantization", s->per_channel);
    jw_key_string(w, "quant_scheme",
                  strcmp(s->method, "minmax") == 0 ? "min_max" : "post_training_tf_enhanced");
    jw_end(w);
    jw_key(w, "excluded_layers");
    jw_array_inline(w);
    jw_end(w);
    jw_end(w);
}

static bool probe(const json_t *root)
{
    const char *version = json_string_value(json_object_get(root, "version"));
    return version && strcmp(version, "1.0.0") == 0;
}

const struct encodings_format encodings_v1_0_0 = {
    .version = "1.0.0",
    .summary = "AIMET 1.0.0: QNN and QAIRT converters",
    .probe = probe,
    .write = write,
};

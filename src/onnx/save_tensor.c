/* Tensors: as they came, renamed, moved between the model file and a data file, or made from the
 * IR. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "onnx/saver.h"
#include "onnx/wire.h"

enum { NAME = 8, EXTERNAL_DATA = 13, DATA_LOCATION = 14 };

#define PAYLOADS                                                                                  \
    (PB_FIELD(FLOAT_DATA) | PB_FIELD(INT32_DATA) | PB_FIELD(STRING_DATA) | PB_FIELD(INT64_DATA) | \
     PB_FIELD(RAW_DATA) | PB_FIELD(DOUBLE_DATA) | PB_FIELD(UINT64_DATA))

/* ---- where the bytes go ---- */

static enum placing place(const struct saver *s, const struct tensor_proto *t, bool initializer)
{
    if (t->external)
        return s->move_references ? s->reference : PLACE_AS_IS;
    return s->externalise && initializer && tensor_proto_bytes(t) >= SCAN_LARGE_TENSOR
               ? PLACE_EXTERNAL
               : PLACE_AS_IS;
}

/* The file behind a location: the model's, when it is open under that name, else opened again by
 * the same rules. */
static const struct mapped_file *file_of(struct saver *s, const struct extdata *x,
                                         const char *tensor)
{
    for (size_t i = 0; i < s->m->external.count; i++) {
        const struct mapped_file *f = s->m->external.data[i];
        if (span_equals(span_of(f->path), x->location) && x->offset <= f->size &&
            x->length <= f->size - x->offset)
            return f;
    }
    if (!s->files)
        s->files = extfiles_new(s->ctx, s->m->path);
    return extfiles_open(s->files, x, tensor);
}

/* The typed numbers as raw bytes; floats in one packed run lie in the file as they are. */
static const struct tensor *decoded(struct saver *s, const struct tensor_proto *t)
{
    bool fixed = t->typed == FLOAT_DATA || t->typed == DOUBLE_DATA;
    if (fixed && t->chunks == 1 && t->chunk.size)
        return tensor_view(s->arena, t->dtype, t->rank, t->dims, t->chunk.data);
    struct tensor *made = tensor_new(s->arena, t->dtype, t->rank, t->dims);
    struct tensor_entries e = tensor_entries_of(t);
    size_t size = tensor_entry_bytes(t->dtype);
    unsigned char *out = tensor_writable(made);
    uint64_t bits;
    for (size_t at = 0; at + size <= made->bytes && tensor_entries_next(&e, &bits); at += size)
        memcpy(out + at, &bits, size); /* little-endian: the low bytes */
    return made;
}

/* The raw bytes of a scanned tensor, wherever they lie; NULL after a report. */
static const struct tensor *bytes_of(struct saver *s, const struct tensor_proto *t)
{
    struct tensor *view = tensor_view(s->arena, t->dtype, t->rank, t->dims, t->raw.data);
    struct extdata x;
    if (!t->external)
        return t->typed ? decoded(s, t) : view;
    const char *name =
        arena_printf(s->arena, "%.*s", (int)t->name.size, (const char *)t->name.data);
    const struct mapped_file *file = NULL;
    if (!extdata_parse(&s->scan, t, view->bytes, &x))
        file = file_of(s, &x, name);
    if (!file)
        return NULL;
    view->data = view->bytes ? file->data + x.offset : NULL;
    return view;
}

/* ---- payloads ---- */

static void put_entry(struct saver *s, const char *key, const char *value)
{
    plan_open(&s->plan, EXTERNAL_DATA);
    plan_text(&s->plan, 1, key);
    plan_text(&s->plan, 2, value);
    plan_close(&s->plan);
}

/* The location is not copied: data_file_finish writes the final name into it. */
static void put_location(struct saver *s)
{
    struct span name = span_of(data_file_name(s->data));
    plan_open(&s->plan, EXTERNAL_DATA);
    plan_text(&s->plan, 1, "location");
    plan_prefix(&s->plan, 2, name.size);
    plan_bytes(&s->plan, name);
    plan_close(&s->plan);
}

static void put_external(struct saver *s, const struct tensor *t)
{
    char number[24];
    uint64_t offset = t ? data_file_add(s->data, t) : UINT64_MAX;
    if (offset == UINT64_MAX) {
        saver_fail(s, -E_WRITE); /* reported */
        return;
    }
    put_location(s);
    snprintf(number, sizeof number, "%" PRIu64, offset);
    put_entry(s, "offset", number);
    snprintf(number, sizeof number, "%zu", t->bytes);
    put_entry(s, "length", number);
    plan_varint(&s->plan, DATA_LOCATION, ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL);
}

static void put_raw(struct saver *s, const struct tensor *t)
{
    if (!t) {
        saver_fail(s, -E_EXT_OPEN); /* reported */
        return;
    }
    plan_prefix(&s->plan, RAW_DATA, t->bytes);
    if (t->recipe)
        plan_tensor(&s->plan, t);
    else
        plan_bytes(&s->plan, (struct span){t->data, t->bytes});
}

static void copy_records(struct saver *s, struct span message, uint32_t number)
{
    struct wire w = wire_of(message);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == number)
            plan_bytes(&s->plan, f.record);
}

/* One packed record with numbers in their shortest form. */
static void put_typed(struct saver *s, const struct tensor_proto *t)
{
    bool fixed = t->typed == FLOAT_DATA || t->typed == DOUBLE_DATA;
    size_t each = t->typed == FLOAT_DATA ? sizeof(float)
                  : fixed                ? sizeof(double)
                                         : WIRE_MAX_VARINT,
           used = 0;
    unsigned char *out = arena_array(s->arena, (size_t)t->entries, each);
    struct tensor_entries e = tensor_entries_of(t);
    uint64_t bits;
    while (tensor_entries_next(&e, &bits)) {
        if (t->typed == INT32_DATA)
            bits =
                (uint64_t)(int64_t)(int32_t)(uint32_t)bits; /* sign-extended, as int32 is written */
        if (fixed)
            memcpy(out + used, &bits, each);
        used += fixed ? each : wire_put_varint(out + used, bits);
    }
    plan_prefix(&s->plan, t->typed, used);
    plan_bytes(&s->plan, (struct span){out, used});
}

static void put_payload(struct saver *s, const struct tensor_proto *t, enum placing where)
{
    if (t->typed == STRING_DATA || (t->typed && !s->options->roundtrip))
        copy_records(s, t->message, t->typed);
    else if (t->typed && t->chunks == 1 && t->chunk.size &&
             (t->typed == FLOAT_DATA || t->typed == DOUBLE_DATA)) {
        plan_prefix(&s->plan, t->typed, t->chunk.size);
        plan_bytes(&s->plan, t->chunk);
    } else if (t->typed)
        put_typed(s, t);
    else if (where == PLACE_INLINE || t->has_raw)
        put_raw(s, bytes_of(s, t));
}

/* ---- a TensorProto ---- */

static void rebuild(struct saver *s, const struct tensor_proto *t, const char *name,
                    enum placing where)
{
    uint32_t without = PAYLOADS;
    if (where != PLACE_AS_IS)
        without |= PB_FIELD(EXTERNAL_DATA) | PB_FIELD(DATA_LOCATION);
    Onnx__TensorProto *p = save_head(s, t->message, &onnx__tensor_proto__descriptor, without);
    if (!p)
        return;
    if (name)
        save_put_text(&p->name, name, "");
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__tensor_proto__descriptor, head);
    if (where == PLACE_EXTERNAL) {
        merge_upto(&m, EXTERNAL_DATA);
        put_external(s, bytes_of(s, t));
    } else {
        merge_upto(&m, t->typed ? (uint32_t)t->typed : RAW_DATA);
        put_payload(s, t, where);
    }
    merge_end(&m);
}

void save_tensor_message(struct saver *s, struct span message, const char *name, bool initializer)
{
    struct tensor_proto t;
    tensor_proto_read(&t, message);
    enum placing where = place(s, &t, initializer);
    bool named = !name || span_equals(t.name, span_of(name));
    if (where == PLACE_AS_IS && named && !s->options->roundtrip)
        plan_bytes(&s->plan, message);
    else
        rebuild(s, &t, name, where);
}

static void put_strings(struct saver *s, const struct tensor *t)
{
    for (int64_t i = 0; i < t->count; i++) {
        plan_prefix(&s->plan, STRING_DATA, t->strings[i].size);
        plan_bytes(&s->plan, t->strings[i]);
    }
}

static void make(struct saver *s, const struct tensor *t, const char *name, bool initializer)
{
    for (int i = 0; i < t->rank; i++)
        plan_varint(&s->plan, 1, (uint64_t)t->dims[i]);
    plan_varint(&s->plan, 2, (uint64_t)t->dtype);
    if (t->dtype == DT_STRING)
        put_strings(s, t);
    if (name)
        plan_text(&s->plan, NAME, name);
    if (t->dtype == DT_STRING)
        return;
    if (s->externalise && initializer && t->bytes >= SCAN_LARGE_TENSOR)
        put_external(s, t);
    else
        put_raw(s, t);
}

void save_tensor(struct saver *s, uint32_t number, const struct tensor *t, const char *name,
                 bool initializer)
{
    plan_open(&s->plan, number);
    if (t->origin.size && !t->recipe)
        save_tensor_message(s, t->origin, name, initializer);
    else
        make(s, t, name, initializer);
    plan_close(&s->plan);
}

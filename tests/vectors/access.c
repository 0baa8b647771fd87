/* Look-ups, layout changes and the comparison that every family uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

const struct array *vectors_find(const struct vectors *v, const char *name)
{
    for (int i = 0; i < v->n_arrays; i++)
        if (!strcmp(v->arrays[i].name, name))
            return &v->arrays[i];
    return NULL;
}

const struct array *vectors_first(const struct vectors *v, const char *const *names)
{
    for (; *names; names++)
        if (vectors_find(v, *names))
            return vectors_find(v, *names);
    return NULL;
}

static const char *value_of(const struct vectors *v, const char *key)
{
    char quoted[160];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(v->config, quoted);
    return at ? at + strlen(quoted) : NULL;
}

bool vectors_has(const struct vectors *v, const char *key) { return value_of(v, key) != NULL; }

int64_t vectors_or(const struct vectors *v, const char *key, int64_t otherwise)
{
    const char *text = value_of(v, key);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

int64_t vectors_get(const struct vectors *v, const char *key)
{
    if (!vectors_has(v, key)) {
        fprintf(stderr, "%s: no '%s' in its config\n", v->path, key);
        exit(1);
    }
    return vectors_or(v, key, 0);
}

static void *room(int64_t count, size_t size)
{
    void *p = calloc((size_t)count + 1, size);
    if (!p)
        abort();
    return p;
}

int32_t *widen(const struct array *a, int64_t count)
{
    count = count < 0 || count > a->count ? a->count : count;
    int32_t *out = room(count, sizeof *out);
    for (int64_t i = 0; i < count; i++)
        out[i] = (int32_t)a->data[i];
    return out;
}

int32_t *unpack4(const struct array *a, int64_t count)
{
    int32_t *out = room(count, sizeof *out);
    for (int64_t i = 0; i < count && i / 2 < a->count; i++) {
        int32_t nibble = (int32_t)((uint64_t)a->data[i / 2] >> (i % 2 * 4) & 15);
        out[i] = nibble > 7 ? nibble - 16 : nibble;
    }
    return out;
}

int64_t *copy64(const struct array *a, int64_t count)
{
    int64_t *out = room(count, sizeof *out);
    for (int64_t i = 0; a && i < count && i < a->count; i++)
        out[i] = a->data[i];
    return out;
}

int32_t *to_planes(const int32_t *x, int64_t n, int64_t h, int64_t w, int64_t c)
{
    int32_t *out = room(n * h * w * c, sizeof *out);
    for (int64_t b = 0; b < n; b++)
        for (int64_t i = 0; i < h * w; i++)
            for (int64_t k = 0; k < c; k++)
                out[(b * c + k) * h * w + i] = x[(b * h * w + i) * c + k];
    return out;
}

int32_t *from_planes(const int32_t *x, int64_t n, int64_t c, int64_t h, int64_t w)
{
    int32_t *out = room(n * h * w * c, sizeof *out);
    for (int64_t b = 0; b < n; b++)
        for (int64_t i = 0; i < h * w; i++)
            for (int64_t k = 0; k < c; k++)
                out[(b * h * w + i) * c + k] = x[(b * c + k) * h * w + i];
    return out;
}

static bool keep(struct array *capture, const int32_t *got, int64_t count)
{
    capture->data = room(count, sizeof *capture->data);
    capture->count = count;
    capture->item_bytes = 1;
    for (int64_t i = 0; i < count; i++)
        capture->data[i] = got[i];
    return true;
}

bool agree(const struct vectors *v, const int32_t *got, const struct array *want, int64_t count)
{
    if (v->capture)
        return keep(v->capture, got, count);
    if (want->count < count) {
        printf("%s: %lld outputs, %lld expected\n", v->stem, (long long)count,
               (long long)want->count);
        return false;
    }
    for (int64_t i = 0; i < count; i++)
        if (got[i] != want->data[i]) {
            printf("%s: output %lld is %d, expected %lld\n", v->stem, (long long)i, got[i],
                   (long long)want->data[i]);
            return false;
        }
    return true;
}

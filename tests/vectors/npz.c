/* A small .npz reader for test data: zip by its central directory, stored or deflated members, .npy
 * version 1 with integer types. Trusted files only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "vectors.h"

struct file {
    unsigned char *data;
    long size;
};

static uint32_t le(const unsigned char *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}

static bool slurp(const char *path, struct file *f)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    fseek(in, 0, SEEK_END);
    f->size = ftell(in);
    rewind(in);
    f->data = malloc((size_t)f->size + 1);
    bool whole = f->data && fread(f->data, 1, (size_t)f->size, in) == (size_t)f->size;
    fclose(in);
    return whole;
}

static unsigned char *inflate_member(const unsigned char *from, uint32_t packed, uint32_t size)
{
    unsigned char *out = malloc(size + 1u);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)from,
                  .avail_in = packed,
                  .next_out = out,
                  .avail_out = size};
    if (!out || inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return NULL;
    int status = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    if (status == Z_STREAM_END)
        return out;
    free(out);
    return NULL;
}

static int64_t element(const unsigned char *p, char kind, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    if (kind == 'i' && bytes < 8 && v >> (8 * bytes - 1) & 1)
        v |= ~UINT64_C(0) << (8 * bytes);
    return (int64_t)v;
}

/* The text between `key` and the next quote or comma of the .npy header. */
static bool parse_npy(const unsigned char *npy, uint32_t size, struct array *a, char **text)
{
    uint32_t head = 10 + le(npy + 8, 2);
    char header[512] = {0};
    memcpy(header, npy + 10, head - 10 < 511 ? head - 10 : 511);
    const char *descr = strstr(header, "descr': '");
    if (!descr || size < head)
        return false;
    char kind = descr[10];
    a->item_bytes = descr[11] - '0';
    a->count = (size - head) / (uint32_t)a->item_bytes;
    a->data = calloc((size_t)a->count + 1, sizeof *a->data);
    for (int64_t i = 0; a->data && i < a->count; i++)
        a->data[i] = element(npy + head + i * a->item_bytes, kind, a->item_bytes);
    if (kind == 'u' && a->item_bytes == 1 && text) {
        *text = calloc((size_t)a->count + 1, 1);
        for (int64_t i = 0; *text && i < a->count; i++)
            (*text)[i] = (char)a->data[i];
    }
    return a->data != NULL;
}

static bool add_member(struct vectors *v, const struct file *f, const unsigned char *entry)
{
    uint32_t method = le(entry + 10, 2), packed = le(entry + 20, 4), size = le(entry + 24, 4);
    uint32_t name_size = le(entry + 28, 2), local = le(entry + 42, 4);
    const unsigned char *at = f->data + local;
    const unsigned char *body = at + 30 + le(at + 26, 2) + le(at + 28, 2);
    unsigned char *npy =
        method ? inflate_member(body, packed, size) : memcpy(malloc(size + 1u), body, size);
    struct array *a = &v->arrays[v->n_arrays];
    if (name_size > 4 && name_size - 4 < sizeof a->name)
        memcpy(a->name, entry + 46, name_size - 4); /* without .npy */
    bool good = npy && parse_npy(npy, size, a, strcmp(a->name, "config") ? NULL : &v->config);
    free(npy);
    v->n_arrays += good;
    return good;
}

bool vectors_read(struct vectors *v, const char *path)
{
    struct file f = {0};
    *v = (struct vectors){.path = path};
    const char *slash = strrchr(path, '/');
    char *stem = strdup(slash ? slash + 1 : path);
    stem[strlen(stem) - 4] = '\0';
    v->stem = stem;
    bool good = slurp(path, &f) && f.size > 22;
    long end = f.size - 22;
    while (good && end > 0 && le(f.data + end, 4) != 0x06054b50)
        end--;
    uint32_t count = good ? le(f.data + end + 10, 2) : 0;
    const unsigned char *entry = good ? f.data + le(f.data + end + 16, 4) : NULL;
    v->arrays = calloc(count + 1u, sizeof *v->arrays);
    for (uint32_t i = 0; good && i < count; i++) {
        good = add_member(v, &f, entry);
        entry += 46 + le(entry + 28, 2) + le(entry + 30, 2) + le(entry + 32, 2);
    }
    free(f.data);
    if (!good || !v->config)
        printf("%s: not a readable vector file\n", path);
    return good && v->config;
}

void vectors_free(struct vectors *v)
{
    for (int i = 0; i < v->n_arrays; i++)
        free(v->arrays[i].data);
    free(v->arrays);
    free(v->config);
    free((char *)(uintptr_t)v->stem);
}

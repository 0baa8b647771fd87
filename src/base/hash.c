/* XXH3 inlined from its header, SHA-256 from nettle. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <nettle/sha2.h>
#include <stdio.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/mem.h"

struct hash128 hash_bytes(const void *data, size_t size)
{
    XXH128_hash_t h = XXH3_128bits(data, size);
    return (struct hash128){h.high64, h.low64};
}

void hash_text(struct hash128 hash, char text[HASH_TEXT])
{
    snprintf(text, HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

/* The state wants 64-byte alignment, which mem_alloc gives large blocks only: place it within a
 * padded one. */
struct hasher {
    XXH3_state_t *state;
    unsigned char room[sizeof(XXH3_state_t) + 64];
};

struct hasher *hasher_new(void)
{
    struct hasher *h = mem_alloc(sizeof *h);
    size_t skew = (uintptr_t)h->room % 64;
    h->state = (XXH3_state_t *)(void *)(h->room + (skew ? 64 - skew : 0));
    XXH3_INITSTATE(h->state);
    (void)XXH3_128bits_reset(h->state);
    return h;
}

void hasher_add(struct hasher *h, const void *data, size_t size)
{
    if (size)
        (void)XXH3_128bits_update(h->state, data, size);
}

struct hash128 hasher_end(struct hasher *h)
{
    XXH128_hash_t hash = XXH3_128bits_digest(h->state);
    mem_free(h);
    return (struct hash128){hash.high64, hash.low64};
}

struct sha256 {
    struct sha256_ctx ctx;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *s = mem_alloc(sizeof *s);
    sha256_init(&s->ctx);
    return s;
}

void sha256_add(struct sha256 *s, const void *data, size_t size)
{
    if (size)
        sha256_update(&s->ctx, size, data);
}

void sha256_end(struct sha256 *s, char text[SHA256_TEXT])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&s->ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    mem_free(s);
}

void sha256_bytes(const void *data, size_t size, char text[SHA256_TEXT])
{
    struct sha256 *s = sha256_new();
    sha256_add(s, data, size);
    sha256_end(s, text);
}

int sha256_file(const char *path, char text[SHA256_TEXT], struct diag *diag)
{
    struct mapped_file f;
    int code = file_map(&f, path, diag);
    if (code)
        return code;
    sha256_bytes(f.data, f.size, text);
    file_unmap(&f);
    return 0;
}

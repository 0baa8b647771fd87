/* Content hashes. XXH3-128 (xxHash specification 0.2) finds equal bytes and names files by content;
 * SHA-256 (FIPS 180-4) is for provenance, where someone may want to forge. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct hash128 {
    uint64_t high, low;
};
enum { HASH_TEXT = 33, SHA256_TEXT = 65 }; /* hexadecimal digits and the NUL */

struct hash128 hash_bytes(const void *data, size_t size);
void hash_text(struct hash128 hash,
               char text[HASH_TEXT]); /* big-endian digits, as xxhsum -H2 prints */

struct hasher;                   /* in pieces */
struct hasher *hasher_new(void); /* returns owned */
void hasher_add(struct hasher *h, const void *data, size_t size);
struct hash128 hasher_end(struct hasher *h); /* frees */

struct sha256;                   /* in pieces */
struct sha256 *sha256_new(void); /* returns owned */
void sha256_add(struct sha256 *s, const void *data, size_t size);
void sha256_end(struct sha256 *s, char text[SHA256_TEXT]); /* frees */
void sha256_bytes(const void *data, size_t size, char text[SHA256_TEXT]);
int sha256_file(const char *path, char text[SHA256_TEXT],
                struct diag *diag); /* E_NO_INPUT, E_READ_FAILED */
#endif

/* A file of integer kernel vectors: named arrays (all widened to int64) and a flat JSON object of
 * integers. Used by kernel_vectors; needs nothing but src/base, src/kernels/int and zlib, so that
 * it can be cross-built.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H
#include <stdbool.h>
#include <stdint.h>

struct array {
    char name[96];
    int64_t *data;
    int64_t count;
    int item_bytes; /* of the stored type: 1, 2, 4 or 8 */
};

struct vectors {
    const char *path, *stem; /* file name without folder and ending */
    struct array *arrays;
    int n_arrays;
    char *config;          /* JSON text */
    struct array *capture; /* set: agree() stores the outputs there instead of comparing */
};

bool vectors_read(struct vectors *v, const char *path); /* prints why not */
void vectors_free(struct vectors *v);

const struct array *vectors_find(const struct vectors *v, const char *name); /* NULL: absent */
const struct array *vectors_first(const struct vectors *v,
                                  const char *const *names);   /* first of a NULL-ended list */
bool vectors_has(const struct vectors *v, const char *key);    /* config key */
int64_t vectors_get(const struct vectors *v, const char *key); /* ends the program when absent */
int64_t vectors_or(const struct vectors *v, const char *key, int64_t otherwise);

int32_t *widen(const struct array *a,
               int64_t count); /* first count elements as int32; count < 0: all */
int32_t *unpack4(const struct array *a, int64_t count); /* signed nibbles, low first */
int64_t *copy64(const struct array *a, int64_t count);
/* NHWC to NCHW and back. */
int32_t *to_planes(const int32_t *x, int64_t n, int64_t h, int64_t w, int64_t c);
int32_t *from_planes(const int32_t *x, int64_t n, int64_t c, int64_t h, int64_t w);

/* true when all count values agree; prints the first that does not. */
bool agree(const struct vectors *v, const int32_t *got, const struct array *want, int64_t count);

/* A family of kernels: recognises its files by their keys and arrays. */
struct family {
    const char *name;
    bool (*match)(const struct vectors *v);
    bool (*run)(const struct vectors *v);
};
extern const struct family FAMILY_NET, FAMILY_CONV, FAMILY_TRANSPOSE_CONV, FAMILY_FULLY_CONNECTED,
    FAMILY_BATCH_MATMUL, FAMILY_POOL, FAMILY_SOFTMAX, FAMILY_ADD_MUL, FAMILY_MIN_MAX, FAMILY_LSTM,
    FAMILY_SVDF, FAMILY_TRANSPOSE;
#endif

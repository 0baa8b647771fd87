/* A borrowed run of bytes: a piece of a mapped file or of an arena. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H
#include <stddef.h>
#include <string.h>

struct span {
    const unsigned char *data;
    size_t size;
};

static inline struct span span_of(const char *text)
{
    return (struct span){(const unsigned char *)text, strlen(text)};
}

static inline int span_equals(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
#endif

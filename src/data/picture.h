/* Pictures as 8-bit RGB, row by row without gaps: decoding and resizing. */
#ifndef DATA_PICTURE_H
#define DATA_PICTURE_H
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/span.h"

enum {
    PICTURE_SIDE_MAX = 65535,     /* what JPEG can express */
    PICTURE_PIXELS_MAX = 1 << 27, /* 134 megapixels, 402 MB decoded */
};

struct picture {
    int64_t width, height;
    unsigned char *rgb; /* owned, 3 * width * height bytes */
};

/* Decodes by the first bytes: JPEG, PNG, binary PPM and PGM. Alpha is dropped, 16-bit samples keep
 * their high byte, grey becomes RGB; orientation tags and colour profiles are not applied (as
 * Pillow's convert("RGB")). Errors: E_PICTURE, E_PICTURE_SIZE, E_LIMIT_MEMORY. */
int picture_decode(struct picture *p, struct span file, const struct where *at, struct ctx *ctx);
void picture_release(struct picture *p);
int picture_alloc(struct picture *p, int64_t width, int64_t height, const struct where *at,
                  struct ctx *ctx);

bool picture_is_jpeg(struct span head);
bool picture_is_png(struct span head);
bool picture_is_ppm(struct span head);
int picture_jpeg(struct picture *p, struct span file, const struct where *at, struct ctx *ctx);
int picture_png(struct picture *p, struct span file, const struct where *at, struct ctx *ctx);
int picture_ppm(struct picture *p, struct span file, const struct where *at, struct ctx *ctx);

/* To width x height with a triangle filter as wide as the reduction (antialiased), in fixed point:
 * the method of Pillow's Image.resize(BILINEAR). to is overwritten. */
int picture_resize(struct picture *to, const struct picture *from, int64_t width, int64_t height,
                   const struct where *at, struct ctx *ctx);
#endif

/* Which decoder, and the memory of a picture. */
#include <string.h>

#include "base/mem.h"
#include "data/picture.h"

bool picture_is_jpeg(struct span head)
{
    return head.size >= 3 && memcmp(head.data, "\xff\xd8\xff", 3) == 0;
}

bool picture_is_png(struct span head)
{
    return head.size >= 8 && memcmp(head.data, "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool picture_is_ppm(struct span head)
{
    return head.size >= 3 && head.data[0] == 'P' && (head.data[1] == '5' || head.data[1] == '6') &&
           (head.data[2] == '\n' || head.data[2] == ' ' || head.data[2] == '\r' ||
            head.data[2] == '\t' || head.data[2] == '#');
}

int picture_alloc(struct picture *p, int64_t width, int64_t height, const struct where *at,
                  struct ctx *ctx)
{
    *p = (struct picture){width, height, NULL};
    if (width < 1 || height < 1 || width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX ||
        width * height > PICTURE_PIXELS_MAX)
        return diag_report(ctx->diag, E_PICTURE_SIZE, at,
                           "%lld x %lld pixels, at most %d in all are read", (long long)width,
                           (long long)height, PICTURE_PIXELS_MAX);
    p->rgb = mem_try_alloc((size_t)(width * height) * 3);
    return p->rgb ? 0
                  : diag_report(ctx->diag, E_LIMIT_MEMORY, at, "no memory for %lld x %lld pixels",
                                (long long)width, (long long)height);
}

void picture_release(struct picture *p)
{
    mem_free(p->rgb);
    p->rgb = NULL;
}

int picture_decode(struct picture *p, struct span file, const struct where *at, struct ctx *ctx)
{
    *p = (struct picture){0};
    int code;
    if (picture_is_jpeg(file))
        code = picture_jpeg(p, file, at, ctx);
    else if (picture_is_png(file))
        code = picture_png(p, file, at, ctx);
    else if (picture_is_ppm(file))
        code = picture_ppm(p, file, at, ctx);
    else
        code = diag_report(ctx->diag, E_PICTURE, at, "neither JPEG nor PNG nor binary PPM or PGM");
    if (code)
        picture_release(p);
    return code;
}

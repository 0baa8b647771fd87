/* Binary PPM (P6) and PGM (P5) of Netpbm: "P6", width, height, maximum, one blank, samples of one
 * byte (maximum < 256) or two, big-endian. Comments run from # to the end of the line. Samples are
 * scaled to 255 when the maximum differs. */
#include <string.h>

#include "data/picture.h"

struct header {
    int64_t width, height, most;
    size_t at; /* of the samples */
};

static bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* A decimal number of at most seven digits after blanks and comments. */
static bool take_number(struct span f, size_t *at, int64_t *value)
{
    while (*at < f.size && (is_blank(f.data[*at]) || f.data[*at] == '#')) {
        if (f.data[*at] == '#')
            while (*at < f.size && f.data[*at] != '\n')
                (*at)++;
        else
            (*at)++;
    }
    size_t start = *at;
    *value = 0;
    for (; *at < f.size && f.data[*at] >= '0' && f.data[*at] <= '9' && *at - start < 8; (*at)++)
        *value = *value * 10 + (f.data[*at] - '0');
    return *at > start && *at - start < 8;
}

static bool read_header(struct span f, struct header *h)
{
    h->at = 2;
    if (!take_number(f, &h->at, &h->width) || !take_number(f, &h->at, &h->height) ||
        !take_number(f, &h->at, &h->most) || h->at >= f.size || !is_blank(f.data[h->at]))
        return false;
    h->at++;
    return h->most >= 1 && h->most <= 65535;
}

static unsigned char sample(const struct header *h, const unsigned char *from, int64_t i)
{
    int64_t v = h->most < 256 ? from[i] : from[2 * i] << 8 | from[2 * i + 1];
    v = v > h->most ? h->most : v;
    return (unsigned char)(h->most == 255 ? v : (v * 255 + h->most / 2) / h->most);
}

int picture_ppm(struct picture *p, struct span file, const struct where *at, struct ctx *ctx)
{
    struct header h;
    if (!read_header(file, &h))
        return diag_report(ctx->diag, E_PICTURE, at, "the header of the PPM picture is not valid");
    int code = picture_alloc(p, h.width, h.height, at, ctx);
    if (code)
        return code;
    int64_t channels = file.data[1] == '6' ? 3 : 1, pixels = h.width * h.height;
    size_t need = (size_t)(pixels * channels) * (h.most < 256 ? 1 : 2);
    if (file.size - h.at < need)
        return diag_report(ctx->diag, E_PICTURE, at, "%zu bytes of samples, %zu are expected",
                           file.size - h.at, need);
    const unsigned char *from = file.data + h.at;
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t c = 0; c < 3; c++)
            p->rgb[3 * i + c] = sample(&h, from, channels == 3 ? 3 * i + c : i);
    return 0;
}

/* Format image: pictures for models with one input of 1 or 3 channels.
 *
 *   x[c] = (pixel / scale - mean[c]) / std[c]     each step in float32
 *
 * Layout: channels are axis 1 (0 without a batch axis) when that is 1 or 3, else the last axis.
 * One channel is the luma of ITU-R BT.601, rounded as Pillow's convert("L"). Sizes: the input's,
 * else --image-size, else the picture's own. crop: scaled to cover and cut from the middle; pad:
 * scaled to fit, black around. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/data.h"
#include "data/picture.h"

enum { LEVELS = 256 };

struct layout {
    uint32_t input;
    int rank;
    bool channels_last;
    int64_t channels, height, width; /* 0: free */
};

struct image_state {
    struct layout layout;
    float table[3][LEVELS]; /* input value per channel and pixel level */
};

static bool image_probe(const char *path, struct span head, bool folder)
{
    static const char *const SUFFIXES[] = {".jpg", ".jpeg", ".png", ".ppm", ".pgm",
                                           ".JPG", ".JPEG", ".PNG", ".PPM"};
    for (size_t i = 0; !folder && i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++)
        if (path_has_suffix(path, SUFFIXES[i]))
            return true;
    return !folder && (picture_is_jpeg(head) || picture_is_png(head) || picture_is_ppm(head));
}

static bool is_channels(int64_t n) { return n == 1 || n == 3; }

/* Which axis is what; false when the input is no picture. */
static bool read_axes(const struct sample_input *in, struct layout *l)
{
    if (in->rank != 3 && in->rank != 4)
        return false;
    const int64_t *d = in->dims + (in->rank == 4 ? 1 : 0);
    if (in->rank == 4 && in->dims[0] > 1)
        return false;
    l->rank = in->rank;
    l->channels_last = !is_channels(d[0]) && is_channels(d[2]);
    int64_t c = l->channels_last ? d[2] : d[0];
    l->channels = c < 0 ? 3 : c;
    l->height = l->channels_last ? d[0] : d[1];
    l->width = l->channels_last ? d[1] : d[2];
    return is_channels(l->channels);
}

static int read_layout(const struct data_model *m, const char *path, struct layout *l)
{
    const struct sample_input *in = data_only_input(m, path, &l->input);
    if (!in)
        return -E_SAMPLE_INPUT;
    struct where at = {.file = path, .tensor = in->name};
    if (!read_axes(in, l) || in->dtype == DT_BOOL)
        return diag_report(m->ctx->diag, E_PICTURE_INPUT, &at,
                           "input '%s' does not have the shape of a picture", in->name);
    const struct image_options *o = &m->image;
    if ((l->height > 0 && o->height && l->height != o->height) ||
        (l->width > 0 && o->width && l->width != o->width))
        return diag_report(m->ctx->diag, E_PICTURE_INPUT, &at,
                           "--image-size %lldx%lld, input '%s' is %lldx%lld", (long long)o->height,
                           (long long)o->width, in->name, (long long)l->height,
                           (long long)l->width);
    l->height = l->height > 0 ? l->height : o->height;
    l->width = l->width > 0 ? l->width : o->width;
    return 0;
}

static int make_table(const struct data_model *m, const char *path, struct image_state *s)
{
    const struct sample_input *in = &m->inputs[s->layout.input];
    const struct image_options *o = &m->image;
    bool exact = dtype_is_int(in->dtype);
    float scale = o->scale != 0 ? o->scale : exact ? 1.0f : 255.0f; /* 0: not given */
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < LEVELS; v++) {
            float spread = o->std[c] != 0 ? o->std[c] : 1.0f; /* 0: not given */
            float scaled = (float)v / scale;
            float x = (scaled - o->mean[c]) / spread;
            s->table[c][v] = x;
            bool fits = !exact || (x == floorf(x) && x >= (float)dtype_min(in->dtype) &&
                                   x <= (float)dtype_max(in->dtype));
            if (!fits || !isfinite(x))
                return diag_report(m->ctx->diag, E_PICTURE_INPUT,
                                   &(struct where){.file = path, .tensor = in->name},
                                   "pixel %d becomes %g, which %s of input '%s' cannot hold", v,
                                   (double)x, dtype_name(in->dtype), in->name);
        }
    return 0;
}

static int image_open(struct data_item *item, const struct data_model *m)
{
    item->count = 1;
    if (*m->shared) { /* the same for every picture */
        item->state = *m->shared;
        return 0;
    }
    struct image_state *s = arena_alloc(m->arena, sizeof *s);
    int code = read_layout(m, item->path, &s->layout);
    if (!code)
        code = make_table(m, item->path, s);
    if (!code)
        *m->shared = s;
    item->state = s;
    return code;
}

/* Cuts from the middle of, or puts in the middle of, a black picture of the wanted size. */
static int recentre(struct picture *to, const struct picture *from, int64_t width, int64_t height,
                    const struct where *at, struct ctx *ctx)
{
    int code = picture_alloc(to, width, height, at, ctx); /* zeroed */
    if (code)
        return code;
    int64_t w = from->width < width ? from->width : width;
    int64_t h = from->height < height ? from->height : height;
    for (int64_t y = 0; y < h; y++)
        memcpy(to->rgb + (((height - h) / 2 + y) * width + (width - w) / 2) * 3,
               from->rgb + (((from->height - h) / 2 + y) * from->width + (from->width - w) / 2) * 3,
               (size_t)w * 3);
    return 0;
}

/* round(a * b / c), at least 1. */
static int64_t scaled(int64_t a, int64_t b, int64_t c)
{
    int64_t r = (2 * a * b + c) / (2 * c);
    return r < 1 ? 1 : r;
}

/* Takes p, gives a picture of the wanted size in its place. */
static int fit(struct picture *p, int64_t width, int64_t height, enum image_resize how,
               const struct where *at, struct ctx *ctx)
{
    struct picture sized = {0}, placed = {0};
    int64_t w = width, h = height;
    if (p->width == width && p->height == height)
        return 0;
    bool wider = p->width * height > width * p->height; /* than what is wanted */
    if (how != RESIZE_STRETCH && wider == (how == RESIZE_CROP))
        w = scaled(p->width, height, p->height);
    else if (how != RESIZE_STRETCH)
        h = scaled(p->height, width, p->width);
    int code = picture_resize(&sized, p, w, h, at, ctx);
    picture_release(p);
    *p = sized;
    if (code || (w == width && h == height))
        return code;
    code = recentre(&placed, p, width, height, at, ctx);
    picture_release(p);
    *p = placed;
    return code;
}

static unsigned char channel(const unsigned char *rgb, int64_t c, const struct layout *l, bool bgr)
{
    if (l->channels == 1)
        return (unsigned char)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >>
                               16);
    return rgb[bgr ? 2 - c : c];
}

static void fill(void *data, enum dtype dtype, const struct picture *p, const struct image_state *s,
                 bool bgr)
{
    const struct layout *l = &s->layout;
    int64_t pixels = p->width * p->height;
    for (int64_t c = 0; c < l->channels; c++)
        for (int64_t i = 0; i < pixels; i++) {
            float x = s->table[c][channel(p->rgb + 3 * i, c, l, bgr)];
            int64_t at = l->channels_last ? i * l->channels + c : c * pixels + i;
            if (dtype == DT_FLOAT)
                ((float *)data)[at] = x;
            else
                num_set(data, dtype, at, (double)x);
        }
}

static int to_tensor(const struct picture *p, const struct image_state *s,
                     const struct data_model *m, const struct where *at, struct arena *a,
                     const struct tensor **out)
{
    const struct layout *l = &s->layout;
    const struct sample_input *in = &m->inputs[l->input];
    int64_t dims[4] = {1, l->channels, p->height, p->width};
    size_t bytes = 0;
    if (l->channels_last)
        dims[1] = p->height, dims[2] = p->width, dims[3] = l->channels;
    if (!dtype_bytes(in->dtype, l->channels * p->height * p->width, &bytes))
        return diag_report(m->ctx->diag, E_PICTURE_SIZE, at, "the sizes overflow");
    void *data = data_alloc(bytes, at, a, m->ctx);
    if (!data)
        return -E_LIMIT_MEMORY;
    fill(data, in->dtype, p, s, m->image.bgr);
    out[l->input] = tensor_view(a, in->dtype, l->rank, dims + (4 - l->rank), data);
    return 0;
}

static int image_get(const struct data_item *item, const struct data_model *m, size_t index,
                     struct arena *a, const struct tensor **out)
{
    const struct image_state *s = item->state;
    struct where at = {.file = item->path};
    struct mapped_file f;
    struct picture p;
    (void)index;
    int code = file_map(&f, item->path, m->ctx->diag);
    if (code)
        return code;
    code = picture_decode(&p, (struct span){f.data, f.size}, &at, m->ctx);
    file_unmap(&f);
    if (!code)
        code =
            fit(&p, s->layout.width > 0 ? s->layout.width : p.width,
                s->layout.height > 0 ? s->layout.height : p.height, m->image.resize, &at, m->ctx);
    if (!code)
        code = to_tensor(&p, s, m, &at, a, out);
    picture_release(&p);
    return code;
}

const struct data_format data_image = {
    .name = "image",
    .summary = "pictures: JPEG, PNG, binary PPM and PGM; a folder of them",
    .probe = image_probe,
    .per_file = true,
    .open = image_open,
    .get = image_get,
};

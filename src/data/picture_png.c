/* PNG through libpng's row interface (its simplified one applies gamma). libpng leaves on errors by
 * longjmp; everything that must survive it lies in struct job. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#include "base/mem.h"
#include "data/picture.h"

enum { CHUNK_BYTES_MAX = 8 << 20, CHUNKS_MAX = 1000 }; /* libpng's own advice for untrusted input */

struct job {
    struct span file;
    size_t at;
    png_structp png;
    png_infop info;
    png_bytep *rows; /* owned */
    char message[128];
    int code; /* a reported error of our own */
};

static void on_error(png_structp png, png_const_charp message)
{
    struct job *job = png_get_error_ptr(png);
    snprintf(job->message, sizeof job->message, "%s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void on_read(png_structp png, png_bytep to, size_t size)
{
    struct job *job = png_get_io_ptr(png);
    if (job->file.size - job->at < size)
        png_error(png, "the file is cut short");
    memcpy(to, job->file.data + job->at, size);
    job->at += size;
}

/* Any PNG to 8-bit RGB. */
static void set_transforms(const struct job *job)
{
    png_set_expand(job->png);
    png_set_strip_16(job->png);
    png_set_strip_alpha(job->png);
    png_set_gray_to_rgb(job->png);
    png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
}

static int set_rows(struct job *job, struct picture *p, const struct where *at, struct ctx *ctx)
{
    int64_t width = png_get_image_width(job->png, job->info);
    int64_t height = png_get_image_height(job->png, job->info);
    job->code = picture_alloc(p, width, height, at, ctx);
    if (job->code)
        return job->code;
    job->rows = mem_alloc((size_t)height * sizeof *job->rows);
    for (int64_t y = 0; y < height; y++)
        job->rows[y] = p->rgb + (size_t)(y * width) * 3;
    return 0;
}

static void decode(struct job *job, struct picture *p, const struct where *at, struct ctx *ctx)
{
    if (setjmp(png_jmpbuf(job->png)))
        return;
    png_set_user_limits(job->png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
    png_set_chunk_malloc_max(job->png, CHUNK_BYTES_MAX);
    png_set_chunk_cache_max(job->png, CHUNKS_MAX);
    png_set_read_fn(job->png, job, on_read);
    png_read_info(job->png, job->info);
    set_transforms(job);
    if (png_get_rowbytes(job->png, job->info) !=
        (size_t)png_get_image_width(job->png, job->info) * 3)
        png_error(job->png, "an unexpected pixel format");
    if (set_rows(job, p, at, ctx))
        return;
    png_read_image(job->png, job->rows);
    png_read_end(job->png, NULL);
}

int picture_png(struct picture *p, struct span file, const struct where *at, struct ctx *ctx)
{
    struct job job = {.file = file};
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    if (job.info)
        decode(&job, p, at, ctx);
    else
        snprintf(job.message, sizeof job.message, "libpng cannot be set up");
    png_destroy_read_struct(&job.png, &job.info, NULL);
    mem_free(job.rows);
    if (!job.code && job.message[0])
        job.code = diag_report(ctx->diag, E_PICTURE, at, "the PNG picture cannot be decoded: %s",
                               job.message);
    return job.code;
}

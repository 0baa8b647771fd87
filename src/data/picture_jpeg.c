/* JPEG through libjpeg-turbo: the accurate integer DCT, so that every machine decodes the same
 * pixels. libjpeg leaves on errors by longjmp; everything that must survive it lies in struct job.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "data/picture.h"

enum {
    SCANS_MAX = 500
}; /* a progressive picture has about ten; each costs a walk over all pixels */

struct job {
    struct jpeg_error_mgr errors; /* first: libjpeg hands it back */
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    struct jpeg_decompress_struct jpeg;
    char message[JMSG_LENGTH_MAX];
    int code; /* a reported error of our own */
};

static void on_error(j_common_ptr info)
{
    struct job *job = (struct job *)info->err;
    info->err->format_message(info, job->message);
    longjmp(job->leave, 1);
}

static void on_message(j_common_ptr info, int level)
{
    int what = info->err->msg_code;
    if (level == -1 && (what == JWRN_JPEG_EOF || what == JWRN_HIT_MARKER))
        on_error(info); /* pixels are missing */
}

static void silent(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info)
{
    if (((struct jpeg_decompress_struct *)info)->input_scan_number <= SCANS_MAX)
        return;
    struct job *job = (struct job *)info->err;
    snprintf(job->message, sizeof job->message, "more than %d scans", SCANS_MAX);
    longjmp(job->leave, 1);
}

static void read_rows(struct job *job, struct picture *p)
{
    struct jpeg_decompress_struct *j = &job->jpeg;
    while (j->output_scanline < j->output_height) {
        JSAMPROW row = p->rgb + (size_t)j->output_scanline * (size_t)p->width * 3;
        jpeg_read_scanlines(j, &row, 1);
    }
    jpeg_finish_decompress(j);
}

static void decode(struct job *job, struct picture *p, struct span file, const struct where *at,
                   struct ctx *ctx)
{
    struct jpeg_decompress_struct *j = &job->jpeg;
    if (setjmp(job->leave))
        return;
    jpeg_create_decompress(j);
    j->progress = &job->progress;
    jpeg_mem_src(j, file.data, (unsigned long)file.size);
    jpeg_read_header(j, TRUE);
    if (j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK) {
        snprintf(job->message, sizeof job->message, "its colours are CMYK, RGB is expected");
        return;
    }
    j->out_color_space = JCS_RGB;
    j->dct_method = JDCT_ISLOW;
    job->code = picture_alloc(p, j->image_width, j->image_height, at, ctx);
    if (job->code)
        return;
    jpeg_start_decompress(j);
    read_rows(job, p);
}

int picture_jpeg(struct picture *p, struct span file, const struct where *at, struct ctx *ctx)
{
    struct job job = {.code = 0};
    job.jpeg.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    job.errors.output_message = silent;
    job.progress.progress_monitor = on_progress;
    decode(&job, p, file, at, ctx);
    jpeg_destroy_decompress(&job.jpeg);
    if (!job.code && job.message[0])
        job.code = diag_report(ctx->diag, E_PICTURE, at, "the JPEG picture cannot be decoded: %s",
                               job.message);
    return job.code;
}

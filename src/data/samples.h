/* Samples in: whatever --data names becomes tensors for the model's inputs, one sample at a time.
 *
 * A listing is made at the start: paths in the order given, the files of a folder by name, the
 * samples of a file in their order. A sample's id is its index in that full listing; --shuffle and
 * --limit only choose which ids are visited and in what order. Nothing but the listing is kept
 * between calls, and samples_get is thread-safe, so memory does not grow with the samples.
 */
#ifndef DATA_SAMPLES_H
#define DATA_SAMPLES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "ir/ir.h"

/* How a picture becomes an input: x = (pixel / scale - mean) / std in float32, in that order. */
enum image_resize { RESIZE_CROP, RESIZE_STRETCH, RESIZE_PAD };
struct image_options {
    float scale;           /* 0: the default, 255 for float inputs and 1 for integer ones */
    float mean[3], std[3]; /* per channel in the order of the input; std 0: 1 */
    bool bgr;              /* channel order of the input; pictures are read as RGB */
    int64_t height, width; /* 0: the input's, or the picture's own where that is free */
    enum image_resize resize;
};

struct samples_options {
    const char *const *paths; /* --data, n_paths of them */
    size_t n_paths;
    const char *format; /* --data-format: a name of data.def; NULL: recognised */
    struct image_options image;
    int64_t limit; /* at most so many samples; < 0: all */
    bool shuffle;
    uint64_t seed;
    bool skip_bad; /* --on-bad-sample skip */
};

/* An input of the model that samples must, or may, give. */
struct sample_input {
    const struct value *value;
    const char *name;
    enum dtype dtype;
    int rank;            /* -1: unknown */
    const int64_t *dims; /* rank entries, -1: free */
    bool optional;       /* an initializer of the same name is the default */
};

struct samples;

/* Inputs are those of m->graph, so m (and its inferred types) must outlive the samples. Errors:
 * E_NO_INPUT, the 05xx range. */
int samples_open(struct samples **out, const struct model *m, const struct samples_options *o,
                 struct ctx *ctx);
void samples_close(struct samples *s); /* NULL is allowed */

size_t samples_count(const struct samples *s);         /* after limit */
int64_t samples_id(const struct samples *s, size_t k); /* index in the full listing */
size_t samples_listed(const struct samples *s);        /* length of the full listing */
const char *samples_label(const struct samples *s, size_t k, struct arena *a); /* "x.npz[3]" */
uint32_t samples_n_inputs(const struct samples *s); /* graph inputs, in order */
const struct sample_input *samples_input(const struct samples *s, uint32_t i);

/* The tensors of visited sample k (0 .. samples_count - 1), one per input; NULL where an optional
 * input has no array. Types are the inputs' own; free dims take the array's. Everything lies in a.
 * 0; SAMPLE_SKIPPED: bad, listed as a warning, go on; < 0: reported error. Thread-safe when every
 * thread brings its own arena. */
enum { SAMPLE_SKIPPED = 1 };
int samples_get(struct samples *s, size_t k, struct arena *a, const struct tensor ***out);
size_t samples_skipped(const struct samples *s); /* how many were, so far */

/* The formats, for `list formats`. */
size_t data_format_total(void);
const char *data_format_name(size_t i);
const char *data_format_summary(size_t i);
#endif

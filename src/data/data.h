/* Between samples.c and the formats: a format is one file and one row of data.def.
 *
 * An item is one path of the listing: a file (formats with per_file, also when it was found in a
 * folder), a folder, or a word such as "random:8". open says how many samples it holds, get reads
 * one of them. get must be thread-safe and report what is wrong with the sample as an error.
 */
#ifndef DATA_DATA_H
#define DATA_DATA_H
#include "data/samples.h"

struct data_format;

struct data_item {
    const struct data_format *format;
    const char *path; /* arena of the listing */
    size_t count;     /* samples it holds, set by open */
    void *state;      /* of the format; NULL: none */
};

/* What every format may look at. */
struct data_model {
    const struct sample_input *inputs;
    uint32_t n_inputs;
    struct image_options image;
    struct ctx *ctx;
    struct arena *arena; /* of the listing: for open only */
    void **shared;       /* one pointer for the formats' use during listing */
    bool *extra_told;    /* arrays without input were mentioned already; for open only */
};

struct data_format {
    const char *name, *summary;
    /* Whether path is of this format. head: the first bytes of a file, size 0 for a folder or word.
     */
    bool (*probe)(const char *path, struct span head, bool folder);
    bool per_file; /* a folder may hold files of this format */
    int (*open)(struct data_item *item, const struct data_model *m);
    int (*get)(const struct data_item *item, const struct data_model *m, size_t index,
               struct arena *a,
               const struct tensor **out); /* out: n_inputs entries, NULL at first */
    void (*close)(struct data_item *item); /* NULL: nothing to free */
};

extern const struct data_format *const DATA_FORMATS[];

/* The names in a folder, sorted by byte, without hidden ones; returns owned strings in the arena.
 */
int data_list_folder(const char *path, struct arena *a, const char ***names, size_t *count,
                     struct diag *diag);

/* ---- arrays (array.c) ---- */

/* An array as it lies in a file: how it is cut into samples of an input. */
struct array_cut {
    size_t count;  /* samples */
    bool whole;    /* one sample, the array itself */
    int rank;      /* of a sample */
    int64_t *dims; /* of a sample */
    int64_t elements;
};
/* The rules of cli.md: the input's rank is one sample, a fixed first dimension of 1 or one more
 * leading axis means samples. E_SAMPLE_SHAPE when the array cannot be the input. */
int array_cut(const struct sample_input *in, int rank, const int64_t *dims, const struct where *at,
              struct arena *a, struct array_cut *cut, struct diag *diag);

/* Elements of a sample as read: to a tensor of the input's type. */
struct array_raw {
    const void *data; /* elements * size of dtype bytes, C order unless fortran */
    enum dtype dtype;
    bool swap, fortran;
};
/* data may be kept in the tensor, so it must lie in a. E_SAMPLE_DTYPE when a value has no exact
 * form in the input's type; E_SAMPLE_NONFINITE. */
int array_tensor(const struct sample_input *in, const struct array_raw *raw,
                 const struct array_cut *cut, const struct where *at, struct arena *a,
                 const struct tensor **out, struct ctx *ctx);

/* Memory for `bytes` that come from input: NULL after E_LIMIT_MEMORY when --max-memory forbids it.
 */
void *data_alloc(size_t bytes, const struct where *at, struct arena *a, struct ctx *ctx);

/* NaN and infinities: an error, or a warning with --allow-nonfinite. */
int data_check_finite(const struct tensor *t, const struct where *at, struct ctx *ctx);

/* The one input that samples without names can mean; NULL after a report. */
const struct sample_input *data_only_input(const struct data_model *m, const char *path,
                                           uint32_t *index);
#endif

/* Inside of compare: its two sides, models that run or results that were saved, and what is
 * measured. */
#ifndef CMD_COMPARE_H
#define CMD_COMPARE_H
#include "cmd/cmd.h"
#include "data/npz_read.h"
#include "data/samples.h"
#include "base/map.h"
#include "exec/exec.h"
#include "report/metrics.h"

/* A named value of one side. */
struct side_name {
    const char *name;
    const struct value *value;  /* of a model */
    const struct tensor *saved; /* of an .npz: all samples after each other */
    bool output;
};

struct side {
    const char *path;
    bool saved; /* an .npz */
    struct model *m;
    struct exec *exec;
    struct arena *arena;
    VEC(struct side_name)
    names; /* outputs first, then intermediate values in the order of the nodes */
};

/* Loads either kind. layers: intermediate values too. */
int side_open(struct side *s, struct cmd *cmd, const char *path, bool layers);
void side_close(struct side *s);
const struct side_name *side_find(const struct side *s, const char *name, size_t *index);
struct compare_options {
    int engine_a, engine_b;
    bool layers, teacher;
    double min_sqnr, max_abs, min_top1;
    int64_t show;
};

/* What both sides say of one sample, for --show: the largest element of the first row. */
struct answer {
    bool given;
    int64_t top[2]; /* of A and B; 0 where a row has one element */
    double value[2];
};

/* One name on both sides. */
struct pair {
    const char *name;
    size_t a, b; /* indices in the sides' names */
    bool output;
    struct metrics *samples; /* by sample */
    struct answer *answers;  /* of the first show samples; NULL: none are shown */
    struct metrics total;
};

/* What a worker keeps of A for the sample that runs. */
struct kept {
    struct arena *arena;
    struct arena *sample;
    const struct tensor **a; /* by pair */
    const struct tensor **in;
};

struct compare {
    struct cmd *cmd;
    const struct compare_options *o;
    struct side a, b;
    struct samples *samples;
    size_t n;
    VEC(struct pair) pairs;
    struct map pair_of_a, pair_of_b; /* value id -> pair + 1 */
    struct kept *kept;               /* by worker */
    uint32_t *b_input;               /* by B's graph input: A's input of that name */
    const struct pair *first_difference;
    bool passed;
};

int compare_pairs(struct compare *c); /* E_COMPARE_NAME */
int compare_run(struct compare *c);   /* models */
int compare_saved(struct compare *c); /* two .npz */

/* compare_show.c */
size_t compare_shown(const struct compare *c); /* samples that are shown */
void answer_take(struct answer *to, const struct tensor *a, const struct tensor *b);
void print_answers(const struct compare *c, FILE *out);
void print_answers_json(const struct compare *c, struct json_writer *w);
#endif

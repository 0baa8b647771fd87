/* npuprep from C: load an ONNX model, rewrite it, save it. Link with `pkg-config --cflags --libs
 * npuprep`.
 *
 *   #include <npuprep.h>
 *   #include <stdio.h>
 *   int main(void)
 *   {
 *       struct npuprep *n = npuprep_new();
 *       struct npuprep_model *m = npuprep_load(n, "model.onnx");
 *       int rewrites = m ? npuprep_run(m, "constant-nodes,fold-batchnorm") : -1;
 *       int failed = rewrites < 0 || npuprep_save(m, "folded.onnx", NPUPREP_FORCE) < 0;
 *       if (failed)
 *           fprintf(stderr, "%s\nhint: %s\n", npuprep_error(n), npuprep_hint(n));
 *       else
 *           printf("%d rewrites\n", rewrites);
 *       npuprep_model_free(m);
 *       npuprep_free(n);
 *       return failed;
 *   }
 *
 * A handle holds limits and the messages of what was done with it. Functions that can fail return a
 * negative error number (the 231 of E0231, negated) or NULL, and npuprep_error then says why;
 * nothing is printed and the process is not ended, except that memory for small bookkeeping which
 * cannot be had ends it with status 75. One handle and its models belong to one thread at a time;
 * different handles are independent, but for the memory limit, which is the process's. The
 * interface only grows: what stands here stays.
 */
#ifndef NPUPREP_H
#define NPUPREP_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npuprep;
struct npuprep_model;

enum npuprep_flags {
    NPUPREP_FORCE = 1 << 0, /* replace an existing file */
    NPUPREP_EXTERNAL_ALWAYS =
        1 << 1, /* weights of 1 KiB and more go to a data file beside the model */
    NPUPREP_EXTERNAL_NEVER = 1 << 2, /* everything in the model file */
};

const char *npuprep_version(void); /* "0.1.0" */

struct npuprep *npuprep_new(void);    /* returns owned */
void npuprep_free(struct npuprep *n); /* after its models; NULL is allowed */

/* Limits, before loading. threads: 1..1024, 0 for what the system allows (the start: 1).
 * max_memory: bytes of heap for the whole process, 0 for no limit (the start). max_nodes: 0 for no
 * limit (the start: 1000000). */
void npuprep_set_threads(struct npuprep *n, int threads);
void npuprep_set_max_memory(struct npuprep *n, size_t bytes);
void npuprep_set_max_nodes(struct npuprep *n, long long nodes);

/* The most recent error, "" without one: "E0231: what was found (file, node)". hint: what to do.
 * Borrowed until the next call with this handle. */
const char *npuprep_error(const struct npuprep *n);
const char *npuprep_hint(const struct npuprep *n);
int npuprep_error_number(const struct npuprep *n); /* 231, or 0 */

/* Reads a model with its external data; weights stay in the files, which must not change meanwhile.
 * Returns owned, NULL on an error. */
struct npuprep_model *npuprep_load(struct npuprep *n, const char *path);
void npuprep_model_free(struct npuprep_model *m); /* NULL is allowed */

/* Infers shapes and runs passes: by name, in that order ("fold-batchnorm,constant-folding"; the
 * names of `npuprep list passes`), or all of a level as `npuprep opt --level` does (0..3). Returns
 * the number of rewrites, or a negative error number. */
int npuprep_run(struct npuprep_model *m, const char *passes);
int npuprep_optimize(struct npuprep_model *m, int level);

long long npuprep_node_count(const struct npuprep_model *m); /* all graphs and called functions */

/* Writes the model; flags of enum npuprep_flags. The file appears whole or not at all. 0 or a
 * negative error number. */
int npuprep_save(struct npuprep_model *m, const char *path, unsigned flags);

#ifdef __cplusplus
}
#endif
#endif

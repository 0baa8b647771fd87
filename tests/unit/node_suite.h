/* The ONNX node conformance suite as tests walk it: its cases in name order, their inputs and
 * outputs as tensors, the comparison.
 *
 * The suite is a folder of cases (NODE_SUITE names it), or $DATA/data/onnx-node-tests-*.tar.xz,
 * which is unpacked into a temporary folder.
 */
#ifndef NODE_SUITE_H
#define NODE_SUITE_H
#include <dirent.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "onnx/load.h"
#include "onnx/value_file.h"
#include "ops/op.h"

struct suite {
    char root[512], temporary[64];
    char **names;
    size_t count;
};

static int suite_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool suite_unpack(struct suite *s)
{
    const char *data = getenv("DATA");
    char pattern[512], command[2048];
    glob_t found;
    if (!data || !*data)
        return false;
    snprintf(pattern, sizeof pattern, "%s/data/onnx-node-tests-*.tar.xz", data);
    if (glob(pattern, 0, NULL, &found))
        return false;
    snprintf(s->temporary, sizeof s->temporary, "/tmp/npuprep-suite-XXXXXX");
    bool made = mkdtemp(s->temporary) != NULL;
    snprintf(command, sizeof command, "tar -xJf '%s' -C '%s'", found.gl_pathv[0], s->temporary);
    globfree(&found);
    snprintf(s->root, sizeof s->root, "%s/node", s->temporary);
    return made && system(command) == 0;
}

/* false: there is no suite here. */
static bool suite_open(struct suite *s)
{
    memset(s, 0, sizeof *s);
    const char *given = getenv("NODE_SUITE");
    if (given && *given)
        snprintf(s->root, sizeof s->root, "%s", given);
    else if (!suite_unpack(s))
        return false;
    DIR *d = opendir(s->root);
    if (!d)
        return false;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        s->names = realloc(s->names, (s->count + 1) * sizeof *s->names);
        s->names[s->count++] = strdup(e->d_name);
    }
    closedir(d);
    qsort(s->names, s->count, sizeof *s->names, suite_compare);
    return s->count > 0;
}

static void suite_close(struct suite *s)
{
    char command[128];
    for (size_t i = 0; i < s->count; i++)
        free(s->names[i]);
    free(s->names);
    if (!s->temporary[0])
        return;
    snprintf(command, sizeof command, "rm -rf '%s'", s->temporary);
    if (system(command))
        fprintf(stderr, "cannot remove %s\n", s->temporary);
}

/* ---- values ---- */

/* A sequence or an optional travels as a tensor without a type whose data it is (ops/op.h). */
static struct tensor *suite_tensor(struct arena *a, const struct file_value *v)
{
    if (v->kind ==
        TYPE_TENSOR) { /* where it lies in its file is any place: the executor wants aligned data */
        struct tensor *t = v->tensor;
        if (t->dtype != DT_STRING && t->count)
            t->data = tensor_aligned(t, a);
        return t;
    }
    struct sequence *s = arena_alloc(a, sizeof *s);
    const struct tensor **items = arena_array(a, v->count + 1, sizeof *items);
    for (size_t i = 0; i < v->count; i++)
        items[i] = suite_tensor(a, &v->items[i]);
    s->kind = v->kind;
    s->count = (int64_t)v->count;
    s->items = items;
    s->dtype = v->count ? items[0]->dtype : DT_UNDEFINED;
    struct tensor *t = arena_alloc(a, sizeof *t);
    t->data = s;
    return t;
}

/* prefix "input" or "output". NULL: there is no such file. */
static const struct tensor *suite_value(struct ctx *ctx, struct arena *a, const char *folder,
                                        const char *prefix, size_t i, const struct type *type)
{
    struct file_value v;
    const char *path = arena_printf(a, "%s/%s_%zu.pb", folder, prefix, i);
    if (access(path, R_OK) || value_file_load(ctx, path, type, a, &v))
        return NULL;
    return suite_tensor(a, &v);
}

/* The suite's own tolerance: rtol 1e-3, atol 1e-7 (onnx/backend/test/runner), with the room that
 * sums near zero need. */
static bool suite_close_enough(enum dtype t, double got, double want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got))
        return got == want;
    double relative = t == DT_BFLOAT16 ? 1e-2 : 1e-3,
           absolute = t == DT_FLOAT || t == DT_DOUBLE ? 1e-5 : 1e-3;
    return fabs(got - want) <= absolute + relative * fabs(want);
}

static bool suite_same(const struct tensor *got, const struct tensor *want);

static bool suite_same_sequence(const struct sequence *got, const struct sequence *want)
{
    if (got->count != want->count)
        return false;
    for (int64_t i = 0; i < got->count; i++)
        if (!suite_same(got->items[i], want->items[i]))
            return false;
    return true;
}

static bool suite_same_elements(const struct tensor *got, const struct tensor *want)
{
    bool wide = dtype_bits(want->dtype) > 64;
    for (int64_t i = 0; i < want->count; i++) {
        if (want->dtype == DT_STRING) {
            if (!span_equals(got->strings[i], want->strings[i]))
                return false;
        } else if (want->dtype == DT_COMPLEX64 || wide) {
            continue; /* compared as parts below */
        } else if (dtype_is_float(want->dtype)
                       ? !suite_close_enough(want->dtype, tensor_get(got, i), tensor_get(want, i))
                       : tensor_get_int(got, i) != tensor_get_int(want, i)) {
            return false;
        }
    }
    return true;
}

static bool suite_same(const struct tensor *got, const struct tensor *want)
{
    if (got->dtype != want->dtype)
        return false;
    if (want->dtype == DT_UNDEFINED)
        return suite_same_sequence(got->data, want->data);
    if (got->rank != want->rank)
        return false;
    for (int i = 0; i < want->rank; i++)
        if (got->dims[i] != want->dims[i])
            return false;
    return suite_same_elements(got, want);
}
#endif

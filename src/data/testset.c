/* Format onnx-test: the test data that go with ONNX models. A folder holds test_data_set_N folders, each one sample: input_K.pb is a
 * TensorProto. It belongs to the input whose name it carries; without a name, or with one that the model does not have, to the model's input K.
 * A folder that itself holds input_0.pb is one sample. The outputs beside them are not read. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/data.h"
#include "onnx/value_file.h"

enum { MOST_FILES = 10000 }; /* inputs of a sample; no model has as many */

struct test_folder {
    const char **sets; /* item->count folders */
};

static bool has_file(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool there = access(path, F_OK) == 0;
    mem_free(path);
    return there;
}

static bool is_set(const char *folder, const char *name)
{
    struct stat st;
    if (strncmp(name, "test_data_set_", 14) != 0)
        return false;
    char *path = path_join(folder, name);
    bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    mem_free(path);
    return is_folder;
}

/* The sets of a folder by name; none: the folder itself when it is one. */
static int find_sets(const char *folder, struct arena *a, const char ***sets, size_t *count,
                     struct diag *diag)
{
    const char **names;
    size_t n = 0, found = 0;
    int code = data_list_folder(folder, a, &names, &n, diag);
    for (size_t i = 0; !code && i < n; i++)
        if (is_set(folder, names[i])) {
            char *path = path_join(folder, names[i]);
            names[found++] = arena_string(a, path);
            mem_free(path);
        }
    if (!code && !found && has_file(folder, "input_0.pb")) {
        names = arena_array(a, 1, sizeof *names);
        names[found++] = folder;
    }
    *sets = names;
    *count = found;
    return code;
}

static bool testset_probe(const char *path, struct span head, bool folder)
{
    const char **sets;
    size_t count = 0;
    (void)head;
    if (!folder)
        return false;
    struct arena *a = arena_new();
    struct diag *quiet = diag_new(NULL, NULL);
    bool found = find_sets(path, a, &sets, &count, quiet) == 0 && count > 0;
    diag_free(quiet);
    arena_free(a);
    return found;
}

static int testset_open(struct data_item *item, const struct data_model *m)
{
    struct test_folder *t = arena_alloc(m->arena, sizeof *t);
    struct where at = {.file = item->path};
    int code = find_sets(item->path, m->arena, &t->sets, &item->count, m->ctx->diag);
    item->state = t;
    if (!code && !item->count)
        code = diag_report(m->ctx->diag, E_TEST_SET, &at,
                           "the folder holds neither test_data_set_N folders nor input_0.pb");
    for (size_t i = 0; !code && i < item->count; i++)
        if (m->n_inputs && !has_file(t->sets[i], "input_0.pb"))
            code = diag_report(m->ctx->diag, E_TEST_SET, &(struct where){.file = t->sets[i]},
                               "the folder holds no input_0.pb");
    return code;
}

/* The input that a file means; NULL: none. */
static const struct sample_input *input_of(const struct data_model *m, const char *name,
                                           uint32_t position, uint32_t *index)
{
    for (*index = 0; *index < m->n_inputs; ++*index)
        if (*name && !strcmp(m->inputs[*index].name, name))
            return &m->inputs[*index];
    *index = position;
    return position < m->n_inputs ? &m->inputs[position] : NULL;
}

static int take_tensor(const struct sample_input *in, const struct tensor *t,
                       const struct where *at, struct arena *a, const struct tensor **out,
                       struct ctx *ctx)
{
    struct array_cut cut;
    if (t->dtype == DT_STRING)
        return diag_report(ctx->diag, E_SAMPLE_DTYPE, at, "input '%s' takes %s, not strings",
                           in->name, dtype_name(in->dtype));
    int code = array_cut(in, t->rank, t->dims, at, a, &cut, ctx->diag);
    if (!code && !cut.whole)
        code = diag_report(ctx->diag, E_SAMPLE_SHAPE, at,
                           "a file of a test set is one sample, this is %zu of input '%s'",
                           cut.count, in->name);
    if (code)
        return code;
    if (t->dtype == in->dtype) {
        *out = tensor_view(a, t->dtype, t->rank, t->dims, tensor_aligned(t, a));
        return data_check_finite(*out, at, ctx);
    }
    if (dtype_bits(t->dtype) < 8)
        return diag_report(ctx->diag, E_SAMPLE_DTYPE, at, "elements are %s, input '%s' takes %s",
                           dtype_name(t->dtype), in->name, dtype_name(in->dtype));
    struct array_raw raw = {tensor_aligned(t, a), t->dtype, false, false};
    return array_tensor(in, &raw, &cut, at, a, out, ctx);
}

static int take_file(const struct data_model *m, const char *path, uint32_t position,
                     struct arena *a, const struct tensor **out)
{
    struct file_value value;
    struct type tensor = {.kind = TYPE_TENSOR};
    struct where at = {.file = path};
    uint32_t i;
    int code = value_file_load(m->ctx, path, &tensor, a, &value);
    if (code)
        return code;
    const struct sample_input *in = input_of(m, value.name, position, &i);
    if (!in)
        return diag_report(m->ctx->diag, E_TEST_SET, &at,
                           "the model has %u inputs, and none named '%s'", m->n_inputs, value.name);
    at.tensor = in->name;
    if (out[i])
        return diag_report(m->ctx->diag, E_TEST_SET, &at, "a second file for input '%s'", in->name);
    return take_tensor(in, value.tensor, &at, a, &out[i], m->ctx);
}

static int testset_get(const struct data_item *item, const struct data_model *m, size_t index,
                       struct arena *a, const struct tensor **out)
{
    const struct test_folder *t = item->state;
    const char *folder = t->sets[index];
    int code = 0;
    for (uint32_t k = 0; !code && k < MOST_FILES; k++) {
        const char *path = arena_printf(a, "%s/input_%u.pb", folder, k);
        if (access(path, F_OK))
            break;
        code = take_file(m, path, k, a, out);
    }
    for (uint32_t i = 0; !code && i < m->n_inputs; i++)
        if (!out[i] && !m->inputs[i].optional)
            code = diag_report(m->ctx->diag, E_SAMPLE_INPUT, &(struct where){.file = folder},
                               "no input_K.pb is for input '%s'", m->inputs[i].name);
    return code;
}

const struct data_format data_testset = {
    .name = "onnx-test",
    .summary = "test data of ONNX models: test_data_set_N/input_K.pb",
    .probe = testset_probe,
    .open = testset_open,
    .get = testset_get,
};

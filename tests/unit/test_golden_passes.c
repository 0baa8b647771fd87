/* Golden tests of the passes: tests/golden/PASS/NAME.txt, each any number of cases:
 *
 *   --- case TITLE
 *   --- plan                            optional: opset 13, target tests/targets/few.json
 *   --- before
 *   graph main(..) -> (..) { .. }       the text form (src/ir/graph_text.c)
 *   --- after                           or: --- unchanged
 *   graph main(..) -> (..) { .. }
 *   --- log
 *   2 rewrites
 *   refused NODE: WHY
 *
 * Each case must give exactly that, verify, change nothing when the pass runs again, and give the
 * same counts when every value and node is renamed. Beyond that every pass of the catalogue needs a
 * case that rewrites, and every reason of a refusal (a literal after `return` or in pass_refused in
 * the file of the pass) a case that shows it. UPDATE=1 in the environment writes what came out into
 * the files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph_text.h"
#include "passes/pass.h"
#include "targets/target.h"

static const char FOLDER[] = "tests/golden";

static struct arena *arena;
static struct ctx ctx;
static struct map reasons; /* refusals that were seen: text -> pass name */
static int n_cases, n_failed;

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    VEC(char) bytes = {0};
    for (int c; (c = fgetc(f)) != EOF;)
        vec_push(&bytes, (char)c);
    vec_push(&bytes, '\0');
    fclose(f);
    char *text = arena_copy(arena, bytes.data, bytes.count);
    vec_free(&bytes);
    return text;
}

/* ---- one case ---- */

struct golden {
    const char *title, *plan, *before, *after, *log; /* after NULL: unchanged; plan may be NULL */
};

struct outcome {
    const char *text, *log;
    int64_t rewrites, refused;
};

/* What the case asks of the result besides the pass. */
static int read_plan(const char *text, struct pass_plan *plan, struct target **target)
{
    char word[16], value[128];
    int used;
    for (; sscanf(text, "%15s %127s%n", word, value, &used) == 2; text += used)
        if (!strcmp(word, "opset"))
            plan->opset = strtol(value, NULL, 10);
        else if (target_load(target, value, &ctx))
            return -1;
    plan->target = *target;
    return 0;
}

static int run_once(struct model *m, const char *pass, const char *plan_text, struct pass_log *log)
{
    const char *names[] = {pass, NULL};
    struct target *target = NULL;
    struct pass_plan plan = {.names = names, .verify = true};
    int code = read_plan(plan_text, &plan, &target);
    if (!code)
        code = passes_run(m, &plan, log);
    target_free(target);
    return code;
}

static const char *log_text(const struct pass_result *result)
{
    char *text = arena_printf(arena, "%lld rewrites\n", (long long)result->rewrites);
    for (size_t i = 0; i < result->refusals.count; i++) {
        struct pass_note note = result->refusals.data[i];
        text = arena_printf(arena, "%srefused %s: %s\n", text, note.node, note.text);
        *map_slot_str(&reasons, arena_string(arena, note.text)) =
            arena_string(arena, result->pass->name);
    }
    return text;
}

static void rename_all(struct model *m)
{
    for (size_t i = 0; i < m->values.count; i++)
        m->values.data[i]->name = intern(m->names, arena_printf(arena, "v%zu", 7919 * i % 1000003));
    for (size_t i = 0; i < m->nodes.count; i++)
        m->nodes.data[i]->name = intern(m->names, arena_printf(arena, "n%zu", 7907 * i % 1000003));
}

/* false: something is wrong, said on stdout. */
static bool run_case(const char *pass, const char *title, const struct golden *g, bool renamed,
                     struct outcome *out)
{
    const char *before = g->before, *plan = g->plan ? g->plan : "";
    size_t errors = diag_count(ctx.diag);
    struct pass_log log = {0}, again = {0};
    struct model *m = model_parse(&ctx, before);
    bool fine = m != NULL;
    if (fine && renamed)
        rename_all(m);
    if (fine) { /* a graph that inference refuses is a case too */
        ops_resolve(m);
        model_infer(m, NULL, NULL);
    }
    fine =
        fine && model_verify(m) == 0 && run_once(m, pass, plan, &log) == 0 && model_verify(m) == 0;
    if (fine) {
        out->text = model_print_with(m, arena, 0);
        out->log = log_text(&log.results.data[0]);
        out->rewrites = log.results.data[0].rewrites;
        out->refused = log.results.data[0].refused;
        fine = run_once(m, pass, plan, &again) == 0 && again.results.data[0].rewrites == 0;
        if (!fine)
            printf("%s: %s: a second run finds more to do\n", pass, title);
    }
    for (size_t i = errors; !fine && i < diag_count(ctx.diag); i++)
        printf("%s: %s: %s\n", pass, title, diag_at(ctx.diag, i)->message);
    pass_log_release(&log);
    pass_log_release(&again);
    model_free(m);
    return fine;
}

/* ---- a file ---- */

static bool section(const char *line, const char *name)
{
    return !strncmp(line, "--- ", 4) && !strncmp(line + 4, name, strlen(name));
}

/* The text from the line after `at` up to the next section. */
static const char *body(const char *at, const char **end)
{
    const char *begin = strchr(at, '\n');
    begin = begin ? begin + 1 : at + strlen(at);
    *end = strncmp(begin, "--- ", 4) ? strstr(begin, "\n--- ") : begin - 1;
    *end = *end ? *end + 1 : begin + strlen(begin);
    char *text = arena_copy(arena, begin, (size_t)(*end - begin) + 1);
    text[*end - begin] = '\0';
    return text;
}

/* What the printer makes of the text, types of the outputs inferred, so that neither spelling nor
 * inference looks like a change. */
static const char *normal(const char *text)
{
    struct model *m = model_parse(&ctx, text);
    if (m)
        ops_resolve(m);
    if (m)
        model_infer(m, NULL, NULL);
    const char *out = m ? model_print_with(m, arena, 0) : text;
    model_free(m);
    return out;
}

static void compare(const char *where, const char *what, const char *expected, const char *got)
{
    if (!strcmp(expected, got))
        return;
    printf("%s: %s differs\nexpected:\n%sgot:\n%s", where, what, expected, got);
    n_failed++;
}

static void write_case(FILE *f, const struct golden *g, const char *after, const char *log)
{
    fprintf(f, "--- case %s\n%s%s--- before\n%s--- %s\n%s--- log\n%s", g->title,
            g->plan ? "--- plan\n" : "", g->plan ? g->plan : "", g->before,
            after ? "after" : "unchanged", after ? after : "", log);
}

static void check_case(const char *pass, const char *path, struct golden *g, FILE *update,
                       int64_t *rewrites)
{
    struct outcome out, renamed;
    const char *where = arena_printf(arena, "%s: %s", path, g->title);
    n_cases++;
    if (!run_case(pass, where, g, false, &out) || !run_case(pass, where, g, true, &renamed)) {
        printf("%s failed\n", where);
        n_failed++;
        if (update) /* kept as it was */
            write_case(update, g, g->after, g->log);
        return;
    }
    *rewrites += out.rewrites;
    if (update) {
        write_case(update, g, strcmp(normal(g->before), out.text) ? out.text : NULL, out.log);
        return;
    }
    compare(where, "the graph", g->after ? g->after : normal(g->before), out.text);
    compare(where, "the log", g->log, out.log);
    if (renamed.rewrites != out.rewrites || renamed.refused != out.refused) {
        printf("%s: other names, other rewrites\n", where);
        n_failed++;
    }
}

static void check_file(const char *pass, const char *path, int64_t *rewrites)
{
    const char *at = read_text(path), *end;
    FILE *update = getenv("UPDATE") ? fopen(path, "wb") : NULL;
    while (at && *at) {
        struct golden g = {0};
        if (!section(at, "case ")) {
            printf("%s: expected '--- case TITLE', found '%.40s'\n", path, at);
            n_failed++;
            break;
        }
        const char *line = strchr(at, '\n');
        g.title = arena_printf(arena, "%.*s", (int)(line - at - 9), at + 9);
        for (at = line + 1; *at && !section(at, "case "); at = end) {
            const char *text = body(at, &end);
            if (section(at, "plan"))
                g.plan = text;
            else if (section(at, "before"))
                g.before = text;
            else if (section(at, "after"))
                g.after = text;
            else if (section(at, "log"))
                g.log = text;
        }
        g.log = g.log ? g.log : "";
        if (g.before)
            check_case(pass, path, &g, update, rewrites);
    }
    if (update)
        fclose(update);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_pass(const char *pass)
{
    int64_t rewrites = 0;
    const char *folder = arena_printf(arena, "%s/%s", FOLDER, pass);
    struct dirent **files = NULL;
    int n = scandir(folder, &files, NULL, by_name);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(files[i]->d_name, '.');
        if (dot && !strcmp(dot, ".txt"))
            check_file(pass, arena_printf(arena, "%s/%s", folder, files[i]->d_name), &rewrites);
        free(files[i]);
    }
    free(files);
    if (!rewrites) {
        printf("pass '%s' has no golden case that rewrites (%s/*.txt)\n", pass, folder);
        n_failed++;
    }
}

static void test_goldens(void **state)
{
    (void)state;
    n_failed = 0;
    for (size_t i = 0; i < pass_total(); i++)
        check_pass(pass_at(i)->name);
    assert_int_equal(n_failed, 0);
    assert_true(n_cases > 0);
}

/* ---- every refusal is shown ---- */

/* Matches a refusal against the literal that made it: %s and %lld stand for anything. */
static bool fits(const char *format, const char *text)
{
    while (*format && *format != '%') {
        if (*format++ != *text++)
            return false;
    }
    if (!*format)
        return !*text;
    format += strspn(format, "%l");
    format++;
    for (; *text; text++)
        if (fits(format, text))
            return true;
    return !*format;
}

static bool was_seen(const char *format)
{
    for (size_t i = 0; i < reasons.used; i++)
        if (reasons.entries[i].hash && fits(format, reasons.entries[i].key))
            return true;
    return false;
}

static void check_literals(const char *path, const char *source, const char *mark)
{
    for (const char *at = strstr(source, mark); at; at = strstr(at + 1, mark)) {
        const char *begin = at + strlen(mark);
        char text[256];
        size_t n = 0;
        for (; *begin && *begin != '"' && n + 1 < sizeof text; begin++)
            text[n++] = *begin;
        text[n] = '\0';
        if (strcmp(text, "%s") && !was_seen(text)) {
            printf("%s: no golden shows the refusal \"%s\"\n", path, text);
            n_failed++;
        }
    }
}

static void check_source(const char *path)
{
    const char *source = read_text(path);
    assert_non_null(source);
    check_literals(path, source, "return \"");
    check_literals(path, source, ": \"");
    check_literals(path, source, "pass_refused(r, n, \"");
}

static void test_refusals(void **state)
{
    (void)state;
    n_failed = 0;
    struct dirent **files = NULL;
    int n = scandir("passes", &files, NULL, by_name);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(files[i]->d_name, '.');
        if (dot && !strcmp(dot, ".c"))
            check_source(arena_printf(arena, "passes/%s", files[i]->d_name));
        free(files[i]);
    }
    free(files);
    static const char *const SHARED[] = {"rewrite.c", "affine.c", "linear.c", "linear_fold.c"};
    for (size_t i = 0; i < sizeof SHARED / sizeof SHARED[0]; i++)
        check_source(arena_printf(arena, "src/rewrite/%s", SHARED[i]));
    assert_int_equal(n_failed, 0);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    ctx.diag = diag_new(NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    map_release(&reasons);
    diag_free(ctx.diag);
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, setup, teardown);
}

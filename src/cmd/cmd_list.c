/* npuprep list KIND: each kind from its own table. A kind is one row of KINDS and a function that
 * adds its items. */
#include <string.h>

#include "base/vec.h"
#include "calib/range.h"
#include "cmd/cmd.h"
#include "data/samples.h"
#include "encodings/encodings.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "report/table.h"
#include "targets/target.h"

enum { MAX_COLUMNS = 6, SUMMARY = 256 };

struct items {
    struct ctx *ctx;
    struct arena *arena;
    size_t columns;
    VEC(const char *) cells;
};

struct kind {
    const char *name,
        *columns; /* columns: headings separated by "|", which are the JSON keys too */
    void (*fill)(struct items *items);
};

static void add(struct items *items, const char *text)
{
    vec_push(&items->cells, arena_string(items->arena, text ? text : ""));
}

static void fill_passes(struct items *items)
{
    static const char *const CLASS[] = {"exact", "reassoc", "lossy"};
    for (size_t i = 0; i < pass_total(); i++) {
        const struct pass *p = pass_at(i);
        add(items, p->name);
        add(items, CLASS[p->class]);
        add(items, p->level > 3 ? "-" : arena_printf(items->arena, "%d", p->level));
        add(items, p->summary);
    }
}

static void fill_errors(struct items *items)
{
    static const char *const SEVERITY[] = {"note", "warning", "error"};
    for (size_t i = 0; i < err_total(); i++) {
        const struct err_info *e = err_at(i);
        add(items, arena_printf(items->arena, "E%04d", (int)e->id));
        add(items, SEVERITY[e->severity]);
        add(items, e->exit ? arena_printf(items->arena, "%d", (int)e->exit) : "-");
        add(items, e->title);
    }
}

static void fill_targets(struct items *items)
{
    char summary[SUMMARY];
    for (size_t i = 0; i < target_total(); i++) {
        add(items, target_name(i));
        add(items, target_summary(i, summary, sizeof summary, items->ctx) ? "" : summary);
    }
}

/* "1,6,13": the opset versions that changed the operator. */
static const char *versions_text(struct arena *a, const struct op *op)
{
    const char *text = "";
    for (int i = 0; i < op->n_versions; i++)
        text = arena_printf(a, "%s%s%lld", text, i ? "," : "", (long long)op->versions[i].since);
    return text;
}

static void fill_ops(struct items *items)
{
    for (size_t i = 0; i < op_total(); i++) {
        const struct op *op = op_at(i);
        add(items, op->name);
        add(items, *op->domain ? op->domain : "ai.onnx");
        add(items, versions_text(items->arena, op));
        add(items, op->infer ? "yes" : "no");
        add(items, !op->eval ? "no" : op->fast ? "reference, onednn" : "reference");
        add(items, op->quant == QRULE_NONE ? "no" : "yes");
    }
}

static void fill_formats(struct items *items)
{
    for (size_t i = 0; i < data_format_total(); i++) {
        add(items, data_format_name(i));
        add(items, "samples");
        add(items, data_format_summary(i));
    }
    for (size_t i = 0; i < encodings_total(); i++) {
        add(items, encodings_at(i)->version);
        add(items, "encodings");
        add(items, encodings_at(i)->summary);
    }
}

static void fill_algos(struct items *items)
{
    for (size_t i = 0; i < range_method_total(); i++) {
        add(items, range_method_name(i));
        add(items, "--method");
        add(items, range_method_summary(i));
    }
}

static const struct kind KINDS[] = {
    {"targets", "name|summary", fill_targets},
    {"passes", "name|class|level|summary", fill_passes},
    {"ops", "name|domain|versions|shapes|runs|quantized", fill_ops},
    {"formats", "name|for|summary", fill_formats},
    {"algos", "name|option|summary", fill_algos},
    {"errors", "id|severity|exit|title", fill_errors},
};
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

struct listing {
    const struct kind *kind;
    struct items items;
};

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    (void)cmd;
    const struct listing *l = result;
    struct table *t = table_new(l->kind->columns);
    for (size_t i = 0; i < l->items.cells.count; i++)
        table_cell(t, "%s", l->items.cells.data[i]);
    table_print(t, out);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct listing *l = result;
    struct arena *a = arena_new();
    const char *keys[MAX_COLUMNS];
    char *rest = arena_string(a, l->kind->columns);
    for (size_t c = 0; c < l->items.columns; c++)
        keys[c] = strsep(&rest, "|");
    jw_key_string(w, "kind", l->kind->name);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < l->items.cells.count; i++) {
        if (i % l->items.columns == 0)
            jw_object(w);
        jw_key_string(w, keys[i % l->items.columns], l->items.cells.data[i]);
        if ((i + 1) % l->items.columns == 0)
            jw_end(w);
    }
    jw_end(w);
    arena_free(a);
}

static int unknown_kind(struct cmd *cmd)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (size_t i = 0; i < N_KINDS; i++)
        names[i] = KINDS[i].name;
    return cmd_unknown(cmd, "kind", cmd->args[0], names);
}

static size_t count_columns(const char *headings)
{
    size_t n = 1;
    for (; *headings; headings++)
        n += *headings == '|';
    return n;
}

static int run(struct cmd *cmd)
{
    struct listing l = {0};
    for (size_t i = 0; i < N_KINDS; i++)
        if (!strcmp(KINDS[i].name, cmd->args[0]))
            l.kind = &KINDS[i];
    if (!l.kind)
        return unknown_kind(cmd);
    l.items.ctx = cmd->ctx;
    l.items.arena = cmd->arena;
    l.items.columns = count_columns(l.kind->columns);
    l.kind->fill(&l.items);
    cmd_result(cmd, print_text, print_json, &l);
    vec_free(&l.items.cells);
    return 0;
}

static const struct cmd_example EXAMPLES[] = {{"list errors", "every message with its exit status"},
                                              {0}};

const struct command CMD_LIST = {
    .name = "list",
    .summary = "list what this build knows: targets, passes, operators, formats, messages",
    .arguments = "KIND",
    .description = "KIND is one of targets (NPU profiles for --target), passes (rewrites for opt), "
                   "ops (operators, and what "
                   "is known of each), formats (of samples and "
                   "encodings), algos (how ranges are chosen), errors (messages).",
    .min_args = 1,
    .max_args = 1,
    .plain_arguments = true,
    .actions = "targets|passes|ops|formats|algos|errors",
    .examples = EXAMPLES,
    .run = run,
};

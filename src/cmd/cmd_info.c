/* npuprep info MODEL: what a model consists of. */
#include "cmd/cmd.h"
#include "cmd/options_model.h"
#include "onnx/load.h"
#include "report/facts.h"
#include "report/shape_ends.h"
#include "report/table.h"

struct info_options {
    bool layers;
};

static const struct opt ROWS[] = {{OPT_AT(struct info_options, layers), .name = "layers",
                                   .help = "a row per node of the main graph"},
                                  {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct info_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, NULL};

struct info {
    struct cmd *cmd;
    const struct model *m;
    struct model_facts facts;
    struct shape_ends ends;
    bool layers;
};

/* ---- text ---- */

static void print_values(const struct info *r, FILE *out, const char *heading,
                         const struct value *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cmd_print(out, "%-12s %s: %s\n", i ? "" : heading, values[i]->name,
                  facts_type_text(&values[i]->type, r->cmd->arena));
}

static void print_head(const struct info *r, FILE *out)
{
    const struct model *m = r->m;
    cmd_print(out, "%-12s %s %s, IR %lld\n", "producer",
              m->producer_name[0] ? m->producer_name : "(unnamed)", m->producer_version,
              (long long)m->ir_version);
    for (size_t i = 0; i < m->opsets.count; i++)
        cmd_print(out, "%-12s %s %lld\n", i ? "" : "opsets",
                  m->opsets.data[i].domain[0] ? m->opsets.data[i].domain : "ai.onnx",
                  (long long)m->opsets.data[i].version);
    print_values(r, out, "inputs", (const struct value *const *)m->graph->inputs.data,
                 m->graph->inputs.count);
    const struct value **outputs =
        arena_array(r->cmd->arena, m->graph->outputs.count, sizeof *outputs);
    for (size_t i = 0; i < m->graph->outputs.count; i++)
        outputs[i] = m->graph->outputs.data[i]->value;
    print_values(r, out, "outputs", outputs, m->graph->outputs.count);
    for (size_t i = 0; i < r->facts.symbols.count; i++)
        cmd_print(out, "%-12s %s\n", i ? "" : "symbols", r->facts.symbols.data[i]);
}

static void print_sizes(const struct info *r, FILE *out)
{
    const struct model_facts *f = &r->facts;
    fprintf(out, "%-12s %lld (%lld in the main graph)\n", "nodes", (long long)f->nodes,
            (long long)f->nodes_main);
    fprintf(out, "%-12s %lld\n", "parameters", (long long)f->parameters);
    fprintf(out, "%-12s %lld%s\n", "MACs", (long long)f->macs,
            f->macs_unknown ? " and more: some dims are unknown, --dim binds them" : "");
    for (int t = 0, first = 1; t < DT_COUNT; t++)
        if (f->bytes[t]) {
            fprintf(out, "%-12s %lld of %s\n", first ? "bytes" : "", (long long)f->bytes[t],
                    dtype_name((enum dtype)t));
            first = 0;
        }
    if (f->q_nodes || f->dq_nodes || f->qoperator_nodes)
        fprintf(out, "%-12s %lld QuantizeLinear, %lld DequantizeLinear, %lld quantized operators\n",
                "quantized", (long long)f->q_nodes, (long long)f->dq_nodes,
                (long long)f->qoperator_nodes);
}

static void print_shapes(const struct shape_ends *s, FILE *out)
{
    enum { SHOWN = 5 };
    fprintf(out, "%-12s %lld of %lld known", "shapes", (long long)s->known, (long long)s->values);
    if (s->conflicts)
        fprintf(out, ", %lld declared otherwise", (long long)s->conflicts);
    fputc('\n', out);
    for (size_t i = 0; i < s->list.count && i < SHOWN; i++) {
        const struct shape_end *e = &s->list.data[i];
        cmd_print(out, "%-12s they end at '%s'%s%s%s: %s\n", "", e->value->name,
                  e->node ? " (" : "", e->node ? e->node->op_type : "", e->node ? ")" : "", e->why);
    }
    if (s->list.count > SHOWN)
        fprintf(out, "%-12s and at %zu more; --json lists them\n", "", s->list.count - SHOWN);
}

static void print_layers(const struct info *r, FILE *out)
{
    struct table *t = table_new("node|operator|output|>MACs");
    for (const struct node *n = r->m->graph->first; n; n = n->next) {
        int64_t macs = 0;
        table_cell(t, "%s", node_label(n));
        table_cell(t, "%s", n->op_type);
        table_cell(t, "%s",
                   node_output(n, 0) ? facts_type_text(&node_output(n, 0)->type, r->cmd->arena)
                                     : "");
        if (n->op && n->op->macs && n->op->macs(n, &macs) == 0)
            table_int(t, macs);
        else
            table_cell(t, "%s", "");
    }
    table_print(t, out);
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    (void)cmd;
    const struct info *r = result;
    print_head(r, out);
    print_sizes(r, out);
    print_shapes(&r->ends, out);
    fputc('\n', out);
    struct table *t = table_new("operator|>count");
    for (size_t i = 0; i < r->facts.ops.count; i++) {
        table_cell(t, "%s", r->facts.ops.data[i].name);
        table_int(t, r->facts.ops.data[i].count);
    }
    table_print(t, out);
    if (r->layers) {
        fputc('\n', out);
        print_layers(r, out);
    }
}

/* ---- JSON ---- */

static void json_inputs(const struct info *r, struct json_writer *w)
{
    jw_key(w,
           "inputs"); /* of the model; path and bytes are those of its file, as for every command */
    jw_array(w);
    for (size_t i = 0; i < r->m->graph->inputs.count; i++) {
        jw_object(w);
        facts_json_keys(w, r->m->graph->inputs.data[i]);
        cmd_input_keys(r->cmd, 0, w);
        jw_end(w);
    }
    jw_end(w);
    jw_key(w, "outputs");
    jw_array(w);
    for (size_t i = 0; i < r->m->graph->outputs.count; i++)
        facts_json_value(w, r->m->graph->outputs.data[i]->value);
    jw_end(w);
}

static void json_counts(const struct model_facts *f, struct json_writer *w)
{
    jw_key_int(w, "nodes", f->nodes);
    jw_key_int(w, "nodes_main", f->nodes_main);
    jw_key(w, "ops");
    jw_object(w);
    for (size_t i = 0; i < f->ops.count; i++)
        jw_key_int(w, f->ops.data[i].name, f->ops.data[i].count);
    jw_end(w);
    jw_key_int(w, "parameters", f->parameters);
    jw_key_int(w, "macs", f->macs);
    jw_key_int(w, "macs_unknown_nodes", f->macs_unknown);
    jw_key(w, "bytes");
    jw_object(w);
    for (int t = 0; t < DT_COUNT; t++)
        if (f->bytes[t])
            jw_key_int(w, dtype_name((enum dtype)t), f->bytes[t]);
    jw_end(w);
    jw_key(w, "quantization");
    jw_object(w);
    jw_key_int(w, "q_nodes", f->q_nodes);
    jw_key_int(w, "dq_nodes", f->dq_nodes);
    jw_key_int(w, "qoperator_nodes", f->qoperator_nodes);
    jw_end(w);
}

static void json_layers(const struct model *m, struct json_writer *w)
{
    jw_key(w, "layers");
    jw_array(w);
    for (const struct node *n = m->graph->first; n; n = n->next) {
        int64_t macs = 0;
        jw_object(w);
        jw_key_string(w, "node", node_label(n));
        jw_key_string(w, "op", n->op_type);
        if (n->op && n->op->macs && n->op->macs(n, &macs) == 0)
            jw_key_int(w, "macs", macs);
        jw_key(w, "outputs");
        jw_array(w);
        for (uint32_t i = 0; i < n->n_outputs; i++)
            if (n->outputs[i])
                facts_json_value(w, n->outputs[i]);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct info *r = result;
    const struct model *m = r->m;
    jw_key(w, "file");
    jw_object(w);
    cmd_input_keys(r->cmd, 0, w);
    jw_end(w);
    jw_key_string(w, "producer", m->producer_name);
    jw_key_string(w, "producer_version", m->producer_version);
    jw_key_int(w, "ir_version", m->ir_version);
    jw_key(w, "opsets");
    jw_object(w);
    for (size_t i = 0; i < m->opsets.count; i++)
        jw_key_int(w, m->opsets.data[i].domain[0] ? m->opsets.data[i].domain : "ai.onnx",
                   m->opsets.data[i].version);
    jw_end(w);
    json_inputs(r, w);
    jw_key(w, "symbols");
    jw_array(w);
    for (size_t i = 0; i < r->facts.symbols.count; i++)
        jw_string(w, r->facts.symbols.data[i]);
    jw_end(w);
    json_counts(&r->facts, w);
    jw_key(w, "shapes");
    shape_ends_json(&r->ends, w);
    if (r->layers)
        json_layers(m, w);
}

/* ---- doing it ---- */

static int describe(struct cmd *cmd, struct model *m)
{
    struct infer_options infer = {0};
    cmd_phase(cmd, "infer");
    int code = model_options_apply(cmd, m, &infer);
    if (code)
        return code;
    ops_resolve(m);
    struct infer_report found;
    code = model_infer(m, &infer, &found);
    if (code < 0)
        return code;
    const struct info_options *o = cmd_options(cmd, &GROUP);
    struct info r = {.cmd = cmd, .m = m, .layers = o->layers};
    facts_collect(m, cmd->arena, &r.facts);
    shape_ends_collect(m, found.conflicts, cmd->arena, &r.ends);
    cmd_result(cmd, print_text, print_json, &r);
    shape_ends_release(&r.ends);
    facts_release(&r.facts);
    return 0;
}

static int run(struct cmd *cmd)
{
    cmd_phase(cmd, "load");
    int code = cmd_input(cmd, cmd->args[0]);
    struct model *m = code ? NULL : model_load(cmd->ctx, cmd->args[0]);
    if (!m)
        return code ? code : -(int)E_NO_INPUT;
    code = describe(cmd, m);
    model_free(m);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"info model.onnx", "inputs, outputs, operators, parameters"},
    {"info model.onnx --layers --dim batch=1", "each node's output and MACs, with the batch bound"},
    {"info model.onnx --json", "the same for a script"},
    {0}};

const struct command CMD_INFO = {
    .name = "info",
    .summary = "say what a model consists of",
    .arguments = "MODEL.onnx",
    .description = "Shows the producer, IR version and operator sets, inputs and outputs with "
                   "their inferred shapes, symbolic "
                   "dimensions, operators with counts (all graphs and called functions), "
                   "parameters, multiply-accumulates, bytes "
                   "per element type and the quantization found. Weights are not read.",
    .min_args = 1,
    .max_args = 1,
    .output = OUTPUT_TEXT,
    .own_inputs = true,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};

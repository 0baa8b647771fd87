/* Texts of models stand in all forms: each writer escapes what its form gives a meaning to. */
#include "report/findings.h"

#include <string.h>

#include "base/text.h"

const char *severity_name(enum severity s)
{
    static const char *const NAMES[] = {"note", "warning", "error"};
    return NAMES[s];
}

const char *finding_node(const struct finding *f)
{
    return f->what->where.node ? f->what->where.node : f->what->where.tensor;
}

void findings_add(struct findings *f, const struct diag *diag, size_t from)
{
    for (size_t i = from; i < diag_count(diag); i++) {
        struct finding x = {.what = diag_at(diag, i)};
        snprintf(x.id, sizeof x.id, "E%04d", (int)x.what->info->id % 10000);
        vec_push(&f->list, x);
        f->errors += x.what->info->severity == SEVERITY_ERROR;
        f->warnings += x.what->info->severity == SEVERITY_WARNING;
        f->notes += x.what->info->severity == SEVERITY_NOTE;
    }
}

void findings_release(struct findings *f) { vec_free(&f->list); }

/* ---- JSON ---- */

void findings_json(const struct findings *f, struct json_writer *w)
{
    jw_key(w, "findings");
    jw_array(w);
    for (size_t i = 0; i < f->list.count; i++) {
        const struct finding *x = &f->list.data[i];
        jw_object(w);
        jw_key_string(w, "id", x->id);
        jw_key_string(w, "severity", severity_name(x->what->info->severity));
        jw_key_string(w, "node", finding_node(x));
        jw_key_string(w, "message", x->what->message);
        jw_key_string(w, "hint", x->what->hint);
        if (x->what->where.has_offset)
            jw_key_uint(w, "offset", x->what->where.offset);
        jw_end(w);
    }
    jw_end(w);
    jw_key_bool(w, "valid", f->valid);
    jw_key(w, "ready");
    if (f->target)
        jw_bool(w, f->ready);
    else
        jw_null(w);
}

/* ---- JUnit: the XML that CI systems show, one suite ---- */

/* XML 1.0 has no form for most control characters: they are shown as \xNN before the rest is
 * escaped. */
static void xml_text(const char *text, FILE *out)
{
    char *safe = text_printable(text, false);
    for (const char *c = safe; *c; c++) {
        const char *entity = *c == '&'   ? "&amp;"
                             : *c == '<' ? "&lt;"
                             : *c == '>' ? "&gt;"
                             : *c == '"' ? "&quot;"
                                         : NULL;
        if (entity)
            fputs(entity, out);
        else
            fputc(*c, out);
    }
    mem_free(safe);
}

static void xml_attribute(const char *name, const char *text, FILE *out)
{
    fprintf(out, " %s=\"", name);
    xml_text(text, out);
    fputc('"', out);
}

static void junit_case(const struct findings *f, const struct finding *x, FILE *out)
{
    fputs("    <testcase", out);
    xml_attribute("classname", f->file, out);
    xml_attribute("name", x ? x->id : "valid", out);
    if (!x) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n      <failure", out);
    xml_attribute("type", x->id, out);
    xml_attribute("message", x->what->message, out);
    fputs(">", out);
    if (finding_node(x)) {
        xml_text(finding_node(x), out);
        fputs(": ", out);
    }
    xml_text(x->what->hint, out);
    fputs("</failure>\n    </testcase>\n", out);
}

void findings_junit(const struct findings *f, FILE *out)
{
    size_t tests = f->errors ? f->errors : 1;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fprintf(out, "<testsuites tests=\"%zu\" failures=\"%zu\">\n", tests, f->errors);
    fprintf(out, "  <testsuite name=\"npuprep check\" tests=\"%zu\" failures=\"%zu\">\n", tests,
            f->errors);
    for (size_t i = 0; i < f->list.count; i++)
        if (f->list.data[i].what->info->severity == SEVERITY_ERROR)
            junit_case(f, &f->list.data[i], out);
    if (!f->errors)
        junit_case(f, NULL, out);
    fputs("  </testsuite>\n</testsuites>\n", out);
}

/* ---- SARIF ---- */

static bool seen_before(const struct findings *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (f->list.data[k].what->info == f->list.data[i].what->info)
            return true;
    return false;
}

static void sarif_rules(const struct findings *f, struct json_writer *w)
{
    jw_key(w, "rules");
    jw_array(w);
    for (size_t i = 0; i < f->list.count; i++) {
        if (seen_before(f, i))
            continue;
        jw_object(w);
        jw_key_string(w, "id", f->list.data[i].id);
        jw_key(w, "shortDescription");
        jw_object(w);
        jw_key_string(w, "text", f->list.data[i].what->info->title);
        jw_end(w);
        jw_key(w, "help");
        jw_object(w);
        jw_key_string(w, "text", f->list.data[i].what->info->hint);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void sarif_location(const struct findings *f, const struct finding *x, struct json_writer *w)
{
    jw_key(w, "locations");
    jw_array(w);
    jw_object(w);
    jw_key(w, "physicalLocation");
    jw_object(w);
    jw_key(w, "artifactLocation");
    jw_object(w);
    jw_key_string(w, "uri", f->file);
    jw_end(w);
    if (x->what->where.has_offset) {
        jw_key(w, "region");
        jw_object(w);
        jw_key_uint(w, "byteOffset", x->what->where.offset);
        jw_end(w);
    }
    jw_end(w);
    if (finding_node(x)) {
        jw_key(w, "logicalLocations");
        jw_array(w);
        jw_object(w);
        jw_key_string(w, "name", finding_node(x));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void sarif_results(const struct findings *f, struct json_writer *w)
{
    jw_key(w, "results");
    jw_array(w);
    for (size_t i = 0; i < f->list.count; i++) {
        const struct finding *x = &f->list.data[i];
        jw_object(w);
        jw_key_string(w, "ruleId", x->id);
        jw_key_string(w, "level", severity_name(x->what->info->severity));
        jw_key(w, "message");
        jw_object(w);
        jw_key_string(w, "text", x->what->message);
        jw_end(w);
        sarif_location(f, x, w);
        jw_end(w);
    }
    jw_end(w);
}

void findings_sarif(const struct findings *f, FILE *out)
{
    struct json_writer *w = jw_new_stream(out, 2);
    jw_object(w);
    jw_key_string(w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jw_key_string(w, "version", "2.1.0");
    jw_key(w, "runs");
    jw_array(w);
    jw_object(w);
    jw_key(w, "tool");
    jw_object(w);
    jw_key(w, "driver");
    jw_object(w);
    jw_key_string(w, "name", "npuprep");
    jw_key_string(w, "version", NPUPREP_VERSION);
    sarif_rules(f, w);
    jw_end(w);
    jw_end(w);
    sarif_results(f, w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_free(w);
}

/* ---- GitHub workflow commands: % and line ends are escaped everywhere, : and , in properties as
 * well ---- */

static void github_text(const char *text, bool property, FILE *out)
{
    char *safe = text_printable(text, true);
    for (const char *c = safe; *c; c++)
        if (*c == '%' || *c == '\n' || *c == '\r' || (property && (*c == ':' || *c == ',')))
            fprintf(out, "%%%02X", (unsigned)*c);
        else
            fputc(*c, out);
    mem_free(safe);
}

void findings_github(const struct findings *f, FILE *out)
{
    static const char *const COMMANDS[] = {"notice", "warning", "error"};
    for (size_t i = 0; i < f->list.count; i++) {
        const struct finding *x = &f->list.data[i];
        fprintf(out, "::%s file=", COMMANDS[x->what->info->severity]);
        github_text(f->file, true, out);
        fprintf(out, ",title=%s::", x->id);
        if (finding_node(x)) {
            github_text(finding_node(x), false, out);
            fputs(": ", out);
        }
        github_text(x->what->message, false, out);
        fputc('\n', out);
    }
}

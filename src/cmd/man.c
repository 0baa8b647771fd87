/* Manual pages in man(7) macros. Everything that starts a line is escaped, so texts cannot be taken
 * for requests. */
#include <ctype.h>
#include <string.h>

#include "cmd/frame.h"

/* A text inside a line: backslash, hyphen-minus as it is typed, quotes that some renderers would
 * curl. */
static void put_inline(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else if (text[i] == '\'')
            fputs("\\(aq", out);
        else
            fputc(text[i], out);
    }
}

/* A text line: a leading dot or quote would be a request. */
static void put_line(FILE *out, const char *text, size_t length)
{
    if (length && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", out);
    put_inline(out, text, length);
    fputc('\n', out);
}

static void put_text(FILE *out, const char *text) { put_line(out, text, strlen(text)); }

static void put_paragraphs(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        put_line(out, text, length);
        text += length;
        text += strspn(text, "\n");
        if (*text)
            fputs(".PP\n", out);
    }
}

static void put_option(FILE *out, const struct opt *o)
{
    const char *initial = help_default(o);
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    put_inline(out, o->name, strlen(o->name));
    fputs("\\fR", out);
    const char *value = opt_placeholder(o);
    if (value) {
        fputs(o->kind == OPT_MAYBE ? "[=\\fI" : " \\fI", out);
        put_inline(out, value, strlen(value));
        fputs(o->kind == OPT_MAYBE ? "\\fR]" : "\\fR", out);
    }
    fputc('\n', out);
    put_text(out, o->help);
    if (initial) {
        fputs("(default: ", out);
        put_inline(out, initial, strlen(initial));
        fputs(")\n", out);
    }
}

static void put_group(FILE *out, const struct opt_group *group)
{
    fputs(".SS ", out);
    put_text(out, group->title);
    for (const struct opt *o = group->rows; o->name; o++)
        put_option(out, o);
}

static void put_head(FILE *out, const char *name, const char *summary)
{
    fputs(".TH ", out);
    for (const char *c = name; *c; c++)
        fputc(toupper((unsigned char)*c), out);
    fprintf(out, " 1 \"\" \"npuprep %s\" \"npuprep\"\n.SH NAME\n", NPUPREP_VERSION);
    put_inline(out, name, strlen(name));
    fputs(" \\- ", out);
    put_text(out, summary);
}

static void put_examples(FILE *out, const struct cmd_example *e)
{
    if (!e)
        return;
    fputs(".SH EXAMPLES\n", out);
    for (; e->line; e++) {
        fputs(".TP\n\\fBnpuprep ", out);
        put_inline(out, e->line, strlen(e->line));
        fputs("\\fR\n", out);
        put_text(out, e->what);
    }
}

void man_command(FILE *out, const struct command *c)
{
    struct arena *a = arena_new();
    put_head(out, arena_printf(a, "npuprep-%s", c->name), c->summary);
    fprintf(out, ".SH SYNOPSIS\n.B npuprep %s\n[\\fIoptions\\fR]\n", c->name);
    if (*c->arguments)
        put_text(out, c->arguments);
    if (c->output == OUTPUT_REQUIRED)
        fputs("\\fB\\-o\\fR \\fIPATH\\fR\n", out);
    fputs(".SH DESCRIPTION\n", out);
    put_paragraphs(out, c->description);
    fputs(".SH OPTIONS\n", out);
    for (const struct opt_group **g = command_groups(a, c); *g; g++)
        put_group(out, *g);
    put_examples(out, c->examples);
    fputs(".SH SEE ALSO\n.BR npuprep (1)\n", out);
    arena_free(a);
}

void man_fragment(FILE *out)
{
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_total(); i++) {
        const struct command *c = command_at(i);
        if (c->hidden)
            continue;
        fprintf(out, ".TP\n.BR npuprep\\-%s (1)\n", c->name);
        put_text(out, c->summary);
    }
    fputs(".SH OPTIONS\nEvery command has these; its own are in its page.\n", out);
    for (const struct opt *o = COMMON_OPTIONS.rows; o->name; o++)
        put_option(out, o);
}

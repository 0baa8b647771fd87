/* -h and the overview, from the same structs as everything else. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/frame.h"

enum { DEFAULT_WIDTH = 80, NARROWEST = 40, WIDEST = 100, OPTION_COLUMN = 28, EXAMPLE_INDENT = 2 };

int help_width(void)
{
    const char *columns = getenv("COLUMNS");
    int64_t n;
    if (!columns || !text_int(columns, &n))
        return DEFAULT_WIDTH;
    return n < NARROWEST ? NARROWEST : n > WIDEST ? WIDEST : (int)n;
}

const char *help_default(const struct opt *o)
{
    bool zero_means_something = o->initial && !strcmp(o->initial, "0"); /* its help says what */
    return o->initial && !zero_means_something && o->kind != OPT_FLAG ? o->initial : NULL;
}

/* Words of text in lines of width columns; the first line starts at column at, the others are
 * indented. */
static void wrap(FILE *out, const char *text, int at, int indent, int width)
{
    while (*text) {
        int word = (int)strcspn(text, " \n");
        if (at > indent && at + 1 + word > width) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", word, text);
        at += word;
        text += word;
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

static void print_paragraphs(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        struct arena *a = arena_new();
        char *paragraph = arena_copy(a, text, length + 1);
        paragraph[length] = '\0';
        wrap(out, paragraph, 0, 0, help_width());
        arena_free(a);
        fputc('\n', out);
        text += length;
        text += strspn(text, "\n");
    }
}

static int print_names(FILE *out, const struct opt *o)
{
    int n = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name)
                      : fprintf(out, "      --%s", o->name);
    const char *value = opt_placeholder(o);
    if (value)
        n += fprintf(out, o->kind == OPT_MAYBE ? "[=%s]" : " %s", value);
    return n;
}

static void print_option(FILE *out, const struct opt *o)
{
    struct arena *a = arena_new();
    int at = print_names(out, o);
    const char *initial = help_default(o);
    const char *text = initial ? arena_printf(a, "%s (default: %s)", o->help, initial) : o->help;
    if (at + 2 > OPTION_COLUMN)
        fprintf(out, "\n%*s", OPTION_COLUMN, "");
    else
        fprintf(out, "%*s", OPTION_COLUMN - at, "");
    wrap(out, text, OPTION_COLUMN, OPTION_COLUMN, help_width());
    arena_free(a);
}

static void print_group(FILE *out, const struct opt_group *group)
{
    fprintf(out, "%s:\n", group->title);
    for (const struct opt *o = group->rows; o->name; o++)
        print_option(out, o);
    fputc('\n', out);
}

static void print_examples(FILE *out, const struct cmd_example *e)
{
    if (!e)
        return;
    fputs("Examples:\n", out);
    for (; e->line; e++) {
        fprintf(out, "  npuprep %s\n      ", e->line);
        wrap(out, e->what, 6, 6, help_width());
    }
    fputc('\n', out);
}

void help_command(FILE *out, const struct command *c)
{
    struct arena *a = arena_new();
    fprintf(out, "npuprep %s: %s\n\n", c->name, c->summary);
    fprintf(out, "usage: npuprep %s [options]%s%s%s\n\n", c->name, *c->arguments ? " " : "",
            c->arguments, c->output == OUTPUT_REQUIRED ? " -o PATH" : "");
    print_paragraphs(out, c->description);
    for (const struct opt_group **g = command_groups(a, c); *g; g++)
        print_group(out, *g);
    print_examples(out, c->examples);
    arena_free(a);
}

void help_overview(FILE *out)
{
    fputs("npuprep turns float ONNX models into NPU-ready quantized ones.\n\n"
          "usage: npuprep COMMAND [options] MODEL.onnx ...\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < command_total(); i++) {
        const struct command *c = command_at(i);
        if (!c->hidden)
            fprintf(out, "  %-12s %s\n", c->name, c->summary);
    }
    fputs("\n'npuprep help COMMAND' shows a command's options, 'npuprep explain E0231' what a "
          "message means.\n",
          out);
}

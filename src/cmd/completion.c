/* Completion scripts: the words of each command, and where a value is due, files, folders or the
 * choices. Everything is known when the script is written, so completing starts no process. */
#include <stdio.h>
#include <string.h>

#include "cmd/frame.h"

typedef void option_fn(FILE *out, const struct command *c, const struct opt *o);

static void each_option(FILE *out, const struct command *c, option_fn *fn)
{
    struct arena *a = arena_new();
    for (const struct opt_group **g = command_groups(a, c); *g; g++)
        for (const struct opt *o = (*g)->rows; o->name; o++)
            fn(out, c, o);
    arena_free(a);
}

static void each_command(FILE *out, void (*fn)(FILE *out, const struct command *c))
{
    for (size_t i = 0; i < command_total(); i++)
        if (!command_at(i)->hidden)
            fn(out, command_at(i));
}

/* "a|b" as "a b". */
static void put_words(FILE *out, const char *choices)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, out);
}

/* text with a backslash before each character of special, and single quotes as the shell of quote
 * wants them. */
static void put_escaped(FILE *out, const char *text, const char *special, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, out);
        else
            fprintf(out, "%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

static void put_name(FILE *out, const struct command *c) { fprintf(out, " %s", c->name); }

/* ---- bash ---- */

static void bash_word(FILE *out, const struct command *c, const struct opt *o)
{
    (void)c;
    fprintf(out, " --%s", o->name);
}

static void bash_value(FILE *out, const struct command *c, const struct opt *o)
{
    if (!opt_takes_value(o))
        return;
    fprintf(out, "    %s:--%s", c->name, o->name);
    if (o->letter)
        fprintf(out, "|%s:-%c", c->name, o->letter);
    fputs(") words='", out);
    put_words(out, o->choices ? o->choices : "");
    fprintf(out, "' kind=%s ;;\n",
            o->complete == COMPLETE_FILE     ? "file"
            : o->complete == COMPLETE_FOLDER ? "directory"
                                             : "");
}

static void bash_values(FILE *out, const struct command *c) { each_option(out, c, bash_value); }

static void bash_command(FILE *out, const struct command *c)
{
    fprintf(out, "    %s:*) kind=%s words='", c->name, c->plain_arguments ? "" : "file");
    if (c->actions)
        put_words(out, c->actions);
    each_option(out, c, bash_word);
    fputs("' ;;\n", out);
}

void completion_bash(FILE *out)
{
    fputs("# bash completion for npuprep, made by 'npuprep help --as bash'\n"
          "_npuprep() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words= "
          "kind=\n"
          "    # readline splits --name=value at the equals sign\n"
          "    if [[ $current == = ]]; then current=\n"
          "    elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    if (( COMP_CWORD == 1 )); then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    each_command(out, put_name);
    fputs(" --help --version' -- \"$current\"))\n"
          "        return\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]}:$before in\n",
          out);
    each_command(out, bash_values);
    each_command(out, bash_command);
    fputs("    esac\n"
          "    COMPREPLY=()\n"
          "    [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    [[ -n $kind && $current != -* ]] && COMPREPLY+=($(compgen -A \"$kind\" -- "
          "\"$current\"))\n"
          "}\n"
          "complete -o filenames -o bashdefault -F _npuprep npuprep\n",
          out);
}

/* ---- zsh ---- */

static void zsh_action(FILE *out, const struct opt *o)
{
    if (o->choices) {
        fputc('(', out);
        put_words(out, o->choices);
        fputc(')', out);
    } else if (o->complete != COMPLETE_NONE) {
        fputs(o->complete == COMPLETE_FOLDER ? "_files -/" : "_files", out);
    }
}

static void zsh_form(FILE *out, const struct opt *o, const char *prefix, const char *name,
                     const char *equals)
{
    fprintf(out, "            '%s%s%s%s[", o->kind == OPT_LIST || o->kind == OPT_COUNT ? "*" : "",
            prefix, name, equals);
    put_escaped(out, o->help, "[]:\\", "'\\''");
    fputs("]", out);
    if (opt_takes_value(o)) {
        fprintf(out, "%s:", o->kind == OPT_MAYBE ? ":" : "");
        put_escaped(out, opt_placeholder(o), "[]:\\", "'\\''");
        fputc(':', out);
        zsh_action(out, o);
    }
    fputs("' \\\n", out);
}

static void zsh_option(FILE *out, const struct command *c, const struct opt *o)
{
    (void)c;
    const char letter[2] = {o->letter, '\0'};
    zsh_form(out, o, "--", o->name, o->kind == OPT_MAYBE ? "=-" : opt_takes_value(o) ? "=" : "");
    if (o->letter)
        zsh_form(out, o, "-", letter, opt_takes_value(o) ? "+" : "");
}

static void zsh_name(FILE *out, const struct command *c)
{
    fprintf(out, "            '%s:", c->name);
    put_escaped(out, c->summary, ":\\", "'\\''");
    fputs("'\n", out);
}

static void zsh_command(FILE *out, const struct command *c)
{
    fprintf(out, "    %s)\n        _arguments -s \\\n", c->name);
    each_option(out, c, zsh_option);
    if (c->actions) {
        fputs("            '2:action:(", out);
        put_words(out, c->actions);
        fputs(")' \\\n", out);
    }
    fprintf(out, "            '*:%s' ;;\n", c->plain_arguments ? "argument:" : "file:_files");
}

void completion_zsh(FILE *out)
{
    fputs("#compdef npuprep\n"
          "# zsh completion for npuprep, made by 'npuprep help --as zsh'\n"
          "_npuprep() {\n"
          "    if (( CURRENT == 2 )); then\n"
          "        local -a commands=(\n",
          out);
    each_command(out, zsh_name);
    fputs("        )\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    case $words[2] in\n",
          out);
    each_command(out, zsh_command);
    fputs("    esac\n"
          "}\n"
          "_npuprep \"$@\"\n",
          out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct command *c, const struct opt *o)
{
    fprintf(out, "complete -c npuprep -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
    if (o->letter)
        fprintf(out, " -s %c", o->letter);
    if (opt_takes_value(o) && o->kind != OPT_MAYBE)
        fputs(" -r", out);
    if (o->choices) {
        fputs(" -f -a '", out);
        put_words(out, o->choices);
        fputc('\'', out);
    } else if (o->complete == COMPLETE_FOLDER) {
        fputs(" -f -a '(__fish_complete_directories)'", out);
    } else if (o->complete == COMPLETE_FILE) {
        fputs(" -F", out);
    }
    fputs(" -d '", out);
    put_escaped(out, o->help, "\\", "\\'");
    fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *c)
{
    fprintf(out, "complete -c npuprep -n __fish_use_subcommand -f -a %s -d '", c->name);
    put_escaped(out, c->summary, "\\", "\\'");
    fputs("'\n", out);
    if (c->actions) {
        fprintf(out, "complete -c npuprep -n '__fish_seen_subcommand_from %s' -a '", c->name);
        put_words(out, c->actions);
        fputs("'\n", out);
    }
    each_option(out, c, fish_option);
}

void completion_fish(FILE *out)
{
    fputs("# fish completion for npuprep, made by 'npuprep help --as fish'\n", out);
    each_command(out, fish_command);
}

/* The table of commands, from cmds.def. */
#include <string.h>

#include "cmd/cmd.h"

#define CMD(name, NAME) extern const struct command CMD_##NAME;
#include "cmd/cmds.def"
#undef CMD

static const struct command *const TABLE[] = {
#define CMD(name, NAME) &CMD_##NAME,
#include "cmd/cmds.def"
#undef CMD
};

size_t command_total(void) { return sizeof TABLE / sizeof *TABLE; }
const struct command *command_at(size_t index) { return TABLE[index]; }

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_total(); i++)
        if (!strcmp(TABLE[i]->name, name))
            return TABLE[i];
    return NULL;
}

/* Whether word is one of "a|b|c". */
static bool is_word_of(const char *words, const char *word)
{
    size_t length = strlen(word), n;
    for (; words && *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (n == length && !strncmp(words, word, n))
            return true;
    }
    return false;
}

const struct command *command_of_alias(const char *name)
{
    for (size_t i = 0; i < command_total(); i++)
        if (is_word_of(TABLE[i]->aliases, name))
            return TABLE[i];
    return NULL;
}

const struct opt_group **command_groups(struct arena *arena, const struct command *c)
{
    size_t own = 0;
    while (c->groups && c->groups[own])
        own++;
    const struct opt_group **groups = arena_array(arena, own + 2, sizeof *groups);
    for (size_t i = 0; i < own; i++)
        groups[i] = c->groups[i];
    groups[own] = &COMMON_OPTIONS;
    return groups;
}

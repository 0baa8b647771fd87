/* Cells are collected row by row, widths are known at the end. The last column is not padded. */
#include "report/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/vec.h"

enum { MAX_COLUMNS = 16, GAP = 2 };

struct table {
    struct arena *arena;
    VEC(const char *) cells; /* the headings first */
    size_t columns;
    bool right[MAX_COLUMNS];
};

static void add(struct table *t, const char *text)
{
    char *safe = text_printable(text, false);
    vec_push(&t->cells, arena_string(t->arena, safe));
    mem_free(safe);
}

struct table *table_new(const char *headings)
{
    struct table *t = mem_alloc(sizeof *t);
    t->arena = arena_new();
    char *rest = arena_string(t->arena, headings);
    for (char *name; t->columns < MAX_COLUMNS && (name = strsep(&rest, "|"));) {
        t->right[t->columns++] = *name == '>';
        add(t, *name == '>' ? name + 1 : name);
    }
    return t;
}

void table_cell(struct table *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(t, arena_vprintf(t->arena, format, args));
    va_end(args);
}

void table_int(struct table *t, int64_t value)
{
    char digits[24], text[32];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    size_t n = strlen(digits), sign = digits[0] == '-', at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    add(t, text);
}

static void print_row(const struct table *t, const char *const *row, const size_t *width, FILE *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        int pad = (int)(width[c] - text_columns(row[c]));
        bool last = c + 1 == t->columns;
        fprintf(out, "%*s%s%*s", t->right[c] ? pad : 0, "", row[c], t->right[c] || last ? 0 : pad,
                "");
        fprintf(out, "%*s", last ? 0 : GAP, "");
    }
    fputc('\n', out);
}

void table_print(struct table *t, FILE *out)
{
    size_t width[MAX_COLUMNS] = {0};
    for (size_t i = 0; i < t->cells.count; i++) {
        size_t w = text_columns(t->cells.data[i]), c = i % t->columns;
        width[c] = w > width[c] ? w : width[c];
    }
    for (size_t i = 0; i + t->columns <= t->cells.count; i += t->columns)
        print_row(t, t->cells.data + i, width, out);
    vec_free(&t->cells);
    arena_free(t->arena);
    mem_free(t);
}

/* Optimal string alignment distance (Damerau-Levenshtein without overlapping swaps): insert,
 * delete, replace, swap neighbours, each 1. */
#include <string.h>

#include "base/text.h"

enum { LONGEST = 128 }; /* longer names are compared by their first bytes: good enough for a hint */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        before[j] = last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            bool same = a[i - 1] == b[j - 1];
            row[j] = least(last[j - 1] + !same, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[m];
}

void nearest_try(struct nearest *n, const char *name, const char *candidate)
{
    size_t length = least(strlen(name), LONGEST);
    size_t d = distance(name, length, candidate, least(strlen(candidate), LONGEST));
    if (d > 1 + length / 4 || d >= length || (n->best && d >= n->distance))
        return;
    n->best = candidate;
    n->distance = d;
}

const char *text_nearest(const char *name, const char *const *names)
{
    struct nearest n = {0};
    for (; *names; names++)
        nearest_try(&n, name, *names);
    return n.best;
}

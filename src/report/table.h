/* Aligned columns of text. Cells are made safe for a terminal; numbers stand right. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct table;

/* headings: separated by "|"; one that begins with ">" is aligned right ("name|>count|share").
 * Returns owned. */
struct table *table_new(const char *headings);
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_int(struct table *t, int64_t value); /* with thousands separated: 1,234,567 */
void table_print(struct table *t,
                 FILE *out); /* and frees; a table without rows prints its headings */
#endif

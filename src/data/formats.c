/* The table of sample formats, made from data.def. */
#include "data/data.h"

#define DATA(symbol) extern const struct data_format data_##symbol;
#include "data/data.def"
#undef DATA

const struct data_format *const DATA_FORMATS[] = {
#define DATA(symbol) &data_##symbol,
#include "data/data.def"
#undef DATA
    NULL};

enum { N_FORMATS = sizeof DATA_FORMATS / sizeof DATA_FORMATS[0] - 1 };

size_t data_format_total(void) { return N_FORMATS; }
const char *data_format_name(size_t i) { return i < N_FORMATS ? DATA_FORMATS[i]->name : NULL; }
const char *data_format_summary(size_t i)
{
    return i < N_FORMATS ? DATA_FORMATS[i]->summary : NULL;
}

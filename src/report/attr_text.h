/* An attribute's value as one short line: "[1, 1]", "0.5", "\"SAME_UPPER\"", "float[3] tensor", "graph". */
#ifndef REPORT_ATTR_TEXT_H
#define REPORT_ATTR_TEXT_H
#include "ir/ir.h"

enum {
    ATTR_TEXT_ITEMS = 64
}; /* longer lists are summed up as their length and a hash of all items */
const char *attr_text(const struct attr *a, struct arena *arena);
#endif

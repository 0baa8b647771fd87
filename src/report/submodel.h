/* A part of a model as a model of its own. */
#ifndef REPORT_SUBMODEL_H
#define REPORT_SUBMODEL_H
#include "ir/ir.h"

/* Leaves the nodes of the main graph for which keep[i] holds, i counting them in list order. What a
 * kept node reads from one that goes becomes a graph input of the inferred type; graph outputs are
 * the old ones that are still computed, and what no kept node reads. Inputs, initializers and
 * functions that nothing uses go. m has been inferred.
 * 0; 1: no such model (a type is not known, nothing is left), m is then good for nothing. */
int submodel_cut(struct model *m, const bool *keep);
#endif

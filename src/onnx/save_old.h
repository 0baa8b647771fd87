/* The data files of the model that a save replaces. */
#ifndef ONNX_SAVE_OLD_H
#define ONNX_SAVE_OLD_H
#include "onnx/scan.h"

struct old_data;

/* Looks at the file at path, if there is one, for the data files that a former save of the same
 * name wrote beside it (STEM.<hash>.data). Quiet: a file that is no sound model has none. Returns
 * owned. */
struct old_data *old_data_find(const struct ctx *ctx, const char *path);
/* This one is in use again. */
void old_data_keep(struct old_data *o, struct span location);
/* Removes those not kept: to be called when the new model stands. Failing to is no error. */
void old_data_remove(const struct old_data *o);
void old_data_free(struct old_data *o);
#endif

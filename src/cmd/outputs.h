/* Collecting what samples give, by name, for an .npz: used by run. */
#ifndef CMD_OUTPUTS_H
#define CMD_OUTPUTS_H
#include "cmd/cmd.h"
#include "ir/ir.h"

struct outputs;

struct outputs *outputs_new(struct ctx *ctx, size_t samples); /* returns owned */
void outputs_free(struct outputs *o);
/* A name to collect; returns its index. Names keep this order in the file. */
size_t outputs_name(struct outputs *o, const char *name);
/* Keeps a copy of t as what `sample` gives for that name; a second one replaces the first.
 * Thread-safe for different samples. E_LIMIT_MEMORY. */
int outputs_put(struct outputs *o, size_t index, size_t sample, const struct tensor *t);
/* Joined on axis 0 where the first dimension is 1, else stacked; one sample stands as it is. Names
 * that got nothing are left out. E_RUN_OUTPUT when the samples differ in type or shape. */
int outputs_save(struct outputs *o, const char *path, bool force);
#endif

/* --dim and --shape: what the model's inputs are to be. */
#ifndef CMD_OPTIONS_MODEL_H
#define CMD_OPTIONS_MODEL_H
#include "cmd/cmd.h"
#include "ops/op.h"

extern const struct opt_group MODEL_OPTIONS; /* put it into a command's groups */

/* Applies the command's --dim and --shape to a loaded model, before model_infer: whole shapes
 * become the inputs' types, and `infer` gets the bindings (in cmd->arena). A symbol that --shape
 * makes constant is bound too. Errors: E_OPTION_VALUE; E_UNKNOWN_NAME with the nearest input or
 * dimension. */
int model_options_apply(struct cmd *cmd, struct model *m, struct infer_options *infer);
#endif

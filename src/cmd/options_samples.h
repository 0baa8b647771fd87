/* --data and how samples are read from it. */
#ifndef CMD_OPTIONS_SAMPLES_H
#define CMD_OPTIONS_SAMPLES_H
#include "cmd/cmd.h"
#include "data/samples.h"

extern const struct opt_group SAMPLE_OPTIONS; /* put it into a command's groups */

/* The command's sample options for samples_open; records each path of --data as an input
 * (E_NO_INPUT when it is not there). out->n_paths is 0 without --data: the command decides whether
 * that is an error (cmd_need_data). Strings live as long as cmd->arena. Errors: E_OPTION_VALUE. */
int sample_options_get(struct cmd *cmd, struct samples_options *out);

int cmd_need_data(struct cmd *cmd); /* reports that --data is missing; returns the code */
#endif

/* --precision auto: which values need more than 8 bits. */
#ifndef CMD_QUANTIZE_AUTO_H
#define CMD_QUANTIZE_AUTO_H
#include "cmd/quantize_job.h"

/* After the plan, the statistics and the scales at 8 bits: leaves those of the outputs' SQNR --aim, or
 * the nearest there is. Nothing changes where no samples are at hand. */
int quantize_auto(struct quantize_job *j);
#endif

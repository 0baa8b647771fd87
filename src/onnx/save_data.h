/* The data file of one save: tensors by content, aligned, each once. */
#ifndef ONNX_SAVE_DATA_H
#define ONNX_SAVE_DATA_H
#include <stdbool.h>

#include "base/span.h"
#include "ir/tensor.h"

struct data_file;
struct saver;

struct data_file *data_file_new(struct saver *s, const char *model_path); /* returns owned */
/* Stores the bytes (or finds equal ones stored before): their offset. UINT64_MAX after a report. */
uint64_t data_file_add(struct data_file *d, const struct tensor *t);
const char *
data_file_name(const struct data_file *d); /* its text changes in place at data_file_finish */
int data_file_finish(struct data_file *d); /* fixes the name; the file is on disk but not visible */
int data_file_publish(struct data_file *d); /* visible */
void data_file_free(struct data_file *d);   /* removes what was not published */

/* Is the location a name that data_file_finish gives for a model of that path? */
bool data_file_is_ours(const char *model_path, struct span location);
#endif

/* Progress of long work: a redrawn line with a bar and the time left on a terminal, at most ten
 * times a second; elsewhere a plain line every 30 s. All calls take NULL and then do nothing.
 * Thread-safe. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H
#include <stdint.h>

struct progress;

struct progress *progress_new(void); /* returns owned */
void progress_free(struct progress *p);
void progress_begin(struct progress *p, const char *what,
                    uint64_t total); /* total 0: unknown; what is copied */
void progress_add(struct progress *p, uint64_t count);
void progress_end(struct progress *p); /* erases the line */
#endif

/* Temporaries on disk that must not outlive the process: removed on a fatal signal, on running out
 * of memory, and by cleanup_run. Only names are kept here; an unnamed temporary needs no entry. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

int cleanup_add(const char *path); /* a slot, or -1 when the table is full (the entry is then simply
                                      not covered) */
void cleanup_drop(int slot);       /* -1 is allowed */
void cleanup_run(void); /* async-signal-safe; files and then empty folders, last added first */
#endif

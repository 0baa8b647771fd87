/* A zip archive written front to back: stored members, one fixed time, no seeking, so that it also
 * goes through a pipe and equal contents give equal bytes. Zip64 where sizes ask for it.
 * Own code because libzip converts times through the local time zone, replaces the target by its
 * own rename without fsync, and this is the smaller half of the format (APPNOTE 6.3.9, 4.3). */
#ifndef DATA_ZIP_WRITE_H
#define DATA_ZIP_WRITE_H
#include "base/file.h"
#include "base/span.h"

struct zip_writer;

struct zip_writer *zip_writer_new(struct outfile *out); /* returns owned; borrows out */
int zip_writer_add(struct zip_writer *z, const char *name, const struct span *pieces, size_t n);
int zip_writer_add_file(struct zip_writer *z, const char *name, const char *path,
                        struct diag *diag);
int zip_writer_end(struct zip_writer *z); /* the central directory; frees */
void zip_writer_abort(struct zip_writer *z);
#endif

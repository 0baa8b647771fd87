/* Files in and out. Reading maps; writing happens in a temporary beside the place and is published
 * whole.
 *
 * Mapping and truncation. A mapped file that another process cuts short raises SIGBUS on the lost
 * pages. The guard installed here puts a page of zeros in their place and marks the mapping as
 * torn; outfile_publish and outdir_commit then refuse with E_CHANGED, so nothing computed from such
 * zeros is ever published, and commands call file_check_torn before they print. Chosen over pread
 * (robustness-and-cli A2.7) because weights stay views of the mapping and are never copied. Copies
 * between files run on the descriptor and report a short read themselves.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/span.h"

/* A whole file, read only. data is never NULL once opened, also when size is 0. */
struct mapped_file {
    const unsigned char *data;
    size_t size;
    char *path; /* owned; "<stdin>" for "-" */
    int fd;     /* open while mapped, -1 when the bytes lie in an owned buffer */
    int slot;   /* of the guard's table, -1 for an owned buffer */
    dev_t dev;  /* identity of the file, 0 for a pipe */
    ino_t ino;
};

/* Regular files only: a folder, FIFO or device is refused (E_NOT_REGULAR) without blocking; "-"
 * reads standard input to its end into an owned buffer (E_LIMIT_MEMORY when it outgrows
 * --max-memory). Errors: E_NO_INPUT, E_READ_FAILED. On failure f is zeroed apart from fd = slot =
 * -1, and file_unmap is harmless. */
int file_map(struct mapped_file *f, const char *path, struct diag *diag);
int file_map_fd(struct mapped_file *f, int fd, const char *name,
                struct diag *diag); /* takes fd, also on failure */
void file_unmap(struct mapped_file *f);

/* 0, or E_CHANGED reported: some mapping lost pages since the process began. */
int file_check_torn(struct diag *diag);

/* Gives the memory of bytes that lie in a mapping back to the system; they are read from the file
 * again when somebody looks. Nothing happens to bytes elsewhere. */
void file_forget(const void *data, size_t size);

/* The descriptor and offset behind bytes that lie wholly in one live mapping; false otherwise. */
bool file_behind(const void *data, size_t size, int *fd, uint64_t *offset);

/* --- one file out
 * ------------------------------------------------------------------------------------------------
 * The bytes go to an unnamed temporary in the target's folder (O_TMPFILE; where the file system has
 * none, a name nobody can guess, opened O_EXCL|O_NOFOLLOW) and get the final name in one rename
 * after fsync. SIGKILL at any moment leaves the old file or the new one. "-" is standard output; a
 * device or FIFO (/dev/null) is written straight through. An existing file keeps its permission
 * bits; a symbolic link is replaced, not followed.
 *
 * Errors stick: after the first one writes do nothing and return its code, so a writer may check
 * only the last call. Every outfile ends in exactly one outfile_publish (or outfile_commit) or
 * outfile_abort, which free it.
 */
struct outfile;

/* E_EXISTS when the target exists and force is off, E_CREATE when the folder cannot be written. */
int outfile_open(struct outfile **out, const char *path, bool force, struct diag *diag);
int outfile_write(struct outfile *o, const void *data,
                  size_t size); /* large pieces of a mapping are copied by fd */
int outfile_span(struct outfile *o, struct span bytes);
int outfile_copy(struct outfile *o, int fd, uint64_t offset,
                 uint64_t size); /* from another file, by the kernel */
int outfile_zeros(struct outfile *o, uint64_t count);
int outfile_patch(struct outfile *o, uint64_t at, const void *data,
                  size_t size);                   /* earlier bytes; not on a pipe */
uint64_t outfile_offset(const struct outfile *o); /* bytes written so far */
const char *outfile_path(const struct outfile *o);
int outfile_error(const struct outfile *o);

/* A new final name in the same folder, before publishing: for names made from the content.
 * same_content: an existing file of that name may be replaced, as it holds the same bytes. */
int outfile_rename(struct outfile *o, const char *base_name, bool same_content);
int outfile_finish(struct outfile *o);  /* flush and fsync; still without a name. Lets several files
                                           be published together */
int outfile_publish(struct outfile *o); /* finish, name it, fsync the folder, free */
int outfile_commit(struct outfile *o);  /* the same; reads better for a single file */
void outfile_abort(struct outfile *o);  /* nothing is left behind; NULL is allowed */

/* Whole text or bytes in one call. */
int outfile_save(const char *path, const void *data, size_t size, bool force, struct diag *diag);

/* --- a folder out
 * ------------------------------------------------------------------------------------------------
 * Built beside its place under a temporary name, then renamed, or exchanged with the old folder
 * (renameat2 RENAME_EXCHANGE; without it, rename aside and rename in), which is then removed. index
 * names the file that marks a folder as written by npuprep ("report.json"): its first bytes hold a
 * schema name "npuprep.". With force an existing folder is replaced only if it is empty or so
 * marked: E_OUTDIR_FOREIGN otherwise.
 */
struct outdir;

int outdir_open(struct outdir **out, const char *path, const char *index, bool force,
                struct diag *diag);
const char *outdir_path(const struct outdir *d); /* the temporary folder: write the files here */
char *outdir_join(struct outdir *d,
                  const char *name); /* a file in it, for outfile_open; returns owned */
int outdir_commit(struct outdir *d); /* frees */
void outdir_abort(struct outdir *d); /* NULL is allowed */

/* --- paths: all return owned strings
 * ----------------------------------------------------------------------------- */
char *path_join(const char *folder, const char *name);
char *path_folder(const char *path);     /* "." when there is none */
const char *path_base(const char *path); /* borrowed tail of path */
bool path_has_suffix(const char *path, const char *suffix);
#endif

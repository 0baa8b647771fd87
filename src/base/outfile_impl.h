/* Inside of struct outfile, shared by outfile.c (creating and publishing) and outfile_write.c.
 *
 * Kinds: UNNAMED (O_TMPFILE; linkat gives it a name), NAMED (a hidden sibling), DIRECT (standard
 * output, device, FIFO: nothing to rename). A pipe's bytes cannot be taken back; whoever pipes sees
 * our exit status.
 */
#ifndef BASE_OUTFILE_IMPL_H
#define BASE_OUTFILE_IMPL_H
#include "base/file.h"

enum outfile_kind { UNNAMED, NAMED, DIRECT };
enum { OUTFILE_BUFFER = 1 << 18 };

struct outfile {
    struct diag *diag;
    char *path, *temp; /* temp: full path of a NAMED temporary */
    int fd, folder, slot, error;
    enum outfile_kind kind;
    bool force, finished;
    mode_t mode;
    size_t used;
    uint64_t offset;
    unsigned char buffer[OUTFILE_BUFFER];
};

int outfile_fail(struct outfile *o, enum err id, const char *what,
                 int why);            /* keeps and returns the first error */
int outfile_flush(struct outfile *o); /* the buffer to the file */
#endif

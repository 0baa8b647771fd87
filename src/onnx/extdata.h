/* External data: what a tensor says about it, and opening the file it names.
 *
 * Rules: the advisories listed in ONNX's ExternalDataSecurity.md and their successors. A location
 * is a relative path of plain components; it is resolved by the kernel from a descriptor of the
 * model's folder (openat2 with RESOLVE_BENEATH), never by comparing strings. Modes (ctx->external):
 *   strict  no symbolic link anywhere, no second hard link;
 *   hub     links may lead to a place beneath the model's folder, or beneath the folder of the
 * model's real path, since download caches keep both as links into a blob store; a second hard link
 * gives a warning. ctx->external_roots grants further folders.
 */
#ifndef ONNX_EXTDATA_H
#define ONNX_EXTDATA_H
#include "base/file.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"

enum { EXTDATA_MAX_LOCATION = 4096 }; /* PATH_MAX of Linux */

struct extdata {
    struct span location, checksum; /* checksum: SHA-1 of the whole file in hexadecimal, or empty */
    uint64_t offset, length;        /* length: the tensor's bytes when absent */
    bool has_length;
};

/* Reads and checks the entries of a scanned tensor that takes `bytes`. 0 or the reported code. */
int extdata_parse(struct scan *s, const struct tensor_proto *t, size_t bytes, struct extdata *x);

/* The open files of one model. */
struct extfiles;
struct extfiles *
extfiles_new(struct ctx *ctx,
             const char *model_path);       /* returns owned; model_path NULL: all refused */
void extfiles_free(struct extfiles *files); /* closes what was not taken */

/* The mapped file that holds x, opened once per (device, inode). Borrowed until extfiles_take.
 * Reports E_EXT_*. */
const struct mapped_file *extfiles_open(struct extfiles *files, const struct extdata *x,
                                        const char *tensor);
/* The mappings, to keep alive with the model: count entries, each owned by the caller from now on.
 */
struct mapped_file *extfiles_take(struct extfiles *files, size_t index); /* NULL past the end */
#endif

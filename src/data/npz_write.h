/* Arrays out as .npz: stored members in the order of the calls, time of SOURCE_DATE_EPOCH or
 * 1980-01-01, so equal arrays give equal bytes. NumPy reads it with np.load. */
#ifndef DATA_NPZ_WRITE_H
#define DATA_NPZ_WRITE_H
#include "base/file.h"
#include "ir/tensor.h"

struct npz_writer;

int npz_create(struct npz_writer **out, const char *path, bool force, struct diag *diag);

/* One array: the pieces follow each other in memory order (n_pieces 1 for a plain tensor) and
 * together hold the packed bytes of dtype and dims. NumPy has no bfloat16, float8, float4 and 4- or
 * 2-bit integers: those are widened to float32, int8 or uint8, exactly. Strings are refused
 * (E_NPZ_STRING). Errors stick until npz_commit. */
struct npz_array {
    const char *name;
    enum dtype dtype;
    int rank;
    const int64_t *dims;
    const struct span *pieces;
    size_t n_pieces;
};
int npz_add(struct npz_writer *w, const struct npz_array *array);
int npz_add_tensor(struct npz_writer *w, const char *name, const struct tensor *t);
int npz_commit(struct npz_writer *w); /* publishes and frees */
void npz_abort(struct npz_writer *w); /* NULL is allowed */
#endif

/* Inside the oneDNN folder: engine, streams, layouts and the generic primitive that conv, matmul,
 * pool and reorder are made of. */
#ifndef KERNELS_ONEDNN_DNN_CORE_H
#define KERNELS_ONEDNN_DNN_CORE_H
#include "kernels/onednn/compat.h"
#include "kernels/onednn/dnn.h"

struct dnn_layout {
    struct dnn_desc desc;
    int rank;
    int64_t dims[DNNL_MAX_NDIMS];
};

/* One buffer of an execution. */
struct dnn_arg {
    int id; /* DNNL_ARG_* */
    const struct dnn_desc *desc;
    const void *data;
};
enum { DNN_MAX_ARGS = 6 + DNN_MAX_POSTS };

/* A primitive with its scratchpad's descriptor. Zero-initialised it is empty and may be released.
 */
struct dnn_prim {
    dnnl_primitive_t primitive;
    struct dnn_desc scratch;
    size_t scratch_bytes; /* rounded up to DNN_ALIGN */
};
enum { DNN_ALIGN = 64 };

dnnl_engine_t dnn_engine(void); /* NULL: oneDNN cannot start */
/* Between enter and leave oneDNN's calls made by this thread stay on it. enter returns what leave
 * restores. */
int dnn_single_enter(void);
void dnn_single_leave(int before);

/* Attributes with user scratchpad, strict float32 and the post-operations; NULL on failure. Destroy
 * with dnnl_primitive_attr_destroy. */
dnnl_primitive_attr_t dnn_attr_new(const struct dnn_post *posts, int n_posts, bool linear_first,
                                   float alpha, const struct dnn_desc *bias_last);

/* Takes pd (always destroyed). */
bool dnn_prim_init(struct dnn_prim *p, dnnl_primitive_desc_t pd);
void dnn_prim_release(struct dnn_prim *p);
/* scratch: scratch_bytes, aligned; it is appended to the args here. n < DNN_MAX_ARGS. */
bool dnn_prim_run(const struct dnn_prim *p, const struct dnn_arg *args, int n, void *scratch);

/* A layout around a descriptor, which is taken; NULL on failure (then it is dropped). */
struct dnn_layout *dnn_layout_of(struct dnn_desc *desc, int rank, const int64_t *dims);
void dnn_dense_strides(int rank, const int64_t *dims, int64_t *strides);
size_t dnn_round(size_t bytes); /* up to DNN_ALIGN */

/* Copies constants into the layout a primitive wants: returns owned (mem_free), NULL on failure. */
void *dnn_constant(const struct dnn_desc *from, const struct dnn_desc *to, const void *data,
                   size_t *bytes);

/* ADD tensors of the post-operations: copies of their descriptors, and their arguments in a run. */
struct dnn_others {
    int n, id[DNN_MAX_POSTS];
    struct dnn_desc desc[DNN_MAX_POSTS];
};
bool dnn_others_init(struct dnn_others *o, const struct dnn_post *posts, int n_posts,
                     int first_index);
void dnn_others_release(struct dnn_others *o);
int dnn_others_args(const struct dnn_others *o, const float *const *others,
                    struct dnn_arg *args); /* returns how many */
#endif

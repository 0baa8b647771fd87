/* Inside the executor's fusion: who reads a slot, and the patterns that may follow a product. */
#ifndef EXEC_FUSE_H
#define EXEC_FUSE_H
#include "exec/plan.h"
#include "ops/fused.h"

enum { FUSE_READERS = 3 }; /* readers that are remembered; more are only counted */

struct readers {
    int count;
    int step[FUSE_READERS];
};

struct fuser {
    struct builder *b;
    struct plan *p;
    struct readers *readers; /* by slot */
    size_t n_slots;          /* entries of readers: slots made while fusing have none */
};

/* What was found behind slot `from`: steps[0..n_steps-1] compute `out` from it (and `other`),
 * nobody else sees anything in between. The last one stands last in the plan. */
struct match {
    int n_fused;
    struct fused_step fused[3];
    int extra[3]; /* slot of FUSED_ADD / FUSED_MUL's operand, -1 */
    int n_steps;
    int steps[6];
    int out;
};

bool fuse_match(struct fuser *f, int from, int before, struct match *m);

/* Takes the Pad at this step into the convolution that alone reads it, where that is the same. */
void fuse_pad(struct fuser *f, int pad);

/* The step that alone reads slot (once), -1. Slots that others see have none. */
int fuse_only_reader(const struct fuser *f, int slot);
bool fuse_private(const struct fuser *f, int slot); /* no tap, output or subgraph sees it */
bool fuse_scalar(const struct fuser *f, int slot, float *value); /* a known float, one element */
bool fuse_is(const struct step *s, const char *op_type);         /* ai.onnx, sized, not yet fused */
bool fuse_same_dims(const struct fuser *f, int a, int b);
#endif

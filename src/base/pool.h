/* Threads that share out numbered pieces of work. Which thread does which piece is chance; results
 * must depend on the index alone. A call from inside a piece runs inline on that thread, so nesting
 * is harmless. */
#ifndef BASE_POOL_H
#define BASE_POOL_H
#include <stddef.h>

struct pool;

/* index: 0..count-1; worker: 0..pool_threads-1, for scratch of one's own. Returns 0 or a negative
 * code. */
typedef int pool_fn(void *user, size_t index, int worker);

struct pool *
pool_new(int threads);          /* >= 1, the caller's thread counts as worker 0; returns owned */
void pool_free(struct pool *p); /* NULL is allowed */
int pool_threads(const struct pool *p); /* 1 for NULL */

/* Runs fn for every index and waits. After a failure no further piece is begun; the code of the
 * smallest failing index is returned, the same for any number of threads. NULL runs on the calling
 * thread in order. */
int pool_run(struct pool *p, size_t count, pool_fn *fn, void *user);

/* What this process may use: affinity mask, cgroup v2 and v1 quota, SLURM_CPUS_PER_TASK. At
 * least 1. */
int pool_allowed_threads(void);
#endif

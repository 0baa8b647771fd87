/* The peak rate of float32 multiply-adds, measured: each thread keeps CHAINS independent
 * accumulators of one vector register each busy. A fused multiply-add has a latency of 4 cycles and
 * 2 are begun per cycle on the cores this was written for (Fog, Instruction tables: Skylake-X, Ice
 * Lake, Zen 2), so 8 chains would do; 12 leave room. The rate is chains * lanes * rounds / seconds,
 * the best of several tries. Contraction is on for this file alone; what the compiler makes of a
 * machine without such an instruction is a multiplication and an addition, which is what there is.
 */
#include "peak.h"

#include <pthread.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/mem.h"

enum { CHAINS = 12, ROUNDS = 400000, TRIES = 20 };

#define CHAIN_LOOP(BYTES)                                                                  \
    typedef float vec __attribute__((vector_size(BYTES)));                                 \
    vec acc[CHAINS], a = {0}, b = {0};                                                     \
    a += x, b += y;                                                                        \
    for (int k = 0; k < CHAINS; k++)                                                       \
        acc[k] = a * (float)k;                                                             \
    for (int64_t i = 0; i < ROUNDS; i++) {                                                 \
        _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) acc[k] = acc[k] * a + b; \
    }                                                                                      \
    vec sum = {0};                                                                         \
    for (int k = 0; k < CHAINS; k++)                                                       \
        sum += acc[k];                                                                     \
    return sum[0]

#if defined __x86_64__
__attribute__((target("avx512f"))) static float loop_512(float x, float y) { CHAIN_LOOP(64); }
__attribute__((target("avx2,fma"))) static float loop_256(float x, float y) { CHAIN_LOOP(32); }
#endif
static float loop_128(float x, float y) { CHAIN_LOOP(16); }

struct loop {
    float (*run)(float x, float y);
    int lanes;
};

static struct loop best_loop(void)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return (struct loop){loop_512, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (struct loop){loop_256, 8};
#endif
    return (struct loop){loop_128, 4};
}

static volatile float sink, one_half = 0.5F, small = 0.25F;

static void *work(void *user)
{
    const struct loop *l = user;
    sink = l->run(one_half, small);
    return NULL;
}

static double try_once(struct loop *l, int threads, pthread_t *others)
{
    double start = ctx_now();
    int started = 0;
    for (int i = 1; i < threads; i++)
        started += pthread_create(&others[started], NULL, work, l) == 0;
    work(l);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    return (double)CHAINS * l->lanes * ROUNDS * (started + 1) / (ctx_now() - start);
}

double peak_macs(int threads)
{
    struct loop l = best_loop();
    pthread_t *others = mem_alloc((size_t)threads * sizeof *others);
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        double rate = try_once(&l, threads, others);
        best = rate > best ? rate : best;
    }
    mem_free(others);
    return best;
}

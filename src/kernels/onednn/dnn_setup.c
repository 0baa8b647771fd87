/* What holds for the whole process: instruction set, primitive cache, version. */
#include <pthread.h>
#include <stdio.h>

#include "kernels/onednn/dnn_core.h"

static const struct {
    const char *name;
    dnnl_cpu_isa_t isa;
} ISAS[] = {
    {"sse41", dnnl_cpu_isa_sse41},
    {"avx", dnnl_cpu_isa_avx},
    {"avx2", dnnl_cpu_isa_avx2},
    {"avx2_vnni", dnnl_cpu_isa_avx2_vnni},
    {"avx512_core", dnnl_cpu_isa_avx512_core},
    {"avx512_core_vnni", dnnl_cpu_isa_avx512_core_vnni},
    {"avx512_core_bf16", dnnl_cpu_isa_avx512_core_bf16},
    {"avx512_core_amx", dnnl_cpu_isa_avx512_core_amx},
};
enum { N_ISAS = sizeof ISAS / sizeof *ISAS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool dnn_setup(const char *isa, int cached_primitives)
{
    bool ok = !isa;
    pthread_mutex_lock(&lock);
    for (int i = 0; isa && i < N_ISAS; i++)
        if (!strcmp(isa, ISAS[i].name))
            ok = dnnl_set_max_cpu_isa(ISAS[i].isa) == dnnl_success && !strcmp(dnn_isa(), isa);
    ok = dnnl_set_primitive_cache_capacity(cached_primitives) == dnnl_success && ok;
    pthread_mutex_unlock(&lock);
    return ok;
}

const char *dnn_isa(void)
{
    const dnnl_cpu_isa_t has = dnnl_get_effective_cpu_isa();
    for (int i = N_ISAS - 1; i >= 0; i--)
        if ((has & ISAS[i].isa) == ISAS[i].isa)
            return ISAS[i].name;
    return "generic";
}

const char *const *dnn_isa_names(void)
{
    static const char *names[N_ISAS + 1];
    pthread_mutex_lock(&lock);
    for (int i = 0; i < N_ISAS; i++)
        names[i] = ISAS[i].name;
    pthread_mutex_unlock(&lock);
    return names;
}

const char *dnn_version(void)
{
    static char text[40];
    const dnnl_version_t *v = dnnl_version();
    pthread_mutex_lock(&lock);
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    pthread_mutex_unlock(&lock);
    return text;
}

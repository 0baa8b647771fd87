/* Products of 8-bit integers with a constant right side. */
#include "base/mem.h"
#include "kernels/onednn/dnn_core.h"

struct dnn_int {
    struct dnn_prim prim;
    struct dnn_desc a, b, y;
    void *constant;
    size_t bytes;
};

/* uint8 by int8 with 32-bit accumulation in one instruction. */
static bool has_exact_products(void)
{
    const dnnl_cpu_isa_t has = dnnl_get_effective_cpu_isa();
    return (has & dnnl_cpu_isa_avx512_core_vnni) == dnnl_cpu_isa_avx512_core_vnni ||
           (has & dnnl_cpu_isa_avx2_vnni) == dnnl_cpu_isa_avx2_vnni;
}

static bool make(struct dnn_int *p, const struct dnn_int_args *g)
{
    const int64_t a[] = {g->m, g->k}, b[] = {g->k, g->n}, y[] = {g->m, g->n};
    const int64_t a_steps[] = {g->k, 1}, b_steps[] = {g->b_step, 1}, y_steps[] = {g->n, 1};
    struct dnn_desc any = {0}, given = {0};
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = dnn_attr_new(NULL, 0, false, 1, NULL);
    bool ok = attr && dnn_desc_typed(&p->a, 2, a, a_steps, g->a_signed ? dnnl_s8 : dnnl_u8) &&
              dnn_desc_typed(&any, 2, b, NULL, dnnl_s8) &&
              dnn_desc_typed(&given, 2, b, b_steps, dnnl_s8) &&
              dnn_desc_typed(&p->y, 2, y, y_steps, dnnl_s32);
    const struct dnn_shape shape = {&p->a, &any,        NULL, &p->y, NULL, dnnl_alg_kind_undef,
                                    attr,  dnn_engine()};
    ok = ok && dnn_pd_matmul(&pd, &shape) && dnn_desc_of_pd(&p->b, pd, dnnl_query_weights_md, 0);
    if (ok)
        ok = dnn_prim_init(&p->prim, pd);
    else if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    p->constant = ok ? dnn_constant(&given, &p->b, g->b, &p->bytes) : NULL;
    dnn_desc_drop(&any), dnn_desc_drop(&given);
    return p->constant != NULL;
}

struct dnn_int *dnn_int_new(const struct dnn_int_args *args)
{
    if (!dnn_engine() || !has_exact_products() || args->m < 1 || args->n < 1 || args->k < 1)
        return NULL;
    struct dnn_int *p = mem_alloc(sizeof *p);
    const int before = dnn_single_enter();
    const bool ok = make(p, args);
    dnn_single_leave(before);
    if (ok)
        return p;
    dnn_int_free(p);
    return NULL;
}

void dnn_int_free(struct dnn_int *p)
{
    if (!p)
        return;
    dnn_prim_release(&p->prim);
    dnn_desc_drop(&p->a), dnn_desc_drop(&p->b), dnn_desc_drop(&p->y);
    mem_free(p->constant);
    mem_free(p);
}

size_t dnn_int_scratch(const struct dnn_int *p) { return p->prim.scratch_bytes; }
size_t dnn_int_held(const struct dnn_int *p) { return dnn_round(p->bytes); }

bool dnn_int_run(const struct dnn_int *p, const void *a, int32_t *y, void *scratch)
{
    const struct dnn_arg args[] = {
        {DNNL_ARG_SRC, &p->a, a}, {DNNL_ARG_WEIGHTS, &p->b, p->constant}, {DNNL_ARG_DST, &p->y, y}};
    return dnn_prim_run(&p->prim, args, 3, scratch);
}

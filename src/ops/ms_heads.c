/* See ms_heads.h. */
#include "ops/ms_heads.h"

#include <string.h>

float *ms_heads_first(struct eval *e, const struct ms_packed *from, const int64_t dims[4],
                      const float *bias)
{
    int64_t batch = dims[0], heads = dims[1], length = dims[2], size = dims[3];
    float *to = eval_scratch(e, batch * heads * length * size, sizeof *to);
    if (!to)
        return NULL;
    for (int64_t b = 0; b < batch; b++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t t = 0; t < length; t++) {
                const float *x =
                    from->data + (b * length + t) * from->token_step + h * from->head_step;
                float *y = to + ((b * heads + h) * length + t) * size;
                for (int64_t i = 0; i < size; i++)
                    y[i] = bias ? x[i] + bias[h * size + i] : x[i];
            }
    return to;
}

void ms_tokens_first(const float *from, const int64_t dims[4], float *to)
{
    int64_t batch = dims[0], heads = dims[1], length = dims[2], size = dims[3];
    for (int64_t b = 0; b < batch; b++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t t = 0; t < length; t++)
                memcpy(to + ((b * length + t) * heads + h) * size,
                       from + ((b * heads + h) * length + t) * size, (size_t)size * sizeof *to);
}

int ms_attend(struct eval *e, const struct attention_params *p, struct attention_args *a)
{
    int64_t dims[4] = {p->batch, p->q_heads, p->q_len, p->v_head}, floats = attention_scratch(p);
    float *scratch = floats < 0 ? NULL : eval_scratch(e, floats, sizeof *scratch);
    float *y = stage_out(e, 0);
    a->y = eval_scratch(e, p->batch * p->q_heads * p->q_len * p->v_head, sizeof *a->y);
    if (!scratch || !y || !a->y)
        return eval_memory(e);
    attention_f32(p, a, scratch);
    ms_tokens_first(a->y, dims, y);
    stage_store(e, 0, y);
    return 0;
}

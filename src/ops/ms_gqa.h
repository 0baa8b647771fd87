/* The inputs of com.microsoft GroupQueryAttention by name. */
#ifndef OPS_MS_GQA_H
#define OPS_MS_GQA_H
enum gqa_input {
    QUERY,
    KEY,
    VALUE,
    PAST_KEY,
    PAST_VALUE,
    SEQLENS,
    TOTAL,
    COS,
    SIN,
    POSITIONS,
    BIAS,
    SINK,
    K_SCALE,
    V_SCALE,
    Q_NORM,
    K_NORM
};

#endif

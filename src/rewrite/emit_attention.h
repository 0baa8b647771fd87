/* What the decompositions of attention operators share: scores, masks, Softmax, and turned heads. */
#ifndef REWRITE_EMIT_ATTENTION_H
#define REWRITE_EMIT_ATTENTION_H
#include "rewrite/emit.h"

enum { ATTEND_MASK, ATTEND_PAST_KEY, ATTEND_PAST_VALUE, ATTEND_EXTRA };

struct attention {
    struct value *q, *k, *v, *bias;    /* bias of the three, one behind the other; or NULL */
    struct value *extra[ATTEND_EXTRA]; /* NULL: none */
    bool flat, causal, boolean;
    int64_t q_heads, kv_heads;
    double scale, softcap; /* scale 0: 1 / sqrt(head); softcap 0: none */
};

/* [batch, tokens, heads * head] under that name becomes [batch, heads, tokens, head]. */
void emit_heads(struct emit *e, const char *name, int64_t heads);
/* From what is bound to q, k and v, three-dimensional when p->flat, makes y of the same form as q,
 * present_key and present_value (past before new tokens). A query that may see no key gives the
 * mean of the values. */
void emit_attention(struct emit *e, const struct attention *p);
/* The first `turned` elements of the last axis of t by the angles whose cosine is c and sine s:
 * y, of only those elements. Halves make a pair, or neighbours when interleaved (rank 4 then). */
void emit_turn(struct emit *e, int64_t turned, bool interleaved);
#endif

/* compare --show: what the two sides answer to single samples, next to each other. An output whose last axis is longer than 1
 * is read as scores of classes, of which the first row's best is shown; else its first element. */
#include "cmd/compare.h"

#include "base/num.h"
#include "report/table.h"

size_t compare_shown(const struct compare *c)
{
    return (size_t)c->o->show < c->n ? (size_t)c->o->show : c->n;
}

static void take(struct answer *to, int side, const struct tensor *t)
{
    int64_t width = t->rank > 0 ? t->dims[t->rank - 1] : 1;
    to->value[side] = num_get(t->data, t->dtype, 0);
    for (int64_t i = 1; i < width; i++) {
        double x = num_get(t->data, t->dtype, i);
        if (x > to->value[side]) {
            to->value[side] = x;
            to->top[side] = i;
        }
    }
}

/* Called from the thread that ran the sample: each sample has its own slot. */
void answer_take(struct answer *to, const struct tensor *a, const struct tensor *b)
{
    if (!a->count || !b->count)
        return;
    take(to, 0, a);
    take(to, 1, b);
    to->given = true;
}

static void print_pair_answers(const struct compare *c, const struct pair *p, FILE *out)
{
    struct arena *a = arena_new();
    struct table *t = table_new("sample|>A: class|>score|>B: class|>score|same");
    for (size_t k = 0; k < compare_shown(c); k++) {
        const struct answer *x = &p->answers[k];
        if (!x->given)
            continue;
        table_cell(t, "%s", samples_label(c->samples, k, a));
        for (int side = 0; side < 2; side++) {
            table_cell(t, "%lld", (long long)x->top[side]);
            table_cell(t, "%.4f", x->value[side]);
        }
        table_cell(t, x->top[0] == x->top[1] ? "yes" : "no");
    }
    cmd_print(out, "answers of %s\n", p->name);
    table_print(t, out);
    fputc('\n', out);
    arena_free(a);
}

void print_answers(const struct compare *c, FILE *out)
{
    for (size_t i = 0; i < c->pairs.count; i++)
        if (c->pairs.data[i].answers)
            print_pair_answers(c, &c->pairs.data[i], out);
}

static void print_answer_json(const struct compare *c, const struct pair *p, size_t k,
                              struct json_writer *w)
{
    static const char *const SIDES[] = {"a", "b"};
    struct arena *a = arena_new();
    jw_object(w);
    jw_key_string(w, "output", p->name);
    jw_key_string(w, "sample", samples_label(c->samples, k, a));
    for (int side = 0; side < 2; side++) {
        jw_key(w, SIDES[side]), jw_object(w);
        jw_key_int(w, "class", p->answers[k].top[side]);
        jw_key_f64(w, "score", p->answers[k].value[side]);
        jw_end(w);
    }
    jw_end(w);
    arena_free(a);
}

void print_answers_json(const struct compare *c, struct json_writer *w)
{
    if (!c->o->show)
        return;
    jw_key(w, "answers"), jw_array(w);
    for (size_t i = 0; i < c->pairs.count; i++)
        for (size_t k = 0; c->pairs.data[i].answers && k < compare_shown(c); k++)
            if (c->pairs.data[i].answers[k].given)
                print_answer_json(c, &c->pairs.data[i], k, w);
    jw_end(w);
}

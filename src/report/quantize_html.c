/* The report as one page: no script, nothing fetched, dark where the reader's system is, narrow
 * enough for a phone. Names come from the model, so all text is escaped. Charts are inline SVG. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/num.h"
#include "base/text.h"
#include "kernels/float/math.h"
#include "report/quantize_report.h"

enum { LINE = 512, CHART_WIDTH = 640, ROW = 16, MAX_ROWS = 400 };

struct page {
    struct outfile *out;
};

static void put(struct page *p, const char *text) { outfile_write(p->out, text, strlen(text)); }

static void putf(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void putf(struct page *p, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    outfile_write(p->out, line, n < LINE ? (size_t)n : LINE - 1);
}

/* Text between tags or in quoted attributes; what is not UTF-8 or a control character becomes ?. */
static void escape(struct page *p, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        size_t n = utf8_decode(text, left, &code);
        if (n == 0 || code < 0x20 || code == 0x7f)
            put(p, "?");
        else if (strchr("<>&\"'", *text))
            putf(p, "&#%d;", *text);
        else
            outfile_write(p->out, text, n);
        text += n ? n : 1, left -= n ? n : 1;
    }
}

static void cell(struct page *p, const char *text)
{
    put(p, "<td>");
    escape(p, text);
    put(p, "</td>");
}

static void number(struct page *p, double x)
{
    char text[NUM_TEXT];
    num_text_f32(text, (float)x);
    putf(p, "<td class=n>%s</td>", text);
}

static const char *const STYLE =
    "<style>:root{color-scheme:light dark;--bar:#2a78c2;--soft:#8884}"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.15rem .6rem;text-align:left;border-bottom:1px solid var(--soft)}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{max-width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:currentColor}"
    "rect{fill:var(--bar)}line{stroke:currentColor;opacity:.4}summary{cursor:pointer}"
    "@media print{details{display:block}}</style>";

static void head(struct page *p, const struct quantize_report *r)
{
    put(p, "<!doctype html><html lang=en><meta charset=utf-8>"
           "<meta name=viewport content='width=device-width,initial-scale=1'><title>");
    escape(p, r->model);
    put(p, " quantized</title>");
    put(p, STYLE);
    put(p, "<h1>");
    escape(p, r->model);
    put(p, "</h1><p>Target ");
    escape(p, r->target);
    put(p, ", precision ");
    escape(p, r->precision);
    put(p, ", ranges by ");
    escape(p, r->method);
    putf(p, " over %lld samples.</p>", (long long)r->samples);
}

static void sizes(struct page *p, const struct quantize_report *r)
{
    put(p, "<table><tr><th><th class=n>before<th class=n>after");
    putf(p, "<tr><td>bytes<td class=n>%llu<td class=n>%llu", (unsigned long long)r->bytes_before,
         (unsigned long long)r->bytes_after);
    putf(p, "<tr><td>nodes<td class=n>%lld<td class=n>%lld</table>", (long long)r->nodes_before,
         (long long)r->nodes_after);
}

static void outputs(struct page *p, const struct quantize_report *r)
{
    if (!r->outputs.count)
        return;
    put(p, "<h2>Outputs against the float model</h2><p>On ");
    putf(p, "%lld samples: ", (long long)r->eval_samples);
    escape(p, r->eval_source);
    put(p, ".</p><table><tr><th>output<th class=n>SQNR dB<th class=n>cosine<th class=n>max abs"
           "<th class=n>top-1 agreement");
    for (size_t i = 0; i < r->outputs.count; i++) {
        const struct metrics *m = &r->outputs.data[i].metrics;
        double top1 = metrics_top1(m);
        put(p, "<tr>");
        cell(p, r->outputs.data[i].name);
        putf(p, "<td class=n>%.2f<td class=n>%.5f", metrics_sqnr_db(m), metrics_cosine(m));
        number(p, m->max_abs);
        if (isnan(top1))
            put(p, "<td class=n>-");
        else
            putf(p, "<td class=n>%.1f %%", 100 * top1);
    }
    put(p, "</table>");
}

static void counts(struct page *p, const struct quantize_report *r)
{
    put(p, "<h2>Operators</h2><table><tr><th>quantized<th class=n>nodes");
    for (size_t i = 0; i < r->ops_quantized.count; i++) {
        put(p, "<tr>");
        cell(p, r->ops_quantized.data[i].name);
        putf(p, "<td class=n>%lld", (long long)r->ops_quantized.data[i].count);
    }
    put(p, "</table>");
    if (r->macs.count)
        put(p, "<h3>Multiply-accumulates</h3><table><tr><th>precision<th class=n>count");
    for (size_t i = 0; i < r->macs.count; i++) {
        put(p, "<tr>");
        cell(p, r->macs.data[i].name);
        putf(p, "<td class=n>%lld", (long long)r->macs.data[i].count);
    }
    put(p, r->macs.count ? "</table>" : "");
}

static void floats(struct page *p, const struct quantize_report *r)
{
    if (!r->ops_float.count)
        return;
    putf(p, "<h2>In float: %zu nodes</h2><table><tr><th>node<th>operator<th>why",
         r->ops_float.count);
    for (size_t i = 0; i < r->ops_float.count && i < MAX_ROWS; i++) {
        put(p, "<tr>");
        cell(p, r->ops_float.data[i].node);
        cell(p, r->ops_float.data[i].op);
        cell(p, r->ops_float.data[i].why);
    }
    put(p, "</table>");
}

static bool is_activation(const struct quant *q) { return q->axis < 0 && q->dtype != DT_INT32; }

/* Symmetric logarithm: ranges differ by orders of magnitude. */
static double place(double x, double most)
{
    double y = math_log1p(fabs(x)) / math_log1p(most);
    return CHART_WIDTH / 2.0 * (1 + (x < 0 ? -y : y));
}

/* A bar from low to high for each activation, around zero. */
static void ranges(struct page *p, const struct quantize_report *r)
{
    double most = 0;
    int rows = 0;
    for (size_t i = 0; i < r->tensors.count; i++) {
        const struct quant *q = r->tensors.data[i].q;
        if (!is_activation(q) || !q->rmin)
            continue;
        most = fmax(most, fmax(-(double)q->rmin[0], (double)q->rmax[0]));
        rows++;
    }
    if (!rows || most <= 0)
        return;
    rows = rows < MAX_ROWS ? rows : MAX_ROWS;
    put(p, "<h2>Ranges of activations</h2><p>Logarithmic to both sides of zero.</p>");
    putf(p, "<svg viewBox='0 0 %d %d' role=img>", CHART_WIDTH, rows * ROW);
    putf(p, "<line x1=%d x2=%d y1=0 y2=%d />", CHART_WIDTH / 2, CHART_WIDTH / 2, rows * ROW);
    int row = 0;
    for (size_t i = 0; i < r->tensors.count && row < rows; i++) {
        const struct quant *q = r->tensors.data[i].q;
        if (!is_activation(q) || !q->rmin)
            continue;
        double from = place(fmin((double)q->rmin[0], 0), most);
        double to = place(fmax((double)q->rmax[0], 0), most);
        putf(p, "<rect x=%.1f y=%d width=%.1f height=%d><title>", from, row * ROW + 2,
             fmax(to - from, 0.5), ROW - 4);
        escape(p, r->tensors.data[i].name);
        putf(p, " %g .. %g</title></rect><text x=2 y=%d>", (double)q->rmin[0], (double)q->rmax[0],
             row * ROW + 12);
        escape(p, r->tensors.data[i].name);
        put(p, "</text>");
        row++;
    }
    put(p, "</svg>");
}

static void tensors(struct page *p, const struct quantize_report *r)
{
    put(p, "<details><summary>All quantized tensors</summary><table><tr><th>tensor<th>type"
           "<th class=n>scale<th class=n>zero point<th class=n>channels<th>tied to");
    for (size_t i = 0; i < r->tensors.count; i++) {
        const struct report_tensor *t = &r->tensors.data[i];
        float most = t->q->scale[0];
        for (int64_t k = 1; k < t->q->n; k++)
            most = fmaxf(most, t->q->scale[k]);
        put(p, "<tr>");
        cell(p, t->name);
        cell(p, dtype_name(t->q->dtype));
        number(p, (double)most);
        putf(p, "<td class=n>%d<td class=n>", t->q->zero_point[0]);
        if (t->q->axis >= 0)
            putf(p, "%lld", (long long)t->q->n);
        cell(p, t->tied_to ? t->tied_to : "");
    }
    put(p, "</table><p>Of several channels the largest scale is shown.</p></details>");
}

int report_write_html(const struct quantize_report *r, struct outfile *out)
{
    struct page p = {out};
    head(&p, r);
    sizes(&p, r);
    outputs(&p, r);
    counts(&p, r);
    floats(&p, r);
    ranges(&p, r);
    tensors(&p, r);
    put(&p, "</html>\n");
    return outfile_error(out);
}

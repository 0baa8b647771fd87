/* A release bundle: the files of a folder in one zip with MANIFEST.json, which names each with its
 * size and SHA-256 and says where they come from. Equal files give equal bytes. */
#ifndef REPORT_BUNDLE_H
#define REPORT_BUNDLE_H
#include "base/ctx.h"
#include "report/quantize_report.h"

struct bundle_source {
    const char *folder;     /* whose regular files go in, by name */
    const char *model_path; /* the input, for provenance */
    const struct quantize_report *report;
};

int bundle_write(const char *path, bool force, const struct bundle_source *s, struct ctx *ctx);
#endif

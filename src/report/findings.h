/* What a check found, and the forms that other programs read. */
#ifndef REPORT_FINDINGS_H
#define REPORT_FINDINGS_H
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/json_write.h"
#include "base/vec.h"

struct finding {
    const struct diagnostic *what;
    char id[8]; /* "E0231" */
};

struct findings {
    const char *file;
    const char *target; /* NULL: none was asked about */
    VEC(struct finding) list;
    size_t errors, warnings, notes;
    bool valid; /* ONNX */
    bool ready; /* for the target */
};

/* Takes the diagnostics from `from` on; they must outlive the findings. */
void findings_add(struct findings *f, const struct diag *diag, size_t from);
void findings_release(struct findings *f);

const char *finding_node(const struct finding *f); /* node, else tensor, else NULL */
const char *severity_name(enum severity s);        /* "error" */

void findings_json(const struct findings *f,
                   struct json_writer *w); /* keys findings, valid, ready */
void findings_junit(const struct findings *f,
                    FILE *out); /* one test case per error, or one that passed */
void findings_sarif(const struct findings *f, FILE *out); /* OASIS SARIF 2.1.0 */
void findings_github(const struct findings *f,
                     FILE *out); /* workflow commands ::error file=...::message */
#endif

/* See bundle.h. MANIFEST.json goes last: it is made from the files before it. */
#include "report/bundle.h"

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "data/data.h"
#include "data/zip_write.h"

static int write_file_entry(struct json_writer *w, const char *name, const char *path,
                            struct diag *diag)
{
    struct mapped_file f;
    char sha[SHA256_TEXT];
    int code = file_map(&f, path, diag);
    if (code)
        return code;
    sha256_bytes(f.data, f.size, sha);
    jw_object(w);
    jw_key_string(w, "name", name);
    jw_key_uint(w, "bytes", f.size);
    jw_key_string(w, "sha256", sha);
    jw_end(w);
    file_unmap(&f);
    return 0;
}

static void write_provenance(struct json_writer *w, const struct bundle_source *s)
{
    const struct quantize_report *r = s->report;
    jw_key(w, "provenance"), jw_object(w);
    jw_key_string(w, "target", r->target);
    jw_key_string(w, "precision", r->precision);
    jw_key_string(w, "method", r->method);
    jw_key_int(w, "samples", r->samples);
    jw_end(w);
}

struct packing {
    const struct bundle_source *source;
    struct zip_writer *zip;
    struct json_writer *manifest;
    struct ctx *ctx;
};

static int add_files(const struct packing *p, struct arena *a)
{
    const char **names;
    size_t n;
    int code = data_list_folder(p->source->folder, a, &names, &n, p->ctx->diag);
    jw_key(p->manifest, "files"), jw_array(p->manifest);
    for (size_t i = 0; !code && i < n; i++) {
        char *path = path_join(p->source->folder, names[i]);
        code = write_file_entry(p->manifest, names[i], path, p->ctx->diag);
        if (!code)
            code = zip_writer_add_file(p->zip, names[i], path, p->ctx->diag);
        mem_free(path);
    }
    jw_end(p->manifest);
    return code;
}

static int pack(const struct packing *p)
{
    struct arena *a = arena_new();
    struct json_writer *w = p->manifest;
    jw_object(w);
    jw_key_string(w, "schema", "npuprep.manifest/1");
    jw_key_string(w, "version", NPUPREP_VERSION);
    jw_key(w, "model");
    int code =
        write_file_entry(w, path_base(p->source->model_path), p->source->model_path, p->ctx->diag);
    if (code)
        jw_null(w);
    write_provenance(w, p->source);
    if (!code)
        code = add_files(p, a);
    jw_end(w);
    arena_free(a);
    return code;
}

int bundle_write(const char *path, bool force, const struct bundle_source *s, struct ctx *ctx)
{
    struct outfile *out;
    size_t size = 0;
    int code = outfile_open(&out, path, force, ctx->diag);
    if (code)
        return code;
    struct packing p = {s, zip_writer_new(out), jw_new_memory(2), ctx};
    code = pack(&p);
    char *text = jw_free_text(p.manifest, &size);
    struct span manifest = {(const unsigned char *)text, size};
    if (!code)
        code = zip_writer_add(p.zip, "MANIFEST.json", &manifest, 1);
    mem_free(text);
    if (code) {
        zip_writer_abort(p.zip);
        outfile_abort(out);
        return code;
    }
    zip_writer_end(p.zip);
    return outfile_commit(out);
}

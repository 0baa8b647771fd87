/* See zip_write.h. Layout, all little-endian (APPNOTE 6.3.9):
 *
 *   per member: local header 30 bytes + name [+ zip64 extra 20] + data
 *   central directory: 46 bytes + name [+ zip64 extra 28] each
 *   [zip64 end record 56 + locator 20]  end record 22
 *
 * The checksum is computed in a first walk over the pieces, so nothing is patched afterwards.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/vec.h"
#include "data/zip_write.h"

enum {
    LOCAL_SIG = 0x04034b50,
    CENTRAL_SIG = 0x02014b50,
    END_SIG = 0x06054b50,
    END64_SIG = 0x06064b50,
    LOCATOR64_SIG = 0x07064b50,
    UTF8_NAME = 1 << 11,
    VERSION_STORE = 10,
    VERSION_ZIP64 = 45,
    MADE_BY_UNIX = 3 << 8,
    MODE_FILE = 0100644,
};
static const uint64_t LIMIT32 = 0xffffffffu;

struct entry {
    char *name;
    uint64_t size, offset;
    uint32_t crc;
};

struct zip_writer {
    struct outfile *out;
    uint64_t start; /* of the archive in the output */
    uint32_t time;  /* DOS date << 16 | time */
    VEC(struct entry) entries;
};

struct record {
    unsigned char bytes[80];
    size_t size;
};

static void put(struct record *r, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        r->bytes[r->size++] = (unsigned char)(value >> 8 * i);
}

/* MS-DOS date and time in UTC: two-second steps from 1980 to 2107. */
static uint32_t dos_time(void)
{
    const uint32_t epoch_1980 = 0x00210000; /* 1980-01-01 00:00 */
    const char *text = getenv("SOURCE_DATE_EPOCH");
    int64_t seconds = 0;
    struct tm tm;
    if (!text || !text_int(text, &seconds))
        return epoch_1980;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || tm.tm_year < 80)
        return epoch_1980;
    if (tm.tm_year > 207)
        return 0xff9fbf7d; /* 2107-12-31 23:59:58 */
    uint32_t date =
        (uint32_t)(tm.tm_year - 80) << 9 | (uint32_t)(tm.tm_mon + 1) << 5 | (uint32_t)tm.tm_mday;
    return date << 16 | (uint32_t)tm.tm_hour << 11 | (uint32_t)tm.tm_min << 5 |
           (uint32_t)tm.tm_sec / 2;
}

struct zip_writer *zip_writer_new(struct outfile *out)
{
    struct zip_writer *z = mem_alloc(sizeof *z);
    z->out = out;
    z->start = outfile_offset(out);
    z->time = dos_time();
    return z;
}

static uint32_t crc_of(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *p = data;
    while (size > 0) {
        uInt piece = size > 1u << 30 ? 1u << 30 : (uInt)size;
        crc = (uint32_t)crc32(crc, p, piece);
        p += piece, size -= piece;
    }
    return crc;
}

/* The fields that local and central headers share: version, flags, method, time, crc, sizes, name.
 */
static void put_common(struct record *r, const struct zip_writer *z, const struct entry *e)
{
    bool big = e->size >= LIMIT32;
    uint64_t size = big ? LIMIT32 : e->size;
    unsigned flags = 0;
    for (const char *c = e->name; *c; c++)
        if ((unsigned char)*c >= 0x80)
            flags = UTF8_NAME;
    put(r, big ? VERSION_ZIP64 : VERSION_STORE, 2);
    put(r, flags, 2);
    put(r, 0, 2);
    put(r, z->time, 4);
    put(r, e->crc, 4);
    put(r, size, 4), put(r, size, 4);
    put(r, strlen(e->name), 2);
}

static int write_local(struct zip_writer *z, const struct entry *e)
{
    struct record r = {.size = 0};
    bool big = e->size >= LIMIT32;
    put(&r, LOCAL_SIG, 4);
    put_common(&r, z, e);
    put(&r, big ? 20 : 0, 2);
    outfile_write(z->out, r.bytes, r.size);
    outfile_write(z->out, e->name, strlen(e->name));
    if (!big)
        return outfile_error(z->out);
    r.size = 0;
    put(&r, 1, 2), put(&r, 16, 2);
    put(&r, e->size, 8), put(&r, e->size, 8);
    return outfile_write(z->out, r.bytes, r.size);
}

int zip_writer_add(struct zip_writer *z, const char *name, const struct span *pieces, size_t n)
{
    size_t length = strlen(name);
    struct entry e = {.name = mem_alloc(length + 1), .offset = outfile_offset(z->out) - z->start};
    memcpy(e.name, name, length);
    for (size_t i = 0; i < n; i++) {
        e.crc = crc_of(e.crc, pieces[i].data, pieces[i].size);
        e.size += pieces[i].size;
    }
    vec_push(&z->entries, e);
    write_local(z, &e);
    for (size_t i = 0; i < n; i++)
        outfile_span(z->out, pieces[i]);
    return outfile_error(z->out);
}

int zip_writer_add_file(struct zip_writer *z, const char *name, const char *path, struct diag *diag)
{
    struct mapped_file f;
    int code = file_map(&f, path, diag);
    if (code)
        return code;
    struct span all = {f.data, f.size};
    code = zip_writer_add(z, name, &all, 1);
    file_unmap(&f);
    return code;
}

static void write_central(struct zip_writer *z, const struct entry *e)
{
    struct record r = {.size = 0};
    bool big = e->size >= LIMIT32, far = e->offset >= LIMIT32;
    int extra = (big ? 16 : 0) + (far ? 8 : 0);
    put(&r, CENTRAL_SIG, 4);
    put(&r, MADE_BY_UNIX | VERSION_ZIP64, 2);
    put_common(&r, z, e);
    put(&r, extra ? (uint64_t)extra + 4 : 0, 2);
    put(&r, 0, 2), put(&r, 0, 2), put(&r, 0, 2);
    put(&r, (uint64_t)MODE_FILE << 16, 4);
    put(&r, far ? LIMIT32 : e->offset, 4);
    outfile_write(z->out, r.bytes, r.size);
    outfile_write(z->out, e->name, strlen(e->name));
    if (!extra)
        return;
    r.size = 0;
    put(&r, 1, 2), put(&r, (uint64_t)extra, 2);
    if (big)
        put(&r, e->size, 8), put(&r, e->size, 8);
    if (far)
        put(&r, e->offset, 8);
    outfile_write(z->out, r.bytes, r.size);
}

static void write_end64(struct zip_writer *z, uint64_t start, uint64_t size)
{
    struct record r = {.size = 0};
    uint64_t at = start + size, n = z->entries.count;
    put(&r, END64_SIG, 4), put(&r, 44, 8);
    put(&r, MADE_BY_UNIX | VERSION_ZIP64, 2), put(&r, VERSION_ZIP64, 2);
    put(&r, 0, 4), put(&r, 0, 4);
    put(&r, n, 8), put(&r, n, 8), put(&r, size, 8), put(&r, start, 8);
    put(&r, LOCATOR64_SIG, 4), put(&r, 0, 4), put(&r, at, 8), put(&r, 1, 4);
    outfile_write(z->out, r.bytes, r.size);
}

int zip_writer_end(struct zip_writer *z)
{
    uint64_t start = outfile_offset(z->out) - z->start, n = z->entries.count;
    for (size_t i = 0; i < n; i++)
        write_central(z, &z->entries.data[i]);
    uint64_t size = outfile_offset(z->out) - z->start - start;
    bool big = n >= 0xffff || start >= LIMIT32 || size >= LIMIT32;
    if (big)
        write_end64(z, start, size);
    struct record r = {.size = 0};
    put(&r, END_SIG, 4), put(&r, 0, 4);
    put(&r, big ? 0xffff : n, 2), put(&r, big ? 0xffff : n, 2);
    put(&r, big ? LIMIT32 : size, 4), put(&r, big ? LIMIT32 : start, 4), put(&r, 0, 2);
    int code = outfile_write(z->out, r.bytes, r.size);
    zip_writer_abort(z);
    return code;
}

void zip_writer_abort(struct zip_writer *z)
{
    if (!z)
        return;
    for (size_t i = 0; i < z->entries.count; i++)
        mem_free(z->entries.data[i].name);
    vec_free(&z->entries);
    mem_free(z);
}

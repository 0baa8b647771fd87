/* External data. gen_hostile lays out, beside the models: w.bin (16 bytes), w..bin, sub/w.bin,
 * link.bin -> w.bin, hard.bin (a second link of hard2.bin), fifo, folder, escape.bin ->
 * ../secret.bin, out -> .., evil -> ../in_evil; and outside:
 * ../secret.bin, ../in_evil/w.bin. */
#ifndef TESTS_HOSTILE_EXTERNAL_H
#define TESTS_HOSTILE_EXTERNAL_H
#include "hostile.h"

static void entry(struct out *t, const char *key, const char *value)
{
    struct out e = {0};
    out_text(&e, 1, key);
    out_text(&e, 2, value);
    out_message(t, 13, &e);
}

static void reference(struct out *f, const char *location, const char *offset, const char *length)
{
    struct out t = {0};
    tensor_start(&t, 4);
    if (location)
        entry(&t, "location", location);
    if (offset)
        entry(&t, "offset", offset);
    if (length)
        entry(&t, "length", length);
    out_number(&t, 14, 1);
    with_tensor(f, &t);
}

#define AT(name, location) \
    static void name(struct out *f) { reference(f, location, NULL, "16"); }
AT(good, "w.bin")
AT(good_sub, "sub/w.bin")
AT(dots_in_name, "w..bin")
AT(parent, "../secret.bin")
AT(nested_parent, "sub/../../secret.bin")
AT(absolute, "/etc/passwd")
AT(backslash, "..\\secret.bin")
AT(drive, "C:secret.bin")
AT(no_text, "")
AT(empty_component, "sub//w.bin")
AT(trailing_slash, "sub/")
AT(address, "*/_ORT_MEM_ADDR_/*")
AT(link_inside, "link.bin")
AT(link_outside, "escape.bin")
AT(link_parent, "out/secret.bin")
AT(prefix, "evil/w.bin")
AT(hard_link, "hard.bin")
AT(fifo, "fifo")
AT(folder, "folder")
AT(missing, "missing.bin")
AT(magic_link, "proc/self/root/etc/passwd")

#define RANGE(name, offset, length) \
    static void name(struct out *f) { reference(f, "w.bin", offset, length); }
RANGE(no_length, NULL, NULL)
RANGE(no_length_offset, "4", NULL)
RANGE(offset_negative, "-1", "16")
RANGE(offset_plus, "+1", "16")
RANGE(offset_blank, " 0", "16")
RANGE(offset_hex, "0x0", "16")
RANGE(offset_empty, "", "16")
RANGE(offset_wrap, "18446744073709551616", "16")
RANGE(offset_past, "17", "16")
RANGE(offset_max, "18446744073709551615", "16")
RANGE(length_past, "4", "16")
RANGE(length_negative, "0", "-16")
RANGE(length_petabyte, "0", "1125899906842624")
RANGE(length_other, "0", "12")

static void long_location(struct out *f)
{
    char text[5001];
    memset(text, 'a', 5000);
    text[5000] = '\0';
    reference(f, text, NULL, "16");
}

static void nul_location(struct out *f)
{
    struct out t = {0}, e = {0};
    tensor_start(&t, 4);
    out_text(&e, 1, "location");
    out_bytes(&e, 2, "w.bin\0/../../secret.bin", 23);
    out_message(&t, 13, &e);
    out_number(&t, 14, 1);
    with_tensor(f, &t);
}

static void extra(struct out *f, const char *key, const char *value)
{
    struct out t = {0};
    tensor_start(&t, 4);
    entry(&t, "location", "w.bin");
    entry(&t, key, value);
    out_number(&t, 14, 1);
    with_tensor(f, &t);
}
static void unknown_key(struct out *f) { extra(f, "__class__", "os.system"); }
static void location_twice(struct out *f) { extra(f, "location", "../secret.bin"); }
static void checksum_good(struct out *f)
{
    extra(f, "checksum", "e129f27c5103bc5cc44bcdf0a15e160d445066ff");
}
static void checksum_bad(struct out *f)
{
    extra(f, "checksum", "0000000000000000000000000000000000000000");
}
static void checksum_form(struct out *f) { extra(f, "checksum", "zz"); }

static void with_raw(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    entry(&t, "location", "w.bin");
    raw(&t, 16);
    out_number(&t, 14, 1);
    with_tensor(f, &t);
}

static void of_strings(struct out *f)
{
    struct out t = {0};
    out_number(&t, 1, 4);
    out_number(&t, 2, 8);
    out_text(&t, 8, "w");
    entry(&t, "location", "w.bin");
    out_number(&t, 14, 1);
    with_tensor(f, &t);
}

static void location_enum(struct out *f)
{
    struct out t = {0};
    tensor_start(&t, 4);
    entry(&t, "location", "w.bin");
    out_number(&t, 14, 7);
    with_tensor(f, &t);
}

static void many(struct out *f)
{
    struct out g = {0};
    for (int i = 0; i < 100; i++) {
        struct out t = {0};
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        out_number(&t, 1, 4);
        out_number(&t, 2, 1);
        out_text(&t, 8, name);
        entry(&t, "location", "w.bin");
        out_number(&t, 14, 1);
        out_message(&g, 5, &t);
    }
    sound(&g);
    whole(f, &g);
}

static void in_sparse(struct out *f)
{
    struct out values = {0}, index = {0}, s = {0}, g = {0};
    tensor_start(&values, 4);
    entry(&values, "location", "../secret.bin");
    out_number(&values, 14, 1);
    out_number(&index, 1, 4);
    out_number(&index, 2, 7);
    out_bytes(&index, 7, "\0\1\2\3", 4);
    out_message(&s, 1, &values);
    out_message(&s, 2, &index);
    out_number(&s, 3, 8);
    sound(&g);
    out_message(&g, 15, &s);
    whole(f, &g);
}

static const struct hostile HOSTILE_EXTERNAL[] = {
    {"ext-good", "accept", "", "external data beside the model", good},
    {"ext-sub", "accept", "", "external data in a folder below", good_sub},
    {"ext-dots", "accept", "", "A2: two dots in a name are no parent (onnx issue 7644)",
     dots_in_name},
    {"ext-parent", "refuse E0302", "", "A1 CVE-2022-25882: ../", parent},
    {"ext-parent-quiet", "refuse E0302", "-q", "A1 CVE-2026-28500: --quiet decides nothing",
     parent},
    {"ext-nested-parent", "refuse E0302", "", "A1 CVE-2024-27318: sub/../../", nested_parent},
    {"ext-prefix", "refuse E0310", "", "A1 CVE-2024-5187: a folder whose name begins alike",
     prefix},
    {"ext-absolute", "refuse E0301", "", "A2: an absolute path", absolute},
    {"ext-backslash", "refuse E0303", "", "A2: a backslash", backslash},
    {"ext-drive", "refuse E0303", "", "A2: a drive letter", drive},
    {"ext-empty", "refuse E0300", "", "A2: an empty location", no_text},
    {"ext-empty-part", "refuse E0300", "", "A2: an empty component", empty_component},
    {"ext-trailing", "refuse E0300", "", "A2: a location that ends with a slash", trailing_slash},
    {"ext-long", "refuse E0300", "", "A2: a location of 5000 bytes", long_location},
    {"ext-nul", "refuse E0112", "", "A2: a NUL in the location", nul_location},
    {"ext-address", "refuse E0304", "", "A1 ONNX Runtime PR 28709: an address in memory", address},
    {"ext-link-inside", "accept", "", "A2: hub follows links that stay", link_inside},
    {"ext-link-strict", "refuse E0311", "--external strict",
     "A1 CVE-2026-27489: strict follows none", link_inside},
    {"ext-link-outside", "refuse E0310", "", "A1 CVE-2026-27489: a link to another folder",
     link_outside},
    {"ext-link-parent", "refuse E0310", "", "A1 CVE-2026-34447: a folder that is a link",
     link_parent},
    {"ext-hard-hub", "warn E0314", "", "A1 CVE-2026-34446: a second hard link", hard_link},
    {"ext-hard-strict", "refuse E0313", "--external strict", "A1 CVE-2026-34446: strict",
     hard_link},
    {"ext-fifo", "refuse E0312", "", "A2: a FIFO must not hang", fifo},
    {"ext-folder", "refuse E0312", "", "A2: a folder", folder},
    {"ext-missing", "refuse E0309", "", "A2: no such file", missing},
    {"ext-magic", "refuse E0309", "", "A2: /proc links", magic_link},
    {"ext-no-length", "accept", "", "A2: the rest of the file, when it fits", no_length},
    {"ext-no-length-offset", "refuse E0315", "", "A2: the rest of the file is too short",
     no_length_offset},
    {"ext-offset-negative", "refuse E0305", "", "A1 onnx-tensorrt: a negative offset",
     offset_negative},
    {"ext-offset-plus", "refuse E0305", "", "A2: a sign", offset_plus},
    {"ext-offset-blank", "refuse E0305", "", "A2: a blank", offset_blank},
    {"ext-offset-hex", "refuse E0305", "", "A2: hexadecimal", offset_hex},
    {"ext-offset-empty", "refuse E0305", "", "A2: no digits", offset_empty},
    {"ext-offset-wrap", "refuse E0305", "", "A2: 2^64", offset_wrap},
    {"ext-offset-past", "refuse E0315", "", "A1 onnx-tensorrt: an offset past the end",
     offset_past},
    {"ext-offset-max", "refuse E0315", "", "A2: an offset that would wrap with the length",
     offset_max},
    {"ext-length-past", "refuse E0315", "", "A1 onnx-tensorrt: a length past the end", length_past},
    {"ext-length-negative", "refuse E0305", "", "A1 CVE-2026-34445: a negative length",
     length_negative},
    {"ext-length-petabyte", "refuse E0306", "", "A1 CVE-2026-34445: a length of a petabyte",
     length_petabyte},
    {"ext-length-other", "refuse E0306", "", "A2: a length that its dims do not want",
     length_other},
    {"ext-unknown-key", "warn E0307", "", "A1 CVE-2026-34445: keys are a whitelist", unknown_key},
    {"ext-twice", "refuse E0308", "", "A2: two locations", location_twice},
    {"ext-checksum", "accept", "", "A2: the right SHA-1", checksum_good},
    {"ext-checksum-bad", "refuse E0316", "", "A2: a wrong SHA-1", checksum_bad},
    {"ext-checksum-form", "refuse E0305", "", "A2: no SHA-1 at all", checksum_form},
    {"ext-and-raw", "refuse E0122", "", "A2: external and raw_data", with_raw},
    {"ext-strings", "refuse E0121", "", "A2: external strings", of_strings},
    {"ext-enum", "refuse E0115", "", "A3: data_location 7", location_enum},
    {"ext-many", "refuse E0317", "", "A2: 100 tensors claim the same 16 bytes", many},
    {"ext-sparse", "refuse E0302", "", "A4: external data inside a sparse tensor", in_sparse},
    {0}};
#endif

/* gen_big single|external OUT.onnx [MIB]: a large model that runs: y = relu(x) + w0 + w1 + ...,
 * with Identity nodes in between for a pass to remove. single: 1800 MiB of weights as raw_data in
 * one file, which ends below the 2 GiB of protocol buffers; external: 3072 MiB in OUT.data beside
 * it. Weights are pseudo-random bytes with small exponents, so that neither a file system nor a
 * hash finds an easy way out. */
#include "wire_out.h"

enum { TENSOR_MIB = 64, MIB = 1 << 20, CHUNK = MIB, FLOATS = TENSOR_MIB * MIB / 4 };

static uint64_t state = 88172645463325252u; /* xorshift64, Marsaglia 2003 */

static void fill(uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        words[i] =
            (state & 0xbfffffffbfffffffu) | 0x3000000030000000u; /* |x| in [2^-31, 2): never NaN */
    }
}

static int write_weights(FILE *f)
{
    static uint64_t words[CHUNK / 8];
    for (int i = 0; i < TENSOR_MIB; i++) {
        fill(words, CHUNK / 8);
        if (fwrite(words, 1, CHUNK, f) != CHUNK)
            return -1;
    }
    return 0;
}

static const char *numbered(const char *stem, int i)
{
    static char names[4][32];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "%s%d", stem, i);
    return name;
}

/* The tensor up to its data. raw: the payload itself is written by the caller. */
static void tensor_head(struct out *t, int i, const char *location)
{
    out_number(t, 1, FLOATS);
    out_number(t, 2, 1);
    out_text(t, 8, numbered("w", i));
    if (!location) {
        out_tag(t, 9, 2);
        out_varint(t, (uint64_t)TENSOR_MIB * MIB);
        return;
    }
    const char *keys[] = {"location", "offset", "length"};
    char numbers[2][24];
    const char *values[] = {location, numbers[0], numbers[1]};
    snprintf(numbers[0], sizeof numbers[0], "%llu", (unsigned long long)i * TENSOR_MIB * MIB);
    snprintf(numbers[1], sizeof numbers[1], "%llu", (unsigned long long)TENSOR_MIB * MIB);
    for (int k = 0; k < 3; k++) {
        struct out entry = {0};
        out_text(&entry, 1, keys[k]);
        out_text(&entry, 2, values[k]);
        out_message(t, 13, &entry);
    }
    out_number(t, 14, 1);
}

static void nodes(struct out *graph, int count)
{
    out_node(graph, "Relu", "x", NULL, "s0");
    for (int i = 0; i < count; i++) {
        out_node(graph, "Identity", numbered("s", i), NULL, numbered("t", i));
        out_node(graph, "Add", numbered("t", i), numbered("w", i),
                 i + 1 < count ? numbered("s", i + 1) : "y");
    }
}

/* graph = nodes, name, initializers, inputs and outputs; in one file the initializers are streamed.
 */
static int write_model(const char *path, int count, const char *location)
{
    struct out head = {0}, tail = {0}, tensors[512] = {{0}}, file = {0}, set = {0};
    uint64_t raw = location ? 0 : (uint64_t)TENSOR_MIB * MIB, size = 0;
    nodes(&head, count);
    out_text(&head, 2, "big");
    for (int i = 0; i < count; i++) {
        struct out t = {0};
        tensor_head(&t, i, location);
        out_tag(&tensors[i], 5, 2);
        out_varint(&tensors[i], t.size + raw);
        out_put(&tensors[i], t.data, t.size);
        size += tensors[i].size + raw;
        free(t.data);
    }
    out_value(&tail, 11, "x", FLOATS);
    out_value(&tail, 12, "y", FLOATS);
    out_number(&file, 1, 8);
    out_text(&set, 1, "");
    out_number(&set, 2, 13);
    out_message(&file, 8, &set);
    out_tag(&file, 7, 2);
    out_varint(&file, head.size + size + tail.size);
    FILE *f = fopen(path, "wb");
    int bad = !f;
    bad = bad || fwrite(file.data, 1, file.size, f) != file.size ||
          fwrite(head.data, 1, head.size, f) != head.size;
    for (int i = 0; !bad && i < count; i++)
        bad = fwrite(tensors[i].data, 1, tensors[i].size, f) != tensors[i].size ||
              (raw && write_weights(f));
    bad = bad || fwrite(tail.data, 1, tail.size, f) != tail.size;
    for (int i = 0; i < count; i++)
        free(tensors[i].data);
    free(head.data);
    free(tail.data);
    free(file.data);
    return (f && fclose(f)) || bad ? -1 : 0;
}

static int write_data(const char *path, int count)
{
    FILE *f = fopen(path, "wb");
    int bad = !f;
    for (int i = 0; !bad && i < count; i++)
        bad = write_weights(f);
    return (f && fclose(f)) || bad ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4 || (strcmp(argv[1], "single") && strcmp(argv[1], "external"))) {
        fprintf(stderr, "usage: gen_big single|external OUT.onnx [MIB]\n");
        return 64;
    }
    int external = !strcmp(argv[1], "external");
    long mib = argc == 4 ? strtol(argv[3], NULL, 10) : external ? 3072 : 1792;
    int count = (int)(mib / TENSOR_MIB);
    if (count < 1 || count > 512)
        return 64;
    char data[4096];
    snprintf(data, sizeof data, "%.*s.data",
             (int)(strlen(argv[2]) - (strstr(argv[2], ".onnx") ? 5 : 0)), argv[2]);
    const char *base = strrchr(data, '/') ? strrchr(data, '/') + 1 : data;
    int bad = write_model(argv[2], count, external ? base : NULL) ||
              (external && write_data(data, count));
    if (bad)
        perror(argv[2]);
    return bad ? 74 : 0;
}

/* gen_hostile DIR: writes DIR/in/NAME.onnx for every case of the tables, with what the external
 * ones refer to, and prints the table: name, verdict, identifier or "-", options or "-", what it
 * is; separated by tabs. tests/cli/hostile.sh holds npuprep against it. */
#include "../hostile/hostile.h"
#include "../hostile/hostile_external.h"
#include "../hostile/hostile_graph.h"
#include "../hostile/hostile_tensor.h"
#include "../hostile/hostile_wire.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the sound model ---- */

static void whole(struct out *file, struct out *graph) { out_model(file, 10, 17, graph); }

static void ends(struct out *graph)
{
    out_text(graph, 2, "g");
    out_value(graph, 11, "x", 4);
    out_value(graph, 12, "y", 4);
}

static void tensor_start(struct out *tensor, uint64_t dim)
{
    out_number(tensor, 1, dim);
    out_number(tensor, 2, 1);
    out_text(tensor, 8, "w");
}

static void raw(struct out *tensor, size_t size)
{
    static const char zeros[64];
    out_bytes(tensor, 9, zeros, size);
}

static void weight(struct out *graph)
{
    struct out t = {0};
    tensor_start(&t, 4);
    raw(&t, 16);
    out_message(graph, 5, &t);
}

static void sound(struct out *graph)
{
    out_node(graph, "Add", "x", "w", "y");
    weight(graph);
    ends(graph);
}

static void with_tensor(struct out *file, struct out *tensor)
{
    struct out graph = {0};
    out_node(&graph, "Add", "x", "w", "y");
    out_message(&graph, 5, tensor);
    ends(&graph);
    whole(file, &graph);
}

/* ---- what external data refers to ---- */

static int bytes_at(const char *path)
{
    struct out sixteen = {0};
    out_put(&sixteen, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    int bad = out_save(&sixteen, path);
    free(sixteen.data);
    return bad;
}

static int lay_out(void)
{
    int bad = mkdir("in", 0755) || mkdir("in_evil", 0755) || mkdir("in/sub", 0755) ||
              mkdir("in/folder", 0755);
    bad = bad || bytes_at("secret.bin") || bytes_at("in_evil/w.bin") || bytes_at("in/w.bin") ||
          bytes_at("in/w..bin");
    bad = bad || bytes_at("in/sub/w.bin") || bytes_at("in/hard.bin") ||
          link("in/hard.bin", "in/hard2.bin");
    bad = bad || symlink("w.bin", "in/link.bin") || symlink("../secret.bin", "in/escape.bin");
    bad = bad || symlink("..", "in/out") || symlink("../in_evil", "in/evil") ||
          mkfifo("in/fifo", 0644);
    return bad;
}

static int write_case(const struct hostile *h)
{
    struct out file = {0};
    char path[300], verdict[16] = "", id[16] = "-";
    h->make(&file);
    snprintf(path, sizeof path, "in/%s.onnx", h->name);
    int bad = out_save(&file, path);
    free(file.data);
    sscanf(h->expect, "%15s %15s", verdict, id);
    printf("%s\t%s\t%s\t%s\t%s\n", h->name, verdict, id, h->options[0] ? h->options : "-", h->what);
    return bad;
}

int main(int argc, char **argv)
{
    static const struct hostile *const TABLES[] = {HOSTILE_WIRE, HOSTILE_TENSOR, HOSTILE_GRAPH,
                                                   HOSTILE_EXTERNAL};
    if (argc != 2 || chdir(argv[1])) {
        fprintf(stderr, "usage: gen_hostile DIR (an empty folder)\n");
        return 64;
    }
    int bad = lay_out();
    for (size_t t = 0; !bad && t < sizeof TABLES / sizeof *TABLES; t++)
        for (const struct hostile *h = TABLES[t]; !bad && h->name; h++)
            bad = write_case(h);
    if (bad)
        fprintf(stderr, "gen_hostile: %s\n", strerror(errno));
    return bad ? 74 : 0;
}

/* Rows of the sample options and their way into struct samples_options. */
#include "cmd/options_samples.h"

#include <string.h>

#include "base/text.h"

struct sample_options {
    struct opt_list data;
    const char *data_format;
    double image_scale;
    const char *image_mean, *image_std, *image_size;
    int image_order, image_resize;
    int64_t limit;
    const char *shuffle;
    int on_bad_sample;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct sample_options, data), .name = "data", .kind = OPT_LIST, .value = "PATH",
     .complete = COMPLETE_FILE,
     .help = "samples: .npz, .npy, a folder of either, an ONNX test folder, a folder of pictures, an "
             "input list, or random:N[:SEED]; repeatable"},
    {OPT_AT(struct sample_options, data_format), .name = "data-format", .kind = OPT_TEXT,
     .value = "NAME",
     .help = "read --data as this format instead of recognising it ('npuprep list formats')"},
    {OPT_AT(struct sample_options, image_scale), .name = "image-scale", .kind = OPT_NUMBER,
     .value = "X", .initial = "0", .low = 0, .high = 1e6,
     .help =
         "pictures become (pixel / X - mean) / std; 0: 255 for float inputs, 1 for integer ones"},
    {OPT_AT(struct sample_options, image_mean), .name = "image-mean", .kind = OPT_TEXT,
     .value = "A[,B,C]", .initial = "0", .help = "mean, one for all channels or one for each"},
    {OPT_AT(struct sample_options, image_std), .name = "image-std", .kind = OPT_TEXT,
     .value = "A[,B,C]", .initial = "1", .help = "standard deviation, likewise"},
    {OPT_AT(struct sample_options, image_order), .name = "image-order", .kind = OPT_CHOICE,
     .value = "ORDER", .choices = "rgb|bgr", .initial = "rgb",
     .help = "order of the input's channels: rgb or bgr"},
    {OPT_AT(struct sample_options, image_size), .name = "image-size", .kind = OPT_TEXT,
     .value = "H[xW]", .help = "size of the pictures where the input leaves it open"},
    {OPT_AT(struct sample_options, image_resize), .name = "image-resize", .kind = OPT_CHOICE,
     .value = "HOW", .choices = "crop|stretch|pad", .initial = "crop",
     .help = "crop, stretch or pad pictures of another size"},
    {OPT_AT(struct sample_options, limit), .name = "limit", .kind = OPT_INT, .value = "N",
     .initial = "-1", .low = -1, .high = 1e15, .help = "use at most N samples; -1: all"},
    {OPT_AT(struct sample_options, shuffle), .name = "shuffle", .kind = OPT_TEXT, .value = "SEED",
     .help = "visit the samples in a random order that the number SEED fixes"},
    {OPT_AT(struct sample_options, on_bad_sample), .name = "on-bad-sample", .kind = OPT_CHOICE,
     .value = "WHAT", .choices = "stop|skip", .initial = "stop",
     .help = "stop at a sample that cannot be read, or skip it with a warning"},
    {0}};
const struct opt_group SAMPLE_OPTIONS = {"Sample options", ROWS, sizeof(struct sample_options)};

static int bad_value(struct cmd *cmd, const char *option, const char *text, const char *expected)
{
    return diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL, "%s: '%s' given, expected %s", option,
                       text, expected);
}

/* One number for all channels, or three. */
static int parse_channels(struct cmd *cmd, const char *option, const char *text, float values[3])
{
    char *rest = arena_string(cmd->arena, text);
    double number;
    int n = 0;
    for (char *item; (item = strsep(&rest, ","));) {
        if (n == 3 || !text_double(item, &number) || !(number > -1e30 && number < 1e30))
            return bad_value(cmd, option, text, "a number or three, such as 0.485,0.456,0.406");
        values[n++] = (float)number;
    }
    if (n == 2)
        return bad_value(cmd, option, text, "one number or three");
    if (n == 1)
        values[1] = values[2] = values[0];
    return 0;
}

static int parse_std(struct cmd *cmd, const char *text, float values[3])
{
    int code = parse_channels(cmd, "--image-std", text, values);
    if (code)
        return code;
    bool positive = values[0] > 0 && values[1] > 0 && values[2] > 0;
    return positive ? 0 : bad_value(cmd, "--image-std", text, "numbers above 0");
}

static int parse_image_size(struct cmd *cmd, const char *text, int64_t *height, int64_t *width)
{
    if (!text)
        return 0;
    char *rest = arena_string(cmd->arena, text);
    const char *first = strsep(&rest, "x"), *second = rest ? rest : first;
    if (text_int(first, height) && text_int(second, width) && *height > 0 && *width > 0)
        return 0;
    return bad_value(cmd, "--image-size", text, "H or HxW");
}

static int parse_image(struct cmd *cmd, const struct sample_options *o, struct image_options *image)
{
    image->scale = (float)o->image_scale;
    image->bgr = o->image_order == 1;
    image->resize = (enum image_resize)o->image_resize;
    int code = parse_channels(cmd, "--image-mean", o->image_mean, image->mean);
    if (!code)
        code = parse_std(cmd, o->image_std, image->std);
    return code ? code : parse_image_size(cmd, o->image_size, &image->height, &image->width);
}

static int parse_shuffle(struct cmd *cmd, const char *text, struct samples_options *out)
{
    int64_t seed = 0;
    out->shuffle = text != NULL;
    if (text && (!text_int(text, &seed) || seed < 0))
        return bad_value(cmd, "--shuffle", text, "an integer >= 0");
    out->seed = (uint64_t)seed;
    return 0;
}

static int add_inputs(struct cmd *cmd, const struct opt_list *paths)
{
    int code = 0;
    for (size_t i = 0; i < paths->count && !code; i++)
        if (strncmp(paths->items[i], "random:", 7) != 0)
            code = cmd_input(cmd, paths->items[i]);
    return code;
}

int sample_options_get(struct cmd *cmd, struct samples_options *out)
{
    const struct sample_options *o = cmd_options(cmd, &SAMPLE_OPTIONS);
    *out = (struct samples_options){
        .paths = o->data.items,
        .n_paths = o->data.count,
        .format = o->data_format,
        .limit = o->limit,
        .skip_bad = o->on_bad_sample == 1,
    };
    int code = parse_image(cmd, o, &out->image);
    if (!code)
        code = parse_shuffle(cmd, o->shuffle, out);
    return code ? code : add_inputs(cmd, &o->data);
}

int cmd_need_data(struct cmd *cmd)
{
    return diag_report_hint(cmd->ctx->diag, E_USAGE, NULL,
                            "add --data PATH, or --data random:8 to try the command",
                            "%s needs samples", cmd->command->name);
}

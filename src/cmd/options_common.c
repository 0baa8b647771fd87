/* Rows of the common options. Defaults with a reason: --max-nodes 1000000 is ten times the largest
 * graph we know of (language models unrolled by layer, about 10^5 nodes) and keeps a hostile file
 * of empty nodes under a gigabyte. */
#include "cmd/options_common.h"

static const struct opt ROWS[] = {
    {OPT_AT(struct common_options, output), .name = "output", .letter = 'o', .kind = OPT_TEXT,
     .value = "PATH", .complete = COMPLETE_FILE,
     .help = "where the result goes; '-' is standard output"},
    {OPT_AT(struct common_options, force), .name = "force", .letter = 'f',
     .help = "replace an existing output"},
    {OPT_AT(struct common_options, json), .name = "json", .kind = OPT_MAYBE, .value = "FILE",
     .complete = COMPLETE_FILE,
     .help = "one JSON document instead of text on standard output; with =FILE in that file"},
    {OPT_AT(struct common_options, threads), .name = "threads", .letter = 't', .kind = OPT_INT,
     .value = "N", .initial = "0", .low = 0, .high = 1024,
     .help = "threads; 0: what affinity, cgroup and SLURM_CPUS_PER_TASK allow"},
    {OPT_AT(struct common_options, max_memory), .name = "max-memory", .kind = OPT_SIZE,
     .value = "SIZE", .initial = "0",
     .help =
         "limit of the heap, such as 512M or 4G; 0: four fifths of the machine's or the cgroup's"},
    {OPT_AT(struct common_options, max_nodes), .name = "max-nodes", .kind = OPT_INT, .value = "N",
     .initial = "1000000", .low = 0, .high = 1e15,
     .help = "refuse models with more nodes; 0: no limit"},
    {OPT_AT(struct common_options, timeout), .name = "timeout", .kind = OPT_NUMBER,
     .value = "SECONDS", .initial = "0", .low = 0, .high = 1e9,
     .help = "stop after so many seconds; 0: never"},
    {OPT_AT(struct common_options, quiet), .name = "quiet", .letter = 'q',
     .help = "errors only on standard error"},
    {OPT_AT(struct common_options, verbose), .name = "verbose", .letter = 'v', .kind = OPT_COUNT,
     .high = 9, .help = "say more; twice: everything"},
    {OPT_AT(struct common_options, color), .name = "color", .kind = OPT_CHOICE, .value = "WHEN",
     .choices = "auto|always|never", .initial = "auto",
     .help = "colour: auto, always or never; NO_COLOR is respected"},
    {OPT_AT(struct common_options, config), .name = "config", .kind = OPT_TEXT,
     .value = "FILE.json", .complete = COMPLETE_FILE,
     .help = "options from a file; its keys are long option names"},
    {OPT_AT(struct common_options, print_config), .name = "print-config",
     .help = "show every option's value and where it comes from, and stop"},
    {OPT_AT(struct common_options, dry_run), .name = "dry-run",
     .help = "say what would be read and written, and stop"},
    {OPT_AT(struct common_options, external), .name = "external", .kind = OPT_CHOICE,
     .value = "MODE", .choices = "hub|strict", .initial = "hub",
     .help =
         "external data: hub follows links that stay in the model's folder, strict follows none"},
    {OPT_AT(struct common_options, external_root), .name = "external-root", .kind = OPT_LIST,
     .value = "DIR", .complete = COMPLETE_FOLDER,
     .help = "external data may also lie below this folder; repeatable"},
    {OPT_AT(struct common_options, allow_nonfinite), .name = "allow-nonfinite",
     .help = "NaN and infinities in weights and samples: warn instead of refusing"},
    {OPT_AT(struct common_options, hash), .name = "hash",
     .help = "add the SHA-256 of each input to --json"},
    {OPT_AT(struct common_options, help), .name = "help", .letter = 'h', .help = "this text"},
    {0}};

const struct opt_group COMMON_OPTIONS = {"Common options", ROWS, sizeof(struct common_options)};

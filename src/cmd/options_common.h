/* The options every command has. */
#ifndef CMD_OPTIONS_COMMON_H
#define CMD_OPTIONS_COMMON_H
#include "base/opt.h"

struct common_options {
    const char *output; /* -o; NULL: not given */
    bool force;
    const char *json;    /* NULL: no; "": stdout; else a file */
    int64_t threads;     /* 0: what the system allows */
    uint64_t max_memory; /* 0: four fifths of what the machine or its cgroup has */
    int64_t max_nodes;
    double timeout; /* seconds; 0: none */
    bool quiet;
    int64_t verbose;
    int color; /* enum color of base/log.h: same order */
    const char *config;
    bool print_config, dry_run;
    int external; /* enum external_mode of base/ctx.h: same order */
    struct opt_list external_root;
    bool allow_nonfinite, hash, help;
};

extern const struct opt_group COMMON_OPTIONS;
#endif

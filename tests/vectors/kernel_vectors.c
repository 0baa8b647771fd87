/* kernel_vectors DIR: runs every .npz vector file of DIR through the integer kernels in the mode
 * that goes with it and compares all outputs exactly. Prints what differs and "N passed, M failed";
 * exit 1 when anything failed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static const struct family *const FAMILIES[] = {
    &FAMILY_NET,
    &FAMILY_LSTM,
    &FAMILY_SVDF,
    &FAMILY_BATCH_MATMUL,
    &FAMILY_SOFTMAX,
    &FAMILY_MIN_MAX,
    &FAMILY_ADD_MUL,
    &FAMILY_POOL,
    &FAMILY_TRANSPOSE_CONV,
    &FAMILY_FULLY_CONNECTED,
    &FAMILY_CONV,
    &FAMILY_TRANSPOSE,
};

static bool run_file(const char *path)
{
    struct vectors v;
    bool good = vectors_read(&v, path);
    const struct family *family = NULL;
    for (size_t i = 0; good && !family && i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
        if (FAMILIES[i]->match(&v))
            family = FAMILIES[i];
    if (good && !family)
        printf("%s: no family of kernels has these keys\n", path);
    good = good && family && family->run(&v);
    vectors_free(&v);
    return good;
}

static int npz_only(const struct dirent *e)
{
    size_t size = strlen(e->d_name);
    return size > 4 && !strcmp(e->d_name + size - 4, ".npz");
}

int main(int argc, char **argv)
{
    struct dirent **list;
    int count = argc == 2 ? scandir(argv[1], &list, npz_only, alphasort) : -1, failed = 0;
    if (count < 0)
        return fprintf(stderr, "usage: kernel_vectors DIR\n"), 64;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], list[i]->d_name);
        failed += !run_file(path);
        free(list[i]);
    }
    free(list);
    printf("%d passed, %d failed\n", count - failed, failed);
    return failed > 0;
}

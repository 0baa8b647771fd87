/* Path text. No file system access. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

char *path_join(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    bool slash = a > 0 && folder[a - 1] != '/';
    char *path = mem_alloc(a + slash + b + 1);
    memcpy(path, folder, a);
    if (slash)
        path[a] = '/';
    memcpy(path + a + slash, name, b);
    return path;
}

/* Length of path without trailing slashes; "/" keeps its one. */
static size_t trimmed(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

char *path_folder(const char *path)
{
    size_t n = trimmed(path);
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    const char *from = n ? path : ".";
    n = n ? n : 1;
    char *folder = mem_alloc(n + 1);
    memcpy(folder, from, n);
    return folder;
}

const char *path_base(const char *path)
{
    size_t n = trimmed(path);
    while (n > 0 && path[n - 1] != '/')
        n--;
    return path + n;
}

bool path_has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && !strcmp(path + n - m, suffix);
}

/* The default of --max-memory. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/frame.h"

/* A number in a small file of the kernel; UINT64_MAX for "max", none, or no such file. */
static uint64_t read_limit(const char *path)
{
    char line[64];
    int64_t bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return UINT64_MAX;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    line[n < 0 ? 0 : n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return text_int(line, &bytes) && bytes > 0 ? (uint64_t)bytes : UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t limit_default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
    bytes = least(bytes, read_limit("/sys/fs/cgroup/memory.max"));                   /* v2 */
    bytes = least(bytes, read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes")); /* v1 */
    return bytes == UINT64_MAX ? 0 : bytes / 5 * 4;
}

/* How many threads this process may use. */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/text.h"

/* The first line of a small file of the kernel; false when there is none. */
static bool read_line(const char *path, char *line, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, line, size - 1);
    close(fd);
    line[n < 0 ? 0 : n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return n > 0;
}

static int at_most(int threads, int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return threads;
    int64_t whole = (quota + period - 1) / period; /* 1.5 CPUs: two threads */
    return whole < threads ? (int)whole : threads;
}

/* cgroup v2 cpu.max: "QUOTA PERIOD" in microseconds, or "max PERIOD" (kernel:
 * admin-guide/cgroup-v2). */
static int limit_v2(int threads, const char *folder)
{
    char path[512], line[128];
    int64_t quota, period;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    if (!read_line(path, line, sizeof line))
        return threads;
    char *space = strchr(line, ' ');
    if (!space)
        return threads;
    *space = '\0';
    return text_int(line, &quota) && text_int(space + 1, &period) ? at_most(threads, quota, period)
                                                                  : threads;
}

static int limit_v1(int threads)
{
    char quota_text[64], period_text[64];
    int64_t quota, period;
    if (!read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota_text, sizeof quota_text) ||
        !read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period_text, sizeof period_text))
        return threads;
    return text_int(quota_text, &quota) && text_int(period_text, &period)
               ? at_most(threads, quota, period)
               : threads;
}

/* The process's own group and all above it: /proc/self/cgroup has the line "0::/a/b". */
static int limit_groups(int threads)
{
    char line[384];
    threads = limit_v1(limit_v2(threads, ""));
    if (!read_line("/proc/self/cgroup", line, sizeof line) || strncmp(line, "0::/", 4) != 0)
        return threads;
    for (char *folder = line + 3; strlen(folder) > 1; *strrchr(folder, '/') = '\0')
        threads = limit_v2(threads, folder);
    return threads;
}

static int from_affinity(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than 1024 CPUs */
    return online > 0 ? (int)online : 1;
}

int pool_allowed_threads(void)
{
    int threads = limit_groups(from_affinity());
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    int64_t cpus;
    if (slurm && text_int(slurm, &cpus))
        threads = at_most(threads, cpus, 1);
    return threads < 1 ? 1 : threads;
}

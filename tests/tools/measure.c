/* measure COMMAND...: runs it and prints "STATUS MILLISECONDS KILOBYTES CPU" (elapsed time, largest
 * resident set, milliseconds of processor time, which do not depend on what else runs) on file descriptor 3, or on standard error when 3 is closed. A signal N counts as status 128 + N. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

int main(int argc, char **argv)
{
    int status = 0;
    struct rusage use;
    if (argc < 2)
        return 64;
    double began = now();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid)
        return 70;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    double cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
                 (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-3;
    dprintf(fcntl(3, F_GETFD) >= 0 ? 3 : 2, "%d %.0f %ld %.0f\n", code, now() - began,
            use.ru_maxrss, cpu);
    return 0;
}

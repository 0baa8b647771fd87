/* How the process ends when it does not end by itself. The first Ctrl-C (SIGTERM, SIGHUP) asks the
 * running command to stop at the next sample; the second removes temporaries and ends at once, as
 * do SIGPIPE and crashes. Only async-signal-safe calls in handlers.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cmd/frame.h"

enum { ALTERNATE_STACK = 64 * 1024, INTERRUPTED_STATUS = 130 };
static const double GRACE = 1; /* seconds to end in order, through ctx_check */

static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n; /* nobody left to tell */
}

static void on_stop(int number)
{
    int saved = errno;
    if (ctx_interrupted()) {
        cleanup_run();
        _exit(INTERRUPTED_STATUS);
    }
    ctx_interrupt();
    if (number == SIGINT)
        say("\nnpuprep: stopping after the current step; once more stops at once\n");
    errno = saved;
}

/* The reader of our output has gone: quiet, with the status the shell expects. */
static void on_pipe(int number)
{
    cleanup_run();
    signal(number, SIG_DFL);
    raise(number);
}

static void on_crash(int number)
{
    (void)number;
    cleanup_run();
    say("npuprep: error E0001: internal error, the process crashed\n"
        "hint: this is a defect of npuprep: please report it with the command line and the "
        "model\n");
    _exit(EXIT_INTERNAL);
}

/* Mostly bookkeeping that is small beside the model: what happened is that the limit is too near.
 */
static void on_no_memory(size_t bytes)
{
    char text[256];
    cleanup_run();
    snprintf(
        text, sizeof text,
        "npuprep: error E0003: %zu more bytes are needed, %zu are in use, --max-memory is %zu\n"
        "hint: raise --max-memory, or lower --threads\n",
        bytes, mem_in_use(), mem_limit());
    say(text);
    _exit(EXIT_LIMIT);
}

/* A step that does not look at the clock is ended by this one. */
static void on_late(int number)
{
    (void)number;
    cleanup_run();
    say("npuprep: error E0005: the time given by --timeout is over\n"
        "hint: raise --timeout\n");
    _exit(EXIT_LIMIT);
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* A sanitizer's own report is worth more than ours. */
static bool has_sanitizer(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||
           __has_feature(memory_sanitizer);
#else
    return false;
#endif
}

void signals_install(void)
{
    static char stack[ALTERNATE_STACK]; /* a stack overflow is reported from here */
    const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    mem_set_panic(on_no_memory);
    handle(SIGINT, on_stop, SA_RESTART);
    handle(SIGTERM, on_stop, SA_RESTART);
    handle(SIGHUP, on_stop, SA_RESTART);
    handle(SIGPIPE, on_pipe, 0);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit shows as a write error, like a full disk */
    if (has_sanitizer())
        return;
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        handle(crashes[i], on_crash, SA_ONSTACK | (int)SA_RESETHAND);
}

void signals_limit_time(double seconds)
{
    double end = seconds + GRACE;
    struct itimerval timer = {.it_value = {.tv_sec = (time_t)end}};
    timer.it_value.tv_usec = (suseconds_t)((end - (double)timer.it_value.tv_sec) * 1e6);
    handle(SIGALRM, on_late, 0);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* shim_run.c: one command of a step, its output and its end. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "engine/attempt.h"
#include "engine/shim_internal.h"

enum { LOOK_MS = 200, NICENESS = 19, DRAIN_MS = 1000, CANNOT_START = 127 };

static void limit(__rlimit_resource_t resource, int64_t value)
{
    struct rlimit limits = {(rlim_t)value, (rlim_t)value};

    if (value > 0)
        setrlimit(resource, &limits);
}

/* The tokens and names of whoever started the shim are none of the step's business; one that its
 * stage names itself is. */
static void set_environment(const Shim *shim)
{
    static const char *const own[] = {"MLFLOW_TRACKING_TOKEN", "SLIPWAY_TOKEN"};
    static const char *const foreign[] = {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"};

    for (size_t i = 0; i < COUNT(foreign); i++)
        unsetenv(foreign[i]);
    for (size_t i = 0; i < COUNT(own); i++)
        setenv(own[i], shim->token, 1);
    for (JsonWalk walk = json_walk(shim->spec.environment); json_walk_next(&walk);)
        setenv(walk.key, json_as_text(walk.value, ""), 1);
    setenv("SLIPWAY_ATTEMPT_KEY", shim->spec.key, 1);
}

/* The child's side, up to the program. RLIMIT_DATA counts what a process takes for itself, and not
 * the address space, of which some languages reserve a hundred times what they use. */
static void NORETURN become(const Shim *shim, const char *const arguments[], int output)
{
    const char *folder = arena_format(shim->arena, "%s/%s", shim->work, shim->spec.folder);
    int input = open("/dev/null", O_RDONLY);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    limit(RLIMIT_DATA, shim->spec.memory_bytes);
    limit(RLIMIT_NOFILE, shim->spec.files_max);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    set_environment(shim);
    if (chdir(folder) == 0)
        execvp(arguments[0], (char **)(uintptr_t)arguments);
    dprintf(STDERR_FILENO, "could not start %s: %s\n", arguments[0], strerror(errno));
    _exit(CANNOT_START);
}

/* Reads what is there; false at the end of the stream. */
static bool drain(Shim *shim, int output)
{
    char buffer[65536];
    ssize_t got = read(output, buffer, sizeof(buffer));

    if (got > 0)
        shim_log_output(shim, buffer, (size_t)got);
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void end_group(const Shim *shim, pid_t child, int64_t *kill_at_us)
{
    bool is_time = *kill_at_us && time_monotonic_us() >= *kill_at_us;

    if (is_time || shim->spec.grace_ms == 0)
        kill(-child, SIGKILL);
    else if (!*kill_at_us)
        kill(-child, SIGTERM);
    if (!*kill_at_us)
        *kill_at_us = time_monotonic_us() + shim->spec.grace_ms * 1000;
}

/* Hands on the output until the child has ended. */
static int follow(Shim *shim, pid_t child, int output)
{
    CLEANUP(file_close) int process = pidfd_open(child, 0);
    struct pollfd files[] = {{.fd = output, .events = POLLIN}, {.fd = process, .events = POLLIN}};
    int64_t kill_at_us = 0;
    int status = 0;

    while (waitpid(child, &status, WNOHANG) != child) {
        poll(files, COUNT(files), LOOK_MS);
        if (files[0].revents && !drain(shim, output))
            files[0].fd = -1;
        if (shim_look(shim) != SHIM_GOES_ON)
            end_group(shim, child, &kill_at_us);
    }
    return status;
}

/* What is still in the pipe. A process that the step left behind may hold it open: what such a one
 * prints after a second is nobody's. */
static void read_rest(Shim *shim, int output)
{
    int64_t until_us = time_monotonic_us() + DRAIN_MS * INT64_C(1000);
    struct pollfd file = {.fd = output, .events = POLLIN};

    while (time_monotonic_us() < until_us && poll(&file, 1, 0) > 0 && drain(shim, output))
        ;
    shim_log_rest(shim);
}

/* The shim is the parent of all that the step left (it asked to be), so it can tell. */
static void end_rest(const Shim *shim, pid_t child)
{
    kill(-child, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    if (errno == ECHILD)
        return;
    attempt_kill_processes(shim->spec.key);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static void judge(const Shim *shim, int status, ShimOutcome *outcome)
{
    outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (outcome->signal)
        outcome->reason =
            arena_format(shim->arena, "it was ended by signal %d%s", outcome->signal,
                         outcome->signal == SIGKILL ? " (killed, or out of memory)" : "");
    else if (outcome->exit_code)
        outcome->reason = arena_format(shim->arena, "it ended with status %d", outcome->exit_code);
    outcome->outcome = outcome->reason ? "failed" : "succeeded";
}

void shim_run(Shim *shim, const char *const arguments[], ShimOutcome *outcome)
{
    int ends[2], status;
    pid_t child;

    *outcome = (ShimOutcome){.outcome = "failed", .exit_code = -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        outcome->reason = arena_format(shim->arena, "no pipe: %s", strerror(errno));
        return;
    }
    child = fork();
    if (child == 0)
        become(shim, arguments, ends[1]);
    file_close(&ends[1]);
    if (child > 0) {
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        status = follow(shim, child, ends[0]);
        read_rest(shim, ends[0]);
        end_rest(shim, child);
        judge(shim, status, outcome);
    } else {
        outcome->reason = arena_format(shim->arena, "no process: %s", strerror(errno));
    }
    file_close(&ends[0]);
}

#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/flag.h"
#include "base/text.h"
#include "base/time.h"

enum { TAIL_BYTES = 4096, POLL_MS = 200, LINE_BYTES_MAX = 16 * 1024 * 1024 };

extern char **environ;

/* [0] reads, [1] writes; -1 is closed. */
typedef struct Pipe {
    int ends[2];
} Pipe;

static void close_end(Pipe *pipe, int end)
{
    file_close(&pipe->ends[end]);
    pipe->ends[end] = -1;
}

typedef struct Child {
    const ProcessSpec *spec;
    pid_t id;
    Pipe input, output, errors;
    size_t written;
    TextBuilder line; /* the line under way */
    char tail[TAIL_BYTES];
    size_t tail_size;
    int64_t deadline_us;
    bool was_told; /* to finish */
} Child;

static void child_clear(Child *child)
{
    Pipe *pipes[] = {&child->input, &child->output, &child->errors};

    for (size_t i = 0; i < COUNT(pipes); i++) {
        close_end(pipes[i], 0);
        close_end(pipes[i], 1);
    }
}

static bool spawn(Child *child, Error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int status;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, child->input.ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->output.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->errors.ends[1], STDERR_FILENO);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    status = posix_spawn(&child->id, child->spec->arguments[0], &actions, &attributes,
                         (char **)(uintptr_t)child->spec->arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    errno = status;
    return status == 0 || fail_errno(error, "start", child->spec->arguments[0]);
}

static void feed_input(Child *child)
{
    const ProcessSpec *spec = child->spec;
    ssize_t put = 0;

    if (child->written < spec->input_size)
        put = write(child->input.ends[1], spec->input + child->written,
                    spec->input_size - child->written);
    if (put > 0)
        child->written += (size_t)put;
    if ((put < 0 && errno != EAGAIN && errno != EINTR) || child->written == spec->input_size)
        close_end(&child->input, 1);
}

static void hand_on_lines(Child *child, const char *bytes, size_t size)
{
    while (size) {
        const char *newline = memchr(bytes, '\n', size);
        size_t length = newline ? (size_t)(newline - bytes) : size;

        if (child->line.count + length <= LINE_BYTES_MAX)
            text_append_bytes(&child->line, bytes, length);
        if (!newline)
            return;
        if (child->spec->on_line)
            child->spec->on_line(child->spec->context, text_built(&child->line));
        child->line.count = 0;
        bytes += length + 1;
        size -= length + 1;
    }
}

static void keep_tail(Child *child, const char *bytes, size_t size)
{
    if (size >= TAIL_BYTES) {
        memcpy(child->tail, bytes + size - TAIL_BYTES, TAIL_BYTES);
        child->tail_size = TAIL_BYTES;
        return;
    }
    if (child->tail_size + size > TAIL_BYTES) {
        size_t dropped = child->tail_size + size - TAIL_BYTES;

        memmove(child->tail, child->tail + dropped, child->tail_size - dropped);
        child->tail_size -= dropped;
    }
    memcpy(child->tail + child->tail_size, bytes, size);
    child->tail_size += size;
}

/* Reads what is there; closes the end at the end of the stream. */
static void drain(Child *child, Pipe *pipe)
{
    char buffer[16384];
    ssize_t got = read(pipe->ends[0], buffer, sizeof(buffer));

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0)
        close_end(pipe, 0);
    else if (pipe == &child->output)
        hand_on_lines(child, buffer, (size_t)got);
    else
        keep_tail(child, buffer, (size_t)got);
}

static void pump(Child *child)
{
    struct pollfd files[] = {
        {.fd = child->input.ends[1], .events = POLLOUT},
        {.fd = child->output.ends[0], .events = POLLIN},
        {.fd = child->errors.ends[0], .events = POLLIN},
    };

    if (poll(files, COUNT(files), POLL_MS) <= 0)
        return;
    if (files[0].revents)
        feed_input(child);
    if (files[1].revents)
        drain(child, &child->output);
    if (files[2].revents)
        drain(child, &child->errors);
}

static bool must_end(const Child *child, ProcessResult *result)
{
    if (flag_is_set(child->spec->cancelled))
        result->cancelled = true;
    else if (child->deadline_us && time_monotonic_us() > child->deadline_us)
        result->timed_out = true;
    return result->cancelled || result->timed_out;
}

static void tell_to_finish(Child *child)
{
    if (child->was_told || !flag_is_set(child->spec->finish))
        return;
    child->was_told = true;
    kill(child->id, SIGUSR1);
}

static void run_to_end(Child *child, ProcessResult *result)
{
    int status = 0;

    while (child->output.ends[0] >= 0 || child->errors.ends[0] >= 0) {
        if (must_end(child, result)) {
            kill(-child->id, SIGKILL);
            break;
        }
        tell_to_finish(child);
        pump(child);
    }
    while (waitpid(child->id, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-child->id, SIGKILL); /* grandchildren that kept no pipe open */
    result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (child->line.count && child->spec->on_line)
        child->spec->on_line(child->spec->context, text_built(&child->line));
}

static bool open_pipes(Child *child, Error *error)
{
    if (pipe2(child->input.ends, O_CLOEXEC) != 0 || pipe2(child->output.ends, O_CLOEXEC) != 0 ||
        pipe2(child->errors.ends, O_CLOEXEC) != 0)
        return fail_errno(error, "open a pipe for", child->spec->arguments[0]);
    fcntl(child->input.ends[1], F_SETFL, O_NONBLOCK);
    return true;
}

/* Before the child has threads: they inherit it. The batch class does not ask to run at once when
 * it wakes up, so it does not interrupt who answers requests. */
static void set_priority(pid_t id, ProcessPriority priority)
{
    static const int niceness[] = {[PRIORITY_LOW] = 10, [PRIORITY_LOWEST] = 19};

    if (priority == PRIORITY_NORMAL)
        return;
    setpriority(PRIO_PROCESS, (id_t)id, niceness[priority]);
    if (priority == PRIORITY_LOWEST)
        sched_setscheduler(id, SCHED_BATCH, &(struct sched_param){0});
}

bool process_run(const ProcessSpec *spec, Arena *arena, ProcessResult *result, Error *error)
{
    CLEANUP(child_clear)
    Child child = {
        .spec = spec,
        .line = {.arena = arena},
        .input = {{-1, -1}},
        .output = {{-1, -1}},
        .errors = {{-1, -1}},
    };

    *result = (ProcessResult){0};
    if (spec->timeout_ms)
        child.deadline_us = time_monotonic_us() + (int64_t)spec->timeout_ms * 1000;
    if (!open_pipes(&child, error) || !spawn(&child, error))
        return false;

    set_priority(child.id, spec->priority);
    close_end(&child.input, 0);
    close_end(&child.output, 1);
    close_end(&child.errors, 1);
    run_to_end(&child, result);
    result->error_output = arena_copy(arena, child.tail, child.tail_size);
    return true;
}

const char *process_own_path(Arena *arena)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    return length > 0 ? arena_copy(arena, path, (size_t)length) : "slipway";
}

const char *process_worker_path(Arena *arena)
{
    const char *program = getenv("SLIPWAY_PROGRAM");

    return program ? program : process_own_path(arena);
}

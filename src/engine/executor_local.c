#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "engine/attempt.h"
#include "engine/executor.h"

extern char **environ;

/* A shim that this process started. One that an earlier server started is known by its record
 * alone. */
typedef struct Child {
    char key[ATTEMPT_KEY_MAX + 1];
    pid_t id;
    int process; /* a descriptor that tells of its end; -1: there is none */
    bool has_ended;
} Child;

typedef struct LocalExecutor {
    Executor executor; /* first */
    Child *children;
    size_t count, capacity;
    struct pollfd *files; /* one more than children: the last tells to wake up */
    int wake;
} LocalExecutor;

static LocalExecutor *local_of(Executor *executor)
{
    return (LocalExecutor *)executor;
}

static Child *find_child(LocalExecutor *local, const char *key)
{
    for (size_t i = 0; i < local->count; i++)
        if (strcmp(local->children[i].key, key) == 0)
            return &local->children[i];
    return NULL;
}

static void close_process(Child *child)
{
    file_close(&child->process);
    child->process = -1;
}

static void look_at(Child *child)
{
    pid_t ended;

    if (child->has_ended)
        return;
    ended = waitpid(child->id, NULL, WNOHANG);
    child->has_ended = ended == child->id || (ended < 0 && errno == ECHILD);
    if (child->has_ended)
        close_process(child);
}

/* A session of its own: neither a terminal's signals nor the end of the server reach it. */
static bool spawn(const ExecutorJob *job, Arena *arena, pid_t *id, Error *error)
{
    const char *const arguments[] = {job->program, "shim", job->folder, NULL};
    const char *errors = arena_format(arena, "%s/" ATTEMPT_ERRORS, job->folder);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int status;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    status = posix_spawn(id, job->program, &actions, &attributes, (char **)(uintptr_t)arguments,
                         environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    errno = status;
    return status == 0 || fail_errno(error, "start", job->program);
}

static void grow(LocalExecutor *local)
{
    if (local->count < local->capacity)
        return;
    local->capacity = local->capacity ? 2 * local->capacity : 16;
    local->children = realloc(local->children, local->capacity * sizeof(*local->children));
    local->files = realloc(local->files, (local->capacity + 1) * sizeof(*local->files));
    if (!local->children || !local->files)
        out_of_memory();
}

static const char *handle_of(pid_t id, Arena *arena)
{
    return arena_format(arena, "%ld", (long)id);
}

static bool submit(Executor *executor, const ExecutorJob *job, Arena *arena, const char **handle,
                   Error *error)
{
    LocalExecutor *local = local_of(executor);
    Child *child;
    pid_t id;

    if (!spawn(job, arena, &id, error))
        return false;
    grow(local);
    child = &local->children[local->count++];
    *child = (Child){.id = id, .process = pidfd_open(id, 0)};
    memcpy(child->key, job->key, strlen(job->key) + 1);
    *handle = handle_of(id, arena);
    return true;
}

static bool find(Executor *executor, const char *key, Arena *arena, const char **handle,
                 Error *error)
{
    const Child *child = find_child(local_of(executor), key);

    (void)error;
    *handle = child ? handle_of(child->id, arena) : NULL;
    return true;
}

static bool poll_all(Executor *executor, ExecutorProbe *probes, size_t count, Arena *arena,
                     Error *error)
{
    (void)arena;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        Child *child = find_child(local_of(executor), probes[i].key);

        if (child)
            look_at(child);
        probes[i].state = !child             ? EXECUTOR_UNKNOWN
                          : child->has_ended ? EXECUTOR_GONE
                                             : EXECUTOR_RUNNING;
        probes[i].reason = NULL;
    }
    return true;
}

/* The file in the attempt's folder is what counts; the signal saves a moment, where the process is
 * surely ours. */
static bool cancel(Executor *executor, const char *key, const char *handle, Error *error)
{
    Child *child = find_child(local_of(executor), key);

    (void)handle;
    (void)error;
    if (child)
        look_at(child);
    if (child && !child->has_ended)
        kill(child->id, SIGTERM);
    return true;
}

static bool no_logs(Executor *executor, const char *handle, Arena *arena, const char **text,
                    Error *error)
{
    (void)executor;
    (void)handle;
    (void)arena;
    (void)error;
    *text = "";
    return true;
}

static void forget(Executor *executor, const char *handle)
{
    LocalExecutor *local = local_of(executor);
    int64_t id;

    for (size_t i = 0; i < local->count && text_to_int(handle, &id); i++) {
        if (local->children[i].id != (pid_t)id)
            continue;
        look_at(&local->children[i]);
        close_process(&local->children[i]);
        local->children[i] = local->children[--local->count];
        return;
    }
}

static void wait_for_end(Executor *executor, unsigned timeout_ms)
{
    LocalExecutor *local = local_of(executor);
    uint64_t woken;

    for (size_t i = 0; i < local->count; i++)
        local->files[i] = (struct pollfd){.fd = local->children[i].process, .events = POLLIN};
    local->files[local->count] = (struct pollfd){.fd = local->wake, .events = POLLIN};
    if (poll(local->files, local->count + 1, (int)timeout_ms) > 0 &&
        local->files[local->count].revents)
        while (read(local->wake, &woken, sizeof(woken)) > 0)
            ;
}

static void wake(Executor *executor)
{
    uint64_t one = 1;

    if (write(local_of(executor)->wake, &one, sizeof(one)) < 0)
        return; /* it is to wake up already */
}

/* What runs goes on: the next server finds it by its record. */
static void close_executor(Executor *executor)
{
    LocalExecutor *local = local_of(executor);

    for (size_t i = 0; i < local->count; i++)
        close_process(&local->children[i]);
    file_close(&local->wake);
    free(local->children);
    free(local->files);
    free(local);
}

static const ExecutorKind kind = {
    .name = "local",
    .is_on_this_machine = true,
    .submit = submit,
    .find = find,
    .poll = poll_all,
    .cancel = cancel,
    .logs = no_logs,
    .forget = forget,
    .close = close_executor,
    .wait = wait_for_end,
    .wake = wake,
};

Executor *executor_local_create(Error *error)
{
    LocalExecutor *local = calloc(1, sizeof(*local));

    if (!local)
        out_of_memory();
    local->executor.kind = &kind;
    local->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (local->wake >= 0) {
        grow(local);
        return &local->executor;
    }
    (void)fail_errno(error, "open", "an event descriptor");
    free(local);
    return NULL;
}

#include "engine/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/time.h"
#include "base/worker.h"
#include "engine/attempt.h"
#include "engine/shim_internal.h"

enum {
    SPEC_BYTES_MAX = 64 * 1024 * 1024,
    LOG_BYTES_MAX = 64 * 1024 * 1024, /* what a step prints beyond is counted, not kept */
    BEAT_US = 5 * 1000 * 1000,
    LOOK_US = 200 * 1000,
    HOST_SIZE = 256,
    GAP_SIZE = 128,
    WORD_MS = 200,
    WORD_LOOK_MS = 10,
};

const JsonField shim_spec_fields[] = {
    {"key", JSON_TEXT, offsetof(ShimSpec, key), JSON_REQUIRED, NULL},
    {"artifacts", JSON_TEXT, offsetof(ShimSpec, artifacts), JSON_REQUIRED, NULL},
    {"tree", JSON_TEXT, offsetof(ShimSpec, tree), JSON_OPTIONAL, NULL},
    {"files", JSON_ARRAY, offsetof(ShimSpec, files), JSON_OPTIONAL, NULL},
    {"commands", JSON_TEXT_LIST, offsetof(ShimSpec, commands), JSON_OPTIONAL, NULL},
    {"arguments", JSON_TEXT_LIST, offsetof(ShimSpec, arguments), JSON_OPTIONAL, NULL},
    {"step", JSON_TEXT, offsetof(ShimSpec, step), JSON_OPTIONAL, NULL},
    {"job", JSON_OBJECT, offsetof(ShimSpec, job), JSON_OPTIONAL, NULL},
    {"made", JSON_TEXT, offsetof(ShimSpec, made), JSON_OPTIONAL, NULL},
    {"folder", JSON_TEXT, offsetof(ShimSpec, folder), JSON_OPTIONAL, NULL},
    {"environment", JSON_OBJECT, offsetof(ShimSpec, environment), JSON_OPTIONAL, NULL},
    {"outs", JSON_ARRAY, offsetof(ShimSpec, outs), JSON_OPTIONAL, NULL},
    {"timeout_ms", JSON_INT, offsetof(ShimSpec, timeout_ms), JSON_OPTIONAL, NULL},
    {"grace_ms", JSON_INT, offsetof(ShimSpec, grace_ms), JSON_OPTIONAL, NULL},
    {"memory_bytes", JSON_INT, offsetof(ShimSpec, memory_bytes), JSON_OPTIONAL, NULL},
    {"files_max", JSON_INT, offsetof(ShimSpec, files_max), JSON_OPTIONAL, NULL},
    {0},
};

/* One shim a process: a signal has nowhere else to go. */
static atomic_int stopped_by_signal;
static atomic_bool step_cancelled;

static void take_signal(int number)
{
    (void)number;
    atomic_store(&stopped_by_signal, SHIM_CANCELLED);
    atomic_store(&step_cancelled, true);
}

/* With the file, too: on another machine no signal comes. */
ShimStop shim_look(Shim *shim)
{
    int64_t now_us = time_monotonic_us();
    ShimStop stop = (ShimStop)atomic_load(&shim->stop);

    if (stop == SHIM_GOES_ON)
        stop = (ShimStop)atomic_load(&stopped_by_signal);
    if (stop == SHIM_GOES_ON && shim->deadline_us && now_us >= shim->deadline_us)
        stop = SHIM_TIMED_OUT;
    if (stop == SHIM_GOES_ON && now_us - shim->looked_us >= LOOK_US) {
        shim->looked_us = now_us;
        if (file_exists(shim->cancel))
            stop = SHIM_CANCELLED;
    }
    if (now_us - shim->beaten_us >= BEAT_US) {
        shim->beaten_us = now_us;
        attempt_beat(shim->record);
    }
    atomic_store(&shim->stop, (int)stop);
    return stop;
}

/* Where output is missing, the log says so, as soon as it can. */
static bool tell_gap(Shim *shim)
{
    char line[GAP_SIZE];

    if (!shim->log_gap_number)
        return true;
    snprintf(line, sizeof(line), "\nslipway: output is missing here: %s\n",
             strerror(shim->log_gap_number));
    if (!descriptor_write(shim->log, line, strlen(line)))
        return false;
    shim->log_gap_number = 0;
    return true;
}

/* A full disk is no reason to end the step. */
void shim_log(Shim *shim, const char *bytes, size_t size)
{
    size_t room = shim->log_size < LOG_BYTES_MAX ? (size_t)(LOG_BYTES_MAX - shim->log_size) : 0;

    shim->log_size += (int64_t)size;
    if (size > room)
        size = room;
    if (size && (!tell_gap(shim) || !descriptor_write(shim->log, bytes, size)))
        shim->log_gap_number = errno;
}

/* The work. */

static const char *claim_document(const Shim *shim)
{
    JsonWriter *json = json_writer_create(shim->arena);
    char host[HOST_SIZE] = "", digest[DIGEST_TEXT_SIZE];

    gethostname(host, sizeof(host) - 1);
    json_open_object(json, NULL);
    json_text(json, "key", shim->spec.key);
    json_text(json, "host", host);
    json_int(json, "process", getpid());
    json_int(json, "started_at", time_now_ms());
    if (shim->token)
        json_text(json, ATTEMPT_TOKEN_MEMBER,
                  digest_bytes(shim->token, strlen(shim->token), digest));
    json_close(json);
    return json_finish(json);
}

static bool read_spec(Shim *shim, Error *error)
{
    const char *path = arena_format(shim->arena, "%s/spec.json", shim->folder);
    const char *text;
    size_t size;

    shim->spec.folder = ".";
    if (!file_read(path, SPEC_BYTES_MAX, shim->arena, &text, &size, error) ||
        !json_read(text, size, shim_spec_fields, &shim->spec, shim->arena, error))
        return false;
    if (strlen(shim->spec.key) > ATTEMPT_KEY_MAX)
        return fail_field(error, "key", "a key has at most %d bytes", ATTEMPT_KEY_MAX);
    if (shim->spec.made && !path_is_inside(shim->spec.made))
        return fail_field(error, "made", "it is a relative path of plain parts");
    return strcmp(shim->spec.folder, ".") == 0 || path_is_inside(shim->spec.folder) ||
           fail_field(error, "folder", "it is a relative path of plain parts");
}

static bool open_work(Shim *shim, Error *error)
{
    const char *log = arena_format(shim->arena, "%s/log", shim->folder);

    const char *made;

    shim->work = arena_format(shim->arena, "%s/work", shim->folder);
    shim->cancel = arena_format(shim->arena, "%s/cancel", shim->folder);
    made = arena_format(shim->arena, "%s/%s", shim->work, shim->spec.made ? shim->spec.made : "");
    if (!shim->artifacts)
        shim->artifacts = artifact_store_open_guest(shim->spec.artifacts, shim->folder, error);
    if (!shim->artifacts || !folder_make(made, error))
        return false;
    if (shim->log < 0)
        shim->log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (shim->log < 0)
        return fail_errno(error, "write", log);
    if (shim->spec.timeout_ms && !shim->deadline_us)
        shim->deadline_us = time_monotonic_us() + shim->spec.timeout_ms * 1000;
    return true;
}

static bool begin_work(Shim *shim, Error *error)
{
    while (!open_work(shim, error) || !shim_stage(shim, error))
        if (!shim_wait_for_room(shim, error))
            return false;
    return true;
}

static void keep_progress(void *context, const JsonValue *progress)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shim *shim = context;
    const char *document = json_print(progress, arena);
    const char *path = arena_format(arena, "%s/progress.json", shim->folder);
    Error ignored = {0};

    if (!file_write(path, document, strlen(document), &ignored))
        return; /* the next one will be */
}

/* Beside worker_run(), which looks at step_cancelled alone. */
static void *watch(void *context)
{
    Shim *shim = context;

    while (!atomic_load(&shim->is_done)) {
        if (shim_look(shim) == SHIM_CANCELLED)
            atomic_store(&step_cancelled, true);
        time_sleep_ms(LOOK_US / 1000);
    }
    return NULL;
}

static bool run_watched(Shim *shim, const WorkerSpec *spec, ShimOutcome *outcome, Error *error)
{
    pthread_t watcher;
    bool done;

    if (pthread_create(&watcher, NULL, watch, shim) != 0)
        return fail(error, ERROR_UNAVAILABLE, "no thread could be started");
    done = worker_run(spec, shim->arena, &outcome->result, error);
    atomic_store(&shim->is_done, true);
    pthread_join(watcher, NULL);
    return done;
}

static void run_ready_made(Shim *shim, ShimOutcome *outcome)
{
    const char *last_lines = NULL;
    WorkerSpec spec = {
        .step = shim->spec.step,
        .job = shim->spec.job ? json_print(shim->spec.job, shim->arena) : "{}",
        .timeout_ms = (unsigned)shim->spec.timeout_ms,
        .in_background = true,
        .cancelled = &step_cancelled,
        .on_progress = keep_progress,
        .context = shim,
        .last_lines = &last_lines,
    };
    Error error = {0};

    *outcome = (ShimOutcome){.outcome = "succeeded"};
    if (run_watched(shim, &spec, outcome, &error))
        return;
    outcome->outcome = "failed";
    outcome->exit_code = error_exit_code(&error);
    outcome->reason = arena_text(shim->arena, error.message);
    if (error.kind == ERROR_TIMEOUT)
        atomic_store(&shim->stop, SHIM_TIMED_OUT);
    shim_log(shim, error.message, strlen(error.message));
    shim_log(shim, "\n", 1);
    if (last_lines)
        shim_log(shim, last_lines, strlen(last_lines));
}

static void run_commands(Shim *shim, ShimOutcome *outcome)
{
    const TextList *lines = &shim->spec.commands;
    TextList program = shim->spec.arguments;

    *outcome = (ShimOutcome){.outcome = "succeeded"};
    if (program.count) {
        text_list_add(&program, shim->arena, NULL);
        shim_run(shim, program.items, outcome);
    }
    for (size_t i = 0; i < lines->count && strcmp(outcome->outcome, "succeeded") == 0; i++) {
        const char *const arguments[] = {"/bin/sh", "-c", lines->items[i], NULL};

        shim_run(shim, arguments, outcome);
    }
}

static void fail_outcome(const Shim *shim, ShimOutcome *outcome, const Error *error)
{
    outcome->outcome = "failed";
    outcome->reason = arena_text(shim->arena, error->message);
}

/* An engine that ends all processes of a job at once may reach the step before its shim: the word
 * that it was cancelled is given a moment to come. */
static void wait_for_word(Shim *shim)
{
    int left = WORD_MS / WORD_LOOK_MS;

    while (atomic_load(&shim->stop) == SHIM_GOES_ON && left-- > 0) {
        if (atomic_load(&stopped_by_signal) != SHIM_GOES_ON || file_exists(shim->cancel))
            atomic_store(&shim->stop, SHIM_CANCELLED);
        else
            time_sleep_ms(WORD_LOOK_MS);
    }
}

/* Whatever the command said of it: it was ended. */
static void mark_stopped(Shim *shim, ShimOutcome *outcome)
{
    ShimStop stop;

    if (strcmp(outcome->outcome, "failed") == 0)
        wait_for_word(shim);
    stop = (ShimStop)atomic_load(&shim->stop);
    if (stop == SHIM_GOES_ON)
        stop = (ShimStop)atomic_load(&stopped_by_signal);
    if (stop == SHIM_CANCELLED) {
        outcome->outcome = "cancelled";
        outcome->reason = "it was cancelled";
    } else if (stop == SHIM_TIMED_OUT) {
        outcome->outcome = "timed_out";
        outcome->reason = arena_format(shim->arena, "it took longer than its %.3g seconds",
                                       (double)shim->spec.timeout_ms / 1000);
    }
}

/* The end. */

static void write_usage(JsonWriter *end)
{
    struct rusage children = {0};

    getrusage(RUSAGE_CHILDREN, &children);
    json_int(end, "cpu_ms",
             (children.ru_utime.tv_sec + children.ru_stime.tv_sec) * INT64_C(1000) +
                 (children.ru_utime.tv_usec + children.ru_stime.tv_usec) / 1000);
    json_int(end, "memory_bytes", children.ru_maxrss * INT64_C(1024));
}

static bool store_log(Shim *shim, Artifact *log)
{
    const char *path = arena_format(shim->arena, "%s/log", shim->folder);
    Error error = {0};

    while (!tell_gap(shim) || !artifact_add_file(shim->artifacts, path, log, &error)) {
        if (shim->log_gap_number)
            (void)fail_errno(&error, "write", path);
        if (!shim_wait_for_room(shim, &error))
            return false;
    }
    return true;
}

static void write_log(Shim *shim, JsonWriter *end)
{
    Artifact log;

    json_open_object(end, "log");
    json_int(end, "size", shim->log_size);
    if (shim->log_size && store_log(shim, &log))
        json_text(end, "digest", log.digest);
    json_close(end);
}

static const char *end_document(Shim *shim, ShimOutcome *outcome, int64_t started_at)
{
    JsonWriter *end = json_writer_create(shim->arena);
    Error error = {0};

    json_open_object(end, NULL);
    if (strcmp(outcome->outcome, "succeeded") == 0 && !shim_store(shim, end, &error))
        fail_outcome(shim, outcome, &error);
    json_text(end, "outcome", outcome->outcome);
    json_text(end, "reason", outcome->reason);
    json_int(end, "exit_code", outcome->exit_code);
    json_int(end, "signal", outcome->signal);
    json_int(end, "started_at", started_at);
    json_int(end, "ended_at", time_now_ms());
    write_usage(end);
    write_log(shim, end);
    json_raw(end, "result", outcome->result ? json_print(outcome->result, shim->arena) : NULL);
    json_close(end);
    return json_finish(end);
}

static bool do_attempt(Shim *shim, Error *error)
{
    int64_t started_at = time_now_ms(), began_us = time_monotonic_us();
    ShimOutcome outcome = {.outcome = "failed"};
    const char *end;
    Error failed = {0};

    if (!begin_work(shim, &failed))
        fail_outcome(shim, &outcome, &failed);
    else if (shim_look(shim) !=
             SHIM_GOES_ON)      /* which beats: a server elsewhere has the claim now */
        outcome.exit_code = -1; /* it was to end while it waited for its turn: it does not begin */
    else if (shim->spec.step)
        run_ready_made(shim, &outcome);
    else
        run_commands(shim, &outcome);
    mark_stopped(shim, &outcome);
    if (!shim->artifacts)
        return fail(error, failed.kind, "%s", failed.message);
    end = end_document(shim, &outcome, started_at);
    return shim_write_end(shim, end, (time_monotonic_us() - began_us) / 1000, error);
}

/* A session of its own has its own share of the processors, whatever the priority of what runs in
 * it, where the system groups by sessions; so the share is to be the lowest as well. */
static void lower_session(void)
{
    CLEANUP(file_close) int group = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

    if (group >= 0 && !descriptor_write(group, "19", 2))
        return; /* its priority alone has to do */
}

static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = take_signal};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* What is ready-made asks no server. */
static void make_token(Shim *shim)
{
    if (shim->spec.commands.count || shim->spec.arguments.count)
        shim->token = attempt_token_make(shim->spec.key, shim->arena);
}

static bool run(Shim *shim, Error *error)
{
    if (!read_spec(shim, error))
        return false;
    make_token(shim);
    if (!attempt_claim(shim->folder, claim_document(shim), &shim->record, error))
        return false;
    return shim->record < 0 || do_attempt(shim, error);
}

int shim_main(const char *folder)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Shim shim = {.arena = arena, .folder = folder, .record = -1, .log = -1};
    Error error = {0};
    bool done;

    lower_session();
    listen_to_signals();
    done = run(&shim, &error);
    if (!done)
        dprintf(STDERR_FILENO, "slipway shim: %s\n", error.message);
    if (shim.artifacts)
        artifact_store_close(shim.artifacts);
    file_close(&shim.log);
    file_close(&shim.record);
    return done ? 0 : error_exit_code(&error);
}

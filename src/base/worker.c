#include "base/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/process.h"

enum { JOB_BYTES_MAX = 64 * 1024 * 1024, LAST_LINES = 20 };

/* The child's side. The answers go to the descriptor that standard output was, and standard output
 * itself to standard error, so that a library that prints cannot break the protocol. */
static FILE *answers;

static void open_answers(void)
{
    int descriptor = dup(STDOUT_FILENO);

    answers = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!answers || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        abort();
}

/* Nobody takes the answers of a child whose parent is gone, so it ends with the parent. Where that
 * has happened already no signal comes any more, but then nobody reads the pipe. */
static void end_with_parent(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&reader, 1, 0) > 0 && reader.revents & POLLERR)
        exit(1);
}

static void answer(const char *key, const char *document)
{
    fprintf(answers, "{\"%s\":%s}\n", key, document);
    fflush(answers);
}

void worker_progress(const char *document)
{
    if (answers)
        answer("progress", document);
}

static const char *read_job(Arena *arena, size_t *size, Error *error)
{
    TextBuilder job = {.arena = arena};
    char buffer[65536];

    for (size_t got;
         job.count <= JOB_BYTES_MAX && (got = fread(buffer, 1, sizeof(buffer), stdin)) > 0;)
        text_append_bytes(&job, buffer, got);
    if (job.count > JOB_BYTES_MAX) {
        fail(error, ERROR_TOO_LARGE, "a job has at most %d bytes", JOB_BYTES_MAX);
        return NULL;
    }
    *size = job.count;
    return text_built(&job);
}

static bool run_step(const WorkerStep *step, Arena *arena, JsonWriter *result, Error *error)
{
    const JsonValue *job;
    size_t size = 0;
    const char *text = read_job(arena, &size, error);

    if (!text || !json_parse(text, size, arena, &job, error))
        return false;
    json_open_object(result, NULL);
    CRASH_POINT("step: before its work");
    if (!step->run(job, result, arena, error))
        return false;
    json_close(result);
    CRASH_POINT("step: done, not answered");
    return true;
}

static void answer_error(Arena *arena, const Error *error)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "code", error_code(error));
    json_text(json, "message", error->message);
    json_text(json, "field", error->field);
    json_close(json);
    answer("error", json_finish(json));
}

static const WorkerStep *find_step(const WorkerStep *const tables[], const char *name)
{
    for (; *tables; tables++)
        for (const WorkerStep *step = *tables; step->name; step++)
            if (strcmp(step->name, name) == 0)
                return step;
    return NULL;
}

int worker_main(const WorkerStep *const tables[], const char *name)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *result = json_writer_create(arena);
    const WorkerStep *step = find_step(tables, name);
    Error error = {0};
    bool done;

    end_with_parent();
    open_answers();
    if (step)
        done = run_step(step, arena, result, &error);
    else
        done = fail(&error, ERROR_NOT_FOUND, "there is no step \"%s\"", name);
    if (done)
        answer("result", json_finish(result));
    else
        answer_error(arena, &error);
    fclose(answers);
    answers = NULL;
    return done ? 0 : error_exit_code(&error);
}

/* The parent's side. */

typedef struct Listener {
    const WorkerSpec *spec;
    Arena *arena;   /* of the caller: for the result */
    Arena *scratch; /* of one line */
    const JsonValue *result;
    Error error;
} Listener;

static void take_error(Listener *listener, const JsonValue *error)
{
    const char *field = json_as_text(json_member(error, "field"), "");

    listener->error.kind = error_kind_of_code(json_as_text(json_member(error, "code"), ""));
    snprintf(listener->error.message, sizeof(listener->error.message), "%s",
             json_as_text(json_member(error, "message"), "the step gave no reason"));
    snprintf(listener->error.field, sizeof(listener->error.field), "%s", field);
}

static void take_line(void *context, const char *line)
{
    Listener *listener = context;
    Error ignored = {0};
    const JsonValue *object = NULL;
    bool is_result = text_has_prefix(line, "{\"result\":");

    arena_reset(listener->scratch);
    if (!json_parse(line, strlen(line), is_result ? listener->arena : listener->scratch, &object,
                    &ignored))
        return;
    if (is_result)
        listener->result = json_member(object, "result");
    else if (json_member(object, "error"))
        take_error(listener, json_member(object, "error"));
    else if (json_member(object, "progress") && listener->spec->on_progress)
        listener->spec->on_progress(listener->spec->context, json_member(object, "progress"));
}

/* The last lines that are whole: the first of what was kept may have been cut. */
static const char *last_lines(const char *text, size_t count, Arena *arena)
{
    TextList lines = text_split(text, '\n', arena);
    TextBuilder last = {.arena = arena};

    for (size_t i = lines.count > count ? lines.count - count : 0; i < lines.count; i++)
        text_append_format(&last, "%s%s", last.count ? "\n" : "", lines.items[i]);
    return text_built(&last);
}

static const char *last_line(const char *text, Arena *arena)
{
    const char *line = last_lines(text, 1, arena);

    return *line ? line : "it printed nothing";
}

/* The signal that nobody can answer is also what the system sends when memory has run out. */
static bool fail_signal(const ProcessResult *process, const char *step, Arena *arena, Error *error)
{
    return fail(error, ERROR_INTERNAL, "the step \"%s\" was ended by signal %d%s: %s", step,
                process->signal, process->signal == SIGKILL ? " (killed, or out of memory)" : "",
                last_line(process->error_output, arena));
}

static bool judge(const Listener *listener, const ProcessResult *process, const char *step,
                  Error *error)
{
    if (process->cancelled)
        return fail(error, ERROR_CONFLICT, "the step \"%s\" was cancelled", step);
    if (process->timed_out)
        return fail(error, ERROR_TIMEOUT, "the step \"%s\" took longer than it may", step);
    if (listener->error.kind) {
        *error = listener->error;
        return false;
    }
    if (process->signal)
        return fail_signal(process, step, listener->scratch, error);
    if (process->exit_code || !listener->result)
        return fail(error, ERROR_INTERNAL, "the step \"%s\" ended with status %d: %s", step,
                    process->exit_code, last_line(process->error_output, listener->scratch));
    return true;
}

bool worker_run(const WorkerSpec *spec, Arena *arena, const JsonValue **result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const char *const arguments[] = {process_worker_path(arena), "step", spec->step, NULL};
    Listener listener = {.spec = spec, .arena = arena, .scratch = scratch};
    ProcessSpec process = {
        .arguments = arguments,
        .input = spec->job,
        .input_size = strlen(spec->job),
        .timeout_ms = spec->timeout_ms,
        .priority = spec->in_background ? PRIORITY_LOWEST : PRIORITY_LOW,
        .on_line = take_line,
        .context = &listener,
        .cancelled = spec->cancelled,
        .finish = spec->finish,
    };
    ProcessResult ended;

    if (!process_run(&process, arena, &ended, error))
        return false;
    if (!judge(&listener, &ended, spec->step, error)) {
        if (spec->last_lines && !listener.error.kind && *ended.error_output)
            *spec->last_lines = last_lines(ended.error_output, LAST_LINES, arena);
        return false;
    }
    *result = listener.result;
    return true;
}

/* driver.c: an executor on a pipe, for tests/blackbox/test_executor.py.
 *
 *     executor_driver '{"kind": "local"}'
 *     executor_driver '{"kind": "slurm", "address": "/path/of/a/socket"}'
 *
 * Reads one JSON object a line and answers with one: {"error": "...", "code": "..."} or what was
 * asked for. It knows nothing of tests, and ends at the end of its input.
 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/executor_slurm.h"
#include "store/artifact.h"

typedef struct Options {
    const char *kind;
    SlurmSpec slurm;
} Options;

static const JsonField option_fields[] = {
    {"kind", JSON_TEXT, offsetof(Options, kind), JSON_REQUIRED, NULL},
    {"address", JSON_TEXT, offsetof(Options, slurm.address), JSON_OPTIONAL, NULL},
    {"user", JSON_TEXT, offsetof(Options, slurm.user), JSON_OPTIONAL, NULL},
    {"token_file", JSON_TEXT, offsetof(Options, slurm.token_file), JSON_OPTIONAL, NULL},
    {"partition", JSON_TEXT, offsetof(Options, slurm.partition), JSON_OPTIONAL, NULL},
    {"account", JSON_TEXT, offsetof(Options, slurm.account), JSON_OPTIONAL, NULL},
    {"memory_bytes", JSON_INT, offsetof(Options, slurm.memory_bytes), JSON_OPTIONAL, NULL},
    {"timeout_ms", JSON_INT, offsetof(Options, slurm.timeout_ms), JSON_OPTIONAL, NULL},
    {0},
};

typedef struct Request {
    const char *act, *key, *handle;
    const JsonValue *keys;
    ExecutorJob job;
    int64_t milliseconds;
} Request;

static const JsonField request_fields[] = {
    {"do", JSON_TEXT, offsetof(Request, act), JSON_REQUIRED, NULL},
    {"key", JSON_TEXT, offsetof(Request, key), JSON_OPTIONAL, NULL},
    {"handle", JSON_TEXT, offsetof(Request, handle), JSON_OPTIONAL, NULL},
    {"keys", JSON_ARRAY, offsetof(Request, keys), JSON_OPTIONAL, NULL},
    {"program", JSON_TEXT, offsetof(Request, job.program), JSON_OPTIONAL, NULL},
    {"folder", JSON_TEXT, offsetof(Request, job.folder), JSON_OPTIONAL, NULL},
    {"cpus", JSON_INT, offsetof(Request, job.cpus), JSON_OPTIONAL, NULL},
    {"memory_bytes", JSON_INT, offsetof(Request, job.memory_bytes), JSON_OPTIONAL, NULL},
    {"gpus", JSON_INT, offsetof(Request, job.gpus), JSON_OPTIONAL, NULL},
    {"timeout_ms", JSON_INT, offsetof(Request, job.timeout_ms), JSON_OPTIONAL, NULL},
    {"milliseconds", JSON_INT, offsetof(Request, milliseconds), JSON_OPTIONAL, NULL},
    {0},
};

typedef struct Driver {
    Executor *executor;
    Arena *arena; /* of one request */
    JsonWriter *answer;
    Error error;
} Driver;

static bool submit(Driver *driver, Request *request)
{
    const char *handle;

    request->job.key = request->key;
    if (!driver->executor->kind->submit(driver->executor, &request->job, driver->arena, &handle,
                                        &driver->error))
        return false;
    json_text(driver->answer, "handle", handle);
    return true;
}

static bool find(Driver *driver, Request *request)
{
    const char *handle;

    if (!driver->executor->kind->find(driver->executor, request->key, driver->arena, &handle,
                                      &driver->error))
        return false;
    json_text(driver->answer, "handle", handle);
    return true;
}

/* {"key": ["running", "why"]} */
static bool poll_all(Driver *driver, Request *request)
{
    static const char *const names[] = {[EXECUTOR_UNKNOWN] = "unknown",
                                        [EXECUTOR_QUEUED] = "queued",
                                        [EXECUTOR_RUNNING] = "running",
                                        [EXECUTOR_GONE] = "gone"};
    size_t count = 0;
    ExecutorProbe *probes =
        arena_array(driver->arena, ExecutorProbe, json_count(request->keys) + 1);

    for (JsonWalk walk = json_walk(request->keys); json_walk_next(&walk);)
        probes[count++].key = json_as_text(walk.value, "");
    if (!driver->executor->kind->poll(driver->executor, probes, count, driver->arena,
                                      &driver->error))
        return false;
    json_open_object(driver->answer, "states");
    for (size_t i = 0; i < count; i++) {
        json_open_array(driver->answer, probes[i].key);
        json_text(driver->answer, NULL, names[probes[i].state]);
        json_text(driver->answer, NULL, probes[i].reason);
        json_close(driver->answer);
    }
    json_close(driver->answer);
    return true;
}

static bool cancel(Driver *driver, Request *request)
{
    return driver->executor->kind->cancel(driver->executor, request->key, request->handle,
                                          &driver->error);
}

static bool logs(Driver *driver, Request *request)
{
    const char *text;

    if (!driver->executor->kind->logs(driver->executor, request->handle, driver->arena, &text,
                                      &driver->error))
        return false;
    json_text(driver->answer, "text", text);
    return true;
}

static bool forget(Driver *driver, Request *request)
{
    driver->executor->kind->forget(driver->executor, request->handle);
    return true;
}

static bool wait_for(Driver *driver, Request *request)
{
    int64_t began_us = time_monotonic_us();

    driver->executor->kind->wait(driver->executor, (unsigned)request->milliseconds);
    json_int(driver->answer, "milliseconds", (time_monotonic_us() - began_us) / 1000);
    return true;
}

/* What the server would find in the attempt's folder. */
static bool probe(Driver *driver, Request *request)
{
    static const char *const names[] = {[ATTEMPT_ABSENT] = "absent",
                                        [ATTEMPT_HELD] = "held",
                                        [ATTEMPT_DEAD] = "dead",
                                        [ATTEMPT_ENDED] = "ended"};
    AttemptProbe found;

    if (!attempt_probe(request->job.folder, driver->arena, &found, &driver->error))
        return false;
    json_text(driver->answer, "state", names[found.state]);
    json_int(driver->answer, "heard_at", found.heard_at);
    json_raw(driver->answer, "claim", found.claim ? json_print(found.claim, driver->arena) : NULL);
    json_raw(driver->answer, "end", found.end ? json_print(found.end, driver->arena) : NULL);
    return true;
}

/* An empty artifact store, for shims to add to. */
static bool make_store(Driver *driver, Request *request)
{
    ArtifactStore *store = artifact_store_open(request->job.folder, &driver->error);

    if (!store)
        return false;
    artifact_store_close(store);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(Driver *driver, Request *request);
} acts[] = {
    {"submit", submit}, {"find", find},   {"poll", poll_all},
    {"cancel", cancel}, {"logs", logs},   {"forget", forget},
    {"wait", wait_for}, {"probe", probe}, {"make-store", make_store},
};

static bool act(Driver *driver, const char *line)
{
    Request request = {0};

    if (!json_read(line, strlen(line), request_fields, &request, driver->arena, &driver->error))
        return false;
    for (size_t i = 0; i < COUNT(acts); i++)
        if (strcmp(acts[i].name, request.act) == 0)
            return acts[i].run(driver, &request);
    return fail(&driver->error, ERROR_INVALID, "there is no \"%s\"", request.act);
}

static void answer(Driver *driver, const char *line)
{
    driver->error = (Error){0};
    driver->answer = json_writer_create(driver->arena);
    json_open_object(driver->answer, NULL);
    if (!act(driver, line)) {
        json_text(driver->answer, "error", driver->error.message);
        json_text(driver->answer, "code", error_code(&driver->error));
    }
    json_close(driver->answer);
    puts(json_finish(driver->answer));
    fflush(stdout);
    arena_reset(driver->arena);
}

static bool open_executor(Driver *driver, const char *text)
{
    Options options = {0};

    if (!json_read(text, strlen(text), option_fields, &options, driver->arena, &driver->error))
        return false;
    driver->executor = strcmp(options.kind, "slurm") == 0
                           ? executor_slurm_create(&options.slurm, &driver->error)
                           : executor_local_create(&driver->error);
    arena_reset(driver->arena);
    return driver->executor != NULL;
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Driver driver = {.arena = arena};
    static char line[1 << 20];

    if (count != 2 || !open_executor(&driver, arguments[1])) {
        fprintf(stderr, "executor_driver: %s\n",
                count != 2 ? "one JSON object is its argument" : driver.error.message);
        return 2;
    }
    while (fgets(line, sizeof(line), stdin))
        answer(&driver, line);
    driver.executor->kind->close(driver.executor);
    return 0;
}

#include "engine/slurm_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEGABYTE = 1024 * 1024,
    MEMORY_BYTES_DEFAULT = 1024 * MEGABYTE,
    SHIM_MEMORY_BYTES = 64 * MEGABYTE, /* beside that of the step */
    MINUTE_MS = 60 * 1000,
    TIMEOUT_MS_DEFAULT = 24 * 60 * MINUTE_MS,
    SPARE_MINUTES = 5, /* to put files in place, and to end by itself: the shim has a clock, too */
};

/* ---- versions ---- */

int slurm_api_version(const JsonValue *document)
{
    int best = 0;

    for (JsonWalk walk = json_walk(json_member(document, "paths")); json_walk_next(&walk);) {
        int version, length = 0;

        if (walk.key && sscanf(walk.key, "/slurm/v0.0.%4d/job/submit%n", &version, &length) == 1 &&
            length && version >= SLURM_VERSION_LEAST && version > best)
            best = version;
    }
    return best;
}

/* ---- submitting ---- */

static void append_quoted(TextBuilder *script, const char *text)
{
    text_append(script, " '");
    for (; *text; text++)
        if (*text == '\'')
            text_append(script, "'\\''");
        else
            text_append_bytes(script, text, 1);
    text_append(script, "'");
}

/* exec: signals of Slurm are the shim's own. */
static const char *script_of(const char *program, const char *folder, Arena *arena)
{
    TextBuilder script = {.arena = arena};

    text_append(&script, "#!/bin/sh\nexec");
    append_quoted(&script, program);
    text_append(&script, " shim");
    append_quoted(&script, folder);
    text_append(&script, "\n");
    return text_built(&script);
}

/* The step's own environment is in spec.json. */
static void write_environment(JsonWriter *json, int version, Arena *arena)
{
    const char *path = getenv("PATH");

    path = path ? path : "/usr/local/bin:/usr/bin:/bin";
    if (version < SLURM_VERSION_OBJECTS) {
        json_open_object(json, "environment");
        json_text(json, "PATH", path);
    } else {
        json_open_array(json, "environment");
        json_text(json, NULL, arena_format(arena, "PATH=%s", path));
    }
    json_close(json);
}

static void write_gpus(JsonWriter *json, int64_t gpus, int version, Arena *arena)
{
    const char *name = version < SLURM_VERSION_OBJECTS ? "gres" : "tres_per_node";
    const char *kind = version < SLURM_VERSION_OBJECTS ? ""
                       : version < SLURM_VERSION_TRES  ? "gres:"
                                                       : "gres/";

    if (gpus > 0)
        json_text(json, name, arena_format(arena, "%sgpu:%lld", kind, (long long)gpus));
}

/* A job that started again on another machine would only find the claim, and be in the way. */
static void write_no_requeue(JsonWriter *json, int version)
{
    if (version < SLURM_VERSION_OBJECTS)
        json_bool(json, "no_requeue", true);
    else
        json_bool(json, "requeue", false);
}

/* Without them a job has all of a node's memory, and no end. */
static void write_limits(JsonWriter *json, const SlurmSpec *spec, const ExecutorJob *job)
{
    int64_t memory = job->memory_bytes    ? job->memory_bytes
                     : spec->memory_bytes ? spec->memory_bytes
                                          : MEMORY_BYTES_DEFAULT;
    int64_t timeout_ms = job->timeout_ms    ? job->timeout_ms
                         : spec->timeout_ms ? spec->timeout_ms
                                            : TIMEOUT_MS_DEFAULT;

    json_int(json, "cpus_per_task", job->cpus > 0 ? job->cpus : 1);
    json_int(json, "memory_per_node", (memory + SHIM_MEMORY_BYTES - 1) / MEGABYTE + 1);
    json_int(json, "time_limit", (timeout_ms - 1) / MINUTE_MS + 1 + SPARE_MINUTES);
}

static void write_if(JsonWriter *json, const char *name, const char *text)
{
    if (text)
        json_text(json, name, text);
}

const char *slurm_api_job(const SlurmSpec *spec, const ExecutorJob *job, int version, Arena *arena)
{
    const char *program = spec->program ? spec->program : job->program;
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "script", script_of(program, job->folder, arena));
    json_open_object(json, "job");
    {
        json_text(json, "name", job->key);
        json_text(json, "current_working_directory", job->folder);
        json_text(json, "standard_input", "/dev/null");
        json_text(json, "standard_output", "/dev/null");
        json_text(json, "standard_error", ATTEMPT_ERRORS); /* in that folder */
        json_int(json, "tasks", 1);
        write_limits(json, spec, job);
        write_gpus(json, job->gpus, version, arena);
        write_no_requeue(json, version);
        write_environment(json, version, arena);
        write_if(json, "partition", spec->partition);
        write_if(json, "account", spec->account);
        write_if(json, "qos", spec->qos);
    }
    json_close(json);
    json_close(json);
    return json_finish(json);
}

/* ---- jobs ---- */

typedef struct StateName {
    const char *name;
    ExecutorState state;
} StateName;

/* Any other word is of a job that lives: one that is completing may still have processes. */
static const StateName state_names[] = {
    {"PENDING", EXECUTOR_QUEUED},      {"REQUEUED", EXECUTOR_QUEUED},
    {"REQUEUE_FED", EXECUTOR_QUEUED},  {"REQUEUE_HOLD", EXECUTOR_QUEUED},
    {"SPECIAL_EXIT", EXECUTOR_QUEUED}, {"RESV_DEL_HOLD", EXECUTOR_QUEUED},
    {"COMPLETED", EXECUTOR_GONE},      {"CANCELLED", EXECUTOR_GONE},
    {"FAILED", EXECUTOR_GONE},         {"TIMEOUT", EXECUTOR_GONE},
    {"NODE_FAIL", EXECUTOR_GONE},      {"PREEMPTED", EXECUTOR_GONE},
    {"BOOT_FAIL", EXECUTOR_GONE},      {"DEADLINE", EXECUTOR_GONE},
    {"OUT_OF_MEMORY", EXECUTOR_GONE},  {"REVOKED", EXECUTOR_GONE},
    {"LAUNCH_FAILED", EXECUTOR_GONE},  {"RECONFIG_FAIL", EXECUTOR_GONE},
};

static ExecutorState state_of_word(const char *word)
{
    for (size_t i = 0; i < COUNT(state_names); i++)
        if (strcmp(state_names[i].name, word) == 0)
            return state_names[i].state;
    return EXECUTOR_RUNNING;
}

/* The livelier of two has the lower number. */
static int rank(ExecutorState state)
{
    return state == EXECUTOR_RUNNING ? 0 : state == EXECUTOR_QUEUED ? 1 : 2;
}

/* A text, or since 0.0.40 an array of a state and its flags. */
static ExecutorState state_of(const JsonValue *value, const char **word)
{
    ExecutorState state;

    if (json_is_array(value)) {
        state = EXECUTOR_GONE;
        for (JsonWalk walk = json_walk(value); json_walk_next(&walk);) {
            const char *flag = json_as_text(walk.value, "");

            *word = *word ? *word : flag;
            if (rank(state_of_word(flag)) < rank(state))
                state = state_of_word(flag);
        }
        return *word ? state : EXECUTOR_RUNNING;
    }
    *word = json_as_text(value, "");
    return state_of_word(*word);
}

/* A wait status; since 0.0.40 an object that has it in parts. */
static int64_t exit_code_of(const JsonValue *value)
{
    const JsonValue *code = json_member(value, "return_code");

    if (!json_is_object(value))
        return json_as_int(value, 0) >> 8 & 0xff;
    code = json_is_object(code) ? json_member(code, "number") : code;
    return json_as_int(code, json_as_int(json_member(value, "number"), 0) >> 8 & 0xff);
}

static const char *reason_of(const JsonValue *job, const char *word, Arena *arena)
{
    const char *reason = json_as_text(json_member(job, "state_reason"), "");
    int64_t code = exit_code_of(json_member(job, "exit_code"));
    const char *text = arena_format(arena, "job %lld of Slurm is %s",
                                    (long long)json_as_int(json_member(job, "job_id"), 0), word);

    if (*reason && strcmp(reason, "None") != 0)
        text = arena_format(arena, "%s (%s)", text, reason);
    if (strcmp(reason, "NonZeroExitCode") == 0 && code)
        text = arena_format(arena, "%s, its shim ended with status %lld", text, (long long)code);
    return text;
}

static bool read_job(const JsonValue *value, const char *user, Arena *arena, SlurmJob *job)
{
    const char *name = json_as_text(json_member(value, "name"), "");
    const char *owner = json_as_text(json_member(value, "user_name"), user);
    const char *word = NULL;

    if (!*name || strlen(name) > ATTEMPT_KEY_MAX || strcmp(owner, user) != 0)
        return false;
    job->id = json_as_int(json_member(value, "job_id"), 0);
    job->name = arena_text(arena, name);
    job->folder =
        arena_text(arena, json_as_text(json_member(value, "current_working_directory"), ""));
    job->state = state_of(json_member(value, "job_state"), &word);
    job->reason = reason_of(value, word ? word : "", arena);
    return true;
}

static int compare_jobs(const void *a, const void *b)
{
    const SlurmJob *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    if (order == 0)
        order = rank(left->state) - rank(right->state);
    return order ? order : (left->id < right->id) - (left->id > right->id);
}

SlurmJobList slurm_api_jobs(const JsonValue *document, const char *user, Arena *arena)
{
    const JsonValue *array = json_member(document, "jobs");
    SlurmJobList jobs = {arena_array(arena, SlurmJob, json_count(array) + 1), 0};

    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        if (read_job(walk.value, user, arena, &jobs.items[jobs.count]))
            jobs.count++;
    qsort(jobs.items, jobs.count, sizeof(*jobs.items), compare_jobs);
    return jobs;
}

const SlurmJob *slurm_api_find(const SlurmJobList *jobs, const char *name)
{
    size_t least = 0, end = jobs->count;

    while (least < end) {
        size_t middle = least + (end - least) / 2;

        if (strcmp(jobs->items[middle].name, name) < 0)
            least = middle + 1;
        else
            end = middle;
    }
    return least < jobs->count && strcmp(jobs->items[least].name, name) == 0 ? &jobs->items[least]
                                                                             : NULL;
}

/* ---- errors ---- */

enum {
    STATUS_BAD_REQUEST = 400,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    /* What the controller itself says has these numbers; others are of the way to it. */
    CONTROLLER_LEAST = 2000,
    CONTROLLER_MOST = 2999,
};

/* No mistake of the job: too many at once, or a controller that is not in charge. */
static const int64_t passing[] = {
    2007, /* too many jobs */
    2016, /* nodes busy */
    2027, /* in standby */
    2050, /* a limit of the account or of its quality of service */
    2059, /* ports busy */
    2101, /* partition down */
    2105, /* submissions disabled */
    2131, /* in standby */
};

static const JsonValue *first_error(const JsonValue *document)
{
    JsonWalk walk = json_walk(json_member(document, "errors"));
    const JsonValue *numbered = NULL;

    while (!numbered && json_walk_next(&walk))
        if (json_member(walk.value, "error_number") || json_member(walk.value, "error_code"))
            numbered = walk.value;
    return numbered;
}

int64_t slurm_api_error_number(const JsonValue *document)
{
    const JsonValue *error = first_error(document);

    return json_as_int(json_member(error, "error_number"),
                       json_as_int(json_member(error, "error_code"), 0));
}

static const char *sentence_of(const JsonValue *document)
{
    const JsonValue *error = first_error(document);
    const char *text = json_as_text(json_member(error, "error"), "");

    return *text ? text : json_as_text(json_member(error, "description"), "");
}

SlurmVerdict slurm_api_verdict(int status, const JsonValue *document, Error *error)
{
    int64_t number = slurm_api_error_number(document);
    const char *sentence = sentence_of(document);
    bool is_of_controller = number >= CONTROLLER_LEAST && number <= CONTROLLER_MOST;

    if (status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN)
        error_set(error, ERROR_UNAVAILABLE,
                  "slurmrestd does not know us (HTTP status %d): look at the user and its token",
                  status);
    else if (*sentence)
        error_set(error, ERROR_UNAVAILABLE, "Slurm says: %.*s (%lld)",
                  (int)strcspn(sentence, "\r\n"), sentence, (long long)number);
    else
        error_set(error, ERROR_UNAVAILABLE, "slurmrestd answered with HTTP status %d", status);
    for (size_t i = 0; i < COUNT(passing); i++)
        if (number == passing[i])
            return SLURM_LATER;
    return is_of_controller || status == STATUS_BAD_REQUEST ? SLURM_REFUSED : SLURM_AWAY;
}

/* step_end.c: how attempts and steps end, and what follows from it. */

#include <math.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "base/yaml.h"
#include "pipelines/approval.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/pipeline_tell.h"
#include "pipelines/release_canary.h"

enum {
    LOSSES_MAX = 3, /* a step whose attempts are lost more often fails */
    LOSS_WAIT_MS = 1000,
    METRICS_BYTES_MAX = 1024 * 1024,
};

/* ---- runs ---- */

static bool append_ended(Scope *scope, const PipelineRun *run, const char *status,
                         const char *reason)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "id", run->id);
    json_int(json, "failed_steps", run->bad_steps);
    json_text(json, "reason", reason);
    json_close(json);
    return event_append(scope, arena_format(scope->arena, "pipeline_run.%s", status),
                        pipeline_run_title(run, scope->arena), json_finish(json));
}

static const char *first_failure(Scope *scope, const char *run_id)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT name, reason FROM pipeline_steps WHERE run_id = $1 AND"
                           " status = 'failed' ORDER BY ended_at, position LIMIT 1",
                           db_text(run_id));
    const char *name = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;
    const char *reason = name ? query_text(&query, 1, scope->arena) : NULL;
    Error ignored = {0};

    if (!query_end(&query, &ignored) || !name)
        return NULL;
    return arena_format(scope->arena, "step \"%s\": %s", name, reason ? reason : "it failed");
}

static bool end_tracked(Scope *scope, const char *run_id, RunStatus status, const char *reason)
{
    Run run;

    if (!run_find(scope, run_id, &run))
        return false;
    if (run.is_deleted || (run.status != RUN_RUNNING && run.status != RUN_SCHEDULED))
        return true; /* the step itself, or its user, has ended it */
    return run_finish(scope, run_id, status, reason);
}

/* The tracked run of a step may have been purged: that is no reason for the pipeline to stop. */
static bool end_tracked_if_there(Scope *scope, const char *run_id, RunStatus status,
                                 const char *reason)
{
    if (!run_id || end_tracked(scope, run_id, status, reason))
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool end_run(Scope *scope, const PipelineRun *run)
{
    const char *status = run->cancelled_at ? "cancelled" : run->bad_steps ? "failed" : "succeeded";
    RunStatus tracked = run->cancelled_at ? RUN_KILLED : run->bad_steps ? RUN_FAILED : RUN_FINISHED;
    const char *reason = run->bad_steps ? first_failure(scope, run->id) : NULL;

    if (run->cancelled_at)
        reason = arena_format(scope->arena, "it was cancelled by %s", run->cancelled_by);
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_runs SET status = $2, reason = $3, ended_at = $4 WHERE id = $1",
                  db_text(run->id), db_text(status), db_text(reason), db_int(time_now_ms())) &&
           end_tracked_if_there(scope, run->run_id, tracked, reason) &&
           release_canary_end_run(scope, run, reason) && pipeline_overlap_end(scope, run) &&
           approval_withdraw_run(scope, run->id, "the run has ended") &&
           append_ended(scope, run, status, reason) &&
           (strcmp(status, "failed") != 0 || pipeline_tell_failed(scope, run));
}

/* ---- steps ---- */

static bool tell_next(Scope *scope, const char *run_id, int64_t position, bool is_good)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET waits_for = waits_for - 1,"
                  " bad_needs = bad_needs + $3 WHERE run_id = $1 AND position IN"
                  " (SELECT next FROM pipeline_edges WHERE run_id = $1 AND step = $2)",
                  db_text(run_id), db_int(position), db_int(!is_good)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'ready', ready_at = 0"
                  " WHERE run_id = $1 AND status = 'waiting' AND waits_for = 0 AND position IN"
                  " (SELECT next FROM pipeline_edges WHERE run_id = $1 AND step = $2)",
                  db_text(run_id), db_int(position));
}

bool step_end(Scope *scope, const char *run_id, int64_t position, const char *status,
              const char *reason)
{
    bool is_good = strcmp(status, "succeeded") == 0;
    bool is_failure = strcmp(status, "failed") == 0;
    PipelineStep step;
    PipelineRun run;

    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = $3, reason = $4, ended_at = $5"
                  " WHERE run_id = $1 AND position = $2",
                  db_text(run_id), db_int(position), db_text(status), db_text(reason),
                  db_int(time_now_ms())) &&
           tell_next(scope, run_id, position, is_good) &&
           db_run(scope->db, &scope->error,
                  "UPDATE pipeline_runs SET open_steps = open_steps - 1, bad_steps = bad_steps + $2"
                  " WHERE id = $1",
                  db_text(run_id), db_int(is_failure)) &&
           pipeline_run_find(scope, run_id, &run) &&
           (!is_failure || (pipeline_step_at(scope, run_id, position, &step) &&
                            release_tell_superseded(scope, &run, &step, reason))) &&
           (run.open_steps > 0 || end_run(scope, &run));
}

/* ---- attempts ---- */

static const char *print_or_null(const JsonValue *value, Arena *arena)
{
    return json_is_null(value) ? NULL : json_print(value, arena);
}

static const char *usage_json(const AttemptEnd *end, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_int(json, "cpu_ms", json_as_int(json_member(end->document, "cpu_ms"), 0));
    json_int(json, "memory_bytes", json_as_int(json_member(end->document, "memory_bytes"), 0));
    json_close(json);
    return json_finish(json);
}

static bool write_attempt(Scope *scope, const AttemptEnd *end, bool *is_ours)
{
    const StepAttempt *attempt = end->attempt;
    const JsonValue *log = json_member(end->document, "log");
    const char *log_digest = json_as_text(json_member(log, "digest"), NULL);

    if (!db_run(scope->db, &scope->error,
                "UPDATE step_attempts SET status = $4, reason = $5, exit_code = $6, signal = $7,"
                " usage = $8, log_digest = $9, log_size = $10, started_at = $11, ended_at = $12"
                " WHERE run_id = $1 AND position = $2 AND attempt = $3 AND ended_at IS NULL",
                db_text(attempt->run_id), db_int(attempt->position), db_int(attempt->attempt),
                db_text(end->status), db_text(end->reason),
                db_int(json_as_int(json_member(end->document, "exit_code"), 0)),
                db_int(json_as_int(json_member(end->document, "signal"), 0)),
                db_text(end->document ? usage_json(end, scope->arena) : NULL), db_text(log_digest),
                db_int(json_as_int(json_member(log, "size"), 0)),
                db_int_or_null(json_as_int(json_member(end->document, "started_at"), 0)),
                db_int(time_now_ms())))
        return false;
    *is_ours = db_changes(scope->db) == 1;
    if (*is_ours && attempt->tracked_run)
        writer_announce(scope->platform->writer); /* its token is over */
    return true;
}

static bool claim_out(Scope *scope, const JsonValue *out)
{
    ArtifactStore *artifacts = scope->platform->artifacts;
    const char *digest = json_as_text(json_member(out, "digest"), "");
    Tree tree;

    if (!artifact_claim(artifacts, digest, &scope->error))
        return false;
    return !json_as_bool(json_member(out, "is_folder"), false) ||
           (tree_read(artifacts, digest, scope->arena, &tree, &scope->error) &&
            tree_claim(artifacts, &tree, &scope->error));
}

bool step_outs_claim(Scope *scope, const JsonValue *outs)
{
    for (JsonWalk walk = json_walk(outs); json_walk_next(&walk);)
        if (!claim_out(scope, walk.value))
            return false;
    return true;
}

/* What the step made is the step's only now, by the attempt that the row names as its last: one
 * that was given up for lost has no say any more. */
static bool write_success(Scope *scope, const AttemptEnd *end, const PipelineStep *step)
{
    const JsonValue *outs = json_member(end->document, "outs");
    PipelineRun run;

    if (!step_outs_claim(scope, outs) || !pipeline_run_find(scope, step->run_id, &run) ||
        !db_run(scope->db, &scope->error,
                "UPDATE pipeline_steps SET outs = $3, result = $4, metrics = $5"
                " WHERE run_id = $1 AND position = $2",
                db_text(step->run_id), db_int(step->position),
                db_text(print_or_null(outs, scope->arena)), db_text(end->result),
                db_text(end->metrics_json)))
        return false;
    if (step->cache_key && !run.reproduces &&
        !db_run(scope->db, &scope->error,
                "INSERT INTO step_cache (project, cache_key, run_id, position)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (project, cache_key)"
                " DO UPDATE SET run_id = excluded.run_id, position = excluded.position",
                db_text(run.project), db_text(step->cache_key), db_text(step->run_id),
                db_int(step->position)))
        return false;
    return step_end(scope, step->run_id, step->position, "succeeded", NULL);
}

static bool again(Scope *scope, const PipelineStep *step, bool is_loss, int64_t wait_ms)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'ready', ready_at = $3,"
                  " losses = losses + $4 WHERE run_id = $1 AND position = $2",
                  db_text(step->run_id), db_int(step->position), db_int(time_now_ms() + wait_ms),
                  db_int(is_loss));
}

static int64_t backoff(const PlanStep *plan, int64_t failures)
{
    double wait = (double)plan->backoff_ms * pow(2, (double)failures - 1);

    return wait < STEP_BACKOFF_MS_MAX ? (int64_t)wait : STEP_BACKOFF_MS_MAX;
}

/* What a built-in step found is kept, also when it failed for it. */
static bool keep_result(Scope *scope, const AttemptEnd *end, const PipelineStep *step)
{
    return !end->result || db_run(scope->db, &scope->error,
                                  "UPDATE pipeline_steps SET result = $3, metrics = $4"
                                  " WHERE run_id = $1 AND position = $2",
                                  db_text(step->run_id), db_int(step->position),
                                  db_text(end->result), db_text(end->metrics_json));
}

static bool write_failure(Scope *scope, const AttemptEnd *end, const PipelineStep *step)
{
    int64_t failures = step->attempts - step->losses;
    const JsonValue *spec;
    PlanStep plan = {0};

    if (!json_parse(step->spec, strlen(step->spec), scope->arena, &spec, &scope->error) ||
        !plan_step_read_json(spec, scope->arena, &plan, &scope->error) ||
        !keep_result(scope, end, step))
        return false;
    if (failures <= plan.retries)
        return again(scope, step, false, backoff(&plan, failures));
    /* What a built-in step found wrong is more than its sentence. */
    if (end->result && !db_run(scope->db, &scope->error,
                               "UPDATE pipeline_steps SET result = $3"
                               " WHERE run_id = $1 AND position = $2",
                               db_text(step->run_id), db_int(step->position), db_text(end->result)))
        return false;
    return step_end(scope, step->run_id, step->position, "failed", end->reason);
}

/* The engine, not the step, failed: that has a count of its own. */
static bool write_loss(Scope *scope, const AttemptEnd *end, const PipelineStep *step)
{
    if (step->losses < LOSSES_MAX)
        return again(scope, step, true, LOSS_WAIT_MS);
    return step_end(scope, step->run_id, step->position, "failed",
                    arena_format(scope->arena,
                                 "its attempts were lost %d times, the last because %s",
                                 LOSSES_MAX + 1, end->reason));
}

static RunStatus tracked_status(const char *status)
{
    if (strcmp(status, "succeeded") == 0)
        return RUN_FINISHED;
    return strcmp(status, "cancelled") == 0 ? RUN_KILLED : RUN_FAILED;
}

static bool log_metrics(Scope *scope, void *context)
{
    const AttemptEnd *end = context;
    RunBatch batch = {.metrics = end->metrics};

    return run_log_batch(scope, end->attempt->tracked_run, &batch);
}

static bool write_tracked(Scope *scope, const AttemptEnd *end)
{
    const char *id = end->attempt->tracked_run;

    if (id && end->metrics.count && !scope_write(scope, log_metrics, (void *)(uintptr_t)end)) {
        if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE)
            return false;
        scope->error = (Error){0}; /* the user has ended, deleted or purged it */
    }
    return end_tracked_if_there(scope, id, tracked_status(end->status), end->reason);
}

bool attempt_end_write(Scope *scope, AttemptEnd *end)
{
    PipelineStep step;
    PipelineRun run;
    bool is_ours;

    if (!write_attempt(scope, end, &is_ours))
        return false;
    if (!is_ours)
        return true;
    if (!pipeline_run_find(scope, end->attempt->run_id, &run))
        return false;
    pipeline_run_set_topic(scope, &run);
    if (end->write && !end->write(scope, end))
        return false;
    if (!pipeline_step_at(scope, end->attempt->run_id, end->attempt->position, &step) ||
        !write_tracked(scope, end))
        return false;
    if (strcmp(end->status, "succeeded") == 0)
        return end->holds || write_success(scope, end, &step);
    if (run.cancelled_at)
        return step_end(scope, step.run_id, step.position, "cancelled", "the run was cancelled");
    if (strcmp(end->status, "lost") == 0 || strcmp(end->status, "cancelled") == 0)
        return write_loss(scope, end, &step);
    return write_failure(scope, end, &step);
}

/* ---- metrics files ---- */

static bool is_metric_name(const char *name)
{
    return *name && strlen(name) <= 250;
}

/* Numbers by their path: {"train": {"f1": 0.9}} is train.f1; the first BATCH_METRICS_MAX. */
static void flatten(Scope *scope, AttemptEnd *end, const char *prefix, const JsonValue *value)
{
    const char *dot = *prefix ? "." : "";

    if (end->metrics.count == BATCH_METRICS_MAX)
        return;
    if (json_is_number(value) && is_metric_name(prefix)) {
        *arena_push(scope->arena, &end->metrics) = (Metric){
            .key = prefix, .value = json_as_double(value, NAN), .timestamp = time_now_ms()};
        return;
    }
    if (!json_is_object(value))
        return;
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);)
        flatten(scope, end, arena_format(scope->arena, "%s%s%s", prefix, dot, walk.key),
                walk.value);
}

static bool parse_metrics(Scope *scope, const char *path, const char *text, size_t size,
                          const JsonValue **value)
{
    const YamlNode *root;
    JsonWriter *json;
    const char *document;

    if (!text_has_suffix(path, ".yaml") && !text_has_suffix(path, ".yml"))
        return json_parse_python(text, size, scope->arena, value, &scope->error);
    if (!yaml_parse(text, size, scope->arena, &root, &scope->error))
        return false;
    json = json_writer_create(scope->arena);
    yaml_write_json(json, NULL, root);
    document = json_finish(json);
    return json_parse(document, strlen(document), scope->arena, value, &scope->error);
}

static bool read_file(Scope *scope, AttemptEnd *end, const char *path, const char *digest)
{
    const JsonValue *value;
    const char *text;
    size_t size;

    if (!artifact_read(scope->platform->artifacts, digest, METRICS_BYTES_MAX, scope->arena, &text,
                       &size, &scope->error) ||
        !parse_metrics(scope, path, text, size, &value))
        return fail_in(&scope->error, "metrics file \"%s\"", path);
    flatten(scope, end, "", value);
    return true;
}

void attempt_end_print_metrics(Scope *scope, AttemptEnd *end)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    for (size_t i = 0; i < end->metrics.count; i++)
        json_double(json, end->metrics.items[i].key, end->metrics.items[i].value);
    json_close(json);
    end->metrics_json = end->metrics.count ? json_finish(json) : NULL;
}

bool attempt_end_read_metrics(Scope *scope, AttemptEnd *end)
{
    for (JsonWalk walk = json_walk(json_member(end->document, "outs")); json_walk_next(&walk);)
        if (strcmp(json_as_text(json_member(walk.value, "use"), ""), "metrics") == 0 &&
            !read_file(scope, end, json_as_text(json_member(walk.value, "path"), ""),
                       json_as_text(json_member(walk.value, "digest"), "")))
            return false;
    attempt_end_print_metrics(scope, end);
    return true;
}

bool attempt_end_read_metrics_file(Scope *scope, AttemptEnd *end, const char *path,
                                   const char *digest)
{
    if (!read_file(scope, end, path, digest))
        return false;
    attempt_end_print_metrics(scope, end);
    return true;
}

/* pipeline_step.c: steps and attempts as rows, for who looks at them. */

#include <string.h>

#include "pipelines/pipeline.h"
#include "pipelines/pipeline_internal.h"

static PipelineStep step_from_row(const Query *query, Arena *arena)
{
    return (PipelineStep){
        .run_id = query_text(query, 0, arena),
        .position = query_int(query, 1),
        .name = query_text(query, 2, arena),
        .spec = query_text(query, 3, arena),
        .status = query_text(query, 4, arena),
        .reason = query_text(query, 5, arena),
        .waits_for = query_int(query, 6),
        .bad_needs = query_int(query, 7),
        .attempts = query_int(query, 8),
        .losses = query_int(query, 9),
        .ready_at = query_int(query, 10),
        .inputs = query_text(query, 11, arena),
        .cache_key = query_text(query, 12, arena),
        .cached_run = query_text(query, 13, arena),
        .cached_position = query_int(query, 14),
        .outs = query_text(query, 15, arena),
        .result = query_text(query, 16, arena),
        .metrics = query_text(query, 17, arena),
        .started_at = query_int(query, 18),
        .ended_at = query_int(query, 19),
        .executor = query_text(query, 20, arena),
    };
}

bool pipeline_steps_take(Scope *scope, Query *query, PipelineStepList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = step_from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool pipeline_step_list(Scope *scope, const char *run_id, int64_t after, int64_t limit,
                        PipelineStepList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_STEP " WHERE run_id = $1 AND position > $2"
                                       " ORDER BY position LIMIT $3",
                           db_text(run_id), db_int(after), db_int(limit));

    return pipeline_steps_take(scope, &query, list);
}

bool pipeline_step_find(Scope *scope, const char *run_id, const char *name, PipelineStep *step)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_STEP " WHERE run_id = $1 AND name = $2",
                           db_text(run_id), db_text(name));
    PipelineStepList list = {0};

    if (!pipeline_steps_take(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "the run has no step \"%.128s\"", name);
    *step = list.items[0];
    return true;
}

bool pipeline_step_at(Scope *scope, const char *run_id, int64_t position, PipelineStep *step)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_STEP " WHERE run_id = $1 AND position = $2",
                           db_text(run_id), db_int(position));
    PipelineStepList list = {0};

    if (!pipeline_steps_take(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "the run has no step %lld",
                    (long long)position);
    *step = list.items[0];
    return true;
}

void pipeline_step_write_json(JsonWriter *json, const char *key, const PipelineStep *step)
{
    json_open_object(json, key);
    {
        json_int(json, "position", step->position);
        json_text(json, "name", step->name);
        json_text(json, "status", step->status);
        json_text(json, "reason", step->reason);
        json_text(json, "executor", step->executor);
        json_int(json, "attempts", step->attempts);
        json_int(json, "losses", step->losses);
        json_int(json, "waits_for", step->waits_for);
        json_text(json, "cached_from", step->cached_run);
        json_raw(json, "outs", step->outs);
        json_raw(json, "result", step->result);
        json_raw(json, "metrics", step->metrics);
        json_raw(json, "spec", step->spec);
        json_time(json, "ready_at", step->ready_at);
        json_time(json, "started_at", step->started_at);
        json_time(json, "ended_at", step->ended_at);
    }
    json_close(json);
}

/* ---- attempts ---- */

static StepAttempt attempt_from_row(const Query *query, Arena *arena)
{
    return (StepAttempt){
        .run_id = query_text(query, 0, arena),
        .position = query_int(query, 1),
        .attempt = query_int(query, 2),
        .key = query_text(query, 3, arena),
        .status = query_text(query, 4, arena),
        .reason = query_text(query, 5, arena),
        .executor = query_text(query, 6, arena),
        .handle = query_text(query, 7, arena),
        .boot = query_text(query, 8, arena),
        .tracked_run = query_text(query, 9, arena),
        .exit_code = query_int(query, 10),
        .signal = query_int(query, 11),
        .usage = query_text(query, 12, arena),
        .log_digest = query_text(query, 13, arena),
        .log_size = query_int(query, 14),
        .created_at = query_int(query, 15),
        .started_at = query_int(query, 16),
        .ended_at = query_int(query, 17),
    };
}

bool step_attempts_take(Scope *scope, Query *query, StepAttemptList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = attempt_from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool step_attempt_find(Scope *scope, const char *key, StepAttempt *attempt)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ATTEMPT " WHERE key = $1", db_text(key));
    StepAttemptList list = {0};

    if (!step_attempts_take(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "attempt %s is not in the store", key);
    *attempt = list.items[0];
    return true;
}

bool step_attempt_list(Scope *scope, const char *run_id, int64_t position, StepAttemptList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_ATTEMPT " WHERE run_id = $1 AND position = $2 ORDER BY attempt",
                 db_text(run_id), db_int(position));

    return step_attempts_take(scope, &query, list);
}

void step_attempt_write_json(JsonWriter *json, const char *key, const StepAttempt *attempt)
{
    json_open_object(json, key);
    {
        json_int(json, "attempt", attempt->attempt);
        json_text(json, "key", attempt->key);
        json_text(json, "status", attempt->status);
        json_text(json, "reason", attempt->reason);
        json_text(json, "executor", attempt->executor);
        json_text(json, "handle", attempt->handle);
        json_text(json, "run_id", attempt->tracked_run);
        json_int(json, "exit_code", attempt->exit_code);
        json_int(json, "signal", attempt->signal);
        json_raw(json, "usage", attempt->usage);
        json_text(json, "log", attempt->log_digest);
        json_int(json, "log_size", attempt->log_size);
        json_time(json, "created_at", attempt->created_at);
        json_time(json, "started_at", attempt->started_at);
        json_time(json, "ended_at", attempt->ended_at);
    }
    json_close(json);
}

const char *step_attempt_folder(const Platform *platform, const char *key, Arena *arena)
{
    return arena_format(arena, "%s/attempts/%s", platform->folder, key);
}

static bool find_cached_run(Scope *scope, const PipelineStep *step, PipelineRun *run,
                            int64_t *position)
{
    *position = step->position;
    if (step->cached_run && pipeline_run_find(scope, step->cached_run, run)) {
        *position = step->cached_position;
        return true;
    }
    if (step->cached_run && scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return pipeline_run_find(scope, step->run_id, run);
}

bool pipeline_step_done_in(Scope *scope, const PipelineStep *step, PipelineRun *run,
                           const char **tracked)
{
    StepAttemptList attempts = {0};
    int64_t position;

    if (!find_cached_run(scope, step, run, &position) ||
        !step_attempt_list(scope, run->id, position, &attempts))
        return false;
    *tracked = NULL;
    for (size_t i = 0; i < attempts.count; i++)
        if (strcmp(attempts.items[i].status, "succeeded") == 0)
            *tracked = attempts.items[i].tracked_run;
    return true;
}

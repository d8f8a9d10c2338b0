/* scheduler_advance.c: the one write of a turn: what ended, what became ready, what begins. */

#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "base/time.h"
#include "pipelines/scheduler_internal.h"
#include "pipelines/step_approval.h"
#include "tracking/experiment.h"

typedef struct Advance {
    Scheduler *scheduler;
    const AttemptEndList *ends;
    StepAttemptList *began;
    Engine *engine; /* whose turn it is */
    bool *more;
} Advance;

/* ---- beginning an attempt ---- */

static bool create_tracked(Scope *scope, const StepStart *start, const char **id)
{
    RunSpec spec = {.name = start->row->name, .user = start->run->created_by};
    Experiment experiment;
    Run run;

    *arena_push(scope->arena, &spec.tags) = (Param){"slipway.project", start->run->project};
    *arena_push(scope->arena, &spec.tags) = (Param){"slipway.step", start->row->name};
    *arena_push(scope->arena, &spec.tags) = (Param){"slipway.pipeline_run", start->run->id};
    if (start->run->run_id)
        *arena_push(scope->arena, &spec.tags) = (Param){"mlflow.parentRunId", start->run->run_id};
    if (!experiment_ensure(scope, start->run->project, &experiment))
        return false;
    spec.experiment_id = experiment.id;
    if (!run_create(scope, &spec, &run))
        return false;
    *id = run.id;
    return true;
}

/* What a program does, or a training; not what the server does in a moment. */
static bool has_tracked(const StepStart *start)
{
    const Builtin *builtin = builtin_of(&start->step);

    return !builtin || builtin->worker;
}

static bool mark_running(Scope *scope, const StepStart *start, int64_t now)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'running', attempts = attempts + 1,"
                  " started_at = COALESCE(started_at, $3) WHERE run_id = $1 AND position = $2",
                  db_text(start->run->id), db_int(start->row->position), db_int(now)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE pipeline_runs SET status = 'running',"
                  " started_at = COALESCE(started_at, $2) WHERE id = $1",
                  db_text(start->run->id), db_int(now));
}

static bool begin(Scope *scope, Advance *advance, const StepStart *start)
{
    int64_t number = start->row->attempts + 1, now = time_now_ms();
    StepAttempt attempt = {
        .run_id = start->run->id,
        .position = start->row->position,
        .attempt = number,
        .key = arena_format(scope->arena, "%s-%lld-%lld", start->run->id,
                            (long long)start->row->position, (long long)number),
        .executor = start->row->executor,
        .boot = advance->scheduler->boot,
        .created_at = now,
    };

    if ((has_tracked(start) && !create_tracked(scope, start, &attempt.tracked_run)) ||
        !mark_running(scope, start, now) ||
        !db_run(scope->db, &scope->error,
                "INSERT INTO step_attempts (run_id, position, attempt, key, status, executor, boot,"
                " tracked_run, created_at) VALUES ($1, $2, $3, $4, 'running', $5, $6, $7, $8)",
                db_text(attempt.run_id), db_int(attempt.position), db_int(number),
                db_text(attempt.key), db_text(attempt.executor), db_text(attempt.boot),
                db_text(attempt.tracked_run), db_int(now)))
        return false;
    *arena_push(scope->arena, advance->began) = attempt;
    advance->engine->under_way++;
    return true;
}

/* ---- what was done before ---- */

static bool find_cached(Scope *scope, const StepStart *start, const char *key, PipelineStep *cached,
                        bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT c.run_id, c.position FROM step_cache c"
                           " JOIN pipeline_runs r ON r.id = c.run_id"
                           " WHERE c.project = $1 AND c.cache_key = $2 AND r.purged_at IS NULL",
                           db_text(start->run->project), db_text(key));
    const char *run_id = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;
    int64_t position = run_id ? query_int(&query, 1) : 0;

    *found = run_id != NULL;
    return query_end(&query, &scope->error) &&
           (!run_id || pipeline_step_at(scope, run_id, position, cached));
}

/* What it made may have been purged: then it is made again. */
static bool claim_outs(Scope *scope, const PipelineStep *cached, bool *whole)
{
    const JsonValue *outs = NULL;

    if (cached->outs &&
        !json_parse(cached->outs, strlen(cached->outs), scope->arena, &outs, &scope->error))
        return false;
    *whole = step_outs_claim(scope, outs);
    if (*whole || scope->error.kind != ERROR_NOT_FOUND)
        return *whole;
    scope->error = (Error){0};
    return true;
}

static bool take_cached(Scope *scope, const StepStart *start, const PipelineStep *cached)
{
    const char *source = cached->cached_run ? cached->cached_run : cached->run_id;
    int64_t position = cached->cached_run ? cached->cached_position : cached->position;

    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET outs = $3, result = $4, metrics = $5,"
                  " cached_run = $6, cached_position = $7, started_at = $8"
                  " WHERE run_id = $1 AND position = $2",
                  db_text(start->run->id), db_int(start->row->position), db_text(cached->outs),
                  db_text(cached->result), db_text(cached->metrics), db_text(source),
                  db_int(position), db_int(time_now_ms())) &&
           step_end(scope, start->run->id, start->row->position, "succeeded", NULL);
}

static bool keep_inputs(Scope *scope, const StepStart *start, const char *inputs, const char *key)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET inputs = $3, cache_key = $4"
                  " WHERE run_id = $1 AND position = $2",
                  db_text(start->run->id), db_int(start->row->position), db_text(inputs),
                  db_text(key));
}

static bool begin_or_take(Scope *scope, Advance *advance, const StepStart *start)
{
    bool may_take = !start->run->is_forced && !start->step.always && !start->step.place;
    const char *inputs, *key;
    PipelineStep cached;
    bool found = false, whole = false;

    if (!step_start_inputs(scope, start, &inputs, &key) || !keep_inputs(scope, start, inputs, key))
        return false;
    if (may_take && (!find_cached(scope, start, key, &cached, &found) ||
                     (found && !claim_outs(scope, &cached, &whole))))
        return false;
    if (found && whole)
        return take_cached(scope, start, &cached);
    return begin(scope, advance, start);
}

/* ---- what is ready ---- */

static bool find_nothing_to_do(Scope *scope, const StepStart *start, const char **reason)
{
    const Builtin *builtin = builtin_of(&start->step);

    *reason = NULL;
    return !builtin || !builtin->skip || builtin->skip(scope, start, reason);
}

static bool decide(Scope *scope, Advance *advance, StepStart *start)
{
    const char *reason;
    bool wanted, goes;

    if (start->run->cancelled_at)
        return step_end(scope, start->run->id, start->row->position, "cancelled",
                        "the run was cancelled");
    if (!step_start_read(scope, start) || !step_start_wanted(scope, start, &wanted))
        return false;
    if (!wanted)
        return step_end(scope, start->run->id, start->row->position, "skipped",
                        start->row->bad_needs
                            ? "what it needs did not succeed"
                            : arena_format(scope->arena, "\"%s\" is not true", start->step.when));
    if (!find_nothing_to_do(scope, start, &reason))
        return false;
    if (reason)
        return step_end(scope, start->run->id, start->row->position, "skipped", reason);
    if (!step_approval_pass(scope, start, &goes))
        return false;
    return !goes || begin_or_take(scope, advance, start);
}

typedef struct Decision {
    Advance *advance;
    StepStart *start;
} Decision;

static bool decide_alone(Scope *scope, void *context)
{
    const Decision *decision = context;

    return decide(scope, decision->advance, decision->start);
}

/* A mistake in one step (an expression that asks for what is not there) is that step's failure. */
static bool take_ready(Scope *scope, Advance *advance, const PipelineStep *row)
{
    PipelineRun run;
    StepStart start = {.run = &run, .row = row};
    Decision decision = {advance, &start};

    if (!pipeline_run_find(scope, row->run_id, &run) ||
        !scheduler_tree(advance->scheduler, scope, run.tree, &start.tree))
        return false;
    pipeline_run_set_topic(scope, &run);
    if (scope_write(scope, decide_alone, &decision))
        return true;
    if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE)
        return false;
    Error mistake = scope->error;
    scope->error = (Error){0};
    return step_end(scope, row->run_id, row->position, "failed", mistake.message);
}

static size_t free_slots(const Engine *engine)
{
    return engine->slots > engine->under_way ? engine->slots - engine->under_way : 0;
}

static bool list_ready(Scope *scope, const Engine *engine, PipelineStepList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 SELECT_STEP " WHERE status = 'ready' AND executor = $1 AND ready_at <= $2"
                             " ORDER BY ready_at, run_id, position LIMIT $3",
                 db_text(engine->executor->kind->name), db_int(time_now_ms()),
                 db_int((int64_t)free_slots(engine)));

    return pipeline_steps_take(scope, &query, list);
}

/* Steps that are skipped or taken from the cache need no slot and make others ready, so there are
 * rounds, up to a number of steps: a write must be quick. */
static bool take_all_ready(Scope *scope, Advance *advance, Engine *engine)
{
    size_t done = 0;

    advance->engine = engine;
    while (free_slots(engine) && done < SCHEDULER_STEPS_A_TURN) {
        PipelineStepList list = {0};

        if (!list_ready(scope, engine, &list))
            return false;
        if (!list.count)
            return true;
        for (size_t i = 0; i < list.count; i++, done++)
            if (!take_ready(scope, advance, &list.items[i]))
                return false;
    }
    *advance->more = *advance->more || free_slots(engine) > 0;
    return true;
}

/* The steps of a run that is to end wait for nothing any more, neither for a time nor for an
 * executor that may not be there. */
static bool end_cancelled(Scope *scope)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET ready_at = 0, executor = 'local'"
                  " WHERE status = 'ready' AND (ready_at > 0 OR executor <> 'local') AND run_id IN"
                  " (SELECT id FROM pipeline_runs WHERE ended_at IS NULL"
                  " AND cancelled_at IS NOT NULL)");
}

static bool find_next_ready(Scope *scope, Scheduler *scheduler)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT MIN(ready_at) FROM pipeline_steps"
                           " WHERE status = 'ready' AND ready_at > $1",
                           db_int(time_now_ms()));

    scheduler->next_ready_ms = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

static bool write_turn(Scope *scope, void *context)
{
    Advance *advance = context;
    Scheduler *scheduler = advance->scheduler;

    for (size_t i = 0; i < advance->ends->count; i++)
        if (!advance->ends->items[i].is_written &&
            !attempt_end_write(scope, &advance->ends->items[i]))
            return false;
    CRASH_POINT("scheduler: ends written, not committed");
    if (!end_cancelled(scope))
        return false;
    for (size_t i = 0; i < scheduler->engine_count; i++)
        if (!take_all_ready(scope, advance, &scheduler->engines[i]))
            return false;
    return true;
}

static bool has_ready(Scope *scope, const Engine *engine, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT 1 FROM pipeline_steps"
                           " WHERE status = 'ready' AND executor = $1 AND ready_at <= $2 LIMIT 1",
                           db_text(engine->executor->kind->name), db_int(time_now_ms()));

    *found = query_next(&query);
    return query_end(&query, &scope->error);
}

static bool has_cancelled(Scope *scope, bool *found)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT 1 FROM pipeline_runs r"
                            " WHERE r.ended_at IS NULL AND r.cancelled_at IS NOT NULL AND EXISTS"
                            " (SELECT 1 FROM pipeline_steps s"
                            " WHERE s.run_id = r.id AND s.status = 'ready') LIMIT 1");

    *found = query_next(&query);
    return query_end(&query, &scope->error);
}

/* Most turns find nothing to do, and then there is no write. */
static bool has_work(Scope *scope, const Scheduler *scheduler, bool *found)
{
    for (size_t i = 0; i < scheduler->engine_count && !*found; i++)
        if (free_slots(&scheduler->engines[i]) && !has_ready(scope, &scheduler->engines[i], found))
            return false;
    return *found || !free_slots(&scheduler->engines[0]) || has_cancelled(scope, found);
}

bool scheduler_advance(Scheduler *scheduler, Scope *scope, const AttemptEndList *ends,
                       StepAttemptList *began, bool *more)
{
    Advance advance = {
        .scheduler = scheduler,
        .ends = ends,
        .began = began,
        .more = more,
    };
    bool found = ends->count > 0;

    scheduler_count_free(scheduler, ends);
    if (!found && !has_work(scope, scheduler, &found))
        return false;
    if (found && !scope_write(scope, write_turn, &advance))
        return false;
    for (size_t i = 0; i < began->count; i++)
        scheduler_add(scheduler, &began->items[i]);
    return find_next_ready(scope, scheduler);
}

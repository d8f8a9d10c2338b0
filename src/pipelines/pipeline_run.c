/* pipeline_run.c: accepting runs, finding them, and wishing them to end. */

#include <string.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/time.h"
#include "pipelines/approval.h"
#include "pipelines/executors.h"
#include "pipelines/pipeline_internal.h"
#include "tracking/experiment.h"
#include "tracking/run.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_RUN                                                                                 \
    "SELECT id, project, number, status, reason, file, tree, params, origin, trigger_key, run_id," \
    " is_forced, open_steps, bad_steps, cancelled_at, cancelled_by, created_at, created_by,"       \
    " started_at, ended_at, follows, reproduces, originators, purged_at FROM pipeline_runs"

static PipelineRun from_row(const Query *query, Arena *arena)
{
    return (PipelineRun){
        .id = query_text(query, 0, arena),
        .project = query_text(query, 1, arena),
        .number = query_int(query, 2),
        .status = query_text(query, 3, arena),
        .reason = query_text(query, 4, arena),
        .file = query_text(query, 5, arena),
        .tree = query_text(query, 6, arena),
        .params = query_text(query, 7, arena),
        .origin = query_text(query, 8, arena),
        .trigger_key = query_text(query, 9, arena),
        .run_id = query_text(query, 10, arena),
        .is_forced = query_int(query, 11),
        .open_steps = query_int(query, 12),
        .bad_steps = query_int(query, 13),
        .cancelled_at = query_int(query, 14),
        .cancelled_by = query_text(query, 15, arena),
        .created_at = query_int(query, 16),
        .created_by = query_text(query, 17, arena),
        .started_at = query_int(query, 18),
        .ended_at = query_int(query, 19),
        .follows = query_text(query, 20, arena),
        .reproduces = query_text(query, 21, arena),
        .originators = query_text(query, 22, arena),
        .purged_at = query_int(query, 23),
    };
}

static bool take_one(Scope *scope, Query *query, PipelineRun *run, bool *found)
{
    *found = query_next(query);
    if (*found)
        *run = from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool pipeline_run_find(Scope *scope, const char *id, PipelineRun *run)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_RUN " WHERE id = $1", db_text(id));
    bool found;

    if (!take_one(scope, &query, run, &found))
        return false;
    return found ||
           fail(&scope->error, ERROR_NOT_FOUND, "pipeline run \"%.64s\" does not exist", id);
}

bool pipeline_run_find_number(Scope *scope, const char *project, int64_t number, PipelineRun *run)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_RUN " WHERE project = $1 AND number = $2",
                           db_text(project), db_int(number));
    bool found;

    if (!take_one(scope, &query, run, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND,
                         "project \"%.128s\" has no pipeline run %lld", project, (long long)number);
}

bool pipeline_run_check_kept(const PipelineRun *run, Error *error)
{
    char text[TIME_TEXT_SIZE];

    return !run->purged_at ||
           fail(error, ERROR_NOT_FOUND,
                "%s#%lld was purged at %s: its steps, their logs and what they made are gone",
                run->project, (long long)run->number, time_format(run->purged_at, text));
}

bool pipeline_run_list(Scope *scope, const char *project, const Page *page, PipelineRunList *list)
{
    CLEANUP(query_finalize)
    Query query =
        project ? db_query(scope->db,
                           SELECT_RUN " WHERE project = $1 AND number < $2"
                                      " ORDER BY number DESC LIMIT $3",
                           db_text(project), db_int(page_before(page)), db_int(page_limit(page)))
                : db_query(scope->db,
                           SELECT_RUN " WHERE created_at < $1"
                                      " ORDER BY created_at DESC LIMIT $2",
                           db_int(page_before(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

void pipeline_run_write_json(JsonWriter *json, const char *key, const PipelineRun *run)
{
    json_open_object(json, key);
    {
        json_text(json, "id", run->id);
        json_text(json, "project", run->project);
        json_int(json, "number", run->number);
        json_text(json, "status", run->status);
        json_text(json, "reason", run->reason);
        json_text(json, "file", run->file);
        json_text(json, "tree", run->tree);
        json_raw(json, "params", run->params);
        json_raw(json, "origin", run->origin);
        json_text(json, "run_id", run->run_id);
        json_text(json, "follows", run->follows);
        json_text(json, "reproduces", run->reproduces);
        json_bool(json, "is_forced", run->is_forced);
        json_int(json, "open_steps", run->open_steps);
        json_int(json, "failed_steps", run->bad_steps);
        json_time(json, "cancelled_at", run->cancelled_at);
        json_text(json, "cancelled_by", run->cancelled_by);
        json_time(json, "created_at", run->created_at);
        json_text(json, "created_by", run->created_by);
        json_raw(json, "originators", run->originators);
        json_time(json, "started_at", run->started_at);
        json_time(json, "ended_at", run->ended_at);
        json_time(json, "purged_at", run->purged_at);
    }
    json_close(json);
}

const char *pipeline_run_title(const PipelineRun *run, Arena *arena)
{
    return arena_format(arena, "%s#%lld", run->project, (long long)run->number);
}

void pipeline_run_set_topic(Scope *scope, const PipelineRun *run)
{
    scope->topic = (Topic){run->project, pipeline_run_title(run, scope->arena)};
}

const char *pipeline_run_commit(const PipelineRun *run, Arena *arena)
{
    const JsonValue *origin = NULL;
    const char *commit;
    Error ignored = {0};

    if (!json_parse(run->origin, strlen(run->origin), arena, &origin, &ignored))
        return NULL;
    commit = json_as_text(json_member(origin, "commit"), NULL);
    return commit && json_as_bool(json_member(origin, "is_dirty"), false)
               ? arena_format(arena, "%s-dirty", commit)
               : commit;
}

/* ---- accepting ---- */

static bool find_triggered(Scope *scope, const PipelineRunSpec *spec, PipelineRun *run, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_RUN " WHERE project = $1 AND trigger_key = $2",
                           db_text(spec->project), db_text(spec->trigger_key));

    return take_one(scope, &query, run, found);
}

static bool insert_step(Scope *scope, const PipelineRun *run, const Plan *plan, size_t position)
{
    const PlanStep *step = &plan->items[position];
    JsonWriter *json = json_writer_create(scope->arena);
    bool is_ready = step->needs.count == 0 && !run->follows;

    plan_step_write_json(json, NULL, step);
    if (!db_run(scope->db, &scope->error,
                "INSERT INTO pipeline_steps (run_id, position, name, spec, status, waits_for,"
                " bad_needs, attempts, losses, ready_at, executor)"
                " VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, $8)",
                db_text(run->id), db_int((int64_t)position), db_text(step->name),
                db_text(json_finish(json)), db_text(is_ready ? "ready" : "waiting"),
                db_int((int64_t)step->needs.count), is_ready ? db_int(0) : db_int_or_null(0),
                db_text(executor_of(scope->platform, step))))
        return false;
    for (size_t i = 0; i < step->needs.count; i++)
        if (!db_run(scope->db, &scope->error,
                    "INSERT INTO pipeline_edges (run_id, step, next) VALUES ($1, $2, $3)",
                    db_text(run->id), db_int((int64_t)step->needs.items[i]),
                    db_int((int64_t)position)))
            return false;
    return true;
}

/* The tracked run that those of the steps belong to. */
static bool create_tracked(Scope *scope, const PipelineRunSpec *spec, int64_t number, Run *tracked)
{
    RunSpec run = {.name =
                       arena_format(scope->arena, "%s #%lld", spec->project, (long long)number)};
    Experiment experiment;

    *arena_push(scope->arena, &run.tags) = (Param){"slipway.project", spec->project};
    if (!experiment_ensure(scope, spec->project, &experiment))
        return false;
    run.experiment_id = experiment.id;
    return run_create(scope, &run, tracked);
}

static bool append_created(Scope *scope, const PipelineRun *run)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "id", run->id);
    json_int(json, "steps", run->open_steps);
    json_raw(json, "origin", run->origin);
    if (run->reproduces)
        json_text(json, "reproduces", run->reproduces);
    json_raw(json, "originators", run->originators);
    json_close(json);
    return event_append(scope, "pipeline_run.created", pipeline_run_title(run, scope->arena),
                        json_finish(json));
}

static bool insert_run(Scope *scope, const PipelineRunSpec *spec, const char *follows,
                       PipelineRun *run)
{
    char id[ID_TEXT_SIZE];
    int64_t number;
    Run tracked;

    if (!db_get_int(scope->db, &scope->error, &number,
                    "SELECT COALESCE(MAX(number), 0) + 1 FROM pipeline_runs WHERE project = $1",
                    db_text(spec->project)))
        return false;
    pipeline_run_set_topic(scope, &(PipelineRun){.project = spec->project, .number = number});
    if (!create_tracked(scope, spec, number, &tracked))
        return false;
    id_timed(id);
    return db_run(scope->db, &scope->error,
                  "INSERT INTO pipeline_runs (id, project, number, status, file, tree, params,"
                  " origin, trigger_key, run_id, is_forced, open_steps, bad_steps, created_at,"
                  " created_by, follows, reproduces, originators)"
                  " VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13,"
                  " $14, $15, $16)",
                  db_text(id), db_text(spec->project), db_int(number), db_text(spec->file),
                  db_text(spec->tree), db_text(spec->params), db_text(spec->origin),
                  db_text(spec->trigger_key), db_text(tracked.id), db_int(spec->is_forced),
                  db_int((int64_t)spec->plan->count), db_int(time_now_ms()),
                  db_text(scope->principal.name), db_text(follows), db_text(spec->reproduces),
                  db_text(spec->originators)) &&
           pipeline_run_find(scope, id, run);
}

bool pipeline_run_create(Scope *scope, const PipelineRunSpec *spec, PipelineRun *run, bool *is_new)
{
    bool found = false;
    Overlap overlap;

    if (spec->trigger_key && !find_triggered(scope, spec, run, &found))
        return false;
    *is_new = !found;
    if (found)
        return true;
    if (spec->plan->count == 0)
        return fail(&scope->error, ERROR_CONFLICT, "%s has no stages", spec->file);
    if (!pipeline_overlap(scope, spec, &overlap))
        return false;
    *is_new = !overlap.is_skipped;
    if (overlap.is_skipped)
        return pipeline_run_find(scope, overlap.run, run);
    if (!insert_run(scope, spec, overlap.run, run))
        return false;
    for (size_t i = 0; i < spec->plan->count; i++)
        if (!insert_step(scope, run, spec->plan, i))
            return false;
    CRASH_POINT("pipeline: run inserted, not committed");
    return append_created(scope, run);
}

bool pipeline_run_cancel(Scope *scope, const char *id, PipelineRun *run)
{
    if (!pipeline_run_find(scope, id, run))
        return false;
    if (run->ended_at)
        return fail(&scope->error, ERROR_CONFLICT, "%s #%lld has ended: it %s", run->project,
                    (long long)run->number,
                    strcmp(run->status, "cancelled") == 0 ? "was cancelled" : run->status);
    if (run->cancelled_at)
        return true;
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_runs SET cancelled_at = $2, cancelled_by = $3 WHERE id = $1",
                  db_text(id), db_int(time_now_ms()), db_text(scope->principal.name)) &&
           pipeline_overlap_release(scope, id) &&
           approval_withdraw_run(scope, id, "the run was cancelled") &&
           event_append(scope, "pipeline_run.cancel_asked", pipeline_run_title(run, scope->arena),
                        NULL) &&
           pipeline_run_find(scope, id, run);
}

/* overlap.c: what becomes of a run that is asked for while others of its project are open.
 *
 * A run that follows another has no step that is ready: those that wait for none stay "waiting"
 * until the last older run of the project has ended. So nothing that looks for ready steps has to
 * know of it. */

#include <string.h>

#include "pipelines/pipeline_internal.h"

static bool list_open(Scope *scope, const char *project, TextList *ids)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT id FROM pipeline_runs WHERE project = $1 AND ended_at IS NULL"
                           " ORDER BY number DESC",
                           db_text(project));

    while (query_next(&query))
        text_list_add(ids, scope->arena, query_text(&query, 0, scope->arena));
    return query_end(&query, &scope->error);
}

static bool cancel_all(Scope *scope, const TextList *ids)
{
    PipelineRun run;

    for (size_t i = 0; i < ids->count; i++)
        if (!pipeline_run_cancel(scope, ids->items[i], &run))
            return false;
    return true;
}

bool pipeline_overlap(Scope *scope, const PipelineRunSpec *spec, Overlap *overlap)
{
    TextList open = {0};

    *overlap = (Overlap){0};
    if (!list_open(scope, spec->project, &open))
        return false;
    if (!open.count)
        return true;
    overlap->run = open.items[0];
    overlap->is_skipped = spec->overlap == PIPELINE_SKIP;
    return spec->overlap != PIPELINE_REPLACE || cancel_all(scope, &open);
}

bool pipeline_overlap_release(Scope *scope, const char *run_id)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'ready', ready_at = 0"
                  " WHERE run_id = $1 AND status = 'waiting' AND waits_for = 0",
                  db_text(run_id));
}

static bool has_ended(Scope *scope, const char *run_id, bool *ended)
{
    PipelineRun run;

    *ended = true;
    if (!run_id)
        return true;
    if (!pipeline_run_find(scope, run_id, &run))
        return false;
    *ended = run.ended_at != 0;
    return true;
}

/* One that was cancelled before its turn leaves its place to those behind it. */
static bool pass_on(Scope *scope, const PipelineRun *run)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_runs SET follows = $2 WHERE follows = $1", db_text(run->id),
                  db_text(run->follows));
}

bool pipeline_overlap_end(Scope *scope, const PipelineRun *run)
{
    bool ended;

    if (!has_ended(scope, run->follows, &ended))
        return false;
    if (!ended)
        return pass_on(scope, run);
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'ready', ready_at = 0"
                  " WHERE status = 'waiting' AND waits_for = 0 AND run_id IN"
                  " (SELECT id FROM pipeline_runs WHERE follows = $1)",
                  db_text(run->id));
}

#include "pipelines/evidence.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "data/holdout.h"
#include "pipelines/approval.h"
#include "pipelines/gate.h"
#include "registry/model.h"

/* ---- the run that released it ---- */

/* "pipeline run spam#12": what a release says in its comment (builtin_release.c). */
#define RELEASE_COMMENT "pipeline run "

static bool read_comment(const char *comment, Arena *arena, const char **project, int64_t *number)
{
    const char *hash = comment ? strrchr(comment, '#') : NULL;

    if (!hash || !text_has_prefix(comment, RELEASE_COMMENT))
        return false;
    comment += strlen(RELEASE_COMMENT);
    *project = arena_copy(arena, comment, (size_t)(hash - comment));
    return text_to_int(hash + 1, number);
}

/* Anybody may write such a comment. A step of the release must have been under way in that run, for
 * the one who put the version there. */
static bool is_proven(Scope *scope, const Placement *placement, const PipelineRun *run, bool *is)
{
    static const char sql[] = "SELECT 1 FROM pipeline_steps WHERE run_id = $1"
                              " AND substr(name, 1, 8) = 'release.' AND started_at <= $2";

    *is = text_equal(run->created_by, placement->created_by) &&
          (!run->ended_at || run->ended_at >= placement->created_at);
    if (!*is)
        return true;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_text(run->id), db_int(placement->created_at));

    *is = query_next(&query);
    return query_end(&query, &scope->error);
}

bool evidence_find_pipeline_run(Scope *scope, const Placement *placement, PipelineRun *run,
                                bool *found)
{
    const char *project;
    Placement origin;
    int64_t number;

    *found = false;
    if (!placement_find(scope, placement->origin_id, &origin))
        return false;
    if (!read_comment(origin.comment, scope->arena, &project, &number))
        return true;
    return scope_settle(scope, pipeline_run_find_number(scope, project, number, run), found) &&
           (!*found || is_proven(scope, &origin, run, found));
}

/* With the approvals that its steps waited for, the oldest first. */
static bool write_pipeline_run(Scope *scope, const Placement *placement, JsonWriter *json)
{
    ApprovalList approvals = {0};
    PipelineRun run;
    bool found;

    if (!evidence_find_pipeline_run(scope, placement, &run, &found) ||
        (found && !approval_list(scope, &(ApprovalFilter){.run_id = run.id},
                                 &(Page){.limit = PAGE_LIMIT_MAX}, &approvals)))
        return false;
    if (found)
        pipeline_run_write_json(json, "pipeline_run", &run);
    else
        json_null(json, "pipeline_run");
    json_open_array(json, "approvals");
    for (size_t i = approvals.count; i; i--)
        approval_write_json(json, NULL, &approvals.items[i - 1]);
    json_close(json);
    return true;
}

/* ---- what it learnt from, and how it was judged ---- */

static bool write_dataset(Scope *scope, const ModelVersion *version, JsonWriter *json)
{
    DatasetVersion data;
    bool found = false;

    if (version->dataset &&
        !scope_settle(
            scope, dataset_version_find(scope, version->dataset, version->dataset_version, &data),
            &found))
        return false;
    if (found)
        dataset_version_write_json(json, "dataset", &data);
    else
        json_null(json, "dataset");
    return true;
}

static bool write_holdout(Scope *scope, const Placement *placement, const ModelVersion *version,
                          JsonWriter *json)
{
    Holdout holdout;
    bool found = false;

    if (version->dataset && version->holdout_digest &&
        !scope_settle(scope, holdout_find(scope, placement->project, version->dataset, &holdout),
                      &found))
        return false;
    if (found && text_equal(holdout.rows, version->holdout_digest))
        holdout_write_json(json, "holdout", &holdout);
    else
        json_null(json, "holdout");
    return true;
}

static bool write_gate(Scope *scope, const Placement *placement, JsonWriter *json)
{
    const GateSubject subject = {placement->endpoint, placement->model, placement->version};
    bool found;
    Gate gate;

    if (!gate_find_last(scope, &subject, placement->created_at, &gate, &found))
        return false;
    if (found)
        gate_write_json(json, "gate", &gate);
    else
        json_null(json, "gate");
    return true;
}

bool evidence_write_json(Scope *scope, const Placement *placement, JsonWriter *json,
                         const char *key)
{
    const char *number = arena_format(scope->arena, "%" PRId64, placement->version);
    bool done;
    Lineage lineage;

    if (!model_version_lineage(scope, placement->model, number, &lineage))
        return false;
    json_open_object(json, key);
    {
        placement_write_json(json, "deployment", placement);
        lineage_write_json(json, "lineage", &lineage);
        done = write_dataset(scope, &lineage.version, json) &&
               write_holdout(scope, placement, &lineage.version, json) &&
               write_gate(scope, placement, json) && write_pipeline_run(scope, placement, json);
    }
    json_close(json);
    return done;
}

/* ---- at a moment, or behind an answer ---- */

const JsonField served_query_fields[] = {
    {"at", JSON_TEXT, offsetof(ServedQuery, at), JSON_OPTIONAL,
     "a moment with its zone, as 2026-05-01T10:00Z or 2026-05-01T12:00:00+02:00; now if absent"},
    {0},
};

static bool choose_moment(Scope *scope, const ServedQuery *query, int64_t *at)
{
    int64_t now = time_now_ms();

    *at = now;
    if (!query->at)
        return true;
    if (!time_read_moment("at", query->at, at, &scope->error))
        return false;
    return *at <= now || fail_field(&scope->error, "at", "\"%.40s\" has not come yet", query->at);
}

static bool write_placement(Scope *scope, const Placement *placement, JsonWriter *json,
                            const char *key)
{
    if (placement->id)
        return evidence_write_json(scope, placement, json, key);
    json_null(json, key);
    return true;
}

bool served_write_json(Scope *scope, const ServedQuery *query, JsonWriter *json)
{
    Placement live, candidate;
    int64_t at;
    bool done;

    if (!choose_moment(scope, query, &at) ||
        !placement_live_at(scope, query->endpoint, at, &live) ||
        !placement_candidate_at(scope, query->endpoint, at, &candidate))
        return false;
    json_open_object(json, NULL);
    {
        json_text(json, "endpoint", query->endpoint);
        json_time(json, "at", at);
        done = write_placement(scope, &live, json, "live") &&
               write_placement(scope, &candidate, json, "candidate");
    }
    json_close(json);
    return done;
}

bool answer_write_json(Scope *scope, const LoggedPrediction *prediction, JsonWriter *json)
{
    Placement placement;
    bool done;

    if (!placement_find(scope, prediction->deployment_id, &placement))
        return false;
    json_open_object(json, NULL);
    {
        logged_prediction_write_json(json, "prediction", prediction);
        done = evidence_write_json(scope, &placement, json, "evidence");
    }
    json_close(json);
    return done;
}

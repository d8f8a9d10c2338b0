#include "pipelines/purge.h"

#include "access/event.h"
#include "base/crash.h"
#include "base/time.h"
#include "pipelines/purge_internal.h"
#include "registry/model.h"
#include "tracking/artifact_upload.h"
#include "tracking/purge.h"

/* A unit holds up whoever else writes for some milliseconds. */
enum { ROWS_PER_UNIT = 2000, ROWS_PER_ITEM = 20 };

#define DAY_MS INT64_C(86400000)

typedef struct Purge {
    Scope *scope;
    const PurgeSpec *spec;
    PurgePlan plan;
    PurgeReport *report;
} Purge;

/* ---- rows ---- */

static bool purge_run_row(Scope *scope, int64_t key, int64_t *rows, bool *is_gone)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM trainings WHERE run_id = (SELECT id FROM runs WHERE key = $1)",
                  db_int(key)) &&
           db_run(scope->db, &scope->error,
                  "DELETE FROM step_attempts WHERE tracked_run ="
                  " (SELECT id FROM runs WHERE key = $1) AND run_id IN"
                  " (SELECT id FROM pipeline_runs WHERE purged_at IS NOT NULL)",
                  db_int(key)) &&
           run_purge(scope, key, rows, is_gone);
}

static bool purge_version_row(Scope *scope, int64_t id, int64_t *rows, bool *is_gone)
{
    *is_gone = true;
    (*rows)--;
    return model_version_purge(scope, id);
}

typedef bool PurgeRow(Scope *scope, int64_t key, int64_t *rows, bool *is_gone);

static PurgeRow *const purge_rows[] = {
    [PURGE_RUN] = purge_run_row,
    [PURGE_LOGGED_MODEL] = logged_model_purge,
    [PURGE_MODEL_VERSION] = purge_version_row,
    [PURGE_LOGGED_DATASET] = logged_dataset_purge,
    [PURGE_EXPERIMENT] = experiment_purge,
};

/* How far the things of a kind are gone. */
typedef struct Progress {
    const PurgeItemList *list;
    PurgeNoun noun;
    int64_t until;
    size_t at;
    ArtifactTally gone;
} Progress;

/* Items until the unit has its rows; the last of them may be gone in part. */
static bool purge_unit(Scope *scope, void *context)
{
    Progress *progress = context;
    int64_t rows = ROWS_PER_UNIT;

    while (progress->at < progress->list->count && rows > 0) {
        const PurgeItem *item = &progress->list->items[progress->at];
        bool is_due = false, is_gone = true;

        if (!purge_is_due(scope, progress->noun, item->key, progress->until, &is_due) ||
            (is_due && !purge_rows[progress->noun](scope, item->key, &rows, &is_gone)))
            return false;
        if (!is_gone)
            return true;
        rows -= ROWS_PER_ITEM;
        progress->at++;
        progress->gone.count += is_due;
        progress->gone.bytes += is_due ? item->bytes : 0;
    }
    return true;
}

bool purge_write_unit(Scope *scope, const PurgeSpec *spec, ScopeWork *work, void *context)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Scope unit = *scope;
    bool done;

    if (spec->stopped && atomic_load(spec->stopped))
        return fail(&scope->error, ERROR_UNAVAILABLE, "the purge was stopped");
    unit.arena = arena;
    done = scope_write(&unit, work, context);
    scope->error = unit.error;
    CRASH_POINT("purge: some rows removed");
    if (spec->pause_ms)
        time_sleep_ms(spec->pause_ms);
    return done;
}

/* What was undone does not count. */
static bool purge_kind(Purge *purge, PurgeNoun noun, const PurgeItemList *list, ArtifactTally *gone)
{
    Progress progress = {.list = list, .noun = noun, .until = purge->plan.until};

    while (progress.at < list->count) {
        Progress next = progress;

        if (!purge_write_unit(purge->scope, purge->spec, purge_unit, &next))
            return false;
        progress = next;
        *gone = progress.gone;
    }
    return true;
}

static bool purge_datasets(Purge *purge)
{
    PurgeItemList unused = {0};
    ArtifactTally ignored = {0};

    return purge->plan.runs.count == 0 ||
           (purge_find_datasets(purge->scope, purge->plan.until, &unused) &&
            purge_kind(purge, PURGE_LOGGED_DATASET, &unused, &ignored));
}

static bool purge_all_rows(Purge *purge)
{
    PurgePlan *plan = &purge->plan;
    PurgeReport *report = purge->report;
    ArtifactTally experiments = {0};
    bool done;

    done = purge_kind(purge, PURGE_MODEL_VERSION, &plan->model_versions, &report->model_versions) &&
           purge_pipelines(purge->scope, purge->spec, plan, &report->pipeline_runs) &&
           purge_kind(purge, PURGE_RUN, &plan->runs, &report->runs) &&
           purge_kind(purge, PURGE_LOGGED_MODEL, &plan->logged_models, &report->logged_models) &&
           purge_datasets(purge) &&
           purge_kind(purge, PURGE_EXPERIMENT, &plan->experiments, &experiments);
    report->experiment_count = experiments.count;
    return done;
}

/* ---- bytes ---- */

static bool purge_uploads(Purge *purge)
{
    UploadSweep sweep = {0};
    bool done = artifact_upload_sweep(purge->scope, purge->spec->is_rehearsal, &sweep);

    purge->report->uploads = (ArtifactTally){sweep.count, sweep.bytes};
    return done;
}

static bool purge_blobs(Purge *purge, const DigestSet *kept, int64_t began_at)
{
    const ArtifactPurge blobs = {
        .kept = kept,
        .since = began_at - ARTIFACT_GRACE_MS,
        .is_rehearsal = purge->spec->is_rehearsal,
        .stopped = purge->spec->stopped,
    };

    return artifact_purge(purge->scope->platform->artifacts, &blobs, &purge->report->blobs,
                          &purge->scope->error);
}

/* ---- all of it ---- */

static ArtifactTally tally_of(const PurgeItemList *list)
{
    ArtifactTally tally = {.count = (int64_t)list->count};

    for (size_t i = 0; i < list->count; i++)
        tally.bytes += list->items[i].bytes;
    return tally;
}

static void rehearse_rows(Purge *purge)
{
    PurgeReport *report = purge->report;

    report->runs = tally_of(&purge->plan.runs);
    report->logged_models = tally_of(&purge->plan.logged_models);
    report->model_versions = tally_of(&purge->plan.model_versions);
    report->pipeline_runs = tally_of(&purge->plan.pipeline_runs);
    report->experiment_count = (int64_t)purge->plan.experiments.count;
}

/* Gathers twice: at first to see that it can be done, and how much is due; then, when the rows are
 * gone, what is left. */
static bool run(Purge *purge)
{
    CLEANUP(digest_set_clear) DigestSet planned = {0};
    CLEANUP(digest_set_clear) DigestSet kept = {0};
    const atomic_bool *stopped = purge->spec->stopped;
    int64_t began_at = time_now_ms();

    if (!purge_plan(purge->scope, &purge->plan, purge->report) ||
        !purge_gather(purge->scope, &purge->plan, stopped, &planned))
        return false;
    if (purge->spec->is_rehearsal) {
        rehearse_rows(purge);
        return purge_uploads(purge) && purge_blobs(purge, &planned, began_at);
    }
    if (!purge_all_rows(purge) || !purge_uploads(purge))
        return false;
    CRASH_POINT("purge: rows removed, blobs not");
    began_at = time_now_ms();
    return purge_gather(purge->scope, &(PurgePlan){.until = purge->plan.until}, stopped, &kept) &&
           purge_blobs(purge, &kept, began_at);
}

static bool append_event(Scope *scope, void *context)
{
    const Purge *purge = context;
    JsonWriter *json = json_writer_create(scope->arena);

    purge_report_write_json(json, NULL, purge->report);
    return event_append(scope, "store.purged", "store", json_finish(json));
}

bool purge_run(Scope *scope, const PurgeSpec *spec, PurgeReport *report)
{
    PurgeReport made = {.until = time_now_ms() - spec->older_than_days * DAY_MS};
    Purge purge = {.scope = scope, .spec = spec, .report = &made, .plan.until = made.until};
    Scope ending = *scope;
    bool done, noted;

    if (spec->older_than_days < 0 || spec->older_than_days > PURGE_DAYS_MAX)
        return fail_field(&scope->error, "older_than_days", "\"older_than_days\" is 0 to %d",
                          PURGE_DAYS_MAX);
    done = run(&purge);
    noted = spec->is_rehearsal || purge_report_is_empty(&made) ||
            scope_write(&ending, append_event, &purge);
    if (done && !noted)
        scope->error = ending.error;
    *report = made;
    return done && noted;
}

bool purge_report_is_empty(const PurgeReport *report)
{
    return report->runs.count + report->logged_models.count + report->model_versions.count +
               report->pipeline_runs.count + report->uploads.count + report->experiment_count +
               report->blobs.removed.count ==
           0;
}

static void write_tally(JsonWriter *json, const char *key, ArtifactTally tally)
{
    json_open_object(json, key);
    json_int(json, "count", tally.count);
    json_int(json, "bytes", tally.bytes);
    json_close(json);
}

void purge_report_write_json(JsonWriter *json, const char *key, const PurgeReport *report)
{
    json_open_object(json, key);
    json_time(json, "deleted_until", report->until);
    write_tally(json, "runs", report->runs);
    write_tally(json, "logged_models", report->logged_models);
    write_tally(json, "model_versions", report->model_versions);
    write_tally(json, "pipeline_runs", report->pipeline_runs);
    json_int(json, "experiment_count", report->experiment_count);
    write_tally(json, "uploads", report->uploads);
    write_tally(json, "blobs", report->blobs.removed);
    write_tally(json, "blobs_in_use", report->blobs.in_use);
    write_tally(json, "blobs_too_young", report->blobs.young);
    json_int(json, "kept_count", report->kept_count);
    json_open_array(json, "kept");
    for (size_t i = 0; i < report->kept.count; i++) {
        json_open_object(json, NULL);
        json_text(json, "noun", report->kept.items[i].noun);
        json_text(json, "name", report->kept.items[i].name);
        json_text(json, "reason", report->kept.items[i].reason);
        json_close(json);
    }
    json_close(json);
    json_close(json);
}

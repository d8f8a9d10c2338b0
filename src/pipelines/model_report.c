/* model_report.c: gathering what is known of a version. */

#include "pipelines/model_report.h"

#include <inttypes.h>
#include <string.h>

#include "pipelines/evidence.h"
#include "pipelines/model_report_internal.h"
#include "pipelines/pipeline_internal.h"
#include "registry/flavor.h"

enum { DOCUMENT_BYTES_MAX = 4 * 1024 * 1024 };

/* ---- the package ---- */

/* One of its files as a JSON object; NULL when it has none. */
static const JsonValue *read_object(Scope *scope, const Tree *tree, const char *path,
                                    const char **problem)
{
    const TreeEntry *entry = tree_find(tree, path);
    const JsonValue *value;
    Error error = {0};
    const char *bytes;
    size_t size;

    if (!entry)
        return NULL;
    if (!artifact_read(scope->platform->artifacts, entry->digest, DOCUMENT_BYTES_MAX, scope->arena,
                       &bytes, &size, &error) ||
        !json_parse(bytes, size, scope->arena, &value, &error)) {
        *problem = arena_format(scope->arena, "%s: %s", path, error.message);
        return NULL;
    }
    return json_is_object(value) ? value : NULL;
}

/* Whatever is wrong with the files is told, and the rest of the report stands. */
static void read_files(Scope *scope, const char *package, ReportFiles *files)
{
    const ArtifactStore *store = scope->platform->artifacts;
    Error error = {0};
    Tree tree;

    if (!tree_read(store, package, scope->arena, &tree, &error)) {
        files->problem = arena_text(scope->arena, error.message);
        return;
    }
    files->count = tree.count;
    for (size_t i = 0; i < tree.count; i++)
        files->size += tree.items[i].size;
    files->signature = read_object(scope, &tree, "signature.json", &files->problem);
    files->judgement = read_object(scope, &tree, "report.json", &files->problem);
    files->leaderboard = read_object(scope, &tree, "leaderboard.json", &files->problem);
    files->inputs = flavors_read_inputs(store, &tree, scope->arena);
    if (flavors_read(store, &tree, scope->arena, &files->flavors, &error))
        files->refusal = flavors_refusal(&files->flavors, scope->arena);
    else
        files->problem = arena_text(scope->arena, error.message);
}

/* ---- runs of pipelines ---- */

static bool add_run(Scope *scope, ModelReport *report, const PipelineRun *run, bool has_trained)
{
    ReportRun *added;

    for (size_t i = 0; i < report->runs.count; i++)
        if (strcmp(report->runs.items[i].run.id, run->id) == 0)
            return true;
    if (report->runs.count == REPORT_RUNS_MAX)
        return true;
    added = arena_push(scope->arena, &report->runs);
    *added = (ReportRun){.run = *run, .has_trained = has_trained};
    return originators_parse(run->originators, scope->arena, &added->originators, &scope->error) &&
           originators_resolve(scope, &added->originators) &&
           approval_list(scope, &(ApprovalFilter){.run_id = run->id},
                         &(Page){.limit = PAGE_LIMIT_MAX}, &added->approvals);
}

static bool add_run_id(Scope *scope, ModelReport *report, const char *id)
{
    PipelineRun run;
    bool found = false;

    return !id || (scope_settle(scope, pipeline_run_find(scope, id, &run), &found) &&
                   (!found || add_run(scope, report, &run, true)));
}

/* The one whose step the tracked run is. */
static bool add_trained_in(Scope *scope, ModelReport *report)
{
    static const char sql[] = "SELECT run_id FROM step_attempts WHERE tracked_run = $1"
                              " ORDER BY created_at DESC LIMIT 1";
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_text(report->lineage.version.run_id));
    const char *id = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;

    return query_end(&query, &scope->error) && add_run_id(scope, report, id);
}

static bool add_released_by(Scope *scope, ModelReport *report)
{
    for (size_t i = report->placements.count; i; i--) {
        PipelineRun run;
        bool found;

        if (!evidence_find_pipeline_run(scope, &report->placements.items[i - 1], &run, &found) ||
            (found && !add_run(scope, report, &run, false)))
            return false;
    }
    return true;
}

static bool add_runs(Scope *scope, ModelReport *report)
{
    const ModelVersion *version = &report->lineage.version;

    return (!version->run_id || add_trained_in(scope, report)) &&
           add_run_id(scope, report, param_find(&version->tags, "slipway.pipeline_run")) &&
           add_released_by(scope, report);
}

/* ---- their steps ---- */

const JsonValue *model_report_parse(const char *text, Arena *arena)
{
    const JsonValue *value = NULL;
    Error ignored = {0};

    return text && json_parse(text, strlen(text), arena, &value, &ignored) ? value : NULL;
}

static bool names_version(const JsonValue *value, const ModelVersion *version)
{
    return text_equal(json_as_text(json_member(value, "model"), NULL), version->model) &&
           json_as_int(json_member(value, "version"), 0) == version->version;
}

/* By what it found; else by what it was to work on: {"candidate": "spam@3"}, {"version spam@3"}. */
static bool is_about(const ReportStep *step, const ModelVersion *version, Arena *arena)
{
    const JsonValue *challenger = json_member(json_member(step->result, "verdict"), "challenger");
    const char *name = arena_format(arena, "%s@%" PRId64, version->model, version->version);
    const JsonValue *inputs = model_report_parse(step->step.inputs, arena);

    return names_version(step->result, version) || names_version(challenger, version) ||
           text_equal(json_as_text(json_member(inputs, "candidate"), NULL), name) ||
           json_member(inputs, arena_format(arena, "version %s", name));
}

/* Most steps of a large run are commands, which say nothing of a version. */
static bool find_steps(Scope *scope, const PipelineRun *run, PipelineStepList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 SELECT_STEP " WHERE run_id = $1 AND started_at IS NOT NULL"
                             " AND (result IS NOT NULL OR substr(name, 1, 8) = 'release.')"
                             " ORDER BY position LIMIT $2",
                 db_text(run->id), db_int(REPORT_STEPS_MAX));

    return pipeline_steps_take(scope, &query, list);
}

static bool add_steps(Scope *scope, ModelReport *report, const PipelineRun *run)
{
    PipelineStepList list = {0};

    if (!find_steps(scope, run, &list))
        return false;
    for (size_t i = 0; i < list.count && report->steps.count < REPORT_STEPS_MAX; i++) {
        const PipelineStep *step = &list.items[i];
        const JsonValue *spec = model_report_parse(step->spec, scope->arena);
        ReportStep one = {
            .run = arena_format(scope->arena, "%s#%" PRId64, run->project, run->number),
            .uses = json_as_text(json_member(spec, "uses"), ""),
            .step = *step,
            .result = model_report_parse(step->result, scope->arena),
        };

        if (is_about(&one, &report->lineage.version, scope->arena))
            *arena_push(scope->arena, &report->steps) = one;
    }
    return true;
}

static bool add_all_steps(Scope *scope, ModelReport *report)
{
    for (size_t i = 0; i < report->runs.count; i++)
        if (!add_steps(scope, report, &report->runs.items[i].run))
            return false;
    return true;
}

/* ---- all of it ---- */

static bool find_origin(Scope *scope, ModelReport *report)
{
    const ModelVersion *version = &report->lineage.version;

    return (!version->run_id ||
            scope_settle(scope, training_order_find(scope, version->run_id, &report->order),
                         &report->has_order)) &&
           (!version->dataset ||
            scope_settle(scope,
                         dataset_version_find(scope, version->dataset, version->dataset_version,
                                              &report->data),
                         &report->has_data)) &&
           (!version->holdout_digest ||
            scope_settle(scope, holdout_find_rows(scope, version->holdout_digest, &report->holdout),
                         &report->has_holdout));
}

bool model_report_gather(Scope *scope, const char *model, const char *name, ModelReport *report)
{
    ModelReport made = {0};
    const ModelVersion *version = &made.lineage.version;

    if (!model_version_lineage(scope, model, name, &made.lineage) || !find_origin(scope, &made) ||
        !gate_list_version(scope, version->model, version->version, REPORT_GATES_MAX,
                           &made.gates) ||
        !placement_list_version(scope, version->model, version->version, REPORT_PLACEMENTS_MAX,
                                &made.placements) ||
        !add_runs(scope, &made) || !add_all_steps(scope, &made))
        return false;
    if (version->package)
        read_files(scope, version->package, &made.files);
    model_report_add_limits(&made, scope->arena);
    *report = made;
    return true;
}

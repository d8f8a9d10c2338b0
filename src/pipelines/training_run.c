/* training_run.c: doing a training, and keeping what came of it. */

#include <math.h>
#include <string.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/time.h"
#include "base/worker.h"
#include "ml/report.h"
#include "pipelines/made_with.h"
#include "pipelines/project.h"
#include "pipelines/step_job.h"
#include "pipelines/training_internal.h"
#include "registry/model.h"
#include "tracking/run_trial.h"

/* Reading the data and judging come on top of the budget, which is for the search alone. */
enum { EXTRA_SECONDS = 1800 };

enum { NOTES_MAX = 20 }; /* in the run's tag */

/* The work. */

/* What only one of the two kinds of training knows. */
static void write_judged_by(JsonWriter *json, const TrainingResult *training,
                            ArtifactStore *artifacts, Arena *arena)
{
    if (training_order_is_forecast(training->order)) {
        json_int(json, "horizon", training->order->horizon);
        return;
    }
    json_text(json, "holdout", artifact_path(artifacts, training->holdout->rows, arena));
    json_text(json, "holdout_digest", training->holdout->rows);
    json_bool(json, "balance", training->order->balance);
    json_text(json, "threshold_for", training->order->threshold_for);
}

const char *training_step_job(Scope *scope, const TrainingResult *training, const char *folder)
{
    JsonWriter *json = json_writer_create(scope->arena);
    ArtifactStore *artifacts = scope->platform->artifacts;
    const TrainingOrder *order = training->order;

    json_open_object(json, NULL);
    {
        json_text(json, "rows", artifact_path(artifacts, training->data->rows, scope->arena));
        write_judged_by(json, training, artifacts, scope->arena);
        dataset_columns_write_json(json, "columns", &training->data->columns);
        json_text(json, "task", order->task);
        json_text(json, "metric", order->metric);
        training_order_write_limits(order, json);
        json_text(json, "folder", folder);
        json_raw(json, "profile", training->data->profile);
    }
    json_close(json);
    return json_finish(json);
}

static unsigned step_timeout_ms(const TrainingOrder *order)
{
    return order->budget_seconds > 0 ? (unsigned)((order->budget_seconds + EXTRA_SECONDS) * 1000)
                                     : 0;
}

static bool run_step(Scope *scope, const TrainingControl *control, TrainingResult *training,
                     const char *folder)
{
    WorkerSpec spec = {
        .step = "train",
        .in_background = true,
        .job = training_step_job(scope, training, folder),
        .timeout_ms = step_timeout_ms(training->order),
        .cancelled = control->cancelled,
        .finish = control->finish,
        .on_progress = control->on_progress,
        .context = control->context,
        .last_lines = control->last_lines,
    };

    if (!worker_run(&spec, scope->arena, &training->step, &scope->error))
        return false;
    CRASH_POINT("training: step done, package not stored");
    return true;
}

static bool add_document(Scope *scope, const char *document, Artifact *artifact)
{
    return artifact_add_bytes(scope->platform->artifacts, document, strlen(document), artifact,
                              &scope->error);
}

bool training_store_files(Scope *scope, TrainingResult *training, const char *folder)
{
    const JsonValue *leaderboard = json_member(training->step, "leaderboard");
    const JsonValue *report = json_member(training->step, "report");

    return tree_add_folder(scope->platform->artifacts, folder, scope->arena, &training->package,
                           &scope->error) &&
           tree_read(scope->platform->artifacts, training->package.digest, scope->arena,
                     &training->files, &scope->error) &&
           add_document(scope, json_print(leaderboard, scope->arena), &training->leaderboard) &&
           add_document(scope, json_print(report, scope->arena), &training->report);
}

bool training_find_rows(Scope *scope, TrainingResult *training)
{
    const TrainingOrder *order = training->order;

    if (!dataset_version_find(scope, order->dataset, order->dataset_version, training->data))
        return false;
    *training->holdout = (Holdout){0};
    return training_order_is_forecast(order) ||
           project_ensure_holdout(scope, order->project, order->dataset, order->dataset_version,
                                  training->holdout);
}

static bool train_in(Scope *scope, const TrainingControl *control, const TrainingOrder *order,
                     const char *folder)
{
    DatasetVersion data;
    Holdout holdout;
    TrainingResult training = {.order = order, .data = &data, .holdout = &holdout};

    return training_find_rows(scope, &training) && run_step(scope, control, &training, folder) &&
           training_store_files(scope, &training, folder) && training_finish(scope, &training);
}

bool training_run(Scope *scope, const char *run_id, const TrainingControl *control)
{
    TrainingOrder order;
    const char *folder;
    Error ignored = {0};
    bool done;

    if (!training_order_find(scope, run_id, &order) ||
        !folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    done = train_in(scope, control, &order, folder);
    if (!folder_remove(folder, &ignored))
        return done; /* the temporary folder is emptied at the next start */
    return done;
}

/* Keeping it. */

typedef struct Log {
    Scope *scope;
    RunBatch batch;
    int64_t now;
} Log;

static void log_param(Log *log, const char *key, const char *value)
{
    if (value)
        *arena_push(log->scope->arena, &log->batch.params) = (Param){key, value};
}

static void log_count(Log *log, const char *key, const JsonValue *count)
{
    log_param(log, key, arena_format(log->scope->arena, "%lld", (long long)json_as_int(count, 0)));
}

static void log_tag(Log *log, const char *key, const char *value)
{
    if (value)
        *arena_push(log->scope->arena, &log->batch.tags) = (Param){key, value};
}

static void log_metric(Log *log, const char *key, double value)
{
    *arena_push(log->scope->arena, &log->batch.metrics) =
        (Metric){.key = key, .value = value, .timestamp = log->now};
}

/* {"f1": 0.9, "auc": null}: a metric without a number is not logged. */
static void log_metrics(Log *log, const char *prefix, const JsonValue *metrics)
{
    for (JsonWalk walk = json_walk(metrics); json_walk_next(&walk);)
        if (json_is_number(walk.value))
            log_metric(log, arena_format(log->scope->arena, "%s.%s", prefix, walk.key),
                       json_as_double(walk.value, NAN));
}

/* A point for each step of the horizon, or for the last of each range of them. */
static void log_steps(Log *log, const JsonValue *steps)
{
    static const char *const sets[][2] = {{"metrics", "holdout_step"},
                                          {"backtest_metrics", "backtest_step"}};

    for (JsonWalk walk = json_walk(steps); json_walk_next(&walk);)
        for (size_t i = 0; i < COUNT(sets); i++) {
            size_t before = log->batch.metrics.count;

            log_metrics(log, sets[i][1], json_member(walk.value, sets[i][0]));
            for (size_t at = before; at < log->batch.metrics.count; at++)
                log->batch.metrics.items[at].step = json_as_int(json_member(walk.value, "last"), 0);
        }
}

static void log_excluded(Log *log, const JsonValue *excluded)
{
    TextBuilder text = {.arena = log->scope->arena};

    for (JsonWalk walk = json_walk(excluded); json_walk_next(&walk);)
        text_append_format(&text, "%s%s (%s)", text.count ? ", " : "",
                           json_as_text(json_member(walk.value, "column"), ""),
                           json_as_text(json_member(walk.value, "reason"), ""));
    if (text.count)
        log_tag(log, "slipway.excluded", text_built(&text));
}

static void log_notes(Log *log, const JsonValue *step)
{
    const JsonValue *notes = json_member(step, "notes");
    TextBuilder text = {.arena = log->scope->arena};
    size_t count = json_count(notes), trials = json_count(json_member(step, "trials"));

    for (JsonWalk walk = json_walk(notes); json_walk_next(&walk);)
        if (walk.index < NOTES_MAX)
            text_append_format(&text, "%s%s", text.count ? "; " : "", json_as_text(walk.value, ""));
    if (count > NOTES_MAX)
        text_append_format(&text, "; and %zu more", count - NOTES_MAX);
    if (trials > RUN_TRIALS_MAX)
        text_append_format(&text,
                           "%s%d of %zu trials are runs of their own, the first of the leaderboard",
                           text.count ? "; " : "", RUN_TRIALS_MAX, trials);
    if (text.count)
        log_tag(log, "slipway.notes", text_built(&text));
}

/* Of two classes. */
static void log_threshold(Log *log, const JsonValue *step)
{
    double threshold = json_as_double(json_member(step, "threshold"), NAN);

    if (!isnan(threshold))
        log_param(log, "threshold", arena_format(log->scope->arena, "%.6g", threshold));
    log_param(log, "threshold_for", json_as_text(json_member(step, "threshold_for"), NULL));
}

static void log_result(Log *log, const TrainingResult *result)
{
    const JsonValue *step = result->step;

    log_param(log, "chosen", json_as_text(json_member(step, "chosen"), NULL));
    log_param(log, "chosen_description",
              json_as_text(json_member(step, "chosen_description"), NULL));
    log_count(log, "rows", json_member(step, "rows"));
    log_count(log, "left_out", json_member(step, "left_out"));
    log_count(log, "unlabelled", json_member(step, "unlabelled"));
    log_count(log, "holdout_rows", json_member(step, "holdout_rows"));
    log_threshold(log, step);
    log_metrics(log, "holdout", json_member(step, "holdout"));
    log_metrics(log, "cv", json_member(step, "cv"));
    log_steps(log, json_member(json_member(step, "report"), "steps"));
    log_tag(log, "slipway.dataset_digest", result->data->digest);
    log_tag(log, "slipway.holdout", result->holdout->rows);
    log_tag(log, "slipway.package", result->package.digest);
    log_excluded(log, json_member(step, "excluded"));
    log_notes(log, step);
    if (training_trial_count(step))
        log_tag(log, "slipway.trials",
                arena_format(log->scope->arena, "%zu", training_trial_count(step)));
    if (json_as_bool(json_member(step, "below_baseline"), false))
        log_tag(log, "slipway.below_baseline", "true");
}

static double metric_of(const Run *run, const char *key)
{
    for (size_t i = 0; i < run->metrics.count; i++)
        if (strcmp(run->metrics.items[i].key, key) == 0)
            return run->metrics.items[i].value;
    return NAN;
}

/* Both missing is not equal: nothing was reproduced. */
static bool log_comparison(Log *log, const TrainingResult *result)
{
    const char *key = arena_format(log->scope->arena, "holdout.%s", result->order->metric);
    const JsonValue *value =
        json_member(json_member(result->step, "holdout"), result->order->metric);
    double difference;
    Run first;

    if (!result->order->rerun_of)
        return true;
    if (!run_find(log->scope, result->order->rerun_of, &first))
        return false;
    difference = json_as_double(value, NAN) - metric_of(&first, key);
    log_tag(log, "slipway.rerun_equal", fabs(difference) <= 1e-9 ? "true" : "false");
    if (!isnan(difference))
        log_metric(log, "rerun.difference", difference);
    return true;
}

static bool log_package(Scope *scope, const TrainingResult *result)
{
    const char *run_id = result->order->run_id;
    const Tree *files = &result->files;

    if (!run_log_artifact(scope, run_id, "leaderboard.json", &result->leaderboard) ||
        !run_log_artifact(scope, run_id, "report.json", &result->report))
        return false;
    for (size_t i = 0; i < files->count; i++) {
        Artifact file = {.size = files->items[i].size};

        memcpy(file.digest, files->items[i].digest, sizeof(file.digest));
        if (!run_log_artifact(scope, run_id,
                              arena_format(scope->arena, "model/%s", files->items[i].path), &file))
            return false;
    }
    return true;
}

static bool create_version(Scope *scope, const TrainingResult *result, ModelVersion *version)
{
    const TrainingOrder *order = result->order;
    ModelVersionSpec spec = {
        .model = order->model,
        .package = result->package.digest,
        .run_id = order->run_id,
        .dataset = order->dataset,
        .dataset_version = order->dataset_version,
        .dataset_digest = result->data->digest,
        .holdout_digest = result->holdout->rows,
        .code_commit = order->code_commit,
        .environment = made_with_json(true, scope->arena),
    };
    RunBatch batch = {0};

    if (order->rerun_of)
        return true;
    if (!model_version_create(scope, &spec, version))
        return false;
    *arena_push(scope->arena, &batch.tags) =
        (Param){"slipway.model_version",
                arena_format(scope->arena, "%s@%lld", version->model, (long long)version->version)};
    return run_log_batch(scope, order->run_id, &batch);
}

static bool write_all(Scope *scope, const TrainingResult *result, ModelVersion *version)
{
    const char *run_id = result->order->run_id;
    Log log = {.scope = scope, .now = time_now_ms()};

    scope->topic.project = result->order->project;
    log_result(&log, result);
    return log_comparison(&log, result) && run_log_batch(scope, run_id, &log.batch) &&
           log_package(scope, result) && training_keep_trials(scope, result) &&
           run_finish(scope, run_id, RUN_FINISHED, NULL) &&
           create_version(scope, result, version) && training_close(scope, run_id);
}

bool training_write_as(Scope *scope, const TrainingResult *result, ModelVersion *version)
{
    return training_log_start(scope, result->order) && write_all(scope, result, version);
}

static bool write_result(Scope *scope, void *context)
{
    ModelVersion version;

    return write_all(scope, context, &version);
}

bool training_finish(Scope *scope, const TrainingResult *result)
{
    TrainingResult kept = *result;

    CRASH_POINT("training: package stored, nothing written");
    if (!scope_write(scope, write_result, &kept))
        return false;
    CRASH_POINT("training: written");
    return true;
}

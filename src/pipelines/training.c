/* training.c: asking for a training, and what is kept of it. */

#include "pipelines/training.h"

#include <math.h>
#include <string.h>

#include "base/crash.h"
#include "base/parallel.h"
#include "base/time.h"
#include "ml/forecast.h"
#include "ml/report.h"
#include "pipelines/project.h"
#include "pipelines/trainer.h"
#include "pipelines/training_internal.h"
#include "tracking/experiment.h"

enum { BUDGET_SECONDS = 60, BUDGET_SECONDS_MAX = 7 * 24 * 3600 };

const JsonField training_spec_fields[] = {
    {"data", JSON_TEXT, offsetof(TrainingSpec, data), JSON_OPTIONAL,
     "The data set, or a version of it: comments@3. The project's own, the latest, if absent."},
    {"task", JSON_TEXT, offsetof(TrainingSpec, task), JSON_OPTIONAL,
     "classification, regression or forecast. If absent regression of a target of type number, and "
     "of one of "
     "type integer with more than 20 distinct values; classification of every other."},
    {"metric", JSON_TEXT, offsetof(TrainingSpec, metric), JSON_OPTIONAL,
     "What the candidates are compared by. If absent that of the project's gate, or f1, or rmse of "
     "regression, or mase of a forecast (whose candidates are always compared by it)."},
    {"threshold_for", JSON_TEXT, offsetof(TrainingSpec, threshold_for), JSON_OPTIONAL,
     "Of two classes: the metric that the decision threshold is best for. If absent the metric, "
     "where "
     "it has one, else accuracy: the likelier class."},
    {"budget_seconds", JSON_NUMBER, offsetof(TrainingSpec, budget_seconds), JSON_OPTIONAL,
     "The time for the search; then the best so far wins. 0 for none; if absent 60, or with trials "
     "none."},
    {"trials", JSON_COUNT, offsetof(TrainingSpec, trials), JSON_OPTIONAL,
     "How many candidates are learnt at most, 1 to 64; baselines and averages do not count."},
    {"threads", JSON_COUNT, offsetof(TrainingSpec, threads), JSON_OPTIONAL,
     "How many threads learn at most, 1 to 64, and no more than there are cores; all cores but one "
     "if "
     "absent."},
    {"seed", JSON_INT, offsetof(TrainingSpec, seed), JSON_OPTIONAL, "42 if absent."},
    {"horizon", JSON_INT, offsetof(TrainingSpec, horizon), JSON_OPTIONAL,
     "Of a forecast, which needs one: how many steps ahead it is judged by, 1 to 10000."},
    {"model", JSON_TEXT, offsetof(TrainingSpec, model), JSON_OPTIONAL,
     "The registered model that gets the new version. Named as the project if absent."},
    {"balance", JSON_BOOL, offsetof(TrainingSpec, balance), JSON_OPTIONAL,
     "Weigh classes by one over their frequency."},
    {"code_commit", JSON_TEXT, offsetof(TrainingSpec, code_commit), JSON_OPTIONAL,
     "The commit of the project's folder, for the record."},
    {0},
};

TrainingSpec training_spec_default(void)
{
    return (TrainingSpec){.budget_seconds = NAN, .seed = 42};
}

/* The order as JSON, and back. */

static const JsonField order_fields[] = {
    {"project", JSON_TEXT, offsetof(TrainingOrder, project), JSON_REQUIRED, NULL},
    {"dataset", JSON_TEXT, offsetof(TrainingOrder, dataset), JSON_REQUIRED, NULL},
    {"dataset_version", JSON_INT, offsetof(TrainingOrder, dataset_version), JSON_REQUIRED, NULL},
    {"model", JSON_TEXT, offsetof(TrainingOrder, model), JSON_REQUIRED, NULL},
    {"task", JSON_TEXT, offsetof(TrainingOrder, task), JSON_OPTIONAL, NULL},
    {"metric", JSON_TEXT, offsetof(TrainingOrder, metric), JSON_REQUIRED, NULL},
    {"threshold_for", JSON_TEXT, offsetof(TrainingOrder, threshold_for), JSON_OPTIONAL, NULL},
    {"budget_seconds", JSON_NUMBER, offsetof(TrainingOrder, budget_seconds), JSON_REQUIRED, NULL},
    {"trials", JSON_COUNT, offsetof(TrainingOrder, trials), JSON_OPTIONAL, NULL},
    {"threads", JSON_COUNT, offsetof(TrainingOrder, threads), JSON_OPTIONAL, NULL},
    {"seed", JSON_INT, offsetof(TrainingOrder, seed), JSON_REQUIRED, NULL},
    {"balance", JSON_BOOL, offsetof(TrainingOrder, balance), JSON_REQUIRED, NULL},
    {"horizon", JSON_INT, offsetof(TrainingOrder, horizon), JSON_OPTIONAL, NULL},
    {"code_commit", JSON_TEXT, offsetof(TrainingOrder, code_commit), JSON_OPTIONAL, NULL},
    {"rerun_of", JSON_TEXT, offsetof(TrainingOrder, rerun_of), JSON_OPTIONAL, NULL},
    {0},
};

void training_order_write_limits(const TrainingOrder *order, JsonWriter *json)
{
    json_double(json, "budget_seconds", order->budget_seconds);
    if (order->trials)
        json_int(json, "trials", order->trials);
    if (order->threads)
        json_int(json, "threads", order->threads);
    json_int(json, "seed", order->seed);
}

void training_order_write_search(const TrainingOrder *order, JsonWriter *json)
{
    json_text(json, "task", order->task);
    json_text(json, "metric", order->metric);
    json_text(json, "threshold_for", order->threshold_for);
    training_order_write_limits(order, json);
    json_bool(json, "balance", order->balance);
}

static const char *order_json(const TrainingOrder *order, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "project", order->project);
        json_text(json, "dataset", order->dataset);
        json_int(json, "dataset_version", order->dataset_version);
        json_text(json, "model", order->model);
        training_order_write_search(order, json);
        if (training_order_is_forecast(order))
            json_int(json, "horizon", order->horizon);
        json_text(json, "code_commit", order->code_commit);
        json_text(json, "rerun_of", order->rerun_of);
    }
    json_close(json);
    return json_finish(json);
}

bool training_order_find(Scope *scope, const char *run_id, TrainingOrder *order)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT spec FROM trainings WHERE run_id = $1", db_text(run_id));
    TrainingOrder read = {0};
    const char *spec = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;

    if (!query_end(&query, &scope->error))
        return false;
    if (!spec)
        return fail(&scope->error, ERROR_NOT_FOUND, "run \"%.64s\" was not trained here", run_id);
    if (!json_read(spec, strlen(spec), order_fields, &read, scope->arena, &scope->error))
        return false;
    read.run_id = arena_text(scope->arena, run_id);
    if (!read.task) /* from before there was another */
        read.task = model_task_name(TASK_CLASSIFICATION);
    *order = read;
    return true;
}

/* Making an order of what was asked. */

/* "comments@3" is version 3 of comments; without a number the latest. */
static bool split_data(Scope *scope, const char *data, const char **name, int64_t *version)
{
    const char *at = strrchr(data, '@');

    *name = at ? arena_copy(scope->arena, data, (size_t)(at - data)) : data;
    *version = 0;
    if (!at || strcmp(at, "@latest") == 0)
        return true;
    return (text_to_int(at + 1, version) && *version > 0) ||
           fail_field(&scope->error, "data", "\"%.128s\" names no version, as comments@3 does",
                      data);
}

/* The file may have changed since the data was registered; the model must not learn something else
 * than what the reader of the file believes. */
static bool check_target(Scope *scope, const ProjectData *data, const DatasetVersion *version,
                         const DatasetColumn *target)
{
    if (!target)
        return fail(&scope->error, ERROR_CONFLICT,
                    "data set \"%s\" version %lld has no target column: register it with one",
                    version->dataset, (long long)version->version);
    if (data->target && strcmp(data->target, target->name) != 0)
        return fail(&scope->error, ERROR_CONFLICT,
                    "the target is \"%s\" in slipway.yaml and \"%s\" in data set \"%s\" version "
                    "%lld: register the data again",
                    data->target, target->name, version->dataset, (long long)version->version);
    return true;
}

static bool resolve_task(Scope *scope, const TrainingSpec *spec, const DatasetVersion *version,
                         const DatasetColumn *target, ModelTask *task)
{
    *task = dataset_target_task(version, target, scope->arena);
    if (!spec->task)
        return true;
    if (!model_task_find(spec->task, task))
        return fail_field(&scope->error, "task",
                          "a task is \"classification\", \"regression\" or \"forecast\", not "
                          "\"%.64s\"",
                          spec->task);
    return *task == TASK_CLASSIFICATION || dataset_column_has_numbers(target) ||
           fail_field(&scope->error, "task",
                      "the target \"%s\" is of type %s: a %s takes one of type number or integer "
                      "(the notes of slipway data profile may say why it is none)",
                      target->name, target->type, model_task_name(*task));
}

/* What a forecast needs, and nothing else takes. */
static bool resolve_horizon(Scope *scope, const TrainingSpec *spec, const DatasetVersion *version,
                            ModelTask task, TrainingOrder *order)
{
    order->horizon = spec->horizon;
    if (task != TASK_FORECAST)
        return !spec->horizon ||
               fail_field(&scope->error, "horizon",
                          "a horizon is of a forecast: say that the task is \"forecast\"");
    if (spec->horizon < 1 || spec->horizon > FORECAST_HORIZON_MAX)
        return fail_field(&scope->error, "horizon",
                          "a forecast needs a horizon: how many steps ahead it is judged by, 1 to "
                          "%d",
                          FORECAST_HORIZON_MAX);
    return dataset_column_by_role(&version->columns, "time") ||
           fail_field(&scope->error, "task",
                      "data set \"%s\" version %lld has no column with the role \"time\", which a "
                      "forecast needs: register it with one",
                      version->dataset, (long long)version->version);
}

/* What was asked for, else what the project's gate judges by, else the usual. */
static bool resolve_metric(Scope *scope, const TrainingSpec *spec, const ProjectFile *file,
                           ModelTask task, TrainingOrder *order)
{
    bool is_gates = !spec->metric && file->has_metric;

    order->metric = metric_default(task);
    if (is_gates)
        order->metric = file->gate.metric;
    else if (spec->metric)
        order->metric = spec->metric;
    if (metric_check(order->metric, task, &scope->error))
        return true;
    return is_gates ? fail_in(&scope->error, "release.gate.metric of slipway.yaml") : false;
}

/* Whether there are two classes, the rows say. */
static bool resolve_threshold(Scope *scope, const TrainingSpec *spec, const DatasetColumn *target,
                              ModelTask task, TrainingOrder *order)
{
    order->threshold_for = spec->threshold_for;
    if (!spec->threshold_for)
        return true;
    if (task != TASK_CLASSIFICATION)
        return fail_field(
            &scope->error, "threshold_for",
            "a threshold parts two classes, and the target \"%s\" is learnt as numbers",
            target->name);
    return metric_check_threshold(spec->threshold_for, &scope->error);
}

static bool resolve_data(Scope *scope, const TrainingSpec *spec, const ProjectFile *file,
                         TrainingOrder *order)
{
    const ProjectData *data;
    const DatasetColumn *target;
    DatasetVersion version;
    ModelTask task;
    const char *name = NULL;
    int64_t number = 0;

    if ((spec->data && !split_data(scope, spec->data, &name, &number)) ||
        !project_file_data(file, name, &data, &scope->error) ||
        !dataset_version_find(scope, data->name, number, &version))
        return false;
    target = dataset_column_by_role(&version.columns, "target");
    if (!check_target(scope, data, &version, target) ||
        !resolve_task(scope, spec, &version, target, &task) ||
        !resolve_horizon(scope, spec, &version, task, order) ||
        !resolve_metric(scope, spec, file, task, order) ||
        !resolve_threshold(scope, spec, target, task, order))
        return false;
    if (order->balance && task != TASK_CLASSIFICATION)
        return fail_field(&scope->error, "balance",
                          "classes are balanced, and the target \"%s\" is learnt as numbers",
                          target->name);
    order->task = model_task_name(task);
    order->dataset = data->name;
    order->dataset_version = version.version;
    return true;
}

/* A search that is to end after so many trials does so on any machine, if no clock ends it before.
 */
static bool resolve_limits(Scope *scope, const TrainingSpec *spec, TrainingOrder *order)
{
    order->budget_seconds = spec->budget_seconds;
    if (isnan(spec->budget_seconds))
        order->budget_seconds = spec->trials ? 0 : BUDGET_SECONDS;
    order->trials = spec->trials;
    order->threads = spec->threads;
    if (!(order->budget_seconds >= 0 && order->budget_seconds <= BUDGET_SECONDS_MAX))
        return fail_field(&scope->error, "budget_seconds", "a budget is 0 to %d seconds",
                          BUDGET_SECONDS_MAX);
    if (order->trials > TRIALS_MAX)
        return fail_field(&scope->error, "trials", "a search has 1 to %d trials", TRIALS_MAX);
    return order->threads <= PARALLEL_THREADS_MAX ||
           fail_field(&scope->error, "threads", "a search has 1 to %d threads",
                      PARALLEL_THREADS_MAX);
}

bool training_order_make(Scope *scope, const TrainingSpec *spec, TrainingOrder *order)
{
    ProjectFile file;

    if (!project_read_file(scope, spec->project, &file))
        return false;
    *order = (TrainingOrder){
        .project = file.name,
        .model = spec->model ? spec->model : file.name,
        .code_commit = spec->code_commit,
        .seed = spec->seed,
        .balance = spec->balance,
    };
    if (!resolve_limits(scope, spec, order))
        return false;
    if (spec->code_commit && strlen(spec->code_commit) > 64)
        return fail_field(&scope->error, "code_commit", "a commit has at most 64 characters");
    return name_check("model", "model", order->model, &scope->error) &&
           resolve_data(scope, spec, &file, order);
}

/* Starting. */

static void add_param(Arena *arena, ParamList *list, const char *key, const char *value)
{
    if (value)
        *arena_push(arena, list) = (Param){key, value};
}

/* 0: it was not given. */
static void add_count(Arena *arena, ParamList *list, const char *key, int64_t count)
{
    if (count)
        add_param(arena, list, key, arena_format(arena, "%lld", (long long)count));
}

static ParamList order_tags(const TrainingOrder *order, Arena *arena)
{
    ParamList tags = {0};

    add_param(arena, &tags, "slipway.step", "train");
    add_param(arena, &tags, "slipway.project", order->project);
    add_param(arena, &tags, "slipway.dataset",
              arena_format(arena, "%s@%lld", order->dataset, (long long)order->dataset_version));
    add_param(arena, &tags, "slipway.rerun_of", order->rerun_of);
    add_param(arena, &tags, "mlflow.source.git.commit", order->code_commit);
    return tags;
}

static ParamList order_params(const TrainingOrder *order, Arena *arena)
{
    ParamList params = {0};

    add_param(arena, &params, "project", order->project);
    add_param(arena, &params, "data",
              arena_format(arena, "%s@%lld", order->dataset, (long long)order->dataset_version));
    add_param(arena, &params, "task", order->task);
    add_param(arena, &params, "metric", order->metric);
    add_param(arena, &params, "threshold_for", order->threshold_for);
    add_param(arena, &params, "budget_seconds", arena_format(arena, "%g", order->budget_seconds));
    add_count(arena, &params, "trials", order->trials);
    add_count(arena, &params, "threads", order->threads);
    add_param(arena, &params, "seed", arena_format(arena, "%lld", (long long)order->seed));
    add_param(arena, &params, "balance", order->balance ? "true" : "false");
    add_count(arena, &params, "horizon", order->horizon);
    add_param(arena, &params, "model", order->model);
    return params;
}

static bool insert_training(Scope *scope, const TrainingOrder *order)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO trainings (run_id, project, spec, created_at)"
                  " VALUES ($1, $2, $3, $4)",
                  db_text(order->run_id), db_text(order->project),
                  db_text(order_json(order, scope->arena)), db_int(time_now_ms()));
}

bool training_log_start(Scope *scope, const TrainingOrder *order)
{
    RunBatch batch = {.params = order_params(order, scope->arena),
                      .tags = order_tags(order, scope->arena)};

    return run_log_batch(scope, order->run_id, &batch) && insert_training(scope, order);
}

typedef struct Start {
    const TrainingOrder *order;
    Run *run;
} Start;

static bool write_start(Scope *scope, void *context)
{
    Start *start = context;
    RunBatch batch = {.params = order_params(start->order, scope->arena)};
    RunSpec spec = {.tags = order_tags(start->order, scope->arena)};
    TrainingOrder order = *start->order;
    Experiment experiment;

    scope->topic.project = order.project;
    if (!experiment_ensure(scope, start->order->project, &experiment))
        return false;
    spec.experiment_id = experiment.id;
    if (!run_create(scope, &spec, start->run) || !run_log_batch(scope, start->run->id, &batch))
        return false;
    order.run_id = start->run->id;
    return insert_training(scope, &order);
}

static bool start_order(Scope *scope, struct Trainer *trainer, const TrainingOrder *order, Run *run)
{
    Start start = {order, run};
    Error busy;

    if (!trainer)
        return fail(&scope->error, ERROR_UNAVAILABLE, "no trainer is running here");
    if (!scope_write(scope, write_start, &start))
        return false;
    CRASH_POINT("training: started, not handed to the trainer");
    if (trainer_submit(trainer, run->id, &scope->principal, &scope->error))
        return true;
    busy = scope->error;
    if (training_end(scope, run->id, RUN_FAILED, busy.message))
        scope->error = busy;
    return false;
}

bool training_start(Scope *scope, struct Trainer *trainer, const TrainingSpec *spec, Run *run)
{
    TrainingOrder order;

    return training_order_make(scope, spec, &order) && start_order(scope, trainer, &order, run);
}

bool training_start_again(Scope *scope, struct Trainer *trainer, const char *run_id, Run *run)
{
    TrainingOrder order;
    Run first;

    if (!run_find(scope, run_id, &first) || !training_order_find(scope, run_id, &order))
        return false;
    if (first.status != RUN_FINISHED)
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" has not finished, so there is nothing to compare with", first.id);
    order.rerun_of = first.id;
    return start_order(scope, trainer, &order, run);
}

/* Ending what was not done. */

bool training_close(Scope *scope, const char *run_id)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE trainings SET ended_at = $2 WHERE run_id = $1 AND ended_at IS NULL",
                  db_text(run_id), db_int(time_now_ms()));
}

typedef struct End {
    const char *run_id;
    RunStatus status;
    const char *reason;
} End;

/* Also of a run that was deleted meanwhile: restored, it must not seem to run for ever. One that a
 * client has ended stays as it is. */
static bool finish_run(Scope *scope, const End *end)
{
    Run run;

    if (!run_find(scope, end->run_id, &run))
        return false;
    if (run.status != RUN_RUNNING)
        return true;
    if (!run.is_deleted)
        return run_finish(scope, run.id, end->status, end->reason);
    return run_restore(scope, run.id) && run_finish(scope, run.id, end->status, end->reason) &&
           run_delete(scope, run.id);
}

static bool write_end(Scope *scope, void *context)
{
    const End *end = context;
    TrainingOrder order;

    if (training_order_find(scope, end->run_id, &order))
        scope->topic = (Topic){.project = order.project};
    else
        scope->error = (Error){0};
    return finish_run(scope, end) && training_close(scope, end->run_id);
}

bool training_end(Scope *scope, const char *run_id, RunStatus status, const char *reason)
{
    End end = {run_id, status, reason};

    return scope_write(scope, write_end, &end);
}

static bool end_left_behind(Scope *scope, const char *run_id)
{
    End end = {run_id, RUN_FAILED, "the server stopped while it ran"};

    return write_end(scope, &end);
}

static bool write_recovery(Scope *scope, void *context)
{
    TextList *run_ids = context;

    for (size_t i = 0; i < run_ids->count; i++)
        if (!end_left_behind(scope, run_ids->items[i]))
            return false;
    return true;
}

bool training_recover(Scope *scope)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT run_id FROM trainings WHERE ended_at IS NULL"
                                      " ORDER BY created_at");
    TextList run_ids = {0};

    while (query_next(&query))
        text_list_add(&run_ids, scope->arena, query_text(&query, 0, scope->arena));
    if (!query_end(&query, &scope->error))
        return false;
    return run_ids.count == 0 || scope_write(scope, write_recovery, &run_ids);
}

#include "pipelines/evaluation.h"

#include "base/worker.h"
#include "data/holdout.h"
#include "pipelines/version_name.h"
#include "registry/model.h"
#include "registry/package.h"

enum { EVALUATE_TIMEOUT_MS = 30 * 60 * 1000 };

const JsonField evaluation_spec_fields[] = {
    {"model", JSON_TEXT, offsetof(EvaluationSpec, model), JSON_OPTIONAL,
     "The registered model. Named as the project if absent."},
    {"version", JSON_ANY, offsetof(EvaluationSpec, version), JSON_OPTIONAL,
     "A number, \"latest\" or an alias. The latest if absent."},
    {"data", JSON_TEXT, offsetof(EvaluationSpec, data), JSON_OPTIONAL,
     "A data set or a version of it: comments@2. The frozen hold-out if absent; of a forecast its "
     "own data set."},
    {"allow_training_rows", JSON_BOOL, offsetof(EvaluationSpec, allow_training_rows), JSON_OPTIONAL,
     "Judge it also on rows that it has learnt from; the report then says \"training data\"."},
    {0},
};

/* On which rows. */
typedef struct Ground {
    const char *name, *rows;
    DatasetVersion data;
    ModelTask task; /* of what is judged on them */
} Ground;

static bool find_holdout(Scope *scope, const char *project, const ModelVersion *version,
                         Ground *ground)
{
    Holdout holdout;

    if (!version->dataset)
        return fail(&scope->error, ERROR_CONFLICT,
                    "version %lld of \"%s\" has no data set of its own; name the data",
                    (long long)version->version, version->model);
    if (!holdout_find(scope, project, version->dataset, &holdout) ||
        !dataset_version_find(scope, version->dataset, holdout.dataset_version, &ground->data))
        return false;
    ground->name = arena_format(scope->arena, "%s hold-out", version->dataset);
    ground->rows = holdout.rows;
    return true;
}

static bool find_data(Scope *scope, const char *data, Ground *ground)
{
    if (!data_name_resolve(scope, data, &ground->data))
        return false;
    ground->name = arena_format(scope->arena, "%s@%lld", ground->data.dataset,
                                (long long)ground->data.version);
    ground->rows = ground->data.rows;
    return true;
}

/* Of a forecast no rows are frozen: what its data set has now, where nothing else is named. */
static bool find_ground(Scope *scope, const EvaluationSpec *spec, const ModelVersion *version,
                        Ground *ground)
{
    const char *data = spec->data;

    if (!package_task(scope->platform->artifacts, version->package, scope->arena, &ground->task,
                      &scope->error))
        return false;
    if (!data && ground->task == TASK_FORECAST)
        data = version->dataset;
    return data ? find_data(scope, data, ground)
                : find_holdout(scope, spec->project, version, ground);
}

static const char *step_job(Scope *scope, const EvaluationSpec *spec, const ModelVersion *version,
                            const Ground *ground)
{
    JsonWriter *json = json_writer_create(scope->arena);
    const Platform *platform = scope->platform;

    json_open_object(json, NULL);
    {
        if (ground->task == TASK_FORECAST)
            json_text(json, "task", model_task_name(ground->task));
        json_text(json, "artifacts", arena_format(scope->arena, "%s/artifacts", platform->folder));
        json_text(json, "package", version->package);
        json_text(json, "rows", artifact_path(platform->artifacts, ground->rows, scope->arena));
        dataset_columns_write_json(json, "columns", &ground->data.columns);
        json_bool(json, "allow_training_rows", spec->allow_training_rows);
    }
    json_close(json);
    return json_finish(json);
}

bool evaluation_run(Scope *scope, const EvaluationSpec *spec, Evaluation *evaluation)
{
    WorkerSpec step = {.step = "evaluate", .timeout_ms = EVALUATE_TIMEOUT_MS};
    const JsonValue *result;
    ModelVersion version;
    Ground ground = {0};

    if (!version_name_resolve(scope, spec->model ? spec->model : spec->project, spec->version,
                              &version) ||
        !model_version_need_package(scope, &version) ||
        !find_ground(scope, spec, &version, &ground))
        return false;
    step.job = step_job(scope, spec, &version, &ground);
    if (!worker_run(&step, scope->arena, &result, &scope->error))
        return false;
    *evaluation = (Evaluation){
        .model = version.model,
        .version = version.version,
        .data = ground.name,
        .rows_digest = ground.rows,
        .result = result,
    };
    return true;
}

void evaluation_write_json(JsonWriter *json, Arena *arena, const Evaluation *evaluation)
{
    json_open_object(json, NULL);
    json_text(json, "model", evaluation->model);
    json_int(json, "version", evaluation->version);
    json_text(json, "data", evaluation->data);
    json_text(json, "rows_digest", evaluation->rows_digest);
    for (JsonWalk walk = json_walk(evaluation->result); json_walk_next(&walk);)
        json_raw(json, walk.key, json_print(walk.value, arena));
    json_close(json);
}

/* evaluate_step.c: the step "evaluate": how good a package is on some rows, and how many of them it
 * has learnt from. */
#include "pipelines/evaluate_forecast.h"
#include "pipelines/judge.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "pipelines/train_ids.h"
#include "registry/package.h"

typedef struct EvaluateJob {
    const char *artifacts, *package;
    const char *rows; /* path of a Parquet file */
    const JsonValue *columns;
    bool allow_training_rows;
    TrainIds ids; /* what the package has learnt from */
} EvaluateJob;

static const JsonField job_fields[] = {
    {"artifacts", JSON_TEXT, offsetof(EvaluateJob, artifacts), JSON_REQUIRED, NULL},
    {"package", JSON_TEXT, offsetof(EvaluateJob, package), JSON_REQUIRED, NULL},
    {"rows", JSON_TEXT, offsetof(EvaluateJob, rows), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(EvaluateJob, columns), JSON_REQUIRED, NULL},
    {"allow_training_rows", JSON_BOOL, offsetof(EvaluateJob, allow_training_rows), JSON_REQUIRED,
     NULL},
    {0},
};

/* Praise for what was learnt by heart is the oldest mistake there is, so it takes a decision. */
static bool check_training_rows(const EvaluateJob *job, const Bench *bench, size_t seen,
                                Error *error)
{
    if (!seen || job->allow_training_rows)
        return true;
    return fail(error, ERROR_CONFLICT,
                "%zu of %zu rows are training data of this model; say \"allow_training_rows\" "
                "(--allow-training-rows) to "
                "judge it on them all the same",
                seen, bench->rows.row_count);
}

static bool judge(const EvaluateJob *job, const Package *package, JsonWriter *result, Arena *arena,
                  Error *error)
{
    ModelSet models = {{package->model}, 1};
    RowsSpec spec = {.path = job->rows, .columns = dataset_columns_read(job->columns, arena)};
    Bench bench;
    Predictions predictions;
    Report report;
    size_t seen;

    spec.task = predictor_task(package->model);
    if (!bench_read(&spec, &models, arena, &bench, error) ||
        !train_ids_count_in(&job->ids, &spec, arena, &seen, error))
        return false;
    if (!check_training_rows(job, &bench, seen, error) ||
        !bench_predict(&bench, package->model, arena, &predictions, error) ||
        !bench_report(&bench, &predictions, arena, &report, error))
        return false;
    json_int(result, "rows", (int64_t)bench.rows.row_count);
    json_int(result, "unlabelled", (int64_t)bench.unlabelled_count);
    json_int(result, "training_rows", (int64_t)seen);
    json_text(result, "judged_on", seen ? "training data" : "unseen data");
    report_write_json(result, "report", &report, &bench.rows.classes);
    return true;
}

bool evaluate_step(const JsonValue *job_value, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(step_store_close) ArtifactStore *store = NULL;
    EvaluateJob job = {0};
    CLEANUP(package_close) Package package = {0};

    if (step_job_is_forecast(job_value))
        return evaluate_forecast(job_value, result, arena, error);
    if (!json_read_value(job_value, job_fields, &job, arena, error))
        return false;
    store = artifact_store_open(job.artifacts, error);
    if (!store || !package_open(store, job.package, arena, &package, error) ||
        !train_ids_read(store, job.package, arena, &job.ids, error))
        return false;
    return judge(&job, &package, result, arena, error);
}

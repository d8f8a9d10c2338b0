#include "pipelines/evaluate_forecast.h"

#include "pipelines/forecast_match.h"

typedef struct EvaluateJob {
    const char *task, *artifacts, *package;
    const char *rows; /* path of a Parquet file */
    const JsonValue *columns;
    bool allow_training_rows; /* says nothing here: no date that is judged was learnt from */
} EvaluateJob;

static const JsonField job_fields[] = {
    {"task", JSON_TEXT, offsetof(EvaluateJob, task), JSON_REQUIRED, NULL},
    {"artifacts", JSON_TEXT, offsetof(EvaluateJob, artifacts), JSON_REQUIRED, NULL},
    {"package", JSON_TEXT, offsetof(EvaluateJob, package), JSON_REQUIRED, NULL},
    {"rows", JSON_TEXT, offsetof(EvaluateJob, rows), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(EvaluateJob, columns), JSON_REQUIRED, NULL},
    {"allow_training_rows", JSON_BOOL, offsetof(EvaluateJob, allow_training_rows), JSON_REQUIRED,
     NULL},
    {0},
};

/* Values of a series after the end of what the model has learnt of it, up to so many. */
static size_t count_new(const ForecastMatch *match, const DatedSeries *series, size_t most)
{
    const ForecastModel *model = match->forecasters[0].model;
    size_t count = 0, index = 0;
    int64_t last_ms;

    if (!forecast_model_find(model, series->id, &index))
        return 0; /* forecast_match_read() has taken such out */
    last_ms = forecast_model_series(model, index).last_ms;
    while (count < most && count < series->index.count &&
           dated_series_time(&match->set, series, series->index.count - 1 - count) > last_ms)
        count++;
    return count;
}

static size_t most_new(const ForecastMatch *match, size_t most)
{
    size_t found = 0;

    for (size_t i = 0; i < match->set.count; i++) {
        size_t count = count_new(match, &match->set.items[i], most);

        found = count > found ? count : found;
    }
    return found;
}

/* A series that ended before would be judged on dates that it has learnt from. */
static void keep_new(ForecastMatch *match, size_t dates)
{
    size_t count = match->set.count, kept = 0;

    for (size_t i = 0; i < count; i++)
        if (count_new(match, &match->set.items[i], dates) == dates)
            match->set.items[kept++] = match->set.items[i];
    match->set.count = kept;
    if (kept < count)
        text_list_add(&match->notes, match->arena,
                      arena_format(match->arena,
                                   "%zu series have fewer than %zu values after what the model "
                                   "has learnt from, and are left out",
                                   count - kept, dates));
}

/* How many of the last dates judge. */
static size_t choose_dates(ForecastMatch *match)
{
    size_t horizon = forecast_model_horizon(match->forecasters[0].model);
    size_t dates = most_new(match, horizon);

    if (dates == 0)
        return horizon;
    keep_new(match, dates);
    return dates;
}

static bool judge(ForecastMatch *match)
{
    Forecaster *model = &match->forecasters[0];

    return forecast_match_judge(match, choose_dates(match)) &&
           forecast_bench_add_steps(&match->bench, &model->asked, match->arena, &model->report,
                                    match->error);
}

static void write_result(const ForecastMatch *match, JsonWriter *result)
{
    const Forecaster *model = &match->forecasters[0];

    forecast_match_write_dates(result, match);
    json_int(result, "training_rows", 0);
    json_text(result, "judged_on",
              model->renewed ? "dates before which it was learnt again" : "unseen data");
    json_texts(result, "notes", &match->notes);
    report_write_json(result, "report", &model->report, NULL);
}

bool evaluate_forecast(const JsonValue *job_value, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(forecast_match_clear) ForecastMatch match = {.arena = arena, .error = error};
    EvaluateJob job = {0};
    RowsSpec rows = {0};

    if (!json_read_value(job_value, job_fields, &job, arena, error))
        return false;
    rows.path = job.rows;
    rows.columns = dataset_columns_read(job.columns, arena);
    if (!forecast_match_open(&match, job.artifacts) ||
        !forecast_match_add(&match, "model", job.package) || !forecast_match_read(&match, &rows) ||
        !judge(&match))
        return false;
    write_result(&match, result);
    return true;
}

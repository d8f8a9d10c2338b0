#include "pipelines/gate_forecast.h"

#include "pipelines/forecast_match.h"
#include "pipelines/judge.h"

typedef struct ForecastGateJob {
    const char *task, *artifacts;
    const char *challenger, *champion; /* digests of packages; champion NULL: none serves */
    const char *rows;                  /* path of a Parquet file: the challenger's data */
    const JsonValue *columns;
    const char *metric;
    bool may_choose_metric; /* nobody has named one: the usual one of forecasts */
    double level;
} ForecastGateJob;

static const JsonField job_fields[] = {
    {"task", JSON_TEXT, offsetof(ForecastGateJob, task), JSON_REQUIRED, NULL},
    {"artifacts", JSON_TEXT, offsetof(ForecastGateJob, artifacts), JSON_REQUIRED, NULL},
    {"challenger", JSON_TEXT, offsetof(ForecastGateJob, challenger), JSON_REQUIRED, NULL},
    {"champion", JSON_TEXT, offsetof(ForecastGateJob, champion), JSON_OPTIONAL, NULL},
    {"rows", JSON_TEXT, offsetof(ForecastGateJob, rows), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(ForecastGateJob, columns), JSON_REQUIRED, NULL},
    {"metric", JSON_TEXT, offsetof(ForecastGateJob, metric), JSON_REQUIRED, NULL},
    {"may_choose_metric", JSON_BOOL, offsetof(ForecastGateJob, may_choose_metric), JSON_REQUIRED,
     NULL},
    {"level", JSON_NUMBER, offsetof(ForecastGateJob, level), JSON_REQUIRED, NULL},
    {0},
};

typedef struct Gate {
    ForecastGateJob job;
    const MetricKind *metric;
    ForecastMatch match; /* the challenger; the champion, if there is one */
} Gate;

static void gate_clear(Gate *gate)
{
    forecast_match_clear(&gate->match);
}

static bool open_all(Gate *gate)
{
    const ForecastGateJob *job = &gate->job;

    return forecast_match_open(&gate->match, job->artifacts) &&
           forecast_match_add(&gate->match, "challenger", job->challenger) &&
           (!job->champion || forecast_match_add(&gate->match, "champion", job->champion));
}

static bool judge_all(Gate *gate)
{
    ForecastMatch *match = &gate->match;
    RowsSpec rows = {.path = gate->job.rows,
                     .columns = dataset_columns_read(gate->job.columns, match->arena)};

    return forecast_match_read(match, &rows) &&
           forecast_match_judge(match, forecast_model_horizon(match->forecasters[0].model));
}

/* The result. */

/* Of two the numbers are those of the interval: the same, but for the order of additions. */
static bool write_figures(Gate *gate, JsonWriter *result)
{
    ForecastMatch *match = &gate->match;
    const Forecaster *challenger = &match->forecasters[0], *champion = &match->forecasters[1];
    ForecastRivals rivals = {&champion->asked, &challenger->asked, gate->metric, gate->job.level};
    PairedInterval interval;

    if (match->count < 2) {
        json_double(result, "challenger", metric_value(gate->metric, &challenger->report));
        return true;
    }
    if (!forecast_bench_compare(&match->bench, &rivals, match->arena, &interval, match->error))
        return false;
    json_double(result, "challenger", interval.challenger);
    json_double(result, "champion", interval.champion);
    paired_interval_write_json(result, "interval", &interval);
    return true;
}

static bool write_result(Gate *gate, JsonWriter *result)
{
    const ForecastMatch *match = &gate->match;
    BenchForecast always = forecast_bench_baseline(&match->bench, match->arena);
    Report baseline;

    if (!forecast_bench_report(&match->bench, &always, &baseline, match->error))
        return false;
    forecast_match_write_dates(result, match);
    json_text(result, "metric", gate->metric->name);
    json_double(result, "baseline", metric_value(gate->metric, &baseline));
    if (!write_figures(gate, result))
        return false;
    json_texts(result, "notes", &match->notes);
    json_open_object(result, "metrics");
    for (size_t i = 0; i < match->count; i++)
        report_write_metrics(result, match->forecasters[i].role, &match->forecasters[i].report);
    report_write_metrics(result, "baseline", &baseline);
    json_close(result);
    return true;
}

bool gate_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(gate_clear) Gate gate = {.match = {.arena = arena, .error = error}};

    if (!json_read_value(job, job_fields, &gate.job, arena, error))
        return false;
    return judge_find_metric(TASK_FORECAST, gate.job.may_choose_metric ? NULL : gate.job.metric,
                             &gate.metric, error) &&
           open_all(&gate) && judge_all(&gate) && write_result(&gate, result);
}

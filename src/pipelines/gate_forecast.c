#include "pipelines/gate_forecast.h"

#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "base/time.h"
#include "pipelines/forecast_judge.h"
#include "pipelines/judge.h"
#include "pipelines/step_job.h"
#include "registry/package.h"

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

/* One of the two that are compared. */
typedef struct Forecaster {
    const char *role; /* "challenger" */
    Package package;
    const ForecastModel *model; /* the package's */
    ForecastModel *renewed;     /* owned; NULL: it is asked as it serves */
    BenchForecast asked;
    Report report;
} Forecaster;

typedef struct ForecastMatch {
    ForecastGateJob job;
    const MetricKind *metric;
    ArtifactStore *store;
    Forecaster forecasters[2]; /* the challenger; the champion, if there is one */
    size_t count;
    SeriesSet set; /* those that all forecast */
    ForecastBench bench;
    TextList notes;
    Arena *arena;
    Error *error;
} ForecastMatch;

static void match_clear(ForecastMatch *match)
{
    for (size_t i = 0; i < match->count; i++) {
        package_close(&match->forecasters[i].package);
        forecast_model_unload(&match->forecasters[i].renewed);
    }
    step_store_close(&match->store);
}

static bool open_forecaster(ForecastMatch *match, const char *role, const char *package)
{
    Forecaster *opened = &match->forecasters[match->count++];

    opened->role = role;
    if (!package_open(match->store, package, match->arena, &opened->package, match->error))
        return fail_in(match->error, "the %s cannot be read", role);
    opened->model = predictor_forecast(opened->package.model);
    return opened->model ||
           fail(match->error, ERROR_CONFLICT,
                "the %s is no forecast, and nothing else can be compared with one", role);
}

static bool open_all(ForecastMatch *match)
{
    match->store = artifact_store_open(match->job.artifacts, match->error);
    return match->store && open_forecaster(match, "challenger", match->job.challenger) &&
           (!match->job.champion || open_forecaster(match, "champion", match->job.champion));
}

/* The series. */

static bool all_have(const ForecastMatch *match, const char *id)
{
    size_t index;

    for (size_t i = 0; i < match->count; i++)
        if (!forecast_model_find(match->forecasters[i].model, id, &index))
            return false;
    return true;
}

static void note(ForecastMatch *match, const char *sentence)
{
    text_list_add(&match->notes, match->arena, sentence);
}

static bool keep_common(ForecastMatch *match)
{
    size_t count = match->set.count, kept = 0;

    for (size_t i = 0; i < count; i++)
        if (all_have(match, match->set.items[i].id))
            match->set.items[kept++] = match->set.items[i];
    match->set.count = kept;
    if (kept == 0)
        return fail(match->error, ERROR_CONFLICT,
                    "there is no series that all models forecast: nothing can be compared");
    if (kept < count)
        note(match,
             arena_format(match->arena, "judged on the %zu of %zu series that all models forecast",
                          kept, count));
    return true;
}

static bool check_frequency(const ForecastMatch *match, const Forecaster *forecaster)
{
    Frequency own = forecast_model_frequency(forecaster->model), data = match->set.frequency;

    return (own.step_ms == data.step_ms && own.months == data.months) ||
           fail(match->error, ERROR_CONFLICT,
                "the %s forecasts by the %s, and the data is by the %s: they cannot be compared",
                forecaster->role, frequency_name(&own, match->arena),
                frequency_name(&data, match->arena));
}

static bool read_series(ForecastMatch *match)
{
    size_t horizon = forecast_model_horizon(match->forecasters[0].model);
    RowsSpec spec = {.path = match->job.rows,
                     .columns = dataset_columns_read(match->job.columns, match->arena)};

    if (!series_set_read(&spec, horizon, match->arena, &match->set, match->error) ||
        !keep_common(match))
        return false;
    for (size_t i = 0; i < match->count; i++)
        if (!check_frequency(match, &match->forecasters[i]))
            return false;
    match->bench = forecast_bench_make(&match->set, horizon, match->arena);
    return true;
}

/* Forecasts that have not seen the dates. */

/* How a model stands to the dates of the series. */
typedef struct Standing {
    size_t seen, beyond; /* series whose dates it has learnt from; that it does not reach */
} Standing;

/* Steps from a series' end to the last date that it is judged on. */
static bool reaches(const ForecastMatch *match, const Forecaster *forecaster,
                    const DatedSeries *series, int64_t last_ms)
{
    Frequency frequency = forecast_model_frequency(forecaster->model);
    int64_t most = (int64_t)forecast_model_steps_max(forecaster->model), end_ms;

    return frequency_add(&frequency, last_ms, most, &end_ms) &&
           end_ms >= dated_series_time(&match->set, series, series->index.count - 1);
}

static Standing find_standing(const ForecastMatch *match, const Forecaster *forecaster)
{
    Standing standing = {0};

    for (size_t i = 0; i < match->set.count; i++) {
        const DatedSeries *series = &match->set.items[i];
        int64_t last_ms;
        size_t index = 0;

        if (!forecast_model_find(forecaster->model, series->id, &index))
            continue; /* keep_common() has taken such out */
        last_ms = forecast_model_series(forecaster->model, index).last_ms;
        if (last_ms >= forecast_bench_begin(&match->bench, series))
            standing.seen++;
        else if (!reaches(match, forecaster, series, last_ms))
            standing.beyond++;
    }
    return standing;
}

static bool check_outcomes(const ForecastMatch *match, const Forecaster *forecaster,
                           const ForecastResult *renewed)
{
    for (size_t i = 0; i < match->set.count; i++)
        if (*renewed->outcomes[i].failure)
            return fail(match->error, ERROR_CONFLICT,
                        "the %s cannot learn series \"%.80s\" up to the dates: %s",
                        forecaster->role, renewed->outcomes[i].id, renewed->outcomes[i].failure);
    return true;
}

static bool renew(ForecastMatch *match, Forecaster *forecaster)
{
    ForecastInputs inputs = series_set_before(&match->set, match->bench.horizon, match->arena);
    ForecastResult renewed = {0};

    inputs.thread_count = parallel_core_count();
    if (!forecast_model_renew(forecaster->model, &inputs, match->arena, &renewed, match->error))
        return fail_in(match->error, "the %s cannot be renewed up to the dates", forecaster->role);
    forecaster->renewed = renewed.model;
    return check_outcomes(match, forecaster, &renewed);
}

static const char *describe(const ForecastMatch *match, const Forecaster *forecaster,
                            Standing standing)
{
    if (standing.seen)
        return arena_format(match->arena,
                            "the %s has seen the dates, and was renewed on the values before them",
                            forecaster->role);
    if (standing.beyond)
        return arena_format(match->arena,
                            "the dates lie beyond the %zu steps that the %s forecasts, and it was "
                            "renewed on the values before them",
                            forecast_model_steps_max(forecaster->model), forecaster->role);
    return arena_format(match->arena,
                        "the %s ends before the dates, and forecast them as it serves",
                        forecaster->role);
}

static bool judge(ForecastMatch *match, Forecaster *forecaster)
{
    Standing standing = find_standing(match, forecaster);

    note(match, describe(match, forecaster, standing));
    if ((standing.seen || standing.beyond) && !renew(match, forecaster))
        return false;
    return (forecast_bench_ask(&match->bench,
                               forecaster->renewed ? forecaster->renewed : forecaster->model,
                               match->arena, &forecaster->asked, match->error) &&
            forecast_bench_report(&match->bench, &forecaster->asked, &forecaster->report,
                                  match->error)) ||
           fail_in(match->error, "the %s cannot be judged", forecaster->role);
}

/* The result. */

static void write_dates(JsonWriter *json, const ForecastMatch *match)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    char text[TIME_TEXT_SIZE];

    for (size_t i = 0; i < match->set.count; i++) {
        const DatedSeries *series = &match->set.items[i];
        int64_t begin = forecast_bench_begin(&match->bench, series);

        first = begin < first ? begin : first;
        last = series->index.last_ms > last ? series->index.last_ms : last;
    }
    json_int(json, "rows", (int64_t)match->bench.count);
    json_int(json, "series", (int64_t)match->set.count);
    json_text(json, "first", time_format(first, text));
    json_text(json, "last", time_format(last, text));
}

/* Of two the numbers are those of the interval: the same, but for the order of additions. */
static bool write_figures(ForecastMatch *match, JsonWriter *result)
{
    const Forecaster *challenger = &match->forecasters[0], *champion = &match->forecasters[1];
    ForecastRivals rivals = {&champion->asked, &challenger->asked, match->metric, match->job.level};
    PairedInterval interval;

    if (match->count < 2) {
        json_double(result, "challenger", metric_value(match->metric, &challenger->report));
        return true;
    }
    if (!forecast_bench_compare(&match->bench, &rivals, match->arena, &interval, match->error))
        return false;
    json_double(result, "challenger", interval.challenger);
    json_double(result, "champion", interval.champion);
    paired_interval_write_json(result, "interval", &interval);
    return true;
}

static bool write_result(ForecastMatch *match, JsonWriter *result)
{
    BenchForecast always = forecast_bench_baseline(&match->bench, match->arena);
    Report baseline;

    if (!forecast_bench_report(&match->bench, &always, &baseline, match->error))
        return false;
    write_dates(result, match);
    json_text(result, "metric", match->metric->name);
    json_double(result, "baseline", metric_value(match->metric, &baseline));
    if (!write_figures(match, result))
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
    CLEANUP(match_clear) ForecastMatch match = {.arena = arena, .error = error};

    if (!json_read_value(job, job_fields, &match.job, arena, error))
        return false;
    if (!judge_find_metric(TASK_FORECAST, match.job.may_choose_metric ? NULL : match.job.metric,
                           &match.metric, error) ||
        !open_all(&match) || !read_series(&match))
        return false;
    for (size_t i = 0; i < match.count; i++)
        if (!judge(&match, &match.forecasters[i]))
            return false;
    return write_result(&match, result);
}

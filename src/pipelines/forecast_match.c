#include "pipelines/forecast_match.h"

#include "base/parallel.h"
#include "base/time.h"
#include "pipelines/step_job.h"

void forecast_match_clear(ForecastMatch *match)
{
    for (size_t i = 0; i < match->count; i++) {
        package_close(&match->forecasters[i].package);
        forecast_model_unload(&match->forecasters[i].renewed);
    }
    step_store_close(&match->store);
}

bool forecast_match_open(ForecastMatch *match, const char *artifacts)
{
    match->store = artifact_store_open(artifacts, match->error);
    return match->store != NULL;
}

bool forecast_match_add(ForecastMatch *match, const char *role, const char *package)
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
    const char *who = match->count > 1 ? "all models forecast" : "the model forecasts";
    size_t count = match->set.count, kept = 0;

    for (size_t i = 0; i < count; i++)
        if (all_have(match, match->set.items[i].id))
            match->set.items[kept++] = match->set.items[i];
    match->set.count = kept;
    if (kept == 0)
        return fail(match->error, ERROR_CONFLICT,
                    "there is no series that %s: nothing can be compared", who);
    if (kept < count)
        note(match, arena_format(match->arena, "judged on the %zu of %zu series that %s", kept,
                                 count, who));
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

bool forecast_match_read(ForecastMatch *match, const RowsSpec *rows)
{
    size_t horizon = forecast_model_horizon(match->forecasters[0].model);

    if (!series_set_read(rows, horizon, match->arena, &match->set, match->error) ||
        !keep_common(match))
        return false;
    for (size_t i = 0; i < match->count; i++)
        if (!check_frequency(match, &match->forecasters[i]))
            return false;
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

bool forecast_match_judge(ForecastMatch *match, size_t dates)
{
    match->bench = forecast_bench_make(&match->set, dates, match->arena);
    for (size_t i = 0; i < match->count; i++)
        if (!judge(match, &match->forecasters[i]))
            return false;
    return true;
}

void forecast_match_write_dates(JsonWriter *json, const ForecastMatch *match)
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

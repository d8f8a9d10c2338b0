/* study_known: what columns that are known for the future are worth to a forecast.
 *
 *     study_known [CHOICE]    a page of Markdown; with CHOICE also what each origin chose, on
 * stderr
 *
 * Days of bike-sharing/day.csv, of SLIPWAY_DATA, forecast from many origins of its second year, a
 * model trained anew at each (forecast_model_train) without known columns and with several sets of
 * them. The values of the dates are those that came: what a calendar says is known then, weather is
 * not, so that its rows are a bound.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ml/forecast_metric.h"
#include "ml/forecast_model.h"

enum { FILE_BYTES_MAX = 1 << 24, FIELDS = 16, DAYS_MAX = 1000, ORIGINS = 12, STEP = 28 };

static const double level = 0.95;
static const size_t horizons[] = {7, 14, 28};

/* Columns of the file by their places; levels: how many values a category has, 0: numbers. */
typedef struct Source {
    const char *name;
    int place;
    size_t levels;
} Source;

typedef struct KnownSet {
    const char *name;
    Source columns[6];
} KnownSet;

static const KnownSet sets[] = {
    {"none", {{0}}},
    {"holiday", {{"holiday", 5, 0}}},
    {"holiday, workingday", {{"holiday", 5, 0}, {"workingday", 7, 0}}},
    {"holiday, weathersit", {{"holiday", 5, 0}, {"weathersit", 8, 4}}},
    {"holiday, workingday, weathersit, temp, hum, windspeed",
     {{"holiday", 5, 0},
      {"workingday", 7, 0},
      {"weathersit", 8, 4},
      {"temp", 9, 0},
      {"hum", 11, 0},
      {"windspeed", 12, 0}}},
};

typedef struct Days {
    size_t count;
    double fields[DAYS_MAX][FIELDS];
} Days;

static bool read_days(Days *days, Arena *arena, Error *error)
{
    const char *root = getenv("SLIPWAY_DATA"), *text;
    char *copy, *line;
    size_t size;

    if (!file_read(arena_format(arena, "%s/bike-sharing/day.csv", root ? root : "../shared/data"),
                   FILE_BYTES_MAX, arena, &text, &size, error))
        return false;
    copy = arena_text(arena, text);
    strsep(&copy, "\n");
    while ((line = strsep(&copy, "\n")) && *line && days->count < DAYS_MAX) {
        double *fields = days->fields[days->count++];
        char *field;

        for (size_t i = 0; i < FIELDS && (field = strsep(&line, ",")); i++)
            fields[i] = strtod(field, NULL);
    }
    return true;
}

static KnownColumns columns_of(const KnownSet *set, Arena *arena)
{
    static const char *const levels[] = {"1", "2", "3", "4"};
    KnownColumn *items = arena_array(arena, KnownColumn, COUNT(set->columns));
    size_t count = 0;

    for (; count < COUNT(set->columns) && set->columns[count].name; count++)
        items[count] = (KnownColumn){set->columns[count].name, levels, set->columns[count].levels};
    return (KnownColumns){items, count};
}

static const double *rows_of(const Days *days, const KnownSet *set, size_t width, Arena *arena)
{
    double *rows = arena_array(arena, double, days->count *width);

    for (size_t day = 0; day < days->count; day++)
        for (size_t i = 0; i < width; i++) {
            double value = days->fields[day][set->columns[i].place];

            rows[day * width + i] = set->columns[i].levels ? value - 1 : value;
        }
    return rows;
}

typedef struct Sums {
    double mase, smape, squares, msis, coverage;
} Sums;

typedef struct Trial {
    const Days *days;
    const double *values; /* of all days */
    const KnownSet *set;
    size_t horizon;
    bool is_told;
} Trial;

static bool forecast(const Trial *trial, size_t origin, Arena *arena, DatedForecast *made,
                     Error *error)
{
    KnownColumns known = columns_of(trial->set, arena);
    ForecastInput input = {"bikes", trial->values, origin, 0};
    ForecastInputs inputs = {&input, 1, parallel_core_count(), known};
    const ForecastSpec spec = {.frequency = {FREQUENCY_DAY_MS, 0, 0},
                               .horizon = trial->horizon,
                               .steps_max = trial->horizon,
                               .periods = {7},
                               .period_count = 1};
    ForecastResult result;
    bool is_made;

    if (known.count > 0) {
        input.known = rows_of(trial->days, trial->set, known.count, arena);
        input.future_count = trial->horizon;
    }
    if (!forecast_model_train(&inputs, &spec, arena, &result, error))
        return false;
    if (trial->is_told)
        fprintf(stderr, "%s\t%zu\t%zu\t%s\n", trial->set->name, trial->horizon, origin,
                result.outcomes[0].choice);
    is_made = forecast_model_predict(
        result.model, &(ForecastAsk){0, trial->horizon, level, NULL, false}, arena, made, error);
    forecast_model_unload(&result.model);
    return is_made;
}

static bool add_origin(const Trial *trial, size_t origin, Sums *sums, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Series learnt = {trial->values, origin, 7, NULL, 0};
    DatedForecast made;
    ForecastScore score;

    if (!forecast(trial, origin, arena, &made, error))
        return false;
    score = forecast_score_intervals(
        trial->values + origin, &(ForecastIntervals){made.count, made.mean, made.low, made.high},
        level, &learnt);
    sums->mase += score.mase / ORIGINS;
    sums->smape += score.smape / ORIGINS;
    sums->squares += score.rmse * score.rmse / ORIGINS;
    sums->msis += score.msis / ORIGINS;
    sums->coverage += score.coverage / ORIGINS;
    return true;
}

static bool measure(const Trial *trial, Error *error)
{
    Sums sums = {0};

    for (size_t i = 0; i < ORIGINS; i++)
        if (!add_origin(trial, trial->days->count - STEP * (ORIGINS - i), &sums, error))
            return false;
    printf("| %zu | %s | %.3f | %.2f | %.0f | %.2f | %.3f |\n", trial->horizon, trial->set->name,
           sums.mase, sums.smape, sqrt(sums.squares), sums.msis, sums.coverage);
    fflush(stdout);
    return true;
}

static bool run(bool is_told, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Days *days = arena_new(arena, Days);
    double *values = arena_array(arena, double, DAYS_MAX);

    if (!read_days(days, arena, error))
        return false;
    for (size_t day = 0; day < days->count; day++)
        values[day] = days->fields[day][FIELDS - 1];
    for (size_t i = 0; i < COUNT(horizons); i++)
        for (size_t j = 0; j < COUNT(sets); j++)
            if (!measure(&(Trial){days, values, &sets[j], horizons[i], is_told}, error))
                return false;
    return true;
}

int main(int count, char **words)
{
    Error error;

    (void)words;
    printf(
        "# Known columns in forecasts\n\n"
        "Written by `bench/study_known.c`. Bike-sharing by the day, %d origins %d days apart in "
        "the second year, a model trained\nanew at each and judged on the days that came. Means "
        "over the origins, RMSE of all days; MSIS and coverage are of 95 %%\nintervals. Holidays "
        "and working days are known beforehand; weather is not, so that its rows say what a "
        "perfect forecast\nof the weather would be worth.\n\n"
        "| horizon | known columns | MASE | sMAPE | RMSE | MSIS | coverage |\n"
        "|---|---|---|---|---|---|---|\n",
        ORIGINS, STEP);
    if (run(count > 1, &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return 1;
}

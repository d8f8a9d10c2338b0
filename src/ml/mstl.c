#include "ml/mstl.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "ml/ets.h"
#include "ml/season.h"
#include "ml/stl.h"
#include "ml/theta.h"

enum {
    COUNT_MIN = 6,          /* what the rest's learners need */
    COUNT_TESTED = 1 << 14, /* seasons are looked for in the last values, */
    PERIODS_TESTED = 6,     /* so many periods of the longest at least */
};

static size_t season_window(size_t number)
{
    return 11 + 4 * number;
}

static void add(double *sums, const double *values, double factor, size_t count)
{
    for (size_t t = 0; t < count; t++)
        sums[t] += factor * values[t];
}

static double *copy_of(const double *values, size_t count, Arena *arena)
{
    double *copy = arena_array(arena, double, count);

    memcpy(copy, values, count * sizeof(*copy));
    return copy;
}

Mstl mstl_decompose(const double *values, size_t count, const size_t *periods, size_t period_count,
                    Arena *arena)
{
    Mstl parts = {.season_count = period_count, .remainder = copy_of(values, count, arena)};
    double *rest = parts.remainder;

    assert(period_count >= 1 && period_count <= MSTL_SEASONS_MAX);
    parts.trend = arena_array(arena, double, count);
    for (size_t i = 0; i < period_count; i++) {
        parts.periods[i] = periods[i];
        parts.seasons[i] = arena_array(arena, double, count);
    }
    for (size_t turn = 0; turn < (period_count == 1 ? 1 : 2) * period_count; turn++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        size_t i = turn % period_count;
        StlSpec spec = stl_usual(periods[i], season_window(i), false);
        Stl stl;

        add(rest, parts.seasons[i], 1, count);
        stl = stl_decompose(rest, count, &spec, scratch);
        memcpy(parts.seasons[i], stl.season, count * sizeof(*stl.season));
        memcpy(parts.trend, stl.trend, count * sizeof(*stl.trend));
        add(rest, parts.seasons[i], -1, count);
    }
    add(rest, parts.trend, -1, count);
    return parts;
}

/* ---- which seasons ---- */

/* Takes the season out of rest where it is there. */
static bool take_season(double *rest, size_t count, size_t period, size_t number)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    StlSpec spec = stl_usual(period, season_window(number), false);
    Stl stl = stl_decompose(rest, count, &spec, scratch);
    double *detrended = copy_of(rest, count, scratch);

    add(detrended, stl.trend, -1, count);
    if (!season_is_significant(&(Series){detrended, count, period}))
        return false;
    add(rest, stl.season, -1, count);
    return true;
}

static size_t period_at(const Series *series, size_t i)
{
    return i == 0 ? series->period : series->longer[i - 1];
}

size_t mstl_find_seasons(const Series *series, size_t periods[MSTL_SEASONS_MAX])
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t longest = period_at(series, series->longer_count), found = 0;
    size_t kept = longest > COUNT_TESTED / PERIODS_TESTED ? PERIODS_TESTED * longest : COUNT_TESTED;
    size_t count = series->count < kept ? series->count : kept;
    double *rest = copy_of(series->values + series->count - count, count, scratch);

    for (size_t i = 0; i <= series->longer_count; i++) {
        size_t period = period_at(series, i);

        if (period >= 2 && period <= count / 3 && take_season(rest, count, period, found))
            periods[found++] = period;
    }
    return found;
}

/* ---- the learner ---- */

/* What forecasts the values without seasons: the mean of these. */
static const SeriesLearner *const rest_learners[] = {&ets_learner, &dotm_learner};

typedef struct MstlModel {
    size_t season_count, periods[MSTL_SEASONS_MAX];
    const double *seasons[MSTL_SEASONS_MAX]; /* the last period of each */
    bool is_product;                         /* seasons are logarithms of factors */
    const void *rest[COUNT(rest_learners)];
} MstlModel;

static double log_spread(const Mstl *parts, size_t count)
{
    double largest = 0, sum = 0;

    for (size_t t = 0; t < count; t++)
        largest = fmax(largest, fabs(parts->remainder[t]));
    for (size_t t = 0; t < count; t++) {
        double share = largest > 0 ? parts->remainder[t] / largest : 0;

        sum += share * share;
    }
    return largest > 0 ? log(largest) + log(sum / (double)count) / 2 : -INFINITY;
}

/* The seasons of the values, or of their logarithms where those leave less. */
static Mstl decompose(const Series *series, MstlModel *model, Arena *arena)
{
    size_t count = series->count;
    Mstl plain = mstl_decompose(series->values, count, model->periods, model->season_count, arena);
    Mstl product;
    double *logs, mean = 0;

    if (!series_is_positive(series))
        return plain;
    logs = arena_array(arena, double, count);
    for (size_t t = 0; t < count; t++) {
        logs[t] = log(series->values[t]);
        mean += logs[t] / (double)count;
    }
    product = mstl_decompose(logs, count, model->periods, model->season_count, arena);
    model->is_product = log_spread(&product, count) + mean < log_spread(&plain, count);
    return model->is_product ? product : plain;
}

static double season_at(const Mstl *parts, size_t time)
{
    double sum = 0;

    for (size_t i = 0; i < parts->season_count; i++)
        sum += parts->seasons[i][time];
    return sum;
}

static double *without_seasons(const Series *series, const Mstl *parts, const MstlModel *model,
                               Arena *arena)
{
    double *rest = arena_array(arena, double, series->count);

    for (size_t t = 0; t < series->count; t++)
        rest[t] = model->is_product ? series->values[t] / exp(season_at(parts, t))
                                    : series->values[t] - season_at(parts, t);
    return rest;
}

static const void *fit_mstl(const Series *series, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    MstlModel *model = arena_new(arena, MstlModel);
    size_t count = series->count;
    const double *rest = series->values;

    model->season_count = mstl_find_seasons(series, model->periods);
    if (model->season_count > 0) {
        Mstl parts = decompose(series, model, scratch);

        rest = without_seasons(series, &parts, model, scratch);
        for (size_t i = 0; i < model->season_count; i++) {
            size_t period = model->periods[i];

            model->seasons[i] = copy_of(parts.seasons[i] + count - period, period, arena);
        }
    }
    for (size_t i = 0; i < COUNT(rest_learners); i++)
        model->rest[i] = rest_learners[i]->fit(&(Series){rest, count, 1}, arena);
    return model;
}

static void forecast_rest(const MstlModel *model, Forecast *forecast, Arena *arena)
{
    const size_t count = COUNT(rest_learners);
    const double share = 1 / (double)count;
    Forecast part = {forecast->horizon, arena_array(arena, double, forecast->horizon),
                     arena_array(arena, double, forecast->horizon)};

    memset(forecast->mean, 0, forecast->horizon * sizeof(*forecast->mean));
    memset(forecast->deviation, 0, forecast->horizon * sizeof(*forecast->deviation));
    for (size_t i = 0; i < count; i++) {
        rest_learners[i]->forecast(model->rest[i], &part, arena);
        add(forecast->mean, part.mean, share, forecast->horizon);
        add(forecast->deviation, part.deviation, share, forecast->horizon);
    }
}

static void forecast_mstl(const void *state, Forecast *forecast, Arena *arena)
{
    const MstlModel *model = state;

    forecast_rest(model, forecast, arena);
    for (size_t step = 0; step < forecast->horizon; step++) {
        double season = 0;

        for (size_t i = 0; i < model->season_count; i++)
            season += model->seasons[i][step % model->periods[i]];
        if (model->is_product) {
            forecast->mean[step] *= exp(season);
            forecast->deviation[step] *= exp(season);
        } else {
            forecast->mean[step] += season;
        }
    }
}

const SeriesLearner mstl_learner = {.name = "mstl",
                                    .summary =
                                        "several seasons by STL, the rest by smoothing and Theta",
                                    .least = COUNT_MIN,
                                    .fit = fit_mstl,
                                    .forecast = forecast_mstl,
                                    .knows_longer = true};

/* forecast_match.h: packaged forecasts, one or two, judged on the same last dates of series. Used
 * in worker steps only.
 *
 * None may have seen the dates. A model that has, as one which was renewed on all of the data, is
 * renewed on the values before: what it chose stays, what it learnt is learnt again. One that ends
 * before the dates forecasts them from its own end, as it serves; where they lie beyond the most
 * steps that it forecasts it is renewed, too. The notes say which it was.
 *
 *     CLEANUP(forecast_match_clear) ForecastMatch match = {.arena = arena, .error = error};
 *
 *     if (!forecast_match_open(&match, artifacts) ||
 *         !forecast_match_add(&match, "challenger", package) ||
 *         !forecast_match_read(&match, &rows) || !forecast_match_judge(&match, horizon))
 *         return false;
 */
#pragma once

#include "pipelines/forecast_judge.h"
#include "registry/package.h"

/* One that is judged. */
typedef struct Forecaster {
    const char *role; /* "challenger" */
    Package package;
    const ForecastModel *model; /* the package's */
    ForecastModel *renewed;     /* owned; NULL: it is asked as it serves */
    BenchForecast asked;
    Report report;
} Forecaster;

enum { FORECASTERS_MAX = 2 };

typedef struct ForecastMatch {
    ArtifactStore *store;
    Forecaster forecasters[FORECASTERS_MAX];
    size_t count;
    SeriesSet set;       /* those that all forecast */
    ForecastBench bench; /* the dates */
    TextList notes;      /* a sentence for what was left out, and for how each was asked */
    Arena *arena;
    Error *error;
} ForecastMatch;

void forecast_match_clear(ForecastMatch *match); /* for CLEANUP */

bool forecast_match_open(ForecastMatch *match, const char *artifacts) MUST_CHECK;

/* package: a digest. Conflict when it is no forecast. */
bool forecast_match_add(ForecastMatch *match, const char *role, const char *package) MUST_CHECK;

/* The series of the rows that are long enough for the first one's horizon and that all forecast;
 * fails when that is none, and when they are of another frequency. */
bool forecast_match_read(ForecastMatch *match, const RowsSpec *rows) MUST_CHECK;

/* On the last so many dates; each series has them, and 8 values before. */
bool forecast_match_judge(ForecastMatch *match, size_t dates) MUST_CHECK;

/* Members "rows", "series", "first" and "last" of what was judged. */
void forecast_match_write_dates(JsonWriter *json, const ForecastMatch *match);

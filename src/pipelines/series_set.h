/* series_set.h: the rows of a data set as series. Used in worker steps only.
 *
 * The column of role "group" names the series (without one there is one, called ""), "time" says
 * when, "target" how much. Each series is put on dates of equal distance (ml/time_index.h): gaps
 * are filled on the line between their neighbours and counted, two values of one date are a
 * mistake. The distance is found in the series with most rows and is that of all.
 *
 * Columns of role "known" come with it, also of rows behind a series' last value (ml/known.h). An
 * empty cell of a category is a level of its own where a row with a value has one.
 *
 * A series that is too short to hold anything out of is left out and said, and so is one of many
 * that cannot be put on dates. It is an error when no series is left.
 *
 *     SeriesSet set;
 *     if (!series_set_read(&spec, horizon, arena, &set, error))
 *         return false;
 *     inputs = series_set_before(&set, horizon, arena);
 */
#pragma once

#include "data/rows.h"
#include "ml/forecast_model.h"
#include "ml/time_index.h"

enum { SERIES_LEARNT_MIN = 8 }; /* values that must be left when the last ones are held out */

typedef struct DatedSeries {
    const char *id;
    TimeIndex index;
    const double *known; /* index.count + future_count rows; NULL: there are no known columns */
    size_t future_count;
} DatedSeries;

typedef struct SeriesSet {
    DatedSeries *items; /* by id */
    size_t count;
    KnownColumns known;
    Frequency frequency;
    size_t periods[FREQUENCY_PERIODS_MAX], period_count; /* of the longest series */
    size_t row_count, left_out_count; /* rows in all; rows of series that are left out */
    size_t mended_count, filled_count, short_count; /* series; values; series left out */
    size_t broken_count;                            /* series left out for their dates */
    TextList notes;                                 /* a sentence for what was mended or left out */
} SeriesSet;

/* horizon: how many of the last values are going to be held out. */
bool series_set_read(const RowsSpec *spec, size_t horizon, Arena *arena, SeriesSet *set,
                     Error *error) MUST_CHECK;

/* Each series without its last values; held 0: with all. */
ForecastInputs series_set_before(const SeriesSet *set, size_t held, Arena *arena);

/* NULL when there is none of that id. */
const DatedSeries *series_set_find(const SeriesSet *set, const char *id);

/* The time of a value, counted from the first. */
int64_t dated_series_time(const SeriesSet *set, const DatedSeries *series, size_t place);

/* time_index.h: rows of a time and a value made into a series of equal distances.
 *
 * Rows may come in any order. What is the matter with them is mended by rule or refused with a
 * sentence that names the time, and counted:
 * - the distance is found (frequency_detect) where none is given: months of the calendar, else the
 *   distance that most neighbours have;
 * - a time that is nearer than a tenth of a step to its place is moved there; one that is not is
 *   refused;
 * - several rows of one place (duplicates) are refused, or their mean or the last one that came
 *   counts;
 * - a place between first and last without a row (a gap), and a value that is NaN, are refused, or
 *   filled: on the line between its neighbours, with the value before it, with that of the season
 *   before it, or with 0. Nothing lies before the first and behind the last value that is there.
 * - values that stand out (outlier.h) are kept, or replaced by what trend and season say there.
 * With an aggregate the rows of each step are made one first ("daily mean"): then nothing is a
 * duplicate, and times stand for the step that they lie in.
 *
 *     TimeIndexSpec spec = {.frequency = day, .aggregate = AGGREGATE_MEAN, .gaps =
 * GAP_INTERPOLATE}; if (!time_index_make(&rows, &spec, arena, &index, error)) return false;
 */
#pragma once

#include "base/error.h"
#include "ml/frequency.h"
#include "ml/series.h"

typedef enum DuplicateRule { DUPLICATE_REFUSE, DUPLICATE_MEAN, DUPLICATE_LAST } DuplicateRule;

typedef enum GapRule {
    GAP_REFUSE,
    GAP_INTERPOLATE,
    GAP_PREVIOUS,
    GAP_SEASON, /* the value of a main period before, and GAP_INTERPOLATE where there is none */
    GAP_ZERO,
} GapRule;

typedef enum OutlierRule { OUTLIER_KEEP, OUTLIER_REPLACE } OutlierRule;

typedef enum Aggregate {
    AGGREGATE_NONE,
    AGGREGATE_MEAN,
    AGGREGATE_SUM,
    AGGREGATE_LEAST,
    AGGREGATE_MOST,
    AGGREGATE_LAST, /* the latest of the step */
    AGGREGATE_COUNT,
} Aggregate;

typedef struct TimeRows {
    const int64_t *times_ms;
    const double *values; /* NaN where missing */
    size_t count;
} TimeRows;

typedef struct TimeIndexSpec {
    Frequency frequency; /* {0}: found; must be given with an aggregate */
    DuplicateRule duplicates;
    GapRule gaps;
    Aggregate aggregate;
    OutlierRule outliers;
} TimeIndexSpec;

typedef struct TimeReport {
    size_t rows;
    size_t unordered; /* rows that came after a later one */
    size_t
        duplicates;  /* rows beyond the first of their place; with an aggregate: that were joined */
    size_t moved;    /* rows that were near their place */
    size_t gaps;     /* places without a row */
    size_t missing;  /* places with a row whose value is missing */
    size_t filled;   /* values that were made up for both */
    size_t outliers; /* counted when gaps are filled; kept or replaced by rule */
    int64_t first_gap_ms, first_outlier_ms; /* where there are any */
} TimeReport;

typedef struct TimeIndex {
    Frequency frequency;
    int64_t first_ms, last_ms;
    double *values;
    size_t count;
    size_t periods[FREQUENCY_PERIODS_MAX], period_count; /* suggested */
    TimeReport report;
} TimeIndex;

bool time_index_make(const TimeRows *rows, const TimeIndexSpec *spec, Arena *arena,
                     TimeIndex *index, Error *error) MUST_CHECK;

/* The place of a time, from 0; also behind the last value. False for one before the first. */
bool time_index_place(const TimeIndex *index, int64_t time_ms, size_t *place);

/* What the report says, in one line: "305 days, 12 gaps filled". */
const char *time_report_describe(const TimeIndex *index, Arena *arena);

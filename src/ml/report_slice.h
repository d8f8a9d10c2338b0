/* report_slice.h: how good answers are on parts of the rows: those with a value of a category,
 * those whose number is in a quarter of its range.
 *
 * A slice has SLICE_ROWS_LEAST rows at least, and where a figure needs both of two classes, some of
 * each. Its interval is a percentile bootstrap of its own rows. Of many slices some look bad by
 * chance: is_apart says that even the better end of the interval is worse than all rows are.
 *
 *     SliceSpec spec = {.frame = &frame, .rows = &judged, .seed = 42};
 *     slices_make(&spec, arena, &slices);
 */
#pragma once

#include "ml/report.h"

enum {
    SLICE_ROWS_LEAST = 30,
    SLICE_CLASS_ROWS_LEAST = 5,
    SLICE_PARTS = 4,       /* of a number, with as many rows each */
    SLICE_VALUES_MAX = 50, /* of a category; one with more has those with the most rows */
    SLICES_MAX = 40,       /* that are kept, the worst ones */
};

/* Answers and what is true of the same rows. */
typedef struct JudgedRows {
    const int *truth; /* of classes */
    Predictions predictions;
    const ClassNames *classes;
    size_t positive;
    const double *numbers; /* what is true of numbers; NULL: classes */
    size_t row_count;
    const MetricKind *metric;
} JudgedRows;

typedef struct ScoreInterval {
    double score, low, high;
} ScoreInterval;

typedef struct IntervalSpec {
    double level;
    size_t resamples;
    uint64_t seed;
} IntervalSpec;

/* false: the metric is not defined on these rows, or not on enough of the resamples. */
bool report_interval(const JudgedRows *rows, const IntervalSpec *spec, ScoreInterval *interval);

typedef struct Slice {
    const char *column;
    const char *value; /* "blue", "12 to 30", "missing" */
    size_t row_count;
    ScoreInterval interval;
    bool is_apart;
} Slice;

typedef struct SliceReport {
    const MetricKind *metric;
    double score; /* of all rows */
    double level;
    Slice *items; /* the worst first */
    size_t count, judged_count;
} SliceReport;

typedef struct SliceSpec {
    const Frame *frame; /* what the rows have; texts are no slices */
    const JudgedRows *rows;
    uint64_t seed;
} SliceSpec;

/* No slices where all rows have no figure. The report lives in the arena, and names columns by the
 * frame's names. */
void slices_make(const SliceSpec *spec, Arena *arena, SliceReport *report);

/* {"metric", "score", "level", "judged", "items": [{"column", "value", "row_count", "score", "low",
 * "high", "apart"}]} */
void slices_write_json(JsonWriter *json, const char *key, const SliceReport *report);

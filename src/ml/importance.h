/* importance.h: how much a model's answers owe to each column of its rows.
 *
 * Permutation importance (Breiman 2001; for any model Fisher, Rudin & Dominici 2019): how much
 * worse a metric gets when the values of a column change places among the rows, which parts them
 * from the target and leaves all else as it is. The mean of some shuffles, on rows that the model
 * has not learnt from. A column that the model does not look at has exactly 0; one that it would do
 * better without has less. Columns that say the same share what they are worth, for each stands in
 * for the other. A text column counts as one.
 *
 * The interval is that of repeated_bootstrap() (ml/report.h): it has the chance of the rows and of
 * the shuffles, and not that of another training.
 *
 * The work is bounded: a seeded sample of the rows and, of very many columns, those that add most
 * to the answers (predictor_explain()), as many as the time allows by what a row costs the model.
 * No clock is asked for that, so the same rows and seed give the same figures everywhere; one is
 * looked at only to stop far beyond the time.
 *
 *     ImportanceSpec spec = {model, &frame, &target, metric_find("f1"), .positive = 1};
 *     if (!importance_measure(&spec, arena, &importance, error))
 *         return false;
 */
#pragma once

#include "base/json.h"
#include "ml/predictor.h"
#include "ml/report.h"

enum {
    IMPORTANCE_ROWS_MAX = 2000,
    IMPORTANCE_REPEATS = 5,
    IMPORTANCE_COLUMNS_MAX = 100,
    IMPORTANCE_CLASSES_MAX = 100,
};

typedef struct ImportanceSpec {
    const Predictor *model; /* of rows: no forecast */
    const Frame *frame;
    const Target *target; /* its classes have the model's among them */
    const MetricKind *metric;
    size_t positive; /* of the target's classes */
    double seconds;  /* of one core, about; 0: 1 */
    uint64_t seed;
    size_t thread_count; /* 0: 1; the same comes out for any */
} ImportanceSpec;

typedef struct ColumnImportance {
    const char *column;
    double mean;      /* how much worse the metric gets: above 0 the column helps */
    double low, high; /* NaN: too few of the resamples had a number */
} ColumnImportance;

typedef struct Importance {
    const char *metric;
    double score;              /* of the rows as they are */
    size_t row_count, of_rows; /* that it was measured on, of how many */
    size_t repeats;            /* shuffles of each column */
    double level;              /* of the intervals */
    ColumnImportance *items;   /* the most important first */
    size_t count, left_out;    /* columns; those that were not measured */
} Importance;

/* Two columns at least, of which one is no text: else there is nothing to compare. */
bool importance_has_columns(const Predictor *model);

/* Fails without such columns, with too many classes, and where the metric is not defined on the
 * rows. */
bool importance_measure(const ImportanceSpec *spec, Arena *arena, Importance *importance,
                        Error *error) MUST_CHECK;

/* {"metric", "score", "rows", "of_rows", "repeats", "level", "left_out", "columns": [{"column",
 * "mean", "low", "high"}]} */
void importance_write_json(JsonWriter *json, const char *key, const Importance *importance);

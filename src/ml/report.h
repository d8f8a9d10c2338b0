/* report.h: how good predictions are: every figure that a report shows, of classes or of numbers.
 *
 * Formulas and names are scikit-learn's (accuracy_score, balanced_accuracy_score,
 * precision_recall_fscore_support, roc_auc_score, average_precision_score, matthews_corrcoef,
 * log_loss, brier_score_loss) and equal the values of its version 1.9 to 1e-9. What is not obvious:
 * - macro means are over the classes that occur in truth or predictions; balanced accuracy is the
 *   mean recall of the classes in truth;
 * - AUC is the share of positive-negative pairs in the right order, ties count a half (Mann and
 *   Whitney); average precision is the sum of (gain in recall) x precision at each distinct score;
 * - MCC of more than two classes is Gorodkin's R_K; 0 where its denominator is 0;
 * - log loss clips probabilities to [2^-52, 1 - 2^-52] (scikit-learn since 1.3) and takes them as
 *   they are, without scaling rows to a sum of 1;
 * - the Brier score is the mean of the squared differences summed over the classes (Brier 1950: 0
 *   to 2), halved for two classes, which is the mean squared error of the positive probability;
 * - calibration error is the expected calibration error of Guo et al. 2017: ten bins (low, high] of
 *   the confidence in the class that was named, weighted by their rows.
 *
 * Of numbers they are root_mean_squared_error, mean_absolute_error, r2_score,
 * mean_absolute_percentage_error, median_absolute_error, explained_variance_score and max_error.
 * A residual is truth - prediction. What is not obvious:
 * - R2 of one row is NaN; where the truth is constant R2 and explained variance are 1 without an
 *   error and else 0 (force_finite);
 * - MAPE divides by the truth's size, or by 2^-52 where that is less: a truth of 0 makes it huge.
 *
 *     Report report;
 *     if (!report_make(truth, predicted, probabilities, rows, &classes, 1, arena, &report, error))
 *         return false;
 *     printf("f1 %.4f\n", metric_value(metric_find("f1"), &report));
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "ml/frame.h"
#include "ml/task.h"

typedef struct ClassReport {
    const char *name;
    size_t support, predicted;
    double precision, recall, f1; /* 0 when undefined, as scikit-learn's zero_division=0 */
} ClassReport;

typedef struct CalibrationBin {
    double low, high; /* of the confidence (the probability of the class that was named) */
    size_t count;
    double mean_confidence; /* NaN in an empty bin */
    double accuracy;        /* NaN in an empty bin */
} CalibrationBin;

enum {
    CALIBRATION_BIN_COUNT = 10,
    REPORT_CLASSES_MAX = 4096, /* the confusion matrix has the square of them */
    RESIDUAL_PART_COUNT = 10,
    RESIDUAL_QUANTILE_COUNT = 7,
};

/* How far off the numbers of some rows are: those whose predictions are from low to high. */
typedef struct ResidualPart {
    double low, high; /* of the prediction */
    size_t count;
    double mean_prediction, mean_truth, mean_residual, rmse;
} ResidualPart;

typedef struct ResidualQuantile {
    double share; /* 0.05: a twentieth of the residuals is not above the value */
    double value;
} ResidualQuantile;

typedef struct Average {
    double precision, recall, f1;
} Average;

/* Of one task; what belongs to the other is zero. */
typedef struct Report {
    ModelTask task;
    size_t row_count;

    /* Classes. */
    size_t class_count, positive;
    const size_t *confusion; /* class_count x class_count: [truth * class_count + predicted] */
    ClassReport *classes;
    double accuracy, balanced_accuracy, mcc, log_loss, brier;
    double precision, recall, f1; /* two classes: of the positive class; more: macro */
    Average macro, micro, weighted;
    /* Two classes: of the positive class; more: one-vs-rest, macro. NaN without probabilities and
     * when a class does not occur in truth (scikit-learn refuses or warns). */
    double auc, average_precision;
    double calibration_error; /* expected calibration error, 10 equal-width bins of confidence */
    CalibrationBin calibration[CALIBRATION_BIN_COUNT];

    /* Numbers. */
    double rmse, mae, r2, mape, median_absolute_error, explained_variance, max_error;
    ResidualQuantile residual_quantiles[RESIDUAL_QUANTILE_COUNT];
    ResidualPart residuals[RESIDUAL_PART_COUNT]; /* by rising prediction, of equal size */
    size_t residual_part_count;                  /* fewer of fewer rows */

    /* Forecasts, which have those of numbers, too. */
    double smape, mase, msis, coverage;
    const struct HorizonPart *steps; /* report_add_steps() */
    size_t step_count;
} Report;

/* How good steps first to last of a horizon are; they count from 1. */
typedef struct HorizonPart {
    size_t first, last;
    Report judged, tested; /* tested: row_count 0 where there were no back-tests */
} HorizonPart;

enum { HORIZON_PARTS_MAX = 48 };

/* truth and predicted: row_count class indices; probabilities: row_count x classes->count, or NULL
 * (then the figures that need them are NaN). Fails on no rows, an index out of range, a probability
 * outside [0, 1] or not finite. The report lives in the arena; the names stay the caller's. */
bool report_make(const int *truth, const int *predicted, const double *probabilities,
                 size_t row_count, const ClassNames *classes, size_t positive, Arena *arena,
                 Report *report, Error *error) MUST_CHECK;

/* The same of numbers, row_count of each. Fails on no rows and on what is not finite. */
bool report_make_numbers(const double *truth, const double *predicted, size_t row_count,
                         Report *report, Error *error) MUST_CHECK;

typedef struct ForecastPoints {
    const double *truth, *mean, *low, *high;
    const double *scales; /* of each point's series: mase's of ml/forecast_metric.h; NaN: none */
    size_t count;
    double level; /* of the intervals */
} ForecastPoints;

/* The same of forecasts: points of one or many series, of each as many. Means over all points;
 * where one has no scale, those that need it are NaN. */
bool report_make_forecast(const ForecastPoints *points, Report *report, Error *error) MUST_CHECK;

/* Points of forecasts of one horizon each: of a series, or of a window of its back-tests. */
typedef struct StepPoints {
    const ForecastPoints *judged, *tested; /* tested: of as many steps; NULL: there are none */
    size_t horizon;
} StepPoints;

/* Adds to a report of the judged points how good each step of the horizon is; of a horizon of more
 * than HORIZON_PARTS_MAX as many ranges of steps. They live in the arena. */
bool report_add_steps(Report *report, const StepPoints *points, Arena *arena,
                      Error *error) MUST_CHECK;

/* An object with the members of Report that belong to its task, whose name is "task"; "metrics" has
 * each metric by its name in metric_kinds, and "confusion" is a list of rows of truth, each a list
 * of counts by prediction. NaN is null. classes: NULL of numbers. */
void report_write_json(JsonWriter *json, const char *key, const Report *report,
                       const ClassNames *classes);

typedef struct MetricKind {
    const char *name; /* "f1", "accuracy", "rmse", ... */
    bool higher_is_better;
    double least, most; /* the values it can take: a limit outside can never be met or missed */
    size_t offset;      /* of the value in a Report */
    const char *summary;
    ModelTask task;    /* whose answers it judges */
    bool of_forecasts; /* those, too */
} MetricKind;

/* All metrics a gate, a leaderboard or a log may name; ends with a row whose name is NULL. */
extern const MetricKind metric_kinds[];

/* NULL when there is no such metric; names are compared exactly ("F1" is not "f1"). */
const MetricKind *metric_find(const char *name);

/* Whether it judges answers of this task. */
bool metric_is_of(const MetricKind *kind, ModelTask task);

/* NaN in a report of another task. */
double metric_value(const MetricKind *kind, const Report *report);

/* That it is a metric of this task; else one sentence that lists those that are. */
bool metric_check(const char *name, ModelTask task, Error *error) MUST_CHECK;

/* Whether a decision threshold inside (0, 1) is the best one for it. Recall's is 0: moving it there
 * would name every row. */
bool metric_has_threshold(const MetricKind *kind);

/* That a threshold can be chosen for it; else one sentence that lists those that it can be for. */
bool metric_check_threshold(const char *name, Error *error) MUST_CHECK;

/* "rmse, mae, ..." */
const char *metric_names(ModelTask task, Arena *arena);

/* What a model is judged by where nobody has named a metric: "f1", "rmse", "mase". */
const char *metric_default(ModelTask task);

/* {"accuracy": 0.9, ...}: every metric of the report's task by its name, and the coverage of a
 * forecast, which is no metric, as neither more nor less of it is better. */
void report_write_metrics(JsonWriter *json, const char *key, const Report *report);

/* A metric of forecasts that is a mean over points: what each of them adds to it. False of rmse and
 * r2, which are none. */
bool forecast_losses(const ForecastPoints *points, const MetricKind *metric, double *losses);

/* Predictions of two models for the same rows, compared by resampling the rows in pairs. */
typedef struct PairedInterval {
    double champion, challenger; /* the metric of each on all rows */
    double difference;           /* challenger - champion */
    double low, high;            /* percentile interval of the difference */
    size_t resamples;            /* of those asked for, how many gave a number */
} PairedInterval;

void paired_interval_write_json(JsonWriter *json, const char *key, const PairedInterval *interval);

enum { BOOTSTRAP_RESAMPLES_MAX = 1000000 };

typedef struct Predictions {
    const int *predicted;
    const double *probabilities;
    const double *numbers; /* of regression; then the others are NULL */
} Predictions;

/* Paired bootstrap (Efron & Tibshirani 1993, ch. 13): rows are drawn with replacement, both models
 * are judged on the same draw; the ends are the percentiles of the differences, interpolated.
 * level: 0.95. The same seed gives the same interval. Fails as report_make does, without a number
 * on all rows, and when fewer than 90 % of the resamples give a number for both. */
bool paired_bootstrap(const int *truth, const Predictions *champion, const Predictions *challenger,
                      size_t row_count, const ClassNames *classes, size_t positive,
                      const MetricKind *metric, double level, size_t resamples, uint64_t seed,
                      PairedInterval *interval, Error *error) MUST_CHECK;

/* Two models' numbers for the same rows. */
typedef struct NumberRivals {
    const double *truth, *champion, *challenger; /* row_count of each */
    size_t row_count;
    const MetricKind *metric; /* of regression */
    double level;
    size_t resamples;
    uint64_t seed;
} NumberRivals;

/* paired_bootstrap() for numbers. */
bool paired_bootstrap_numbers(const NumberRivals *rivals, PairedInterval *interval,
                              Error *error) MUST_CHECK;

/* A model's answers to the same rows several times, each with a chance of its own (a column that is
 * shuffled), against its champion's. */
typedef struct RepeatedRivals {
    const int *truth;           /* of classes; or */
    const double *true_numbers; /* of numbers */
    const Predictions *champion, *challengers;
    size_t challenger_count, row_count;
    const ClassNames *classes; /* NULL: numbers */
    size_t positive;
    const MetricKind *metric;
    double level;
    size_t resamples;
    uint64_t seed;
} RepeatedRivals;

/* The challenger's metric is the mean of all its answers'. The interval is a bootstrap in two
 * levels (Davison & Hinkley 1997, section 3.8): each resample draws rows, the same for all, and of
 * the challengers as many as there are, with replacement; so it has the chance of the rows and that
 * of the answers. Its ends are NaN when fewer than 90 % of the resamples give a number. Fails as
 * paired_bootstrap() does otherwise. */
bool repeated_bootstrap(const RepeatedRivals *rivals, PairedInterval *interval,
                        Error *error) MUST_CHECK;

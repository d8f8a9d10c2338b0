/* report_internal.h: the figures of a report over weighted rows.
 *
 * A resample of the bootstrap is a weight per row: how often it was drawn. A report is the same
 * with all weights 1, so both go through the functions below and cannot disagree. What does not
 * depend on the weights (sorting by score, the loss of a row) is done once.
 */
#pragma once

#include <stdint.h>

#include "ml/report.h"

/* What is judged: as report_make() takes it, checked. */
typedef struct Sample {
    const int *truth;
    const Predictions *predictions;
    size_t row_count, class_count, positive;
} Sample;

bool sample_check(const Sample *sample, const ClassNames *classes, Error *error) MUST_CHECK;

static inline double sample_probability(const Sample *sample, size_t row, int class_index)
{
    return sample->predictions->probabilities[row * sample->class_count + (size_t)class_index];
}

/* The margins and the diagonal of a confusion matrix: all that figures of counts need. */
typedef struct Tally {
    size_t class_count, positive, total;
    size_t *support, *predicted, *hits; /* class_count of each */
} Tally;

Tally tally_create(const Sample *sample, Arena *arena);
void tally_fill(Tally *tally, const Sample *sample, const uint32_t *weights);
void tally_figures(const Tally *tally, Report *report);

/* The rows by falling score of one class. */
typedef struct Ranking {
    size_t count;
    const size_t *rows;
    const bool *is_positive; /* of the row at this place */
    const bool *ends_tie;    /* the next place has a lower score, or there is none */
} Ranking;

/* One ranking for two classes (of the positive one), else one per class. */
typedef struct RankingList {
    const Ranking *items;
    size_t count;
} RankingList;

RankingList rankings_create(const Sample *sample, Arena *arena);
void rankings_figures(const RankingList *rankings, const uint32_t *weights, Report *report);

/* The loss of each row. */
double *sample_log_losses(const Sample *sample, Arena *arena);
double *sample_briers(const Sample *sample, Arena *arena);
double weighted_mean(const double *values, const uint32_t *weights, size_t count);

/* Fills report->calibration and report->calibration_error. */
void calibration_figures(const Sample *sample, const uint32_t *weights, Report *report);

/* Numbers and their truth: as report_make_numbers() takes them, checked. */
typedef struct NumberSample {
    const double *truth, *predicted;
    size_t row_count;
    const size_t *by_error; /* the rows by rising absolute error; NULL: the median is not wanted */
} NumberSample;

bool number_sample_check(const NumberSample *sample, Error *error) MUST_CHECK;
const size_t *number_sample_order(const NumberSample *sample, Arena *arena); /* for by_error */

static inline bool metric_needs_order(const MetricKind *metric)
{
    return metric->offset == offsetof(Report, median_absolute_error);
}

/* Fills the metrics of the report, the median only with by_error. */
void number_figures(const NumberSample *sample, const uint32_t *weights, Report *report);

/* Of sorted values, between the two nearest, as NumPy's percentile does by default. */
double sorted_quantile(const double *sorted, size_t count, double share);
int number_compare(const void *left, const void *right); /* of doubles, for qsort() */

/* report_numbers.c: figures of numbers: how far they are from the truth. */

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/report_internal.h"

static bool check_number(double number, size_t row, const char *what, Error *error)
{
    return isfinite(number) ||
           fail(error, ERROR_INVALID, "the %s number of row %zu is %g, but it must be finite", what,
                row, number);
}

bool number_sample_check(const NumberSample *sample, Error *error)
{
    if (sample->row_count == 0)
        return fail(error, ERROR_INVALID, "a report needs at least one row");
    if (sample->row_count > UINT32_MAX)
        return fail(error, ERROR_TOO_LARGE, "a report takes at most %u rows", UINT32_MAX);
    for (size_t row = 0; row < sample->row_count; row++)
        if (!check_number(sample->truth[row], row, "true", error) ||
            !check_number(sample->predicted[row], row, "predicted", error))
            return false;
    return true;
}

static double residual(const NumberSample *sample, size_t row)
{
    return sample->truth[row] - sample->predicted[row];
}

/* A row and what it is sorted by; equal ones by row, so that the order is the same everywhere. */
typedef struct KeyedRow {
    double key;
    size_t row;
} KeyedRow;

static int keyed_row_compare(const void *left, const void *right)
{
    const KeyedRow *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static const size_t *rows_of(KeyedRow *keyed, size_t count, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, count);

    qsort(keyed, count, sizeof(*keyed), keyed_row_compare);
    for (size_t i = 0; i < count; i++)
        rows[i] = keyed[i].row;
    return rows;
}

const size_t *number_sample_order(const NumberSample *sample, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    KeyedRow *keyed = arena_array(scratch, KeyedRow, sample->row_count);

    for (size_t row = 0; row < sample->row_count; row++)
        keyed[row] = (KeyedRow){fabs(residual(sample, row)), row};
    return rows_of(keyed, sample->row_count, arena);
}

/* Of all that is drawn: the mean of the two in the middle where their number is even. */
static double median_error(const NumberSample *sample, const uint32_t *weights, uint64_t drawn)
{
    uint64_t below = (drawn - 1) / 2, above = drawn / 2, passed = 0;
    double low = NAN;

    for (size_t i = 0; i < sample->row_count; i++) {
        size_t row = sample->by_error[i];

        passed += weights[row];
        if (isnan(low) && passed > below)
            low = fabs(residual(sample, row));
        if (passed > above)
            return (low + fabs(residual(sample, row))) / 2;
    }
    return low;
}

/* What is summed over the rows, by how often each was drawn. */
typedef struct Sums {
    uint64_t drawn;
    double truth, residual, absolute, relative, squared; /* the last three of the residual */
    double truth_spread, residual_spread;                /* squared distances from the mean */
    double largest;
} Sums;

static void add_row(Sums *sums, const NumberSample *sample, size_t row, double weight)
{
    double error = residual(sample, row), size = fabs(error);

    sums->truth += weight * sample->truth[row];
    sums->residual += weight * error;
    sums->absolute += weight * size;
    sums->relative += weight * size / fmax(fabs(sample->truth[row]), DBL_EPSILON);
    sums->squared += weight * error * error;
    sums->largest = fmax(sums->largest, size);
}

static Sums sum_rows(const NumberSample *sample, const uint32_t *weights)
{
    Sums sums = {0};
    double truth, error;

    for (size_t row = 0; row < sample->row_count; row++) {
        sums.drawn += weights[row];
        if (weights[row])
            add_row(&sums, sample, row, weights[row]);
    }
    truth = sums.truth / (double)sums.drawn;
    error = sums.residual / (double)sums.drawn;
    for (size_t row = 0; row < sample->row_count; row++) {
        double from_truth = sample->truth[row] - truth, from_error = residual(sample, row) - error;

        sums.truth_spread += weights[row] * from_truth * from_truth;
        sums.residual_spread += weights[row] * from_error * from_error;
    }
    return sums;
}

static double explained_share(double unexplained, double spread)
{
    if (unexplained == 0)
        return 1;
    return spread == 0 ? 0 : 1 - unexplained / spread;
}

void number_figures(const NumberSample *sample, const uint32_t *weights, Report *report)
{
    Sums sums = sum_rows(sample, weights);
    double drawn = (double)sums.drawn;

    report->rmse = sqrt(sums.squared / drawn);
    report->mae = sums.absolute / drawn;
    report->mape = sums.relative / drawn;
    report->max_error = sums.largest;
    report->r2 = sums.drawn < 2 ? NAN : explained_share(sums.squared, sums.truth_spread);
    report->explained_variance = explained_share(sums.residual_spread, sums.truth_spread);
    report->median_absolute_error =
        sample->by_error ? median_error(sample, weights, sums.drawn) : NAN;
}

static void make_quantiles(const NumberSample *sample, Report *report)
{
    static const double shares[RESIDUAL_QUANTILE_COUNT] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *sorted = arena_array(arena, double, sample->row_count);

    for (size_t row = 0; row < sample->row_count; row++)
        sorted[row] = residual(sample, row);
    qsort(sorted, sample->row_count, sizeof(*sorted), number_compare);
    for (size_t i = 0; i < RESIDUAL_QUANTILE_COUNT; i++)
        report->residual_quantiles[i] =
            (ResidualQuantile){shares[i], sorted_quantile(sorted, sample->row_count, shares[i])};
}

static ResidualPart make_part(const NumberSample *sample, const size_t *rows, size_t count)
{
    ResidualPart part = {
        .low = sample->predicted[rows[0]],
        .high = sample->predicted[rows[count - 1]],
        .count = count,
    };

    for (size_t i = 0; i < count; i++) {
        double error = residual(sample, rows[i]);

        part.mean_prediction += sample->predicted[rows[i]] / (double)count;
        part.mean_truth += sample->truth[rows[i]] / (double)count;
        part.mean_residual += error / (double)count;
        part.rmse += error * error / (double)count;
    }
    part.rmse = sqrt(part.rmse);
    return part;
}

static void make_parts(const NumberSample *sample, Report *report)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t count = sample->row_count, parts = RESIDUAL_PART_COUNT;
    KeyedRow *keyed = arena_array(arena, KeyedRow, count);
    const size_t *rows;

    if (count < parts)
        parts = count;
    for (size_t row = 0; row < count; row++)
        keyed[row] = (KeyedRow){sample->predicted[row], row};
    rows = rows_of(keyed, count, arena);
    for (size_t i = 0; i < parts; i++) {
        size_t start = count * i / parts, end = count * (i + 1) / parts;

        report->residuals[i] = make_part(sample, rows + start, end - start);
    }
    report->residual_part_count = parts;
}

bool report_make_numbers(const double *truth, const double *predicted, size_t row_count,
                         Report *report, Error *error)
{
    NumberSample sample = {truth, predicted, row_count, NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint32_t *ones;

    if (!number_sample_check(&sample, error))
        return false;
    ones = arena_array(arena, uint32_t, row_count);
    for (size_t row = 0; row < row_count; row++)
        ones[row] = 1;
    sample.by_error = number_sample_order(&sample, arena);

    *report = (Report){.task = TASK_REGRESSION, .row_count = row_count};
    number_figures(&sample, ones, report);
    make_quantiles(&sample, report);
    make_parts(&sample, report);
    return true;
}

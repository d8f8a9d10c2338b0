#include "ml/interval.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* What is known beforehand counts as so much: for a scale, in windows; for a factor, in values. */
static const double scale_prior_windows = 1;
static const double factor_prior_values = 20;

static const double ratio_max = 1e50; /* so that squares stay finite */

enum { SERIES_FOR_USUAL = 5 }; /* fewer do not say what is usual: deviations are believed */

double interval_spread(const Misses *misses, size_t horizon)
{
    size_t count = misses->window_count * horizon;
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += misses->errors[i] * misses->errors[i];
    return count > 0 ? sqrt(sum / (double)count) : 0;
}

/* A miss in deviations; a forecast that gave none is off by its usual miss. */
static double ratio_at(const Misses *misses, size_t at, double spread)
{
    double deviation = misses->deviations[at];

    if (!(deviation > 0))
        deviation = spread;
    if (!(deviation > 0) || isinf(deviation))
        return 0;
    return fmax(-ratio_max, fmin(misses->errors[at] / deviation, ratio_max));
}

/* The sums of squared ratios over their factors, by window. */
static double *window_squares(const Misses *misses, size_t horizon, const double *factors,
                              Arena *arena)
{
    double *squares = arena_array(arena, double, misses->window_count);
    double spread = interval_spread(misses, horizon);

    for (size_t i = 0; i < misses->window_count * horizon; i++) {
        double ratio = ratio_at(misses, i, spread) / (factors ? factors[i % horizon] : 1);

        squares[i / horizon] += ratio * ratio;
    }
    return squares;
}

static double scale_of(const double *squares, size_t count, size_t left_out, size_t horizon,
                       double usual)
{
    double weight = scale_prior_windows, sum = scale_prior_windows * usual * usual;

    for (size_t window = 0; window < count; window++) {
        if (window == left_out)
            continue;
        sum += squares[window] / (double)horizon;
        weight += 1;
    }
    return sqrt(sum / weight);
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

/* The median over the series of their mean squared ratio. */
static double find_usual(const Misses *misses, size_t count, size_t horizon, Arena *scratch)
{
    double *means = arena_array(scratch, double, count), median;
    size_t present = 0;

    for (size_t i = 0; i < count; i++) {
        const double *squares = window_squares(&misses[i], horizon, NULL, scratch);

        if (misses[i].window_count == 0)
            continue;
        for (size_t window = 0; window < misses[i].window_count; window++)
            means[present] += squares[window] / (double)(misses[i].window_count * horizon);
        present++;
    }
    if (present < SERIES_FOR_USUAL)
        return 1;
    qsort(means, present, sizeof(*means), compare_doubles);
    median = sqrt(means[present / 2]);
    return median > 0 ? median : 1;
}

typedef struct StepSums {
    double *squares, *counts; /* by step, of ratios over their series' scale */
} StepSums;

static void add_steps(const StepSums *sums, const Misses *misses, size_t horizon, double scale)
{
    double spread = interval_spread(misses, horizon);

    for (size_t i = 0; i < misses->window_count * horizon; i++) {
        double ratio = ratio_at(misses, i, spread) / scale;

        sums->squares[i % horizon] += ratio * ratio;
        sums->counts[i % horizon]++;
    }
}

/* Neighbouring steps are taken together, and all of them beforehand. */
static void find_factors(IntervalTable *table, const Misses *misses, size_t count, Arena *scratch)
{
    size_t horizon = table->horizon;
    StepSums sums = {arena_array(scratch, double, horizon), arena_array(scratch, double, horizon)};
    double squares = 0, values = 0;

    for (size_t i = 0; i < count; i++) {
        const double *windows = window_squares(&misses[i], horizon, NULL, scratch);

        add_steps(&sums, &misses[i], horizon,
                  scale_of(windows, misses[i].window_count, SIZE_MAX, horizon, table->usual));
    }
    for (size_t step = 0; step < horizon; step++) {
        squares += sums.squares[step];
        values += sums.counts[step];
    }
    for (size_t step = 0; step < horizon; step++) {
        double sum = factor_prior_values, weight = factor_prior_values;

        for (size_t at = step > 0 ? step - 1 : 0; at <= step + 1 && at < horizon; at++) {
            sum += squares > 0 ? sums.squares[at] * values / squares : sums.counts[at];
            weight += sums.counts[at];
        }
        table->factors[step] = sqrt(sum / weight);
    }
}

/* Scores of a series, each window by the scale of the others. */
static size_t add_scores(const IntervalTable *table, const Misses *misses, double *scores,
                         Arena *scratch)
{
    size_t horizon = table->horizon, count = misses->window_count * horizon;
    const double *squares = window_squares(misses, horizon, table->factors, scratch);
    double spread = interval_spread(misses, horizon);

    for (size_t i = 0; i < count; i++) {
        double scale = scale_of(squares, misses->window_count, i / horizon, horizon, table->usual);

        scores[i] = ratio_at(misses, i, spread) / table->factors[i % horizon] / scale;
    }
    return count;
}

static void keep_sorted(IntervalTable *table, double *scores, size_t count, Arena *arena)
{
    qsort(scores, count, sizeof(*scores), compare_doubles);
    table->count = count < INTERVAL_SCORES_MAX ? count : INTERVAL_SCORES_MAX;
    table->scores = arena_array(arena, double, table->count);
    table->sizes = arena_array(arena, double, table->count);
    for (size_t i = 0; i < table->count; i++) {
        size_t at = table->count > 1 ? i * (count - 1) / (table->count - 1) : 0;

        table->scores[i] = scores[at];
        table->sizes[i] = fabs(scores[at]);
    }
    qsort(table->sizes, table->count, sizeof(*table->sizes), compare_doubles);
}

IntervalTable interval_table_make(const Misses *misses, size_t count, size_t horizon, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    IntervalTable table = {.horizon = horizon, .factors = arena_array(arena, double, horizon)};
    size_t total = 0;
    double *scores;

    for (size_t i = 0; i < count; i++)
        table.window_count += misses[i].window_count;
    scores = arena_array(scratch, double, table.window_count *horizon);
    table.usual = find_usual(misses, count, horizon, scratch);
    find_factors(&table, misses, count, scratch);
    for (size_t i = 0; i < count; i++)
        total += add_scores(&table, &misses[i], scores + total, scratch);
    keep_sorted(&table, scores, total, arena);
    return table;
}

double interval_scale(const IntervalTable *table, const Misses *misses)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const double *squares = window_squares(misses, table->horizon, table->factors, scratch);

    return scale_of(squares, misses->window_count, SIZE_MAX, table->horizon, table->usual);
}

/* The ceil((N + 1) p)-th of rising values; where that is more than there are, the last one but at
 * least the floor. */
static double upper_quantile(const double *rising, size_t count, double probability, double floor)
{
    double rank = ceil((double)(count + 1) * probability);

    if (rank > (double)count)
        return count > 0 ? fmax(rising[count - 1], floor) : floor;
    return rising[rank > 1 ? (size_t)rank - 1 : 0];
}

static double lower_quantile(const double *rising, size_t count, double probability, double ceiling)
{
    double rank = floor((double)(count + 1) * probability);

    if (rank < 1)
        return count > 0 ? fmin(rising[0], ceiling) : ceiling;
    return rising[(size_t)rank - 1];
}

void interval_apply(const IntervalTable *table, double scale, const Forecast *forecast,
                    double level, IntervalBounds bounds)
{
    double normal = normal_quantile((1 + level) / 2), below, above;

    if ((double)table->window_count >= 2 / (1 - level) - 1) {
        above = upper_quantile(table->scores, table->count, (1 + level) / 2, normal);
        below = lower_quantile(table->scores, table->count, (1 - level) / 2, -normal);
    } else {
        above = upper_quantile(table->sizes, table->count, level, normal);
        below = -above;
    }
    for (size_t step = 0; step < forecast->horizon; step++) {
        size_t at = step < table->horizon ? step : table->horizon - 1;
        double unit = scale * table->factors[at] * forecast->deviation[step];

        bounds.low[step] = forecast->mean[step] + below * unit;
        bounds.high[step] = forecast->mean[step] + above * unit;
    }
}

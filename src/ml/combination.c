#include "ml/combination.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

/* A weight that is less than this share of the best one's costs a fit and changes little. */
static const double share_min = 0.02;

/* An error is taken as at least this share of the largest: 0 has no logarithm. */
static const double error_share_min = 1e-9;

const CombinationRule combination_rules[] = {
    {COMBINATION_WEIGHTED, 3, 2, 0},   {COMBINATION_WEIGHTED, 3, 2, 0.5},
    {COMBINATION_BEST, 1, 0, 0},       {COMBINATION_BEST, 1, 0, 0.5},
    {COMBINATION_MEDIAN, 3, 0, 0},     {COMBINATION_MEDIAN, 3, 0, 0.5},
    {COMBINATION_MEDIAN, 5, 0, 0},     {COMBINATION_MEDIAN, 5, 0, 0.5},
    {COMBINATION_WEIGHTED, 2, 2, 0},   {COMBINATION_WEIGHTED, 3, 4, 0},
    {COMBINATION_WEIGHTED, 3, 4, 0.5}, {COMBINATION_WEIGHTED, 5, 2, 0},
    {COMBINATION_WEIGHTED, 5, 2, 0.5}, {COMBINATION_WEIGHTED, 5, 4, 0},
    {COMBINATION_WEIGHTED, 5, 4, 0.5}, {COMBINATION_WEIGHTED, 8, 2, 0},
    {COMBINATION_WEIGHTED, 8, 2, 0.5}, {COMBINATION_WEIGHTED, 8, 4, 0},
    {COMBINATION_WEIGHTED, 8, 4, 0.5}, {COMBINATION_WEIGHTED, 8, 8, 0},
    {COMBINATION_WEIGHTED, 8, 8, 0.5}, {0},
};

static double mean_error(const Backtest *backtest, const BacktestRow *row, size_t left_out)
{
    size_t count = 0;
    double sum = 0;

    for (size_t window = 0; window < backtest->window_count; window++) {
        if (window == left_out && backtest->window_count > 1)
            continue;
        sum += row->window_errors[window];
        count++;
    }
    return row->failed_count == 0 && count > 0 ? sum / (double)count : NAN;
}

static double *all_standings(const Backtest *backtest, size_t left_out, Arena *arena)
{
    double *standings = arena_array(arena, double, backtest->row_count), largest = 0, sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < backtest->row_count; i++) {
        standings[i] = mean_error(backtest, &backtest->rows[i], left_out);
        largest = fmax(largest, standings[i]);
    }
    for (size_t i = 0; i < backtest->row_count; i++) {
        if (isnan(standings[i]))
            continue;
        standings[i] = largest > 0 ? log(fmax(standings[i] / largest, error_share_min)) : 0;
        sum += standings[i];
        count++;
    }
    for (size_t i = 0; i < backtest->row_count && count > 0; i++)
        standings[i] -= sum / (double)count;
    return standings;
}

/* The same learner without known columns and with them errs much alike: both would be one forecast
 * with two shares. */
static void drop_worse_twins(const Backtest *backtest, double *standings)
{
    for (size_t i = 0; i < backtest->row_count; i++)
        for (size_t j = 0; j < backtest->row_count && backtest->rows[i].candidate.with_known; j++) {
            const SeriesCandidate *one = &backtest->rows[i].candidate;
            const SeriesCandidate *other = &backtest->rows[j].candidate;

            if (other->with_known || other->learner != one->learner ||
                other->period != one->period || isnan(standings[i]) || isnan(standings[j]))
                continue;
            standings[standings[i] < standings[j] ? j : i] = NAN;
        }
}

double *combination_standings(const Backtest *backtest, size_t left_out, Arena *arena)
{
    double *standings = all_standings(backtest, left_out, arena);

    drop_worse_twins(backtest, standings);
    return standings;
}

double *combination_common(const Backtest *backtests, size_t count, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = NULL;
    double *common;
    size_t *counts, candidates;

    if (count < 2)
        return NULL;
    scratch = arena_create();
    candidates = backtests[0].row_count;
    common = arena_array(arena, double, candidates);
    counts = arena_array(scratch, size_t, candidates);
    for (size_t i = 0; i < count; i++) {
        double *standings = all_standings(&backtests[i], SIZE_MAX, scratch);

        for (size_t j = 0; j < candidates; j++) {
            if (isnan(standings[j]))
                continue;
            common[j] += standings[j];
            counts[j]++;
        }
    }
    for (size_t j = 0; j < candidates; j++)
        common[j] /= (double)counts[j];
    return common;
}

static double shrunk(double standing, double common, double share)
{
    return isnan(common) ? standing : (1 - share) * standing + share * common;
}

/* Puts a candidate where it belongs among the best so far. */
static void insert(Combination *combination, double *values, size_t member_max, size_t candidate,
                   double value)
{
    size_t at = combination->count;

    assert(member_max >= 1 && member_max <= COMBINATION_MAX);
    if (isnan(value) || (at == member_max && !(value < values[at - 1])))
        return;
    if (at == member_max)
        at--;
    else
        combination->count++;
    for (; at > 0 && value < values[at - 1]; at--) {
        values[at] = values[at - 1];
        combination->members[at] = combination->members[at - 1];
    }
    values[at] = value;
    combination->members[at] = candidate;
}

static void weigh(Combination *combination, const CombinationRule *rule, const double *values)
{
    size_t count = combination->count;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        double weight =
            rule->kind == COMBINATION_WEIGHTED ? exp(-rule->power * (values[i] - values[0])) : 1;

        if (weight < share_min) {
            combination->count = i;
            break;
        }
        combination->weights[i] = weight;
        sum += weight;
    }
    for (size_t i = 0; i < combination->count; i++)
        combination->weights[i] /= sum;
}

/* The same errors to the last bit: the same forecasts, as of learners that without a season are one
 * and the same. */
static bool is_double(const double *standings, size_t candidate)
{
    for (size_t i = 0; i < candidate; i++)
        if (standings[i] == standings[candidate])
            return true;
    return false;
}

bool combination_make(const CombinationRule *rule, const double *standings, const double *common,
                      size_t candidate_count, Combination *combination)
{
    Combination made = {.kind = rule->kind};
    double values[COMBINATION_MAX];

    for (size_t i = 0; i < candidate_count; i++) {
        if (is_double(standings, i))
            continue;
        insert(&made, values, rule->member_max, i,
               common ? shrunk(standings[i], common[i], rule->common) : standings[i]);
    }
    if (made.count == 0)
        return false;
    weigh(&made, rule, values);
    *combination = made;
    return true;
}

static double median_of(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t at = i; at > 0 && values[at] < values[at - 1]; at--) {
            double value = values[at];

            values[at] = values[at - 1];
            values[at - 1] = value;
        }
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Of those that are there; NaN where none is. */
static double combine(const Combination *combination, const double *values)
{
    double present[COMBINATION_MAX], sum = 0, weight = 0;
    size_t count = 0;

    for (size_t i = 0; i < combination->count; i++) {
        if (isnan(values[i]))
            continue;
        present[count++] = values[i];
        sum += combination->weights[i] * values[i];
        weight += combination->weights[i];
    }
    if (count == 0)
        return NAN;
    return combination->kind == COMBINATION_MEDIAN ? median_of(present, count) : sum / weight;
}

void combination_forecast(const Combination *combination, const Forecast *members,
                          Forecast *forecast)
{
    for (size_t step = 0; step < forecast->horizon; step++) {
        double means[COMBINATION_MAX], deviations[COMBINATION_MAX];

        for (size_t i = 0; i < combination->count; i++) {
            means[i] = members[i].mean[step];
            deviations[i] = members[i].deviation[step];
        }
        forecast->mean[step] = combine(combination, means);
        forecast->deviation[step] = combine(combination, deviations);
    }
}

static void forecast_window(const Backtest *backtest, const Combination *combination, size_t window,
                            const Forecast *all)
{
    size_t start = window * backtest->horizon;
    Forecast members[COMBINATION_MAX];
    Forecast part = {backtest->horizon, all->mean + start, all->deviation + start};

    for (size_t i = 0; i < combination->count; i++) {
        const BacktestRow *row = &backtest->rows[combination->members[i]];

        members[i] = (Forecast){backtest->horizon, row->means + start, row->deviations + start};
    }
    combination_forecast(combination, members, &part);
}

bool combination_backtest(const Backtest *backtest, const CombinationRule *rule,
                          const double *common, Arena *arena, Forecast *forecast)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t steps = backtest->window_count * backtest->horizon;
    Forecast made = {steps, arena_array(arena, double, steps), arena_array(arena, double, steps)};
    Combination combination;

    for (size_t window = 0; window < backtest->window_count; window++) {
        const double *standings = combination_standings(backtest, window, scratch);

        if (!combination_make(rule, standings, common, backtest->row_count, &combination))
            return false;
        forecast_window(backtest, &combination, window, &made);
    }
    *forecast = made;
    return steps > 0;
}

typedef struct RuleSums {
    double smape, mase;
} RuleSums;

static void judge(const Backtest *backtest, const CombinationRule *rule, const double *common,
                  RuleSums *sums)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Forecast made;
    double smape = 0, size = 0;

    if (!combination_backtest(backtest, rule, common, scratch, &made))
        return;
    for (size_t i = 0; i < made.horizon; i++) {
        double miss = fabs(backtest->actual[i] - made.mean[i]);
        double both = fabs(backtest->actual[i]) + fabs(made.mean[i]);

        size += miss / (double)made.horizon;
        smape += both > 0 ? miss / both / (double)made.horizon : 0;
    }
    sums->smape += smape;
    if (backtest->scale > 0)
        sums->mase += size / backtest->scale;
}

static double over(double value, double yardstick)
{
    return yardstick > 0 ? value / yardstick : 1;
}

static const CombinationRule *choose_by_error(const Backtest *backtests, size_t count,
                                              const double *common)
{
    const CombinationRule *best = combination_rules;
    RuleSums first = {0};
    double least = INFINITY;

    for (const CombinationRule *rule = combination_rules; rule->member_max; rule++) {
        RuleSums sums = {0};
        double error;

        if (rule->common > 0 && !common)
            continue;
        for (size_t i = 0; i < count; i++)
            judge(&backtests[i], rule, common, &sums);
        if (rule == combination_rules)
            first = sums;
        error = over(sums.smape, first.smape) + over(sums.mase, first.mase);
        if (!(error < least))
            continue;
        least = error;
        best = rule;
    }
    return best;
}

const CombinationRule *combination_choose(const Backtest *backtests, size_t count,
                                          const double *common)
{
    size_t windows = 0;

    for (size_t i = 0; i < count; i++)
        windows += backtests[i].window_count;
    return windows < COMBINATION_WINDOWS_MIN ? combination_rules
                                             : choose_by_error(backtests, count, common);
}

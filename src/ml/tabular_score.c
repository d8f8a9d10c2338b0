/* What a candidate for numbers is worth. Those for classes are scored by ml/search_score.c. */
#include <math.h>
#include <string.h>

#include "ml/tabular_search_internal.h"

/* ---- metrics ---- */

typedef struct NumberSums {
    double count, squares, apart, truth, truth_squares;
} NumberSums;

static double root_of(const NumberSums *sums)
{
    return sqrt(sums->squares / sums->count);
}

static double absolute_of(const NumberSums *sums)
{
    return sums->apart / sums->count;
}

static double explained_of(const NumberSums *sums)
{
    double total = sums->truth_squares - sums->truth * sums->truth / sums->count;

    return total > 0 ? 1 - sums->squares / total : NAN;
}

typedef struct NumberMetric {
    MetricKind kind;
    double (*value)(const NumberSums *sums);
} NumberMetric;

static const NumberMetric number_metrics[] = {
    {{"rmse", false, 0, HUGE_VAL, 0, "root of the mean squared error"}, root_of},
    {{"mae", false, 0, HUGE_VAL, 0, "mean absolute error"}, absolute_of},
    {{"r2", true, -HUGE_VAL, 1, 0, "share of the variance that is explained"}, explained_of},
};

const MetricKind *tabular_number_metric(const char *name)
{
    for (size_t i = 0; i < COUNT(number_metrics); i++)
        if (strcmp(number_metrics[i].kind.name, name) == 0)
            return &number_metrics[i].kind;
    return NULL;
}

static double metric_of(const MetricKind *kind, const NumberSums *sums)
{
    for (size_t i = 0; i < COUNT(number_metrics); i++)
        if (&number_metrics[i].kind == kind)
            return number_metrics[i].value(sums);
    return NAN;
}

/* ---- answers ---- */

/* The baseline: the mean of the other folds. */
static double mean_outside(const TabularSearch *search, size_t fold)
{
    const TabularFold *made = &search->folds[search->fold_count > 1 ? fold : 0];
    double sum = 0;

    for (size_t i = 0; i < made->training.count; i++)
        sum += search->target->numbers[made->training.items[i]];
    return sum / (double)made->training.count;
}

static void fill_means(const TabularSearch *search, Candidate *candidate)
{
    const Search *inner = &search->search;

    for (size_t fold = 0; fold < inner->fold_count; fold++) {
        double mean = mean_outside(search, fold);

        for (size_t place = 0; place < search->judged.row_count; place++)
            if (inner->folds[place] == fold)
                candidate->probabilities[place] = mean;
    }
}

static void fill_answers(TabularSearch *search, Candidate *candidate)
{
    size_t count = search->judged.row_count;

    candidate->probabilities = arena_array(search->search.work, double, count + 1);
    if (candidate->is_baseline)
        fill_means(search, candidate);
    else
        for (size_t place = 0; place < count; place++)
            candidate->probabilities[place] =
                search->shift + search->scale * candidate->margins[place];
}

/* fold: SIZE_MAX: all. */
static NumberSums sums_of(const TabularSearch *search, const Candidate *candidate, size_t fold)
{
    NumberSums sums = {0};

    for (size_t row = 0; row < search->table.row_count; row++) {
        size_t place = search->places[row];
        double truth, apart;

        if (place == SIZE_MAX || (fold != SIZE_MAX && search->search.folds[place] != fold))
            continue;
        truth = search->target->numbers[row] - search->shift;
        apart = candidate->probabilities[place] - search->shift - truth;
        sums.count++;
        sums.squares += apart * apart;
        sums.apart += fabs(apart);
        sums.truth += truth;
        sums.truth_squares += truth * truth;
    }
    return sums;
}

static void score_numbers(TabularSearch *search, Candidate *candidate)
{
    const Search *inner = &search->search;
    double sum = 0, squares = 0, count = 0;
    NumberSums all;

    fill_answers(search, candidate);
    for (size_t fold = 0; fold < inner->fold_count; fold++) {
        NumberSums sums = sums_of(search, candidate, fold);
        double value = metric_of(inner->metric, &sums);

        if (!isfinite(value))
            continue;
        sum += value;
        squares += value * value;
        count++;
    }
    all = sums_of(search, candidate, SIZE_MAX);
    candidate->score = count > 0 ? sum / count : NAN;
    candidate->score_deviation =
        count > 1 ? sqrt(fmax(squares - sum * sum / count, 0) / (count - 1)) : 0;
    candidate->accuracy = candidate->f1 = NAN;
    candidate->log_loss = all.squares / all.count;
    candidate->mcc = explained_of(&all); /* says whether it knows something, as for classes */
    candidate->is_finished = true;
}

bool tabular_score(TabularSearch *search, Candidate *candidate, Error *error)
{
    if (!search->target->numbers)
        return candidate_score(&search->search, candidate, error);
    score_numbers(search, candidate);
    return true;
}

/* What a candidate for numbers is worth. Those for classes are scored by ml/search_score.c. */
#include <math.h>

#include "ml/report_internal.h"
#include "ml/tabular_search_internal.h"

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

/* The figures of a report over the rows of a fold (SIZE_MAX: of all). Without a row: NaN. */
static Report figures_of(const TabularSearch *search, const Candidate *candidate, size_t fold)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *truth = arena_array(arena, double, search->judged.row_count + 1);
    double *answers = arena_array(arena, double, search->judged.row_count + 1);
    uint32_t *ones = arena_array(arena, uint32_t, search->judged.row_count + 1);
    NumberSample sample = {truth, answers, 0, NULL};
    Report report = {.task = TASK_REGRESSION};

    for (size_t row = 0; row < search->table.row_count; row++) {
        size_t place = search->places[row];

        if (place == SIZE_MAX || (fold != SIZE_MAX && search->search.folds[place] != fold))
            continue;
        truth[sample.row_count] = search->target->numbers[row];
        answers[sample.row_count] = candidate->probabilities[place];
        ones[sample.row_count++] = 1;
    }
    if (sample.row_count && metric_needs_order(search->search.metric))
        sample.by_error = number_sample_order(&sample, arena);
    number_figures(&sample, ones, &report);
    return report;
}

static void score_numbers(TabularSearch *search, Candidate *candidate)
{
    const Search *inner = &search->search;
    double sum = 0, squares = 0, count = 0;
    Report all;

    fill_answers(search, candidate);
    for (size_t fold = 0; fold < inner->fold_count; fold++) {
        Report figures = figures_of(search, candidate, fold);
        double value = metric_value(inner->metric, &figures);

        if (!isfinite(value))
            continue;
        sum += value;
        squares += value * value;
        count++;
    }
    all = figures_of(search, candidate, SIZE_MAX);
    candidate->score = count > 0 ? sum / count : NAN;
    candidate->score_deviation =
        count > 1 ? sqrt(fmax(squares - sum * sum / count, 0) / (count - 1)) : 0;
    candidate->accuracy = candidate->f1 = NAN;
    candidate->log_loss = all.rmse * all.rmse;
    candidate->mcc = all.r2; /* says whether it knows something, as for classes */
    candidate->is_finished = true;
    trial_record_end(&candidate->trial, TRIAL_FINISHED);
}

bool tabular_score(TabularSearch *search, Candidate *candidate, Error *error)
{
    if (!search->target->numbers)
        return candidate_score(&search->search, candidate, error);
    score_numbers(search, candidate);
    return true;
}

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/flag.h"
#include "base/parallel.h"
#include "base/time.h"
#include "ml/search_internal.h"

RowList search_rows(const Search *search, size_t fold, bool is_inside, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, search->frame->row_count);
    size_t count = 0;

    for (size_t row = 0; row < search->frame->row_count; row++)
        if ((search->folds[row] == fold) == is_inside)
            rows[count++] = row;
    return (RowList){rows, count};
}

static const int *labels_of(const Search *search, RowList rows, Arena *arena)
{
    int *labels;

    if (!search->labels)
        return NULL;
    labels = arena_array(arena, int, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        labels[i] = search->labels[rows.items[i]];
    return labels;
}

static const double *numbers_of(const Search *search, RowList rows, Arena *arena)
{
    double *numbers;

    if (!search->numbers)
        return NULL;
    numbers = arena_array(arena, double, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        numbers[i] = search->numbers[rows.items[i]];
    return numbers;
}

/* Folds of two classes run side by side. More classes are fitted side by side in each fold: so
 * there is one matrix in memory. */
static size_t folds_at_once(const Search *search)
{
    size_t threads = search->spec->thread_count;

    if (search->margin_count > 1 || threads < 2)
        return 1;
    return threads < search->fold_count ? threads : search->fold_count;
}

static void run_fold(const Search *search, Candidate *candidate, size_t fold)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    RowList training = search_rows(search, fold, false, scratch);
    RowList judged = search_rows(search, fold, true, scratch);
    Vectorizer vectorizer = vectorizer_fit(&search->corpus, candidate->used, training, scratch);
    Matrix matrix = vectorizer_apply(&vectorizer, training, scratch);
    Matrix unseen = vectorizer_apply(&vectorizer, judged, scratch);
    TrainingSet set = {.matrix = &matrix,
                       .labels = labels_of(search, training, scratch),
                       .class_count = search->classes->count,
                       .numbers = numbers_of(search, training, scratch),
                       .balance_classes = search->spec->balance_classes,
                       .seed = search->spec->seed + fold,
                       .thread_count = search->spec->thread_count};
    LinearModel model = candidate->learner->fit(&set, candidate->parameter, scratch);
    double *margins = arena_array(scratch, double, judged.count * search->margin_count);

    linear_margins(&model, &unseen, margins);
    for (size_t i = 0; i < judged.count; i++)
        memcpy(candidate->margins + judged.items[i] * search->margin_count,
               margins + i * search->margin_count, search->margin_count * sizeof(double));
}

void candidate_run_out(const Search *search, Candidate *candidate, bool has_begun)
{
    bool is_told = flag_is_set(search->spec->finish);

    trial_record_end(&candidate->trial, is_told ? TRIAL_TOLD : TRIAL_BUDGET);
    if (is_told)
        candidate->note =
            has_begun ? "stopped: it was told to end" : "left out: it was told to end";
    else
        candidate->note = has_begun ? "stopped: the time budget is used up"
                                    : "left out: the time budget is used up";
}

bool search_may_try(Search *search)
{
    size_t most = search->spec->trials_max ? search->spec->trials_max : TRIALS_MAX;

    if (search->tried < most)
        return true;
    search->is_limited = true;
    return false;
}

size_t search_ended_after(const Search *search)
{
    return search->is_limited ? search->tried : 0;
}

double search_seconds_left(const Search *search)
{
    double used = (double)(time_monotonic_us() - search->started_us) / 1e6;

    if (flag_is_set(search->spec->finish))
        return 0;
    return search->spec->budget_seconds > 0 ? search->spec->budget_seconds - used : HUGE_VAL;
}

/* The fit on all rows takes a quarter more than one of four fifths of them, and an average fits
 * two. */
static double final_seconds(const Search *search)
{
    return 2.6 * search->fold_seconds;
}

static size_t rounds_of(const Search *search, size_t folds)
{
    size_t at_once = folds_at_once(search);

    return (folds + at_once - 1) / at_once;
}

double search_seconds_needed(const Search *search, const Learner *learner)
{
    size_t rounds = rounds_of(search, search->fold_count);

    return (double)rounds * search->fold_seconds * learner->relative_cost + final_seconds(search);
}

/* Of all threads: nothing else runs in this process. */
static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

typedef struct Round {
    const Search *search;
    Candidate *candidate;
    size_t first; /* fold */
} Round;

static void run_fold_of(void *context, size_t turn)
{
    const Round *round = context;

    run_fold(round->search, round->candidate, round->first + turn);
}

static size_t run_round(const Search *search, Candidate *candidate, size_t first)
{
    Round round = {search, candidate, first};
    size_t left = search->fold_count - first, at_once = folds_at_once(search);
    size_t count = left < at_once ? left : at_once;

    parallel_run(count, count, run_fold_of, &round);
    return count;
}

/* What a round takes is the mean of a candidate's so far: when the machine is busy for a moment,
 * one round says too much. */
bool candidate_cross_validate(Search *search, Candidate *candidate, bool must_finish)
{
    size_t rows = search->frame->row_count, rounds = 0;
    double started = cpu_seconds(), before = search->fold_seconds;
    int64_t started_us = time_monotonic_us();

    candidate->margins = arena_array(search->work, double, rows * search->margin_count);
    for (size_t fold = 0; fold < search->fold_count;) {
        size_t count = run_round(search, candidate, fold);
        double each = (double)(time_monotonic_us() - started_us) / 1e6 / (double)++rounds;

        fold += count;
        candidate->trial.folds = fold;
        search->done += count;
        candidate->seconds = cpu_seconds() - started;
        search->fold_seconds = fmax(before, each);
        search_report_progress(search);
        if (!must_finish && search_seconds_left(search) <
                                each * (double)rounds_of(search, search->fold_count - fold) +
                                    final_seconds(search)) {
            candidate_run_out(search, candidate, true);
            return false;
        }
    }
    return true;
}

static double deviation_of(const double *values, size_t count)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < count; i++)
        sum += values[i];
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - sum / (double)count) * (values[i] - sum / (double)count);
    return squares > 0 ? sqrt(squares / (double)count) : 1;
}

void candidate_average(Search *search, Candidate *candidate)
{
    size_t count = search->frame->row_count * search->margin_count;

    candidate->margins = arena_array(search->work, double, count);
    for (size_t half = 0; half < 2; half++) {
        const double *margins = candidate->halves[half]->margins;

        candidate->scales[half] = 1 / deviation_of(margins, count);
        for (size_t i = 0; i < count; i++)
            candidate->margins[i] += candidate->scales[half] * margins[i];
    }
}

static void add_scaled(LinearModel *sum, const LinearModel *model, double scale)
{
    for (size_t i = 0; i < sum->margin_count * sum->column_count; i++)
        sum->weights[i] += scale * model->weights[i];
    for (size_t i = 0; i < sum->margin_count; i++)
        sum->intercepts[i] += scale * model->intercepts[i];
}

static LinearModel fit_learner(const Candidate *candidate, const TrainingSet *set, Arena *arena)
{
    return candidate->learner->fit(set, candidate->parameter, arena);
}

static LinearModel fit_average(const Candidate *candidate, const TrainingSet *set, Arena *arena)
{
    LinearModel sum = linear_model_new(set, arena);

    for (size_t half = 0; half < 2; half++) {
        LinearModel model = fit_learner(candidate->halves[half], set, arena);

        add_scaled(&sum, &model, candidate->scales[half]);
    }
    return sum;
}

void candidate_fit(const Search *search, const Candidate *candidate, const Matrix *matrix,
                   Arena *arena, LinearModel *model)
{
    TrainingSet set = {.matrix = matrix,
                       .labels = search->labels,
                       .class_count = search->classes->count,
                       .numbers = search->numbers,
                       .balance_classes = search->spec->balance_classes,
                       .seed = search->spec->seed,
                       .thread_count = search->spec->thread_count};

    *model = candidate->learner ? fit_learner(candidate, &set, arena)
                                : fit_average(candidate, &set, arena);
}

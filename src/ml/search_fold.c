#include <math.h>
#include <string.h>
#include <time.h>

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

static int *labels_of(const Search *search, RowList rows, Arena *arena)
{
    int *labels = arena_array(arena, int, rows.count);

    for (size_t i = 0; i < rows.count; i++)
        labels[i] = search->labels[rows.items[i]];
    return labels;
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
                       .balance_classes = search->spec->balance_classes,
                       .seed = search->spec->seed + fold};
    LinearModel model = candidate->learner->fit(&set, candidate->parameter, scratch);
    double *margins = arena_array(scratch, double, judged.count * search->margin_count);

    linear_margins(&model, &unseen, margins);
    for (size_t i = 0; i < judged.count; i++)
        memcpy(candidate->margins + judged.items[i] * search->margin_count,
               margins + i * search->margin_count, search->margin_count * sizeof(double));
}

double search_seconds_left(const Search *search)
{
    double used = (double)(time_monotonic_us() - search->started_us) / 1e6;

    return search->spec->budget_seconds > 0 ? search->spec->budget_seconds - used : HUGE_VAL;
}

/* The fit on all rows takes a quarter more than one of four fifths of them, and an average fits
 * two. */
static double final_seconds(const Search *search)
{
    return 2.6 * search->fold_seconds;
}

double search_seconds_needed(const Search *search, const Learner *learner)
{
    return (double)search->fold_count * search->fold_seconds * learner->relative_cost +
           final_seconds(search);
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool candidate_cross_validate(Search *search, Candidate *candidate, bool must_finish)
{
    size_t rows = search->frame->row_count;
    double started = cpu_seconds();

    candidate->margins = arena_array(search->work, double, rows * search->margin_count);
    for (size_t fold = 0; fold < search->fold_count; fold++) {
        int64_t before = time_monotonic_us();
        double each;

        run_fold(search, candidate, fold);
        each = (double)(time_monotonic_us() - before) / 1e6;
        search->fold_seconds = fmax(search->fold_seconds, each);
        search->done++;
        candidate->seconds = cpu_seconds() - started;
        search_report_progress(search);
        if (!must_finish &&
            search_seconds_left(search) <
                each * (double)(search->fold_count - fold - 1) + final_seconds(search)) {
            candidate->note = "stopped: the time budget is used up";
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
                       .balance_classes = search->spec->balance_classes,
                       .seed = search->spec->seed};

    *model = candidate->learner ? fit_learner(candidate, &set, arena)
                                : fit_average(candidate, &set, arena);
}

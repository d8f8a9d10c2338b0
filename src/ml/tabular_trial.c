#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "base/time.h"
#include "ml/loss.h"
#include "ml/tabular_search_internal.h"

/* Candidates are compared after this many folds. One whose loss is this much larger than that of
 * the best one, and by more than chance (in standard errors of the rows' differences), is stopped:
 * a little behind, it may still serve an ensemble. */
enum { RACE_FOLDS = 2 };
static const double race_ratio = 1.02, race_errors = 2.5;

/* Of the time that is left, for the first boosted trees; of the budget, to put the model together.
 */
static const double first_share = 0.4, reserve_share = 0.08;

double tabular_seconds_left(const TabularSearch *search)
{
    return search_seconds_left(&search->search) -
           reserve_share * search->search.spec->budget_seconds;
}

/* ---- losses ---- */

double tabular_row_loss(const TabularSearch *search, size_t row, const double *margins)
{
    const EncodingTarget *target = &search->encoded;

    if (target->numbers)
        return (margins[0] - target->numbers[row]) * (margins[0] - target->numbers[row]);
    if (target->class_count == 2)
        return loss_of_two(margins[0], target->labels[row]);
    return loss_of_classes(margins, target->class_count, (size_t)target->labels[row]);
}

/* ---- one fold ---- */

typedef struct FoldRun {
    bool is_done, is_stopped;
    size_t rounds;
    double seconds; /* wall clock */
    BoostModel *model;
    Error error;
} FoldRun;

typedef struct Run {
    const TabularSearch *search;
    const Trial *trial;
    double *margins; /* by place */
    size_t first;    /* fold */
    int64_t deadline_us;
    FoldRun *folds;
} Run;

static void store_margins(const Run *run, RowList rows, const double *margins)
{
    size_t each = run->search->search.margin_count;

    for (size_t i = 0; i < rows.count; i++)
        memcpy(run->margins + run->search->places[rows.items[i]] * each, margins + i * each,
               each * sizeof(double));
}

static void judge_linear(const Run *run, const Encoding *encoding, const LinearModel *model,
                         RowList rows)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Matrix matrix = encoding_apply_sparse(encoding, &run->search->table, rows, scratch);
    double *margins = arena_array(scratch, double, rows.count * model->margin_count + 1);

    linear_margins(model, &matrix, margins);
    store_margins(run, rows, margins);
}

static void fit_linear(const Run *run, const TabularFold *fold, FoldRun *made, Arena *scratch)
{
    const Table *table = &run->search->table;
    RowList rows = tabular_spread(fold->training, LINEAR_ROWS_MAX, scratch);
    Encoding encoding = encoding_fit_linear(table, rows, scratch);
    Matrix matrix = encoding_apply_sparse(&encoding, table, rows, scratch);
    LinearModel model = tabular_fit_linear(run->search, run->trial, &matrix, rows, scratch);

    for (size_t at = 0; at < fold->judged.count; at += LINEAR_ROWS_MAX) {
        size_t left = fold->judged.count - at;

        judge_linear(
            run, &encoding, &model,
            (RowList){fold->judged.items + at, left < LINEAR_ROWS_MAX ? left : LINEAR_ROWS_MAX});
    }
    made->is_done = true;
}

static void fit_trees(const Run *run, const TabularFold *fold, FoldRun *made, Arena *scratch)
{
    BoostJob job = {&run->trial->boost, fold->matrix, fold->held, run->deadline_us,
                    run->search->search.spec->finish};
    BoostResult result;

    if (!boost_fit(&job, scratch, &result, &made->error))
        return;
    store_margins(run, fold->judged, result.margins);
    made->is_done = true;
    made->is_stopped = result.is_stopped;
    made->rounds = result.rounds;
    made->model = result.model;
}

static void run_fold(void *context, size_t turn)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Run *run = context;
    const TabularFold *fold = &run->search->folds[run->first + turn];
    FoldRun *made = &run->folds[run->first + turn];
    int64_t started_us = time_monotonic_us();

    if (run->trial->is_linear)
        fit_linear(run, fold, made, scratch);
    else
        fit_trees(run, fold, made, scratch);
    made->seconds = (double)(time_monotonic_us() - started_us) / 1e6;
}

/* ---- the race ---- */

/* The best candidate of trees so far: who is behind it by much need not run on. */
static const Candidate *leader_of(TabularSearch *search)
{
    const Candidate *best = NULL;

    for (size_t i = 1; i < search->search.candidate_count; i++) {
        const Candidate *candidate = &search->search.candidates[i];

        if (candidate->is_finished && !search->trials[i].is_linear &&
            (!best || candidate->log_loss < best->log_loss))
            best = candidate;
    }
    return best;
}

static bool is_behind(const TabularSearch *search, const Candidate *candidate,
                      const Candidate *leader)
{
    size_t each = search->search.margin_count;
    double own = 0, other = 0, squares = 0, count = 0, mean;

    for (size_t fold = 0; fold < RACE_FOLDS; fold++) {
        RowList rows = search->folds[fold].judged;

        for (size_t i = 0; i < rows.count; i++) {
            size_t row = rows.items[i], at = search->places[row] * each;
            double loss = tabular_row_loss(search, row, candidate->margins + at);
            double best = tabular_row_loss(search, row, leader->margins + at);

            own += loss;
            other += best;
            squares += (loss - best) * (loss - best);
            count++;
        }
    }
    mean = (own - other) / count;
    return own > other * race_ratio &&
           mean > race_errors * sqrt(fmax(squares / count - mean * mean, 0) / count);
}

/* ---- all folds ---- */

static int64_t deadline_of(const TabularSearch *search, bool must_finish, size_t rounds_left)
{
    double left = tabular_seconds_left(search);

    if (isinf(left))
        return 0;
    if (must_finish)
        left *= first_share / (double)rounds_left;
    return time_monotonic_us() + (int64_t)(fmax(left, 0) * 1e6);
}

static size_t threads_of(const TabularSearch *search)
{
    return search->search.spec->thread_count ? search->search.spec->thread_count : 1;
}

static bool run_folds(Run *run, size_t first, size_t count, bool must_finish, Error *error)
{
    size_t threads = threads_of(run->search), left = run->search->fold_count - first;

    run->first = first;
    run->deadline_us = deadline_of(run->search, must_finish, (left + threads - 1) / threads);
    parallel_run(count, threads, run_fold, run);
    for (size_t fold = first; fold < first + count; fold++) {
        if (run->folds[fold].is_done)
            continue;
        *error = run->folds[fold].error;
        return false;
    }
    return true;
}

static bool was_stopped(const Run *run, size_t end)
{
    for (size_t fold = 0; fold < end; fold++)
        if (run->folds[fold].is_stopped)
            return true;
    return false;
}

/* The race after the first folds goes the same way for any number of threads. The rest runs as many
 * at a time as there are threads, so that a stopped one costs no more than that. */
static bool run_all(TabularSearch *search, Run *run, Candidate *candidate, bool must_finish,
                    Error *error)
{
    const Candidate *leader = leader_of(search);
    size_t count = search->fold_count, threads = threads_of(search);

    for (size_t fold = 0; fold < count;) {
        size_t step = fold == 0 ? RACE_FOLDS : threads;

        if (step > count - fold)
            step = count - fold;
        if (fold == 0 && must_finish && threads < step)
            step = threads;
        if (!run_folds(run, fold, step, must_finish, error))
            return false;
        fold += step;
        candidate->trial.folds = fold;
        search->search.done += step;
        if (was_stopped(run, fold) && !must_finish) {
            candidate_run_out(&search->search, candidate, true);
            return true;
        }
        if (fold == RACE_FOLDS && count > RACE_FOLDS && leader && !run->trial->is_linear &&
            is_behind(search, candidate, leader)) {
            candidate->note = "stopped: behind the best one after two folds";
            trial_record_end(&candidate->trial, TRIAL_BEHIND);
            return true;
        }
    }
    return true;
}

/* ---- the trees that are kept ---- */

static void release(Trial *trial, size_t fold_count)
{
    for (size_t fold = 0; trial->models && fold < fold_count; fold++)
        boost_model_destroy(&trial->models[fold]);
    trial->models = NULL;
}

void tabular_release_models(TabularSearch *search, bool all)
{
    size_t pool[POOL_MAX], count = tabular_pool(search, pool);
    const Candidate *best = search_best(&search->search);

    for (size_t i = 1; i < search->search.candidate_count; i++) {
        bool is_kept = &search->search.candidates[i] == best;

        for (size_t at = 0; at < count; at++)
            is_kept = is_kept || pool[at] == i;
        if (all || !is_kept)
            release(&search->trials[i], search->fold_count);
    }
}

static void sum_up(const TabularSearch *search, const Run *run, Candidate *candidate, Trial *trial)
{
    double rounds = 0;

    trial->models = arena_array(search->search.work, BoostModel *, search->fold_count);
    for (size_t fold = 0; fold < search->fold_count; fold++) {
        rounds += (double)run->folds[fold].rounds;
        candidate->seconds += run->folds[fold].seconds;
        trial->models[fold] = run->folds[fold].model;
    }
    trial->rounds = (size_t)round(rounds / (double)search->fold_count);
}

bool tabular_cross_validate(TabularSearch *search, size_t index, bool must_finish,
                            bool *is_finished, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Candidate *candidate = &search->search.candidates[index];
    Trial *trial = &search->trials[index];
    FoldRun *folds = arena_array(scratch, FoldRun, search->fold_count);
    size_t count = search->judged.row_count * search->search.margin_count;
    Run run = {.search = search, .trial = trial, .folds = folds};
    bool is_done;

    candidate->margins = run.margins = arena_array(search->search.work, double, count + 1);
    is_done = run_all(search, &run, candidate, must_finish, error);
    sum_up(search, &run, candidate, trial);
    *is_finished = is_done && !candidate->note;
    if (!*is_finished)
        release(trial, search->fold_count);
    return is_done;
}

#include <math.h>
#include <string.h>

#include "ml/search_internal.h"

/* ---- calibration ---- */

static MarginSet margins_outside(const Search *search, const Candidate *candidate, size_t fold,
                                 Arena *arena)
{
    RowList rows = search_rows(search, fold, false, arena);
    double *margins = arena_array(arena, double, rows.count * search->margin_count);
    int *labels = arena_array(arena, int, rows.count);

    for (size_t i = 0; i < rows.count; i++) {
        memcpy(margins + i * search->margin_count,
               candidate->margins + rows.items[i] * search->margin_count,
               search->margin_count * sizeof(double));
        labels[i] = search->labels[rows.items[i]];
    }
    return (MarginSet){margins, labels, rows.count, search->margin_count};
}

/* Each fold's margins by a calibration that was fitted on the others. */
static void calibrate_across(const Search *search, const Candidate *candidate, CalibrationKind kind,
                             double *probabilities)
{
    for (size_t fold = 0; fold < search->fold_count; fold++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        MarginSet set = margins_outside(search, candidate, fold, scratch);
        Calibration calibration = calibration_fit(&set, kind, scratch);

        for (size_t row = 0; row < search->frame->row_count; row++)
            if (search->folds[row] == fold)
                calibration_apply(&calibration, candidate->margins + row * search->margin_count,
                                  probabilities + row * search->classes->count);
    }
}

static double log_loss_of(const Search *search, const double *probabilities)
{
    double loss = 0;

    for (size_t row = 0; row < search->frame->row_count; row++)
        loss -= log(
            fmax(probabilities[row * search->classes->count + (size_t)search->labels[row]], 1e-15));
    return loss / (double)search->frame->row_count;
}

static void choose_calibration(Search *search, Candidate *candidate)
{
    double least = HUGE_VAL;

    for (CalibrationKind kind = 0; kind < CALIBRATION_KIND_COUNT; kind++) {
        double *probabilities, loss;

        if (!calibration_suits(kind, search->margin_count))
            continue;
        probabilities =
            arena_array(search->work, double, search->frame->row_count * search->classes->count);
        calibrate_across(search, candidate, kind, probabilities);
        loss = log_loss_of(search, probabilities);
        if (loss >= least && candidate->probabilities)
            continue;
        least = loss;
        candidate->calibration = kind;
        candidate->probabilities = probabilities;
    }
}

/* The baseline: the classes' shares in the other folds, whatever the row says. */
static void fill_shares(Search *search, Candidate *candidate)
{
    size_t classes = search->classes->count, rows = search->frame->row_count;

    candidate->probabilities = arena_array(search->work, double, rows *classes);
    for (size_t fold = 0; fold < search->fold_count; fold++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        RowList others = search_rows(search, fold, false, scratch);
        double *shares = arena_array(scratch, double, classes);

        for (size_t i = 0; i < others.count; i++)
            shares[search->labels[others.items[i]]] += 1 / (double)others.count;
        for (size_t i = 0; i < classes; i++)
            shares[i] = fmin(shares[i], 1);
        for (size_t row = 0; row < rows; row++)
            if (search->folds[row] == fold)
                memcpy(candidate->probabilities + row * classes, shares, classes * sizeof(double));
    }
}

/* ---- scores ---- */

/* The rows of one fold of a candidate's answers, side by side. */
typedef struct FoldAnswers {
    int *truth, *predicted;
    double *probabilities;
    size_t count;
} FoldAnswers;

static FoldAnswers answers_of_fold(const Search *search, const Candidate *candidate,
                                   const int *predicted, size_t fold, Arena *arena)
{
    RowList rows = search_rows(search, fold, true, arena);
    size_t classes = search->classes->count;
    FoldAnswers answers = {arena_array(arena, int, rows.count), arena_array(arena, int, rows.count),
                           arena_array(arena, double, rows.count *classes), rows.count};

    for (size_t i = 0; i < rows.count; i++) {
        answers.truth[i] = search->labels[rows.items[i]];
        answers.predicted[i] = predicted[rows.items[i]];
        memcpy(answers.probabilities + i * classes,
               candidate->probabilities + rows.items[i] * classes, classes * sizeof(double));
    }
    return answers;
}

typedef struct FoldScores {
    double sum, squares, accuracy, f1, log_loss, mcc;
    size_t count; /* folds where the metric is a number */
} FoldScores;

static void add_report(const Search *search, const Report *report, FoldScores *scores)
{
    double score = metric_value(search->metric, report);

    scores->accuracy += report->accuracy / (double)search->fold_count;
    scores->f1 += report->f1 / (double)search->fold_count;
    scores->log_loss += report->log_loss / (double)search->fold_count;
    scores->mcc += report->mcc / (double)search->fold_count;
    if (!isfinite(score))
        return;
    scores->count++;
    scores->sum += score;
    scores->squares += score * score;
}

static bool score_folds(const Search *search, Candidate *candidate, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    int *predicted = arena_array(scratch, int, search->frame->row_count);
    FoldScores scores = {0};
    double mean, n;

    search_decide(search, candidate->probabilities, candidate->threshold, predicted);
    if (candidate->is_baseline && search->classes->count == 2) /* always the larger class */
        search_decide(search, candidate->probabilities, 0.5, predicted);
    for (size_t fold = 0; fold < search->fold_count; fold++) {
        FoldAnswers answers = answers_of_fold(search, candidate, predicted, fold, scratch);
        Report report;

        if (!report_make(answers.truth, answers.predicted, answers.probabilities, answers.count,
                         search->classes, search->positive, scratch, &report, error))
            return false;
        add_report(search, &report, &scores);
    }
    n = (double)scores.count;
    mean = scores.count ? scores.sum / n : NAN;
    candidate->score = mean;
    candidate->score_deviation =
        scores.count > 1 ? sqrt(fmax(scores.squares - n * mean * mean, 0) / (n - 1)) : 0;
    candidate->accuracy = scores.accuracy;
    candidate->f1 = scores.f1;
    candidate->log_loss = scores.log_loss;
    candidate->mcc = scores.mcc;
    return true;
}

bool candidate_score(Search *search, Candidate *candidate, Error *error)
{
    if (candidate->is_baseline)
        fill_shares(search, candidate);
    else
        choose_calibration(search, candidate);
    if (!candidate_choose_threshold(search, candidate, error) ||
        !score_folds(search, candidate, error))
        return false;
    candidate->is_finished = true;
    trial_record_end(&candidate->trial, TRIAL_FINISHED);
    return true;
}

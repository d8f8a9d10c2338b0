/* search_internal.h: what the files of the search share: candidates, and the state of one search.
 *
 * A candidate is a learner with a parameter on some blocks of features, or the average of two
 * others on the same blocks. It is judged by margins of rows that its folds did not see.
 */
#pragma once

#include "base/text.h"
#include "ml/report.h"
#include "ml/text_model_internal.h"

typedef struct Learner {
    const char *name;
    LinearModel (*fit)(const TrainingSet *set, double parameter, Arena *arena);
    const char *parameter; /* as descriptions call it */
    double relative_cost;  /* of a fold, the support vectors' being 1 */
} Learner;

extern const Learner support_vectors, weighted_vectors;

typedef struct Candidate {
    const char *name, *description, *note;
    const Learner *learner; /* NULL: the baseline or an average */
    double parameter;
    const bool *used;                  /* by block */
    const struct Candidate *halves[2]; /* an average's */
    double scales[2];

    double *margins; /* row_count x margin_count, out of fold */
    CalibrationKind calibration;
    double *probabilities; /* row_count x class_count, calibrated on other folds */
    double threshold;
    double score, score_deviation, seconds;
    double accuracy, f1, log_loss, mcc; /* numbers: log_loss is the squared error */
    bool is_baseline, is_finished;
    TrialRecord trial;
} Candidate;

enum { CANDIDATES_MAX = TRIALS_MAX + 2 }; /* with the baseline and an average */

typedef struct Search {
    const Frame *frame;
    const int *labels;     /* of classes; NULL: numbers are learnt (ml/tabular_model.h) */
    const double *numbers; /* of texts in tables (tabular_text.c), else NULL */
    const ClassNames *classes;
    const SearchSpec *spec;
    const MetricKind *metric;
    size_t positive, margin_count, fold_count;
    uint32_t *folds; /* by row */
    Corpus corpus;
    int64_t started_us;
    Candidate candidates[CANDIDATES_MAX]; /* the first is the baseline */
    size_t candidate_count;
    size_t tried;         /* candidates that were learnt */
    bool is_limited;      /* there would have been more to try */
    size_t done, planned; /* folds */
    double fold_seconds;  /* wall clock of a fold of the slowest candidate so far */
    Arena *arena;         /* of the result */
    Arena *work;          /* until the search ends */
} Search;

/* Class indices, of two classes with two rows each at least. */
bool search_check_labels(const int *labels, size_t rows, const ClassNames *classes,
                         Error *error) MUST_CHECK;
bool search_find_positive(const ClassNames *classes, const char *name, size_t *positive,
                          Error *error) MUST_CHECK;

/* Reads the texts of the frame, with their characters if a search with those takes so many seconds
 * at most, and the other columns. */
void search_read_corpus(Search *search, double characters_seconds_most);

/* "CONTENT: words 1-2 + characters 2-5; keyword": what a candidate reads. */
void search_describe(const Search *search, const bool *used, TextBuilder *text);

/* A group number per row: rows with the same longest text share one. A text that is repeated word
 * for word says nothing about new ones: with copies on both sides of a fold, scores and
 * probabilities come out too good. NULL when there are no repeats. */
size_t *search_group_repeats(const Frame *frame, Arena *arena);

/* Rows whose fold is (or is not) the given one, in order. */
RowList search_rows(const Search *search, size_t fold, bool is_inside, Arena *arena);

/* Fits margins fold by fold; false when the budget does not allow the rest (the note says so). */
bool candidate_cross_validate(Search *search, Candidate *candidate, bool must_finish);

/* Margins of an average of two finished candidates. */
void candidate_average(Search *search, Candidate *candidate);

/* From margins to calibrated probabilities, a threshold and scores; for the baseline from nothing.
 */
bool candidate_score(Search *search, Candidate *candidate, Error *error) MUST_CHECK;

/* ---- search_threshold.c ---- */

/* The best one for threshold_metric(), of two classes, on probabilities of rows that their folds
 * did not see; one half where no other is better beyond chance. */
bool candidate_choose_threshold(const Search *search, Candidate *candidate,
                                Error *error) MUST_CHECK;

/* The class of each row. */
void search_decide(const Search *search, const double *probabilities, double threshold,
                   int *predicted);

/* ---- search_board.c ---- */

/* The best finished one that is not the baseline, or NULL. */
Candidate *search_best(Search *search);

/* What the model is made of: of those within one standard error of the best score (Breiman,
 * Friedman, Olshen & Stone 1984) the one with the least log loss. Scores of decisions are coarse:
 * differences below that are chance, while the log loss sees every probability. */
Candidate *search_choose(Search *search);
bool candidate_is_better(const Search *search, const Candidate *a, const Candidate *b);

/* The rows of the leaderboard: the baseline, then from best to worst. */
Leaderboard search_leaderboard(const Search *search, const Candidate *chosen, Arena *arena);
void search_report_progress(Search *search);

/* Whether another candidate may be learnt, by the limit of trials; that it may not is kept. */
bool search_may_try(Search *search);

/* SearchResult's */
size_t search_ended_after(const Search *search);

double search_seconds_left(const Search *search);

/* There are none for the candidate, or for the rest of it: noted, with why. */
void candidate_run_out(const Search *search, Candidate *candidate, bool has_begun);

/* What another candidate would take, and the fit on all rows behind it. */
double search_seconds_needed(const Search *search, const Learner *learner);

/* Fits a candidate on all rows, averages included. */
void candidate_fit(const Search *search, const Candidate *candidate, const Matrix *matrix,
                   Arena *arena, LinearModel *model);

/* text_model.h: a classifier of rows with text, category and number columns, and the search for the
 * best one.
 *
 * A TextModel is preprocessing, linear model and calibration in one. It is
 * immutable: any number of threads may predict with it at once. It is saved as
 * bytes of Slipway's own format (no code inside; every count and offset checked
 * on loading) and the same data, seed and binary give the same bytes.
 *
 *     CLEANUP(text_model_unload) TextModel *model = NULL;
 *     if (!text_model_load(bytes, size, &model, error)) ...
 *     text_model_predict(model, &frame, probabilities, arena, error);
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "ml/frame.h"
#include "ml/trial_record.h"

/* About what a text takes a core, a hundred words with their characters. */
#define TEXT_SECONDS 10e-6

typedef struct TextModel TextModel;

/* One candidate of the search, as the leaderboard shows it. The first row is always the majority
 * baseline. */
typedef struct LeaderboardRow {
    const char *name;        /* "linear_svm", "majority", ... */
    const char *description; /* "words 1-2 + characters 2-5, C=0.5" */
    double score;            /* of the chosen metric, mean over the folds; NaN if not finished */
    double score_deviation;  /* standard deviation over the folds */
    double accuracy, f1, log_loss;
    double seconds; /* CPU time; never stored in the model */
    bool is_baseline, below_baseline, chosen;
    const char *note; /* "stopped: the time budget is used up", or "" */
    TrialRecord trial;
} LeaderboardRow;

typedef struct Leaderboard {
    LeaderboardRow *items;
    size_t count;
} Leaderboard;

/* Called after each finished candidate and fold; done and planned count folds. planned: as many as
 * there can be at most; 0 where only the time says how many. */
typedef struct SearchListener {
    void (*call)(void *context, const Leaderboard *so_far, size_t done, size_t planned);
    void *context;
} SearchListener;

enum { TRIALS_MAX = 64 }; /* of a search: candidates that are learnt */

typedef struct SearchSpec {
    const char *metric; /* a name of ml/report.h: "f1", "accuracy", "f1_macro", "log_loss", ... */
    double budget_seconds; /* wall clock; 0: none. When it is used up, the best so far wins */
    size_t trials_max;     /* candidates that are learnt, which the baseline and averages of others
                              are not: 1 to TRIALS_MAX; 0: as many as the plan has */
    uint64_t seed;
    size_t fold_count;    /* 0: 5 */
    const char *positive; /* the positive class of a two-class problem; NULL: ClassNames' last */
    const size_t *groups; /* a group number per row, or NULL: rows of a group share a fold */
    bool balance_classes; /* weigh classes by 1/frequency */
    const char *threshold_for; /* metric_has_threshold(); NULL: threshold_metric() */
    size_t thread_count; /* at most; 0: 1. The model is the same for any, if the budget suffices */
    SearchListener listener;
    const atomic_bool *finish; /* or NULL: set by somebody else, it ends the search as the budget
                                  does, with the best so far */
} SearchSpec;

typedef struct SearchResult {
    TextModel *model; /* owned by the caller: text_model_unload() */
    Leaderboard leaderboard;
    double *out_of_fold; /* row_count x class_count calibrated probabilities, each from folds that
                            did not see the row */
    size_t ended_after;  /* trials, where their limit ended the search; else 0 */
} SearchResult;

/* What the decision threshold of two classes is best for: what the spec names; else of balanced
 * classes balanced accuracy, which the share of the class is; else the metric; else, where that
 * has no threshold, accuracy, which one half is. */
const struct MetricKind *threshold_metric(const SearchSpec *spec);

/* Cross-validates the candidates within the budget, calibrates the best on its out-of-fold scores,
 * fits it on all rows. labels: row_count indices into classes. Needs two classes with two rows each
 * at least. */
bool text_model_search(const Frame *frame, const int *labels, const ClassNames *classes,
                       const SearchSpec *spec, Arena *arena, SearchResult *result,
                       Error *error) MUST_CHECK;

/* probabilities: row_count x class_count, rows sum to 1. A column the model needs and the frame
 * lacks is an error that names it; extra columns are ignored; unseen words and categories and
 * missing values are not errors. */
bool text_model_predict(const TextModel *model, const Frame *frame, double *probabilities,
                        Arena *arena, Error *error) MUST_CHECK;

/* The same with up to so many threads, for many rows. */
bool text_model_predict_on(size_t thread_count, const TextModel *model, const Frame *frame,
                           double *probabilities, Error *error) MUST_CHECK;

/* The class that an answer names, by the row's probabilities and the model's decision threshold. */
size_t text_model_decide(const TextModel *model, const double *probabilities);
double text_model_threshold(const TextModel *model); /* of two classes: of the positive one */

/* What drove a prediction: a span of the input (or a whole category/number value) and what it added
 * to the margin of the class before calibration. Contributions and the intercept sum to the margin
 * within 1e-6. */
typedef struct Contribution {
    const char *column;
    const char *text;     /* the word, n-gram or "column=value" */
    size_t start, length; /* bytes of the column's text; length 0 when not a span */
    double weight;
} Contribution;

typedef struct Explanation {
    Contribution *items; /* by absolute weight, largest first; words, with their character n-grams
                            folded in */
    size_t count;
    double intercept; /* everything that is not tied to the input */
    double margin;    /* intercept + sum of weights */
} Explanation;

bool text_model_explain(const TextModel *model, const Frame *frame, size_t row, size_t class_index,
                        Arena *arena, Explanation *explanation, Error *error) MUST_CHECK;

/* The strongest words per class over the whole model (global importance), at most limit each. */
bool text_model_top_terms(const TextModel *model, size_t class_index, size_t limit, Arena *arena,
                          Explanation *terms, Error *error) MUST_CHECK;

/* What the model expects. The names live as long as the model. */
typedef struct ModelInput {
    const char *name;
    ColumnKind kind;
    bool takes_object; /* a JSON object, which comes as its text */
} ModelInput;

size_t text_model_input_count(const TextModel *model);
ModelInput text_model_input(const TextModel *model, size_t index);
const ClassNames *text_model_classes(const TextModel *model);
size_t text_model_positive(const TextModel *model); /* index of the positive class */

/* A copy of the model's bytes. */
void text_model_save(const TextModel *model, Arena *arena, const char **bytes, size_t *size);
/* Reads a file of this format or of an older one; the bytes are needed no more. */
bool text_model_load(const char *bytes, size_t size, TextModel **model, Error *error) MUST_CHECK;

/* The same, but a file of today's format is used where it lies, which costs nearly nothing: the
 * bytes (a mapped file: aligned to 64) must stay as they are until the model is unloaded. */
bool text_model_load_in_place(const char *bytes, size_t size, TextModel **model,
                              Error *error) MUST_CHECK;
void text_model_unload(TextModel **model); /* for CLEANUP too */

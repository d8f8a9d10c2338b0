/* tabular_search_internal.h: what the files of the search for a model of a table share.
 *
 * Candidates, their scores and the leaderboard are those of ml/search_internal.h; a trial says how
 * the candidate of the same index is learnt. The rows of the Search are those that a fold judges:
 * all of them, or with many rows a fifth.
 */
#pragma once

#include "ml/boost.h"
#include "ml/search_internal.h"
#include "ml/tabular_model_internal.h"

enum { ENSEMBLE_PARTS_MAX = 5 };

typedef struct Trial {
    bool is_linear;
    double cost;        /* linear: of a mistake, or what weights cost */
    BoostSpec boost;    /* rounds: those that were best, of all folds on average */
    double fit_seconds; /* on all rows, about */
    /* an ensemble's, else none */
    size_t parts[ENSEMBLE_PARTS_MAX]; /* candidates */
    double weights[ENSEMBLE_PARTS_MAX];
    size_t part_count;
} Trial;

typedef struct TabularFold {
    RowList training, judged; /* rows of the table */
    BoostMatrix *matrix, *held;
    Matrix sparse, sparse_held;
} TabularFold;

typedef struct TabularSearch {
    Search search;
    Frame judged; /* only says how many rows are judged */
    Table table;
    const TabularTarget *target;
    EncodingTarget encoded; /* numbers standardised */
    double shift, scale;    /* back from them */
    size_t *places;         /* by row of the table: its place among those judged; SIZE_MAX: none */
    TabularFold *folds;
    size_t fold_count;
    Trial trials[CANDIDATES_MAX];
    Error no_trees; /* why there are none */
    bool has_trees;
    double reserve_seconds; /* what the model itself will take */
} TabularSearch;

/* ---- tabular_fold.c ---- */

/* Shares out the rows, as ML.md says: five folds, three of many rows, a fifth of very many. */
bool tabular_assign_folds(TabularSearch *search, Error *error) MUST_CHECK;

/* The rows of each fold for learners of both kinds; without the library for the linear ones. */
bool tabular_prepare_folds(TabularSearch *search, Error *error) MUST_CHECK;
void tabular_release_folds(TabularSearch *search);

/* What trees learn from: rows of the table, encoded. */
bool tabular_boost_matrix(const TabularSearch *search, RowList rows, const Encoding *encoding,
                          bool is_training, BoostMatrix **matrix, Error *error) MUST_CHECK;

LinearModel tabular_fit_linear(const TabularSearch *search, const Trial *trial,
                               const Matrix *matrix, RowList rows, Arena *arena);

/* ---- tabular_trial.c ---- */

/* Fits and judges fold by fold. *is_finished: false when it was stopped (the note says why). Who
 * must finish makes do with the trees that time allows. */
bool tabular_cross_validate(TabularSearch *search, size_t candidate, bool must_finish,
                            bool *is_finished, Error *error) MUST_CHECK;

/* Of what is already learnt from in place of a row: the loss of margins. */
double tabular_row_loss(const TabularSearch *search, size_t place, const double *margins);

/* ---- tabular_score.c ---- */

const MetricKind *tabular_number_metric(const char *name);
bool tabular_score(TabularSearch *search, Candidate *candidate, Error *error) MUST_CHECK;

/* ---- tabular_ensemble.c ---- */

/* Adds the ensemble as a candidate, if two or more make a better one than the best alone. */
bool tabular_add_ensemble(TabularSearch *search, Error *error) MUST_CHECK;

/* ---- tabular_build.c ---- */

/* The candidate learnt from all rows. */
bool tabular_build(TabularSearch *search, const Candidate *candidate, TabularModel **model,
                   Error *error) MUST_CHECK;

static inline Trial *trial_of(TabularSearch *search, const Candidate *candidate)
{
    return &search->trials[candidate - search->search.candidates];
}

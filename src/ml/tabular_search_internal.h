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

typedef struct Trial {
    bool is_linear;
    double cost; /* linear: of a mistake, or what weights cost */
    BoostSpec boost;
    size_t rounds;       /* the best, of all folds on average */
    BoostModel **models; /* by fold; NULL: linear, stopped, or far behind the best */
    /* an ensemble's, else none */
    size_t parts[TABULAR_PARTS_MAX]; /* candidates */
    double weights[TABULAR_PARTS_MAX];
    size_t part_count;
} Trial;

typedef struct TabularFold {
    RowList training, judged;   /* rows of the table */
    Encoding encoding;          /* for trees */
    BoostMatrix *matrix, *held; /* NULL: there is no library, or it is not yet the trees' turn */
} TabularFold;

typedef struct TabularSearch {
    Search search;
    Frame judged;            /* only says how many rows are judged */
    Table table;             /* what texts became is behind what was there */
    TabularText *texts;      /* those of the table */
    size_t margins_of_texts; /* columns of the table */
    uint32_t *row_folds;     /* by row of the table */
    size_t row_fold_count;   /* two at least */
    const Target *target;
    EncodingTarget encoded; /* numbers standardised */
    double shift, scale;    /* back from them */
    size_t *places;         /* by row of the table: its place among those judged; SIZE_MAX: none */
    TabularFold *folds;
    size_t fold_count;
    Trial trials[CANDIDATES_MAX];
    Error no_trees; /* why there are none */
    bool has_trees;
} TabularSearch;

/* ---- tabular_fold.c ---- */

/* Shares out the rows: five folds, three of many rows, a fifth of very many is judged. */
bool tabular_assign_folds(TabularSearch *search, Error *error) MUST_CHECK;

/* ---- tabular_text.c ---- */

/* A group number per row: copies of a text, where nearly all texts differ; else NULL. */
const size_t *tabular_text_groups(const TabularSearch *search, Arena *arena);

/* Adds the columns that texts become to the table, and learns who makes them of new rows. */
bool tabular_learn_texts(TabularSearch *search, Error *error) MUST_CHECK;
void tabular_release_texts(TabularSearch *search);

/* ---- tabular_fold.c ---- */

/* The rows of each fold as trees learn them; nothing without the library. */
bool tabular_prepare_trees(TabularSearch *search, Error *error) MUST_CHECK;
void tabular_release_folds(TabularSearch *search);

/* Linear models learn from so many rows at most, drawn evenly from all: a model of few numbers is
 * none the better for more, and their sparse form is the largest there is. */
enum { LINEAR_ROWS_MAX = 100000 };

/* The first row, each k-th one after it: at most count of them. */
RowList tabular_spread(RowList rows, size_t count, Arena *arena);

LinearModel tabular_fit_linear(const TabularSearch *search, const Trial *trial,
                               const Matrix *matrix, RowList rows, Arena *arena);

/* ---- tabular_trial.c ---- */

/* Fits and judges fold by fold. *is_finished: false when it was stopped (the note says why). Who
 * must finish makes do with the trees that time allows. */
bool tabular_cross_validate(TabularSearch *search, size_t candidate, bool must_finish,
                            bool *is_finished, Error *error) MUST_CHECK;

/* Seconds until the model must be put together; infinite without a budget. */
double tabular_seconds_left(const TabularSearch *search);

/* Gives back the trees that no ensemble would take any more; all: the rest too. */
void tabular_release_models(TabularSearch *search, bool all);

/* The loss of margins for a row of the table: log loss, or squared error. */
double tabular_row_loss(const TabularSearch *search, size_t place, const double *margins);

/* ---- tabular_score.c ---- */

bool tabular_score(TabularSearch *search, Candidate *candidate, Error *error) MUST_CHECK;

/* ---- tabular_ensemble.c ---- */

enum { POOL_MAX = 12 };

/* The finished candidates of the least loss, at most POOL_MAX, from the least on; returns how many.
 */
size_t tabular_pool(const TabularSearch *search, size_t pool[POOL_MAX]);

/* Adds the ensemble as a candidate, if two or more make a better one than the best alone. */
bool tabular_add_ensemble(TabularSearch *search, Error *error) MUST_CHECK;

/* ---- tabular_build.c ---- */

/* The model of a candidate: the trees of all its folds, whose margins are averaged, or the linear
 * model of all rows. A tree's fold has not seen the rows that its rounds were counted on, so all
 * rows have their say, nothing is learnt twice, and the budget is kept. */
bool tabular_build(TabularSearch *search, const Candidate *candidate, TabularModel **model,
                   Error *error) MUST_CHECK;

static inline Trial *trial_of(TabularSearch *search, const Candidate *candidate)
{
    return &search->trials[candidate - search->search.candidates];
}

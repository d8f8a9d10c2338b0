/* tabular_model.h: a model of rows with category, number, date and text columns: boosted trees,
 * linear models and weighted averages of them, and the search for the best one. A text becomes
 * numbers: the margins of a text model that the model holds
 * (docs/decisions/0026-texts-in-tables.md). A date becomes numbers, too: its parts
 * (0030-dates-in-tables.md).
 *
 * A TabularModel is encoding, members and calibration in one. It is immutable: any number of
 * threads may predict with it at once. Its bytes hold no code; every count and offset is checked on
 * loading. The interface is text_model.h's, so that ml/model.h can hold either.
 */
#pragma once

#include "base/text.h"
#include "ml/text_model.h" /* Leaderboard, SearchListener, Explanation, ModelInput */

typedef struct TabularModel TabularModel;

/* SearchResult's sibling. */
typedef struct TabularResult {
    TabularModel *model; /* owned by the caller: tabular_model_unload() */
    Leaderboard leaderboard;
    double *out_of_fold; /* row_count x width; NaN in rows that no fold judged: above 100,000 rows
                            four fifths of them are only learnt from */
    TextList notes;      /* a sentence for each column that is left out, for each date and text */
    TextList left_out;   /* the names of the columns that are */
    size_t ended_after;  /* SearchResult's */
} TabularResult;

/* Cross-validates candidates within the budget and learns the best one from all rows. spec->metric:
 * a name of ml/report.h. It opens the library XGBoost (ml/boost.h),
 * so it belongs into the process of a step; without the library only linear models are tried, and a
 * row of the leaderboard says what to install. The same rows, seed and number of trials give the
 * same bytes, up to 100,000 rows for any number of threads; without a budget the trials are always
 * the same ones. A model of trees has those of each fold, whose margins are averaged: all rows are
 * learnt from, none twice. */

bool tabular_search(const Frame *frame, const Target *target, const SearchSpec *spec, Arena *arena,
                    TabularResult *result, Error *error) MUST_CHECK;

/* How many numbers the answer for a row has: the classes, or 1. */
size_t tabular_model_width(const TabularModel *model);

/* answers: row_count x width: probabilities that sum to 1, or the number. */
bool tabular_model_predict(const TabularModel *model, const Frame *frame, double *answers,
                           Arena *arena, Error *error) MUST_CHECK;
bool tabular_model_predict_on(size_t thread_count, const TabularModel *model, const Frame *frame,
                              double *answers, Error *error) MUST_CHECK;

/* predictor_row_seconds() */
double tabular_model_row_seconds(const TabularModel *model);

size_t tabular_model_decide(const TabularModel *model, const double *probabilities);
double tabular_model_threshold(const TabularModel *model); /* of two classes */

/* One contribution per column, with text "column=value" (of a text its beginning) and length 0;
 * they and the intercept add up to the margin (of the class; for numbers the answer itself). */
bool tabular_model_explain(const TabularModel *model, const Frame *frame, size_t row,
                           size_t class_index, Arena *arena, Explanation *explanation,
                           Error *error) MUST_CHECK;

size_t tabular_model_input_count(const TabularModel *model);
ModelInput tabular_model_input(const TabularModel *model, size_t index);
const ClassNames *tabular_model_classes(const TabularModel *model); /* empty for numbers */
size_t tabular_model_positive(const TabularModel *model);

void tabular_model_save(const TabularModel *model, Arena *arena, const char **bytes, size_t *size);
bool tabular_model_load(const char *bytes, size_t size, TabularModel **model,
                        Error *error) MUST_CHECK;
bool tabular_model_load_in_place(const char *bytes, size_t size, TabularModel **model,
                                 Error *error) MUST_CHECK;
void tabular_model_unload(TabularModel **model);            /* for CLEANUP too */
bool tabular_model_is_file(const char *bytes, size_t size); /* by its first bytes */

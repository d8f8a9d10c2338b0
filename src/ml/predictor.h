/* predictor.h: a model of rows, whichever learner made it: what is packaged, judged, served.
 *
 * A Predictor is a model of ml/text_model.h, and its functions are those of it. Learners of other
 * kinds come in here, told apart by the first bytes of a file, and nobody above knows which it is.
 * A forecast is asked in rows, too (ml/forecast_rows.h); who wants all of it takes its model.
 * It is immutable: any number of threads may predict with it at once.
 *
 *     CLEANUP(predictor_unload) Predictor *model = NULL;
 *     if (!predictor_load(bytes, size, &model, error)) ...
 *     answers = arena_array(arena, double, frame.row_count * predictor_width(model));
 *     predictor_predict(model, &frame, answers, arena, error);
 */
#pragma once

#include "base/text.h"
#include "ml/forecast_model.h"
#include "ml/task.h"
#include "ml/text_model.h"

typedef struct Predictor Predictor;

typedef struct Learnt {
    Predictor *model; /* owned by the caller: predictor_unload() */
    Leaderboard leaderboard;
    double *out_of_fold; /* row_count x predictor_width(), each from folds that did not see the row;
                            NaN where no fold judged it; NULL when the search ran out of time */
    TextList notes; /* a sentence for each column that is left out, and of tables for each date and
                       text */
    TextList left_out;  /* their names: of the columns that are left out */
    size_t ended_after; /* trials, where their limit ended the search; else 0 */
} Learnt;

/* Finds the best model of the rows within the budget, by the learners that suit their columns:
 * classes of texts alone (or very many classes of texts and more) by those of texts, all else by
 * those of tables. */
bool predictor_learn(const Frame *frame, const Target *target, const SearchSpec *spec, Arena *arena,
                     Learnt *result, Error *error) MUST_CHECK;

/* Takes a forecast model, and owns it from then on. */
Predictor *predictor_of_forecast(ForecastModel *forecast);
const ForecastModel *predictor_forecast(const Predictor *model); /* NULL: it is none */

ModelTask predictor_task(const Predictor *model);

/* How many numbers the answer for a row has: one for each class, 1, or of a forecast 3. */
size_t predictor_width(const Predictor *model);

/* answers: row_count x predictor_width(): probabilities that sum to 1, or the number. A column the
 * model needs and the frame lacks is an error that names it; extra columns are ignored; unseen
 * words and categories and missing values are not errors. */
bool predictor_predict(const Predictor *model, const Frame *frame, double *answers, Arena *arena,
                       Error *error) MUST_CHECK;

/* The same with up to so many threads, for many rows. */
bool predictor_predict_on(size_t thread_count, const Predictor *model, const Frame *frame,
                          double *answers, Error *error) MUST_CHECK;

/* About how long a core takes to answer a row, by what the model is made of: for who plans how many
 * rows to ask. No clock is asked, so it is the same everywhere. */
double predictor_row_seconds(const Predictor *model);

/* The class that an answer names, by the row's probabilities and the model's decision threshold. */
size_t predictor_decide(const Predictor *model, const double *probabilities);

/* Of two classes: the least probability of the positive one that names it; else NaN. */
double predictor_threshold(const Predictor *model);

/* Contributions and the intercept add up to the margin of the class, or to the number. */
bool predictor_explain(const Predictor *model, const Frame *frame, size_t row, size_t class_index,
                       Arena *arena, Explanation *explanation, Error *error) MUST_CHECK;

size_t predictor_input_count(const Predictor *model);
ModelInput predictor_input(const Predictor *model, size_t index);
const ClassNames *predictor_classes(const Predictor *model); /* none for numbers */
size_t predictor_positive(const Predictor *model);           /* index of the positive class */

/* A copy of the model's bytes. */
void predictor_save(const Predictor *model, Arena *arena, const char **bytes, size_t *size);
bool predictor_load(const char *bytes, size_t size, Predictor **model, Error *error) MUST_CHECK;

/* The same, but the bytes (a mapped file: aligned to 64) are used where they lie and must stay as
 * they are until the model is unloaded. */
bool predictor_load_in_place(const char *bytes, size_t size, Predictor **model,
                             Error *error) MUST_CHECK;
void predictor_unload(Predictor **model); /* for CLEANUP too */

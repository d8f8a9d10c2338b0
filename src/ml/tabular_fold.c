#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/ridge.h"
#include "ml/split.h"
#include "ml/tabular_search_internal.h"

enum {
    ROWS_FIVE_FOLDS = 20000,
    ROWS_THREE_FOLDS = 100000, /* above: four fifths are learnt from, once */
    ROWS_A_SECOND = 1000,      /* of the budget, for five folds of more than ROWS_FIVE_FOLDS */
    BINNED_ROWS_LEAST = 80000,
    NUMBER_STRATA = 10,
};

/* ---- which rows judge ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double *first = a, *second = b;

    return (*first > *second) - (*first < *second);
}

/* Numbers are dealt by tenths of their order, so that folds are alike. */
static const int *strata_of(const double *numbers, size_t count, Arena *arena)
{
    double *sorted = arena_array(arena, double, count + 1), cuts[NUMBER_STRATA];
    int *strata = arena_array(arena, int, count + 1);

    memcpy(sorted, numbers, count * sizeof(double));
    qsort(sorted, count, sizeof(double), compare_doubles);
    for (size_t i = 0; i < NUMBER_STRATA; i++)
        cuts[i] = sorted[i * count / NUMBER_STRATA];
    for (size_t row = 0; row < count; row++)
        for (size_t i = 1; i < NUMBER_STRATA; i++)
            strata[row] += numbers[row] > cuts[i];
    return strata;
}

/* As many folds as asked for, fewer when rows or groups are few. */
static bool deal(FoldSpec *spec, const int *labels, const size_t *groups, uint32_t *folds,
                 Error *error)
{
    Error too_many = {0}; /* folds, for these rows: one fewer is tried */

    if (spec->fold_count > spec->row_count)
        spec->fold_count = spec->row_count;
    while (spec->fold_count > 2 && !fold_assign(spec, labels, groups, folds, &too_many))
        spec->fold_count--;
    if (spec->fold_count > 2 || fold_assign(spec, labels, groups, folds, error))
        return true;
    return groups ? fail(error, ERROR_INVALID,
                         "training needs rows of two groups at least, to judge one by the other")
                  : false;
}

/* Five cost twice the time of three, and learn from more rows each. */
static size_t folds_wanted(const SearchSpec *spec, size_t rows)
{
    bool has_time = (double)rows <= ROWS_A_SECOND * spec->budget_seconds;

    if (spec->fold_count)
        return spec->fold_count < TABULAR_FOLDS_MAX ? spec->fold_count : TABULAR_FOLDS_MAX;
    return rows > ROWS_FIVE_FOLDS && rows <= ROWS_THREE_FOLDS && !has_time ? 3 : 5;
}

/* Only the first fold is judged of very many rows. What it says is calibrated across parts of its
 * own. */
static bool judge_rows(TabularSearch *search, const int *labels, const uint32_t *folds,
                       Error *error)
{
    Search *inner = &search->search;
    size_t rows = search->table.row_count, count = 0;
    bool all = search->fold_count > 1;
    int *judged = arena_array(inner->work, int, rows);
    FoldSpec spec = {.fold_count = 5, .seed = inner->spec->seed};

    search->places = arena_array(inner->work, size_t, rows);
    inner->folds = arena_array(inner->work, uint32_t, rows);
    for (size_t row = 0; row < rows; row++) {
        bool is_judged = all || folds[row] == 0;

        search->places[row] = is_judged ? count : SIZE_MAX;
        if (!is_judged)
            continue;
        inner->folds[count] = folds[row];
        judged[count++] = labels[row];
    }
    search->judged = (Frame){.row_count = count};
    inner->frame = &search->judged;
    inner->labels = search->target->numbers ? NULL : judged;
    inner->fold_count = search->fold_count;
    spec.row_count = count;
    if (all)
        return true;
    if (!deal(&spec, judged, NULL, inner->folds, error))
        return false;
    inner->fold_count = spec.fold_count;
    return true;
}

/* Copies of a text stay together, where rows allow it. */
static bool deal_rows(TabularSearch *search, const int *labels, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const SearchSpec *spec = search->search.spec;
    size_t rows = search->table.row_count;
    const FoldSpec wanted = {rows, folds_wanted(spec, rows), spec->seed};
    const size_t *copies = spec->groups ? NULL : tabular_text_groups(search, scratch);
    FoldSpec dealt = wanted;
    Error ignored = {0};

    search->row_folds = arena_array(search->search.work, uint32_t, rows);
    if (!copies || !deal(&dealt, labels, copies, search->row_folds, &ignored)) {
        dealt = wanted;
        if (!deal(&dealt, labels, spec->groups, search->row_folds, error))
            return false;
    }
    search->row_fold_count = dealt.fold_count;
    return true;
}

static void list_rows(TabularFold *fold, const uint32_t *folds, uint32_t number, size_t row_count,
                      Arena *arena)
{
    size_t count = 0, *training, *judged;

    for (size_t row = 0; row < row_count; row++)
        count += folds[row] == number;
    judged = arena_array(arena, size_t, count + 1);
    training = arena_array(arena, size_t, row_count - count + 1);
    *fold = (TabularFold){.training = {training, 0}, .judged = {judged, 0}};
    for (size_t row = 0; row < row_count; row++) {
        if (folds[row] == number)
            judged[fold->judged.count++] = row;
        else
            training[fold->training.count++] = row;
    }
}

bool tabular_assign_folds(TabularSearch *search, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const SearchSpec *spec = search->search.spec;
    size_t rows = search->table.row_count;
    const int *labels = search->target->labels;
    const uint32_t *folds;

    if (search->target->numbers)
        labels = strata_of(search->target->numbers, rows, scratch);
    if (!deal_rows(search, labels, error))
        return false;
    folds = search->row_folds;
    search->fold_count = rows > ROWS_THREE_FOLDS && !spec->fold_count ? 1 : search->row_fold_count;
    search->folds = arena_array(search->search.work, TabularFold, search->fold_count);
    for (size_t fold = 0; fold < search->fold_count; fold++)
        list_rows(&search->folds[fold], folds, (uint32_t)fold, rows, search->search.work);
    return judge_rows(search, labels, folds, error);
}

/* ---- rows for learners ---- */

static float *weights_of(const TabularSearch *search, RowList rows, Arena *arena)
{
    const EncodingTarget *target = &search->encoded;
    size_t *counts = arena_array(arena, size_t, target->class_count + 1);
    float *weights = arena_array(arena, float, rows.count + 1);

    for (size_t i = 0; i < rows.count; i++)
        counts[target->labels[rows.items[i]]]++;
    for (size_t i = 0; i < rows.count; i++) {
        size_t count = counts[target->labels[rows.items[i]]];

        weights[i] = (float)((double)rows.count / ((double)target->class_count * (double)count));
    }
    return weights;
}

static bool boost_rows(const TabularSearch *search, const TabularFold *fold, bool is_training,
                       BoostMatrix **matrix, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const EncodingTarget *target = &search->encoded;
    RowList rows = is_training ? fold->training : fold->judged;
    size_t features = fold->encoding.feature_count;
    float *values = arena_take(scratch, (rows.count * features + 1) * sizeof(float));
    float *targets = arena_array(scratch, float, rows.count + 1);
    BoostRows made = {.values = values,
                      .row_count = rows.count,
                      .feature_count = features,
                      .targets = targets,
                      .is_binned = is_training && rows.count >= BINNED_ROWS_LEAST};

    if (is_training)
        encoding_apply_training(&fold->encoding, &search->table, rows, target, values);
    else
        encoding_apply(&fold->encoding, &search->table, rows, values);
    for (size_t i = 0; i < rows.count; i++)
        targets[i] = target->numbers ? (float)target->numbers[rows.items[i]]
                                     : (float)target->labels[rows.items[i]];
    if (search->search.spec->balance_classes && !target->numbers)
        made.weights = weights_of(search, rows, scratch);
    return boost_matrix_create(&made, matrix, error);
}

static bool prepare_fold(const TabularSearch *search, TabularFold *fold, Error *error)
{
    fold->encoding =
        encoding_fit_trees(&search->table, fold->training, &search->encoded, search->search.work);
    return boost_rows(search, fold, true, &fold->matrix, error) &&
           boost_rows(search, fold, false, &fold->held, error);
}

bool tabular_prepare_trees(TabularSearch *search, Error *error)
{
    search->has_trees = boost_open(&search->no_trees);
    for (size_t i = 0; search->has_trees && i < search->fold_count; i++)
        if (!prepare_fold(search, &search->folds[i], error))
            return false;
    return true;
}

void tabular_release_folds(TabularSearch *search)
{
    for (size_t i = 0; i < search->fold_count && search->folds; i++) {
        boost_matrix_destroy(&search->folds[i].matrix);
        boost_matrix_destroy(&search->folds[i].held);
    }
}

/* ---- linear models ---- */

RowList tabular_spread(RowList rows, size_t count, Arena *arena)
{
    size_t *items, step = (rows.count + count - 1) / count;

    if (step <= 1)
        return rows;
    count = (rows.count + step - 1) / step;
    items = arena_array(arena, size_t, count);
    for (size_t i = 0; i < count; i++)
        items[i] = rows.items[i * step];
    return (RowList){items, count};
}

LinearModel tabular_fit_linear(const TabularSearch *search, const Trial *trial,
                               const Matrix *matrix, RowList rows, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const EncodingTarget *target = &search->encoded;
    double *numbers = arena_array(scratch, double, rows.count + 1);
    int *labels = arena_array(scratch, int, rows.count + 1);
    TrainingSet set = {.matrix = matrix,
                       .labels = labels,
                       .class_count = target->class_count,
                       .balance_classes = search->search.spec->balance_classes,
                       .seed = search->search.spec->seed,
                       .thread_count = 1};

    for (size_t i = 0; i < rows.count; i++) {
        if (target->numbers)
            numbers[i] = target->numbers[rows.items[i]];
        else
            labels[i] = target->labels[rows.items[i]];
    }
    return target->numbers ? ridge_fit(matrix, numbers, trial->cost, arena)
                           : logistic_fit(&set, trial->cost, arena);
}

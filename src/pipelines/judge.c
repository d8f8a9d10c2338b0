#include "pipelines/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/text.h"
#include "ml/answers.h"

/* Rows without a target. */

/* In place: kept[i] >= i, so nothing is overwritten before it was moved. */
static void move_rows(Rows *rows, const size_t *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows->labels)
            rows->labels[i] = rows->labels[kept[i]];
        if (rows->targets)
            rows->targets[i] = rows->targets[kept[i]];
        rows->row_ids[i] = rows->row_ids[kept[i]];
        if (rows->groups)
            rows->groups[i] = rows->groups[kept[i]];
        if (rows->times)
            rows->times[i] = rows->times[kept[i]];
    }
}

size_t rows_drop_unlabelled(Rows *rows, Arena *arena)
{
    size_t *kept = arena_array(arena, size_t, rows->row_count + 1);
    size_t count = 0, dropped;

    for (size_t i = 0; i < rows->row_count; i++)
        if (rows_have_answer(rows, i))
            kept[count++] = i;
    dropped = rows->row_count - count;
    if (dropped == 0)
        return 0;
    rows->frame = frame_pick(&rows->frame, kept, count, arena);
    move_rows(rows, kept, count);
    rows->row_count = count;
    return dropped;
}

Frame frame_head(const Frame *frame, size_t row_count)
{
    Frame head = *frame;

    if (head.row_count > row_count)
        head.row_count = row_count;
    return head;
}

/* The union of classes. */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ClassNames unite(const Rows *rows, const ModelSet *models, Arena *arena)
{
    size_t room = rows->classes.count, count = 0, distinct = 0;
    const char **names;

    for (size_t i = 0; i < models->count; i++)
        room += predictor_classes(models->items[i])->count;
    names = arena_array(arena, const char *, room + 1);
    for (size_t i = 0; i < rows->classes.count; i++)
        names[count++] = rows->classes.items[i];
    for (size_t i = 0; i < models->count; i++)
        for (size_t j = 0; j < predictor_classes(models->items[i])->count; j++)
            names[count++] = predictor_classes(models->items[i])->items[j];
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || strcmp(names[distinct - 1], names[i]) != 0)
            names[distinct++] = names[i];
    return (ClassNames){names, distinct};
}

static const char *positive_name(const Predictor *model)
{
    return predictor_classes(model)->items[predictor_positive(model)];
}

static bool agree_on_positive(const ModelSet *models, Error *error)
{
    for (size_t i = 1; i < models->count; i++)
        if (strcmp(positive_name(models->items[i]), positive_name(models->items[0])) != 0)
            return fail(error, ERROR_CONFLICT,
                        "the models do not agree on the positive class: \"%s\" and \"%s\"",
                        positive_name(models->items[0]), positive_name(models->items[i]));
    return true;
}

static const char *answer_name(const Predictor *model)
{
    static const char *const names[] = {
        [TASK_CLASSIFICATION] = "class",
        [TASK_REGRESSION] = "number",
        [TASK_FORECAST] = "forecast",
    };

    return names[predictor_task(model)];
}

static bool agree_on_task(const ModelSet *models, Error *error)
{
    for (size_t i = 1; i < models->count; i++)
        if (predictor_task(models->items[i]) != predictor_task(models->items[0]))
            return fail(error, ERROR_CONFLICT,
                        "one of the models answers with a %s and the other with a %s, which cannot "
                        "be compared",
                        answer_name(models->items[0]), answer_name(models->items[i]));
    return true;
}

/* The labels as places among the classes of all. */
static bool unite_labels(const ModelSet *models, Arena *arena, Bench *made, Error *error)
{
    Rows *rows = &made->rows;
    ClassNames classes = unite(rows, models, arena);
    int *labels = arena_array(arena, int, rows->row_count + 1);

    if (!agree_on_positive(models, error))
        return false;
    for (size_t i = 0; i < rows->row_count; i++)
        labels[i] = rows->labels[i] < 0
                        ? -1
                        : class_names_find(&classes, rows->classes.items[rows->labels[i]]);
    rows->labels = labels;
    rows->classes = classes;
    made->positive = (size_t)class_names_find(&classes, positive_name(models->items[0]));
    return true;
}

static void copy_targets(Rows *rows, Arena *arena)
{
    double *targets = arena_array(arena, double, rows->row_count + 1);

    memcpy(targets, rows->targets, rows->row_count * sizeof(*targets));
    rows->targets = targets; /* rows_drop_unlabelled() moves them */
}

bool bench_from_rows(const Rows *rows, const ModelSet *models, Arena *arena, Bench *bench,
                     Error *error)
{
    Bench made = {.task = predictor_task(models->items[0]), .rows = *rows};

    if (!agree_on_task(models, error))
        return false;
    if (made.task == TASK_REGRESSION ? !rows->targets : !rows->labels)
        return fail(error, ERROR_CONFLICT, "the rows have no target to judge by");
    if (made.task == TASK_REGRESSION)
        copy_targets(&made.rows, arena);
    else if (!unite_labels(models, arena, &made, error))
        return false;
    made.unlabelled_count = rows_drop_unlabelled(&made.rows, arena);
    if (made.rows.row_count == 0)
        return fail(error, ERROR_CONFLICT, "no row has a target to judge by");
    *bench = made;
    return true;
}

static bool is_input(const ModelSet *models, const char *name)
{
    for (size_t i = 0; i < models->count; i++)
        for (size_t j = 0; j < predictor_input_count(models->items[i]); j++)
            if (strcmp(predictor_input(models->items[i], j).name, name) == 0)
                return true;
    return false;
}

/* A model of another version of the data may look at columns that are no features of this one. */
static DatasetColumns columns_for(const DatasetColumns *columns, const ModelSet *models,
                                  Arena *arena)
{
    DatasetColumns judged = {0};

    for (size_t i = 0; i < columns->count; i++) {
        DatasetColumn column = columns->items[i];

        if (!text_equal(column.role, "target") && is_input(models, column.name))
            column.role = "feature";
        *arena_push(arena, &judged) = column;
    }
    return judged;
}

bool bench_read(const RowsSpec *spec, const ModelSet *models, Arena *arena, Bench *bench,
                Error *error)
{
    RowsSpec judged = *spec;
    Rows rows;

    judged.columns = columns_for(&spec->columns, models, arena);
    judged.task = predictor_task(models->items[0]);
    return rows_read(&judged, arena, &rows, error) &&
           bench_from_rows(&rows, models, arena, bench, error);
}

/* Predictions. */

bool bench_predict(const Bench *bench, const Predictor *model, Arena *arena,
                   Predictions *predictions, Error *error)
{
    AnswerSpec spec = {model, &bench->rows.classes,
                       bench->thread_count ? bench->thread_count : parallel_core_count()};

    return answer_frame(&spec, &bench->rows.frame, arena, predictions, error);
}

static Predictions always_the_mean(const Bench *bench, Arena *arena)
{
    size_t row_count = bench->rows.row_count;
    double *numbers = arena_array(arena, double, row_count), mean = 0;

    for (size_t row = 0; row < row_count; row++)
        mean += bench->rows.targets[row] / (double)row_count;
    for (size_t row = 0; row < row_count; row++)
        numbers[row] = mean;
    return (Predictions){.numbers = numbers};
}

static Predictions always_the_commonest(const Bench *bench, Arena *arena)
{
    size_t row_count = bench->rows.row_count, width = bench->rows.classes.count, commonest = 0;
    size_t *counts = arena_array(arena, size_t, width);
    double *probabilities = arena_array(arena, double, row_count *width);
    int *predicted = arena_array(arena, int, row_count);

    for (size_t row = 0; row < row_count; row++)
        counts[bench->rows.labels[row]]++;
    for (size_t i = 1; i < width; i++)
        if (counts[i] > counts[commonest])
            commonest = i;
    for (size_t row = 0; row < row_count; row++) {
        predicted[row] = (int)commonest;
        for (size_t i = 0; i < width; i++)
            probabilities[row * width + i] = (double)counts[i] / (double)row_count;
    }
    return (Predictions){.predicted = predicted, .probabilities = probabilities};
}

Predictions bench_baseline(const Bench *bench, Arena *arena)
{
    return bench->task == TASK_REGRESSION ? always_the_mean(bench, arena)
                                          : always_the_commonest(bench, arena);
}

bool bench_report(const Bench *bench, const Predictions *predictions, Arena *arena, Report *report,
                  Error *error)
{
    if (bench->task == TASK_REGRESSION)
        return report_make_numbers(bench->rows.targets, predictions->numbers, bench->rows.row_count,
                                   report, error);
    return report_make(bench->rows.labels, predictions->predicted, predictions->probabilities,
                       bench->rows.row_count, &bench->rows.classes, bench->positive, arena, report,
                       error);
}

bool judge_find_metric(ModelTask task, const char *named, const MetricKind **metric, Error *error)
{
    const char *name = named ? named : metric_default(task);

    if (!metric_check(name, task, error))
        return fail_in(error, "the gate's rule cannot judge these models");
    *metric = metric_find(name);
    return true;
}

#include "ml/predictor.h"

#include <math.h>
#include <stdlib.h>

#include "ml/forecast_rows.h"
#include "ml/tabular_model.h"

/* One of them. */
struct Predictor {
    TextModel *text;
    TabularModel *table;
    ForecastModel *forecast;
};

/* Owns what it gets. */
static Predictor *predictor_create(Predictor parts)
{
    Predictor *model = malloc(sizeof(*model));

    if (!model)
        out_of_memory();
    *model = parts;
    return model;
}

static size_t count_texts(const Frame *frame)
{
    size_t count = 0;

    for (size_t i = 0; i < frame->column_count; i++)
        count += frame->columns[i].kind == COLUMN_TEXT;
    return count;
}

/* Trees learn many classes slowly, one after the other; what lines make of texts they learn at
 * once. */
enum { CLASSES_OF_TREES_MAX = 32 };

typedef struct Lesson {
    const Frame *frame;
    const Target *target;
    const SearchSpec *spec;
} Lesson;

/* The learner of texts reads no dates. */
static Frame without_dates(const Frame *frame, Learnt *learnt, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, frame->column_count + 1);
    Frame kept = {columns, 0, frame->row_count};

    for (size_t i = 0; i < frame->column_count; i++) {
        const FrameColumn *column = &frame->columns[i];

        if (column->kind != COLUMN_DATE) {
            columns[kept.column_count++] = *column;
            continue;
        }
        text_list_add(&learnt->left_out, arena, arena_text(arena, column->name));
        text_list_add(&learnt->notes, arena,
                      arena_format(arena,
                                   "\"%s\" is left out: with more than %d classes of texts and "
                                   "more a date is not learnt from",
                                   column->name, CLASSES_OF_TREES_MAX));
    }
    return kept;
}

static bool learn_text(const Lesson *lesson, Arena *arena, Learnt *result, Error *error)
{
    Learnt learnt = {0};
    Frame frame = without_dates(lesson->frame, &learnt, arena);
    SearchResult found;

    if (!text_model_search(&frame, lesson->target->labels, lesson->target->classes, lesson->spec,
                           arena, &found, error))
        return false;
    learnt.model = predictor_create((Predictor){.text = found.model});
    learnt.leaderboard = found.leaderboard;
    learnt.out_of_fold = found.out_of_fold;
    learnt.ended_after = found.ended_after;
    *result = learnt;
    return true;
}

static bool learn_table(const Lesson *lesson, Arena *arena, Learnt *result, Error *error)
{
    TabularResult found;

    if (!tabular_search(lesson->frame, lesson->target, lesson->spec, arena, &found, error))
        return false;
    *result = (Learnt){.model = predictor_create((Predictor){.table = found.model}),
                       .leaderboard = found.leaderboard,
                       .out_of_fold = found.out_of_fold,
                       .notes = found.notes,
                       .left_out = found.left_out,
                       .ended_after = found.ended_after};
    return true;
}

static bool suits_texts(const Frame *frame, const Target *target)
{
    size_t texts = count_texts(frame);

    return texts && !target->numbers &&
           (texts == frame->column_count || target->classes->count > CLASSES_OF_TREES_MAX);
}

bool predictor_learn(const Frame *frame, const Target *target, const SearchSpec *spec, Arena *arena,
                     Learnt *result, Error *error)
{
    const Lesson lesson = {frame, target, spec};

    return suits_texts(frame, target) ? learn_text(&lesson, arena, result, error)
                                      : learn_table(&lesson, arena, result, error);
}

Predictor *predictor_of_forecast(ForecastModel *forecast)
{
    return predictor_create((Predictor){.forecast = forecast});
}

const ForecastModel *predictor_forecast(const Predictor *model)
{
    return model->forecast;
}

ModelTask predictor_task(const Predictor *model)
{
    if (model->forecast)
        return TASK_FORECAST;
    return predictor_classes(model)->count ? TASK_CLASSIFICATION : TASK_REGRESSION;
}

size_t predictor_width(const Predictor *model)
{
    size_t count = predictor_classes(model)->count;

    if (model->forecast)
        return FORECAST_ANSWER_WIDTH;
    return count ? count : 1;
}

bool predictor_predict(const Predictor *model, const Frame *frame, double *answers, Arena *arena,
                       Error *error)
{
    if (model->forecast)
        return forecast_rows_predict(model->forecast, frame, answers, error);
    if (model->table)
        return tabular_model_predict(model->table, frame, answers, arena, error);
    return text_model_predict(model->text, frame, answers, arena, error);
}

bool predictor_predict_on(size_t thread_count, const Predictor *model, const Frame *frame,
                          double *answers, Error *error)
{
    if (model->forecast)
        return forecast_rows_predict(model->forecast, frame, answers, error);
    if (model->table)
        return tabular_model_predict_on(thread_count, model->table, frame, answers, error);
    return text_model_predict_on(thread_count, model->text, frame, answers, error);
}

double predictor_row_seconds(const Predictor *model)
{
    return model->table ? tabular_model_row_seconds(model->table) : TEXT_SECONDS;
}

size_t predictor_decide(const Predictor *model, const double *probabilities)
{
    return model->table ? tabular_model_decide(model->table, probabilities)
                        : text_model_decide(model->text, probabilities);
}

double predictor_threshold(const Predictor *model)
{
    if (predictor_classes(model)->count != 2)
        return NAN;
    return model->table ? tabular_model_threshold(model->table) : text_model_threshold(model->text);
}

bool predictor_explain(const Predictor *model, const Frame *frame, size_t row, size_t class_index,
                       Arena *arena, Explanation *explanation, Error *error)
{
    if (model->forecast)
        return fail(error, ERROR_CONFLICT, "a forecast has no contributions of columns");
    if (model->table)
        return tabular_model_explain(model->table, frame, row, class_index, arena, explanation,
                                     error);
    return text_model_explain(model->text, frame, row, class_index, arena, explanation, error);
}

size_t predictor_input_count(const Predictor *model)
{
    if (model->forecast)
        return forecast_rows_input_count(model->forecast);
    return model->table ? tabular_model_input_count(model->table)
                        : text_model_input_count(model->text);
}

ModelInput predictor_input(const Predictor *model, size_t index)
{
    if (model->forecast)
        return forecast_rows_input(index);
    return model->table ? tabular_model_input(model->table, index)
                        : text_model_input(model->text, index);
}

const ClassNames *predictor_classes(const Predictor *model)
{
    static const ClassNames none = {0};

    if (model->forecast)
        return &none;
    return model->table ? tabular_model_classes(model->table) : text_model_classes(model->text);
}

size_t predictor_positive(const Predictor *model)
{
    return model->table ? tabular_model_positive(model->table) : text_model_positive(model->text);
}

void predictor_save(const Predictor *model, Arena *arena, const char **bytes, size_t *size)
{
    if (model->forecast)
        forecast_model_save(model->forecast, arena, bytes, size);
    else if (model->table)
        tabular_model_save(model->table, arena, bytes, size);
    else
        text_model_save(model->text, arena, bytes, size);
}

/* How either kind is read: from a copy, or where it lies. */
typedef struct Readers {
    bool (*text)(const char *bytes, size_t size, TextModel **model, Error *error);
    bool (*table)(const char *bytes, size_t size, TabularModel **model, Error *error);
} Readers;

static bool load_with(const Readers *readers, const char *bytes, size_t size, Predictor **model,
                      Error *error)
{
    Predictor parts = {0};
    bool is_table = tabular_model_is_file(bytes, size);

    if (forecast_model_is_file(bytes, size)) {
        if (!forecast_model_load(bytes, size, &parts.forecast, error))
            return false;
        *model = predictor_create(parts);
        return true;
    }
    if (is_table ? !readers->table(bytes, size, &parts.table, error)
                 : !readers->text(bytes, size, &parts.text, error))
        return false;
    *model = predictor_create(parts);
    return true;
}

bool predictor_load(const char *bytes, size_t size, Predictor **model, Error *error)
{
    static const Readers readers = {text_model_load, tabular_model_load};

    return load_with(&readers, bytes, size, model, error);
}

bool predictor_load_in_place(const char *bytes, size_t size, Predictor **model, Error *error)
{
    static const Readers readers = {text_model_load_in_place, tabular_model_load_in_place};

    return load_with(&readers, bytes, size, model, error);
}

void predictor_unload(Predictor **model)
{
    if (!*model)
        return;
    text_model_unload(&(*model)->text);
    tabular_model_unload(&(*model)->table);
    forecast_model_unload(&(*model)->forecast);
    free(*model);
    *model = NULL;
}

#include "ml/answers.h"

static bool answer_numbers(const AnswerSpec *spec, const Frame *frame, Arena *arena,
                           Predictions *answers, Error *error)
{
    double *numbers = arena_array(arena, double, frame->row_count);

    *answers = (Predictions){.numbers = numbers};
    return predictor_predict_on(spec->thread_count, spec->model, frame, numbers, error);
}

/* For each class of the model its place among all. */
static const int *find_places(const AnswerSpec *spec, Arena *arena)
{
    const ClassNames *known = predictor_classes(spec->model);
    int *places = arena_array(arena, int, known->count);

    for (size_t i = 0; i < known->count; i++)
        places[i] = class_names_find(spec->classes, known->items[i]);
    return places;
}

static bool answer_classes(const AnswerSpec *spec, const Frame *frame, Arena *arena,
                           Predictions *answers, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t row_count = frame->row_count, width = spec->classes->count;
    size_t own_width = predictor_width(spec->model);
    const int *places = find_places(spec, scratch);
    double *own = arena_array(scratch, double, row_count *own_width);
    double *probabilities = arena_array(arena, double, row_count *width);
    int *predicted = arena_array(arena, int, row_count);

    if (!predictor_predict_on(spec->thread_count, spec->model, frame, own, error))
        return false;
    for (size_t row = 0; row < row_count; row++) {
        const double *from = own + row * own_width;

        for (size_t i = 0; i < own_width; i++)
            probabilities[row * width + (size_t)places[i]] = from[i];
        predicted[row] = places[predictor_decide(spec->model, from)];
    }
    *answers = (Predictions){.predicted = predicted, .probabilities = probabilities};
    return true;
}

bool answer_frame(const AnswerSpec *spec, const Frame *frame, Arena *arena, Predictions *answers,
                  Error *error)
{
    return predictor_task(spec->model) == TASK_REGRESSION
               ? answer_numbers(spec, frame, arena, answers, error)
               : answer_classes(spec, frame, arena, answers, error);
}

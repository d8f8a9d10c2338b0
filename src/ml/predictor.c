#include "ml/predictor.h"

#include <stdlib.h>
#include <string.h>

struct Predictor {
    TextModel *text;
};

static const char *const task_names[] = {
    [TASK_CLASSIFICATION] = "classification",
    [TASK_REGRESSION] = "regression",
};

const char *predictor_task_name(PredictorTask task)
{
    return task_names[task];
}

bool predictor_task_find(const char *name, PredictorTask *task)
{
    for (size_t i = 0; i < COUNT(task_names); i++) {
        if (strcmp(task_names[i], name) != 0)
            continue;
        *task = (PredictorTask)i;
        return true;
    }
    return false;
}

/* Owns what it gets. */
static Predictor *predictor_create(Predictor parts)
{
    Predictor *model = malloc(sizeof(*model));

    if (!model)
        out_of_memory();
    *model = parts;
    return model;
}

bool predictor_learn(const Frame *frame, const Target *target, const SearchSpec *spec, Arena *arena,
                     Learnt *result, Error *error)
{
    SearchResult found;

    if (!text_model_search(frame, target->labels, target->classes, spec, arena, &found, error))
        return false;
    *result =
        (Learnt){predictor_create((Predictor){found.model}), found.leaderboard, found.out_of_fold};
    return true;
}

PredictorTask predictor_task(const Predictor *model)
{
    return predictor_classes(model)->count ? TASK_CLASSIFICATION : TASK_REGRESSION;
}

size_t predictor_width(const Predictor *model)
{
    size_t count = predictor_classes(model)->count;

    return count ? count : 1;
}

bool predictor_predict(const Predictor *model, const Frame *frame, double *answers, Arena *arena,
                       Error *error)
{
    return text_model_predict(model->text, frame, answers, arena, error);
}

bool predictor_predict_on(size_t thread_count, const Predictor *model, const Frame *frame,
                          double *answers, Error *error)
{
    return text_model_predict_on(thread_count, model->text, frame, answers, error);
}

size_t predictor_decide(const Predictor *model, const double *probabilities)
{
    return text_model_decide(model->text, probabilities);
}

bool predictor_explain(const Predictor *model, const Frame *frame, size_t row, size_t class_index,
                       Arena *arena, Explanation *explanation, Error *error)
{
    return text_model_explain(model->text, frame, row, class_index, arena, explanation, error);
}

size_t predictor_input_count(const Predictor *model)
{
    return text_model_input_count(model->text);
}

ModelInput predictor_input(const Predictor *model, size_t index)
{
    return text_model_input(model->text, index);
}

const ClassNames *predictor_classes(const Predictor *model)
{
    return text_model_classes(model->text);
}

size_t predictor_positive(const Predictor *model)
{
    return text_model_positive(model->text);
}

void predictor_save(const Predictor *model, Arena *arena, const char **bytes, size_t *size)
{
    text_model_save(model->text, arena, bytes, size);
}

bool predictor_load(const char *bytes, size_t size, Predictor **model, Error *error)
{
    TextModel *text = NULL;

    if (!text_model_load(bytes, size, &text, error))
        return false;
    *model = predictor_create((Predictor){text});
    return true;
}

bool predictor_load_in_place(const char *bytes, size_t size, Predictor **model, Error *error)
{
    TextModel *text = NULL;

    if (!text_model_load_in_place(bytes, size, &text, error))
        return false;
    *model = predictor_create((Predictor){text});
    return true;
}

void predictor_unload(Predictor **model)
{
    if (!*model)
        return;
    text_model_unload(&(*model)->text);
    free(*model);
    *model = NULL;
}

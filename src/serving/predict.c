#include "serving/predict.h"

#include "serving/predict_forecast.h"
#include "serving/what_if.h"

bool predict_find(const Snapshot *snapshot, const char *name, const ServedEndpoint **served,
                  Error *error)
{
    const ServedEndpoint *found = snapshot_find(snapshot, name);

    if (!found)
        return fail(error, ERROR_NOT_FOUND, "endpoint \"%.100s\" does not exist", name);
    if (!found->loaded && found->problem)
        return fail(error, ERROR_UNAVAILABLE, "endpoint \"%s\" cannot serve: %s", name,
                    found->problem);
    if (!found->loaded)
        return fail(error, ERROR_UNAVAILABLE, "nothing is deployed on endpoint \"%s\"", name);
    *served = found;
    return true;
}

static const double *row_answer(const Prediction *prediction, size_t row)
{
    return prediction->answers + row * loaded_model_width(prediction->endpoint->loaded);
}

bool predict_frame(Prediction *made, Arena *arena, Error *error)
{
    const LoadedModel *loaded = made->endpoint->loaded;
    const Predictor *model = loaded->package.model;
    size_t count = made->frame.row_count;

    made->answers = arena_array(arena, double, count *loaded_model_width(loaded));
    made->labels = arena_array(arena, size_t, count);
    if (loaded->forecast ? !predict_forecasts(made, arena, error)
                         : !predictor_predict(model, &made->frame, made->answers, arena, error))
        return false;
    for (size_t row = 0; row < count && !loaded_model_has_numbers(loaded); row++)
        made->labels[row] = predictor_decide(model, row_answer(made, row));
    return true;
}

bool predict_by(const ServedEndpoint *served, const PredictRequest *request, Arena *arena,
                Prediction *prediction, Error *error)
{
    Prediction made = {.endpoint = served, .request_id = request->request_id};

    if (!body_read(&request->body, &served->loaded->inputs, arena, &made.frame, error) ||
        !predict_frame(&made, arena, error))
        return false;
    *prediction = made;
    return true;
}

bool predict_run(const Snapshot *snapshot, const PredictRequest *request, Arena *arena,
                 Prediction *prediction, Error *error)
{
    const ServedEndpoint *served;

    return predict_find(snapshot, request->endpoint, &served, error) &&
           predict_by(served, request, arena, prediction, error);
}

double prediction_number(const Prediction *prediction, size_t row)
{
    return row_answer(prediction, row)[prediction->labels[row]];
}

static void write_head(JsonWriter *json, const Prediction *prediction)
{
    json_text(json, "request_id", prediction->request_id);
    json_text(json, "endpoint", prediction->endpoint->name);
    json_text(json, "model", prediction->endpoint->model);
    json_int(json, "version", prediction->endpoint->version);
}

void prediction_write_answer(JsonWriter *json, const Prediction *prediction, size_t row)
{
    const ClassNames *classes = prediction->endpoint->loaded->classes;
    const double *probabilities = row_answer(prediction, row);
    size_t label = prediction->labels[row];

    if (prediction->forecasts) {
        forecast_answer_write_json(json, prediction, row);
        return;
    }
    if (loaded_model_has_numbers(prediction->endpoint->loaded)) {
        json_double(json, "value", probabilities[0]);
        return;
    }
    json_text(json, "label", classes->items[label]);
    json_double(json, "confidence", probabilities[label]);
    json_open_object(json, "probabilities");
    for (size_t i = 0; i < classes->count; i++)
        json_double(json, classes->items[i], probabilities[i]);
    json_close(json);
}

void prediction_write_json(JsonWriter *json, const Prediction *prediction)
{
    json_open_object(json, NULL);
    write_head(json, prediction);
    json_open_array(json, "predictions");
    for (size_t row = 0; row < prediction->frame.row_count; row++) {
        json_open_object(json, NULL);
        prediction_write_answer(json, prediction, row);
        json_close(json);
    }
    json_close(json);
    json_close(json);
}

static void write_contribution(JsonWriter *json, const Contribution *contribution)
{
    json_open_object(json, NULL);
    {
        json_text(json, "text", contribution->text);
        json_text(json, "column", contribution->column);
        json_int(json, "start", (int64_t)contribution->start);
        json_int(json, "length", (int64_t)contribution->length);
        json_double(json, "weight", contribution->weight);
    }
    json_close(json);
}

static void write_explanation(JsonWriter *json, const Explanation *explanation)
{
    size_t shown = explanation->count < EXPLAIN_TERMS_MAX ? explanation->count : EXPLAIN_TERMS_MAX;
    double rest = 0;

    json_double(json, "intercept", explanation->intercept);
    json_double(json, "margin", explanation->margin);
    json_open_array(json, "contributions");
    for (size_t i = 0; i < shown; i++)
        write_contribution(json, &explanation->items[i]);
    json_close(json);
    for (size_t i = shown; i < explanation->count; i++)
        rest += explanation->items[i].weight;
    json_open_object(json, "rest");
    json_int(json, "count", (int64_t)(explanation->count - shown));
    json_double(json, "weight", rest);
    json_close(json);
}

static bool explain_row(const Prediction *prediction, size_t row, JsonWriter *json, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Explanation explanation;

    if (prediction->forecasts) {
        json_open_object(json, NULL);
        forecast_explanation_write_json(json, prediction, row);
        json_close(json);
        return true;
    }
    if (!predictor_explain(prediction->endpoint->loaded->package.model, &prediction->frame, row,
                           prediction->labels[row], arena, &explanation, error))
        return false;
    json_open_object(json, NULL);
    prediction_write_answer(json, prediction, row);
    write_explanation(json, &explanation);
    if (prediction->what_if && !what_if_write_json(json, prediction, row, &explanation, error))
        return false;
    json_close(json);
    return true;
}

bool prediction_explain(const Prediction *prediction, JsonWriter *json, Error *error)
{
    json_open_object(json, NULL);
    write_head(json, prediction);
    json_open_array(json, "explanations");
    for (size_t row = 0; row < prediction->frame.row_count; row++)
        if (!explain_row(prediction, row, json, error))
            return false;
    json_close(json);
    json_close(json);
    return true;
}

/* predict.h: a request's rows in, a prediction for each out.
 *
 * Pure: what is answered depends on the snapshot and the request alone. No lock, no store, no
 * clock; the work of one request is bounded by the body and PREDICT_ROWS_MAX, so it may run on the
 * thread that reads the sockets.
 *
 *     Prediction prediction;
 *     if (!predict_run(snapshot, &request, arena, &prediction, error))
 *         return false;
 *     prediction_write_json(json, &prediction);
 */
#pragma once

#include "base/json.h"
#include "serving/snapshot.h"

enum {
    EXPLAIN_ROWS_MAX = 1000,
    EXPLAIN_TERMS_MAX = 20,
    FORECAST_REQUEST_STEPS_MAX = 20000, /* of all rows of a request */
};

typedef struct PredictRequest {
    const char *endpoint, *request_id;
    Body body;
    TextList what_if; /* to explain: COLUMN=VALUE each; see what_if.h */
} PredictRequest;

/* What a row asks of a model that forecasts, and all steps of the answer. */
typedef struct ForecastAnswer {
    ForecastAsk ask;
    DatedForecast dated;
} ForecastAnswer;

/* Points into the snapshot, the request and the arena. */
typedef struct Prediction {
    const ServedEndpoint *endpoint;
    const char *request_id;
    Frame frame;
    double *answers; /* row_count x predictor_width(): probabilities, the number, or of a forecast
                        its value and interval at the last step */
    size_t *labels;  /* per row, an index into the model's classes; 0 of numbers */
    const ForecastAnswer *forecasts;  /* per row; NULL of models that forecast nothing */
    const struct Prediction *what_if; /* of the rows with changes; NULL: nobody asked */
} Prediction;

/* The endpoint, with a loaded model. Not found: there is none; unavailable: it serves nothing. */
bool predict_find(const Snapshot *snapshot, const char *name, const ServedEndpoint **served,
                  Error *error) MUST_CHECK;

/* By a loaded version. Fails with what body_read() says. */
bool predict_by(const ServedEndpoint *served, const PredictRequest *request, Arena *arena,
                Prediction *prediction, Error *error) MUST_CHECK;

/* The answers to a frame whose columns are those of the endpoint's model, in their order. */
bool predict_frame(Prediction *made, Arena *arena, Error *error) MUST_CHECK;

/* By the live version. Fails with what predict_find() says, too. */
bool predict_run(const Snapshot *snapshot, const PredictRequest *request, Arena *arena,
                 Prediction *prediction, Error *error) MUST_CHECK;

/* The probability of the label that row was given, or the number that it was answered with; of a
 * forecast the value at its last step. */
double prediction_number(const Prediction *prediction, size_t row);

/* {"request_id", "endpoint", "model", "version", "predictions": [{"label", "confidence",
 * "probabilities": {...}}]}; of a model that answers with numbers [{"value"}], of one that
 * forecasts
 * [{"series", "choice", "level", "forecast": [{"time", "value", "low", "high"}]}] */
void prediction_write_json(JsonWriter *json, const Prediction *prediction);

/* The members of a row's answer, into the open object. */
void prediction_write_answer(JsonWriter *json, const Prediction *prediction, size_t row);

/* The same with "explanations": per row also "intercept", "margin", "contributions" (the
 * EXPLAIN_TERMS_MAX strongest) and "rest" (count and weight of the others): intercept +
 * contributions + rest = margin of the label's class, before calibration, or the value. With a
 * what-if also "what_if": see what_if.h. */
bool prediction_explain(const Prediction *prediction, JsonWriter *json, Error *error) MUST_CHECK;

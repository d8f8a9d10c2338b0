/* predict_forecast.h: what a model that forecasts answers to a request's rows (ml/forecast_rows.h).
 */
#pragma once

#include "base/time.h"
#include "serving/predict.h"

/* Fills forecasts and answers of a prediction whose frame was read. Fails with a sentence that
 * names row and column, and with too large when all rows ask for over FORECAST_REQUEST_STEPS_MAX
 * steps. */
bool predict_forecasts(Prediction *made, Arena *arena, Error *error) MUST_CHECK;

/* "2014-06-01" where all steps are whole days, which begin at midnight; else a moment in UTC. */
const char *forecast_time_text(int64_t time_ms, const Frequency *frequency,
                               char text[TIME_TEXT_SIZE]);

/* The members of a row's answer. */
void forecast_answer_write_json(JsonWriter *json, const Prediction *prediction, size_t row);

/* The same with what the series is forecast by, and how well that did in its back-tests. */
void forecast_explanation_write_json(JsonWriter *json, const Prediction *prediction, size_t row);

/* train_forecast.h: the step "train" of a forecast.
 *
 * The last horizon values of each series are held out. What is chosen is chosen by back-tests on
 * the values before (ml/forecast_model.h), judged on the held-out dates once, and then renewed on
 * all values: that model is packaged, so that it forecasts what is still to come.
 */
#pragma once

#include "base/worker.h"

bool train_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);

/* evaluate_forecast.h: the step "evaluate" of a forecast: how good a package is on dates of some
 * data.
 *
 * They are the dates after the end of what it has learnt from, its horizon at most, the last ones
 * of the data; it forecasts them as it serves. Where the data has no such dates, or they lie beyond
 * what it forecasts, it is judged as the gate judges (forecast_match.h): renewed on what lies
 * before the last dates.
 */
#pragma once

#include "base/worker.h"

bool evaluate_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);

/* gate_forecast.h: the step "gate" of forecasts: the numbers of a challenger, of the champion and
 * of always the mean, all on the same dates: the last horizon of the challenger's data, of the
 * series that both forecast.
 *
 * Neither may have seen them: forecast_match.h says how that is come by, and "notes" which it was.
 */
#pragma once

#include "base/worker.h"

bool gate_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);

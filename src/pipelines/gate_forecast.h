/* gate_forecast.h: the step "gate" of forecasts: the numbers of a challenger, of the champion and
 * of always the mean, all on the same dates: the last horizon of the challenger's data, of the
 * series that both forecast.
 *
 * Neither may have seen them. A model that has, as the challenger which was renewed on all of its
 * data, is renewed on the values before: what it chose stays, what it learnt is learnt again. One
 * that ends before the dates forecasts them from its own end, as it serves; where they lie beyond
 * the most steps that it forecasts it is renewed, too. "notes" says which it was.
 */
#pragma once

#include "base/worker.h"

bool gate_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);

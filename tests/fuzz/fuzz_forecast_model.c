/* fuzz_forecast_model.c: any bytes are either refused as a forecast model or are one: then they are
 * saved as they came, every series is found by its id, and forecasts it with an interval around its
 * mean, or says why not; where it depends on known columns, with the rows of the file or without.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ml/forecast_model.h"

enum { SERIES_SEEN_MAX = 8 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_effects(const ForecastModel *model, const ForecastAsk *ask, Arena *arena)
{
    size_t columns = forecast_model_known(model)->count;
    ForecastEffects effects;
    Error error = {0};

    if (!forecast_model_effects(model, ask, arena, &effects, &error)) {
        require(error.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < ask->steps * columns; i++)
        require(isnan(effects.rows[i])
                    ? ask->may_miss_known
                    : known_value_is_allowed(&forecast_model_known(model)->items[i % columns],
                                             effects.rows[i]));
}

static void check_series(const ForecastModel *model, size_t index, Arena *arena)
{
    ForecastSeries series = forecast_model_series(model, index);
    ForecastAsk ask = {index, forecast_model_steps_max(model), 0.95, NULL, index % 2 == 0};
    DatedForecast forecast;
    size_t found;
    Error error = {0};

    require(forecast_model_find(model, series.id, &found) && found == index);
    require(series.choice && series.count > 0);
    require(!series.with_known || forecast_model_known(model)->count > 0);
    if (series.with_known)
        check_effects(model, &ask, arena);
    if (!forecast_model_predict(model, &ask, arena, &forecast, &error)) {
        require(error.message[0] != '\0');
        return;
    }
    require(forecast.count == ask.steps);
    for (size_t i = 0; i < forecast.count; i++) {
        require(isfinite(forecast.mean[i]) && forecast.low[i] <= forecast.high[i]);
        require(forecast.times_ms[i] > series.last_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    const char *saved;
    size_t saved_size;
    Error error = {0};

    if (!forecast_model_load((const char *)data, size, &model, &error)) {
        require(error.message[0] != '\0');
        return 0;
    }
    forecast_model_save(model, arena, &saved, &saved_size);
    require(saved_size == size && memcmp(saved, data, size) == 0);
    for (size_t i = 0; i < forecast_model_count(model) && i < SERIES_SEEN_MAX; i++)
        check_series(model, i, arena);
    return 0;
}

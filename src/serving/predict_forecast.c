#include "serving/predict_forecast.h"

#include <math.h>

#include "ml/forecast_rows.h"

enum { DATE_LENGTH = 10 };

static const ForecastModel *model_of(const Prediction *prediction)
{
    return prediction->endpoint->loaded->forecast;
}

/* Before anything is computed. */
static bool read_asks(const Prediction *made, ForecastAnswer *answers, Arena *arena, Error *error)
{
    size_t steps = 0;

    for (size_t row = 0; row < made->frame.row_count; row++) {
        if (!forecast_rows_ask(model_of(made), &made->frame, row, &answers[row].ask, error))
            return false;
        steps += answers[row].ask.steps;
        if (steps > FORECAST_REQUEST_STEPS_MAX)
            return fail(error, ERROR_TOO_LARGE,
                        "a request asks for at most %d steps of forecasts in all its rows",
                        FORECAST_REQUEST_STEPS_MAX);
        if (!forecast_rows_known(model_of(made), &(ForecastRow){&made->frame, row}, arena,
                                 &answers[row].ask, error))
            return false;
    }
    return true;
}

bool predict_forecasts(Prediction *made, Arena *arena, Error *error)
{
    ForecastAnswer *answers = arena_array(arena, ForecastAnswer, made->frame.row_count);

    if (!read_asks(made, answers, arena, error))
        return false;
    for (size_t row = 0; row < made->frame.row_count; row++) {
        DatedForecast *dated = &answers[row].dated;
        double *answer = made->answers + row * FORECAST_ANSWER_WIDTH;

        if (!forecast_model_predict(model_of(made), &answers[row].ask, arena, dated, error))
            return false;
        answer[0] = dated->mean[dated->count - 1];
        answer[1] = dated->low[dated->count - 1];
        answer[2] = dated->high[dated->count - 1];
    }
    made->forecasts = answers;
    return true;
}

const char *forecast_time_text(int64_t time_ms, const Frequency *frequency,
                               char text[TIME_TEXT_SIZE])
{
    bool is_date = time_ms % FREQUENCY_DAY_MS == 0 &&
                   (frequency->months || frequency->step_ms % FREQUENCY_DAY_MS == 0);

    time_format(time_ms, text);
    if (is_date)
        text[DATE_LENGTH] = '\0';
    return text;
}

static void write_steps(JsonWriter *json, const DatedForecast *dated, const Frequency *frequency)
{
    char text[TIME_TEXT_SIZE];

    json_open_array(json, "forecast");
    for (size_t i = 0; i < dated->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "time", forecast_time_text(dated->times_ms[i], frequency, text));
        json_double(json, "value", dated->mean[i]);
        json_double(json, "low", dated->low[i]);
        json_double(json, "high", dated->high[i]);
        json_close(json);
    }
    json_close(json);
}

void forecast_answer_write_json(JsonWriter *json, const Prediction *prediction, size_t row)
{
    const ForecastAnswer *answer = &prediction->forecasts[row];
    ForecastSeries series = forecast_model_series(model_of(prediction), answer->ask.series);
    Frequency frequency = forecast_model_frequency(model_of(prediction));

    json_text(json, "series", series.id);
    json_text(json, "choice", series.choice);
    json_double(json, "level", answer->ask.level);
    write_steps(json, &answer->dated, &frequency);
}

/* In the package's report, whose series come in the order of the model's. */
static const JsonValue *find_backtest(const Prediction *prediction, const char *id)
{
    const JsonValue *report = prediction->endpoint->loaded->package.report;

    for (JsonWalk walk = json_walk(json_member(report, "series")); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "id"), NULL), id))
            return walk.value;
    return NULL;
}

static void write_backtest(JsonWriter *json, const JsonValue *scores)
{
    static const char *const figures[] = {"mase", "smape", "rmse", "coverage"};

    if (!scores) {
        json_null(json, "backtest");
        return;
    }
    json_open_object(json, "backtest");
    json_int(json, "windows", json_as_int(json_member(scores, "windows"), 0));
    for (size_t i = 0; i < COUNT(figures); i++)
        json_double(json, figures[i], json_as_double(json_member(scores, figures[i]), NAN));
    json_close(json);
}

static void write_value(JsonWriter *json, const char *key, const KnownColumn *column, double value)
{
    if (column->level_count && !isnan(value))
        json_text(json, key, column->levels[(size_t)value]);
    else
        json_double(json, key, value);
}

/* Of each column the value that counts as usual, and by step its value and what it does. */
static void write_effects(JsonWriter *json, const ForecastModel *model,
                          const ForecastEffects *effects, size_t steps)
{
    const KnownColumns *columns = forecast_model_known(model);

    for (size_t i = 0; i < columns->count; i++) {
        const KnownColumn *column = &columns->items[i];

        json_open_object(json, column->name);
        write_value(json, "usual", column, effects->usual[i]);
        json_open_array(json, "values");
        for (size_t step = 0; step < steps; step++)
            write_value(json, NULL, column, effects->rows[step * columns->count + i]);
        json_close(json);
        json_open_array(json, "effects");
        for (size_t step = 0; step < steps; step++)
            json_double(json, NULL, effects->effects[step * columns->count + i]);
        json_close(json);
        json_close(json);
    }
}

/* Empty where the series is forecast without. What the prediction has found can be found again. */
static void write_known(JsonWriter *json, const ForecastModel *model, const ForecastAsk *ask)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastEffects effects;
    Error error;

    json_open_object(json, "known");
    if (forecast_model_series(model, ask->series).with_known &&
        forecast_model_effects(model, ask, arena, &effects, &error))
        write_effects(json, model, &effects, ask->steps);
    json_close(json);
}

void forecast_explanation_write_json(JsonWriter *json, const Prediction *prediction, size_t row)
{
    const ForecastAnswer *answer = &prediction->forecasts[row];
    ForecastSeries series = forecast_model_series(model_of(prediction), answer->ask.series);
    char last[TIME_TEXT_SIZE];

    forecast_answer_write_json(json, prediction, row);
    json_int(json, "values", (int64_t)series.count);
    json_text(json, "last", time_format(series.last_ms, last));
    write_backtest(json, find_backtest(prediction, series.id));
    if (forecast_model_known(model_of(prediction))->count > 0)
        write_known(json, model_of(prediction), &answer->ask);
}

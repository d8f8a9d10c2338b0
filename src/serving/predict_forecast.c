#include "serving/predict_forecast.h"

#include <math.h>

#include "ml/forecast_rows.h"

enum { DATE_LENGTH = 10 };

static const ForecastModel *model_of(const Prediction *prediction)
{
    return prediction->endpoint->loaded->forecast;
}

/* Before anything is computed. */
static bool read_asks(const Prediction *made, ForecastAnswer *answers, Error *error)
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
    }
    return true;
}

bool predict_forecasts(Prediction *made, Arena *arena, Error *error)
{
    ForecastAnswer *answers = arena_array(arena, ForecastAnswer, made->frame.row_count);

    if (!read_asks(made, answers, error))
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

void forecast_explanation_write_json(JsonWriter *json, const Prediction *prediction, size_t row)
{
    const ForecastAnswer *answer = &prediction->forecasts[row];
    ForecastSeries series = forecast_model_series(model_of(prediction), answer->ask.series);
    char last[TIME_TEXT_SIZE];

    forecast_answer_write_json(json, prediction, row);
    json_int(json, "values", (int64_t)series.count);
    json_text(json, "last", time_format(series.last_ms, last));
    write_backtest(json, find_backtest(prediction, series.id));
}

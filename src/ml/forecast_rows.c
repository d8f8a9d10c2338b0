#include "ml/forecast_rows.h"

#include <math.h>
#include <string.h>

enum { INPUT_STEPS, INPUT_SERIES, INPUT_LEVEL };

static const ModelInput inputs[FORECAST_INPUT_COUNT] = {
    [INPUT_STEPS] = {"steps", COLUMN_NUMBER},
    [INPUT_SERIES] = {"series", COLUMN_CATEGORY},
    [INPUT_LEVEL] = {"level", COLUMN_NUMBER},
};

ModelInput forecast_rows_input(size_t index)
{
    return inputs[index];
}

static const FrameColumn *find_column(const Frame *frame, size_t input)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, inputs[input].name) == 0 &&
            frame->columns[i].kind == inputs[input].kind)
            return &frame->columns[i];
    return NULL;
}

/* NaN where the frame has none. */
static double number_of(const Frame *frame, size_t input, size_t row)
{
    const FrameColumn *column = find_column(frame, input);

    return column ? column->numbers[row] : NAN;
}

static bool read_steps(const ForecastModel *model, double steps, size_t row, ForecastAsk *ask,
                       Error *error)
{
    size_t most = forecast_model_steps_max(model);

    ask->steps = forecast_model_horizon(model);
    if (isnan(steps))
        return true;
    if (!(steps >= 1 && steps <= (double)most) || steps != floor(steps))
        return fail_field(error, "steps",
                          "\"steps\" in row %zu is a whole number from 1 to %zu, the most that "
                          "this model forecasts, not %g",
                          row + 1, most, steps);
    ask->steps = (size_t)steps;
    return true;
}

static bool find_series(const ForecastModel *model, TextRef id, size_t *index)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return !memchr(id.bytes, '\0', id.length) &&
           forecast_model_find(model, arena_copy(arena, id.bytes, id.length), index);
}

static bool read_series(const ForecastModel *model, TextRef id, size_t row, ForecastAsk *ask,
                        Error *error)
{
    size_t count = forecast_model_count(model);
    const char *first = forecast_model_series(model, 0).id;

    if (!id.bytes && count == 1)
        return true;
    if (!id.bytes)
        return fail_field(error, "series",
                          "row %zu must name one of the model's %zu series, as \"%.80s\"", row + 1,
                          count, first);
    if (count == 1 && !*first && id.length)
        return fail_field(error, "series",
                          "row %zu names a series, and the model has a single one without a name: "
                          "leave \"series\" out",
                          row + 1);
    return find_series(model, id, &ask->series) ||
           fail_field(error, "series",
                      "the model has no series \"%.*s\", named in row %zu; it has %zu, as "
                      "\"%.80s\"",
                      id.length < 80 ? (int)id.length : 80, id.bytes, row + 1, count, first);
}

static bool read_level(double level, size_t row, ForecastAsk *ask, Error *error)
{
    ask->level = isnan(level) ? FORECAST_LEVEL : level;
    return (ask->level >= FORECAST_LEVEL_MIN && ask->level <= FORECAST_LEVEL_MAX) ||
           fail_field(error, "level",
                      "\"level\" in row %zu is the share of values that an interval is to hold, "
                      "from %g to %g, not %g",
                      row + 1, FORECAST_LEVEL_MIN, FORECAST_LEVEL_MAX, level);
}

bool forecast_rows_ask(const ForecastModel *model, const Frame *frame, size_t row, ForecastAsk *ask,
                       Error *error)
{
    const FrameColumn *ids = find_column(frame, INPUT_SERIES);
    ForecastAsk asked = {0};

    if (!read_series(model, ids ? ids->texts[row] : (TextRef){0}, row, &asked, error) ||
        !read_steps(model, number_of(frame, INPUT_STEPS, row), row, &asked, error) ||
        !read_level(number_of(frame, INPUT_LEVEL, row), row, &asked, error))
        return false;
    *ask = asked;
    return true;
}

static bool answer_row(const ForecastModel *model, const Frame *frame, size_t row, double *answer,
                       Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastAsk ask;
    DatedForecast dated;

    if (!forecast_rows_ask(model, frame, row, &ask, error) ||
        !forecast_model_predict(model, &ask, arena, &dated, error))
        return false;
    answer[0] = dated.mean[ask.steps - 1];
    answer[1] = dated.low[ask.steps - 1];
    answer[2] = dated.high[ask.steps - 1];
    return true;
}

bool forecast_rows_predict(const ForecastModel *model, const Frame *frame, double *answers,
                           Error *error)
{
    for (size_t row = 0; row < frame->row_count; row++)
        if (!answer_row(model, frame, row, answers + row * FORECAST_ANSWER_WIDTH, error))
            return false;
    return true;
}

Frame forecast_rows_spread(const ForecastModel *model, size_t row_count, Arena *arena)
{
    size_t most = forecast_model_steps_max(model), count = forecast_model_count(model);
    double *steps = arena_array(arena, double, row_count);
    double *levels = arena_array(arena, double, row_count);
    TextRef *ids = arena_array(arena, TextRef, row_count);
    FrameColumn *columns = arena_array(arena, FrameColumn, FORECAST_INPUT_COUNT);

    for (size_t i = 0; i < row_count; i++) {
        const char *id = forecast_model_series(model, i * count / row_count).id;
        size_t step = 1 + i * most / row_count;

        steps[i] = (double)step;
        levels[i] = i % 2 ? 0.8 : FORECAST_LEVEL;
        ids[i] = (TextRef){arena_text(arena, id), strlen(id)};
    }
    for (size_t i = 0; i < FORECAST_INPUT_COUNT; i++)
        columns[i] = (FrameColumn){.name = inputs[i].name, .kind = inputs[i].kind};
    columns[INPUT_STEPS].numbers = steps;
    columns[INPUT_SERIES].texts = ids;
    columns[INPUT_LEVEL].numbers = levels;
    return (Frame){columns, FORECAST_INPUT_COUNT, row_count};
}

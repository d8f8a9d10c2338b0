#include "ml/forecast_rows.h"

#include <math.h>
#include <string.h>

#include "base/json.h"

enum { INPUT_STEPS, INPUT_SERIES, INPUT_LEVEL, INPUT_KNOWN };

static const ModelInput inputs[FORECAST_INPUT_COUNT] = {
    [INPUT_STEPS] = {"steps", COLUMN_NUMBER},
    [INPUT_SERIES] = {"series", COLUMN_CATEGORY},
    [INPUT_LEVEL] = {"level", COLUMN_NUMBER},
    [INPUT_KNOWN] = {"known", COLUMN_CATEGORY, .takes_object = true},
};

size_t forecast_rows_input_count(const ForecastModel *model)
{
    return forecast_model_known(model)->count > 0 ? FORECAST_INPUT_COUNT : INPUT_KNOWN;
}

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

/* ---- known columns ---- */

/* The cells of one column under way. */
typedef struct KnownReading {
    const KnownColumns *columns;
    size_t column, row;
    double *values; /* steps x columns->count */
    size_t steps;
    Arena *arena;
    Error *error;
} KnownReading;

static bool fail_value(const KnownReading *reading)
{
    const KnownColumn *column = &reading->columns->items[reading->column];

    return fail_field(reading->error, column->name,
                      "the known column \"%.64s\" in row %zu takes %s, for each step", column->name,
                      reading->row + 1, known_column_allows(column, reading->arena));
}

/* Numbers as categories spell them: 1, 2.5, true; null is an empty cell. */
static double level_of(const KnownReading *reading, const JsonValue *value)
{
    const KnownColumn *column = &reading->columns->items[reading->column];

    if (json_is_null(value))
        return known_level_find(column, "");
    if (json_is_text(value))
        return known_level_find(column, json_as_text(value, ""));
    if (json_is_number(value))
        return known_level_find(column,
                                arena_format(reading->arena, "%.15g", json_as_double(value, NAN)));
    return json_is_bool(value) ? known_level_find(column, json_print(value, reading->arena)) : NAN;
}

static double number_in(const JsonValue *value)
{
    if (json_is_bool(value))
        return json_as_bool(value, false);
    return json_is_number(value) ? json_as_double(value, NAN) : NAN;
}

static bool set_known(const KnownReading *reading, size_t step, const JsonValue *value)
{
    const KnownColumn *column = &reading->columns->items[reading->column];
    double read = column->level_count ? level_of(reading, value) : number_in(value);

    reading->values[step * reading->columns->count + reading->column] = read;
    return known_value_is_allowed(column, read) || fail_value(reading);
}

static bool read_column(const KnownReading *reading, const JsonValue *values)
{
    const char *name = reading->columns->items[reading->column].name;

    for (size_t step = 0; step < reading->steps && !json_is_array(values); step++)
        if (!set_known(reading, step, values))
            return false;
    if (!json_is_array(values))
        return true;
    if (json_count(values) != reading->steps)
        return fail_field(reading->error, name,
                          "the known column \"%.64s\" in row %zu has %zu values, and %zu steps are "
                          "asked for: a value for each step, or one for all",
                          name, reading->row + 1, json_count(values), reading->steps);
    for (JsonWalk walk = json_walk(values); json_walk_next(&walk);)
        if (!set_known(reading, walk.index, walk.value))
            return false;
    return true;
}

static bool read_columns(KnownReading *reading, const JsonValue *object)
{
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        reading->column = known_column_find(reading->columns, walk.key);
        if (reading->column == reading->columns->count)
            return fail_field(reading->error, "known",
                              "\"known\" in row %zu names \"%.64s\": the model's known columns are "
                              "%s",
                              reading->row + 1, walk.key,
                              known_columns_describe(reading->columns, reading->arena));
        if (!read_column(reading, walk.value))
            return false;
    }
    return true;
}

bool forecast_rows_known(const ForecastModel *model, const ForecastRow *asked, Arena *arena,
                         ForecastAsk *ask, Error *error)
{
    const FrameColumn *column = find_column(asked->frame, INPUT_KNOWN);
    const KnownColumns *columns = forecast_model_known(model);
    KnownReading reading = {columns, 0, asked->row, NULL, ask->steps, arena, error};
    const JsonValue *object = NULL;
    TextRef text = column ? column->texts[asked->row] : (TextRef){0};

    if (!text.bytes || columns->count == 0)
        return true;
    if (!json_parse(text.bytes, text.length, arena, &object, error) || !json_is_object(object))
        return fail_field(error, "known",
                          "\"known\" in row %zu is an object with a list of values for each of "
                          "some known columns: %s",
                          asked->row + 1, known_columns_describe(columns, arena));
    reading.values = arena_array(arena, double, ask->steps * columns->count);
    for (size_t i = 0; i < ask->steps * columns->count; i++)
        reading.values[i] = NAN;
    if (!read_columns(&reading, object))
        return false;
    ask->known = reading.values;
    return true;
}

/* ---- answers ---- */

static bool answer_row(const ForecastModel *model, const Frame *frame, size_t row, double *answer,
                       Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastAsk ask;
    DatedForecast dated;

    if (!forecast_rows_ask(model, frame, row, &ask, error) ||
        !forecast_rows_known(model, &(ForecastRow){frame, row}, arena, &ask, error) ||
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

/* An object with a value of each known column for all steps: a number that differs from row to row,
 * or one of the levels. */
static TextRef spread_known(const KnownColumns *columns, size_t row, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const char *text;

    json_open_object(json, NULL);
    for (size_t i = 0; i < columns->count; i++) {
        const KnownColumn *column = &columns->items[i];

        if (column->level_count)
            json_text(json, column->name, column->levels[row % column->level_count]);
        else
            json_int(json, column->name, (int64_t)(row % 2));
    }
    json_close(json);
    text = json_finish(json);
    return (TextRef){text, strlen(text)};
}

Frame forecast_rows_spread(const ForecastModel *model, size_t row_count, Arena *arena)
{
    size_t most = forecast_model_steps_max(model), count = forecast_model_count(model);
    double *steps = arena_array(arena, double, row_count);
    double *levels = arena_array(arena, double, row_count);
    TextRef *ids = arena_array(arena, TextRef, row_count);
    TextRef *known = arena_array(arena, TextRef, row_count);
    size_t input_count = forecast_rows_input_count(model);
    FrameColumn *columns = arena_array(arena, FrameColumn, FORECAST_INPUT_COUNT);

    for (size_t i = 0; i < row_count; i++) {
        const char *id = forecast_model_series(model, i * count / row_count).id;
        size_t step = 1 + i * most / row_count;

        steps[i] = (double)step;
        levels[i] = i % 2 ? 0.8 : FORECAST_LEVEL;
        ids[i] = (TextRef){arena_text(arena, id), strlen(id)};
        if (input_count > INPUT_KNOWN)
            known[i] = spread_known(forecast_model_known(model), i, arena);
    }
    for (size_t i = 0; i < FORECAST_INPUT_COUNT; i++)
        columns[i] = (FrameColumn){.name = inputs[i].name, .kind = inputs[i].kind};
    columns[INPUT_STEPS].numbers = steps;
    columns[INPUT_SERIES].texts = ids;
    columns[INPUT_LEVEL].numbers = levels;
    columns[INPUT_KNOWN].texts = known;
    return (Frame){columns, input_count, row_count};
}

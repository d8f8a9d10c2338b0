/* A forecast asked in rows: what is left out, what is refused, and the same after loading. */
#include "ml/forecast_rows.h"

#include "ml/predictor.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

static const int64_t december_1960 = -284083200000; /* 1960-12-31 */

static Predictor *train(size_t series_count, Arena *arena)
{
    const ForecastInput inputs[] = {{"passengers", passengers, 144, december_1960},
                                    {"their past", passengers, 132, december_1960}};
    const ForecastSpec spec = {
        .frequency = {0, 1, 31}, .horizon = 12, .periods = {12}, .period_count = 1};
    ForecastResult result = {0};
    Error error = {0};

    EXPECT_OK(forecast_model_train(&(ForecastInputs){inputs, series_count, 1}, &spec, arena,
                                   &result, &error),
              error);
    return predictor_of_forecast(result.model);
}

/* A row of what is asked; NAN and NULL: left out. */
typedef struct Row {
    double steps;
    const char *series;
    double level;
    const char *refusal; /* NULL: it is answered */
} Row;

static Frame frame_of(const Row *row, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, FORECAST_INPUT_COUNT);
    double *numbers = arena_array(arena, double, 2);
    TextRef *text = arena_new(arena, TextRef);

    for (size_t i = 0; i < FORECAST_INPUT_COUNT; i++) {
        ModelInput input = forecast_rows_input(i);

        columns[i] = (FrameColumn){input.name, input.kind, text, &numbers[i / 2]};
    }
    numbers[0] = row->steps;
    numbers[1] = row->level;
    if (row->series)
        *text = (TextRef){row->series, strlen(row->series)};
    return (Frame){columns, FORECAST_INPUT_COUNT, 1};
}

static void test_what_is_left_out_is_the_horizon_the_only_series_and_95_per_cent(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(predictor_unload) Predictor *model = train(1, arena);
    Frame frame = frame_of(&(Row){NAN, NULL, NAN, NULL}, arena);
    ForecastAsk ask = {0};
    Error error = {0};

    EXPECT(predictor_task(model) == TASK_FORECAST && predictor_classes(model)->count == 0);
    EXPECT_OK(forecast_rows_ask(predictor_forecast(model), &frame, 0, &ask, &error), error);
    EXPECT(ask.series == 0 && ask.steps == 12 && ask.level == 0.95);
    frame.column_count = 0;
    EXPECT_OK(forecast_rows_ask(predictor_forecast(model), &frame, 0, &ask, &error), error);
    EXPECT(ask.steps == 12);
}

static void test_each_mistake_is_said_with_what_is_allowed(void)
{
    static const Row rows[] = {
        {0, "passengers", NAN, "\"steps\" in row 1 is a whole number from 1 to 48"},
        {49, "passengers", NAN, "\"steps\" in row 1 is a whole number from 1 to 48"},
        {1.5, "passengers", NAN, "not 1.5"},
        {-INFINITY, "passengers", NAN, "not -inf"},
        {1, NULL, NAN, "row 1 must name one of the model's 2 series, as \"passengers\""},
        {1, "", NAN, "the model has no series \"\", named in row 1; it has 2"},
        {1, "store 7", NAN, "the model has no series \"store 7\", named in row 1; it has 2"},
        {1, "passengers", 0, "from 0.01 to 0.999, not 0"},
        {1, "passengers", 1, "from 0.01 to 0.999, not 1"},
        {48, "their past", 0.999, NULL},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(predictor_unload) Predictor *model = train(2, arena);

    for (size_t i = 0; i < COUNT(rows); i++) {
        Frame frame = frame_of(&rows[i], arena);
        ForecastAsk ask;
        Error error = {0};
        bool asked = forecast_rows_ask(predictor_forecast(model), &frame, 0, &ask, &error);

        EXPECT(asked == !rows[i].refusal);
        EXPECT(asked || (error.kind == ERROR_FIELD && strstr(error.message, rows[i].refusal)));
    }
}

static void test_an_answer_is_the_last_step_that_was_asked_for(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(predictor_unload) Predictor *model = train(2, arena);
    Frame frame = frame_of(&(Row){7, "their past", 0.8, NULL}, arena);
    double answer[FORECAST_ANSWER_WIDTH];
    DatedForecast dated;
    Error error = {0};

    EXPECT(predictor_width(model) == FORECAST_ANSWER_WIDTH);
    EXPECT_OK(predictor_predict(model, &frame, answer, arena, &error), error);
    EXPECT_OK(forecast_model_predict(predictor_forecast(model), &(ForecastAsk){1, 7, 0.8}, arena,
                                     &dated, &error),
              error);
    EXPECT(answer[0] == dated.mean[6] && answer[1] == dated.low[6] && answer[2] == dated.high[6]);
}

static void test_rows_spread_over_all_series_and_steps_are_answered_the_same_after_loading(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(predictor_unload) Predictor *model = train(2, arena);
    CLEANUP(predictor_unload) Predictor *loaded = NULL;
    Frame frame = forecast_rows_spread(predictor_forecast(model), 32, arena);
    double before[32 * FORECAST_ANSWER_WIDTH], after[32 * FORECAST_ANSWER_WIDTH];
    const char *bytes;
    size_t size;
    Error error = {0};

    EXPECT(frame.columns[0].numbers[0] == 1 && frame.columns[0].numbers[31] == 47);
    EXPECT_TEXT(frame.columns[1].texts[0].bytes, "passengers");
    EXPECT_TEXT(frame.columns[1].texts[31].bytes, "their past");
    predictor_save(model, arena, &bytes, &size);
    EXPECT_OK(predictor_load_in_place(bytes, size, &loaded, &error), error);
    EXPECT(predictor_task(loaded) == TASK_FORECAST);
    EXPECT_OK(predictor_predict_on(2, model, &frame, before, &error), error);
    EXPECT_OK(predictor_predict_on(2, loaded, &frame, after, &error), error);
    EXPECT(memcmp(before, after, sizeof(before)) == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_what_is_left_out_is_the_horizon_the_only_series_and_95_per_cent),
        TEST(test_each_mistake_is_said_with_what_is_allowed),
        TEST(test_an_answer_is_the_last_step_that_was_asked_for),
        TEST(test_rows_spread_over_all_series_and_steps_are_answered_the_same_after_loading),
        {0},
    };
    return test_main(tests, count, names);
}

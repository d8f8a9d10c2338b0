/* Forecasts with columns that are known for the future: chosen where they help, asked with rows of
 * the data or of who asks, the same after loading. */
#include "base/text.h"
#include "ml/forecast_model.h"
#include "ml/forecast_rows.h"
#include "tests/test.h"

enum { DAYS = 210, LEARNT = 182, HORIZON = 14, COLUMNS = 2 };

static const ForecastSpec weeks = {
    .frequency = {FREQUENCY_DAY_MS, 0, 0}, .horizon = HORIZON, .periods = {7}, .period_count = 1};
static const int64_t last_ms = INT64_C(1719705600000); /* 2024-06-30 */

static const char *const days[] = {"", "Easter", "fair"};
static const KnownColumn holiday_and_promotion[COLUMNS] = {{"holiday", days, 3},
                                                           {"promotion", NULL, 0}};
static const KnownColumns known = {holiday_and_promotion, COLUMNS};

/* A season of a week on a slow wave; +100 on holidays, which come when they like. */
typedef struct Shop {
    double values[DAYS], rows[DAYS * COLUMNS];
} Shop;

static double noise(size_t i)
{
    return (double)(i * 7919 % 101) / 101 - 0.5;
}

static Shop make_shop(double effect)
{
    Shop shop = {0};

    for (size_t t = 0; t < DAYS; t++) {
        double holiday = t * 37 % 41 < 5 ? 1 : 0;

        shop.rows[t * COLUMNS] = holiday;
        shop.rows[t * COLUMNS + 1] = (double)(t * 23 % 19 < 4);
        shop.values[t] = 300 + 40 * (double)(t % 7 >= 5) + 15 * sin((double)t / 20) +
                         12 * noise(t) + effect * holiday;
    }
    return shop;
}

static ForecastResult train(const Shop *shop, size_t future_count, bool with_known, Arena *arena)
{
    const ForecastInput input = {"shop", shop->values, LEARNT, last_ms, shop->rows, future_count};
    ForecastInputs inputs = {&input, 1, 2, {NULL, 0}};
    ForecastResult result = {0};
    Error error = {0};

    if (with_known)
        inputs.known = known;
    EXPECT_OK(forecast_model_train(&inputs, &weeks, arena, &result, &error), error);
    return result;
}

static DatedForecast predict(const ForecastModel *model, const ForecastAsk *ask, Arena *arena)
{
    DatedForecast forecast = {0};
    Error error = {0};

    EXPECT_OK(forecast_model_predict(model, ask, arena, &forecast, &error), error);
    return forecast;
}

static double mean_miss(const Shop *shop, const DatedForecast *forecast)
{
    double sum = 0;

    for (size_t i = 0; i < forecast->count; i++)
        sum += fabs(shop->values[LEARNT + i] - forecast->mean[i]) / (double)forecast->count;
    return sum;
}

static const LeaderboardRow *find_row(const Leaderboard *leaderboard, const char *name)
{
    for (size_t i = 0; i < leaderboard->count; i++)
        if (text_equal(leaderboard->items[i].name, name))
            return &leaderboard->items[i];
    return NULL;
}

static void test_an_effect_that_is_known_makes_a_better_forecast(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastResult with = train(&shop, HORIZON, true, arena);
    ForecastResult without = train(&shop, HORIZON, false, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = with.model;
    CLEANUP(forecast_model_unload) ForecastModel *plain = without.model;
    const ForecastAsk ask = {0, HORIZON, 0.95, NULL, false};
    DatedForecast better = predict(model, &ask, arena), worse = predict(plain, &ask, arena);
    const LeaderboardRow *row = find_row(&with.leaderboard, "ets with holiday, promotion");
    ForecastEffects effects;
    Error error = {0};

    EXPECT(mean_miss(&shop, &better) < 10 && mean_miss(&shop, &worse) > 20);
    EXPECT(row && row->score < find_row(&with.leaderboard, "ets")->score);
    EXPECT(find_row(&with.leaderboard, "naive"));
    EXPECT(!find_row(&with.leaderboard, "naive with holiday, promotion"));
    EXPECT(strstr(with.outcomes[0].choice, " with holiday, promotion"));
    EXPECT(with.outcomes[0].score.mase < without.outcomes[0].score.mase);
    EXPECT(forecast_model_series(model, 0).with_known && !forecast_model_known(plain)->count);

    EXPECT_OK(forecast_model_effects(model, &ask, arena, &effects, &error), error);
    EXPECT(effects.usual[0] == 0 && effects.usual[1] == 0);
    for (size_t i = 0; i < HORIZON; i++) {
        bool is_holiday = shop.rows[(LEARNT + i) * COLUMNS] == 1;

        EXPECT(effects.rows[i * COLUMNS] == is_holiday);
        EXPECT(fabs(effects.effects[i * COLUMNS] - 100 * is_holiday) < 12);
        EXPECT(fabs(effects.effects[i * COLUMNS + 1]) < 6);
    }
}

static void test_columns_that_say_nothing_are_not_needed(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(0);
    ForecastResult with = train(&shop, HORIZON, true, arena);
    ForecastResult without = train(&shop, HORIZON, false, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = with.model;
    CLEANUP(forecast_model_unload) ForecastModel *plain = without.model;
    const ForecastAsk ask = {0, HORIZON, 0.95, NULL, false};
    DatedForecast one = predict(model, &ask, arena), other = predict(plain, &ask, arena);

    EXPECT(mean_miss(&shop, &one) < 1.2 * mean_miss(&shop, &other));
}

static void test_who_asks_may_send_values_and_what_is_missing_is_named(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastResult result = train(&shop, 2, true, arena); /* two rows behind the last value */
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    double rows[3 * COLUMNS];
    ForecastAsk ask = {0, 2, 0.95, NULL, false};
    DatedForecast usual = predict(model, &ask, arena), asked;
    Error error = {0};

    ask.steps = 3;
    EXPECT(!forecast_model_predict(model, &ask, arena, &asked, &error));
    EXPECT_TEXT(error.field, "holiday");
    EXPECT_TEXT(error.message,
                "the known column \"holiday\" has no value for 2024-07-03, step 3: it takes one of "
                "\"\", \"Easter\", \"fair\", sent with \"known\" or in a row of the data behind "
                "the last value");
    ask.may_miss_known = true;
    asked = predict(model, &ask, arena);
    EXPECT(asked.mean[0] == usual.mean[0] && asked.mean[1] == usual.mean[1]);

    ask = (ForecastAsk){0, 3, 0.95, rows, false};
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = NAN;
    rows[2 * COLUMNS] = 1;
    rows[2 * COLUMNS + 1] = 0;
    asked = predict(model, &ask, arena);
    EXPECT(asked.mean[0] == usual.mean[0] && asked.mean[1] == usual.mean[1]);
    rows[2 * COLUMNS] = 0;
    usual = predict(model, &ask, arena);
    EXPECT(fabs(asked.mean[2] - usual.mean[2] - 100) < 12);
    rows[2 * COLUMNS] = 3;
    EXPECT(!forecast_model_predict(model, &ask, arena, &asked, &error));
    EXPECT_TEXT(error.message,
                "the known column \"holiday\" takes one of \"\", \"Easter\", \"fair\"");
}

static void test_a_loaded_model_and_a_renewed_one_answer_as_it_did(void)
{
    static const KnownColumn swapped[COLUMNS] = {{"promotion", NULL, 0}, {"holiday", days, 3}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastResult result = train(&shop, HORIZON, true, arena), renewed;
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    CLEANUP(forecast_model_unload) ForecastModel *loaded = NULL;
    CLEANUP(forecast_model_unload) ForecastModel *same = NULL;
    ForecastInput input = {"shop", shop.values, LEARNT, last_ms, NULL, HORIZON};
    const ForecastAsk ask = {0, HORIZON, 0.8, NULL, false};
    DatedForecast one = predict(model, &ask, arena), two;
    double rows[DAYS * COLUMNS];
    const char *bytes, *again;
    size_t size, again_size, bytes_size = HORIZON * sizeof(double);
    Error error = {0};

    forecast_model_save(model, arena, &bytes, &size);
    EXPECT(bytes[8] == 2);
    EXPECT_OK(forecast_model_load(bytes, size, &loaded, &error), error);
    forecast_model_save(loaded, arena, &again, &again_size);
    EXPECT(size == again_size && memcmp(bytes, again, size) == 0);
    two = predict(loaded, &ask, arena);
    EXPECT(memcmp(one.mean, two.mean, bytes_size) == 0);
    EXPECT(memcmp(one.high, two.high, bytes_size) == 0);

    for (size_t t = 0; t < DAYS; t++) {
        rows[t * COLUMNS] = shop.rows[t * COLUMNS + 1];
        rows[t * COLUMNS + 1] = shop.rows[t * COLUMNS];
    }
    input.known = rows;
    EXPECT_OK(forecast_model_renew(loaded, &(ForecastInputs){&input, 1, 1, {swapped, COLUMNS}},
                                   arena, &renewed, &error),
              error);
    same = renewed.model;
    two = predict(same, &ask, arena);
    EXPECT(memcmp(one.mean, two.mean, bytes_size) == 0);
    EXPECT(!forecast_model_renew(loaded, &(ForecastInputs){&input, 1, 1, {swapped, 1}}, arena,
                                 &renewed, &error));
    EXPECT_TEXT(error.message,
                "the data has no known column \"holiday\", which the model was learnt with");
}

static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastInput input = {"shop", shop.values, 60, last_ms, shop.rows, 3};
    ForecastSpec spec = weeks;
    ForecastResult result = {0};
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    const char *bytes;
    size_t size;
    char *copy;
    Error error = {0};

    spec.horizon = spec.steps_max = 3;
    EXPECT_OK(
        forecast_model_train(&(ForecastInputs){&input, 1, 1, known}, &spec, arena, &result, &error),
        error);
    model = result.model;
    forecast_model_save(model, arena, &bytes, &size);
    copy = arena_copy(arena, bytes, size);
    for (size_t at = 0; at < size; at++) {
        CLEANUP(forecast_model_unload) ForecastModel *other = NULL;
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        DatedForecast forecast;

        copy[at] = (char)0xff;
        if (forecast_model_load(copy, size, &other, &error) &&
            forecast_model_predict(other, &(ForecastAsk){0, 1, 0.9, NULL, true}, scratch, &forecast,
                                   &error))
            EXPECT(forecast.low[0] <= forecast.high[0]);
        copy[at] = bytes[at];
        EXPECT(!forecast_model_load(bytes, at, &other, &error) || at == size);
    }
}

/* What a row says of known columns, and what is wrong with it; NULL: nothing is. */
typedef struct Said {
    const char *json, *refusal;
} Said;

static void test_rows_say_known_values_as_json(void)
{
    static const Said said[] = {
        {"{\"holiday\":[\"Easter\",null,\"\"],\"promotion\":[1,0,true]}", NULL},
        {"{\"holiday\":\"fair\",\"promotion\":0.5}", NULL},
        {"{}", "has no value for 2024-07-01, step 1"},
        {"{\"holiday\":[\"Easter\",null,\"\"]}", "\"promotion\" has no value for 2024-07-01"},
        {"[1]", "\"known\" in row 1 is an object with a list of values"},
        {"{", "\"known\" in row 1 is an object with a list of values"},
        {"{\"price\":1}", "names \"price\": the model's known columns are holiday, promotion"},
        {"{\"promotion\":[1,0]}", "has 2 values, and 3 steps are asked for"},
        {"{\"promotion\":[1,0,\"1\"]}", "\"promotion\" in row 1 takes a number, for each step"},
        {"{\"promotion\":[1,0,null]}", "\"promotion\" in row 1 takes a number, for each step"},
        {"{\"promotion\":1e300}", "\"promotion\" in row 1 takes a number, for each step"},
        {"{\"holiday\":\"Christmas\"}", "takes one of \"\", \"Easter\", \"fair\", for each step"},
        {"{\"holiday\":[[],1,2]}", "takes one of \"\", \"Easter\", \"fair\", for each step"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastResult result = train(&shop, 0, true, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;

    EXPECT(forecast_rows_input_count(model) == 4);
    for (size_t i = 0; i < COUNT(said); i++) {
        const TextRef text = {said[i].json, strlen(said[i].json)};
        const double steps = 3;
        const FrameColumn columns[] = {{"steps", COLUMN_NUMBER, NULL, &steps},
                                       {"known", COLUMN_CATEGORY, &text, NULL}};
        double answer[FORECAST_ANSWER_WIDTH];
        Error error = {0};
        bool is_answered = forecast_rows_predict(model, &(Frame){columns, 2, 1}, answer, &error);

        if (is_answered != !said[i].refusal ||
            (said[i].refusal && !strstr(error.message, said[i].refusal)))
            fprintf(stderr, "%s: %s\n", said[i].json, error.message);
        EXPECT(is_answered == !said[i].refusal);
        EXPECT(is_answered || strstr(error.message, said[i].refusal));
        EXPECT(is_answered || error.kind == ERROR_FIELD);
    }
}

static void test_rows_spread_over_a_model_are_answered(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Shop shop = make_shop(100);
    ForecastResult result = train(&shop, 0, true, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    Frame frame = forecast_rows_spread(model, 32, arena);
    double answers[32 * FORECAST_ANSWER_WIDTH];
    Error error = {0};

    EXPECT_OK(forecast_rows_predict(model, &frame, answers, &error), error);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_effect_that_is_known_makes_a_better_forecast),
        TEST(test_columns_that_say_nothing_are_not_needed),
        TEST(test_who_asks_may_send_values_and_what_is_missing_is_named),
        TEST(test_a_loaded_model_and_a_renewed_one_answer_as_it_did),
        TEST(test_any_byte_may_be_wrong),
        TEST(test_rows_say_known_values_as_json),
        TEST(test_rows_spread_over_a_model_are_answered),
        {0},
    };
    return test_main(tests, count, names);
}

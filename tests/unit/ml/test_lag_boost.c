/* Trees on many series at once; without the library of boosted trees there is nothing to test. */
#include "ml/lag_boost.h"

#include "base/text.h"
#include "ml/boost.h"
#include "ml/forecast_model.h"
#include "ml/random.h"
#include "tests/test.h"

enum { SERIES = 40, COUNT_EACH = 60, HORIZON = 4 };

/* Each has a level and a size of its own, and goes on by one rule that is no line: what is high
 * falls far. */
typedef struct Maps {
    double values[SERIES][COUNT_EACH];
    LagSeries series[SERIES];
    ForecastInput inputs[SERIES];
} Maps;

static Maps *make_maps(Arena *arena)
{
    Maps *maps = arena_new(arena, Maps);
    Random random = random_seeded(11);

    for (size_t i = 0; i < SERIES; i++) {
        double level = 100 * random_unit(&random), size = exp(6 * random_unit(&random));
        double state = 0.1 + 0.8 * random_unit(&random);

        for (size_t t = 0; t < COUNT_EACH; t++) {
            maps->values[i][t] = level + size * state;
            state = 3.7 * state * (1 - state);
        }
        maps->series[i] = (LagSeries){maps->values[i], COUNT_EACH, 0};
        maps->inputs[i] =
            (ForecastInput){arena_format(arena, "map %zu", i), maps->values[i], COUNT_EACH - 1, 0};
    }
    return maps;
}

static LagBoost *learn(const LagSeries *series, size_t model_count, size_t thread_count)
{
    static const size_t periods[] = {1};
    const LagBoostSpec spec = {series, SERIES, HORIZON, periods, 1, model_count, thread_count, 0};

    return lag_boost_learn(&spec);
}

static bool has_library(void)
{
    Error error;

    if (boost_open(&error))
        return true;
    printf("SKIP: %s\n", error.message);
    return false;
}

static Forecast forecast(const LagBoost *boost, const LagSeries *series, size_t steps, Arena *arena)
{
    Forecast made = {0};
    Error error = {0};

    EXPECT_OK(lag_boost_forecast(boost, &(LagAsk){*series, steps}, arena, &made, &error), error);
    return made;
}

static LagSeries before(const LagSeries *series, size_t left_out)
{
    return (LagSeries){series->values, series->count - left_out, series->behind + left_out};
}

static void expect_same(const Forecast *one, const Forecast *two)
{
    EXPECT(one->horizon == two->horizon);
    EXPECT(memcmp(one->mean, two->mean, one->horizon * sizeof(double)) == 0);
    EXPECT(memcmp(one->deviation, two->deviation, one->horizon * sizeof(double)) == 0);
}

static void test_any_number_of_threads_learns_the_same(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    CLEANUP(lag_boost_destroy) LagBoost *one = NULL, *three = NULL;

    if (!has_library())
        return;
    one = learn(maps->series, 3, 1);
    three = learn(maps->series, 3, 3);
    for (size_t i = 0; i < 3 * SERIES; i++) {
        LagSeries part = before(&maps->series[i / 3], i % 3 * HORIZON);
        Forecast first = forecast(one, &part, 3 * HORIZON, arena);
        Forecast second = forecast(three, &part, 3 * HORIZON, arena);

        expect_same(&first, &second);
        EXPECT(isfinite(first.mean[11]) && first.deviation[11] > 0);
    }
}

/* Whatever comes later, in any series: the model of an origin has not seen it. One series ends a
 * little earlier than the others, so that its origin lies before theirs. */
static void test_what_lies_behind_an_origin_is_not_seen(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena), *other = make_maps(arena);
    CLEANUP(lag_boost_destroy) LagBoost *boost = NULL, *changed = NULL;
    LagSeries short_one = {maps->values[0], COUNT_EACH - 2, 2}, part = short_one;
    Forecast first, second;

    if (!has_library())
        return;
    maps->series[0] = short_one;
    other->series[0] = (LagSeries){other->values[0], COUNT_EACH - 2, 2};
    for (size_t i = 0; i < SERIES; i++)
        for (size_t t = COUNT_EACH - 2; t < COUNT_EACH; t++)
            other->values[i][t] = 1e6;
    boost = learn(maps->series, 2, 1);
    changed = learn(other->series, 2, 1);
    first = forecast(boost, &part, HORIZON, arena);
    second = forecast(changed, &part, HORIZON, arena);
    expect_same(&first, &second);
    part = before(&maps->series[1], HORIZON);
    first = forecast(boost, &part, HORIZON, arena);
    second = forecast(changed, &part, HORIZON, arena);
    expect_same(&first, &second);
    first = forecast(boost, &maps->series[1], HORIZON, arena);
    second = forecast(changed, &maps->series[1], HORIZON, arena);
    EXPECT(fabs(first.mean[0] - second.mean[0]) > 0);
}

/* A series twice as large and moved is forecast twice as large and moved. */
static void test_size_and_level_do_not_matter(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    CLEANUP(lag_boost_destroy) LagBoost *boost = NULL;
    double moved[COUNT_EACH];
    Forecast first, second;

    if (!has_library())
        return;
    boost = learn(maps->series, 1, 1);
    for (size_t t = 0; t < COUNT_EACH; t++)
        moved[t] = 2 * maps->values[3][t];
    first = forecast(boost, &maps->series[3], HORIZON, arena);
    second = forecast(boost, &(LagSeries){moved, COUNT_EACH, 0}, HORIZON, arena);
    for (size_t step = 0; step < HORIZON; step++)
        EXPECT_NEAR(second.mean[step] / first.mean[step], 2, 1e-6);
}

static void test_what_cannot_be_forecast_gets_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    CLEANUP(lag_boost_destroy) LagBoost *boost = NULL;
    Forecast made;
    Error error = {0};

    if (!has_library())
        return;
    boost = learn(maps->series, 1, 1);
    EXPECT(!lag_boost_forecast(boost, &(LagAsk){{maps->values[0], 3, 0}, HORIZON}, arena, &made,
                               &error));
    EXPECT_TEXT(error.message, "lag_boost: the series has too few values");
    EXPECT(!lag_boost_forecast(boost, &(LagAsk){{maps->values[0], 40, 40}, HORIZON}, arena, &made,
                               &error));
    EXPECT_TEXT(error.message, "lag_boost: the series ends too long before the others");
}

static const LeaderboardRow *find_row(const Leaderboard *leaderboard, const char *name)
{
    for (size_t i = 0; i < leaderboard->count; i++)
        if (strcmp(leaderboard->items[i].name, name) == 0)
            return &leaderboard->items[i];
    return NULL;
}

static ForecastResult train_within(const Maps *maps, double seconds, size_t count, size_t threads,
                                   Arena *arena)
{
    const ForecastSpec spec = {.frequency = {FREQUENCY_DAY_MS, 0, 0},
                               .horizon = 1,
                               .periods = {1},
                               .period_count = 1,
                               .budget_seconds = seconds};
    ForecastResult result = {0};
    Error error = {0};

    EXPECT_OK(forecast_model_train(&(ForecastInputs){maps->inputs, count, threads}, &spec, arena,
                                   &result, &error),
              error);
    return result;
}

static ForecastResult train(const Maps *maps, size_t count, size_t threads, Arena *arena)
{
    return train_within(maps, 0, count, threads, arena);
}

/* No line through the past of one series says what comes next; what all have in common does. */
static void test_what_many_series_have_in_common_wins(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL, *same = NULL, *again = NULL;
    ForecastResult result, renewed = {0};
    const LeaderboardRow *row;
    const char *bytes, *other;
    size_t size, other_size;
    Error error = {0};

    if (!has_library())
        return;
    result = train(maps, SERIES, 2, arena);
    model = result.model;
    row = find_row(&result.leaderboard, "lag_boost");
    EXPECT(row && !row->below_baseline && row->score < 0.5);
    for (size_t i = 0; i < result.leaderboard.count; i++)
        if (!result.leaderboard.items[i].chosen && &result.leaderboard.items[i] != row)
            EXPECT(result.leaderboard.items[i].score > 1.3 * row->score);
    same = train_within(maps, 1e6, SERIES, 1, arena).model;
    forecast_model_save(model, arena, &bytes, &size);
    forecast_model_save(same, arena, &other, &other_size);
    EXPECT(size == other_size && memcmp(bytes, other, size) == 0);

    EXPECT_OK(forecast_model_renew(model, &(ForecastInputs){maps->inputs, SERIES, 1}, arena,
                                   &renewed, &error),
              error);
    again = renewed.model;
    forecast_model_save(again, arena, &other, &other_size);
    EXPECT(size == other_size && memcmp(bytes, other, size) == 0);
}

/* A promotion on some days doubles what goes on by the rule. */
static void add_promotions(Maps *maps, Arena *arena)
{
    double *rows = arena_array(arena, double, COUNT_EACH);

    for (size_t t = 0; t < COUNT_EACH; t++)
        rows[t] = t * 37 % 11 < 3;
    for (size_t i = 0; i < SERIES; i++) {
        for (size_t t = 0; t < COUNT_EACH; t++)
            maps->values[i][t] *= 1 + rows[t];
        maps->inputs[i].known = rows;
        maps->inputs[i].future_count = 1;
    }
}

/* It is asked for the values without the columns' effect, too, then as now. */
static void test_known_columns_are_beside_it_as_beside_others(void)
{
    static const KnownColumn promotion = {"promotion", NULL, 0};
    static const ForecastSpec spec = {
        .frequency = {FREQUENCY_DAY_MS, 0, 0}, .horizon = 1, .periods = {1}, .period_count = 1};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    ForecastInputs inputs = {maps->inputs, SERIES, 2, {&promotion, 1}};
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL, *again = NULL;
    ForecastResult result = {0}, renewed = {0};
    const LeaderboardRow *with, *without;
    const char *bytes, *other;
    size_t size, other_size;
    Error error = {0};

    if (!has_library())
        return;
    add_promotions(maps, arena);
    EXPECT_OK(forecast_model_train(&inputs, &spec, arena, &result, &error), error);
    model = result.model;
    with = find_row(&result.leaderboard, "lag_boost with promotion");
    without = find_row(&result.leaderboard, "lag_boost");
    EXPECT(with && without && with->score < without->score);
    EXPECT(without->seconds > with->seconds);

    EXPECT_OK(forecast_model_renew(model, &inputs, arena, &renewed, &error), error);
    again = renewed.model;
    forecast_model_save(model, arena, &bytes, &size);
    forecast_model_save(again, arena, &other, &other_size);
    EXPECT(size == other_size && memcmp(bytes, other, size) == 0);
}

/* Its row is stopped on every series, and none is forecast by it. */
static void test_what_the_time_does_not_suffice_for_is_left_out(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    ForecastResult result = train_within(maps, 1e-6, SERIES, 2, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    const LeaderboardRow *row = find_row(&result.leaderboard, "lag_boost");

    EXPECT(row && isnan(row->score));
    EXPECT_TEXT(row->note, "stopped on 40 of 40 series: the time budget is used up");
    EXPECT(result.failed_count == 0 && forecast_model_count(model) == SERIES);
    for (size_t i = 0; i < SERIES; i++)
        EXPECT(strstr(result.outcomes[i].choice, "lag_boost") == NULL);
}

/* What was chosen as one of many cannot be fitted again for a few. */
static void test_a_few_of_many_cannot_be_renewed_alone(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    ForecastResult result, renewed = {0};
    Error error = {0};

    if (!has_library())
        return;
    result = train(maps, SERIES, 2, arena);
    EXPECT(!forecast_model_renew(
        result.model, &(ForecastInputs){.items = maps->inputs, .count = 2, .thread_count = 1},
        arena, &renewed, &error));
    forecast_model_unload(&result.model);
    EXPECT_TEXT(error.message, "no series can be forecast; \"map 0\": \"lag_boost\" wants more "
                               "series than these");
}

static void test_few_series_are_learnt_one_by_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Maps *maps = make_maps(arena);
    ForecastResult result = train(maps, LAG_SERIES_MIN - 1, 1, arena);

    forecast_model_unload(&result.model);
    EXPECT(find_row(&result.leaderboard, "lag_boost") == NULL);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_any_number_of_threads_learns_the_same),
        TEST(test_what_lies_behind_an_origin_is_not_seen),
        TEST(test_size_and_level_do_not_matter),
        TEST(test_what_cannot_be_forecast_gets_a_sentence),
        TEST(test_what_many_series_have_in_common_wins),
        TEST(test_known_columns_are_beside_it_as_beside_others),
        TEST(test_what_the_time_does_not_suffice_for_is_left_out),
        TEST(test_a_few_of_many_cannot_be_renewed_alone),
        TEST(test_few_series_are_learnt_one_by_one),
        {0},
    };
    return test_main(tests, count, names);
}

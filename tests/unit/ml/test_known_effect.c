/* Known columns and what they do to a series: planted effects come back, missing values and columns
 * that say nothing do nothing. */
#include "ml/known_effect.h"

#include "tests/test.h"

enum { DAYS = 300, COLUMNS = 2 };

static const char *const days[] = {"", "Easter", "fair"};
static const KnownColumn holiday_and_price[COLUMNS] = {{"holiday", days, 3}, {"price", NULL, 0}};
static const KnownColumns known = {holiday_and_price, COLUMNS};

static double noise(size_t i)
{
    return (double)(i * 7919 % 101) / 101 - 0.5;
}

/* Every 13th day is Easter, every 29th a fair; the price goes between 1 and 2. */
static void fill_rows(double *rows)
{
    for (size_t t = 0; t < DAYS; t++) {
        rows[t * COLUMNS] = t % 13 == 5 ? 1 : t % 29 == 3 ? 2 : 0;
        rows[t * COLUMNS + 1] = 1 + (double)(t * 31 % 17) / 16;
    }
}

static double base(size_t t)
{
    return 500 + 60 * (double)(t % 7 >= 5) + 0.4 * (double)t + 20 * sin((double)t / 25);
}

static KnownEffect learn(const double *values, const double *rows, size_t count, Arena *arena)
{
    return known_effect_learn(&(Series){values, count, 7, NULL, 0},
                              &(KnownRows){&known, rows, count}, arena);
}

static double effect_of(const KnownEffect *effect, double holiday, double price)
{
    return known_effect_of(effect, &known, (const double[]){holiday, price});
}

static void test_effects_that_were_added_are_found(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double rows[DAYS * COLUMNS], values[DAYS], rest[DAYS];
    KnownEffect effect;

    fill_rows(rows);
    for (size_t t = 0; t < DAYS; t++)
        values[t] = base(t) + 10 * noise(t) + 100 * (rows[t * COLUMNS] == 1) -
                    250 * (rows[t * COLUMNS] == 2) - 80 * rows[t * COLUMNS + 1];
    effect = learn(values, rows, DAYS, arena);
    EXPECT(!effect.is_log && effect.usual[0] == 0);
    EXPECT(fabs(effect_of(&effect, 1, effect.usual[1]) - 100) < 6);
    EXPECT(fabs(effect_of(&effect, 2, effect.usual[1]) + 250) < 15);
    EXPECT(fabs(effect_of(&effect, 0, 2) - effect_of(&effect, 0, 1) + 80) < 5);
    EXPECT(effect_of(&effect, NAN, NAN) == 0);
    known_effect_remove(&effect, &(KnownRows){&known, rows, DAYS}, values, rest);
    for (size_t t = 0; t < DAYS; t++)
        EXPECT(fabs(rest[t] - (base(t) - 80 * effect.usual[1])) < 30);
}

static void test_factors_are_learnt_in_logarithms(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double rows[DAYS * COLUMNS], values[DAYS], mean[2] = {1000, 50}, deviation[2] = {10, 10};
    Forecast forecast = {2, mean, deviation};
    KnownEffect effect;

    fill_rows(rows);
    for (size_t t = 0; t < DAYS; t++)
        values[t] = base(t) * exp((double)t / 80) * (rows[t * COLUMNS] == 1 ? 1.5 : 1) *
                    (1 + noise(t) / 50);
    effect = learn(values, rows, DAYS, arena);
    EXPECT(effect.is_log);
    known_effect_add(&effect, &(KnownRows){&known, (const double[]){1, NAN, 0, effect.usual[1]}, 2},
                     &forecast);
    EXPECT(fabs(mean[0] / 1000 - 1.5) < 0.05 && fabs(deviation[0] / 10 - 1.5) < 0.05);
    EXPECT(mean[1] == 50 && deviation[1] == 10);
}

static void test_what_is_not_in_the_past_has_no_effect(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double rows[DAYS * COLUMNS], values[DAYS];
    KnownEffect effect;

    for (size_t t = 0; t < DAYS; t++) {
        values[t] = base(t) + noise(t);
        rows[t * COLUMNS] = t % 2 ? 0 : NAN;
        rows[t * COLUMNS + 1] = 3;
    }
    effect = learn(values, rows, DAYS, arena);
    EXPECT(effect_of(&effect, 1, 5) == 0 && effect_of(&effect, 2, -1e9) == 0);
    effect = learn(values, rows, 3, arena); /* and a series that is too short */
    EXPECT(effect_of(&effect, 1, 5) == 0);
    for (size_t t = 0; t < DAYS; t++)
        rows[t * COLUMNS] = rows[t * COLUMNS + 1] = NAN;
    effect = learn(values, rows, DAYS, arena);
    EXPECT(effect_of(&effect, 1, 5) == 0);
}

static void test_any_length_season_and_size_gives_finite_weights(void)
{
    static const double sizes[] = {1e-300, 1, 1e90};
    static const size_t periods[] = {1, 7, 100, 5000};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double rows[DAYS * COLUMNS], values[DAYS];

    fill_rows(rows);
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < COUNT(periods); j++)
            for (size_t count = 1; count < DAYS; count += 7) {
                KnownEffect effect;

                for (size_t t = 0; t < count; t++)
                    values[t] = sizes[i] * (base(t) + noise(t));
                effect = known_effect_learn(&(Series){values, count, periods[j], NULL, 0},
                                            &(KnownRows){&known, rows, count}, arena);
                for (size_t k = 0; k < 4; k++)
                    EXPECT(fabs(effect.weights[k]) <= SERIES_VALUE_MAX);
            }
}

static void test_rows_are_translated_by_the_names_of_columns_and_levels(void)
{
    static const char *const others[] = {"", "Christmas", "fair"};
    static const KnownColumn swapped[] = {{"price", NULL, 0}, {"holiday", others, 3}};
    static const KnownColumn only_price[] = {{"price", NULL, 0}};
    static const KnownColumn numbers[] = {{"holiday", NULL, 0}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const double rows[] = {0, 10, 1, 11, 2, 12, NAN, NAN}, *values = NULL;
    const KnownRows from = {&known, rows, 4};
    Error error = {0};

    EXPECT_OK(known_rows_translate(&from, &(KnownColumns){swapped, 2}, arena, &values, &error),
              error);
    EXPECT(values[0] == 10 && values[1] == 0 && values[2] == 11 && isnan(values[3]));
    EXPECT(values[4] == 12 && values[5] == 2 && isnan(values[6]) && isnan(values[7]));
    EXPECT_OK(known_rows_translate(&from, &(KnownColumns){only_price, 1}, arena, &values, &error),
              error);
    EXPECT(values[1] == 11);
    EXPECT(!known_rows_translate(&(KnownRows){&(KnownColumns){only_price, 1}, rows, 4}, &known,
                                 arena, &values, &error));
    EXPECT_TEXT(error.message,
                "the data has no known column \"holiday\", which the model was learnt with");
    EXPECT(!known_rows_translate(&from, &(KnownColumns){numbers, 1}, arena, &values, &error));
    EXPECT_TEXT(error.message, "the known column \"holiday\" was of numbers when the model was "
                               "learnt, and has the values of a category in the data");
}

static void test_columns_are_bounded_and_described(void)
{
    static const char *const twice[] = {"a", "a"};
    static const KnownColumn same[] = {{"x", NULL, 0}, {"x", NULL, 0}};
    static const KnownColumn fallen[] = {{"x", twice, 2}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    KnownColumn *many = arena_array(arena, KnownColumn, KNOWN_COLUMNS_MAX + 1);
    Error error = {0};

    for (size_t i = 0; i <= KNOWN_COLUMNS_MAX; i++)
        many[i].name = arena_format(arena, "column %zu", i);
    EXPECT_OK(known_columns_check(&known, &error), error);
    EXPECT_OK(known_columns_check(&(KnownColumns){many, KNOWN_COLUMNS_MAX}, &error), error);
    EXPECT(!known_columns_check(&(KnownColumns){many, KNOWN_COLUMNS_MAX + 1}, &error));
    EXPECT_TEXT(error.message, "a forecast has at most 32 known columns, not 33");
    EXPECT(!known_columns_check(&(KnownColumns){same, 2}, &error));
    EXPECT(!known_columns_check(&(KnownColumns){fallen, 1}, &error));
    EXPECT_TEXT(known_columns_describe(&known, arena), "holiday, price");
    EXPECT_TEXT(known_column_allows(&known.items[0], arena), "one of \"\", \"Easter\", \"fair\"");
    EXPECT_TEXT(known_column_allows(&known.items[1], arena), "a number");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_effects_that_were_added_are_found),
        TEST(test_factors_are_learnt_in_logarithms),
        TEST(test_what_is_not_in_the_past_has_no_effect),
        TEST(test_any_length_season_and_size_gives_finite_weights),
        TEST(test_rows_are_translated_by_the_names_of_columns_and_levels),
        TEST(test_columns_are_bounded_and_described),
        {0},
    };
    return test_main(tests, count, names);
}

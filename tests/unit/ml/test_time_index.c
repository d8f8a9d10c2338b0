/* Frequencies, and rows made into series. */
#include "ml/time_index.h"

#include "base/text.h"
#include "base/time.h"
#include "ml/outlier.h"
#include "ml/random.h"
#include "tests/test.h"

static int64_t moment(const char *text)
{
    char whole[TIME_TEXT_SIZE + 16];
    int64_t time_ms;

    snprintf(whole, sizeof(whole), "%s%s", text, strlen(text) == 10 ? "T00:00:00Z" : ":00Z");
    EXPECT(time_parse(whole, &time_ms));
    return time_ms;
}

static TimeRows rows_of(const char *const *times, const double *values, size_t count, Arena *arena)
{
    int64_t *moments = arena_array(arena, int64_t, count);

    for (size_t i = 0; i < count; i++)
        moments[i] = moment(times[i]);
    return (TimeRows){moments, values, count};
}

#define ROWS(arena, times, values) rows_of((times), (values), COUNT(times), (arena))

static void expect_found(const char *name, const char *const *times, size_t count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TimeRows rows = rows_of(times, NULL, count, arena);
    Frequency frequency;
    Error error = {0};

    EXPECT_OK(frequency_detect(rows.times_ms, count, &frequency, &error), error);
    EXPECT_TEXT(frequency_name(&frequency, arena), name);
}

#define FOUND(name, ...)                                                                           \
    expect_found(name, (const char *const[]){__VA_ARGS__},                                         \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_frequencies_are_found(void)
{
    FOUND("hour", "2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01T02:00");
    FOUND("15 minutes", "2026-01-01T00:00", "2026-01-01T00:15", "2026-01-01T00:45",
          "2026-01-01T01:00");
    FOUND("day", "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-04");
    FOUND("week", "2026-01-01", "2026-01-08", "2026-01-15");
    FOUND("month", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30");
    FOUND("month", "2025-11-01", "2025-12-01", "2026-01-01", "2026-04-01");
    FOUND("quarter", "2025-12-31", "2026-03-31", "2026-06-30");
    FOUND("year", "2024-02-29", "2025-02-28", "2026-02-28");
}

static void test_times_without_a_common_distance_are_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2026-01-01", "2026-01-02", "2026-01-05", "2026-01-11",
                                        "2026-01-30"};
    TimeRows rows = ROWS(arena, times, NULL);
    Frequency frequency;
    Error error = {0};

    EXPECT(!frequency_detect(rows.times_ms, rows.count, &frequency, &error));
    EXPECT_TEXT(error.message, "the times have no common distance; name the frequency and how the "
                               "values of a step are made one (as daily mean)");
    EXPECT(!frequency_detect(rows.times_ms, 1, &frequency, &error));
    EXPECT_TEXT(error.message,
                "a frequency cannot be found in 1 time, name it (day, month, 15 minutes)");
}

static void test_months_end_on_their_last_day(void)
{
    Frequency month = {0, 1, 31};
    int64_t time_ms;

    EXPECT(frequency_add(&month, moment("2023-11-30"), 3, &time_ms));
    EXPECT(time_ms == moment("2024-02-29"));
    EXPECT(frequency_add(&month, moment("2024-02-29"), -14, &time_ms));
    EXPECT(time_ms == moment("2022-12-31"));
    EXPECT(!frequency_add(&month, moment("9999-12-31"), 1, &time_ms));
    EXPECT(!frequency_add(&month, moment("2026-12-31"), INT64_MAX, &time_ms));
    EXPECT(!frequency_add(&(Frequency){FREQUENCY_DAY_MS, 0, 0}, moment("2026-12-31"), INT64_MIN + 1,
                          &time_ms));
}

static void test_names_of_frequencies_are_read(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const names[] = {"second",  "15 minutes", "hour",    "day",
                                        "2 weeks", "month",      "quarter", "year"};
    Frequency frequency;

    for (size_t i = 0; i < COUNT(names); i++) {
        EXPECT(frequency_parse(names[i], &frequency));
        EXPECT_TEXT(frequency_name(&frequency, arena), names[i]);
    }
    EXPECT(!frequency_parse("days", &frequency));
    EXPECT(!frequency_parse("0 days", &frequency));
    EXPECT(!frequency_parse("99999999999999999999 years", &frequency));
    EXPECT(!frequency_parse("", &frequency));
}

static void expect_periods(const char *name, size_t count, size_t first, size_t second)
{
    Frequency frequency;
    size_t periods[FREQUENCY_PERIODS_MAX], found;

    EXPECT(frequency_parse(name, &frequency));
    found = frequency_periods(&frequency, count, periods);
    EXPECT(found == (second ? 2 : 1) && periods[0] == first);
    EXPECT(!second || periods[1] == second);
}

static void test_seasons_follow_from_the_frequency(void)
{
    expect_periods("hour", 1000, 24, 168);
    expect_periods("hour", 200, 24, 0);
    expect_periods("day", 305, 7, 0);
    expect_periods("week", 400, 1, 52);
    expect_periods("week", 100, 1, 0);
    expect_periods("month", 48, 12, 0);
    expect_periods("month", 30, 1, 0);
    expect_periods("quarter", 30, 4, 0);
    expect_periods("year", 100, 1, 0);
    expect_periods("15 minutes", 5000, 96, 672);
    expect_periods("7 hours", 5000, 24, 0); /* no whole number a day, 24 a week */
}

static void test_gaps_are_filled_by_rule(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06"};
    static const double values[] = {1, 2, 5, 9};
    static const double line[] = {1, 2, 3, 4, 5, 9}, before[] = {1, 2, 2, 2, 5, 9};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {.gaps = GAP_INTERPOLATE};
    TimeIndex index;
    Error error = {0};

    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 6 && index.report.gaps == 2 && index.report.filled == 2);
    EXPECT(index.first_ms == moment("2026-01-01") && index.last_ms == moment("2026-01-06"));
    EXPECT(index.report.first_gap_ms == moment("2026-01-03"));
    for (size_t i = 0; i < 6; i++)
        EXPECT_NEAR(index.values[i], line[i], 1e-12);
    EXPECT_TEXT(time_report_describe(&index, arena),
                "6 values, one every day, 2 times without a row, 2 filled");
    spec.gaps = GAP_PREVIOUS;
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    for (size_t i = 0; i < 6; i++)
        EXPECT_NEAR(index.values[i], before[i], 0);
    spec.gaps = GAP_REFUSE;
    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message,
                "2026-01-03 has no value, but every value must be there; fill gaps with the line "
                "between their neighbours, the value before, that of the season before, or 0");
}

static void test_a_gap_takes_the_season_before(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    int64_t times[28];
    double values[28];
    TimeIndexSpec spec = {.gaps = GAP_SEASON};
    TimeIndex index;
    Error error = {0};

    for (size_t i = 0; i < 28; i++) {
        times[i] = moment("2026-01-01") + (int64_t)i * FREQUENCY_DAY_MS;
        values[i] = (double)(i % 7) + 10 * (double)(i / 7);
    }
    values[3] = values[16] = NAN;
    EXPECT_OK(time_index_make(&(TimeRows){times, values, 28}, &spec, arena, &index, &error), error);
    EXPECT_NEAR(index.values[16], 12, 0);
    EXPECT_NEAR(index.values[3], 3, 1e-12); /* nothing a week before: on the line */
    EXPECT(index.report.missing == 2 && index.report.gaps == 0 && index.report.filled == 2);
}

static void test_duplicates_go_by_rule_and_order_does_not_matter(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2026-01-03", "2026-01-01", "2026-01-02", "2026-01-03",
                                        "2026-01-04"};
    static const double values[] = {30, 10, 20, 50, 40};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {0};
    TimeIndex index;
    Error error = {0};

    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message,
                "2026-01-03 has 2 rows, but a series has one value at each time; "
                "take their mean, or the last one (resample of a prepare step does)");
    spec.duplicates = DUPLICATE_MEAN;
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 4 && index.report.duplicates == 1 && index.report.unordered == 1);
    EXPECT_NEAR(index.values[2], 40, 0);
    spec.duplicates = DUPLICATE_LAST;
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT_NEAR(index.values[2], 50, 0);
}

static void test_times_near_their_place_are_moved_and_others_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const near[] = {"2026-03-28T00:00", "2026-03-29T00:00", "2026-03-30T00:00",
                                       "2026-03-30T23:00", "2026-03-31T23:00"};
    static const char *const off[] = {"2026-03-28T00:00", "2026-03-29T00:00", "2026-03-30T00:00",
                                      "2026-03-30T12:00"};
    static const double values[] = {1, 2, 3, 4, 5};
    TimeRows rows = ROWS(arena, near, values);
    TimeIndexSpec spec = {0};
    TimeIndex index;
    Error error = {0};

    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 5 && index.report.moved == 2);
    EXPECT_NEAR(index.values[3], 4, 0);
    rows = ROWS(arena, off, values);
    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message,
                "2026-03-30T12:00:00.000Z is no whole number of steps (day) after the first time; "
                "name the frequency, or how the values of a step are made one (as daily mean)");
}

/* "daily mean, interpolate": the recipe of the sales example. */
static void test_many_rows_a_day_become_their_daily_mean(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2013-07-31T08:00", "2013-07-31T17:30", "2013-08-01T09:00",
                                        "2013-08-04T10:00", "2013-08-04T10:00"};
    static const double values[] = {100, 300, 50, 110, NAN};
    static const double means[] = {200, 50, 70, 90, 110};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {.frequency = {FREQUENCY_DAY_MS, 0, 0},
                          .gaps = GAP_INTERPOLATE,
                          .aggregate = AGGREGATE_MEAN};
    TimeIndex index;
    Error error = {0};

    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 5 && index.first_ms == moment("2013-07-31"));
    EXPECT(index.report.duplicates == 2 && index.report.gaps == 2 && index.report.filled == 2);
    for (size_t i = 0; i < 5; i++)
        EXPECT_NEAR(index.values[i], means[i], 1e-12);
    spec.aggregate = AGGREGATE_COUNT;
    spec.gaps = GAP_ZERO;
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.values[0] == 2 && index.values[2] == 0 && index.values[4] == 1);
    spec.frequency = (Frequency){0, 1, 31};
    spec.aggregate = AGGREGATE_SUM;
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 2 && index.values[0] == 400 && index.values[1] == 160);
    EXPECT(index.last_ms == moment("2013-08-01"));
}

static void test_missing_ends_are_cut_and_nothing_at_all_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"};
    static const double values[] = {NAN, 2, 3, NAN}, none[] = {NAN, NAN, NAN, NAN};
    static const double infinite[] = {1, 2, INFINITY, 4};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {0};
    TimeIndex index;
    Error error = {0};

    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 2 && index.first_ms == moment("2026-01-02"));
    EXPECT(index.last_ms == moment("2026-01-03") && index.values[0] == 2);
    rows.values = none;
    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message, "all values of the series are missing");
    rows.values = infinite;
    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message, "the value of row 3 is inf, but at most 1e+100 is allowed");
    rows.count = 0;
    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message, "a series without rows cannot be forecast");
}

static void test_one_far_row_does_not_make_a_series_of_millions(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"1970-01-01T00:00", "1970-01-01T00:01", "1970-01-01T00:02",
                                        "2026-01-01T00:00"};
    static const double values[] = {1, 2, 3, 4};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {.gaps = GAP_INTERPOLATE};
    TimeIndex index;
    Error error = {0};

    EXPECT(!time_index_make(&rows, &spec, arena, &index, &error));
    EXPECT_TEXT(error.message, "the series would have 29453761 values from first to last time, but "
                               "at most 1048576 are allowed");
}

static void test_months_that_are_named_keep_their_day(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const times[] = {"2025-11-30", "2025-12-31", "2026-02-28"};
    static const double values[] = {1, 2, 4};
    TimeRows rows = ROWS(arena, times, values);
    TimeIndexSpec spec = {.gaps = GAP_INTERPOLATE};
    TimeIndex index;
    Error error = {0};

    EXPECT(frequency_parse("month", &spec.frequency));
    EXPECT_OK(time_index_make(&rows, &spec, arena, &index, &error), error);
    EXPECT(index.count == 4 && index.values[2] == 3);
    EXPECT(index.last_ms == moment("2026-02-28"));
    EXPECT(frequency_add(&index.frequency, index.last_ms, 1, &index.last_ms));
    EXPECT(index.last_ms == moment("2026-03-31"));
}

static void test_values_that_stand_out_are_counted_and_replaced_where_that_is_asked(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    int64_t times[70];
    double values[70];
    Random random = random_seeded(1);
    TimeIndexSpec spec = {0};
    TimeIndex index;
    Error error = {0};

    for (size_t i = 0; i < 70; i++) {
        times[i] = moment("2026-01-01") + (int64_t)i * FREQUENCY_DAY_MS;
        values[i] = 100 + (double)i + 20 * (double)(i % 7) + 3 * random_unit(&random);
    }
    EXPECT_OK(time_index_make(&(TimeRows){times, values, 70}, &spec, arena, &index, &error), error);
    EXPECT(index.report.outliers == 0);
    values[40] += 90;
    values[12] -= 80;
    EXPECT_OK(time_index_make(&(TimeRows){times, values, 70}, &spec, arena, &index, &error), error);
    EXPECT(index.report.outliers == 2 && index.values[40] == values[40]);
    EXPECT(index.report.first_outlier_ms == times[12]);
    EXPECT_TEXT(time_report_describe(&index, arena), "70 values, one every day, 2 that stand out");
    spec.outliers = OUTLIER_REPLACE;
    EXPECT_OK(time_index_make(&(TimeRows){times, values, 70}, &spec, arena, &index, &error), error);
    EXPECT_NEAR(index.values[40], values[40] - 90, 5);
    EXPECT_NEAR(index.values[12], values[12] + 80, 5);
    EXPECT(index.values[13] == values[13]);
}

static void test_without_a_season_a_value_stands_out_from_its_neighbours(void)
{
    double values[40], expected[40];
    Series series = {values, 40, 1};
    Random random = random_seeded(1);

    for (size_t i = 0; i < 40; i++)
        values[i] = 12 * random_unit(&random);
    values[0] = values[39] = 100;
    EXPECT(outliers_find(&series, expected) == 2 && expected[0] < 13 && expected[39] < 13);
    EXPECT(isnan(expected[1]));
    for (size_t i = 0; i < 40; i++)
        values[i] = i % 8 == 0 ? 5 : 0; /* mostly nothing */
    EXPECT(outliers_find(&series, expected) == 0);
    series.count = 7;
    EXPECT(outliers_find(&series, expected) == 0);
}

/* Taking trend and season out of it leaves what rounding leaves. */
static void test_in_a_constant_series_nothing_stands_out(void)
{
    double values[100], expected[100];
    Series series = {values, 100, 7};

    for (size_t i = 0; i < 100; i++)
        values[i] = 5;
    EXPECT(outliers_find(&series, expected) == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_frequencies_are_found),
        TEST(test_in_a_constant_series_nothing_stands_out),
        TEST(test_times_without_a_common_distance_are_refused),
        TEST(test_months_end_on_their_last_day),
        TEST(test_names_of_frequencies_are_read),
        TEST(test_seasons_follow_from_the_frequency),
        TEST(test_gaps_are_filled_by_rule),
        TEST(test_a_gap_takes_the_season_before),
        TEST(test_duplicates_go_by_rule_and_order_does_not_matter),
        TEST(test_times_near_their_place_are_moved_and_others_refused),
        TEST(test_many_rows_a_day_become_their_daily_mean),
        TEST(test_missing_ends_are_cut_and_nothing_at_all_is_refused),
        TEST(test_one_far_row_does_not_make_a_series_of_millions),
        TEST(test_months_that_are_named_keep_their_day),
        TEST(test_values_that_stand_out_are_counted_and_replaced_where_that_is_asked),
        TEST(test_without_a_season_a_value_stands_out_from_its_neighbours),
        {0},
    };
    return test_main(tests, count, names);
}

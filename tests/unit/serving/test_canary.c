/* test_canary.c: windows of counts, and what a rule makes of them. */
#include "serving/canary.h"
#include "tests/test.h"

/* A window of so many answers that took so long, of others that took a hundred times as long, and
 * of errors. */
static Window made_window(uint64_t answers, uint64_t slow, uint64_t errors, int64_t duration_us)
{
    static DeploymentCounts empty;
    DeploymentCounts *counts = aligned_alloc(_Alignof(DeploymentCounts), sizeof(*counts));
    Window window;

    memcpy(counts, &empty, sizeof(*counts));
    for (uint64_t i = 0; i < answers; i++)
        counts_answer(counts, duration_us);
    for (uint64_t i = 0; i < slow; i++)
        counts_answer(counts, duration_us * 100);
    for (uint64_t i = 0; i < errors; i++)
        counts_error(counts);
    window = counts_read(counts);
    free(counts);
    return window;
}

static void test_a_rule_decides_by_errors_and_times(void)
{
    static const struct {
        double errors_max, p99_ms_max;
        int64_t requests_min;
        uint64_t answers, slow, errors;
        CanaryVerdict verdict;
        const char *reason;
    } rows[] = {
        {0.01, NAN, 100, 0, 0, 0, CANARY_WAIT, "0 of 100 requests so far"},
        {0.01, NAN, 100, 99, 0, 0, CANARY_WAIT, "99 of 100 requests so far"},
        {0.01, NAN, 100, 98, 0, 1, CANARY_WAIT, "99 of 100 requests so far"},
        {0.01, NAN, 100, 100, 0, 0, CANARY_CONTINUE, "0 of 100 requests failed, p99 1.02 ms"},
        {0.01, NAN, 100, 99, 0, 1, CANARY_CONTINUE, "1 of 100 requests failed, p99 1.02 ms"},
        {0.01, NAN, 100, 98, 0, 2, CANARY_ABORT,
         "2 of 100 requests failed, which is more than 1 %"},
        /* good ones up to the minimum could not make up for it */
        {0.01, NAN, 100, 0, 0, 2, CANARY_ABORT, "2 of 2 requests failed, which is more than 1 %"},
        {0, NAN, 1000, 5, 0, 1, CANARY_ABORT, "1 of 6 requests failed, which is more than 0 %"},
        {0.01, NAN, 1, 9901, 0, 99, CANARY_CONTINUE, "99 of 10000 requests failed, p99 1.02 ms"},
        {0.01, NAN, 1, 9899, 0, 101, CANARY_ABORT,
         "101 of 10000 requests failed, which is more than 1 %"},
        {1, NAN, 1, 0, 0, 5, CANARY_CONTINUE, "5 of 5 requests failed, p99 0 ms"},
        {0.01, 50, 100, 990, 10, 0, CANARY_CONTINUE, "0 of 1000 requests failed, p99 1.02 ms"},
        {0.01, 50, 100, 989, 11, 0, CANARY_ABORT,
         "99 of 100 answers took up to 98.7 ms, which is more than 50 ms"},
        {0.01, 500, 100, 900, 100, 0, CANARY_CONTINUE, "0 of 1000 requests failed, p99 102 ms"},
        {0.01, 50, 2000, 989, 11, 0, CANARY_WAIT, "1000 of 2000 requests so far"},
        {0.01, 50, 0, 0, 0, 0, CANARY_CONTINUE, "0 of 0 requests failed, p99 0 ms"},
        {0.01, 50, 0, 0, 0, 1, CANARY_ABORT, "1 of 1 requests failed, which is more than 1 %"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++) {
        CanaryRule rule = {rows[i].errors_max, rows[i].p99_ms_max, rows[i].requests_min};
        Window window = made_window(rows[i].answers, rows[i].slow, rows[i].errors, 1000);
        CanaryJudgement judgement = canary_decide(&rule, &window, arena);

        EXPECT_TEXT(judgement.reason, rows[i].reason);
        EXPECT(judgement.verdict == rows[i].verdict);
        EXPECT(judgement.window.requests == window.requests);
    }
}

static void test_a_rule_that_cannot_decide_is_refused(void)
{
    static const struct {
        CanaryRule rule;
        const char *field, *message;
    } rows[] = {
        {{-0.01, NAN, 100},
         "errors_max",
         "a share of errors is at least 0 and at most 1: 0.01 is 1 %"},
        {{5, NAN, 100}, "errors_max", "a share of errors is at least 0 and at most 1: 0.01 is 1 %"},
        {{NAN, NAN, 100},
         "errors_max",
         "a share of errors is at least 0 and at most 1: 0.01 is 1 %"},
        {{0.01, 0, 100}, "p99_ms_max", "a limit of time is above 0 milliseconds"},
        {{0.01, INFINITY, 100}, "p99_ms_max", "a limit of time is above 0 milliseconds"},
        {{0.01, NAN, -1}, "requests_min", "a candidate is judged by 0 requests or more"},
    };
    CanaryRule good = canary_rule_default();
    Error error = {0};

    EXPECT_OK(canary_rule_check(&good, &error), error);
    for (size_t i = 0; i < COUNT(rows); i++) {
        error = (Error){0};
        EXPECT(!canary_rule_check(&rows[i].rule, &error));
        EXPECT_TEXT(error.message, rows[i].message);
        EXPECT_TEXT(error.field, rows[i].field);
    }
}

static void test_a_duration_is_known_to_a_sixteenth(void)
{
    for (int64_t duration_us = 1; duration_us < (INT64_C(1) << 27);
         duration_us += duration_us / 7 + 1) {
        Window window = made_window(1, 0, 0, duration_us);
        double found_us = window_quantile_ms(&window, 0.5) * 1000;

        EXPECT(fabs(found_us - (double)duration_us) <= fmax(1, (double)duration_us / 16));
    }
}

static void test_durations_out_of_range_are_counted_at_the_ends(void)
{
    static const int64_t durations_us[] = {INT64_MIN, -1, 0, INT64_C(1) << 27, INT64_MAX / 100};

    for (size_t i = 0; i < COUNT(durations_us); i++) {
        Window window = made_window(1, 0, 0, durations_us[i]);

        EXPECT(window.requests == 1);
        EXPECT(window.durations[durations_us[i] > 0 ? DURATION_BINS - 1 : 0] == 1);
    }
}

static void test_the_window_between_two_readings_is_their_difference(void)
{
    Window then = made_window(100, 0, 10, 1000), now = made_window(150, 10, 12, 1000);
    Window since = window_since(&now, &then);

    EXPECT(since.requests == 62 && since.errors == 2);
    EXPECT(since.duration_us == 50 * 1000 + 10 * 100000);
    EXPECT_NEAR(window_quantile_ms(&since, 0.5), 1, 0.07);
    EXPECT_NEAR(window_quantile_ms(&since, 0.9), 100, 7);
}

static void test_a_window_without_answers_has_no_times(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    Window window = made_window(0, 0, 1, 1000);

    json_open_object(json, NULL);
    window_write_json(json, &window);
    json_close(json);
    EXPECT_TEXT(json_finish(json), "{\"requests\":1,\"errors\":1,\"dropped\":0,\"mean_ms\":null,"
                                   "\"p50_ms\":null,\"p99_ms\":null}");
}

static CanaryRecord read_back(const CanaryRecord *record, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *value;
    Error error = {0};

    canary_record_write_json(json, NULL, record);
    EXPECT_OK(json_parse(json_finish(json), json_size(json), arena, &value, &error), error);
    return canary_record_read(value);
}

static void test_a_record_goes_on_where_the_process_before_ended(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Window five = made_window(4, 0, 1, 1000), nine = made_window(7, 1, 1, 1000);
    Window three = made_window(2, 0, 1, 3000), none = {0};
    CanaryRecord record = {0};
    Window sum;

    canary_record_take(&record, 100, &five);
    canary_record_take(&record, 100, &nine);
    record = read_back(&record, arena);
    sum = canary_record_sum(&record);
    EXPECT(sum.requests == 9 && sum.errors == 1 && sum.duration_us == 7 * 1000 + 100000);
    EXPECT_NEAR(window_quantile_ms(&sum, 0.99), 100, 7);
    canary_record_take(&record, 200, &none);
    canary_record_take(&record, 200, &three);
    record = read_back(&record, arena);
    sum = canary_record_sum(&record);
    EXPECT(sum.requests == 12 && sum.errors == 2);
    canary_record_take(&record, 200, &none); /* the clock shows the same, the counts do not */
    sum = canary_record_sum(&record);
    EXPECT(sum.requests == 12 && sum.errors == 2);
}

static void test_a_record_that_is_damaged_counts_nothing(void)
{
    static const char *const texts[] = {
        "null", "[]", "{\"now\":7}",
        "{\"now\":{\"errors\":-5,\"durations\":[7,[],[-1,5],[384,5],[5]]}}"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(texts); i++) {
        const JsonValue *value;
        Error error = {0};
        CanaryRecord record;
        Window sum;

        EXPECT_OK(json_parse(texts[i], strlen(texts[i]), arena, &value, &error), error);
        record = canary_record_read(value);
        sum = canary_record_sum(&record);
        EXPECT(sum.requests == 0 && sum.errors == 0);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_rule_decides_by_errors_and_times),
        TEST(test_a_rule_that_cannot_decide_is_refused),
        TEST(test_a_duration_is_known_to_a_sixteenth),
        TEST(test_durations_out_of_range_are_counted_at_the_ends),
        TEST(test_the_window_between_two_readings_is_their_difference),
        TEST(test_a_window_without_answers_has_no_times),
        TEST(test_a_record_goes_on_where_the_process_before_ended),
        TEST(test_a_record_that_is_damaged_counts_nothing),
        {0},
    };

    return test_main(tests, count, names);
}

/* Points of metrics: whatever the order in which they come, a history has each once, in order. */
#include "tracking/metric_series.h"

#include <float.h>

#include "tests/unit/tracking/store_fixture.h"
#include "tracking/metric_block.h"
#include "tracking/moving.h"

/* A small generator of its own: the same numbers each time. */
static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void expect_same(const Metric *a, const Metric *b)
{
    EXPECT(a->timestamp == b->timestamp && a->step == b->step);
    EXPECT(a->value == b->value || (isnan(a->value) && isnan(b->value)));
}

static void test_a_block_reads_as_it_was_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Metric points[] = {
        {.timestamp = 0, .step = INT64_MIN, .value = NAN},
        {.timestamp = 0, .step = INT64_MAX, .value = -0.0},
        {.timestamp = INT64_MAX, .step = 0, .value = DBL_MAX},
        {.timestamp = INT64_MAX, .step = 1, .value = DBL_MIN},
        {.timestamp = 3, .step = -1, .value = -DBL_MAX},
    };
    MetricList written = {points, COUNT(points)}, read = {0};
    MetricBlock block = metric_block_write(&written, arena);
    Error error = {0};

    EXPECT_OK(metric_block_read(&block, "loss", arena, &read, &error), error);
    EXPECT(read.count == written.count);
    for (size_t i = 0; i < read.count; i++)
        expect_same(&read.items[i], &points[i]);
    EXPECT_TEXT(read.items[0].key, "loss");
}

static void test_a_damaged_block_is_refused_or_reads_the_same(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Metric points[100] = {0};
    MetricList written = {points, COUNT(points)}, read = {0};
    MetricBlock block;

    for (size_t i = 0; i < COUNT(points); i++)
        points[i] = (Metric){
            .timestamp = (int64_t)i, .step = (int64_t)(i * i), .value = 1.0 / (double)(i + 1)};
    block = metric_block_write(&written, arena);
    for (size_t at = 0; at < block.size; at++) {
        char *copy = arena_copy(arena, block.bytes, block.size);
        Error error = {0};

        EXPECT(!metric_block_read(&(MetricBlock){copy, at}, "x", arena, &read, &error));
        EXPECT(error.kind == ERROR_INTERNAL);
        copy[at] = (char)(copy[at] ^ 1);
        error = (Error){0};
        if (!metric_block_read(&(MetricBlock){copy, block.size}, "x", arena, &read, &error))
            continue;
        for (size_t i = 0; i < COUNT(points); i++) /* a bit that says nothing */
            expect_same(&read.items[i], &points[i]);
    }
}

static void test_even_steps_take_a_few_bytes_a_point(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Metric *points = arena_array(arena, Metric, METRIC_BLOCK_POINTS);

    for (int i = 0; i < METRIC_BLOCK_POINTS; i++)
        points[i] =
            (Metric){.timestamp = 1700000000000 + i * 250, .step = i, .value = exp(-i / 300.0)};
    EXPECT(metric_block_write(&(MetricList){points, METRIC_BLOCK_POINTS}, arena).size <
           8 * METRIC_BLOCK_POINTS);
}

enum { POINTS = 6000, BATCH = 500 };

/* Points by time, most of them; one in ten is late, one in twenty comes again, some are NaN. */
static MetricList make_points(Arena *arena)
{
    MetricList list = {arena_array(arena, Metric, POINTS), POINTS};
    uint64_t state = 7;

    for (int64_t i = 0; i < POINTS; i++) {
        uint64_t luck = next_number(&state);
        Metric point = {.key = "loss",
                        .timestamp = 1000 + i / 3,
                        .step = i,
                        .value = (double)(next_number(&state) % 1000) / 7};

        if (luck % 10 == 0)
            point.timestamp = (int64_t)(next_number(&state) % (uint64_t)(1000 + i));
        if (luck % 50 == 1)
            point.value = NAN;
        list.items[i] = luck % 20 == 2 && i ? list.items[next_number(&state) % (uint64_t)i] : point;
    }
    return list;
}

/* In the order of a history, each once. */
static MetricList expected_of(const MetricList *points, Arena *arena)
{
    MetricList expected = {arena_array(arena, Metric, points->count), 0};
    Metric *sorted = arena_array(arena, Metric, points->count);

    memcpy(sorted, points->items, points->count * sizeof(*sorted));
    qsort(sorted, points->count, sizeof(*sorted), metric_compare_history);
    for (size_t i = 0; i < points->count; i++)
        if (i == 0 || metric_compare_history(&sorted[i - 1], &sorted[i]) != 0)
            expected.items[expected.count++] = sorted[i];
    return expected;
}

static void log_points(Scope *scope, const char *run_id, const MetricList *points)
{
    for (size_t first = 0; first < points->count; first += BATCH) {
        RunBatch batch = {.metrics = {points->items + first, BATCH}};

        EXPECT_OK(run_log_batch(scope, run_id, &batch), scope->error);
    }
}

static void expect_history(Scope *scope, const char *run_id, const MetricList *expected,
                           size_t first)
{
    MetricFilter filter = {.key = "loss", .offset = (int64_t)first};
    MetricList found = {0};

    EXPECT_OK(run_metric_history(scope, run_id, &filter, &found), scope->error);
    EXPECT(found.count == expected->count - first);
    for (size_t i = 0; i < found.count; i++)
        expect_same(&found.items[i], &expected->items[first + i]);
}

static int64_t count_rows(Scope *scope, const char *sql)
{
    int64_t count = 0;

    EXPECT_OK(db_get_int(scope->db, &scope->error, &count, sql), scope->error);
    return count;
}

static void test_a_long_history_is_whole_and_in_order(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    MetricList points = make_points(scope->arena), expected = expected_of(&points, scope->arena);
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    log_points(scope, run.id, &points);
    EXPECT(count_rows(scope, "SELECT count(*) FROM metric_blocks") >= 3);
    EXPECT(count_rows(scope, "SELECT count(*) FROM metric_points") < 3 * METRIC_BLOCK_POINTS);
    EXPECT(count_rows(scope, "SELECT count(*) FROM metric_points") ==
           count_rows(scope, "SELECT tail_count FROM latest_metrics"));
    for (size_t first = 0; first < expected.count; first += 997)
        expect_history(&fixture.reader, run.id, &expected, first);
}

static void test_the_same_points_again_change_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    MetricList points = make_points(scope->arena), expected = expected_of(&points, scope->arena);
    Run run, again;

    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    log_points(scope, run.id, &points);
    EXPECT_OK(run_find(scope, run.id, &run), scope->error);
    log_points(scope, run.id, &points);
    expect_history(&fixture.reader, run.id, &expected, 0);
    EXPECT_OK(run_find(scope, run.id, &again), scope->error);
    expect_same(&run.metrics.items[0], &again.metrics.items[0]);
}

/* Chunks that overlap, some of them too small for a block, beside points that were logged. */
static void test_imported_points_are_there_once_beside_logged_ones(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    MetricList points = make_points(scope->arena), expected = expected_of(&points, scope->arena);
    MovingCounts counts = {0};
    Run run, logged;

    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    EXPECT_OK(run_create(scope, &(RunSpec){0}, &logged), scope->error);
    log_points(scope, logged.id, &points);
    log_points(scope, run.id, &(MetricList){points.items + 2 * BATCH, 2 * BATCH});
    for (size_t first = 0, size = 7; first < points.count; first += size, size = size * 3 % 1021) {
        size_t left = points.count - first, most = size + 50 < left ? size + 50 : left;
        MetricList chunk = {arena_array(scope->arena, Metric, most), most};

        memcpy(chunk.items, points.items + first, most * sizeof(*chunk.items));
        EXPECT_OK(run_import_points(scope, run.id, &chunk, &counts), scope->error);
    }
    expect_history(&fixture.reader, run.id, &expected, 0);
    EXPECT(counts.points.present > 2 * BATCH / 2);
    log_points(scope, run.id, &points);
    expect_history(&fixture.reader, run.id, &expected, 0);
    EXPECT_OK(run_find(scope, run.id, &run), scope->error);
    EXPECT_OK(run_find(scope, logged.id, &logged), scope->error);
    expect_same(&run.metrics.items[0], &logged.metrics.items[0]);
}

/* A script that logs a whole history at once gives each point the same time. */
static void test_points_of_one_time_are_told_apart_by_their_steps(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    MetricList points = {arena_array(scope->arena, Metric, POINTS), POINTS}, expected;
    Run run;

    for (int64_t i = 0; i < POINTS; i++)
        points.items[i] = (Metric){
            .key = "loss", .timestamp = 1000, .step = i % 2 ? i : -i, .value = (double)(i % 7)};
    expected = expected_of(&points, scope->arena);
    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    log_points(scope, run.id, &points);
    log_points(scope, run.id, &points);
    EXPECT(count_rows(scope, "SELECT count(*) FROM metric_blocks") >= 3);
    expect_history(&fixture.reader, run.id, &expected, 0);
    expect_history(&fixture.reader, run.id, &expected, 4321);
}

static void test_metrics_and_runs_keep_their_points_apart(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Metric *items = arena_array(scope->arena, Metric, 2 * BATCH);
    MetricList found = {0};
    Run runs[2];

    for (int64_t i = 0; i < 2 * BATCH; i++)
        items[i] =
            (Metric){.key = i % 2 ? "a" : "b", .timestamp = i, .step = i, .value = (double)i};
    for (size_t i = 0; i < COUNT(runs); i++) {
        EXPECT_OK(run_create(scope, &(RunSpec){0}, &runs[i]), scope->error);
        for (int64_t turn = 0; turn < 6; turn++) {
            for (size_t at = 0; at < 2 * BATCH; at++)
                items[at].timestamp += 2 * BATCH;
            EXPECT_OK(run_log_batch(scope, runs[i].id, &(RunBatch){.metrics = {items, 2 * BATCH}}),
                      scope->error);
        }
    }
    EXPECT_OK(run_metric_history(scope, runs[1].id, &(MetricFilter){.key = "b"}, &found),
              scope->error);
    EXPECT(found.count == 6 * BATCH);
    for (size_t i = 0; i < found.count; i++)
        EXPECT(found.items[i].step % 2 == 0 && strcmp(found.items[i].key, "b") == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_block_reads_as_it_was_written),
        TEST(test_a_damaged_block_is_refused_or_reads_the_same),
        TEST(test_even_steps_take_a_few_bytes_a_point),
        TEST(test_a_long_history_is_whole_and_in_order),
        TEST(test_the_same_points_again_change_nothing),
        TEST(test_imported_points_are_there_once_beside_logged_ones),
        TEST(test_points_of_one_time_are_told_apart_by_their_steps),
        TEST(test_metrics_and_runs_keep_their_points_apart),
        {0},
    };
    return test_main(tests, count, names);
}

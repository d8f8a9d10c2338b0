/* test_slurm_table.c: what is believed of a job between what we asked for and what Slurm said, turn
 * by turn and without any Slurm. */
#include "engine/slurm_table.h"
#include "tests/test.h"

typedef struct Bench {
    Arena *arena;
    SlurmTable table;
    int64_t now_us;
} Bench;

static Bench bench_open(void)
{
    return (Bench){.arena = arena_create(), .now_us = 1000};
}

static void bench_close(Bench *bench)
{
    slurm_table_clear(&bench->table);
    arena_destroy(bench->arena);
}

static void want(Bench *bench, const char *key)
{
    slurm_table_want(&bench->table,
                     &(ExecutorJob){.key = key, .program = "slipway", .folder = "/f"});
}

/* A listing that began at this moment; jobs in the order of their names. */
static bool list(Bench *bench, const SlurmJob *jobs, size_t count)
{
    Arena *arena = arena_create();
    SlurmJobList copy = {arena_array(arena, SlurmJob, count + 1), count};

    if (count)
        memcpy(copy.items, jobs, count * sizeof(*jobs));
    return slurm_table_set(&bench->table, arena, copy, bench->now_us++);
}

static bool list_one(Bench *bench, int64_t id, const char *key, ExecutorState state)
{
    return list(bench, &(SlurmJob){id, key, "/f", state, "as Slurm says"}, 1);
}

static const char *next(Bench *bench)
{
    int64_t next_us = INT64_MAX;
    const ExecutorJob *job = slurm_table_next(&bench->table, bench->now_us, &next_us, bench->arena);

    return job ? job->key : "";
}

static void settle(Bench *bench, const char *key, SlurmVerdict verdict, int64_t id)
{
    slurm_table_settle(&bench->table, key,
                       &(SlurmOutcome){verdict, id, verdict == SLURM_DONE ? NULL : "no"},
                       bench->now_us++);
}

static ExecutorState state(Bench *bench, const char *key)
{
    ExecutorProbe probe = {.key = key};

    slurm_table_probe(&bench->table, &probe, bench->arena);
    return probe.state;
}

static void test_nothing_is_handed_over_before_slurm_said_what_it_has(void)
{
    Bench bench = bench_open();

    want(&bench, "a");
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    EXPECT(state(&bench, "z") == EXECUTOR_QUEUED); /* nobody can tell yet */
    EXPECT_TEXT(next(&bench), "");
    EXPECT(slurm_table_needs_listing(&bench.table));
    list(&bench, NULL, 0);
    EXPECT(state(&bench, "z") == EXECUTOR_UNKNOWN);
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_DONE, 7);
    EXPECT_TEXT(next(&bench), "");
    bench_close(&bench);
}

static void test_what_slurm_has_already_is_not_handed_over_again(void)
{
    Bench bench = bench_open();

    want(&bench, "a");
    list_one(&bench, 7, "a", EXECUTOR_RUNNING);
    EXPECT_TEXT(next(&bench), "");
    EXPECT(state(&bench, "a") == EXECUTOR_RUNNING);
    bench_close(&bench);
}

/* It may have been taken all the same. */
static void test_after_a_call_without_an_answer_slurm_is_asked_what_it_has(void)
{
    Bench bench = bench_open();

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_AWAY, 0);
    EXPECT_TEXT(next(&bench), "");
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    list_one(&bench, 7, "a", EXECUTOR_QUEUED);
    EXPECT_TEXT(next(&bench), "");
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    list(&bench, NULL, 0);
    EXPECT(state(&bench, "a") == EXECUTOR_UNKNOWN);
    bench_close(&bench);
}

static void test_an_older_listing_says_nothing_of_a_job_that_was_just_taken(void)
{
    Bench bench = bench_open();

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_DONE, 7);
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    EXPECT(!list_one(&bench, 7, "a", EXECUTOR_RUNNING));
    EXPECT(state(&bench, "a") == EXECUTOR_RUNNING);
    EXPECT(list_one(&bench, 7, "a", EXECUTOR_GONE)); /* news, once */
    EXPECT(!list_one(&bench, 7, "a", EXECUTOR_GONE));
    EXPECT(state(&bench, "a") == EXECUTOR_GONE);
    bench_close(&bench);
}

/* Its number is another job's by now. */
static void test_a_job_whose_number_has_another_name_is_unknown(void)
{
    Bench bench = bench_open();

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_DONE, 7);
    EXPECT(list_one(&bench, 7, "b", EXECUTOR_RUNNING));
    EXPECT(state(&bench, "a") == EXECUTOR_UNKNOWN);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    bench_close(&bench);
}

static void test_what_is_refused_is_gone_until_it_is_wanted_again(void)
{
    Bench bench = bench_open();

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_REFUSED, 0);
    EXPECT(state(&bench, "a") == EXECUTOR_GONE);
    EXPECT_TEXT(slurm_table_refusal(&bench.table, "a"), "no");
    EXPECT_TEXT(next(&bench), "");
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    bench_close(&bench);
}

static void test_what_is_to_come_later_lets_others_go_first(void)
{
    Bench bench = bench_open();
    int64_t next_us = INT64_MAX;

    list(&bench, NULL, 0);
    want(&bench, "a");
    want(&bench, "b");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_LATER, 0);
    EXPECT_TEXT(next(&bench), "b");
    settle(&bench, "b", SLURM_DONE, 8);
    EXPECT(!slurm_table_next(&bench.table, bench.now_us, &next_us, bench.arena));
    EXPECT(next_us > bench.now_us);
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    bench.now_us = next_us;
    EXPECT_TEXT(next(&bench), "a");
    bench_close(&bench);
}

static void test_what_is_cancelled_before_its_turn_never_comes(void)
{
    Bench bench = bench_open();

    want(&bench, "a");
    slurm_table_cancel(&bench.table, "a", bench.now_us++);
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED); /* an earlier server may have handed it over */
    list(&bench, NULL, 0);
    EXPECT(state(&bench, "a") == EXECUTOR_GONE);
    EXPECT_TEXT(next(&bench), "");
    want(&bench, "b");
    slurm_table_cancel(&bench.table, "b", bench.now_us++);
    EXPECT(state(&bench, "b") == EXECUTOR_GONE);
    EXPECT_TEXT(next(&bench), "");
    bench_close(&bench);
}

static void test_what_an_earlier_server_handed_over_is_cancelled_too(void)
{
    Bench bench = bench_open();

    want(&bench, "a");
    slurm_table_cancel(&bench.table, "a", bench.now_us++);
    list_one(&bench, 7, "a", EXECUTOR_RUNNING);
    EXPECT(state(&bench, "a") == EXECUTOR_RUNNING);
    EXPECT(slurm_table_cancels(&bench.table, bench.arena).count == 1);
    bench_close(&bench);
}

static void test_what_is_cancelled_on_its_way_ends_when_it_is_there(void)
{
    Bench bench = bench_open();
    SlurmIdList ids;

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    slurm_table_cancel(&bench.table, "a", bench.now_us++);
    settle(&bench, "a", SLURM_DONE, 7);
    EXPECT(slurm_table_cancels(&bench.table, bench.arena).count == 0);
    EXPECT(slurm_table_needs_listing(&bench.table));
    list_one(&bench, 7, "a", EXECUTOR_QUEUED);
    ids = slurm_table_cancels(&bench.table, bench.arena);
    EXPECT(ids.count == 1 && ids.items[0] == 7);
    EXPECT(slurm_table_cancels(&bench.table, bench.arena).count == 0);
    bench_close(&bench);
}

/* The call was given up, so nobody knows; it must not come up behind our back. */
static void test_what_is_cancelled_in_doubt_is_looked_for(void)
{
    Bench bench = bench_open();
    SlurmIdList ids;

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    settle(&bench, "a", SLURM_AWAY, 0);
    slurm_table_cancel(&bench.table, "a", bench.now_us++);
    EXPECT(state(&bench, "a") == EXECUTOR_QUEUED);
    list_one(&bench, 7, "a", EXECUTOR_RUNNING);
    EXPECT(state(&bench, "a") == EXECUTOR_RUNNING);
    ids = slurm_table_cancels(&bench.table, bench.arena);
    EXPECT(ids.count == 1 && ids.items[0] == 7);
    list(&bench, NULL, 0);
    EXPECT(state(&bench, "a") == EXECUTOR_GONE);
    EXPECT_TEXT(next(&bench), "");
    bench_close(&bench);
}

static void test_all_jobs_of_a_name_are_cancelled_and_no_others(void)
{
    Bench bench = bench_open();
    const SlurmJob jobs[] = {
        {1, "a", "/f", EXECUTOR_RUNNING, ""}, {2, "b", "/f", EXECUTOR_RUNNING, ""},
        {3, "b", "/f", EXECUTOR_QUEUED, ""},  {4, "b", "/f", EXECUTOR_GONE, ""},
        {5, "c", "/f", EXECUTOR_RUNNING, ""},
    };
    SlurmIdList ids;

    slurm_table_cancel(&bench.table, "b", bench.now_us++); /* of an earlier server */
    list(&bench, jobs, COUNT(jobs));
    ids = slurm_table_cancels(&bench.table, bench.arena);
    EXPECT(ids.count == 2 && ids.items[0] == 2 && ids.items[1] == 3);
    bench_close(&bench);
}

static void test_what_is_forgotten_while_it_is_on_its_way_stays_forgotten(void)
{
    Bench bench = bench_open();

    list(&bench, NULL, 0);
    want(&bench, "a");
    EXPECT_TEXT(next(&bench), "a");
    slurm_table_forget(&bench.table, "a");
    want(&bench, "b");
    settle(&bench, "a", SLURM_DONE, 7);
    EXPECT(bench.table.count == 1);
    EXPECT_TEXT(next(&bench), "b");
    EXPECT(!slurm_table_has(&bench.table, "a"));
    bench_close(&bench);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_nothing_is_handed_over_before_slurm_said_what_it_has),
        TEST(test_what_slurm_has_already_is_not_handed_over_again),
        TEST(test_after_a_call_without_an_answer_slurm_is_asked_what_it_has),
        TEST(test_an_older_listing_says_nothing_of_a_job_that_was_just_taken),
        TEST(test_a_job_whose_number_has_another_name_is_unknown),
        TEST(test_what_is_refused_is_gone_until_it_is_wanted_again),
        TEST(test_what_is_to_come_later_lets_others_go_first),
        TEST(test_what_is_cancelled_before_its_turn_never_comes),
        TEST(test_what_an_earlier_server_handed_over_is_cancelled_too),
        TEST(test_what_is_cancelled_on_its_way_ends_when_it_is_there),
        TEST(test_what_is_cancelled_in_doubt_is_looked_for),
        TEST(test_all_jobs_of_a_name_are_cancelled_and_no_others),
        TEST(test_what_is_forgotten_while_it_is_on_its_way_stays_forgotten),
        {0},
    };

    return test_main(tests, count, names);
}

/* test_shim.c: one attempt from its spec to its end, by the real shim; what is read of a record
 * that is whole, torn, held or left behind. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/time.h"
#include "engine/attempt.h"
#include "engine/attempt_token.h"
#include "engine/executor.h"
#include "engine/shim.h"
#include "store/artifact.h"
#include "tests/test.h"

enum { WAIT_MS = 20000 };

typedef struct Bench {
    Arena *arena;
    const char *folder, *attempt, *blobs;
    ArtifactStore *store;
    Executor *executor;
    const char *handle;
    Error error;
} Bench;

static Bench bench_open(void)
{
    Bench bench = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", bench.arena, &bench.folder, &bench.error), bench.error);
    bench.attempt = arena_format(bench.arena, "%s/attempt", bench.folder);
    bench.blobs = arena_format(bench.arena, "%s/artifacts", bench.folder);
    bench.store = artifact_store_open(bench.blobs, &bench.error);
    EXPECT_OK(folder_make(bench.attempt, &bench.error), bench.error);
    bench.executor = executor_local_create(&bench.error);
    EXPECT_OK(bench.executor, bench.error);
    return bench;
}

static void bench_close(Bench *bench)
{
    bench->executor->kind->close(bench->executor);
    artifact_store_close(bench->store);
    EXPECT_OK(folder_remove(bench->folder, &bench->error), bench->error);
    arena_destroy(bench->arena);
}

static void write_file(Bench *bench, const char *name, const char *text)
{
    const char *path = arena_format(bench->arena, "%s/%s", bench->attempt, name);

    EXPECT_OK(file_write(path, text, strlen(text), &bench->error), bench->error);
}

/* members: of the spec, behind its key. */
static void submit(Bench *bench, const char *members)
{
    ExecutorJob job = {
        .key = "run-0-1", .program = process_own_path(bench->arena), .folder = bench->attempt};

    write_file(bench, "spec.json",
               arena_format(bench->arena, "{\"key\":\"run-0-1\",\"artifacts\":\"%s\",%s}",
                            bench->blobs, members));
    EXPECT_OK(bench->executor->kind->submit(bench->executor, &job, bench->arena, &bench->handle,
                                            &bench->error),
              bench->error);
}

static AttemptProbe probe(Bench *bench)
{
    AttemptProbe found;

    EXPECT_OK(attempt_probe(bench->attempt, bench->arena, &found, &bench->error), bench->error);
    return found;
}

static AttemptProbe wait_for(Bench *bench, AttemptState state)
{
    int64_t until_us = time_monotonic_us() + WAIT_MS * INT64_C(1000);
    AttemptProbe found = probe(bench);

    while (found.state != state && time_monotonic_us() < until_us) {
        time_sleep_ms(10);
        found = probe(bench);
    }
    EXPECT(found.state == state);
    return found;
}

static const char *text_of(const AttemptProbe *found, const char *member)
{
    return json_as_text(json_member(found->end, member), "");
}

static const char *log_of(Bench *bench)
{
    const char *text = "";
    size_t size;

    EXPECT_OK(file_read(arena_format(bench->arena, "%s/log", bench->attempt), 1 << 20, bench->arena,
                        &text, &size, &bench->error),
              bench->error);
    return text;
}

static void test_what_a_step_made_is_in_the_store_when_its_end_is_there(void)
{
    Bench bench = bench_open();
    AttemptProbe found;
    const JsonValue *out;
    Tree tree;

    submit(&bench, "\"commands\":[\"mkdir m\",\"echo one > m/a; echo said\"],"
                   "\"outs\":[{\"path\":\"m\",\"use\":\"out\"}]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "succeeded");
    EXPECT_TEXT(log_of(&bench), "said\n");
    JsonWalk walk = json_walk(json_member(found.end, "outs"));
    EXPECT(json_walk_next(&walk));
    out = walk.value;
    EXPECT(json_as_bool(json_member(out, "is_folder"), false));
    EXPECT_OK(tree_read(bench.store, json_as_text(json_member(out, "digest"), ""), bench.arena,
                        &tree, &bench.error),
              bench.error);
    EXPECT(tree.count == 1);
    EXPECT_TEXT(tree.items[0].path, "a");
    EXPECT(artifact_exists(bench.store, tree.items[0].digest));
    bench_close(&bench);
}

static void test_an_out_that_is_missing_is_a_failure_that_names_it(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"commands\":[\"true\"],\"outs\":[{\"path\":\"model.bin\",\"use\":\"out\"}]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "failed");
    EXPECT_TEXT(text_of(&found, "reason"), "it did not make \"model.bin\"");
    bench_close(&bench);
}

static void test_commands_stop_at_the_first_that_fails(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"commands\":[\"echo first\",\"exit 7\",\"echo third\"]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "failed");
    EXPECT(json_as_int(json_member(found.end, "exit_code"), 0) == 7);
    EXPECT_TEXT(log_of(&bench), "first\n");
    bench_close(&bench);
}

static void test_arguments_are_not_read_by_a_shell(void)
{
    Bench bench = bench_open();

    submit(&bench, "\"arguments\":[\"printf\",\"%s\",\"$(id); a b\"]");
    wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(log_of(&bench), "$(id); a b");
    bench_close(&bench);
}

/* The token of whoever claimed the attempt, and nobody else's. */
static void test_commands_have_a_token_whose_digest_alone_is_in_the_record(void)
{
    Bench bench = bench_open();
    const char *token, *record;
    AttemptProbe found;
    size_t size;

    submit(&bench, "\"commands\":[\"test \\\"$SLIPWAY_TOKEN\\\" = \\\"$MLFLOW_TRACKING_TOKEN\\\"\","
                   "\"echo $SLIPWAY_TOKEN > ../told; touch ../../ready; while ! [ -e ../../go ];"
                   " do sleep 0.01; done\"]");
    while (!file_exists(arena_format(bench.arena, "%s/ready", bench.folder)))
        time_sleep_ms(5);
    EXPECT_OK(file_read(arena_format(bench.arena, "%s/told", bench.attempt), 1000, bench.arena,
                        &token, &size, &bench.error),
              bench.error);
    token = arena_copy(bench.arena, token, size - 1);
    EXPECT_TEXT(attempt_token_key(token, bench.arena), "run-0-1");
    found = probe(&bench);
    EXPECT(found.state == ATTEMPT_HELD && attempt_token_is_of(token, &found));
    EXPECT(!attempt_token_is_of(attempt_token_make("run-0-1", bench.arena), &found));
    EXPECT_OK(file_read(arena_format(bench.arena, "%s/record", bench.attempt), 1 << 20, bench.arena,
                        &record, &size, &bench.error),
              bench.error);
    EXPECT(!strstr(record, token) && !strstr(record, token + strlen(token) - 64));
    EXPECT_OK(file_write(arena_format(bench.arena, "%s/go", bench.folder), "", 0, &bench.error),
              bench.error);
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "succeeded");
    EXPECT(!attempt_token_is_of(token, &found));
    bench_close(&bench);
}

static void test_a_token_is_blotted_out_of_the_log_wherever_it_is_cut(void)
{
    Bench bench = bench_open();
    char many[9000] = "";

    memset(many, 'x', sizeof(many) - 1);
    submit(&bench, "\"commands\":[\"echo one $SLIPWAY_TOKEN $SLIPWAY_TOKEN.\","
                   "\"printf %.40s $SLIPWAY_TOKEN; sleep 0.3; echo $SLIPWAY_TOKEN | cut -c41-\","
                   "\"head -c 8999 /dev/zero | tr '\\\\0' x; echo $SLIPWAY_TOKEN\","
                   "\"printf 'sl sls slw'\"]");
    wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(log_of(&bench),
                arena_format(bench.arena, "one *** ***.\n***\n%s***\nsl sls slw", many));
    bench_close(&bench);
}

static void test_what_has_not_the_form_of_a_token_names_no_attempt(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *token = attempt_token_make("ab-0-1", arena);
    const char *const wrong[] = {
        "",
        "slws_",
        "slws__",
        token + 1,
        arena_format(arena, "%s0", token),
        arena_copy(arena, token, strlen(token) - 1),
        arena_format(arena, "slws_../ab-0-1%s", token + strlen("slws_ab-0-1")),
        arena_format(arena, "slws_AB%s", token + strlen("slws_ab-0-1")),
        arena_format(arena, "slws_%064d%s", 0, token + strlen("slws_ab-0-1")),
        arena_format(arena, "slws_ab-0-1_%064d_%064d", 0, 0),
    };

    EXPECT_TEXT(attempt_token_key(token, arena), "ab-0-1");
    for (size_t i = 0; i < COUNT(wrong); i++)
        EXPECT(!attempt_token_key(wrong[i], arena));
}

/* What the server was started with is not the step's; what its stage says is. */
static void test_a_step_has_no_token_of_whoever_started_it(void)
{
    Bench bench = bench_open();

    setenv("SLIPWAY_TOKEN", "slw_owner", 1);
    setenv("MLFLOW_TRACKING_USERNAME", "owner", 1);
    setenv("MLFLOW_TRACKING_PASSWORD", "slw_owner", 1);
    submit(&bench, "\"commands\":[\"env | grep -c owner; echo $MLFLOW_TRACKING_TOKEN\"],"
                   "\"environment\":{\"MLFLOW_TRACKING_TOKEN\":\"its own\"}");
    unsetenv("SLIPWAY_TOKEN");
    unsetenv("MLFLOW_TRACKING_USERNAME");
    unsetenv("MLFLOW_TRACKING_PASSWORD");
    wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(log_of(&bench), "0\nits own\n");
    bench_close(&bench);
}

/* A process that has left the group and the session of the step is its child all the same. */
static void test_what_a_step_leaves_behind_ends_with_it(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"commands\":[\"setsid sleep 1000 > /dev/null 2>&1 & echo $!\"]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "succeeded");
    EXPECT(attempt_kill_processes("run-0-1") == 0);
    bench_close(&bench);
}

static void test_a_cancelled_step_ends_with_its_children(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"grace_ms\":500,\"commands\":[\"trap '' TERM; echo begun; sleep 1000\"]");
    wait_for(&bench, ATTEMPT_HELD);
    write_file(&bench, "cancel", "");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "cancelled");
    EXPECT(attempt_kill_processes("run-0-1") == 0);
    bench_close(&bench);
}

/* An engine ends all processes of a job: here the step is dead before its shim has looked. */
static void test_a_step_that_is_killed_as_it_is_cancelled_is_cancelled(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"commands\":[\"touch ../cancel; kill -TERM $$\"]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "cancelled");
    bench_close(&bench);
}

static void test_a_step_that_is_cancelled_before_it_begins_does_not(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    write_file(&bench, "cancel", "");
    submit(&bench, "\"commands\":[\"echo begun\"]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "cancelled");
    EXPECT_TEXT(log_of(&bench), "");
    bench_close(&bench);
}

static void test_a_step_whose_time_is_up_ends(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"timeout_ms\":300,\"commands\":[\"sleep 1000\"]");
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "timed_out");
    EXPECT_TEXT(text_of(&found, "reason"), "it took longer than its 0.3 seconds");
    bench_close(&bench);
}

static void test_the_files_of_a_step_are_its_own(void)
{
    Bench bench = bench_open();
    Tree tree = {0};
    Artifact script, listing;
    AttemptProbe found;

    EXPECT_OK(
        artifact_add_bytes(bench.store, "#!/bin/sh\necho ran > made\n", 25, &script, &bench.error),
        bench.error);
    *arena_push(bench.arena, &tree) = (TreeEntry){.path = "bin/go", .size = script.size};
    memcpy(tree.items[0].digest, script.digest, sizeof(script.digest));
    EXPECT_OK(tree_add(bench.store, &tree, bench.arena, &listing, &bench.error), bench.error);
    submit(&bench,
           arena_format(bench.arena,
                        "\"tree\":\"%s\",\"commands\":[\"echo x >> bin/go; bin/go; cat made\"]",
                        listing.digest));
    found = wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "failed"); /* "x" is no command */
    EXPECT_OK(artifact_check(bench.store, &script, &bench.error), bench.error);
    bench_close(&bench);
}

static void test_of_two_shims_for_an_attempt_one_does_the_work(void)
{
    Bench bench = bench_open();
    const char *noted = arena_format(bench.arena, "%s/noted", bench.folder);
    const char *members =
        arena_format(bench.arena, "\"commands\":[\"echo begun >> %s; sleep 0.2\"]", noted);
    const char *text;
    size_t size;

    for (int i = 0; i < 4; i++)
        submit(&bench, members);
    wait_for(&bench, ATTEMPT_ENDED);
    EXPECT_OK(file_read(noted, 1000, bench.arena, &text, &size, &bench.error), bench.error);
    EXPECT_TEXT(text, "begun\n");
    bench_close(&bench);
}

static void test_a_shim_that_was_killed_leaves_an_attempt_that_is_dead(void)
{
    Bench bench = bench_open();
    AttemptProbe found;

    submit(&bench, "\"commands\":[\"sleep 1000\"]");
    found = wait_for(&bench, ATTEMPT_HELD);
    kill((pid_t)json_as_int(json_member(found.claim, "process"), 0), SIGKILL);
    wait_for(&bench, ATTEMPT_DEAD);
    for (int tries = 0; attempt_kill_processes("run-0-1") > 0 && tries < 1000; tries++)
        time_sleep_ms(10); /* what was killed may take a moment to be gone */
    EXPECT(attempt_kill_processes("run-0-1") == 0);
    bench_close(&bench);
}

static void test_a_torn_end_is_none(void)
{
    static const struct {
        const char *record;
        AttemptState state;
    } rows[] = {
        {"", ATTEMPT_DEAD},
        {"{\"key\":\"a\"}\n", ATTEMPT_DEAD},
        {"{\"key\":\"a\"}\n{\"outcome\":\"succeeded\"}", ATTEMPT_DEAD},
        {"{\"key\":\"a\"}\n{\"outcome\":\"succ\n", ATTEMPT_DEAD},
        {"{\"key\":\"a\"}\n\"succeeded\"\n", ATTEMPT_DEAD},
        {"{\"key\":\"a\"}\n{\"outcome\":\"succeeded\"}\n", ATTEMPT_ENDED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        Bench bench = bench_open();

        EXPECT(probe(&bench).state == ATTEMPT_ABSENT);
        write_file(&bench, "record", rows[i].record);
        EXPECT(probe(&bench).state == rows[i].state);
        bench_close(&bench);
    }
}

static void test_an_end_is_written_anew_after_one_that_was_torn(void)
{
    Bench bench = bench_open();
    AttemptProbe found;
    int record;

    EXPECT_OK(attempt_claim(bench.attempt, "{\"process\":1}", &record, &bench.error), bench.error);
    EXPECT(descriptor_write(record, "{\"outcome\":\"succ", 16));
    EXPECT_OK(attempt_end(record, "{\"outcome\":\"succeeded\"}", 0, &bench.error), bench.error);
    close(record);
    found = probe(&bench);
    EXPECT(found.state == ATTEMPT_ENDED);
    EXPECT_TEXT(text_of(&found, "outcome"), "succeeded");
    EXPECT(json_as_int(json_member(found.claim, "process"), 0) == 1);
    bench_close(&bench);
}

static void test_an_end_counts_when_nobody_holds_the_record(void)
{
    Bench bench = bench_open();
    int descriptor;

    EXPECT_OK(attempt_claim(bench.attempt, "{}", &descriptor, &bench.error), bench.error);
    EXPECT(probe(&bench).state == ATTEMPT_HELD);
    EXPECT_OK(attempt_end(descriptor, "{\"outcome\":\"failed\"}", 0, &bench.error), bench.error);
    EXPECT(probe(&bench).state == ATTEMPT_HELD);
    close(descriptor);
    EXPECT(probe(&bench).state == ATTEMPT_ENDED);
    bench_close(&bench);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_what_a_step_made_is_in_the_store_when_its_end_is_there),
        TEST(test_an_out_that_is_missing_is_a_failure_that_names_it),
        TEST(test_commands_stop_at_the_first_that_fails),
        TEST(test_arguments_are_not_read_by_a_shell),
        TEST(test_what_a_step_leaves_behind_ends_with_it),
        TEST(test_a_cancelled_step_ends_with_its_children),
        TEST(test_a_step_that_is_killed_as_it_is_cancelled_is_cancelled),
        TEST(test_a_step_that_is_cancelled_before_it_begins_does_not),
        TEST(test_a_step_whose_time_is_up_ends),
        TEST(test_the_files_of_a_step_are_its_own),
        TEST(test_of_two_shims_for_an_attempt_one_does_the_work),
        TEST(test_a_shim_that_was_killed_leaves_an_attempt_that_is_dead),
        TEST(test_commands_have_a_token_whose_digest_alone_is_in_the_record),
        TEST(test_a_token_is_blotted_out_of_the_log_wherever_it_is_cut),
        TEST(test_what_has_not_the_form_of_a_token_names_no_attempt),
        TEST(test_a_step_has_no_token_of_whoever_started_it),
        TEST(test_a_torn_end_is_none),
        TEST(test_an_end_is_written_anew_after_one_that_was_torn),
        TEST(test_an_end_counts_when_nobody_holds_the_record),
        {0},
    };

    if (count == 3 && strcmp(arguments[1], "shim") == 0)
        return shim_main(arguments[2]);
    return test_main(tests, count, arguments);
}

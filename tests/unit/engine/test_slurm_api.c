/* test_slurm_api.c: what slurmrestd is told and what it answers, in its old and its new kind. */
#include "engine/slurm_api.h"
#include "tests/test.h"

static const JsonValue *parse(Arena *arena, const char *text)
{
    const JsonValue *value;
    Error error;

    EXPECT_OK(json_parse(text, strlen(text), arena, &value, &error), error);
    return value;
}

static const JsonValue *job_of(Arena *arena, const SlurmSpec *spec, const ExecutorJob *job,
                               int version)
{
    return parse(arena, slurm_api_job(spec, job, version, arena));
}

static void test_the_newest_version_is_spoken(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT(slurm_api_version(parse(arena, "{\"paths\":{\"/slurm/v0.0.37/job/submit\":{},"
                                          "\"/slurm/v0.0.38/job/submit\":{},"
                                          "\"/slurm/v0.0.39/jobs\":{},"
                                          "\"/slurmdb/v0.0.40/job/submit\":{}}}")) == 38);
    EXPECT(slurm_api_version(parse(arena, "{\"paths\":{\"/slurm/v0.0.42/job/submit\":{}}}")) == 42);
    EXPECT(slurm_api_version(parse(arena, "{\"paths\":{\"/slurm/v0.0.35/job/submit\":{}}}")) == 0);
    EXPECT(slurm_api_version(parse(arena, "{\"paths\":{\"/openapi/v3\":{}}}")) == 0);
    EXPECT(slurm_api_version(parse(arena, "{\"paths\":[{}]}")) == 0); /* no object */
    EXPECT(slurm_api_version(NULL) == 0);
}

static void test_a_path_is_one_word_of_the_script(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SlurmSpec spec = {0};
    ExecutorJob job = {.key = "run-0-1", .program = "/opt/it's/slipway", .folder = "/a b/$(c)"};

    EXPECT_TEXT(json_as_text(json_member(job_of(arena, &spec, &job, 38), "script"), ""),
                "#!/bin/sh\nexec '/opt/it'\\''s/slipway' shim '/a b/$(c)'\n");
    spec.program = "/bin/slipway";
    EXPECT_TEXT(json_as_text(json_member(job_of(arena, &spec, &job, 38), "script"), ""),
                "#!/bin/sh\nexec '/bin/slipway' shim '/a b/$(c)'\n");
}

static void test_memory_and_time_are_rounded_up_with_room_for_the_shim(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const struct {
        int64_t memory_bytes, timeout_ms, megabytes, minutes;
    } cases[] = {
        {1, 1, 65, 6},
        {1 << 20, 60000, 65, 6},
        {(1 << 20) + 1, 60001, 66, 7},
        {0, 0, 1024 + 64, 24 * 60 + 5},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        ExecutorJob job = {.key = "k",
                           .program = "p",
                           .folder = "f",
                           .memory_bytes = cases[i].memory_bytes,
                           .timeout_ms = cases[i].timeout_ms};
        const JsonValue *sent = json_member(job_of(arena, &(SlurmSpec){0}, &job, 38), "job");

        EXPECT(json_as_int(json_member(sent, "memory_per_node"), 0) == cases[i].megabytes);
        EXPECT(json_as_int(json_member(sent, "time_limit"), 0) == cases[i].minutes);
        EXPECT(json_as_int(json_member(sent, "cpus_per_task"), 0) == 1);
    }
}

static void test_each_kind_of_the_api_has_its_own_words(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SlurmSpec spec = {.partition = "gpu", .account = "ml"};
    ExecutorJob job = {.key = "run-0-1", .program = "p", .folder = "/f", .gpus = 2, .cpus = 3};
    const JsonValue *old = json_member(job_of(arena, &spec, &job, 38), "job");
    const JsonValue *young = json_member(job_of(arena, &spec, &job, 39), "job");
    const JsonValue *newest = json_member(job_of(arena, &spec, &job, 42), "job");

    EXPECT(json_is_object(json_member(old, "environment")));
    EXPECT(json_is_array(json_member(newest, "environment")));
    EXPECT(json_as_bool(json_member(old, "no_requeue"), false));
    EXPECT(!json_as_bool(json_member(newest, "requeue"), true));
    EXPECT_TEXT(json_as_text(json_member(old, "gres"), ""), "gpu:2");
    EXPECT_TEXT(json_as_text(json_member(young, "tres_per_node"), ""), "gres:gpu:2");
    EXPECT_TEXT(json_as_text(json_member(newest, "tres_per_node"), ""), "gres/gpu:2");
    EXPECT_TEXT(json_as_text(json_member(newest, "partition"), ""), "gpu");
    EXPECT_TEXT(json_as_text(json_member(newest, "account"), ""), "ml");
    EXPECT(!json_member(newest, "qos"));
}

/* One job, in the members that differ. */
static SlurmJob read_one(Arena *arena, const char *members)
{
    const char *text = arena_format(arena,
                                    "{\"jobs\":[{\"job_id\":7,\"name\":\"k\",\"user_name\":\"me\","
                                    "\"current_working_directory\":\"/f\",%s}]}",
                                    members);
    SlurmJobList jobs = slurm_api_jobs(parse(arena, text), "me", arena);

    EXPECT(jobs.count == 1);
    return jobs.items[0];
}

static void test_a_state_is_read_as_a_word_or_as_flags(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const struct {
        const char *members;
        ExecutorState state;
        const char *reason;
    } cases[] = {
        {"\"job_state\":\"PENDING\",\"state_reason\":\"Resources\"", EXECUTOR_QUEUED,
         "job 7 of Slurm is PENDING (Resources)"},
        {"\"job_state\":\"RUNNING\",\"state_reason\":\"None\"", EXECUTOR_RUNNING,
         "job 7 of Slurm is RUNNING"},
        {"\"job_state\":\"COMPLETING\"", EXECUTOR_RUNNING, "job 7 of Slurm is COMPLETING"},
        {"\"job_state\":\"FAILED\",\"state_reason\":\"NonZeroExitCode\",\"exit_code\":1024",
         EXECUTOR_GONE, "job 7 of Slurm is FAILED (NonZeroExitCode), its shim ended with status 4"},
        {"\"job_state\":\"FAILED\",\"state_reason\":\"JobLaunchFailure\",\"exit_code\":4021",
         EXECUTOR_GONE, "job 7 of Slurm is FAILED (JobLaunchFailure)"},
        {"\"job_state\":\"FAILED\",\"state_reason\":\"NonZeroExitCode\","
         "\"exit_code\":{\"set\":true,\"number\":1024}",
         EXECUTOR_GONE, "job 7 of Slurm is FAILED (NonZeroExitCode), its shim ended with status 4"},
        {"\"job_state\":[\"FAILED\"],\"state_reason\":\"NonZeroExitCode\","
         "\"exit_code\":{\"status\":[\"ERROR\"],\"return_code\":{\"set\":true,\"number\":4}}",
         EXECUTOR_GONE, "job 7 of Slurm is FAILED (NonZeroExitCode), its shim ended with status 4"},
        {"\"job_state\":[\"CANCELLED\",\"COMPLETING\"]", EXECUTOR_RUNNING,
         "job 7 of Slurm is CANCELLED"},
        {"\"job_state\":[\"TIMEOUT\"]", EXECUTOR_GONE, "job 7 of Slurm is TIMEOUT"},
        {"\"job_state\":[\"PENDING\",\"REQUEUED\"]", EXECUTOR_QUEUED, "job 7 of Slurm is PENDING"},
        /* Never dead by a word that we do not know. */
        {"\"job_state\":\"DREAMING\"", EXECUTOR_RUNNING, "job 7 of Slurm is DREAMING"},
        {"\"job_state\":[]", EXECUTOR_RUNNING, "job 7 of Slurm is "},
        {"\"job_state\":null", EXECUTOR_RUNNING, "job 7 of Slurm is "},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        SlurmJob job = read_one(arena, cases[i].members);

        EXPECT_TEXT(job.reason, cases[i].reason);
        EXPECT(job.state == cases[i].state);
        EXPECT_TEXT(job.folder, "/f");
    }
}

static void test_of_one_name_the_liveliest_and_newest_counts(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text =
        "{\"jobs\":["
        "{\"job_id\":1,\"name\":\"b\",\"job_state\":\"COMPLETED\",\"user_name\":\"me\"},"
        "{\"job_id\":2,\"name\":\"a\",\"job_state\":\"RUNNING\",\"user_name\":\"me\"},"
        "{\"job_id\":3,\"name\":\"a\",\"job_state\":\"COMPLETED\",\"user_name\":\"me\"},"
        "{\"job_id\":4,\"name\":\"b\",\"job_state\":\"CANCELLED\",\"user_name\":\"me\"},"
        "{\"job_id\":5,\"name\":\"b\",\"job_state\":\"RUNNING\",\"user_name\":\"you\"},"
        "{\"job_id\":6,\"name\":\"a\",\"job_state\":\"PENDING\"},"
        "{\"job_id\":7,\"job_state\":\"RUNNING\"},"
        "{\"job_id\":8,\"name\":7,\"job_state\":\"RUNNING\"},"
        "\"no job\"]}";
    SlurmJobList jobs = slurm_api_jobs(parse(arena, text), "me", arena);

    EXPECT(jobs.count == 5);
    EXPECT(slurm_api_find(&jobs, "a")->id == 2);
    EXPECT(slurm_api_find(&jobs, "b")->id == 4);
    EXPECT(!slurm_api_find(&jobs, "c"));
    EXPECT(!slurm_api_find(&jobs, ""));
    jobs = slurm_api_jobs(NULL, "me", arena);
    EXPECT(!slurm_api_find(&jobs, "a"));
}

static void test_an_error_is_the_jobs_or_the_ways(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const struct {
        int status;
        const char *document;
        SlurmVerdict verdict;
        const char *sentence;
    } cases[] = {
        {500, "{\"errors\":[{\"error_code\":2000,\"error\":\"Invalid partition\"}]}", SLURM_REFUSED,
         "Slurm says: Invalid partition (2000)"},
        {400,
         "{\"errors\":[{\"description\":\"Unknown key\"},{\"error_code\":9001,\"error\":\"No\"}]}",
         SLURM_REFUSED, "Slurm says: No (9001)"},
        {500, "{\"errors\":[{\"error_number\":2050,\"error\":\"Job violates policy\"}]}",
         SLURM_LATER, "Slurm says: Job violates policy (2050)"},
        {500, "{\"errors\":[{\"error_code\":1800,\"error\":\"Unable to contact\"}]}", SLURM_AWAY,
         "Slurm says: Unable to contact (1800)"},
        {500, "{\"errors\":[{\"error_number\":-1,\"description\":\"Failed\"}]}", SLURM_AWAY,
         "Slurm says: Failed (-1)"},
        {500, "{\"errors\":[{\"error_number\":2000,\"error\":\"No such\\nthing\"}]}", SLURM_REFUSED,
         "Slurm says: No such (2000)"},
        {401, "{}", SLURM_AWAY,
         "slurmrestd does not know us (HTTP status 401): look at the user and its token"},
        {503, "{}", SLURM_AWAY, "slurmrestd answered with HTTP status 503"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        Error error = {0};

        EXPECT(slurm_api_verdict(cases[i].status, parse(arena, cases[i].document), &error) ==
               cases[i].verdict);
        EXPECT_TEXT(error.message, cases[i].sentence);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_newest_version_is_spoken),
        TEST(test_a_path_is_one_word_of_the_script),
        TEST(test_memory_and_time_are_rounded_up_with_room_for_the_shim),
        TEST(test_each_kind_of_the_api_has_its_own_words),
        TEST(test_a_state_is_read_as_a_word_or_as_flags),
        TEST(test_of_one_name_the_liveliest_and_newest_counts),
        TEST(test_an_error_is_the_jobs_or_the_ways),
        {0},
    };

    return test_main(tests, count, names);
}

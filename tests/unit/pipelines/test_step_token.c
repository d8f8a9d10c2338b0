/* test_step_token.c: who acts with the token of an attempt, and until when. */

#include "pipelines/step_token.h"

#include <unistd.h>

#include "base/digest.h"
#include "base/time.h"
#include "engine/attempt_token.h"
#include "pipelines/pipeline.h"
#include "tests/scene.h"
#include "tracking/experiment.h"
#include "tracking/run.h"

#define KEY "ab12-0-1"

/* An attempt of step "train@a b" of run 12 that began some milliseconds ago. */
typedef struct Bench {
    Scene scene;
    const char *token, *folder, *run_id;
    int64_t experiment;
    int record;
} Bench;

static bool make_rows(Scope *scope, void *context)
{
    Bench *bench = context;
    Experiment experiment;
    Run run;

    if (!experiment_ensure(scope, "shop", &experiment) ||
        !run_create(scope, &(RunSpec){.experiment_id = experiment.id}, &run))
        return false;
    bench->experiment = experiment.id;
    bench->run_id = arena_text(bench->scene.arena, run.id);
    return db_run(scope->db, &scope->error,
                  "INSERT INTO pipeline_runs (id, project, number, status, file, params, origin,"
                  " is_forced, open_steps, bad_steps, created_at, created_by, originators)"
                  " VALUES ('ab12', 'shop', 12, 'running', 'slipway.yaml', '{}', '{}', 0, 1, 0, 1,"
                  " 'ada', '[]')") &&
           db_run(scope->db, &scope->error,
                  "INSERT INTO pipeline_steps (run_id, position, name, spec, status, waits_for,"
                  " bad_needs, attempts, losses, executor) VALUES ('ab12', 0, 'train@a b',"
                  " '{\"timeout_ms\":60000}', 'running', 0, 0, 1, 0, 'local')") &&
           db_run(scope->db, &scope->error,
                  "INSERT INTO step_attempts (run_id, position, attempt, key, status, executor,"
                  " boot, tracked_run, created_at) VALUES ('ab12', 0, 1, '" KEY "', 'running',"
                  " 'local', '', $1, $2)",
                  db_text(run.id), db_int(time_now_ms()));
}

static void claim(Bench *bench, int64_t began)
{
    char digest[DIGEST_TEXT_SIZE];
    Scope *scope = &bench->scene.scope;

    digest_bytes(bench->token, strlen(bench->token), digest);
    EXPECT_OK(
        attempt_claim(bench->folder,
                      arena_format(scope->arena,
                                   "{\"key\":\"" KEY "\",\"started_at\":%lld,\"token\":\"%s\"}",
                                   (long long)began, digest),
                      &bench->record, &scope->error),
        scope->error);
}

static Bench bench_open(void)
{
    Bench bench = {.scene = scene_open(), .record = -1};
    Scope *scope = &bench.scene.scope;

    bench.token = attempt_token_make(KEY, bench.scene.arena);
    EXPECT_OK(scope_write(scope, make_rows, &bench), scope->error);
    bench.folder = step_attempt_folder(scope->platform, KEY, bench.scene.arena);
    EXPECT_OK(folder_make(bench.folder, &scope->error), scope->error);
    return bench;
}

static void bench_close(Bench *bench)
{
    if (bench->record >= 0)
        close(bench->record);
    scene_close(&bench->scene);
}

static bool works(Bench *bench, const char *token, TokenHolder *holder)
{
    Scope *scope = &bench->scene.scope;
    bool found = step_token_find(scope, token, holder);

    EXPECT(found || scope->error.kind == ERROR_UNAUTHENTICATED);
    EXPECT(found || strcmp(scope->error.message,
                           "the token of a step works only while its attempt runs") == 0);
    scope->error = (Error){0};
    return found;
}

static bool run_sql(Scope *scope, void *sql)
{
    return db_run_values(scope->db, &scope->error, sql, DB_VALUES());
}

static void change(Bench *bench, const char *sql)
{
    Scope *scope = &bench->scene.scope;

    EXPECT_OK(scope_write(scope, run_sql, (void *)(uintptr_t)sql), scope->error);
}

static void test_it_acts_as_the_step_from_its_claim_to_its_end(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    int64_t now = time_now_ms();
    TokenHolder holder;

    EXPECT(step_token_is_one(bench.token) && !step_token_is_one("slw_0"));
    EXPECT(!works(&bench, bench.token, &holder));
    claim(&bench, now + 5000);
    EXPECT(works(&bench, bench.token, &holder));
    EXPECT_TEXT(holder.principal.name, "shop#12/train@a b");
    EXPECT(holder.principal.role == ROLE_STEP);
    EXPECT_TEXT(holder.principal.run_id, bench.run_id);
    EXPECT(holder.principal.experiment == bench.experiment);
    EXPECT(holder.expires_at == now + 5000 + 60000 + 300000);
    EXPECT(!works(&bench, attempt_token_make(KEY, bench.scene.arena), &holder));
    EXPECT(!works(&bench, attempt_token_make("ab12-0-2", bench.scene.arena), &holder));
    EXPECT(!works(&bench, "slws_", &holder));
    change(&bench, "UPDATE step_attempts SET ended_at = 1");
    EXPECT(!works(&bench, bench.token, &holder));
}

static void test_the_end_of_the_record_is_its_end_before_the_store_knows(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Error error = {0};
    TokenHolder holder;

    claim(&bench, time_now_ms());
    EXPECT(works(&bench, bench.token, &holder));
    EXPECT_OK(attempt_end(bench.record, "{\"outcome\":\"succeeded\"}", 0, &error), error);
    close(bench.record);
    bench.record = -1;
    EXPECT(!works(&bench, bench.token, &holder));
}

/* A clock that is behind does not shorten it: nobody begins before the attempt was made. */
static void test_it_expires_when_the_time_of_the_step_is_over(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    TokenHolder holder;

    claim(&bench, 1);
    EXPECT(works(&bench, bench.token, &holder));
    change(&bench, "UPDATE step_attempts SET created_at = 1");
    EXPECT(!works(&bench, bench.token, &holder));
    change(&bench, "UPDATE pipeline_steps SET spec = '{}'");
    EXPECT(works(&bench, bench.token, &holder) && holder.expires_at == 0);
}

static void test_a_record_without_a_token_has_none(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Error error = {0};
    TokenHolder holder;

    EXPECT_OK(attempt_claim(bench.folder, "{}", &bench.record, &error), error);
    EXPECT(!works(&bench, bench.token, &holder));
}

static void test_the_name_of_a_step_leads_to_its_run_and_other_names_to_none(void)
{
    static const char *const others[] = {
        "ada", "shop#12", "shop#13/train", "shop#x/train", "#12/train", "other#12/train", "", "/"};
    CLEANUP(bench_close) Bench bench = bench_open();
    Scope *scope = &bench.scene.scope;
    const PipelineRun *run;

    EXPECT_OK(step_token_run_of(scope, "shop#12/train@a/b", &run), scope->error);
    EXPECT(run && strcmp(run->id, "ab12") == 0);
    for (size_t i = 0; i < COUNT(others); i++) {
        EXPECT_OK(step_token_run_of(scope, others[i], &run), scope->error);
        EXPECT(!run);
    }
    EXPECT_OK(step_token_run_of(scope, NULL, &run), scope->error);
    EXPECT(!run);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_it_acts_as_the_step_from_its_claim_to_its_end),
        TEST(test_the_end_of_the_record_is_its_end_before_the_store_knows),
        TEST(test_it_expires_when_the_time_of_the_step_is_over),
        TEST(test_a_record_without_a_token_has_none),
        TEST(test_the_name_of_a_step_leads_to_its_run_and_other_names_to_none),
        {0},
    };

    return test_main(tests, count, arguments);
}

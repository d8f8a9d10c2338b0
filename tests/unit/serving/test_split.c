/* test_split.c: two versions behind one endpoint: who answers, who is asked in secret, what is
 * counted. */
#include <pthread.h>

#include "base/time.h"
#include "serving/canary.h"
#include "serving/prediction_reader.h"
#include "serving/shadow.h"
#include "tests/unit/serving/candidate_fixture.h"

enum { CALLS = 10000, THREADS = 4, CHANGES = 200 };

static const char comment_body[] =
    "{\"data\":[\"subscribe to my channel for free money\",\"I love this beautiful song\"]}";

static const char named_body[] = "{\"data\":[{\"CONTENT\":\"a song\"}]}";

/* The whole answer, or the status and message. */
static const char *answer_to(Serving *serving, const char *request_id, const char *body,
                             Arena *arena)
{
    PredictRequest request = {
        .endpoint = "spam", .request_id = request_id, .body = {body, strlen(body)}};
    JsonWriter *json = json_writer_create(arena);
    Error error = {0};

    if (serving_predict(serving, &request, arena, json, &error))
        return json_finish(json);
    return arena_format(arena, "%d %s", error_http_status(&error), error.message);
}

static const char *answer(Serving *serving, Arena *arena)
{
    return answer_to(serving, "request-1", comment_body, arena);
}

/* How many of so many calls version 2 answers. */
static int calls_of_candidate(Serving *serving, int calls)
{
    int found = 0;

    for (int i = 0; i < calls; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        found += strstr(answer(serving, arena), "\"version\":2") != NULL;
    }
    return found;
}

static void test_a_canary_gets_its_share_of_the_calls(void)
{
    static const int64_t shares[] = {0, 1, 100, 250, 500, 999, 1000};

    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    for (size_t i = 0; i < COUNT(shares); i++) {
        int wanted = (int)shares[i] * CALLS / SHARE_WHOLE;

        fixture_set(&scene, 2, shares[i]);
        fixture_reload(&scene, serving);
        EXPECT(abs(calls_of_candidate(serving, CALLS) - wanted) <= (shares[i] % 1000 ? 5 : 0));
    }
}

/* A caller with a rhythm: of every tenth, say, call there is the same share as of all. */
static void test_no_rhythm_of_the_callers_falls_on_one_side(void)
{
    const ServedEndpoint served = {.name = "spam"};
    Split *split = split_create(&served, &(Candidate){.id = 2, .share = 100}, 1);
    int counts[20] = {0};

    for (int turn = 0; turn < 20 * 2000; turn++)
        counts[turn % 20] += split_takes_next(split);
    for (size_t i = 0; i < COUNT(counts); i++)
        EXPECT(counts[i] >= 190 && counts[i] <= 210);
    split_unref(split);
}

static void *take_turns(void *split)
{
    intptr_t taken = 0;

    for (int i = 0; i < CALLS; i++)
        taken += split_takes_next(split);
    return (void *)taken;
}

static void test_threads_share_one_sequence(void)
{
    const ServedEndpoint served = {.name = "spam"};
    Split *split = split_create(&served, &(Candidate){.id = 2, .share = 100}, 1);
    pthread_t threads[THREADS];
    intptr_t sum = 0;

    for (size_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, take_turns, split) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *taken;

        pthread_join(threads[i], &taken);
        sum += (intptr_t)taken;
    }
    EXPECT(labs(sum - THREADS * CALLS / 10) <= 5);
    split_unref(split);
}

static Window window_of(Serving *serving, int64_t deployment_id)
{
    Window window = {0};
    Error error = {0};

    EXPECT_OK(serving_window(serving, "spam", deployment_id, &window, &error), error);
    return window;
}

static void test_what_each_side_did_is_counted_apart(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const EndpointStatistics *all;
    Candidate candidate;
    Error error = {0};
    Window live, tried;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    candidate = fixture_set(&scene, 2, 500);
    fixture_reload(&scene, serving);
    EXPECT(serving_serves(serving, "spam", 1) && serving_serves(serving, "spam", candidate.id));
    calls_of_candidate(serving, 100);
    answer_to(serving, "request-1", "{", scene.arena); /* nobody's fault but the caller's */
    answer_to(serving, "request-1", "{", scene.arena);
    live = window_of(serving, 1);
    tried = window_of(serving, candidate.id);
    EXPECT(live.requests + tried.requests == 100 && tried.requests >= 48 && tried.requests <= 52);
    EXPECT(!live.errors && !tried.errors && !tried.dropped);
    EXPECT(window_quantile_ms(&live, 0.5) > 0);
    EXPECT(window_quantile_ms(&live, 0.5) <= window_quantile_ms(&live, 0.99));
    EXPECT(!serving_window(serving, "spam", 7, &live, &error));
    EXPECT_TEXT(error.message, "deployment 7 does not serve at endpoint \"spam\"");
    all = atomic_load(&serving_statistics(serving)->first);
    EXPECT(atomic_load(&all->requests[0]) == 100 && atomic_load(&all->requests[1]) == 2);
}

static void test_another_step_begins_at_zero_and_the_same_one_goes_on(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 1000);
    fixture_reload(&scene, serving);
    calls_of_candidate(serving, 10);
    EXPECT_OK(scope_write(&scene.scope, fixture_make_endpoint, "other"), scene.scope.error);
    fixture_reload(&scene, serving);
    EXPECT(window_of(serving, 2).requests == 10);
    EXPECT(fixture_set(&scene, 2, 500).id == 3);
    fixture_reload(&scene, serving);
    EXPECT(window_of(serving, 3).requests == 0 && window_of(serving, 1).requests == 0);
}

static void test_a_cleared_candidate_answers_nobody(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    SplitFigures figures;
    Error error = {0};

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 1000);
    fixture_reload(&scene, serving);
    EXPECT(calls_of_candidate(serving, 10) == 10);
    EXPECT(fixture_clear(&scene, "enough"));
    fixture_reload(&scene, serving);
    EXPECT(calls_of_candidate(serving, 10) == 0);
    EXPECT(!serving_serves(serving, "spam", 2));
    EXPECT(!serving_figures(serving, "spam", scene.arena, &figures, &error));
    EXPECT_TEXT(error.message, "endpoint \"spam\" serves no candidate");
    EXPECT(serving_all_figures(serving, scene.arena).count == 0);
}

static void test_a_promoted_candidate_answers_all(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 100);
    fixture_reload(&scene, serving);
    EXPECT(fixture_promote(&scene));
    fixture_reload(&scene, serving);
    EXPECT(calls_of_candidate(serving, 20) == 20);
    EXPECT(fixture_rollback(&scene) == 1);
    fixture_reload(&scene, serving);
    EXPECT(calls_of_candidate(serving, 20) == 0);
}

/* ---- a candidate that fails ---- */

static void test_what_a_canary_fails_at_is_answered_by_the_live_version(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const char *alone;
    SplitFigures figures;
    Error error = {0};

    fixture_add_versions(&scene);
    EXPECT_OK(scope_write(&scene.scope, fixture_add_version,
                          (void *)(uintptr_t)fixture_package_of(&scene, "OTHER", false)),
              scene.scope.error);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    alone = answer_to(serving, "request-1", named_body, scene.arena);
    fixture_set(&scene, 3, 500); /* it reads another column */
    fixture_reload(&scene, serving);
    for (int i = 0; i < 20; i++)
        EXPECT_TEXT(answer_to(serving, "request-1", named_body, scene.arena), alone);
    EXPECT(strstr(answer_to(serving, "request-1", "{", scene.arena), "400 malformed JSON"));
    EXPECT_OK(serving_figures(serving, "spam", scene.arena, &figures, &error), error);
    EXPECT(figures.candidate.window.errors == figures.candidate.window.requests);
    EXPECT(figures.candidate.window.errors >= 8 && figures.candidate.window.errors <= 12);
    EXPECT(figures.live.window.requests == 20 && figures.live.window.errors == 0);
    EXPECT(strstr(figures.failure, "\"CONTENT\""));
}

static void test_a_candidate_that_cannot_be_loaded_takes_nothing_away(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    CanaryTrial trial = {.rule = canary_rule_default()};
    CanaryJudgement judgement;

    fixture_add_versions(&scene);
    EXPECT_OK(scope_write(&scene.scope, fixture_add_damaged_version, NULL), scene.scope.error);
    fixture_deploy(&scene, 2);
    fixture_set(&scene, 3, 1000);
    EXPECT(!serving_reload(serving, &scene.scope));
    EXPECT(strstr(scene.scope.error.message,
                  "endpoint \"spam\": candidate, version 3 of model \"comments\": "));
    EXPECT(serving_is_ready(serving) && !serving_serves(serving, "spam", 2));
    EXPECT(calls_of_candidate(serving, 10) == 10); /* version 2 is the live one here */
    scene.scope.error = (Error){0};
    EXPECT_OK(canary_judge(&scene.scope, serving, "spam", &trial, &judgement), scene.scope.error);
    EXPECT(judgement.verdict == CANARY_ABORT);
    EXPECT(strstr(judgement.reason, "endpoint \"spam\" serves no candidate: candidate, version 3"));
    EXPECT(fixture_clear(&scene, judgement.reason));
    fixture_reload(&scene, serving);
}

static void test_a_candidate_is_judged_by_what_it_did(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    CanaryTrial trial = {{.errors_max = 0.01, .p99_ms_max = 60000, .requests_min = 10}};
    CanaryJudgement judgement;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    EXPECT(!canary_judge(&scene.scope, serving, "spam", &trial, &judgement));
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" has no candidate");
    scene.scope.error = (Error){0};
    fixture_set(&scene, 2, 1000);
    EXPECT_OK(canary_judge(&scene.scope, serving, "spam", &trial, &judgement), scene.scope.error);
    EXPECT(judgement.verdict == CANARY_WAIT); /* it is on record and not served yet */
    fixture_reload(&scene, serving);
    calls_of_candidate(serving, 9);
    EXPECT_OK(canary_judge(&scene.scope, serving, "spam", &trial, &judgement), scene.scope.error);
    EXPECT(judgement.verdict == CANARY_WAIT);
    EXPECT_TEXT(judgement.reason, "9 of 10 requests so far");
    calls_of_candidate(serving, 1);
    EXPECT_OK(canary_judge(&scene.scope, serving, "spam", &trial, &judgement), scene.scope.error);
    EXPECT(judgement.verdict == CANARY_CONTINUE && judgement.window.requests == 10);
    trial.rule.p99_ms_max = 0;
    EXPECT(!canary_judge(&scene.scope, serving, "spam", &trial, &judgement));
    EXPECT_TEXT(scene.scope.error.message, "a limit of time is above 0 milliseconds");
}

/* ---- shadows ---- */

static void wait_for_shadow(Serving *serving, int64_t id, uint64_t count)
{
    Window window;

    do {
        time_sleep_ms(1);
        window = window_of(serving, id);
    } while (window.requests + window.dropped < count);
}

static void test_a_shadow_never_changes_an_answer(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    static const char *const bodies[] = {comment_body, "{\"data\":[\"a\"]}", "{\"data\":[1]}", "",
                                         "{\"data\":[]}"};
    const char *alone[COUNT(bodies)];

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    for (size_t i = 0; i < COUNT(bodies); i++)
        alone[i] = answer_to(serving, "request-1", bodies[i], scene.arena);
    fixture_set_shadow(&scene, 2);
    fixture_reload(&scene, serving);
    for (int turn = 0; turn < 50; turn++)
        for (size_t i = 0; i < COUNT(bodies); i++)
            EXPECT_TEXT(answer_to(serving, "request-1", bodies[i], scene.arena), alone[i]);
    wait_for_shadow(serving, 2, 100);
    EXPECT(window_of(serving, 1).requests == 100); /* the others were refused */
    EXPECT(window_of(serving, 2).requests == 100 && window_of(serving, 2).errors == 0);
}

static int64_t count_logged(Scene *scene, int64_t deployment_id, int64_t version)
{
    const PredictionFilter filter = {.endpoint = "spam", .deployment_id = deployment_id};
    CLEANUP(prediction_reader_close)
    PredictionReader reader = prediction_read(&scene->scope, &filter);
    int64_t count = 0;

    while (prediction_reader_next(&reader))
        count += reader.current.version == version;
    EXPECT_OK(prediction_reader_end(&reader, &scene->scope.error), scene->scope.error);
    return count;
}

static void test_what_a_shadow_found_is_logged_and_never_taken_for_an_answer(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    LoggedPredictionList list;
    LoggedPrediction found;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_set_shadow(&scene, 2);
    fixture_reload(&scene, serving);
    answer(serving, scene.arena);
    wait_for_shadow(serving, 2, 1);
    prediction_log_flush(serving_log(serving));
    EXPECT_OK(prediction_find(&scene.scope, "request-1", &found), scene.scope.error);
    EXPECT(found.version == 1 && found.deployment_id == 1);
    EXPECT_OK(prediction_list(&scene.scope, "spam", 0, 10, &list), scene.scope.error);
    EXPECT(list.count == 1);
    EXPECT(count_logged(&scene, 0, 2) == 0 && count_logged(&scene, 2, 2) == 1);
    EXPECT(count_logged(&scene, 1, 1) == 1);
}

static void test_the_log_names_the_version_that_answered(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 300);
    fixture_reload(&scene, serving);
    EXPECT(abs(calls_of_candidate(serving, 100) - 30) <= 2);
    serving_destroy(serving);
    EXPECT(count_logged(&scene, 1, 1) + count_logged(&scene, 2, 2) == 100);
    EXPECT(labs(count_logged(&scene, 2, 2) - 30) <= 2);
    EXPECT(count_logged(&scene, 0, 2) == count_logged(&scene, 2, 2));
}

/* One that is larger than all the room there is never has room. */
static void test_what_a_shadow_has_no_room_for_is_dropped_and_counted(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    char *text = arena_alloc(scene.arena, SHADOW_BYTES_MAX + 1, 1);
    const char *body, *alone;
    Window window;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    memset(text, ' ', SHADOW_BYTES_MAX);
    body = arena_format(scene.arena, "{\"data\":[\"a song\"%s]}", text);
    alone = answer_to(serving, "request-1", body, scene.arena);
    fixture_set_shadow(&scene, 2);
    fixture_reload(&scene, serving);
    for (int i = 0; i < 3; i++)
        EXPECT_TEXT(answer_to(serving, "request-1", body, scene.arena), alone);
    answer(serving, scene.arena);
    wait_for_shadow(serving, 2, 4);
    window = window_of(serving, 2);
    EXPECT(window.dropped == 3 && window.requests == 1 && window.errors == 0);
}

/* ---- under load ---- */

typedef struct Reader {
    Serving *serving;
    const char *golden[2]; /* the whole answer of versions 1 and 2 */
    atomic_bool *stop;
    atomic_size_t *answers, *wrong;
    pthread_t thread;
} Reader;

static void *read_until_stopped(void *context)
{
    Reader *reader = context;

    while (!atomic_load(reader->stop)) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const char *got = answer(reader->serving, arena);

        atomic_fetch_add(reader->answers, 1);
        if (strcmp(got, reader->golden[0]) != 0 && strcmp(got, reader->golden[1]) != 0)
            atomic_fetch_add(reader->wrong, 1);
    }
    return NULL;
}

/* All there is to change, one after the other. */
static void change_candidate(Scene *scene, size_t turn)
{
    static const int64_t shares[] = {100, 500, 1000, 0};

    switch (turn % 6) {
    case 4:
        fixture_set_shadow(scene, 2);
        break;
    case 5:
        if (turn % 12 == 5)
            EXPECT(fixture_clear(scene, NULL));
        else
            EXPECT(fixture_promote(scene) && fixture_rollback(scene) == 1);
        break;
    default:
        fixture_set(scene, 2, shares[turn % 6]);
    }
}

static void test_changes_of_candidates_under_load_mix_no_versions(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    atomic_size_t answers = 0, wrong = 0;
    atomic_bool stop = false;
    Reader readers[THREADS];
    const char *golden[2];

    fixture_add_versions(&scene);
    for (int version = 2; version >= 1; version--) {
        fixture_deploy(&scene, version);
        fixture_reload(&scene, serving);
        golden[version - 1] = answer(serving, scene.arena);
    }
    EXPECT(strcmp(golden[0], golden[1]) != 0);
    for (size_t i = 0; i < THREADS; i++) {
        readers[i] = (Reader){serving, {golden[0], golden[1]}, &stop, &answers, &wrong};
        EXPECT(pthread_create(&readers[i].thread, NULL, read_until_stopped, &readers[i]) == 0);
    }
    for (size_t turn = 0; turn < CHANGES; turn++) {
        while (atomic_load(&answers) < (turn + 1) * THREADS)
            time_sleep_ms(1);
        change_candidate(&scene, turn);
        fixture_reload(&scene, serving);
        serving_all_figures(serving, scene.arena);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(readers[i].thread, NULL);
    EXPECT(atomic_load(&answers) >= CHANGES * THREADS && atomic_load(&wrong) == 0);
}

static void test_a_candidate_that_was_set_serves_after_a_restart(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    fixture_set(&scene, 2, 500); /* and the process ends before it is loaded */
    serving_destroy(serving);
    serving = serving_create(scene.platform);
    fixture_reload(&scene, serving);
    EXPECT(serving_serves(serving, "spam", 2));
    EXPECT(abs(calls_of_candidate(serving, 100) - 50) <= 2);
    serving_destroy(serving);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_canary_gets_its_share_of_the_calls),
        TEST(test_no_rhythm_of_the_callers_falls_on_one_side),
        TEST(test_threads_share_one_sequence),
        TEST(test_what_each_side_did_is_counted_apart),
        TEST(test_another_step_begins_at_zero_and_the_same_one_goes_on),
        TEST(test_a_cleared_candidate_answers_nobody),
        TEST(test_a_promoted_candidate_answers_all),
        TEST(test_what_a_canary_fails_at_is_answered_by_the_live_version),
        TEST(test_a_candidate_that_cannot_be_loaded_takes_nothing_away),
        TEST(test_a_candidate_is_judged_by_what_it_did),
        TEST(test_a_shadow_never_changes_an_answer),
        TEST(test_what_a_shadow_found_is_logged_and_never_taken_for_an_answer),
        TEST(test_the_log_names_the_version_that_answered),
        TEST(test_what_a_shadow_has_no_room_for_is_dropped_and_counted),
        TEST(test_changes_of_candidates_under_load_mix_no_versions),
        TEST(test_a_candidate_that_was_set_serves_after_a_restart),
        {0},
    };

    return test_main(tests, count, names);
}

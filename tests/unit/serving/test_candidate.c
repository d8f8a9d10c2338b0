/* test_candidate.c: the record of what is tried beside a live version. */
#include "access/event.h"
#include "tests/unit/serving/candidate_fixture.h"

static Endpoint show(Scene *scene)
{
    Endpoint endpoint;

    EXPECT_OK(endpoint_find(&scene->scope, "spam", &endpoint), scene->scope.error);
    return endpoint;
}

static CandidateList history(Scene *scene)
{
    CandidateList list;

    EXPECT_OK(endpoint_candidates(&scene->scope, "spam", NULL, &list), scene->scope.error);
    return list;
}

static void test_a_candidate_is_set_beside_what_is_live(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Endpoint endpoint;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 100);
    endpoint = show(&scene);
    EXPECT(endpoint.version == 1 && endpoint.deployment_id == 1);
    EXPECT(endpoint.candidate.id == 2 && endpoint.candidate.version == 2);
    EXPECT(endpoint.candidate.share == 100 && !endpoint.candidate.is_shadow);
    EXPECT_TEXT(endpoint.candidate.created_by, "tester");
    EXPECT_TEXT(endpoint.candidate.comment, "try it");
}

static void test_each_step_of_a_share_is_kept_and_ends_the_one_before(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CandidateList list;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 50);
    fixture_set(&scene, 2, 50); /* nothing changes */
    fixture_set(&scene, 2, 250);
    list = history(&scene);
    EXPECT(list.count == 2);
    EXPECT(list.items[0].share == 250 && !list.items[0].ended_at);
    EXPECT(list.items[1].share == 50 && list.items[1].ended_at);
    EXPECT_TEXT(list.items[1].end_reason, "replaced");
    EXPECT_OK(endpoint_candidates(&scene.scope, "spam", &(Page){.before = list.items[0].id}, &list),
              scene.scope.error);
    EXPECT(list.count == 1 && list.items[0].share == 50);
}

static void test_a_candidate_that_is_cleared_keeps_the_reason(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CandidateList list;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 50);
    EXPECT(fixture_clear(&scene, "2 of 100 requests failed"));
    EXPECT(!show(&scene).candidate.id);
    list = history(&scene);
    EXPECT(list.count == 1);
    EXPECT_TEXT(list.items[0].end_reason, "cleared");
    EXPECT_TEXT(list.items[0].end_comment, "2 of 100 requests failed");
    EXPECT_TEXT(list.items[0].ended_by, "tester");
    EXPECT(!fixture_clear(&scene, NULL));
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" has no candidate");
}

static void test_a_change_of_what_is_live_ends_the_candidate(void)
{
    static const struct {
        int64_t deployed; /* 0: a rollback */
        const char *reason;
    } rows[] = {{3, "deployed"}, {2, "promoted"}, {0, "rolled back"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(scene_close) Scene scene = scene_open();

        fixture_add_bare_versions(&scene, 4);
        fixture_deploy(&scene, 4);
        fixture_deploy(&scene, 1);
        fixture_set(&scene, 2, 100);
        fixture_deploy(&scene, 1); /* it is live already */
        EXPECT(show(&scene).candidate.id == 3);
        if (rows[i].deployed)
            fixture_deploy(&scene, rows[i].deployed);
        else
            EXPECT(fixture_rollback(&scene) == 4);
        EXPECT(!show(&scene).candidate.id);
        EXPECT_TEXT(history(&scene).items[0].end_reason, rows[i].reason);
    }
}

static void test_a_promoted_candidate_is_live_and_the_champion(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    ModelVersion champion;
    Deployment deployment;
    Endpoint endpoint;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    EXPECT(!fixture_promote(&scene));
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" has no candidate");
    fixture_set(&scene, 2, 1000);
    EXPECT(fixture_promote(&scene));
    endpoint = show(&scene);
    EXPECT(endpoint.version == 2 && endpoint.deployment_id == 3 && !endpoint.candidate.id);
    EXPECT_OK(deployment_find(&scene.scope, 3, &deployment), scene.scope.error);
    EXPECT_TEXT(deployment.reason, "promote");
    EXPECT_TEXT(deployment.gate, "{\"outcome\":\"accepted\"}");
    EXPECT_OK(model_version_resolve(&scene.scope, "comments", "champion", &champion),
              scene.scope.error);
    EXPECT(champion.version == 2);
    EXPECT(fixture_rollback(&scene) == 1);
}

static void test_numbers_of_candidates_and_deployments_are_found_alike(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Deployment deployment;
    int64_t newest;

    fixture_add_bare_versions(&scene, 3);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 100);
    fixture_set_shadow(&scene, 3);
    EXPECT(fixture_deploy(&scene, 2).deployment_id == 4);
    EXPECT_OK(deployment_find(&scene.scope, 2, &deployment), scene.scope.error);
    EXPECT_TEXT(deployment.reason, "canary");
    EXPECT(deployment.version == 2);
    EXPECT_OK(deployment_find(&scene.scope, 3, &deployment), scene.scope.error);
    EXPECT_TEXT(deployment.reason, "shadow");
    EXPECT(!deployment_find(&scene.scope, 5, &deployment));
    fixture_set(&scene, 3, 0);
    EXPECT_OK(deployment_latest(&scene.scope, &newest), scene.scope.error);
    EXPECT(newest == 5);
}

static bool delete_version(Scope *scope, void *number)
{
    return model_version_delete(scope, "comments", *(int64_t *)number);
}

static void test_a_version_that_was_tried_cannot_be_deleted(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    int64_t tried = 2;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    fixture_set_shadow(&scene, 2);
    EXPECT(fixture_clear(&scene, NULL));
    EXPECT(!scope_write(&scene.scope, delete_version, &tried));
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT);
}

static void test_what_cannot_be_tried_is_refused_and_changes_nothing(void)
{
    static const struct {
        const char *endpoint, *model;
        int64_t version, share;
        bool is_shadow;
        ErrorKind kind;
        const char *message;
    } rows[] = {
        {"nowhere", NULL, 2, 100, false, ERROR_NOT_FOUND, "endpoint \"nowhere\" does not exist"},
        {"empty", NULL, 2, 100, false, ERROR_CONFLICT,
         "nothing is deployed on endpoint \"empty\" that a candidate could be tried beside"},
        {"spam", NULL, 9, 100, false, ERROR_NOT_FOUND, "model \"comments\" has no version 9"},
        {"spam", "other", 1, 100, false, ERROR_NOT_FOUND, "model \"other\" has no version 1"},
        {"spam", NULL, 1, 100, false, ERROR_CONFLICT,
         "version 1 of \"comments\" serves at endpoint \"spam\" already"},
        {"spam", NULL, 2, -1, false, ERROR_FIELD, "a share is 0 to 100 %, in steps of 0.1"},
        {"spam", NULL, 2, 1001, false, ERROR_FIELD, "a share is 0 to 100 %, in steps of 0.1"},
        {"spam", NULL, 2, 100, true, ERROR_FIELD,
         "a shadow has no share: it is asked whatever the live version is asked"},
    };
    CLEANUP(scene_close) Scene scene = scene_open();

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    EXPECT_OK(scope_write(&scene.scope, fixture_make_endpoint, "empty"), scene.scope.error);
    for (size_t i = 0; i < COUNT(rows); i++) {
        FixtureCandidate change = {.spec = {rows[i].endpoint, rows[i].model, rows[i].version,
                                            rows[i].share, rows[i].is_shadow, NULL}};

        scene.scope.error = (Error){0};
        EXPECT(!scope_write(&scene.scope, fixture_do_set, &change));
        EXPECT_TEXT(scene.scope.error.message, rows[i].message);
        EXPECT(scene.scope.error.kind == rows[i].kind);
    }
    EXPECT(history(&scene).count == 0);
}

static void test_each_change_of_a_candidate_is_an_event(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    EventFilter filter = {.object = "spam", .action = "endpoint.candidate"};
    EventList list;

    fixture_add_bare_versions(&scene, 3);
    fixture_deploy(&scene, 1);
    fixture_set(&scene, 2, 5);
    fixture_set(&scene, 2, 1000);
    EXPECT(fixture_clear(&scene, "too slow"));
    fixture_set_shadow(&scene, 2);
    fixture_deploy(&scene, 3);
    EXPECT_OK(event_list(&scene.scope, &filter, &list), scene.scope.error);
    EXPECT(list.count == 5);
    EXPECT_TEXT(list.items[0].action, "endpoint.candidate_set");
    EXPECT_TEXT(list.items[1].detail,
                "{\"before\":{\"model\":\"comments\",\"version\":2,\"share\":0.5,\"shadow\":false},"
                "\"after\":{\"model\":\"comments\",\"version\":2,\"share\":100,\"shadow\":false},"
                "\"comment\":\"try it\"}");
    EXPECT_TEXT(list.items[2].action, "endpoint.candidate_ended");
    EXPECT_TEXT(list.items[2].detail,
                "{\"before\":{\"model\":\"comments\",\"version\":2,\"share\":100,\"shadow\":false}"
                ",\"reason\":\"cleared\",\"comment\":\"too slow\"}");
    EXPECT_TEXT(list.items[4].action, "endpoint.candidate_ended");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_candidate_is_set_beside_what_is_live),
        TEST(test_each_step_of_a_share_is_kept_and_ends_the_one_before),
        TEST(test_a_candidate_that_is_cleared_keeps_the_reason),
        TEST(test_a_change_of_what_is_live_ends_the_candidate),
        TEST(test_a_promoted_candidate_is_live_and_the_champion),
        TEST(test_numbers_of_candidates_and_deployments_are_found_alike),
        TEST(test_a_version_that_was_tried_cannot_be_deleted),
        TEST(test_what_cannot_be_tried_is_refused_and_changes_nothing),
        TEST(test_each_change_of_a_candidate_is_an_event),
        {0},
    };

    return test_main(tests, count, names);
}

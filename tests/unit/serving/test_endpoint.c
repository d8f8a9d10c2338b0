#include "access/event.h"
#include "notify/delivery.h"
#include "tests/unit/serving/candidate_fixture.h"

static int64_t live_version(Scene *scene)
{
    Endpoint endpoint;

    EXPECT_OK(endpoint_find(&scene->scope, "spam", &endpoint), scene->scope.error);
    return endpoint.version;
}

static void test_the_newest_deployment_is_live(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Endpoint endpoint;

    fixture_add_bare_versions(&scene, 2);
    endpoint = fixture_deploy(&scene, 1);
    EXPECT(endpoint.version == 1 && endpoint.deployment_id == 1);
    EXPECT_TEXT(endpoint.project, "default");
    EXPECT_TEXT(endpoint.deployed_by, "tester");
    endpoint = fixture_deploy(&scene, 2);
    EXPECT(endpoint.version == 2 && live_version(&scene) == 2);
}

static void test_deploying_what_is_live_changes_nothing(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    DeploymentList list;

    fixture_add_bare_versions(&scene, 1);
    fixture_deploy(&scene, 1);
    fixture_deploy(&scene, 1);
    EXPECT_OK(endpoint_deployments(&scene.scope, "spam", NULL, &list), scene.scope.error);
    EXPECT(list.count == 1);
}

static void test_a_page_of_deployments_goes_on_before_the_last_one(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    DeploymentList list;

    fixture_add_bare_versions(&scene, 3);
    for (int64_t version = 1; version <= 3; version++)
        fixture_deploy(&scene, version);
    EXPECT_OK(endpoint_deployments(&scene.scope, "spam", &(Page){.limit = 1}, &list),
              scene.scope.error);
    EXPECT(list.count == 1 && list.items[0].version == 3);
    EXPECT_OK(
        endpoint_deployments(&scene.scope, "spam", &(Page){.before = list.items[0].id}, &list),
        scene.scope.error);
    EXPECT(list.count == 2 && list.items[0].version == 2);
}

static void test_a_version_that_does_not_exist_is_not_deployed(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    FixtureChange change = {.spec = {.endpoint = "spam", .model = "comments", .version = 3}};
    EndpointList list;

    fixture_add_bare_versions(&scene, 1);
    EXPECT(!scope_write(&scene.scope, fixture_do_deploy, &change));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
    EXPECT_OK(endpoint_list(&scene.scope, NULL, &list), scene.scope.error);
    EXPECT(list.count == 0);
}

static void test_the_package_that_a_rollback_would_bring_back_is_known_before(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *package = NULL;
    Endpoint first;

    EXPECT(!endpoint_rollback_package(&scene.scope, "spam", &package));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
    fixture_add_bare_versions(&scene, 3);
    first = fixture_deploy(&scene, 1);
    EXPECT(!endpoint_rollback_package(&scene.scope, "spam", &package));
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT && !package);
    fixture_deploy(&scene, 2);
    EXPECT_OK(endpoint_rollback_package(&scene.scope, "spam", &package), scene.scope.error);
    EXPECT_TEXT(package, first.package);
    EXPECT(live_version(&scene) == 2);
}

static void test_rollbacks_walk_back_and_not_forth(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    fixture_add_bare_versions(&scene, 3);
    for (int64_t version = 1; version <= 3; version++)
        fixture_deploy(&scene, version);
    EXPECT(fixture_rollback(&scene) == 2);
    EXPECT(fixture_rollback(&scene) == 1);
    EXPECT(fixture_rollback(&scene) == 0);
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT);
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" has no version to go back to before "
                                           "version 1 of model \"comments\"");
    EXPECT(live_version(&scene) == 1);
}

static void test_a_rollback_skips_what_was_rolled_back_before(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    fixture_add_bare_versions(&scene, 3);
    fixture_deploy(&scene, 1);
    fixture_deploy(&scene, 2);
    EXPECT(fixture_rollback(&scene) == 1);
    fixture_deploy(&scene, 3);
    EXPECT(fixture_rollback(&scene) == 1); /* what served before 3, not 2 */
    EXPECT(fixture_rollback(&scene) == 0);
}

static int64_t champion_version(Scene *scene)
{
    ModelVersion version;

    EXPECT_OK(model_version_resolve(&scene->scope, "comments", "champion", &version),
              scene->scope.error);
    return version.version;
}

static bool delete_version(Scope *scope, void *number)
{
    return model_version_delete(scope, "comments", *(int64_t *)number);
}

static void test_the_alias_champion_follows_what_serves(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    fixture_add_bare_versions(&scene, 3);
    for (int64_t version = 1; version <= 3; version++) {
        fixture_deploy(&scene, version);
        EXPECT(champion_version(&scene) == version);
    }
    EXPECT(fixture_rollback(&scene) == 2);
    EXPECT(champion_version(&scene) == 2);
    EXPECT(fixture_rollback(&scene) == 1);
    EXPECT(live_version(&scene) == 1);
}

static void test_what_ever_served_cannot_be_deleted(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    int64_t served = 1, never_served = 3;

    fixture_add_bare_versions(&scene, 3);
    fixture_deploy(&scene, 1);
    fixture_deploy(&scene, 2);
    EXPECT(!scope_write(&scene.scope, delete_version, &served));
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT);
    scene.scope.error = (Error){0};
    EXPECT_OK(scope_write(&scene.scope, delete_version, &never_served), scene.scope.error);
    EXPECT(fixture_rollback(&scene) == 1);
}

static void test_a_rollback_of_nothing_is_a_conflict(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT(fixture_rollback(&scene) == 0);
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" does not exist");
}

static void test_each_change_is_an_event_with_before_and_after(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    EventFilter filter = {.object = "spam", .action = "endpoint."};
    EventList list;

    fixture_add_bare_versions(&scene, 2);
    fixture_deploy(&scene, 1);
    fixture_deploy(&scene, 2);
    fixture_rollback(&scene);
    EXPECT_OK(event_list(&scene.scope, &filter, &list), scene.scope.error);
    EXPECT(list.count == 4);
    EXPECT_TEXT(list.items[0].action, "endpoint.created");
    EXPECT_TEXT(list.items[1].action, "endpoint.deployed");
    EXPECT_TEXT(list.items[3].action, "endpoint.rolled_back");
    EXPECT_TEXT(list.items[3].detail,
                "{\"before\":{\"model\":\"comments\",\"version\":2},\"after\":{\"model\":"
                "\"comments\",\"version\":1},\"reason\":\"rollback\",\"comment\":\"it is worse\","
                "\"gate\":null}");
}

static bool set_rule(Scope *scope, void *context)
{
    Endpoint endpoint;

    return endpoint_ensure(scope, "spam", "youtube", &endpoint) &&
           endpoint_set_rule(scope, "spam", context);
}

static void test_a_rule_is_checked_before_it_is_kept(void)
{
    static const struct {
        const char *metric;
        double margin, minimum, level;
        const char *demand, *message;
    } rows[] = {
        {"F1", 0, NAN, 0.95, "better", "\"F1\" is not a metric"},
        {"f1", -0.1, NAN, 0.95, "better", "a margin is 0 or more"},
        {"f1", NAN, NAN, 0.95, "better", "a margin is 0 or more"},
        {"f1", 0, INFINITY, 0.95, "better", "a minimum is a finite number"},
        {"f1", 0, 85, 0.95, "better",
         "no model can reach a minimum of 85: \"f1\" goes from 0 to 1"},
        {"f1", 0, NAN, 1, "better", "a level is at least 0.5 and below 1, such as 0.95"},
        {"f1", 0, NAN, 0.95, "best", "a demand is \"not-worse\" or \"better\", not \"best\""},
    };
    CLEANUP(scene_close) Scene scene = scene_open();
    GateRule good = {"accuracy", 0.01, 0.85, 0.9, "better"};
    Endpoint endpoint;

    for (size_t i = 0; i < COUNT(rows); i++) {
        GateRule rule = {rows[i].metric, rows[i].margin, rows[i].minimum, rows[i].level,
                         rows[i].demand};

        EXPECT(!scope_write(&scene.scope, set_rule, &rule));
        EXPECT_TEXT(scene.scope.error.message, rows[i].message);
    }
    EXPECT_OK(scope_write(&scene.scope, set_rule, &good), scene.scope.error);
    EXPECT_OK(endpoint_find(&scene.scope, "spam", &endpoint), scene.scope.error);
    EXPECT_TEXT(endpoint.rule.metric, "accuracy");
    EXPECT(endpoint.rule.minimum == 0.85 && endpoint.rule.level == 0.9);
    EXPECT_TEXT(endpoint.project, "youtube");
}

static bool ensure_elsewhere(Scope *scope, void *context)
{
    Endpoint endpoint;

    return endpoint_ensure(scope, "spam", context, &endpoint);
}

static void test_an_endpoint_stays_with_its_project(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT_OK(scope_write(&scene.scope, ensure_elsewhere, "youtube"), scene.scope.error);
    EXPECT_OK(scope_write(&scene.scope, ensure_elsewhere, NULL), scene.scope.error);
    EXPECT(!scope_write(&scene.scope, ensure_elsewhere, "mail"));
    EXPECT_TEXT(scene.scope.error.message, "endpoint \"spam\" belongs to project \"youtube\"");
}

static bool write_webhook(Scope *scope, void *context)
{
    WebhookSpec spec = {.name = "ops",
                        .url = "https://example.com/hook",
                        .events = event_kind_bit(EVENT_RELEASE_DEPLOYED) |
                                  event_kind_bit(EVENT_RELEASE_ROLLED_BACK)};

    return webhook_create(scope, &spec, context);
}

static DeliveryList told(Scene *scene, const Webhook *webhook)
{
    DeliveryList list = {0};

    EXPECT_OK(delivery_list(&scene->scope, webhook, NULL, &list), scene->scope.error);
    return list;
}

static void test_each_change_in_production_is_told_and_nothing_else(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    FixtureChange staging = {
        .spec = {.endpoint = "spam" ENDPOINT_STAGING_SUFFIX, .model = "comments", .version = 1}};
    DeliveryList list;
    Delivery delivery;
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    fixture_add_bare_versions(&scene, 2);
    EXPECT_OK(scope_write(&scene.scope, fixture_do_deploy, &staging), scene.scope.error);
    EXPECT(told(&scene, &webhook).count == 0);
    fixture_deploy(&scene, 1);
    fixture_deploy(&scene, 1); /* it serves already */
    EXPECT(told(&scene, &webhook).count == 1);
    fixture_deploy(&scene, 2);
    EXPECT(fixture_rollback(&scene) == 1);
    EXPECT(fixture_rollback(&scene) == 0); /* there is nothing to go back to */
    list = told(&scene, &webhook);
    EXPECT(list.count == 3);
    EXPECT_TEXT(list.items[0].event, "release.rolled_back");
    EXPECT_TEXT(list.items[1].event, "release.deployed");
    EXPECT_OK(delivery_find(&scene.scope, list.items[0].id, &delivery), scene.scope.error);
    EXPECT(strstr(delivery.body, "\"before\":{\"model\":\"comments\",\"version\":2}"));
    EXPECT(strstr(delivery.body, "\"comment\":\"it is worse\",\"deployed_by\":\"tester\""));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_newest_deployment_is_live),
        TEST(test_deploying_what_is_live_changes_nothing),
        TEST(test_a_page_of_deployments_goes_on_before_the_last_one),
        TEST(test_a_version_that_does_not_exist_is_not_deployed),
        TEST(test_the_package_that_a_rollback_would_bring_back_is_known_before),
        TEST(test_rollbacks_walk_back_and_not_forth),
        TEST(test_a_rollback_skips_what_was_rolled_back_before),
        TEST(test_the_alias_champion_follows_what_serves),
        TEST(test_what_ever_served_cannot_be_deleted),
        TEST(test_a_rollback_of_nothing_is_a_conflict),
        TEST(test_each_change_is_an_event_with_before_and_after),
        TEST(test_a_rule_is_checked_before_it_is_kept),
        TEST(test_an_endpoint_stays_with_its_project),
        TEST(test_each_change_in_production_is_told_and_nothing_else),
        {0},
    };

    return test_main(tests, count, names);
}

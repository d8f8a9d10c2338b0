/* Promotion through the real gate: what gets through, and the faults that ours must not have. */
#include "notify/delivery.h"
#include "pipelines/promotion.h"
#include "registry/model.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

static void setup(Fixture *fixture)
{
    *fixture = fixture_open();
    fixture_add_data(fixture, made_up_comments(fixture->arena, 0, 300, 0));
    fixture_put(fixture, fixture_file);
    fixture_train(fixture);
}

static bool promote(Fixture *fixture, const char *model, const char *version, Promotion *promotion)
{
    PromotionSpec spec = {.endpoint = "spam", .model = model, .comment = "test"};

    if (version)
        EXPECT_OK(json_parse(version, strlen(version), fixture->arena, &spec.version,
                             &fixture->scope.error),
                  fixture->scope.error);
    return promotion_run(&fixture->scope, &spec, promotion);
}

static Promotion must_promote(Fixture *fixture, const char *model, const char *version)
{
    Promotion promotion = {0};

    EXPECT_OK(promote(fixture, model, version, &promotion), fixture->scope.error);
    return promotion;
}

static Endpoint find_endpoint(Fixture *fixture)
{
    Endpoint endpoint;

    EXPECT_OK(endpoint_find(&fixture->scope, "spam", &endpoint), fixture->scope.error);
    return endpoint;
}

/* Not promoted for this reason, and nothing serves but what served before. */
static void expect_declined(Fixture *fixture, const Promotion *promotion, const Endpoint *before,
                            const char *outcome, const char *reason)
{
    Endpoint after = find_endpoint(fixture);

    EXPECT(!promotion->promoted);
    EXPECT_TEXT(promotion->gate.outcome, outcome);
    if (!strstr(promotion->gate.reason, reason))
        fprintf(stderr, "%s\n", promotion->gate.reason);
    EXPECT(strstr(promotion->gate.reason, reason));
    EXPECT(after.deployment_id == before->deployment_id && after.version == before->version);
}

static const JsonValue *verdict_of(Fixture *fixture, const Promotion *promotion)
{
    const JsonValue *verdict;
    const char *text = promotion->gate.verdict;

    EXPECT_OK(json_parse(text, strlen(text), fixture->arena, &verdict, &fixture->scope.error),
              fixture->scope.error);
    return verdict;
}

static void test_a_first_model_is_promoted_with_its_verdict_alias_and_event(void)
{
    Fixture fixture;
    DeploymentList deployments = {0};
    Promotion promotion;
    ModelVersion champion;
    const JsonValue *verdict;

    setup(&fixture);
    promotion = must_promote(&fixture, NULL, NULL);
    EXPECT(promotion.promoted && promotion.endpoint.version == 1);
    verdict = verdict_of(&fixture, &promotion);
    EXPECT(json_as_int(json_member(json_member(verdict, "holdout"), "rows"), 0) == 60);
    EXPECT(json_is_null(json_member(verdict, "champion")));
    EXPECT_OK(endpoint_deployments(&fixture.scope, "spam", NULL, &deployments),
              fixture.scope.error);
    EXPECT(deployments.count == 1);
    EXPECT_TEXT(deployments.items[0].reason, "promote");
    EXPECT_TEXT(deployments.items[0].gate, promotion.gate.verdict);
    EXPECT_OK(model_version_resolve(&fixture.scope, "spam", "champion", &champion),
              fixture.scope.error);
    EXPECT(champion.version == 1);
    EXPECT(fixture_count_events(&fixture, "gate.passed") == 1);
    fixture_close(&fixture);
}

static void test_what_serves_already_is_not_deployed_again(void)
{
    Fixture fixture;
    Promotion promotion;
    Endpoint before;

    setup(&fixture);
    must_promote(&fixture, NULL, NULL);
    before = find_endpoint(&fixture);
    EXPECT(!promote(&fixture, NULL, "1", &promotion));
    EXPECT(fixture.scope.error.kind == ERROR_CONFLICT);
    EXPECT(find_endpoint(&fixture).deployment_id == before.deployment_id);
    fixture_close(&fixture);
}

static void test_r4_f5_both_are_judged_on_the_same_frozen_rows_and_a_tie_is_within_noise(void)
{
    Fixture fixture;
    const JsonValue *first, *second;
    Promotion promotion;

    setup(&fixture);
    promotion = must_promote(&fixture, NULL, NULL);
    first = verdict_of(&fixture, &promotion);
    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 400, 0));
    fixture_train(&fixture);
    promotion = must_promote(&fixture, NULL, NULL);
    second = verdict_of(&fixture, &promotion);
    EXPECT(promotion.promoted && promotion.endpoint.version == 2);
    EXPECT_TEXT(json_as_text(json_member(second, "finding"), ""), "not worse, within noise");
    EXPECT_TEXT(json_as_text(json_member(json_member(first, "holdout"), "digest"), "a"),
                json_as_text(json_member(json_member(second, "holdout"), "digest"), "b"));
    EXPECT(json_as_int(json_member(json_member(second, "champion"), "version"), 0) == 1);
    fixture_close(&fixture);
}

static void test_r4_models_of_other_features_are_judged_on_the_same_frozen_rows(void)
{
    Fixture fixture = fixture_open();
    const char *noisy = made_up_comments(fixture.arena, 0, 300, 5);
    const JsonValue *verdict;
    Promotion promotion;

    fixture_add_data(&fixture, noisy);
    fixture_put(&fixture, fixture_file);
    fixture_train(&fixture);
    must_promote(&fixture, NULL, NULL);
    fixture_add_columns(&fixture, noisy, "{\"CONTENT\":\"text\"}"); /* REMOVED gives it away */
    fixture_train(&fixture);
    promotion = must_promote(&fixture, NULL, NULL);
    verdict = verdict_of(&fixture, &promotion);
    EXPECT_TEXT(json_as_text(json_member(verdict, "finding"), ""), "better");
    EXPECT(json_as_double(json_member(json_member(verdict, "challenger"), "value"), 0) == 1);
    EXPECT(json_as_int(json_member(json_member(verdict, "holdout"), "rows"), 0) == 60);
    fixture_close(&fixture);
}

/* Learns the opposite from then on: the added rows outnumber the first ones, mislabelled. */
static void train_worse(Fixture *fixture)
{
    TextBuilder csv = {.arena = fixture->arena};

    text_append(&csv, made_up_comments(fixture->arena, 0, 300, 0));
    text_append(&csv, strchr(made_up_comments(fixture->arena, 1000, 2000, 1), '\n') + 1);
    fixture_add_data(fixture, text_built(&csv));
    fixture_train(fixture);
}

static void test_f3_f16_r6_a_worse_model_is_rejected_and_nothing_is_deployed(void)
{
    Fixture fixture;
    GateList gates = {0};
    Promotion promotion;
    Endpoint before;

    setup(&fixture);
    must_promote(&fixture, NULL, NULL);
    before = find_endpoint(&fixture);
    train_worse(&fixture);
    promotion = must_promote(&fixture, NULL, "2");
    expect_declined(&fixture, &promotion, &before, "rejected", "worse");
    EXPECT_OK(gate_list(&fixture.scope, "spam", NULL, &gates), fixture.scope.error);
    EXPECT(gates.count == 2 && gates.items[0].id == 2 && gates.items[1].id == 1);
    EXPECT_TEXT(gates.items[0].outcome, "rejected");
    EXPECT(fixture_count_events(&fixture, "gate.rejected") == 1);
    EXPECT(fixture_count_events(&fixture, "gate.passed") == 1);
    fixture_close(&fixture);
}

static bool add_webhook(Scope *scope, void *context)
{
    const WebhookSpec spec = {.name = "ops",
                              .url = "https://example.com/hook",
                              .events = event_kind_bit(EVENT_RELEASE_REJECTED)};

    return webhook_create(scope, &spec, context);
}

static void test_who_wants_to_is_told_of_a_version_that_the_gate_declined(void)
{
    Fixture fixture;
    DeliveryList told = {0};
    Delivery delivery;
    Webhook webhook;

    setup(&fixture);
    EXPECT_OK(scope_write(&fixture.scope, add_webhook, &webhook), fixture.scope.error);
    must_promote(&fixture, NULL, NULL);
    EXPECT_OK(delivery_list(&fixture.scope, &webhook, NULL, &told), fixture.scope.error);
    EXPECT(told.count == 0);
    train_worse(&fixture);
    EXPECT(!must_promote(&fixture, NULL, "2").promoted);
    EXPECT_OK(delivery_list(&fixture.scope, &webhook, NULL, &told), fixture.scope.error);
    EXPECT(told.count == 1);
    EXPECT_OK(delivery_find(&fixture.scope, told.items[0].id, &delivery), fixture.scope.error);
    EXPECT(strstr(delivery.body, "version 2 of \\\"spam\\\" was not released at endpoint"));
    EXPECT(strstr(delivery.body, "worse"));
    fixture_close(&fixture);
}

static void test_f1_r5_a_champion_that_cannot_be_read_refuses(void)
{
    Fixture fixture;
    Promotion promotion;
    Tree files = {0};
    Endpoint before;
    Error error = {0};
    const TreeEntry *model;

    setup(&fixture);
    must_promote(&fixture, NULL, NULL);
    before = find_endpoint(&fixture);
    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 400, 0));
    fixture_train(&fixture);
    EXPECT_OK(tree_read(fixture.platform->artifacts, before.package, fixture.arena, &files, &error),
              error);
    model = tree_find(&files, "model.slipway");
    EXPECT(model);
    EXPECT(unlink(artifact_path(fixture.platform->artifacts, model->digest, fixture.arena)) == 0);
    promotion = must_promote(&fixture, NULL, "2");
    expect_declined(&fixture, &promotion, &before, "refused", "the champion cannot be read");
    EXPECT(fixture_count_events(&fixture, "gate.refused") == 1);
    fixture_close(&fixture);
}

/* The numbers are good, but what would be served is not what was tried when it was made. */
static void test_r5_an_accepted_version_whose_package_fails_is_recorded_as_refused(void)
{
    Fixture fixture;
    GateList gates = {0};
    ModelVersion version;
    Promotion promotion;
    Tree files = {0};
    Endpoint before;
    Error error = {0};
    const char *golden;

    setup(&fixture);
    before = find_endpoint(&fixture);
    EXPECT_OK(model_version_find(&fixture.scope, "spam", 1, &version), fixture.scope.error);
    EXPECT_OK(
        tree_read(fixture.platform->artifacts, version.package, fixture.arena, &files, &error),
        error);
    golden = artifact_path(fixture.platform->artifacts, tree_find(&files, "golden.json")->digest,
                           fixture.arena);
    EXPECT(truncate(golden, 10) == 0);
    promotion = must_promote(&fixture, NULL, NULL);
    expect_declined(&fixture, &promotion, &before, "refused",
                    "accepted by its numbers, but it cannot be served: ");
    EXPECT(strstr(promotion.gate.reason, "is damaged"));
    EXPECT_OK(gate_list(&fixture.scope, "spam", NULL, &gates), fixture.scope.error);
    EXPECT(gates.count == 1);
    EXPECT_TEXT(gates.items[0].outcome, "refused");
    EXPECT_TEXT(gates.items[0].reason, promotion.gate.reason);
    EXPECT(fixture_count_events(&fixture, "gate.refused") == 1);
    EXPECT(fixture_count_events(&fixture, "gate.passed") == 0);
    fixture_close(&fixture);
}

typedef struct Registration {
    ModelVersionSpec spec;
    ModelVersion version;
} Registration;

static bool write_version(Scope *scope, void *context)
{
    Registration *registration = context;

    return model_version_create(scope, &registration->spec, &registration->version);
}

/* The package of spam/1 again, under another name or with another history. */
static void register_copy(Fixture *fixture, const char *model, const char *holdout_digest)
{
    Registration registration = {0};
    ModelVersion first;

    EXPECT_OK(model_version_find(&fixture->scope, "spam", 1, &first), fixture->scope.error);
    registration.spec = (ModelVersionSpec){
        .model = model,
        .package = first.package,
        .dataset = first.dataset,
        .dataset_version = first.dataset_version,
        .dataset_digest = first.dataset_digest,
        .holdout_digest = holdout_digest ? holdout_digest : first.holdout_digest,
    };
    EXPECT_OK(scope_write(&fixture->scope, write_version, &registration), fixture->scope.error);
}

static void test_t3_a_model_is_not_registered_without_its_preprocessing(void)
{
    Fixture fixture;
    Registration registration = {0};
    ModelVersion first;
    Tree tree = {0}, part = {0};
    Artifact package;
    Error error = {0};

    setup(&fixture);
    EXPECT_OK(model_version_find(&fixture.scope, "spam", 1, &first), fixture.scope.error);
    EXPECT_OK(tree_read(fixture.platform->artifacts, first.package, fixture.arena, &tree, &error),
              error);
    for (size_t i = 0; i < tree.count; i++)
        if (strcmp(tree.items[i].path, "model.slipway") != 0)
            *arena_push(fixture.arena, &part) = tree.items[i];
    EXPECT_OK(tree_add(fixture.platform->artifacts, &part, fixture.arena, &package, &error), error);
    registration.spec = (ModelVersionSpec){.model = "spam", .package = package.digest};
    EXPECT(!scope_write(&fixture.scope, write_version, &registration));
    EXPECT(text_has_suffix(fixture.scope.error.message, "has no file \"model.slipway\""));
    fixture_close(&fixture);
}

static void test_f5_a_model_kept_from_another_holdout_is_refused(void)
{
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    Fixture fixture;
    Promotion promotion;
    Endpoint before;

    setup(&fixture);
    must_promote(&fixture, NULL, NULL);
    before = find_endpoint(&fixture);
    register_copy(&fixture, "spam", other);
    promotion = must_promote(&fixture, NULL, "2");
    expect_declined(&fixture, &promotion, &before, "refused", "another hold-out");
    fixture_close(&fixture);
}

static void test_f4_the_champion_is_what_serves_not_what_is_newest(void)
{
    Fixture fixture;
    Promotion promotion;
    const JsonValue *champion;

    setup(&fixture);
    must_promote(&fixture, NULL, NULL);
    register_copy(&fixture, "vectoriser", NULL);
    register_copy(&fixture, "spam", NULL);
    register_copy(&fixture, "spam", NULL);
    promotion = must_promote(&fixture, NULL, "3");
    champion = json_member(verdict_of(&fixture, &promotion), "champion");
    EXPECT_TEXT(json_as_text(json_member(champion, "model"), ""), "spam");
    EXPECT(json_as_int(json_member(champion, "version"), 0) == 1);
    fixture_close(&fixture);
}

static void test_r5_a_frozen_holdout_with_other_bytes_refuses(void)
{
    Fixture fixture;
    Promotion promotion;
    ModelVersion version;
    Endpoint before;
    Error error = {0};
    const char *path;

    setup(&fixture);
    before = find_endpoint(&fixture);
    EXPECT_OK(model_version_find(&fixture.scope, "spam", 1, &version), fixture.scope.error);
    path = artifact_path(fixture.platform->artifacts, version.holdout_digest, fixture.arena);
    EXPECT(unlink(path) == 0);
    EXPECT_OK(file_write(path, "other", 5, &error), error);
    promotion = must_promote(&fixture, NULL, NULL);
    expect_declined(&fixture, &promotion, &before, "refused", "other bytes");
    fixture_close(&fixture);
}

/* Projects and the gate of an endpoint. */

static void test_a_file_tightens_a_gate_and_does_not_loosen_it(void)
{
    static const char strict[] = "project: spam\nrelease: {endpoint: spam, gate: {metric: f1, "
                                 "margin: 0.01, minimum: 0.8}}\n";
    Fixture fixture = fixture_open();
    ProjectChange change;

    EXPECT(fixture_put(&fixture, fixture_file).is_new);
    EXPECT(isnan(find_endpoint(&fixture).rule.minimum));
    change = fixture_put(&fixture, strict);
    EXPECT(change.is_changed && !change.is_new && change.warnings.count == 0);
    EXPECT(find_endpoint(&fixture).rule.minimum == 0.8);
    change = fixture_put(&fixture, fixture_file);
    EXPECT(change.warnings.count == 1);
    EXPECT_TEXT(change.warnings.items[0],
                "release.gate is not stricter than the gate of endpoint \"spam\", which stays as "
                "it is: an approver changes it on the server");
    EXPECT(find_endpoint(&fixture).rule.minimum == 0.8);
    fixture_close(&fixture);
}

static void test_the_same_file_again_changes_nothing(void)
{
    Fixture fixture = fixture_open();

    fixture_put(&fixture, fixture_file);
    EXPECT(!fixture_put(&fixture, fixture_file).is_changed);
    EXPECT(fixture_count_events(&fixture, "project.created") == 1);
    EXPECT(fixture_count_events(&fixture, "project.changed") == 0);
    fixture_close(&fixture);
}

static void test_f8_an_endpoint_of_another_project_is_not_taken(void)
{
    static const char thief[] = "project: thief\nrelease: {endpoint: spam}\n";
    Fixture fixture = fixture_open();
    FixturePut put = {"thief", thief, {.is_new = false}};
    Project project;

    fixture_put(&fixture, fixture_file);
    EXPECT(!scope_write(&fixture.scope, fixture_write_project, &put));
    EXPECT_TEXT(fixture.scope.error.message, "endpoint \"spam\" belongs to project \"spam\"");
    EXPECT(!project_find(&fixture.scope, "thief", &project));
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_first_model_is_promoted_with_its_verdict_alias_and_event),
        TEST(test_what_serves_already_is_not_deployed_again),
        TEST(test_r4_f5_both_are_judged_on_the_same_frozen_rows_and_a_tie_is_within_noise),
        TEST(test_r4_models_of_other_features_are_judged_on_the_same_frozen_rows),
        TEST(test_f3_f16_r6_a_worse_model_is_rejected_and_nothing_is_deployed),
        TEST(test_who_wants_to_is_told_of_a_version_that_the_gate_declined),
        TEST(test_f1_r5_a_champion_that_cannot_be_read_refuses),
        TEST(test_r5_an_accepted_version_whose_package_fails_is_recorded_as_refused),
        TEST(test_t3_a_model_is_not_registered_without_its_preprocessing),
        TEST(test_f5_a_model_kept_from_another_holdout_is_refused),
        TEST(test_f4_the_champion_is_what_serves_not_what_is_newest),
        TEST(test_r5_a_frozen_holdout_with_other_bytes_refuses),
        TEST(test_a_file_tightens_a_gate_and_does_not_loosen_it),
        TEST(test_the_same_file_again_changes_nothing),
        TEST(test_f8_an_endpoint_of_another_project_is_not_taken),
        {0},
    };

    return fixture_main(tests, count, arguments);
}

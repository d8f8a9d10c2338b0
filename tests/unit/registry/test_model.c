#include "registry/model.h"

#include <pthread.h>

#include "tests/unit/tracking/store_fixture.h"
#include "tracking/run_trial.h"

/* A package that is just an MLmodel: the registry asks for no more. */
static const char *make_package(Scope *scope)
{
    Artifact file, tree_blob;
    Tree tree = {0};

    EXPECT_OK(
        artifact_add_bytes(scope->platform->artifacts, "flavors: {}\n", 12, &file, &scope->error),
        scope->error);
    *arena_push(scope->arena, &tree) = (TreeEntry){.path = "MLmodel", .size = file.size};
    memcpy(tree.items[0].digest, file.digest, sizeof(file.digest));
    EXPECT_OK(tree_add(scope->platform->artifacts, &tree, scope->arena, &tree_blob, &scope->error),
              scope->error);
    return arena_text(scope->arena, tree_blob.digest);
}

static ModelVersion registered(Scope *scope, const char *model)
{
    ModelVersionSpec spec = {.model = model, .package = make_package(scope)};
    ModelVersion version;

    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    return version;
}

static Run run_with_status(Scope *scope, RunStatus status)
{
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){.name = "fit"}, &run), scope->error);
    if (status != RUN_RUNNING)
        EXPECT_OK(run_finish(scope, run.id, status, NULL), scope->error);
    return run;
}

static void test_versions_count_from_one_and_are_never_reused(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersion version;
    RegisteredModel model;

    EXPECT(registered(scope, "spam").version == 1);
    EXPECT(registered(scope, "spam").version == 2);
    EXPECT(registered(scope, "churn").version == 1);
    EXPECT_OK(model_version_delete(scope, "spam", 2), scope->error);
    EXPECT_OK(model_find(scope, "spam", &model), scope->error);
    EXPECT(model.latest_version == 1);
    EXPECT(registered(scope, "spam").version == 3);
    EXPECT_FAILS(model_version_find(scope, "spam", 2, &version), scope, ERROR_NOT_FOUND,
                 "model \"spam\" has no version 2");
}

typedef struct Registrar {
    Platform *platform;
    const char *package;
    int64_t versions[10];
} Registrar;

static bool register_one(Scope *scope, void *context)
{
    ModelVersionSpec *spec = context;
    ModelVersion version;

    if (!model_version_create(scope, spec, &version))
        return false;
    spec->dataset_version = version.version; /* the way back to the thread */
    return true;
}

static void *register_ten(void *context)
{
    Registrar *registrar = context;
    CLEANUP(session_close) Session session = {0};
    Error error = {0};
    Scope scope;

    EXPECT_OK(session_open(registrar->platform, &session, &error), error);
    scope = session_scope(&session, registrar->platform, (Principal){"ada", ROLE_OWNER});
    for (int i = 0; i < 10; i++) {
        ModelVersionSpec spec = {.model = "spam", .package = registrar->package};

        EXPECT_OK(scope_write(&scope, register_one, &spec), scope.error);
        registrar->versions[i] = spec.dataset_version;
    }
    return NULL;
}

static void test_a_hundred_parallel_registrations_give_versions_1_to_100(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    const char *package = make_package(&fixture.scope);
    Registrar registrars[10] = {0};
    pthread_t threads[10];
    bool seen[101] = {false};

    for (int i = 0; i < 10; i++) {
        registrars[i] = (Registrar){.platform = fixture.platform, .package = package};
        EXPECT(pthread_create(&threads[i], NULL, register_ten, &registrars[i]) == 0);
    }
    for (int i = 0; i < 10; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < 100; i++) {
        int64_t version = registrars[i / 10].versions[i % 10];

        EXPECT(version >= 1 && version <= 100 && !seen[version]);
        seen[version] = true;
    }
}

static void test_only_a_finished_run_can_be_registered(void)
{
    static const RunStatus others[] = {RUN_RUNNING, RUN_FAILED, RUN_KILLED};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersionSpec spec = {.model = "spam", .package = make_package(scope)};
    ModelVersion version;
    ModelList list = {0};

    for (size_t i = 0; i < COUNT(others); i++) {
        spec.run_id = run_with_status(scope, others[i]).id;
        EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_CONFLICT,
                     arena_format(scope->arena,
                                  "run \"%s\" is %s: only a run that is FINISHED can be registered",
                                  spec.run_id, run_status_name(others[i])));
    }
    spec.run_id = "0123";
    EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_NOT_FOUND,
                 "run \"0123\" does not exist");
    EXPECT_OK(model_list(scope, NULL, &list), scope->error);
    EXPECT(list.count == 0);
    spec.run_id = run_with_status(scope, RUN_FINISHED).id;
    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    EXPECT_OK(run_delete(scope, spec.run_id), scope->error);
    EXPECT(!model_version_create(scope, &spec, &version) && scope->error.kind == ERROR_CONFLICT);
}

static void test_a_trial_cannot_be_registered(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersionSpec spec = {.model = "spam", .package = make_package(scope)};
    Run run = run_with_status(scope, RUN_FINISHED);
    RunTrial trial = {.name = "a", .status = RUN_FINISHED};
    RunList trials = {0};
    ModelVersion version;

    EXPECT_OK(run_add_trials(scope, &run, &(RunTrialList){&trial, 1}), scope->error);
    EXPECT_OK(run_list(scope, &(RunFilter){.parent = run.id}, &trials, NULL), scope->error);
    spec.run_id = trials.items[0].id;
    EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_CONFLICT,
                 arena_format(scope->arena,
                              "run \"%s\" is a trial: the model is that of the training that it "
                              "belongs to",
                              spec.run_id));
}

static void test_a_package_must_be_there_and_hold_an_mlmodel(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersionSpec spec = {.model = "spam", .package = "x"};
    char missing[DIGEST_TEXT_SIZE];
    ModelVersion version;
    Artifact empty;
    Tree tree = {0};

    EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_FIELD,
                 "a package is named by its digest, 64 hexadecimal digits");
    spec.package = digest_bytes("none", 4, missing);
    EXPECT(!model_version_create(scope, &spec, &version));
    EXPECT_OK(tree_add(scope->platform->artifacts, &tree, scope->arena, &empty, &scope->error),
              scope->error);
    spec.package = empty.digest;
    EXPECT(!model_version_create(scope, &spec, &version));
    EXPECT(strstr(scope->error.message, "has no file \"MLmodel\""));
}

static void test_an_alias_moves_in_one_step_and_both_versions_remember(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersion version;
    EventList events = {0};

    registered(scope, "spam");
    registered(scope, "spam");
    EXPECT_OK(model_alias_set(scope, "spam", "champion", 1), scope->error);
    EXPECT_OK(model_alias_set(scope, "spam", "champion", 2), scope->error);
    EXPECT_OK(model_version_resolve(scope, "spam", "champion", &version), scope->error);
    EXPECT(version.version == 2 && version.aliases.count == 1);
    EXPECT_OK(model_version_find(scope, "spam", 1, &version), scope->error);
    EXPECT(version.aliases.count == 0);

    EXPECT_OK(
        event_list(scope, &(EventFilter){.object = "spam@1", .action = "model_alias."}, &events),
        scope->error);
    EXPECT(events.count == 2);
    EXPECT_TEXT(events.items[1].action, "model_alias.removed");
    EXPECT_TEXT(events.items[1].detail, "{\"alias\":\"champion\",\"before\":1,\"after\":2}");
}

static void test_a_version_is_found_by_number_latest_or_alias(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersion version;
    RegisteredModel model;

    EXPECT_OK(model_create(scope, "spam", "mails", NULL, &model), scope->error);
    EXPECT_FAILS(model_version_resolve(scope, "spam", "latest", &version), scope, ERROR_NOT_FOUND,
                 "model \"spam\" has no version yet");
    registered(scope, "spam");
    registered(scope, "spam");
    EXPECT_OK(model_version_resolve(scope, "spam", "latest", &version), scope->error);
    EXPECT(version.version == 2);
    EXPECT_OK(model_version_resolve(scope, "spam", "1", &version), scope->error);
    EXPECT(version.version == 1);
    EXPECT_FAILS(model_version_resolve(scope, "spam", "champion", &version), scope, ERROR_NOT_FOUND,
                 "model \"spam\" has no alias \"champion\"");
    EXPECT_FAILS(model_version_resolve(scope, "churn", "1", &version), scope, ERROR_NOT_FOUND,
                 "model \"churn\" does not exist");
}

static void test_words_that_mean_something_else_are_no_alias(void)
{
    static const char *const words[] = {"latest", "Latest", "7", "v7", "V12", "", "a b", "a/b"};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;

    registered(scope, "spam");
    for (size_t i = 0; i < COUNT(words); i++)
        EXPECT(!model_alias_set(scope, "spam", words[i], 1) && scope->error.kind == ERROR_FIELD);
    EXPECT_OK(model_alias_set(scope, "spam", "v7a", 1), scope->error);
    EXPECT(!model_alias_set(scope, "spam", "champion", 2) && scope->error.kind == ERROR_NOT_FOUND);
}

static void test_a_deleted_version_is_hidden_and_loses_its_aliases_but_keeps_its_package(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersion version = registered(scope, "spam");
    ModelVersionList list = {0};

    EXPECT_OK(model_alias_set(scope, "spam", "champion", 1), scope->error);
    EXPECT_OK(model_version_delete(scope, "spam", 1), scope->error);
    EXPECT_OK(model_version_list(scope, "spam", NULL, &list), scope->error);
    EXPECT(list.count == 0);
    EXPECT(artifact_exists(scope->platform->artifacts, version.package));
    EXPECT(!model_version_resolve(scope, "spam", "champion", &version));
    EXPECT(!model_alias_set(scope, "spam", "champion", 1));
    EXPECT(!model_version_delete(scope, "spam", 1) && scope->error.kind == ERROR_NOT_FOUND);
}

static void test_a_page_of_versions_goes_on_below_the_last_number(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersionList list = {0};

    for (int i = 0; i < 5; i++)
        registered(scope, "spam");
    EXPECT_OK(model_version_list(scope, "spam", &(Page){.limit = 2}, &list), scope->error);
    EXPECT(list.count == 2 && list.items[0].version == 5 && list.items[1].version == 4);
    EXPECT_OK(model_version_list(scope, "spam", &(Page){.limit = 2, .before = 4}, &list),
              scope->error);
    EXPECT(list.count == 2 && list.items[0].version == 3 && list.items[1].version == 2);
    EXPECT_OK(model_version_list(scope, "spam", &(Page){.before = 1}, &list), scope->error);
    EXPECT(list.count == 0);
}

static void test_a_released_version_cannot_be_deleted(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersion version = registered(scope, "spam");
    EventList events;

    EXPECT(!version.released_at);
    EXPECT_OK(model_version_release(scope, "spam", 1), scope->error);
    EXPECT_OK(model_version_release(scope, "spam", 1), scope->error);
    EXPECT_FAILS(model_version_delete(scope, "spam", 1), scope, ERROR_CONFLICT,
                 "version 1 of model \"spam\" was in production, so it cannot be deleted");
    EXPECT_OK(model_version_find(scope, "spam", 1, &version), scope->error);
    EXPECT(version.released_at > 0);
    EXPECT_OK(event_list(scope, &(EventFilter){.action = "model_version.released"}, &events),
              scope->error);
    EXPECT(events.count == 1);
    EXPECT(!model_version_release(scope, "spam", 2) && scope->error.kind == ERROR_NOT_FOUND);
}

static void test_metadata_belongs_to_its_own_model_only(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ParamList tags = {(Param[]){{"task", "spam"}}, 1};
    RegisteredModel model;
    ModelVersion version;

    registered(scope, "spam");
    registered(scope, "churn");
    EXPECT_OK(model_set_tags(scope, "spam", &tags), scope->error);
    EXPECT_OK(model_version_set_tags(scope, "spam", 1, &tags), scope->error);
    EXPECT_OK(model_alias_set(scope, "spam", "champion", 1), scope->error);
    EXPECT_OK(model_version_describe(scope, "spam", 1, "good"), scope->error);

    EXPECT_OK(model_find(scope, "churn", &model), scope->error);
    EXPECT_OK(model_version_find(scope, "churn", 1, &version), scope->error);
    EXPECT(model.tags.count == 0 && version.tags.count == 0 && version.aliases.count == 0);
    EXPECT_TEXT(version.description, "");
    EXPECT_OK(model_version_find(scope, "spam", 1, &version), scope->error);
    EXPECT_TEXT(param_find(&version.tags, "task"), "spam");
    EXPECT_TEXT(version.aliases.items[0], "champion");
    EXPECT_TEXT(version.description, "good");
}

static void test_a_model_name_is_not_blank_and_holds_no_slash_or_colon(void)
{
    static const char *const names[] = {"", " ", "a/b", "a:b", ".", "..", "a\nb"};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    RegisteredModel model;

    for (size_t i = 0; i < COUNT(names); i++)
        EXPECT(!model_create(&fixture.scope, names[i], NULL, NULL, &model) &&
               fixture.scope.error.kind == ERROR_FIELD);
    EXPECT_OK(model_create(&fixture.scope, "spam filter", NULL, NULL, &model), fixture.scope.error);
    EXPECT_FAILS(model_create(&fixture.scope, "spam filter", NULL, NULL, &model), &fixture.scope,
                 ERROR_EXISTS, "model \"spam filter\" already exists");
}

static void test_lineage_tells_run_data_code_and_events_in_one_answer(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run;
    ModelVersionSpec spec = {
        .model = "spam",
        .package = make_package(scope),
        .dataset = "comments",
        .dataset_version = 3,
        .dataset_digest = "d1",
        .holdout_digest = "h1",
        .code_commit = "c1",
        .environment = "{\"slipway\":\"0.1\"}",
    };
    RunBatch batch = {.params = {(Param[]){{"C", "1.0"}}, 1},
                      .metrics = {(Metric[]){{"f1", 0.93, 1, 0}}, 1}};
    ModelVersion version;
    Lineage lineage;
    JsonWriter *json = json_writer_create(scope->arena);
    const char *text;

    EXPECT_OK(run_create(scope, &(RunSpec){.name = "fit"}, &run), scope->error);
    EXPECT_OK(run_log_batch(scope, run.id, &batch), scope->error);
    EXPECT_OK(run_finish(scope, run.id, RUN_FINISHED, NULL), scope->error);
    spec.run_id = run.id;
    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    EXPECT_OK(model_alias_set(scope, "spam", "champion", 1), scope->error);

    EXPECT_OK(model_version_lineage(&fixture.reader, "spam", "champion", &lineage),
              fixture.reader.error);
    EXPECT(lineage.has_run && lineage.events.count == 4);
    EXPECT_TEXT(param_find(&lineage.run.params, "C"), "1.0");
    EXPECT(lineage.run.metrics.items[0].value == 0.93);
    EXPECT_TEXT(lineage.events.items[0].action, "run.created");
    EXPECT_TEXT(lineage.events.items[2].action, "model_version.created");
    EXPECT_TEXT(lineage.events.items[3].action, "model_alias.set");
    lineage_write_json(json, NULL, &lineage);
    text = json_finish(json);
    EXPECT(strstr(text, "\"dataset\":\"comments\",\"dataset_version\":3,\"dataset_digest\":\"d1\","
                        "\"holdout_digest\":\"h1\",\"code_commit\":\"c1\","
                        "\"environment\":{\"slipway\":\"0.1\"},\"created_by\":\"ada\""));
}

static void test_a_renamed_models_versions_keep_their_history_and_no_others(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    RegisteredModel model;
    Lineage lineage;

    registered(scope, "spam");
    EXPECT_OK(model_alias_set(scope, "spam", "best", 1), scope->error);
    EXPECT_OK(model_rename(scope, "spam", "ham", &model), scope->error);
    EXPECT_TEXT(model.name, "ham");
    registered(scope, "spam");
    EXPECT_OK(model_rename(scope, "ham", "mail", &model), scope->error);

    EXPECT_OK(model_version_lineage(scope, "mail", "best", &lineage), scope->error);
    EXPECT(lineage.events.count == 4);
    EXPECT_TEXT(lineage.events.items[0].action, "model_version.created");
    EXPECT_TEXT(lineage.events.items[0].object, "spam@1");
    EXPECT_TEXT(lineage.events.items[1].action, "model_alias.set");
    EXPECT_TEXT(lineage.events.items[2].object, "ham@1");
    EXPECT_TEXT(lineage.events.items[3].object, "mail@1");

    EXPECT_OK(model_version_lineage(scope, "spam", "1", &lineage), scope->error);
    EXPECT(lineage.events.count == 1);
    EXPECT_FAILS(model_rename(scope, "mail", "spam", &model), scope, ERROR_EXISTS,
                 "model \"spam\" already exists");
}

static void test_a_model_that_was_in_production_is_neither_renamed_nor_deleted(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    RegisteredModel model;

    registered(scope, "spam");
    registered(scope, "spam");
    EXPECT_OK(model_version_release(scope, "spam", 1), scope->error);
    EXPECT_FAILS(model_rename(scope, "spam", "ham", &model), scope, ERROR_CONFLICT,
                 "a version of model \"spam\" is or was in production, so the model cannot be "
                 "renamed");
    EXPECT_FAILS(model_delete(scope, "spam"), scope, ERROR_CONFLICT,
                 "a version of model \"spam\" is or was in production, so the model cannot be "
                 "deleted");
    EXPECT_OK(model_find(scope, "spam", &model), scope->error);
    EXPECT(model.latest_version == 2);
}

static void test_a_deleted_model_leaves_nothing_to_the_next_of_its_name(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    const ParamList tags = {(Param[]){{"team", "fraud"}}, 1};
    RegisteredModel model;
    ModelVersion version;
    ModelAliasList aliases;

    registered(scope, "spam");
    EXPECT_OK(model_set_tags(scope, "spam", &tags), scope->error);
    EXPECT_OK(model_version_set_tags(scope, "spam", 1, &tags), scope->error);
    EXPECT_OK(model_alias_set(scope, "spam", "best", 1), scope->error);
    EXPECT_OK(model_delete(scope, "spam"), scope->error);
    EXPECT_FAILS(model_find(scope, "spam", &model), scope, ERROR_NOT_FOUND,
                 "model \"spam\" does not exist");

    version = registered(scope, "spam");
    EXPECT(version.version == 1 && version.tags.count == 0 && version.aliases.count == 0);
    EXPECT_OK(model_find(scope, "spam", &model), scope->error);
    EXPECT_OK(model_alias_list(scope, &model, &aliases), scope->error);
    EXPECT(model.tags.count == 0 && aliases.count == 0);
}

static void test_a_version_whose_files_are_elsewhere_has_no_package_and_says_so(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelVersionSpec spec = {
        .model = "spam",
        .source = "models:/m",
        .location = "s3://bucket/model",
        .run_id = "of another server",
        .may_be_unknown = true,
    };
    ModelVersion version;

    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    EXPECT(!version.package);
    EXPECT_FAILS(model_version_need_package(scope, &version), scope, ERROR_CONFLICT,
                 "version 1 of model \"spam\" has no package here: its files are at "
                 "s3://bucket/model");
    spec.may_be_unknown = false;
    EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_NOT_FOUND,
                 "run \"of another server\" does not exist");
    spec.source = spec.run_id = NULL;
    EXPECT_FAILS(model_version_create(scope, &spec, &version), scope, ERROR_FIELD,
                 "a package is named by its digest, 64 hexadecimal digits");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_versions_count_from_one_and_are_never_reused),
        TEST(test_a_hundred_parallel_registrations_give_versions_1_to_100),
        TEST(test_only_a_finished_run_can_be_registered),
        TEST(test_a_trial_cannot_be_registered),
        TEST(test_a_package_must_be_there_and_hold_an_mlmodel),
        TEST(test_an_alias_moves_in_one_step_and_both_versions_remember),
        TEST(test_a_version_is_found_by_number_latest_or_alias),
        TEST(test_words_that_mean_something_else_are_no_alias),
        TEST(test_a_deleted_version_is_hidden_and_loses_its_aliases_but_keeps_its_package),
        TEST(test_a_page_of_versions_goes_on_below_the_last_number),
        TEST(test_a_released_version_cannot_be_deleted),
        TEST(test_metadata_belongs_to_its_own_model_only),
        TEST(test_a_model_name_is_not_blank_and_holds_no_slash_or_colon),
        TEST(test_a_renamed_models_versions_keep_their_history_and_no_others),
        TEST(test_a_model_that_was_in_production_is_neither_renamed_nor_deleted),
        TEST(test_a_deleted_model_leaves_nothing_to_the_next_of_its_name),
        TEST(test_a_version_whose_files_are_elsewhere_has_no_package_and_says_so),
        TEST(test_lineage_tells_run_data_code_and_events_in_one_answer),
        {0},
    };
    return test_main(tests, count, names);
}

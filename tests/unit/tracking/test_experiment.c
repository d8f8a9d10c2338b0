#include "tracking/experiment.h"

#include "access/event.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/run.h"

static void test_the_default_experiment_is_there_from_the_start(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Experiment experiment;

    EXPECT_OK(experiment_find(&fixture.reader, 0, &experiment), fixture.reader.error);
    EXPECT_TEXT(experiment.name, "Default");
    EXPECT(!experiment.is_deleted);
}

static void test_a_name_is_taken_once_also_when_deleted(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment first, second;

    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &first), scope->error);
    EXPECT_FAILS(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &second), scope,
                 ERROR_EXISTS, "experiment \"churn\" already exists");
    EXPECT_OK(experiment_delete(scope, first.id), scope->error);
    EXPECT_FAILS(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &second), scope,
                 ERROR_EXISTS, "experiment \"churn\" already exists; it is deleted: restore it");
    EXPECT_FAILS(experiment_ensure(scope, "churn", &second), scope, ERROR_EXISTS,
                 "experiment \"churn\" already exists; it is deleted: restore it");
    EXPECT_OK(experiment_find_by_name(scope, "churn", &second), scope->error);
    EXPECT(second.id == first.id && second.is_deleted);
}

static void test_ensuring_makes_an_experiment_once(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment first, second;

    EXPECT_OK(experiment_ensure(scope, "churn", &first), scope->error);
    EXPECT_OK(experiment_ensure(scope, "churn", &second), scope->error);
    EXPECT(first.id == 1 && second.id == 1);
}

static void test_an_empty_or_long_name_is_refused(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    char name[502] = {0};
    Experiment experiment;

    memset(name, 'x', 501);
    EXPECT_FAILS(experiment_create(&fixture.scope, &(ExperimentSpec){.name = ""}, &experiment),
                 &fixture.scope, ERROR_FIELD, "an experiment name has 1 to 500 characters");
    EXPECT_FAILS(experiment_create(&fixture.scope, &(ExperimentSpec){.name = name}, &experiment),
                 &fixture.scope, ERROR_FIELD, "an experiment name has 1 to 500 characters");
    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = name + 1}, &experiment),
              fixture.scope.error);
}

static void test_deleting_an_experiment_deletes_its_runs_and_restoring_brings_all_back(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment experiment;
    Run first, second;

    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &experiment),
              scope->error);
    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = 1}, &first), scope->error);
    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = 1}, &second), scope->error);
    EXPECT_OK(run_delete(scope, first.id), scope->error);
    EXPECT_OK(experiment_delete(scope, 1), scope->error);
    EXPECT_OK(run_find(scope, second.id, &second), scope->error);
    EXPECT(second.is_deleted);

    EXPECT_FAILS(run_create(scope, &(RunSpec){.experiment_id = 1}, &second), scope, ERROR_CONFLICT,
                 "experiment 1 is deleted; restore it to change it");
    EXPECT_OK(experiment_restore(scope, 1), scope->error);
    EXPECT_OK(experiment_find(scope, 1, &experiment), scope->error);
    EXPECT_OK(experiment_count_runs(scope, &experiment), scope->error);
    EXPECT(experiment.run_count == 2);
}

static void test_the_list_leaves_out_deleted_ones_and_carries_tags(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ParamList tags = {(Param[]){{"team", "fraud"}, {"region", "eu"}}, 2};
    ExperimentList list = {0};
    Experiment experiment;

    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &experiment),
              scope->error);
    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "spam"}, &experiment),
              scope->error);
    EXPECT_OK(experiment_set_tags(scope, 2, &tags), scope->error);
    EXPECT_OK(experiment_delete(scope, 1), scope->error);

    EXPECT_OK(experiment_list(scope, NULL, &list), scope->error);
    EXPECT(list.count == 2 && list.items[1].tags.count == 2);
    EXPECT_TEXT(param_find(&list.items[1].tags, "team"), "fraud");
    EXPECT_OK(experiment_list(scope, &(ExperimentFilter){.with_deleted = true, .after = -1}, &list),
              scope->error);
    EXPECT(list.count == 3);
}

static void test_a_tag_is_overwritten_and_removed_once(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment experiment;

    EXPECT_OK(experiment_set_tags(scope, 0, &(ParamList){(Param[]){{"team", "a"}}, 1}),
              scope->error);
    EXPECT_OK(experiment_set_tags(scope, 0, &(ParamList){(Param[]){{"team", "b"}}, 1}),
              scope->error);
    EXPECT_OK(experiment_find(scope, 0, &experiment), scope->error);
    EXPECT_TEXT(param_find(&experiment.tags, "team"), "b");
    EXPECT_OK(experiment_delete_tag(scope, 0, "team"), scope->error);
    EXPECT_FAILS(experiment_delete_tag(scope, 0, "team"), scope, ERROR_NOT_FOUND,
                 "experiment 0 has no tag \"team\"");
}

static void test_every_change_is_in_the_audit_trail(void)
{
    static const char *const actions[] = {"experiment.created", "experiment.renamed",
                                          "experiment.deleted", "experiment.restored"};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment experiment;
    EventList events = {0};

    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "churn"}, &experiment),
              scope->error);
    EXPECT_OK(experiment_rename(scope, 1, "leavers"), scope->error);
    EXPECT_OK(experiment_delete(scope, 1), scope->error);
    EXPECT_OK(experiment_delete(scope, 1), scope->error);
    EXPECT_OK(experiment_restore(scope, 1), scope->error);
    EXPECT_OK(event_list(scope, &(EventFilter){0}, &events), scope->error);
    EXPECT(events.count == 4);
    for (size_t i = 0; i < 4; i++)
        EXPECT_TEXT(events.items[i].action, actions[i]);
    EXPECT_TEXT(events.items[0].principal, "ada");
    EXPECT_TEXT(events.items[1].detail,
                "{\"experiment_id\":1,\"before\":\"churn\",\"after\":\"leavers\"}");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_default_experiment_is_there_from_the_start),
        TEST(test_a_name_is_taken_once_also_when_deleted),
        TEST(test_ensuring_makes_an_experiment_once),
        TEST(test_an_empty_or_long_name_is_refused),
        TEST(test_deleting_an_experiment_deletes_its_runs_and_restoring_brings_all_back),
        TEST(test_the_list_leaves_out_deleted_ones_and_carries_tags),
        TEST(test_a_tag_is_overwritten_and_removed_once),
        TEST(test_every_change_is_in_the_audit_trail),
        {0},
    };
    return test_main(tests, count, names);
}

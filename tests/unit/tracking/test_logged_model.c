#include "tracking/logged_model.h"

#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"

static LoggedModel make_model(Scope *scope, const char *name)
{
    LoggedModel model = {0};

    EXPECT_OK(logged_model_create(scope, &(LoggedModelSpec){.name = name}, &model), scope->error);
    return model;
}

static Run make_run(Scope *scope)
{
    Run run = {0};

    EXPECT_OK(run_create(scope, &(RunSpec){.name = "r"}, &run), scope->error);
    return run;
}

static void test_an_id_is_m_and_32_digits_and_a_name_is_made_up(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    LoggedModel model = make_model(&fixture.scope, NULL);

    EXPECT(strlen(model.id) == 34 && text_has_prefix(model.id, "m-"));
    EXPECT(strspn(model.id + 2, "0123456789abcdef") == 32);
    EXPECT(*model.name && model.status == LOGGED_MODEL_PENDING);
    EXPECT_TEXT(model.user, "ada");
}

static void test_a_version_that_was_registered_is_said_once(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    LoggedModel model = make_model(scope, "net");

    EXPECT_OK(logged_model_add_version(scope, model.id, &(LoggedModelVersion){"spam", "1"}),
              scope->error);
    EXPECT_OK(logged_model_add_version(scope, model.id, &(LoggedModelVersion){"spam", "2"}),
              scope->error);
    EXPECT_OK(logged_model_add_version(scope, model.id, &(LoggedModelVersion){"spam", "1"}),
              scope->error);
    EXPECT_OK(logged_model_find(&fixture.reader, model.id, &model), fixture.reader.error);
    EXPECT(model.versions.count == 2);
    EXPECT_TEXT(param_find(&model.tags, "mlflow.modelVersions"),
                "[{\"name\":\"spam\",\"version\":1},{\"name\":\"spam\",\"version\":2}]");
    EXPECT_FAILS(logged_model_add_version(scope, "m-0", &(LoggedModelVersion){"spam", "1"}), scope,
                 ERROR_NOT_FOUND, "Logged model with ID 'm-0' not found.");
}

static void log_points(Scope *scope, const Run *run, const LoggedModel *model, int64_t first)
{
    RunBatch batch = {0};

    for (int64_t i = first; i < first + 1000; i++) {
        ModelMetric metric = {.point = {"loss", 1, i, i}, .model_id = model->id};

        *arena_push(scope->arena, &batch.metrics) = metric.point;
        *arena_push(scope->arena, &batch.model_metrics) = metric;
    }
    EXPECT_OK(run_log_batch(scope, run->id, &batch), scope->error);
}

static void test_a_model_comes_with_its_newest_points(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    LoggedModel model = make_model(scope, "net");
    Run run = make_run(scope);

    log_points(scope, &run, &model, 0);
    log_points(scope, &run, &model, 1000);
    EXPECT_OK(logged_model_find(scope, model.id, &model), scope->error);
    EXPECT(model.metrics.count == LOGGED_MODEL_POINTS_MAX);
    EXPECT(model.metrics.items[0].point.timestamp == 1000);
    EXPECT(model.metrics.items[999].point.timestamp == 1999);
    EXPECT_TEXT(model.metrics.items[0].run_id, run.id);
}

static void test_a_metric_of_a_model_that_is_not_there_leaves_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ModelMetric metric = {.point = {"loss", 1, 1, 1}, .model_id = "m-0"};
    RunBatch batch = {.metrics = {&metric.point, 1}, .model_metrics = {&metric, 1}};
    Run run = make_run(scope);

    EXPECT_FAILS(run_log_batch(scope, run.id, &batch), scope, ERROR_NOT_FOUND,
                 "Logged model with ID 'm-0' not found.");
}

static void log_dataset(Scope *scope, const Run *run, const char *name, const char *context)
{
    Param tag = {"mlflow.data.context", context};
    DatasetInput input = {.name = name, .digest = "d", .source_type = "", .source = ""};

    input.tags = (ParamList){&tag, 1};
    EXPECT_OK(run_log_inputs(scope, run->id, &(DatasetInputList){&input, 1}, &(TextList){0}),
              scope->error);
}

static void test_each_run_of_a_page_has_its_own_inputs_and_outputs(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run none = make_run(scope), first = make_run(scope), second = make_run(scope);
    ModelOutput output = {"m-1", 7};
    RunList list = {0};

    log_dataset(scope, &second, "wine", "eval");
    log_dataset(scope, &second, "spam", "eval");
    log_dataset(scope, &first, "wine", "training");
    EXPECT_OK(run_log_outputs(scope, first.id, &(ModelOutputList){&output, 1}), scope->error);

    EXPECT_OK(run_list(scope, &(RunFilter){.order_by = "id asc"}, &list, NULL), scope->error);
    EXPECT(list.count == 3);
    for (size_t i = 0; i < list.count; i++) {
        const Run *run = &list.items[i];
        bool is_first = text_equal(run->id, first.id);

        EXPECT(run->model_outputs.count == is_first);
        if (text_equal(run->id, none.id)) {
            EXPECT(run->datasets.count == 0);
            continue;
        }
        EXPECT(run->datasets.count == (is_first ? 1 : 2));
        EXPECT_TEXT(run->datasets.items[0].name, "wine");
        EXPECT_TEXT(param_find(&run->datasets.items[0].tags, "mlflow.data.context"),
                    is_first ? "training" : "eval");
    }
}

static void test_a_data_set_is_one_in_its_experiment(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run first = make_run(scope), second = make_run(scope), elsewhere;
    Experiment other;

    EXPECT_OK(experiment_create(scope, &(ExperimentSpec){.name = "other"}, &other), scope->error);
    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = other.id}, &elsewhere), scope->error);
    log_dataset(scope, &first, "wine", "training");
    log_dataset(scope, &second, "wine", "training");
    log_dataset(scope, &elsewhere, "wine", "training");
    EXPECT_OK(run_find(scope, first.id, &first), scope->error);
    EXPECT_OK(run_find(scope, second.id, &second), scope->error);
    EXPECT_OK(run_find(scope, elsewhere.id, &elsewhere), scope->error);
    EXPECT(first.datasets.items[0].key == second.datasets.items[0].key);
    EXPECT(first.datasets.items[0].key != elsewhere.datasets.items[0].key);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_id_is_m_and_32_digits_and_a_name_is_made_up),
        TEST(test_a_version_that_was_registered_is_said_once),
        TEST(test_a_model_comes_with_its_newest_points),
        TEST(test_a_metric_of_a_model_that_is_not_there_leaves_nothing),
        TEST(test_each_run_of_a_page_has_its_own_inputs_and_outputs),
        TEST(test_a_data_set_is_one_in_its_experiment),
        {0},
    };
    return test_main(tests, count, names);
}

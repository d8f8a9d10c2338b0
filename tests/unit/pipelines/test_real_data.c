/* Whole trainings on real data: imbalance, baselines, mixed columns, the same again. SLIPWAY_DATA
 * names the folder. */
#include "registry/model.h"
#include "serving/endpoint.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

/* One in nine says yes; what is known only after the call is left out. */
static const char bank_file[] = "project: bank\n"
                                "data: {bank: {target: y}}\n"
                                "release: {endpoint: bank, gate: {metric: auc, margin: 0.01}}\n";
static const char tweets_file[] = "project: tweets\n"
                                  "data: {tweets: {target: target}}\n"
                                  "release: {endpoint: tweets, gate: {metric: f1, margin: 0.01}}\n";

typedef struct RealData {
    const char *name, *path, *target, *columns, *project_file;
    size_t line_count;
    double budget_seconds; /* of a search that would go on long after it has found something good */
} RealData;

static const RealData bank = {
    "bank",    "bank-marketing/bankmarketing_train.csv",
    "y",       "{\"duration\":\"known_after\"}",
    bank_file, 8001,
    10,
};
static const RealData tweets = {
    "tweets",
    "disaster-tweets/train.csv",
    "target",
    "{\"text\":\"text\",\"location\":\"text\",\"keyword\":\"category\",\"id\":\"ignore\"}",
    tweets_file,
    100000,
};

/* The first lines of a file, or NULL when it is not there. */
static const char *read_lines(Fixture *fixture, const RealData *data, size_t *size)
{
    const char *root = getenv("SLIPWAY_DATA"), *bytes, *at;
    const char *path =
        arena_format(fixture->arena, "%s/%s", root ? root : "../shared/data", data->path);
    Error error = {0};

    if (!file_read(path, 1 << 24, fixture->arena, &bytes, size, &error)) {
        printf("SKIP %s is not there\n", path);
        return NULL;
    }
    at = bytes;
    for (size_t i = 0; i < data->line_count && *at; i++) {
        at = strchrnul(at, '\n');
        at += *at == '\n';
    }
    *size = (size_t)(at - bytes);
    return bytes;
}

/* False when the data is not there. */
static bool setup(Fixture *fixture, const RealData *data)
{
    DatasetSpec spec = {.name = data->name, .source = data->path};
    FixturePut put = {data->name, data->project_file, {.is_new = false}};
    TreeEntry entry = {.path = "data.csv"};
    Scope *scope = &fixture->scope;
    DatasetVersion version;
    Artifact artifact;
    const char *bytes;
    size_t size;
    bool is_new;

    *fixture = fixture_open();
    bytes = read_lines(fixture, data, &size);
    if (!bytes)
        return false;
    EXPECT_OK(
        artifact_add_bytes(fixture->platform->artifacts, bytes, size, &artifact, &scope->error),
        scope->error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(fixture->arena, &spec.files) = entry;
    spec.options.target = data->target;
    EXPECT_OK(json_parse(data->columns, strlen(data->columns), fixture->arena,
                         &spec.options.columns, &scope->error),
              scope->error);
    EXPECT_OK(dataset_add(scope, &spec, &version, &is_new), scope->error);
    EXPECT_OK(scope_write(scope, fixture_write_project, &put), scope->error);
    return true;
}

static Run train(Fixture *fixture, const RealData *data, const char *metric, bool balance)
{
    TrainingSpec spec = training_spec_default();
    Run run;

    spec.project = data->name;
    spec.metric = metric;
    spec.balance = balance;
    spec.budget_seconds = data->budget_seconds;
    EXPECT_OK(training_start(&fixture->scope, fixture->trainer, &spec, &run), fixture->scope.error);
    run = fixture_wait(fixture, run.id);
    if (run.status != RUN_FINISHED)
        fprintf(stderr, "%s\n", run.failure);
    EXPECT(run.status == RUN_FINISHED);
    return run;
}

static const JsonValue *leaderboard_of(Fixture *fixture, const Run *run)
{
    const char *package = fixture_param(&run->tags, "slipway.package"), *text;
    const JsonValue *document;
    Tree tree = {0};
    size_t size;
    Error error = {0};

    EXPECT_OK(tree_read(fixture->platform->artifacts, package, fixture->arena, &tree, &error),
              error);
    EXPECT_OK(artifact_read(fixture->platform->artifacts,
                            tree_find(&tree, "leaderboard.json")->digest, 1 << 20, fixture->arena,
                            &text, &size, &error),
              error);
    EXPECT_OK(json_parse(text, size, fixture->arena, &document, &error), error);
    return json_member(document, "leaderboard");
}

static double row_number(const JsonValue *row, const char *name)
{
    return json_as_double(json_member(row, name), NAN);
}

/* Always "no" has an accuracy of 0.888 here, and knows nothing. */
static void
test_t6_t10_always_no_is_the_first_row_and_no_useful_model_ranks_below_a_useless_one(void)
{
    Fixture fixture;

    if (setup(&fixture, &bank)) {
        Run run = train(&fixture, &bank, "accuracy", false);
        double last = INFINITY, baseline = NAN;

        for (JsonWalk walk = json_walk(leaderboard_of(&fixture, &run)); json_walk_next(&walk);) {
            double score = row_number(walk.value, "score");

            if (walk.index == 0) {
                EXPECT_TEXT(json_as_text(json_member(walk.value, "name"), ""), "majority");
                EXPECT(json_as_bool(json_member(walk.value, "is_baseline"), false));
                EXPECT_NEAR(score, 0.888, 0.01);
                baseline = score;
                continue;
            }
            EXPECT(!json_as_bool(json_member(walk.value, "is_baseline"), true));
            EXPECT(json_as_bool(json_member(walk.value, "below_baseline"), false) ==
                   (score < baseline));
            EXPECT(score <= last || isnan(score)); /* stopped by the budget */
            last = fmin(last, score);
        }
        EXPECT(fixture_metric(&run, "holdout.mcc") > 0.2);
    }
    fixture_close(&fixture);
}

static void test_t6_class_weights_and_the_threshold_change_the_recall_of_yes(void)
{
    Fixture fixture;

    if (setup(&fixture, &bank)) {
        Run plain = train(&fixture, &bank, "accuracy", false);
        Run moved = train(&fixture, &bank, "f1", false);
        Run weighted = train(&fixture, &bank, "accuracy", true);
        double recall = fixture_metric(&plain, "holdout.recall");

        printf("recall of yes: %.3f; threshold for f1 %.3f; weighted %.3f\n", recall,
               fixture_metric(&moved, "holdout.recall"),
               fixture_metric(&weighted, "holdout.recall"));
        EXPECT(fixture_metric(&moved, "holdout.recall") > recall + 0.1);
        EXPECT(fixture_metric(&weighted, "holdout.recall") > recall + 0.1);
    }
    fixture_close(&fixture);
}

static void test_categories_and_numbers_alone_make_a_sensible_model(void)
{
    Fixture fixture;

    if (setup(&fixture, &bank)) {
        Run run = train(&fixture, &bank, "auc", false);

        EXPECT(fixture_metric(&run, "cv.auc") > 0.76);
        EXPECT(fixture_metric(&run, "holdout.auc") > 0.7); /* of 180 yes: 0.02 of it is noise */
        EXPECT(fixture_metric(&run, "holdout.calibration_error") < 0.03);
        EXPECT(strstr(fixture_param(&run.tags, "slipway.excluded"), "duration"));
    }
    fixture_close(&fixture);
}

static void test_e3_text_category_and_text_again_give_the_same_metric_and_package(void)
{
    Fixture fixture;

    if (setup(&fixture, &tweets)) {
        Run first = train(&fixture, &tweets, "f1", false), again;

        EXPECT(fixture_metric(&first, "holdout.f1") > 0.74);
        EXPECT_OK(training_start_again(&fixture.scope, fixture.trainer, first.id, &again),
                  fixture.scope.error);
        again = fixture_wait(&fixture, again.id);
        EXPECT_TEXT(fixture_param(&again.tags, "slipway.rerun_equal"), "true");
        EXPECT_NEAR(fixture_metric(&again, "holdout.f1"), fixture_metric(&first, "holdout.f1"),
                    1e-9);
        EXPECT_TEXT(fixture_param(&again.tags, "slipway.package"),
                    fixture_param(&first.tags, "slipway.package"));
    }
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_t6_t10_always_no_is_the_first_row_and_no_useful_model_ranks_below_a_useless_one),
        TEST(test_t6_class_weights_and_the_threshold_change_the_recall_of_yes),
        TEST(test_categories_and_numbers_alone_make_a_sensible_model),
        TEST(test_e3_text_category_and_text_again_give_the_same_metric_and_package),
        {0},
    };

    return fixture_main(tests, count, arguments);
}

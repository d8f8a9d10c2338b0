#include "registry/package.h"

#include "ml/forecast_rows.h"
#include "registry/package_internal.h"
#include "tests/unit/tracking/store_fixture.h"

enum { ROWS = 400, GOLDEN_ROWS = 20, NUMBER_ROWS = 60 };

/* The first messages of the SMS spam collection, with a number column that the model does not read.
 */
typedef struct Messages {
    TextRef texts[ROWS];
    double lengths[ROWS];
    int labels[ROWS];
    FrameColumn columns[2];
    Frame frame, golden;
} Messages;

static const char *const class_names[] = {"ham", "spam"};
static const ClassNames classes = {class_names, 2};

static const char *messages_path(Arena *arena)
{
    const char *folder = getenv("SLIPWAY_DATA");

    return arena_format(arena, "%s/sms-spam/SMSSpamCollection.tsv",
                        folder ? folder : "../shared/data");
}

/* false, with a printed line, when the data is not there. */
static bool read_messages(Messages *messages, Arena *arena)
{
    const char *path = messages_path(arena), *bytes;
    Error error = {0};
    TextList lines;
    size_t size;

    if (!file_exists(path)) {
        printf("SKIP: no data at %s (set SLIPWAY_DATA)\n", path);
        return false;
    }
    EXPECT_OK(file_read(path, 10 << 20, arena, &bytes, &size, &error), error);
    lines = text_split(bytes, '\n', arena);
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = strchr(lines.items[i], '\t') + 1;

        messages->labels[i] = text_has_prefix(lines.items[i], "spam");
        messages->texts[i] = (TextRef){text, strlen(text)};
        messages->lengths[i] = i == 3 ? NAN : (double)strlen(text) / 3;
    }
    messages->texts[5] = (TextRef){0};
    messages->columns[0] = (FrameColumn){.name = "the \"message\"", .texts = messages->texts};
    messages->columns[1] =
        (FrameColumn){.name = "length", .kind = COLUMN_NUMBER, .numbers = messages->lengths};
    messages->frame = (Frame){messages->columns, 2, ROWS};
    messages->golden = (Frame){messages->columns, 2, GOLDEN_ROWS};
    return true;
}

static Predictor *train(const Messages *messages, Arena *arena)
{
    SearchSpec spec = {
        .metric = "f1", .budget_seconds = 2, .seed = 42, .positive = "spam", .fold_count = 2};
    Learnt result = {0};
    Target target = {.labels = messages->labels, .classes = &classes};
    Frame texts = {messages->columns, 1, ROWS};
    Error error = {0};

    EXPECT_OK(predictor_learn(&texts, &target, &spec, arena, &result, &error), error);
    return result.model;
}

static PackageSpec package_spec(const Messages *messages, const Predictor *model,
                                const char *folder)
{
    return (PackageSpec){
        .folder = folder,
        .model = model,
        .target = "class",
        .flavor = "linear_svm",
        .golden = &messages->golden,
        .report = "{\"f1\":0.9}",
    };
}

/* A folder in the store as a tree. */
static const char *store_folder(Scope *scope, const char *folder)
{
    Artifact tree;

    EXPECT_OK(
        tree_add_folder(scope->platform->artifacts, folder, scope->arena, &tree, &scope->error),
        scope->error);
    return arena_text(scope->arena, tree.digest);
}

static const char *new_folder(Scope *scope)
{
    const char *folder;

    EXPECT_OK(
        folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error),
        scope->error);
    return folder;
}

/* Replaces the first occurrence of from in a file of the folder. */
static void edit(Scope *scope, const char *folder, const char *name, const char *from,
                 const char *to)
{
    const char *path = arena_format(scope->arena, "%s/%s", folder, name), *bytes, *at;
    TextBuilder text = {.arena = scope->arena};
    size_t size;

    EXPECT_OK(file_read(path, 10 << 20, scope->arena, &bytes, &size, &scope->error), scope->error);
    at = strstr(bytes, from);
    EXPECT(at);
    text_append_bytes(&text, bytes, (size_t)(at - bytes));
    text_append(&text, to);
    text_append(&text, at + strlen(from));
    EXPECT_OK(file_write(path, text_built(&text), text.count, &scope->error), scope->error);
}

static void check_whole(Scope *scope, const Messages *messages, const Predictor *model,
                        const char *digest)
{
    CLEANUP(package_close) Package package = {0};
    double before[2 * ROWS], after[2 * ROWS];

    EXPECT_OK(
        package_open(scope->platform->artifacts, digest, scope->arena, &package, &scope->error),
        scope->error);
    EXPECT_TEXT(package.target, "class");
    EXPECT_OK(predictor_predict(model, &messages->frame, before, scope->arena, &scope->error),
              scope->error);
    EXPECT_OK(
        predictor_predict(package.model, &messages->frame, after, scope->arena, &scope->error),
        scope->error);
    EXPECT(memcmp(before, after, sizeof(before)) == 0);
    EXPECT_OK(package_check_golden(scope->platform->artifacts, digest, scope->arena, &scope->error),
              scope->error);
}

static void check_step(Scope *scope, const char *digest)
{
    const char *text =
        arena_format(scope->arena, "{\"artifacts\":\"%s/artifacts\",\"package\":\"%s\"}",
                     scope->platform->folder, digest);
    JsonWriter *result = json_writer_create(scope->arena);
    const JsonValue *job;

    EXPECT_OK(json_parse(text, strlen(text), scope->arena, &job, &scope->error), scope->error);
    json_open_object(result, NULL);
    EXPECT_OK(package_verify_step(job, result, scope->arena, &scope->error), scope->error);
    json_close(result);
    EXPECT_TEXT(json_finish(result), "{\"golden_rows\":20}");
}

static void test_a_package_gives_the_same_answers_and_the_same_bytes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = NULL;
    const char *first = new_folder(scope), *second = new_folder(scope), *digest;
    static Messages messages;
    PackageSpec spec;

    if (!read_messages(&messages, scope->arena))
        return;
    model = train(&messages, scope->arena);
    spec = package_spec(&messages, model, first);
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    spec.folder = second;
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    digest = store_folder(scope, first);
    EXPECT_TEXT(store_folder(scope, second), digest);
    check_whole(scope, &messages, model, digest);
    check_step(scope, digest);
}

typedef struct Damage {
    const char *file, *from, *to; /* to NULL: the file is removed */
    const char *message;          /* part of what it says */
} Damage;

static void check_damage(Scope *scope, const PackageSpec *whole, const Damage *damage)
{
    PackageSpec spec = *whole;
    const char *digest;

    spec.folder = new_folder(scope);
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    if (damage->to)
        edit(scope, spec.folder, damage->file, damage->from, damage->to);
    else
        EXPECT(remove(arena_format(scope->arena, "%s/%s", spec.folder, damage->file)) == 0);
    digest = store_folder(scope, spec.folder);
    EXPECT(!package_check_golden(scope->platform->artifacts, digest, scope->arena, &scope->error));
    if (!strstr(scope->error.message, damage->message))
        fprintf(stderr, "%s: %s\n", damage->file, scope->error.message);
    EXPECT(strstr(scope->error.message, damage->message));
}

static void test_a_package_that_does_not_answer_as_it_did_is_refused(void)
{
    static const Damage damages[] = {
        {"model.slipway", NULL, NULL, "the package has no file \"model.slipway\""},
        {"golden.json", NULL, NULL, "the package has no file \"golden.json\""},
        {"signature.json", "\"ham\"", "\"egg\"", "the signature of the package is not that of"},
        {"signature.json", "message", "body", "the signature of the package is not that"},
        {"signature.json", "\"target\"", "\"goal\"", "the signature of the package is not that of"},
        {"model.slipway", "SLPTEXT", "SLQTEXT", ""},
        {"golden.json", "\"probabilities\":[[", "\"probabilities\":[[2,", "golden rows"},
        {"golden.json", "\"probabilities\":[[0", "\"probabilities\":[[1", "golden row 1 with"},
        {"golden.json", "\"rows\":[[", "\"rows\":[[1,", "golden rows"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = NULL;
    static Messages messages;
    PackageSpec spec;

    if (!read_messages(&messages, scope->arena))
        return;
    model = train(&messages, scope->arena);
    spec = package_spec(&messages, model, "");
    for (size_t i = 0; i < COUNT(damages); i++)
        check_damage(scope, &spec, &damages[i]);
}

static void test_the_mlmodel_file_is_what_mlflow_reads(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = NULL;
    static Messages messages;
    const char *bytes;
    PackageSpec spec;
    size_t size;

    if (!read_messages(&messages, scope->arena))
        return;
    model = train(&messages, scope->arena);
    spec = package_spec(&messages, model, new_folder(scope));
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    EXPECT_OK(file_read(arena_format(scope->arena, "%s/MLmodel", spec.folder), 65536, scope->arena,
                        &bytes, &size, &scope->error),
              scope->error);
    EXPECT(text_has_prefix(bytes, "flavors:\n"
                                  "  slipway:\n"
                                  "    data: model.slipway\n"
                                  "    format: 1\n"
                                  "    learner: \"linear_svm\"\n"
                                  "    target: \"class\"\n"
                                  "model_size_bytes: "));
    EXPECT(strstr(bytes, "signature:\n"
                         "  inputs: \"[{\\\"type\\\":\\\"string\\\",\\\"name\\\":"
                         "\\\"the \\\\\\\"message\\\\\\\"\\\",\\\"required\\\":true}]\"\n"));
}

/* Numbers: 3 x + 100 for one half of the rows, 3 x for the other. */
static Predictor *train_numbers(Frame *frame, Arena *arena)
{
    double *x = arena_array(arena, double, NUMBER_ROWS);
    double *numbers = arena_array(arena, double, NUMBER_ROWS);
    TextRef *half = arena_array(arena, TextRef, NUMBER_ROWS);
    FrameColumn *columns = arena_array(arena, FrameColumn, 2);
    Target target = {.numbers = numbers};
    SearchSpec spec = {.metric = "rmse", .budget_seconds = 1, .seed = 42, .fold_count = 2};
    Learnt result = {0};
    Error error = {0};

    for (size_t i = 0; i < NUMBER_ROWS; i++) {
        x[i] = (double)i;
        half[i] = i % 2 ? (TextRef){"odd", 3} : (TextRef){"even", 4};
        numbers[i] = 3 * x[i] + (i % 2 ? 100 : 0);
    }
    columns[0] = (FrameColumn){.name = "x", .kind = COLUMN_NUMBER, .numbers = x};
    columns[1] = (FrameColumn){.name = "half", .kind = COLUMN_CATEGORY, .texts = half};
    *frame = (Frame){columns, 2, NUMBER_ROWS};
    EXPECT_OK(predictor_learn(frame, &target, &spec, arena, &result, &error), error);
    return result.model;
}

static const char *read_text(Scope *scope, const char *folder, const char *name)
{
    const char *bytes;
    size_t size;

    EXPECT_OK(file_read(arena_format(scope->arena, "%s/%s", folder, name), 65536, scope->arena,
                        &bytes, &size, &scope->error),
              scope->error);
    return bytes;
}

static void test_a_package_of_numbers_says_so_and_answers_as_it_did(void)
{
    static const Damage damages[] = {
        {"signature.json", "regression", "classification", "the signature of the package is not"},
        {"signature.json", "\"classes\":[]", "\"classes\":[\"1\"]", "the signature of the package"},
        {"golden.json", "\"values\":[[", "\"values\":[[7", "the model answers golden row 1 with "},
        {"golden.json", "\"values\"", "\"probabilities\"",
         "the golden rows are answered by classes, the model by numbers"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = NULL;
    PackageSpec spec = {.target = "y", .flavor = "boosted_trees", .folder = new_folder(scope)};
    Frame frame, golden;
    const char *digest;

    model = train_numbers(&frame, scope->arena);
    EXPECT(predictor_task(model) == TASK_REGRESSION && predictor_width(model) == 1);
    golden = frame;
    golden.row_count = GOLDEN_ROWS;
    spec.model = model;
    spec.golden = &golden;
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    EXPECT(strstr(read_text(scope, spec.folder, "signature.json"),
                  "{\"task\":\"regression\",\"target\":\"y\",") != NULL);
    EXPECT(strstr(read_text(scope, spec.folder, "signature.json"), "positive") == NULL);
    EXPECT(strstr(read_text(scope, spec.folder, "MLmodel"),
                  "  outputs: \"[{\\\"type\\\":\\\"double\\\",\\\"name\\\":\\\"y\\\"") != NULL);
    digest = store_folder(scope, spec.folder);
    EXPECT_OK(package_check_golden(scope->platform->artifacts, digest, scope->arena, &scope->error),
              scope->error);
    for (size_t i = 0; i < COUNT(damages); i++)
        check_damage(scope, &spec, &damages[i]);
}

/* Ten weeks of two shops. */
static Predictor *train_forecast(Arena *arena)
{
    static double values[2][70];
    const ForecastInput inputs[] = {{"north", values[0], 70, 0}, {"south", values[1], 70, 0}};
    const ForecastSpec spec = {.frequency = {.step_ms = FREQUENCY_DAY_MS},
                               .horizon = 7,
                               .periods = {7},
                               .period_count = 1};
    ForecastResult result = {0};
    Error error = {0};

    for (size_t i = 0; i < 140; i++)
        values[i / 70][i % 70] = 10 + (double)(i % 7) + (double)(i * 31 % 17) / 10;
    EXPECT_OK(forecast_model_train(&(ForecastInputs){inputs, 2, 1}, &spec, arena, &result, &error),
              error);
    return predictor_of_forecast(result.model);
}

static void test_a_package_of_a_forecast_says_so_and_forecasts_as_it_did(void)
{
    static const Damage damages[] = {
        {"signature.json", "\"forecast\"", "\"regression\"", "the signature of the package is not"},
        {"golden.json", "\"values\":[[", "\"values\":[[7", "the model answers golden row 1 with "},
        {"golden.json", "\"north\"", "\"nord\"", "the model has no series \"nord\""},
        {"golden.json", "[1,", "[29,", "\"steps\" in row 1 is a whole number from 1 to 28"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = train_forecast(scope->arena);
    PackageSpec spec = {.target = "sold", .flavor = "automatic", .folder = new_folder(scope)};
    Frame golden = forecast_rows_spread(predictor_forecast(model), GOLDEN_ROWS, scope->arena);
    ModelTask task = TASK_CLASSIFICATION;
    const char *digest;

    spec.model = model;
    spec.golden = &golden;
    EXPECT_OK(package_write(&spec, scope->arena, &scope->error), scope->error);
    EXPECT(strstr(read_text(scope, spec.folder, "signature.json"),
                  "\"series_count\":2,\"series\":[\"north\",\"south\"],\"frequency\":\"day\","
                  "\"horizon\":7,\"steps_max\":28}") != NULL);
    digest = store_folder(scope, spec.folder);
    EXPECT_OK(package_check_golden(scope->platform->artifacts, digest, scope->arena, &scope->error),
              scope->error);
    EXPECT_OK(package_task(scope->platform->artifacts, digest, scope->arena, &task, &scope->error),
              scope->error);
    EXPECT(task == TASK_FORECAST);
    for (size_t i = 0; i < COUNT(damages); i++)
        check_damage(scope, &spec, &damages[i]);
}

static void test_golden_rows_are_1_to_32_with_all_columns(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    CLEANUP(predictor_unload) Predictor *model = NULL;
    static Messages messages;
    PackageSpec spec;

    if (!read_messages(&messages, scope->arena))
        return;
    model = train(&messages, scope->arena);
    spec = package_spec(&messages, model, new_folder(scope));
    messages.golden.row_count = 33;
    EXPECT_FAILS(package_write(&spec, scope->arena, &scope->error), scope, ERROR_INVALID,
                 "a package has 1 to 32 golden rows");
    messages.golden = (Frame){messages.columns + 1, 1, 5};
    EXPECT_FAILS(package_write(&spec, scope->arena, &scope->error), scope, ERROR_INVALID,
                 "the golden rows have no text column \"the \"message\"\"");
}

static void test_golden_rows_of_each_kind_are_read_as_they_were_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const TextRef texts[] = {{"a\"b\n", 4}, {0}}, colours[] = {{0}, {"red", 3}};
    const double numbers[] = {NAN, 0.1}, answers[] = {0.25, 0.75, 1.0 / 3, 2.0 / 3};
    const FrameColumn columns[] = {
        {"text", COLUMN_TEXT, texts, NULL},
        {"colour", COLUMN_CATEGORY, colours, NULL},
        {"number", COLUMN_NUMBER, NULL, numbers},
    };
    const Golden written = {{columns, 3, 2}, answers, 2};
    const char *text = golden_print(&written, arena);
    Error error = {0};
    Golden read;

    EXPECT_OK(golden_read(text, strlen(text), arena, &read, &error), error);
    EXPECT_TEXT(golden_print(&read, arena), text);
    EXPECT(read.frame.columns[2].kind == COLUMN_NUMBER && isnan(read.frame.columns[2].numbers[0]));
    EXPECT(!read.frame.columns[0].texts[1].bytes && read.frame.columns[0].texts[0].length == 4);
    EXPECT(memcmp(read.answers, answers, sizeof(answers)) == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_package_gives_the_same_answers_and_the_same_bytes),
        TEST(test_a_package_that_does_not_answer_as_it_did_is_refused),
        TEST(test_the_mlmodel_file_is_what_mlflow_reads),
        TEST(test_a_package_of_numbers_says_so_and_answers_as_it_did),
        TEST(test_a_package_of_a_forecast_says_so_and_forecasts_as_it_did),
        TEST(test_golden_rows_of_each_kind_are_read_as_they_were_written),
        TEST(test_golden_rows_are_1_to_32_with_all_columns),
        {0},
    };
    return test_main(tests, count, names);
}

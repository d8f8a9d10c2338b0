#include <pthread.h>

#include "base/time.h"
#include "serving/prediction.h"
#include "tests/unit/serving/serving_fixture.h"

enum { READERS = 4, SWAPS = 200 };

static const char comment_body[] =
    "{\"data\":[\"subscribe to my channel for free money\",\"I love this beautiful song\"]}";

static PredictRequest request_of(const char *body)
{
    return (PredictRequest){
        .endpoint = "spam", .request_id = "request-1", .body = {body, strlen(body)}};
}

static const JsonValue *parse(const char *document, Arena *arena)
{
    const JsonValue *value = NULL;
    Error error = {0};

    EXPECT_OK(json_parse(document, strlen(document), arena, &value, &error), error);
    return value;
}

/* The whole answer, or the error's message. */
static const char *answer(Serving *serving, const char *body, Arena *arena)
{
    PredictRequest request = request_of(body);
    JsonWriter *json = json_writer_create(arena);
    Error error = {0};

    if (serving_predict(serving, &request, arena, json, &error))
        return json_finish(json);
    return arena_format(arena, "%d %s", error_http_status(&error), error.message);
}

static const JsonValue *list_item(const JsonValue *list, size_t index)
{
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        if (walk.index == index)
            return walk.value;
    return NULL;
}

static void test_an_answer_has_label_confidence_and_version(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const JsonValue *value, *first, *probabilities;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    value = parse(answer(serving, comment_body, scene.arena), scene.arena);
    EXPECT_TEXT(json_as_text(json_member(value, "request_id"), ""), "request-1");
    EXPECT_TEXT(json_as_text(json_member(value, "model"), ""), "comments");
    EXPECT(json_as_int(json_member(value, "version"), 0) == 1);
    EXPECT(json_count(json_member(value, "predictions")) == 2);

    first = list_item(json_member(value, "predictions"), 0);
    probabilities = json_member(first, "probabilities");
    EXPECT_TEXT(json_as_text(json_member(first, "label"), ""), "spam");
    EXPECT_NEAR(json_as_double(json_member(probabilities, "ham"), 0) +
                    json_as_double(json_member(probabilities, "spam"), 0),
                1, 1e-9);
    EXPECT(json_as_double(json_member(first, "confidence"), 0) ==
           json_as_double(json_member(probabilities, "spam"), 1));
    EXPECT_TEXT(
        json_as_text(json_member(list_item(json_member(value, "predictions"), 1), "label"), ""),
        "ham");
}

static void test_what_does_not_serve_says_why(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    EXPECT(!serving_is_ready(serving));
    EXPECT_TEXT(answer(serving, comment_body, scene.arena), "404 endpoint \"spam\" does not exist");
    fixture_reload(&scene, serving);
    EXPECT(serving_is_ready(serving));
}

static bool make_endpoint(Scope *scope, void *name)
{
    Endpoint endpoint;

    return endpoint_ensure(scope, name, NULL, &endpoint);
}

static void test_an_endpoint_without_a_deployment_is_unavailable(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    fixture_reload(&scene, serving);
    EXPECT_OK(scope_write(&scene.scope, make_endpoint, "spam"), scene.scope.error);
    fixture_reload(&scene, serving);
    EXPECT(serving_is_ready(serving));
    EXPECT_TEXT(answer(serving, comment_body, scene.arena),
                "503 nothing is deployed on endpoint \"spam\"");
}

static void test_a_package_that_cannot_be_loaded_leaves_the_old_version_serving(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const char *before;

    fixture_add_versions(&scene);
    EXPECT_OK(scope_write(&scene.scope, fixture_add_damaged_version, NULL), scene.scope.error);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    before = answer(serving, comment_body, scene.arena);

    fixture_deploy(&scene, 3);
    EXPECT(!serving_reload(serving, &scene.scope));
    EXPECT(
        strstr(scene.scope.error.message, "endpoint \"spam\": version 3 of model \"comments\": "));
    EXPECT(serving_is_ready(serving));
    EXPECT_TEXT(answer(serving, comment_body, scene.arena), before);

    EXPECT(fixture_rollback(&scene) == 1);
    fixture_reload(&scene, serving);
    EXPECT_TEXT(answer(serving, comment_body, scene.arena), before);
}

static void test_a_server_that_cannot_load_its_only_version_is_not_ready(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    EXPECT_OK(scope_write(&scene.scope, fixture_add_damaged_version, NULL), scene.scope.error);
    fixture_deploy(&scene, 1);
    EXPECT(!serving_reload(serving, &scene.scope));
    EXPECT(!serving_is_ready(serving));
    EXPECT(strstr(answer(serving, comment_body, scene.arena),
                  "503 endpoint \"spam\" cannot serve: version 1 of model \"comments\": "));
}

typedef struct Reader {
    Serving *serving;
    const char *golden[2]; /* the whole answer of versions 1 and 2 */
    atomic_bool *stop;
    atomic_size_t *answers, *wrong;
    pthread_t thread;
} Reader;

/* Every answer must be wholly that of the version that it names. */
static void *read_until_stopped(void *context)
{
    Reader *reader = context;

    while (!atomic_load(reader->stop)) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const char *got = answer(reader->serving, comment_body, arena);

        atomic_fetch_add(reader->answers, 1);
        if (strcmp(got, reader->golden[0]) != 0 && strcmp(got, reader->golden[1]) != 0)
            atomic_fetch_add(reader->wrong, 1);
    }
    return NULL;
}

static void wait_for_answers(atomic_size_t *answers, size_t count)
{
    while (atomic_load(answers) < count)
        time_sleep_ms(1);
}

static void test_swaps_under_load_fail_no_request_and_mix_no_versions(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    atomic_size_t answers = 0, wrong = 0;
    atomic_bool stop = false;
    Reader readers[READERS];
    const char *golden[2];

    fixture_add_versions(&scene);
    for (int version = 2; version >= 1; version--) {
        fixture_deploy(&scene, version);
        fixture_reload(&scene, serving);
        golden[version - 1] = answer(serving, comment_body, scene.arena);
    }
    EXPECT(strcmp(golden[0], golden[1]) != 0);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (Reader){serving, {golden[0], golden[1]}, &stop, &answers, &wrong};
        EXPECT(pthread_create(&readers[i].thread, NULL, read_until_stopped, &readers[i]) == 0);
    }
    for (size_t swap = 0; swap < SWAPS; swap++) {
        wait_for_answers(&answers, (swap + 1) * READERS);
        fixture_deploy(&scene, swap % 2 ? 1 : 2);
        fixture_reload(&scene, serving);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    EXPECT(atomic_load(&answers) >= SWAPS * READERS && atomic_load(&wrong) == 0);
}

static void test_an_answer_is_found_in_the_log_by_its_request_id(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    JsonWriter *json = json_writer_create(scene.arena);
    LoggedPrediction found;
    const JsonValue *value;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 2);
    fixture_reload(&scene, serving);
    answer(serving, comment_body, scene.arena);
    prediction_log_flush(serving_log(serving));
    EXPECT_OK(prediction_find(&scene.scope, "request-1", &found), scene.scope.error);
    EXPECT(found.version == 2 && found.row_count == 2);
    EXPECT_TEXT(found.inputs, "[{\"CONTENT\":\"subscribe to my channel for free money\"},"
                              "{\"CONTENT\":\"I love this beautiful song\"}]");
    value = list_item(parse(found.answers, scene.arena), 0);
    EXPECT_TEXT(json_as_text(json_member(value, "label"), ""), "ham"); /* version 2 is flipped */
    EXPECT(json_as_double(json_member(value, "confidence"), 0) > 0.5);

    EXPECT_OK(prediction_write_lineage(&scene.scope, &found, json), scene.scope.error);
    value = parse(json_finish(json), scene.arena);
    EXPECT_TEXT(json_as_text(json_member(json_member(value, "deployment"), "created_by"), ""),
                "tester");
    EXPECT_TEXT(
        json_as_text(json_member(json_member(json_member(value, "lineage"), "version"), "dataset"),
                     ""),
        "comments");
    EXPECT(!prediction_find(&scene.scope, "request-2", &found));
}

static void test_all_answers_are_logged_when_the_server_ends(void)
{
    enum { ANSWERS = 300 };
    CLEANUP(scene_close) Scene scene = scene_open();
    Serving *serving = serving_create(scene.platform);
    LoggedPredictionList list;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    for (size_t i = 0; i < ANSWERS; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        answer(serving, comment_body, arena);
    }
    serving_destroy(serving);
    EXPECT_OK(prediction_list(&scene.scope, "spam", 0, 1000, &list), scene.scope.error);
    EXPECT(list.count == ANSWERS);
    EXPECT_OK(prediction_list(&scene.scope, NULL, list.items[ANSWERS - 2].id, 1000, &list),
              scene.scope.error);
    EXPECT(list.count == 1);
}

static void test_long_inputs_are_logged_up_to_the_limit(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    char *text = arena_alloc(scene.arena, LOGGED_INPUT_BYTES_MAX, 1);
    LoggedPrediction found;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    memset(text, 'a', LOGGED_INPUT_BYTES_MAX - 1);
    answer(serving, arena_format(scene.arena, "{\"data\":[\"short\",\"%s\",\"short\"]}", text),
           scene.arena);
    prediction_log_flush(serving_log(serving));
    EXPECT_OK(prediction_find(&scene.scope, "request-1", &found), scene.scope.error);
    EXPECT(found.row_count == 3 && json_count(parse(found.answers, scene.arena)) == 3);
    EXPECT_TEXT(found.inputs, "[{\"CONTENT\":\"short\"}]");
}

static void test_requests_are_counted_by_status(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const EndpointStatistics *counts;

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    answer(serving, comment_body, scene.arena);
    answer(serving, "{", scene.arena);
    fixture_deploy(&scene, 2);
    fixture_reload(&scene, serving);
    answer(serving, "{\"data\":[1]}", scene.arena);
    counts = atomic_load(&serving_statistics(serving)->first);
    EXPECT_TEXT(counts->name, "spam");
    EXPECT(counted_status[0] == 200 && atomic_load(&counts->requests[0]) == 1);
    EXPECT(counted_status[1] == 400 && atomic_load(&counts->requests[1]) == 1);
    EXPECT(counted_status[5] == 422 && atomic_load(&counts->requests[5]) == 1);
    EXPECT(atomic_load(&counts->rows) == 2);
}

static void test_the_reasons_of_an_answer_sum_to_its_margin(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    JsonWriter *json = json_writer_create(scene.arena);
    PredictRequest request = request_of(comment_body);
    const JsonValue *value;
    Error error = {0};

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    EXPECT_OK(serving_explain(serving, &request, scene.arena, json, &error), error);
    value = json_member(parse(json_finish(json), scene.arena), "explanations");
    EXPECT(json_count(value) == 2);
    for (JsonWalk row = json_walk(value); json_walk_next(&row);) {
        const JsonValue *contributions = json_member(row.value, "contributions");
        double sum = json_as_double(json_member(row.value, "intercept"), NAN) +
                     json_as_double(json_member(json_member(row.value, "rest"), "weight"), NAN);

        for (JsonWalk walk = json_walk(contributions); json_walk_next(&walk);)
            sum += json_as_double(json_member(walk.value, "weight"), NAN);
        EXPECT(json_count(contributions) > 0);
        EXPECT_NEAR(sum, json_as_double(json_member(row.value, "margin"), NAN), 1e-6);
    }
}

static const JsonValue *explain_if(Scene *scene, Serving *serving, const char *body,
                                   const char *change, Error *error)
{
    JsonWriter *json = json_writer_create(scene->arena);
    PredictRequest request = request_of(body);

    text_list_add(&request.what_if, scene->arena, change);
    if (!serving_explain(serving, &request, scene->arena, json, error))
        return NULL;
    return json_member(parse(json_finish(json), scene->arena), "explanations");
}

static double margin_of(const JsonValue *value)
{
    return json_as_double(json_member(value, "margin"), NAN);
}

static void expect_changed(const JsonValue *row, double margin)
{
    const JsonValue *changed = json_member(row, "what_if");
    const JsonValue *columns = json_member(changed, "columns");
    JsonWalk first = json_walk(columns);

    EXPECT(json_count(columns) == 1 && json_walk_next(&first));
    EXPECT_TEXT(json_as_text(json_member(first.value, "column"), ""), "CONTENT");
    EXPECT_TEXT(json_as_text(json_member(first.value, "to"), ""), "I love this song");
    EXPECT_NEAR(margin_of(row) + json_as_double(json_member(first.value, "difference"), NAN),
                margin_of(changed), 1e-9);
    EXPECT_NEAR(margin_of(changed), margin, 1e-9);
}

static void test_a_what_if_is_the_answer_to_the_changed_row_for_what_was_answered_first(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    const JsonValue *rows, *changed;
    JsonWalk walk, other;
    Error error = {0};

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    rows = explain_if(&scene, serving, "{\"data\":[\"win free gifts on my channel\"]}",
                      "CONTENT=I love this song", &error);
    changed = explain_if(&scene, serving, "{\"data\":[\"I love this song\"]}",
                         "CONTENT=I love this song", &error);
    EXPECT(rows && changed);
    walk = json_walk(rows);
    other = json_walk(changed);
    EXPECT(json_walk_next(&walk) && json_walk_next(&other));
    EXPECT_TEXT(json_as_text(json_member(walk.value, "label"), ""), "spam");
    EXPECT_TEXT(json_as_text(json_member(json_member(walk.value, "what_if"), "label"), ""), "ham");
    expect_changed(walk.value, -margin_of(other.value)); /* of two classes one is the other's */
}

static void test_a_what_if_that_is_none_is_refused(void)
{
    static const struct {
        const char *change, *sentence;
    } cases[] = {
        {"CONTENT", "a what-if is COLUMN=VALUE, as in age=41, not \"CONTENT\""},
        {"", "a what-if is COLUMN=VALUE, as in age=41, not \"\""},
        {"=a", "a what-if is COLUMN=VALUE, as in age=41, not \"=a\""},
        {"content=a", "unrecognized column \"content\" in a what-if: the model reads \"CONTENT\""},
    };
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Error error = {0};

        EXPECT(!explain_if(&scene, serving, comment_body, cases[i].change, &error));
        EXPECT_TEXT(error.message, cases[i].sentence);
        EXPECT(error.kind == ERROR_FIELD);
    }
}

static void test_the_api_description_names_the_columns_and_classes(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(fixture_close_serving) Serving *serving = serving_create(scene.platform);
    JsonWriter *json = json_writer_create(scene.arena);
    const JsonValue *document, *schemas;
    Error error = {0};

    fixture_add_versions(&scene);
    fixture_deploy(&scene, 1);
    fixture_reload(&scene, serving);
    EXPECT_OK(serving_openapi(serving, "spam", scene.arena, json, &error), error);
    document = parse(json_finish(json), scene.arena);
    schemas = json_member(json_member(document, "components"), "schemas");
    EXPECT_TEXT(json_as_text(json_member(document, "openapi"), ""), "3.0.3");
    EXPECT(json_member(json_member(document, "paths"), "/endpoints/spam/predict"));
    EXPECT_TEXT(json_print(json_member(json_member(schemas, "Row"), "required"), scene.arena),
                "[\"CONTENT\"]");
    EXPECT_TEXT(json_print(json_member(json_member(json_member(json_member(schemas, "Prediction"),
                                                               "properties"),
                                                   "label"),
                                       "enum"),
                           scene.arena),
                "[\"ham\",\"spam\"]");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_answer_has_label_confidence_and_version),
        TEST(test_what_does_not_serve_says_why),
        TEST(test_an_endpoint_without_a_deployment_is_unavailable),
        TEST(test_a_package_that_cannot_be_loaded_leaves_the_old_version_serving),
        TEST(test_a_server_that_cannot_load_its_only_version_is_not_ready),
        TEST(test_swaps_under_load_fail_no_request_and_mix_no_versions),
        TEST(test_an_answer_is_found_in_the_log_by_its_request_id),
        TEST(test_all_answers_are_logged_when_the_server_ends),
        TEST(test_long_inputs_are_logged_up_to_the_limit),
        TEST(test_requests_are_counted_by_status),
        TEST(test_the_reasons_of_an_answer_sum_to_its_margin),
        TEST(test_a_what_if_is_the_answer_to_the_changed_row_for_what_was_answered_first),
        TEST(test_a_what_if_that_is_none_is_refused),
        TEST(test_the_api_description_names_the_columns_and_classes),
        {0},
    };

    return test_main(tests, count, names);
}

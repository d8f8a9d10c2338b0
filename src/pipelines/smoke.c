#include "pipelines/smoke.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/time.h"
#include "pipelines/evaluation.h"
#include "pipelines/latencies.h"
#include "pipelines/project.h"
#include "serving/serving.h"

/* One after the other: what a lone client waits for. */
enum { BENCHMARK_ROUNDS = 200 };

typedef struct Smoke {
    Scope *scope;
    const BuiltinStep *step;
    const char *endpoint, *path;
    const char *target;
    TextList lines;
    Latencies latencies;
    bool has_numbers; /* the version answers with them */
    bool is_forecast; /* a row asks for steps; it is nothing that could be learnt from */
} Smoke;

bool smoke_read(const char *path, const char *text, Arena *arena, TextList *lines, Error *error)
{
    TextList all = text_split(text, '\n', arena), rows = {0};

    for (size_t i = 0; i < all.count; i++) {
        const JsonValue *row;

        if (!*text_trim(all.items[i], arena))
            continue;
        if (!json_parse(all.items[i], strlen(all.items[i]), arena, &row, error))
            return fail_in(error, "%s, line %zu", path, i + 1);
        if (!json_is_object(row))
            return fail(error, ERROR_INVALID, "%s, line %zu: a row is a JSON object", path, i + 1);
        text_list_add(&rows, arena, all.items[i]);
    }
    if (!rows.count || rows.count > SMOKE_ROWS_MAX)
        return fail(error, ERROR_INVALID, "the smoke test \"%s\" has %zu rows; 1 to %d do", path,
                    rows.count, SMOKE_ROWS_MAX);
    *lines = rows;
    return true;
}

static bool read_lines(Smoke *smoke)
{
    Scope *scope = smoke->scope;
    const Tree *tree = smoke->step->start->tree;
    const TreeEntry *entry = tree ? tree_find(tree, smoke->path) : NULL;
    const char *text;
    size_t size;

    if (!entry)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "the smoke test \"%s\" is not among the project's files", smoke->path);
    return artifact_read(scope->platform->artifacts, entry->digest, SMOKE_BYTES_MAX, scope->arena,
                         &text, &size, &scope->error) &&
           smoke_read(smoke->path, text, scope->arena, &smoke->lines, &scope->error);
}

static bool find_target(Smoke *smoke, const ModelVersion *version)
{
    Scope *scope = smoke->scope;
    const DatasetColumn *target;
    DatasetVersion data;

    if (!dataset_version_find(scope, version->dataset, version->dataset_version, &data))
        return false;
    target = dataset_column_by_role(&data.columns, "target");
    smoke->target = target ? target->name : NULL;
    return target || fail(&scope->error, ERROR_CONFLICT, "the version's data has no target");
}

/* ---- asking ---- */

/* {"data": [{...}]} of a row, without its answer. */
static const char *body_of(Smoke *smoke, const JsonValue *row)
{
    JsonWriter *json = json_writer_create(smoke->scope->arena);

    json_open_object(json, NULL);
    json_open_array(json, "data");
    json_open_object(json, NULL);
    for (JsonWalk walk = json_walk(row); json_walk_next(&walk);)
        if (strcmp(walk.key, smoke->target) != 0)
            json_raw(json, walk.key, json_print(walk.value, smoke->scope->arena));
    json_close(json);
    json_close(json);
    json_close(json);
    return json_finish(json);
}

static bool ask(Smoke *smoke, const char *body, const JsonValue **prediction)
{
    Scope *scope = smoke->scope;
    JsonWriter *json = json_writer_create(scope->arena);
    char id[ID_TEXT_SIZE];
    PredictRequest request = {
        .endpoint = smoke->endpoint,
        .request_id = id_timed(id),
        .body = {.bytes = body,
                 .size = strlen(body),
                 .content_type = "application/json",
                 .leaves_out_others = true},
    };
    int64_t began_us = time_monotonic_us();
    const JsonValue *answer;
    const char *text;

    if (!serving_predict(smoke->step->serving, &request, scope->arena, json, &scope->error))
        return false;
    latencies_add(&smoke->latencies, began_us);
    text = json_finish(json);
    if (!json_parse(text, strlen(text), scope->arena, &answer, &scope->error))
        return false;
    for (JsonWalk walk = json_walk(json_member(answer, "predictions")); json_walk_next(&walk);) {
        *prediction = walk.value;
        return true;
    }
    return fail(&scope->error, ERROR_INTERNAL, "the answer has no prediction");
}

/* A label is a text in an answer, whatever it is in the file. */
static const char *as_label(const JsonValue *value, Arena *arena)
{
    return json_is_text(value) ? json_as_text(value, "") : json_print(value, arena);
}

static bool check_label(Smoke *smoke, const JsonValue *expected, const JsonValue *prediction)
{
    Scope *scope = smoke->scope;
    const char *wanted = as_label(expected, scope->arena);
    const char *given = as_label(json_member(prediction, "label"), scope->arena);

    return strcmp(wanted, given) == 0 ||
           fail(&scope->error, ERROR_CONFLICT, "the answer is \"%s\" and must be \"%s\"", given,
                wanted);
}

/* A range, or a number that the answer must be to a millionth. */
static bool read_range(const JsonValue *expected, double *low, double *high)
{
    double number = json_as_double(expected, NAN), ends[2] = {NAN, NAN};

    if (json_is_number(expected)) {
        *low = number - fabs(number) * 1e-6;
        *high = number + fabs(number) * 1e-6;
        return true;
    }
    if (!json_is_array(expected) || json_count(expected) != 2)
        return false;
    for (JsonWalk walk = json_walk(expected); json_walk_next(&walk);)
        ends[walk.index] = json_as_double(walk.value, NAN);
    *low = ends[0];
    *high = ends[1];
    return ends[0] <= ends[1];
}

static bool check_value(Smoke *smoke, const JsonValue *expected, const JsonValue *prediction)
{
    Scope *scope = smoke->scope;
    double value = json_as_double(json_member(prediction, "value"), NAN), low, high;

    if (!read_range(expected, &low, &high))
        return fail(&scope->error, ERROR_INVALID,
                    "\"%s\" must be a number, or a list of the least and the greatest that the "
                    "answer may be",
                    smoke->target);
    return (value >= low && value <= high) ||
           fail(&scope->error, ERROR_CONFLICT, "the answer is %g and must be %s", value,
                json_print(expected, scope->arena));
}

/* What is compared: of a forecast its last step. */
static const JsonValue *answer_of(const JsonValue *prediction)
{
    const JsonValue *last = prediction;

    for (JsonWalk walk = json_walk(json_member(prediction, "forecast")); json_walk_next(&walk);)
        last = walk.value;
    return last;
}

static bool ask_row(Smoke *smoke, size_t number)
{
    Scope *scope = smoke->scope;
    const char *line = smoke->lines.items[number];
    const JsonValue *row, *prediction, *expected;
    bool is_right;

    if (!json_parse(line, strlen(line), scope->arena, &row, &scope->error))
        return fail_in(&scope->error, "%s, line %zu", smoke->path, number + 1);
    if (!json_member(row, smoke->target))
        return fail(&scope->error, ERROR_INVALID, "%s, line %zu: it has no \"%s\"", smoke->path,
                    number + 1, smoke->target);
    if (!ask(smoke, body_of(smoke, row), &prediction))
        return fail_in(&scope->error, "%s, line %zu", smoke->path, number + 1);
    smoke->is_forecast = json_member(prediction, "forecast") != NULL;
    prediction = answer_of(prediction);
    expected = json_member(row, smoke->target);
    smoke->has_numbers = json_member(prediction, "value") != NULL;
    is_right = smoke->has_numbers ? check_value(smoke, expected, prediction)
                                  : check_label(smoke, expected, prediction);
    return is_right || fail_in(&scope->error, "%s, line %zu", smoke->path, number + 1);
}

/* ---- what it may not have learnt from ---- */

/* Its features, with the types that they had; few numbers as answers could be taken for classes. */
static bool read_columns(Smoke *smoke, const DatasetColumns *columns, const JsonValue **value)
{
    Scope *scope = smoke->scope;
    JsonWriter *json = json_writer_create(scope->arena);
    const char *text;

    json_open_object(json, NULL);
    for (size_t i = 0; i < columns->count; i++)
        if (dataset_column_is_feature(&columns->items[i]))
            json_text(json, columns->items[i].name, columns->items[i].type);
    if (smoke->has_numbers)
        json_text(json, smoke->target, "number");
    json_close(json);
    text = json_finish(json);
    return json_parse(text, strlen(text), scope->arena, value, &scope->error);
}

static bool check_count(Smoke *smoke, const Evaluation *judged)
{
    int64_t count = json_as_int(json_member(judged->result, "training_rows"), -1);

    return count == 0 ||
           fail(&smoke->scope->error, ERROR_CONFLICT,
                "%s: the version has learnt from %" PRId64 " of its %zu rows, which prove nothing",
                smoke->path, count, smoke->lines.count);
}

/* A row with the middle of what its answer may be. */
static bool put_middle(Smoke *smoke, const char *line, TextBuilder *text)
{
    Scope *scope = smoke->scope;
    JsonWriter *json = json_writer_create(scope->arena);
    const JsonValue *row;
    double low = NAN, high = NAN;

    if (!json_parse(line, strlen(line), scope->arena, &row, &scope->error))
        return false;
    json_open_object(json, NULL);
    for (JsonWalk walk = json_walk(row); json_walk_next(&walk);) {
        if (strcmp(walk.key, smoke->target) != 0)
            json_raw(json, walk.key, json_print(walk.value, scope->arena));
        else if (read_range(walk.value, &low, &high))
            json_double(json, walk.key, low + (high - low) / 2);
    }
    json_close(json);
    text_append_format(text, "%s\n", json_finish(json));
    return true;
}

/* The file of the rows, or of numbers one that can be read as numbers. */
static bool find_rows(Smoke *smoke, TreeEntry *rows)
{
    Scope *scope = smoke->scope;
    TextBuilder text = {.arena = scope->arena};
    Artifact artifact;

    *rows = *tree_find(smoke->step->start->tree, smoke->path);
    rows->path = path_name(rows->path);
    if (!smoke->has_numbers)
        return true;
    for (size_t i = 0; i < smoke->lines.count; i++)
        if (!put_middle(smoke, smoke->lines.items[i], &text))
            return false;
    if (!artifact_add_bytes(scope->platform->artifacts, text_built(&text), text.count, &artifact,
                            &scope->error))
        return false;
    memcpy(rows->digest, artifact.digest, sizeof(rows->digest));
    return true;
}

/* The rows as a data set of their own, whose evaluation counts those that the version has learnt
 * from. */
static bool check_unseen(Smoke *smoke, const ModelVersion *version)
{
    Scope *scope = smoke->scope;
    const StepStart *start = smoke->step->start;
    const char *project = start->run->project;
    DatasetSpec spec = {.name = arena_format(scope->arena, "%s.smoke", project),
                        .source = smoke->path};
    EvaluationSpec evaluation = {.project = project,
                                 .model = version->model,
                                 .data = spec.name,
                                 .allow_training_rows = true};
    const char *number = arena_format(scope->arena, "%" PRId64, version->version);
    Evaluation judged;
    DatasetVersion data;
    DatasetVersion learnt;
    bool is_new;

    if (!find_rows(smoke, arena_push(scope->arena, &spec.files)) ||
        !dataset_version_find(scope, version->dataset, version->dataset_version, &learnt))
        return false;
    spec.options.format = "jsonl";
    spec.options.target = smoke->target;
    return read_columns(smoke, &learnt.columns, &spec.options.columns) &&
           json_parse(number, strlen(number), scope->arena, &evaluation.version, &scope->error) &&
           dataset_add(scope, &spec, &data, &is_new) &&
           evaluation_run(scope, &evaluation, &judged) && check_count(smoke, &judged);
}

/* ---- how long it takes ---- */

static bool benchmark(Smoke *smoke, JsonWriter *json)
{
    Scope *scope = smoke->scope;
    const char *limit = builtin_with(smoke->step->start, "p99_ms");
    double p99_max = limit ? strtod(limit, NULL) : 0, p99;

    latencies_sort(&smoke->latencies);
    p99 = latencies_quantile(&smoke->latencies, 0.99);
    json_open_object(json, "benchmark");
    json_int(json, "requests", (int64_t)smoke->latencies.count);
    json_double(json, "p50_ms", latencies_quantile(&smoke->latencies, 0.5));
    json_double(json, "p99_ms", p99);
    json_close(json);
    return p99_max <= 0 || p99 <= p99_max ||
           fail(&scope->error, ERROR_CONFLICT, "p99 is %.3g ms at staging and may be %.3g ms", p99,
                p99_max);
}

bool smoke_test(Scope *scope, const BuiltinStep *step, const char *endpoint,
                const ModelVersion *version, JsonWriter *json)
{
    Smoke smoke = {.scope = scope,
                   .step = step,
                   .endpoint = endpoint,
                   .path = builtin_with(step->start, "smoke")};
    size_t rounds;

    if (!smoke.path)
        return true;
    if (!find_target(&smoke, version) || !read_lines(&smoke))
        return false;
    rounds = BENCHMARK_ROUNDS / smoke.lines.count + 1;
    smoke.latencies.ms = arena_array(scope->arena, double, rounds *smoke.lines.count);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < smoke.lines.count; i++)
            if (!ask_row(&smoke, i))
                return false;
    if (!smoke.is_forecast &&
        !check_unseen(&smoke, version)) /* behind the rows' own mistakes, which name their line */
        return false;
    json_open_object(json, "smoke");
    json_text(json, "file", smoke.path);
    json_int(json, "rows", (int64_t)smoke.lines.count);
    json_close(json);
    return benchmark(&smoke, json);
}

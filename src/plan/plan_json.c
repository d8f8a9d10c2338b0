/* plan_json.c: a step as the store keeps it. Members that say nothing are left out. */

#include <string.h>

#include "plan/plan.h"

static const char *const uses_of_paths[] = {
    [PLAN_OUT] = "out", [PLAN_METRICS] = "metrics", [PLAN_PLOTS] = "plots"};

/* Writing. */

static void write_text(JsonWriter *json, const char *key, const char *text)
{
    if (text)
        json_text(json, key, text);
}

static void write_int(JsonWriter *json, const char *key, int64_t number)
{
    if (number)
        json_int(json, key, number);
}

static void write_true(JsonWriter *json, const char *key, bool truth)
{
    if (truth)
        json_bool(json, key, truth);
}

static void write_texts(JsonWriter *json, const char *key, const TextList *texts)
{
    if (texts->count)
        json_texts(json, key, texts);
}

static void write_values(JsonWriter *json, const char *key, const PlanValueList *values)
{
    if (!values->count)
        return;
    json_open_object(json, key);
    for (size_t i = 0; i < values->count; i++)
        json_text(json, values->items[i].name, values->items[i].text);
    json_close(json);
}

static void write_paths(JsonWriter *json, const char *key, const PlanPathList *paths)
{
    if (!paths->count)
        return;
    json_open_array(json, key);
    for (size_t i = 0; i < paths->count; i++) {
        const PlanPath *path = &paths->items[i];

        json_open_object(json, NULL);
        json_text(json, "path", path->path);
        if (path->use != PLAN_OUT)
            json_text(json, "use", uses_of_paths[path->use]);
        write_true(json, "is_data", path->is_data);
        write_true(json, "persist", path->persist);
        json_close(json);
    }
    json_close(json);
}

static void write_needs(JsonWriter *json, const char *key, const PlanNeeds *needs)
{
    if (!needs->count)
        return;
    json_open_array(json, key);
    for (size_t i = 0; i < needs->count; i++)
        json_int(json, NULL, (int64_t)needs->items[i]);
    json_close(json);
}

const char *plan_step_with(const PlanStep *step, const char *name)
{
    for (size_t i = 0; i < step->with.count; i++)
        if (strcmp(step->with.items[i].name, name) == 0)
            return step->with.items[i].text;
    return NULL;
}

void plan_step_write_json(JsonWriter *json, const char *key, const PlanStep *step)
{
    json_open_object(json, key);
    json_text(json, "name", step->name);
    json_text(json, "stage", step->stage);
    write_text(json, "summary", step->summary);
    write_texts(json, "commands", &step->commands);
    write_texts(json, "arguments", &step->arguments);
    write_text(json, "uses", step->uses);
    write_values(json, "with", &step->with);
    write_values(json, "environment", &step->environment);
    json_text(json, "folder", step->folder);
    write_paths(json, "deps", &step->deps);
    write_paths(json, "outs", &step->outs);
    write_values(json, "params", &step->params);
    write_needs(json, "needs", &step->needs);
    write_text(json, "when", step->when);
    write_int(json, "timeout_ms", step->timeout_ms);
    write_int(json, "retries", step->retries);
    write_int(json, "backoff_ms", step->backoff_ms);
    write_int(json, "cpus", step->cpus);
    write_int(json, "memory_bytes", step->memory_bytes);
    write_int(json, "gpus", step->gpus);
    write_int(json, "files", step->files);
    write_text(json, "executor", step->executor);
    write_text(json, "place", step->place);
    write_true(json, "always", step->always);
    write_true(json, "frozen", step->frozen);
    json_close(json);
}

/* Reading. */

/* What becomes a list of structs, beside the rest. */
typedef struct StepLists {
    PlanStep step;
    const JsonValue *with, *environment, *deps, *outs, *params, *needs;
} StepLists;

#define STEP_AT(member) offsetof(StepLists, step.member)
#define LIST_AT(member) offsetof(StepLists, member)

static const JsonField step_fields[] = {
    {"name", JSON_TEXT, STEP_AT(name), JSON_REQUIRED},
    {"stage", JSON_TEXT, STEP_AT(stage), JSON_REQUIRED},
    {"summary", JSON_TEXT, STEP_AT(summary), JSON_OPTIONAL},
    {"commands", JSON_TEXT_LIST, STEP_AT(commands), JSON_OPTIONAL},
    {"arguments", JSON_TEXT_LIST, STEP_AT(arguments), JSON_OPTIONAL},
    {"uses", JSON_TEXT, STEP_AT(uses), JSON_OPTIONAL},
    {"with", JSON_OBJECT, LIST_AT(with), JSON_OPTIONAL},
    {"environment", JSON_OBJECT, LIST_AT(environment), JSON_OPTIONAL},
    {"folder", JSON_TEXT, STEP_AT(folder), JSON_REQUIRED},
    {"deps", JSON_ARRAY, LIST_AT(deps), JSON_OPTIONAL},
    {"outs", JSON_ARRAY, LIST_AT(outs), JSON_OPTIONAL},
    {"params", JSON_OBJECT, LIST_AT(params), JSON_OPTIONAL},
    {"needs", JSON_ARRAY, LIST_AT(needs), JSON_OPTIONAL},
    {"when", JSON_TEXT, STEP_AT(when), JSON_OPTIONAL},
    {"timeout_ms", JSON_INT, STEP_AT(timeout_ms), JSON_OPTIONAL},
    {"retries", JSON_INT, STEP_AT(retries), JSON_OPTIONAL},
    {"backoff_ms", JSON_INT, STEP_AT(backoff_ms), JSON_OPTIONAL},
    {"cpus", JSON_INT, STEP_AT(cpus), JSON_OPTIONAL},
    {"memory_bytes", JSON_INT, STEP_AT(memory_bytes), JSON_OPTIONAL},
    {"gpus", JSON_INT, STEP_AT(gpus), JSON_OPTIONAL},
    {"files", JSON_INT, STEP_AT(files), JSON_OPTIONAL},
    {"executor", JSON_TEXT, STEP_AT(executor), JSON_OPTIONAL},
    {"place", JSON_TEXT, STEP_AT(place), JSON_OPTIONAL},
    {"always", JSON_BOOL, STEP_AT(always), JSON_OPTIONAL},
    {"frozen", JSON_BOOL, STEP_AT(frozen), JSON_OPTIONAL},
    {0},
};

static bool read_values(const JsonValue *object, Arena *arena, PlanValueList *values, Error *error)
{
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        if (!json_is_text(walk.value))
            return fail_field(error, walk.key, "\"%.100s\" must be a text", walk.key);
        *arena_push(arena, values) = (PlanValue){walk.key, json_as_text(walk.value, "")};
    }
    return true;
}

typedef struct PathParts {
    PlanPath path;
    const char *use;
} PathParts;

static const JsonField path_fields[] = {
    {"path", JSON_TEXT, offsetof(PathParts, path.path), JSON_REQUIRED},
    {"use", JSON_TEXT, offsetof(PathParts, use), JSON_OPTIONAL},
    {"is_data", JSON_BOOL, offsetof(PathParts, path.is_data), JSON_OPTIONAL},
    {"persist", JSON_BOOL, offsetof(PathParts, path.persist), JSON_OPTIONAL},
    {0},
};

static bool read_paths(const JsonValue *array, Arena *arena, PlanPathList *paths, Error *error)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        PathParts parts = {.use = uses_of_paths[PLAN_OUT]};
        size_t use = 0;

        if (!json_read_value(walk.value, path_fields, &parts, arena, error))
            return false;
        while (use < COUNT(uses_of_paths) && strcmp(uses_of_paths[use], parts.use) != 0)
            use++;
        if (use == COUNT(uses_of_paths))
            return fail_field(error, "use", "\"use\" is out, metrics or plots");
        parts.path.use = (PlanPathUse)use;
        *arena_push(arena, paths) = parts.path;
    }
    return true;
}

static bool read_needs(const JsonValue *array, Arena *arena, PlanNeeds *needs, Error *error)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        int64_t position = json_as_int(walk.value, -1);

        if (position < 0 || position >= PLAN_STEPS_MAX)
            return fail_field(error, "needs", "\"needs\" is a list of positions");
        *arena_push(arena, needs) = (size_t)position;
    }
    return true;
}

bool plan_step_read_json(const JsonValue *object, Arena *arena, PlanStep *step, Error *error)
{
    StepLists lists = {0};

    if (!json_read_value(object, step_fields, &lists, arena, error) ||
        !read_values(lists.with, arena, &lists.step.with, error) ||
        !read_values(lists.environment, arena, &lists.step.environment, error) ||
        !read_paths(lists.deps, arena, &lists.step.deps, error) ||
        !read_paths(lists.outs, arena, &lists.step.outs, error) ||
        !read_values(lists.params, arena, &lists.step.params, error) ||
        !read_needs(lists.needs, arena, &lists.step.needs, error))
        return false;
    *step = lists.step;
    return true;
}

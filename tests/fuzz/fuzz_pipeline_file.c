/* fuzz_pipeline_file.c: any bytes as a slipway.yaml or dvc.yaml are read whole and planned, or
 * refused with a sentence. Each step of a plan does one thing, stands behind what it waits for, has
 * paths that stay inside, and is read back from JSON as it was written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"
#include "base/file.h"
#include "plan/pipeline_file.h"

static const PlanBuiltinField train_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, ""},
    {"folds", JSON_INT, JSON_OPTIONAL, ""},
    {"models", JSON_ARRAY, JSON_OPTIONAL, ""},
    {"more", JSON_ANY, JSON_OPTIONAL, ""},
    {0},
};

static const PlanBuiltin builtins[] = {{"train", "", train_fields}, {0}};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool exists(void *context, const char *path)
{
    (void)context;
    require(path_is_inside(path));
    return path[0] != 'n';
}

static bool read_file(void *context, const char *path, Arena *arena, PlanBytes *bytes, Error *error)
{
    static const char params[] = "{\"a\": 1, \"l\": [x, y], \"m\": {\"k\": 1.0}}";

    (void)context;
    (void)arena;
    require(path_is_inside(path));
    if (path[0] == 'n')
        return fail(error, ERROR_NOT_FOUND, "there is no file \"%s\"", path);
    *bytes = (PlanBytes){params, strlen(params)};
    return true;
}

static void check_paths(const PlanPathList *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        require(paths->items[i].is_data || path_is_inside(paths->items[i].path));
}

static void check_step(const PlanStep *step, size_t position, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena), *again = json_writer_create(arena);
    const JsonValue *value;
    Error error = {0};
    PlanStep read;

    require(step->name[0] && step->stage[0] && strlen(step->name) <= PIPELINE_NAME_MAX);
    require(((step->commands.count != 0) + (step->arguments.count != 0) + (step->uses != NULL)) ==
            1);
    require(strcmp(step->folder, ".") == 0 || path_is_inside(step->folder));
    for (size_t i = 0; i < step->needs.count; i++)
        require(step->needs.items[i] < position &&
                (!i || step->needs.items[i - 1] < step->needs.items[i]));
    check_paths(&step->deps);
    check_paths(&step->outs);
    plan_step_write_json(json, NULL, step);
    require(json_parse(json_finish(json), json_size(json), arena, &value, &error) &&
            plan_step_read_json(value, arena, &read, &error));
    plan_step_write_json(again, NULL, &read);
    require(strcmp(json_finish(json), json_finish(again)) == 0);
}

static void check_plan(const PipelineFile *file, Arena *arena)
{
    const PlanSource source = {exists, read_file, NULL};
    const PlanRequest request = {.source = &source};
    Error error = {0};
    Plan plan = {0};

    if (!pipeline_plan(file, &request, arena, &plan, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    require(plan.count <= PLAN_STEPS_MAX);
    for (size_t i = 0; i < plan.count; i++)
        check_step(&plan.items[i], i, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const YamlNode *root;
    PipelineFile file = {0};
    Error error = {0};
    CronSchedule schedule;

    if (!yaml_parse((const char *)data, size, arena, &root, &error))
        return 0;
    if (!pipeline_file_read(root, builtins, arena, &file, &error)) {
        require(error.kind && error.message[0] && !file.parts);
        return 0;
    }
    for (size_t i = 0; i < file.on.schedules.count; i++)
        require(cron_parse(file.on.schedules.items[i].cron, &schedule, &error));
    check_plan(&file, arena);
    return 0;
}

/* plan_scene.h: a project of a few files in memory, its pipeline read and planned. */
#pragma once

#include "plan/pipeline_file.h"
#include "tests/test.h"

typedef struct SceneFile {
    const char *path, *text;
} SceneFile;

/* Ends with a row of zeros; NULL text: a file that only exists. */
typedef struct Scene {
    const SceneFile *files;
    const char *values; /* JSON, or NULL */
} Scene;

static const PlanBuiltinField scene_train[] = {
    {"data", JSON_TEXT, JSON_REQUIRED, "the data set"},
    {"metric", JSON_TEXT, JSON_OPTIONAL, "what is compared"},
    {"folds", JSON_INT, JSON_OPTIONAL, "how many"},
    {"models", JSON_ARRAY, JSON_OPTIONAL, "kinds"},
    {0},
};

static const PlanBuiltinField scene_check[] = {
    {"data", JSON_TEXT, JSON_REQUIRED, "the data set"},
    {0},
};

static const PlanBuiltin scene_builtins[] = {
    {"check-data", "looks at data", scene_check},
    {"train", "trains", scene_train},
    {0},
};

static inline bool scene_exists(void *context, const char *path)
{
    const Scene *scene = context;

    for (const SceneFile *file = scene->files; file && file->path; file++)
        if (strcmp(file->path, path) == 0)
            return true;
    return false;
}

static inline bool scene_read(void *context, const char *path, Arena *arena, PlanBytes *bytes,
                              Error *error)
{
    const Scene *scene = context;

    (void)arena;
    for (const SceneFile *file = scene->files; file && file->path; file++) {
        if (strcmp(file->path, path) != 0 || !file->text)
            continue;
        *bytes = (PlanBytes){file->text, strlen(file->text)};
        return true;
    }
    return fail(error, ERROR_NOT_FOUND, "there is no file \"%s\"", path);
}

static inline bool scene_file(const char *yaml, Arena *arena, PipelineFile *file, Error *error)
{
    const YamlNode *root;

    return yaml_parse(yaml, strlen(yaml), arena, &root, error) &&
           pipeline_file_read(root, scene_builtins, arena, file, error);
}

static inline bool scene_plan(const char *yaml, const Scene *scene, Arena *arena, Plan *plan,
                              Error *error)
{
    const PlanSource source = {scene_exists, scene_read, (void *)(uintptr_t)scene};
    PlanRequest request = {.source = &source};
    PipelineFile file;

    if (scene->values &&
        !json_parse(scene->values, strlen(scene->values), arena, &request.values, error))
        return false;
    return scene_file(yaml, arena, &file, error) &&
           pipeline_plan(&file, &request, arena, plan, error);
}

static inline Plan scene_planned(const char *yaml, const Scene *scene, Arena *arena)
{
    Error error = {0};
    Plan plan = {0};

    EXPECT_OK(scene_plan(yaml, scene, arena, &plan, &error), error);
    return plan;
}

static inline const PlanStep *scene_step(const Plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->items[i].name, name) == 0)
            return &plan->items[i];
    fprintf(stderr, "there is no step %s\n", name);
    exit(1);
}

/* "a b c", or "a: b c" for what a step waits for. */
static inline const char *scene_names(const Plan *plan, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < plan->count; i++)
        text_append_format(&names, "%s%s", i ? " " : "", plan->items[i].name);
    return text_built(&names);
}

static inline const char *scene_needs(const Plan *plan, const char *name, Arena *arena)
{
    const PlanNeeds *needs = &scene_step(plan, name)->needs;
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < needs->count; i++)
        text_append_format(&names, "%s%s", i ? " " : "", plan->items[needs->items[i]].name);
    return text_built(&names);
}

#include "pipelines/plan_files.h"

#include <string.h>

#include "pipelines/release.h"
#include "pipelines/smoke.h"
#include "prepare/recipe.h"

typedef struct Check {
    const PlanSource *source;
    Arena *arena;
    Error *error;
} Check;

typedef struct NamedFile {
    const char *what; /* "recipe" */
    const char *path;
    size_t bytes_max;
} NamedFile;

static bool read_file(const Check *check, const PlanStep *step, const NamedFile *file,
                      PlanBytes *bytes)
{
    const PlanSource *source = check->source;

    if (!source->exists(source->context, file->path))
        return fail(check->error, ERROR_INVALID,
                    "the %s \"%.200s\" of step \"%.200s\" is not in the project", file->what,
                    file->path, step->name);
    if (!source->read(source->context, file->path, check->arena, bytes, check->error))
        return false;
    return bytes->size <= file->bytes_max ||
           fail(check->error, ERROR_INVALID, "the %s \"%.200s\" has %zu bytes; it has at most %zu",
                file->what, file->path, bytes->size, file->bytes_max);
}

static bool check_recipe(const Check *check, const PlanStep *step)
{
    const NamedFile file = {"recipe", plan_step_with(step, "recipe"), RECIPE_BYTES_MAX};
    PlanBytes bytes;
    Recipe recipe;

    if (!file.path || strstr(file.path, "${{"))
        return true;
    if (!read_file(check, step, &file, &bytes))
        return false;
    if (!recipe_read(bytes.bytes, bytes.size, check->arena, &recipe, check->error))
        return fail_in(check->error, "%s", file.path);
    if (step->outs.count + (plan_step_with(step, "data") != NULL) == 0)
        return fail(check->error, ERROR_INVALID,
                    "step \"%s\" makes nothing: it has an output, or \"data\"", step->name);
    return step->outs.count <= 1 ||
           fail(check->error, ERROR_INVALID, "step \"%s\" makes one file, and has %zu outputs",
                step->name, step->outs.count);
}

static bool check_smoke(const Check *check, const PlanStep *step)
{
    const NamedFile file = {"smoke test", plan_step_with(step, "smoke"), SMOKE_BYTES_MAX};
    PlanBytes bytes;
    TextList lines;

    return !file.path || (read_file(check, step, &file, &bytes) &&
                          smoke_read(file.path, bytes.bytes, check->arena, &lines, check->error));
}

static const struct {
    const char *uses;
    bool (*check)(const Check *check, const PlanStep *step);
} checks[] = {
    {"prepare", check_recipe},
    {RELEASE_STAGING, check_smoke},
};

bool plan_files_check(const PlanSource *source, const Plan *plan, Arena *arena, Error *error)
{
    const Check check = {source, arena, error};

    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < COUNT(checks); k++)
            if (text_equal(plan->items[i].uses, checks[k].uses) &&
                !checks[k].check(&check, &plan->items[i]))
                return false;
    return true;
}

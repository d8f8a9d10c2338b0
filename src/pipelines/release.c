#include "pipelines/release.h"

#include <string.h>

#include "pipelines/environment.h"

typedef struct Parts {
    ReleaseFile file;
    const YamlNode *gate, *staging, *production;
    const YamlNode *benchmark, *unread;
    const char *approval;
} Parts;

static const YamlField release_fields[] = {
    {"endpoint", YAML_FIELD_TEXT, offsetof(Parts, file.endpoint), JSON_REQUIRED},
    {"gate", YAML_FIELD_ANY, offsetof(Parts, gate), JSON_OPTIONAL},
    {"staging", YAML_FIELD_MAP, offsetof(Parts, staging), JSON_OPTIONAL},
    {"production", YAML_FIELD_MAP, offsetof(Parts, production), JSON_OPTIONAL},
    {0},
};

static const YamlField production_fields[] = {
    {"approval", YAML_FIELD_TEXT, offsetof(Parts, approval), JSON_OPTIONAL},
    {"approvals", YAML_FIELD_INT, offsetof(Parts, file.approvals), JSON_OPTIONAL},
    {"four_eyes", YAML_FIELD_BOOL, offsetof(Parts, file.four_eyes), JSON_OPTIONAL},
    {"traffic", YAML_FIELD_ANY, offsetof(Parts, unread), JSON_OPTIONAL},
    {"hold", YAML_FIELD_ANY, offsetof(Parts, unread), JSON_OPTIONAL},
    {"abort", YAML_FIELD_ANY, offsetof(Parts, unread), JSON_OPTIONAL},
    {0},
};

static const YamlField staging_fields[] = {
    {"smoke", YAML_FIELD_TEXT, offsetof(Parts, file.smoke), JSON_OPTIONAL},
    {"benchmark", YAML_FIELD_MAP, offsetof(Parts, benchmark), JSON_OPTIONAL},
    {0},
};

static const YamlField benchmark_fields[] = {
    {"p99_ms", YAML_FIELD_NUMBER, offsetof(Parts, file.p99_ms), JSON_REQUIRED},
    {0},
};

/* The file may demand more than the server does, so less is no mistake: it changes nothing. */
static bool read_production(Parts *parts, Arena *arena, Error *error)
{
    if (!parts->production)
        return true;
    if (!yaml_read(parts->production, production_fields, parts, arena, error))
        return false;
    if (parts->approval && strcmp(parts->approval, "required") != 0)
        return yaml_fail(yaml_member(parts->production, "approval"), arena, error,
                         "\"approval\" is required, or left out");
    if (parts->file.approvals < 0 || parts->file.approvals > ENVIRONMENT_APPROVALS_MAX)
        return yaml_fail(yaml_member(parts->production, "approvals"), arena, error,
                         "\"approvals\" is 0 to %d", ENVIRONMENT_APPROVALS_MAX);
    if (parts->approval && !parts->file.approvals)
        parts->file.approvals = 1;
    return true;
}

bool release_file_read(const YamlNode *root, Arena *arena, ReleaseFile *file, Error *error)
{
    const YamlNode *release = yaml_member(root, "release");
    Parts parts = {0};

    *file = (ReleaseFile){0};
    if (!release || yaml_is_null(release))
        return true;
    if (!yaml_read(release, release_fields, &parts, arena, error) ||
        (parts.staging && !yaml_read(parts.staging, staging_fields, &parts, arena, error)) ||
        (parts.benchmark && !yaml_read(parts.benchmark, benchmark_fields, &parts, arena, error)) ||
        !read_production(&parts, arena, error))
        return false;
    if (parts.benchmark && !(parts.file.p99_ms > 0))
        return yaml_fail(parts.benchmark, arena, error, "\"p99_ms\" is more than 0");
    *file = parts.file;
    return true;
}

/* ---- steps ---- */

static bool trains(const Plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].uses && strcmp(plan->items[i].uses, "train") == 0)
            return true;
    return false;
}

/* Positions that nothing waits for. */
static PlanNeeds last_steps(const Plan *plan, Arena *arena)
{
    bool *waited = arena_array(arena, bool, plan->count + 1);
    PlanNeeds last = {0};

    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < plan->items[i].needs.count; k++)
            waited[plan->items[i].needs.items[k]] = true;
    for (size_t i = 0; i < plan->count; i++)
        if (!waited[i])
            *arena_push(arena, &last) = i;
    return last;
}

static PlanStep *add_step(Arena *arena, Plan *plan, const char *name, PlanNeeds needs)
{
    PlanStep *step = arena_push(arena, plan);

    *step = (PlanStep){
        .name = name, .stage = name, .uses = name, .folder = ".", .needs = needs, .always = true};
    return step;
}

static void add_with(Arena *arena, PlanStep *step, const char *name, const char *text)
{
    if (text)
        *arena_push(arena, &step->with) = (PlanValue){name, text};
}

static PlanNeeds one_need(Arena *arena, size_t position)
{
    PlanNeeds needs = {0};

    *arena_push(arena, &needs) = position;
    return needs;
}

void release_add_steps(const ReleaseFile *file, Arena *arena, Plan *plan)
{
    static const char accepted[] =
        "success() && steps['release.gate'].outputs.outcome == 'accepted'";
    static const char staged[] = "success() && steps['release.staging'].outcome == 'succeeded'";
    PlanStep *step;

    if (!file->endpoint || !trains(plan))
        return;
    step = add_step(arena, plan, "release.gate", last_steps(plan, arena));
    add_with(arena, step, "endpoint", file->endpoint);
    step = add_step(arena, plan, "release.staging", one_need(arena, plan->count - 1));
    step->when = accepted;
    step->place = ENVIRONMENT_STAGING;
    add_with(arena, step, "endpoint", file->endpoint);
    add_with(arena, step, "smoke", file->smoke);
    if (file->p99_ms > 0)
        add_with(arena, step, "p99_ms", arena_format(arena, "%g", file->p99_ms));
    step = add_step(arena, plan, "release.production", one_need(arena, plan->count - 1));
    step->when = staged;
    step->place = ENVIRONMENT_PRODUCTION;
    add_with(arena, step, "endpoint", file->endpoint);
    if (file->approvals)
        add_with(arena, step, "approvals", arena_format(arena, "%d", (int)file->approvals));
    if (file->four_eyes)
        add_with(arena, step, "four_eyes", "true");
}

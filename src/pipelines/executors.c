#include "pipelines/executors.h"

#include <string.h>

#include "pipelines/builtin.h"

/* The first is that of steps that name none. */
static const char *const local_alone[] = {"local", NULL};
static const char *const local_first[] = {"local", "slurm", NULL};
static const char *const slurm_first[] = {"slurm", "local", NULL};

bool executors_choose(const ExecutorSettings *settings, const char *const **names, Error *error)
{
    bool has_slurm = settings && settings->slurm.address;
    const char *standard = settings && settings->standard ? settings->standard : "local";
    bool is_slurm = strcmp(standard, "slurm") == 0;

    if (!is_slurm && strcmp(standard, "local") != 0)
        return fail_field(error, "executor", "an executor is local or slurm, not \"%.64s\"",
                          standard);
    if (is_slurm && !has_slurm)
        return fail_field(error, "executor", "the executor slurm needs the address of slurmrestd");
    *names = is_slurm ? slurm_first : has_slurm ? local_first : local_alone;
    return true;
}

static const char *const *names_of(const Platform *platform)
{
    return platform->executors ? platform->executors : local_alone;
}

static bool has(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

bool executors_check(Scope *scope, const Plan *plan)
{
    const char *const *names = names_of(scope->platform);

    for (size_t i = 0; i < plan->count; i++) {
        const PlanStep *step = &plan->items[i];

        if (step->executor && !has(names, step->executor))
            return fail_field(
                &scope->error, "executor",
                "step \"%.128s\" names the executor \"%.64s\", which this server does "
                "not have: it has %s",
                step->name, step->executor, names == local_alone ? "local" : "local and slurm");
    }
    return true;
}

const char *executor_of(const Platform *platform, const PlanStep *step)
{
    const Builtin *builtin = builtin_of(step);

    if (builtin && !builtin->worker)
        return "local";
    return step->executor ? step->executor : names_of(platform)[0];
}

#include "pipelines/release.h"

#include <string.h>

#include "base/number.h"
#include "pipelines/environment.h"

static bool makes_version(const Plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (text_equal(plan->items[i].uses, "train") || text_equal(plan->items[i].uses, "register"))
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

static const char *number_text(double value, Arena *arena)
{
    char text[NUMBER_TEXT_SIZE];

    return arena_text(arena, number_format(value, text));
}

static const char *percent_text(const ReleaseShare *share, Arena *arena)
{
    return number_text((double)share->share * 100 / SHARE_WHOLE, arena);
}

/* What comes after the staging: it serves there, and no share before has failed. One that was
 * skipped, because nothing serves yet, keeps nobody back. */
static const char *when_staged(const ReleaseFile *file, size_t shares_before, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    text_append(&text, "steps['release.staging'].outcome == 'succeeded'");
    if (!shares_before)
        text_append(&text, " && success()");
    for (size_t i = 0; i < shares_before; i++)
        text_append_format(&text, " && steps['" RELEASE_CANARY "@%s'].outcome != 'failed'",
                           percent_text(&file->shares.items[i], arena));
    return text_built(&text);
}

static void add_rule(const CanaryRule *rule, Arena *arena, PlanStep *step)
{
    add_with(arena, step, "errors_max", number_text(rule->errors_max, arena));
    if (rule->p99_ms_max == rule->p99_ms_max) /* not NaN, which is any */
        add_with(arena, step, "p99_ms_max", number_text(rule->p99_ms_max, arena));
    add_with(arena, step, "requests_min",
             arena_format(arena, "%lld", (long long)rule->requests_min));
}

static void add_canary(const ReleaseFile *file, size_t position, Arena *arena, Plan *plan)
{
    const ReleaseShare *share = &file->shares.items[position];
    const char *percent = percent_text(share, arena);
    PlanStep *step = add_step(arena, plan, arena_format(arena, RELEASE_CANARY "@%s", percent),
                              one_need(arena, plan->count - 1));

    step->stage = step->uses = RELEASE_CANARY;
    step->summary = arena_format(arena, "%s %% of the requests for %s", percent, share->hold);
    step->when = when_staged(file, position, arena);
    step->place = ENVIRONMENT_PRODUCTION;
    add_with(arena, step, "endpoint", file->endpoint);
    add_with(arena, step, "share", percent);
    add_with(arena, step, "hold_ms", arena_format(arena, "%lld", (long long)share->hold_ms));
    add_with(arena, step, "wait_ms", arena_format(arena, "%lld", (long long)share->wait_ms));
    add_rule(&file->rule, arena, step);
}

/* The shares are in what is approved. */
static const char *all_shares(const ReleaseFile *file, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < file->shares.count; i++)
        text_append_format(&text, "%s%s %% for %lld ms, at most %lld ms more", i ? ", " : "",
                           percent_text(&file->shares.items[i], arena),
                           (long long)file->shares.items[i].hold_ms,
                           (long long)file->shares.items[i].wait_ms);
    return text_built(&text);
}

static void add_production(const ReleaseFile *file, Arena *arena, Plan *plan)
{
    PlanStep *step = add_step(arena, plan, RELEASE_PRODUCTION, one_need(arena, plan->count - 1));

    step->when = when_staged(file, file->shares.count, arena);
    step->place = ENVIRONMENT_PRODUCTION;
    add_with(arena, step, "endpoint", file->endpoint);
    if (file->approvals)
        add_with(arena, step, "approvals", arena_format(arena, "%d", (int)file->approvals));
    if (file->four_eyes)
        add_with(arena, step, "four_eyes", "true");
    if (!file->shares.count)
        return;
    add_with(arena, step, "traffic", all_shares(file, arena));
    add_rule(&file->rule, arena, step);
}

void release_add_steps(const ReleaseFile *file, Arena *arena, Plan *plan)
{
    static const char accepted[] =
        "success() && steps['release.gate'].outputs.outcome == 'accepted'";
    PlanStep *step;

    if (!file->endpoint || !makes_version(plan))
        return;
    step = add_step(arena, plan, "release.gate", last_steps(plan, arena));
    add_with(arena, step, "endpoint", file->endpoint);
    step = add_step(arena, plan, RELEASE_STAGING, one_need(arena, plan->count - 1));
    step->when = accepted;
    step->place = ENVIRONMENT_STAGING;
    add_with(arena, step, "endpoint", file->endpoint);
    add_with(arena, step, "smoke", file->smoke);
    if (file->p99_ms > 0)
        add_with(arena, step, "p99_ms", arena_format(arena, "%g", file->p99_ms));
    for (size_t i = 0; i < file->shares.count; i++)
        add_canary(file, i, arena, plan);
    add_production(file, arena, plan);
}

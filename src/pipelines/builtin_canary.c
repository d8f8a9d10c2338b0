/* builtin_canary.c: the step that begins to send a share of the requests to a candidate. What comes
 * of it, and when it ends, is release_canary.h's. */

#include <inttypes.h>
#include <math.h>

#include "base/crash.h"
#include "pipelines/builtin_release.h"
#include "pipelines/release_canary.h"
#include "serving/serving.h"

static bool skip(Scope *scope, const StepStart *start, const char **reason)
{
    Endpoint endpoint;

    if (!release_endpoint(scope, start, &endpoint))
        return false;
    if (!endpoint.model)
        *reason = arena_format(
            scope->arena, "nothing serves at endpoint \"%s\" yet that it could be tried beside",
            endpoint.name);
    return true;
}

typedef struct Begin {
    const StepStart *start;
    Endpoint judged; /* as it served when it was looked at */
    ModelVersion version;
} Begin;

/* One that somebody else tries is not ours to end. */
static bool check_free(Scope *scope, const Begin *begin, const Endpoint *now)
{
    const Candidate *set = &now->candidate;

    if (now->deployment_id != begin->judged.deployment_id)
        return fail(&scope->error, ERROR_UNAVAILABLE, "endpoint \"%s\" has just changed",
                    now->name);
    if (!set->id ||
        (set->version == begin->version.version && text_equal(set->model, begin->version.model)))
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                "endpoint \"%s\" tries version %" PRId64 " of \"%s\" already, set by %s: clear it "
                "first",
                now->name, set->version, set->model, set->created_by);
}

static bool check_place(Scope *scope, const Begin *begin)
{
    ReleaseCanary canary;
    PipelineRun run;
    Endpoint now;
    bool found;

    if (!pipeline_run_find(scope, begin->start->run->id, &run))
        return false;
    if (run.cancelled_at)
        return fail(&scope->error, ERROR_CONFLICT, "the run was cancelled");
    if (!release_canary_find(scope, run.id, &canary, &found) ||
        !endpoint_find(scope, begin->judged.name, &now))
        return false;
    if (!found)
        return check_free(scope, begin, &now);
    return now.candidate.id == canary.candidate_id || release_canary_superseded(scope, &canary);
}

static bool write_begin(Scope *scope, AttemptEnd *end)
{
    const Begin *begin = end->context;

    if (!check_place(scope, begin) || !release_canary_begin(scope, begin->start, &begin->version))
        return false;
    CRASH_POINT("release: candidate set, not committed");
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    Begin *begin = arena_new(scope->arena, Begin);

    begin->start = step->start;
    if (!release_version(scope, step->start, &begin->version) ||
        !release_endpoint(scope, step->start, &begin->judged) ||
        !release_check_champion(scope, step->start, &begin->judged, NULL) ||
        !serving_prepare_new(step->serving, scope, begin->version.package))
        return false;
    end->write = write_begin;
    end->context = begin;
    end->reloads = true;
    end->holds = true;
    return true;
}

const Builtin builtin_release_canary = {
    .name = RELEASE_CANARY,
    .inputs = release_inputs,
    .finish = finish,
    .skip = skip,
    .approved_as = RELEASE_PRODUCTION,
};

/* builtin_release.c: the steps of a release; see release.h. */

#include <inttypes.h>
#include <string.h>

#include "base/crash.h"
#include "pipelines/builtin_release.h"
#include "pipelines/pipeline_tell.h"
#include "pipelines/release_canary.h"
#include "pipelines/smoke.h"
#include "serving/serving.h"

/* ---- what is released ---- */

typedef struct Found {
    const char *model; /* NULL: none was found */
    int64_t number;
} Found;

/* By the last step before this one that uses the built-in. */
static bool find_made(Scope *scope, const StepStart *start, const char *uses, Found *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT spec, result FROM pipeline_steps WHERE run_id = $1"
                           " AND position < $2 AND status = 'succeeded' AND result IS NOT NULL"
                           " ORDER BY position DESC",
                           db_text(start->run->id), db_int(start->row->position));

    *found = (Found){0};
    while (!found->model && query_next(&query)) {
        const char *spec_text = query_text(&query, 0, scope->arena);
        const char *text = query_text(&query, 1, scope->arena);
        const JsonValue *spec, *result;

        if (!json_parse(spec_text, strlen(spec_text), scope->arena, &spec, &scope->error) ||
            !json_parse(text, strlen(text), scope->arena, &result, &scope->error))
            return false;
        if (!text_equal(json_as_text(json_member(spec, "uses"), NULL), uses))
            continue;
        found->model = json_as_text(json_member(result, "model"), NULL);
        found->number = json_as_int(json_member(result, "version"), 0);
    }
    return query_end(&query, &scope->error);
}

bool release_version(Scope *scope, const StepStart *start, ModelVersion *version)
{
    Found found;

    if (!find_made(scope, start, "train", &found) ||
        (!found.model && !find_made(scope, start, "register", &found)))
        return false;
    return found.model ? model_version_find(scope, found.model, found.number, version)
                       : fail(&scope->error, ERROR_CONFLICT,
                              "no step of the run has trained or registered a version");
}

bool release_endpoint(Scope *scope, const StepStart *start, Endpoint *endpoint)
{
    return endpoint_find(scope, builtin_with(start, "endpoint"), endpoint);
}

bool release_inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    ModelVersion version;

    if (!release_version(scope, start, &version))
        return false;
    json_text(json, "candidate",
              arena_format(scope->arena, "%s@%" PRId64, version.model, version.version));
    json_text(json, "package", version.package);
    return true;
}

static void open_result(JsonWriter *json, const char *outcome, const char *reason)
{
    json_open_object(json, NULL);
    json_text(json, "outcome", outcome);
    json_text(json, "reason", reason);
}

/* ---- the gate ---- */

typedef struct Judged {
    Gate gate;
    Endpoint endpoint;
    const PipelineRun *run;
} Judged;

static bool is_accepted(const Gate *gate)
{
    return strcmp(gate->outcome, "accepted") == 0;
}

static bool write_gate(Scope *scope, AttemptEnd *end)
{
    Judged *judged = end->context;

    return gate_record(scope, &judged->gate) &&
           (is_accepted(&judged->gate) ||
            release_tell_declined(scope, &judged->gate, &judged->endpoint, judged->run));
}

static bool serves(const Endpoint *endpoint, const ModelVersion *version)
{
    return endpoint->model && strcmp(endpoint->model, version->model) == 0 &&
           endpoint->version == version->version;
}

static bool finish_gate(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    JsonWriter *json = json_writer_create(scope->arena);
    Judged *judged = arena_new(scope->arena, Judged);
    ModelVersion version;
    Endpoint endpoint;

    if (!release_version(scope, step->start, &version) ||
        !release_endpoint(scope, step->start, &endpoint))
        return false;
    if (serves(&endpoint, &version)) {
        open_result(
            json, "current",
            arena_format(scope->arena, "version %" PRId64 " serves already", version.version));
        json_close(json);
        end->result = json_finish(json);
        return true;
    }
    *judged = (Judged){gate_judge(scope, &endpoint, &version), endpoint, step->start->run};
    end->write = write_gate;
    end->context = judged;
    open_result(json, judged->gate.outcome, judged->gate.reason);
    json_raw(json, "verdict", judged->gate.verdict);
    json_close(json);
    end->result = json_finish(json);
    if (!is_accepted(&judged->gate)) {
        end->status = "failed";
        end->reason =
            arena_format(scope->arena, "%s: %s", judged->gate.outcome, judged->gate.reason);
    }
    return true;
}

/* ---- serving ---- */

typedef struct Release {
    DeploySpec deploy;
    Endpoint judged; /* as it served when the gate judged */
    bool is_production;
    JsonWriter *json; /* the result, open */
} Release;

/* Numbers are a model's own: another model may have the same. */
static bool is_champion(const Endpoint *endpoint, const JsonValue *champion)
{
    return text_equal(endpoint->model, json_as_text(json_member(champion, "model"), NULL)) &&
           endpoint->version == json_as_int(json_member(champion, "version"), 0);
}

bool release_check_champion(Scope *scope, const StepStart *start, const Endpoint *endpoint,
                            const char **verdict)
{
    const JsonValue *result;
    PipelineStep gate;

    if (!pipeline_step_find(scope, start->run->id, "release.gate", &gate) || !gate.result ||
        !json_parse(gate.result, strlen(gate.result), scope->arena, &result, &scope->error))
        return fail(&scope->error, ERROR_CONFLICT, "the gate has left no verdict");
    if (verdict)
        *verdict = json_print(json_member(result, "verdict"), scope->arena);
    if (is_champion(endpoint, json_member(json_member(result, "verdict"), "champion")))
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                RELEASE_SUPERSEDED "endpoint \"%s\" has changed since the gate judged; run again",
                endpoint->name);
}

const char *release_comment(const PipelineRun *run, Arena *arena)
{
    return arena_format(arena, "pipeline run %s#%" PRId64, run->project, run->number);
}

static bool write_deployment(Scope *scope, AttemptEnd *end)
{
    Release *release = end->context;
    Endpoint now, endpoint;

    if (release->is_production) {
        if (!endpoint_find(scope, release->judged.name, &now))
            return false;
        if (now.deployment_id != release->judged.deployment_id)
            return fail(&scope->error, ERROR_UNAVAILABLE, "endpoint \"%s\" has just changed",
                        now.name);
    }
    if (!endpoint_deploy(scope, &release->deploy, &endpoint))
        return false;
    CRASH_POINT("release: deployed, not committed");
    json_int(release->json, "deployment", endpoint.deployment_id);
    json_close(release->json);
    end->result = json_finish(release->json);
    return true;
}

static Release *new_release(Scope *scope, const StepStart *start, const ModelVersion *version,
                            const Endpoint *endpoint, const char *name)
{
    Release *release = arena_new(scope->arena, Release);

    release->judged = *endpoint;
    release->json = json_writer_create(scope->arena);
    release->deploy = (DeploySpec){
        .endpoint = name,
        .project = endpoint->project,
        .model = version->model,
        .version = version->version,
        .reason = "release",
        .comment = release_comment(start->run, scope->arena),
    };
    open_result(release->json, "deployed", NULL);
    json_text(release->json, "endpoint", release->deploy.endpoint);
    json_text(release->json, "model", version->model);
    json_int(release->json, "version", version->version);
    json_text(release->json, "package", version->package);
    return release;
}

static bool deploy_to_staging(Scope *scope, void *context)
{
    Release *release = context;
    Endpoint endpoint;

    return endpoint_ensure(scope, release->deploy.endpoint, release->deploy.project, &endpoint) &&
           endpoint_deploy(scope, &release->deploy, &endpoint);
}

/* Staging serves before the smoke test, so it is written before; to deploy what is deployed changes
 * nothing. */
static bool finish_staging(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    ModelVersion version;
    Endpoint endpoint;
    Release *release;

    if (!release_version(scope, step->start, &version) ||
        !release_endpoint(scope, step->start, &endpoint))
        return false;
    release = new_release(scope, step->start, &version, &endpoint,
                          arena_format(scope->arena, "%s" ENDPOINT_STAGING_SUFFIX, endpoint.name));
    if (!serving_prepare_new(step->serving, scope, version.package) ||
        !scope_write(scope, deploy_to_staging, release) || !serving_reload(step->serving, scope))
        return false;
    CRASH_POINT("release: at staging, not tested");
    if (!smoke_test(scope, step, release->deploy.endpoint, &version, release->json))
        return false;
    json_close(release->json);
    end->result = json_finish(release->json);
    return true;
}

/* What was approved is what was tried is what goes live. */
static bool write_promotion(Scope *scope, AttemptEnd *end)
{
    Release *release = end->context;
    Endpoint endpoint;

    if (!release_canary_promote(scope, end->attempt->run_id, &release->deploy, &endpoint))
        return false;
    CRASH_POINT("release: promoted, not committed");
    json_int(release->json, "deployment", endpoint.deployment_id);
    json_close(release->json);
    end->result = json_finish(release->json);
    return true;
}

/* Whether the step before was a share of the traffic that went well. */
static bool was_tried(Scope *scope, const StepStart *start, bool *tried)
{
    PipelineStep before;

    *tried = false;
    if (!builtin_with(start, "traffic"))
        return true;
    if (!pipeline_step_at(scope, start->run->id, start->row->position - 1, &before))
        return false;
    *tried = strcmp(before.status, "succeeded") == 0;
    return true;
}

static bool finish_production(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    ModelVersion version;
    Endpoint endpoint;
    Release *release;
    const char *verdict;
    bool tried;

    if (!release_version(scope, step->start, &version) ||
        !release_endpoint(scope, step->start, &endpoint) ||
        !release_check_champion(scope, step->start, &endpoint, &verdict) ||
        !was_tried(scope, step->start, &tried) ||
        !serving_prepare_new(step->serving, scope, version.package))
        return false;
    release = new_release(scope, step->start, &version, &endpoint, endpoint.name);
    release->is_production = true;
    release->deploy.gate = verdict;
    end->write = tried ? write_promotion : write_deployment;
    end->context = release;
    end->reloads = true;
    return true;
}

const Builtin builtin_release_gate = {
    .name = "release.gate", .inputs = release_inputs, .finish = finish_gate};
const Builtin builtin_release_staging = {
    .name = RELEASE_STAGING, .inputs = release_inputs, .finish = finish_staging};
const Builtin builtin_release_production = {
    .name = "release.production", .inputs = release_inputs, .finish = finish_production};

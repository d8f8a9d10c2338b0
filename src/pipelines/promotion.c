#include "pipelines/promotion.h"

#include <inttypes.h>
#include <string.h>

#include "base/crash.h"
#include "pipelines/by_hand.h"
#include "pipelines/pipeline_tell.h"
#include "pipelines/version_name.h"

const JsonField promotion_spec_fields[] = {
    {"model", JSON_TEXT, offsetof(PromotionSpec, model), JSON_OPTIONAL,
     "The registered model. Named as the endpoint's project if absent."},
    {"version", JSON_ANY, offsetof(PromotionSpec, version), JSON_OPTIONAL,
     "A number, \"latest\" or an alias. The latest if absent."},
    {"comment", JSON_TEXT, offsetof(PromotionSpec, comment), JSON_OPTIONAL, "Why, for the record."},
    {0},
};

static bool find_both(Scope *scope, const PromotionSpec *spec, Endpoint *endpoint,
                      ModelVersion *version)
{
    const char *model;

    if (!endpoint_find(scope, spec->endpoint, endpoint))
        return false;
    model = spec->model ? spec->model : endpoint->project;
    if (!version_name_resolve(scope, model, spec->version, version) ||
        !model_version_need_package(scope, version))
        return false;
    if (endpoint->model && strcmp(endpoint->model, version->model) == 0 &&
        endpoint->version == version->version)
        return fail(&scope->error, ERROR_CONFLICT,
                    "version %" PRId64 " of \"%s\" serves at endpoint \"%s\" already",
                    version->version, version->model, endpoint->name);
    return true;
}

typedef struct Write {
    const PromotionSpec *spec;
    const Endpoint *judged; /* as it served when it was judged */
    Promotion *promotion;
} Write;

/* Two promotions at once are both judged against the same champion; only the first may win. */
static bool check_champion(Scope *scope, const Write *write)
{
    Endpoint now;

    if (!endpoint_find(scope, write->judged->name, &now))
        return false;
    return now.deployment_id == write->judged->deployment_id ||
           fail(&scope->error, ERROR_CONFLICT,
                "endpoint \"%s\" has changed since the gate judged; promote again", now.name);
}

static bool write_accepted(Scope *scope, void *context)
{
    Write *write = context;
    Gate *gate = &write->promotion->gate;
    DeploySpec deploy = {
        .endpoint = write->judged->name,
        .project = write->judged->project,
        .model = gate->model,
        .version = gate->version,
        .reason = "promote",
        .comment = write->spec->comment,
        .gate = gate->verdict,
    };

    scope->topic.project = write->judged->project;
    if (!check_champion(scope, write) || !gate_record(scope, gate))
        return false;
    CRASH_POINT("promotion: gate recorded, not deployed");
    return by_hand_deploy(scope, &deploy, &write->promotion->endpoint);
}

static bool write_declined(Scope *scope, void *context)
{
    Write *write = context;

    scope->topic.project = write->judged->project;
    return gate_record(scope, &write->promotion->gate) &&
           release_tell_declined(scope, &write->promotion->gate, write->judged, NULL);
}

/* Before the gate judges in vain; the write looks again. */
static bool check_rules(Scope *scope, const PromotionSpec *spec, const ModelVersion *version)
{
    DeploySpec deploy = {.endpoint = spec->endpoint,
                         .model = version->model,
                         .version = version->version,
                         .reason = "promote",
                         .comment = spec->comment};

    return by_hand_check(scope, &deploy);
}

bool promotion_run(Scope *scope, const PromotionSpec *spec, Promotion *promotion)
{
    Promotion made = {0};
    ModelVersion version;
    Endpoint endpoint;
    Write write = {spec, &endpoint, &made};

    if (!find_both(scope, spec, &endpoint, &version) || !check_rules(scope, spec, &version))
        return false;
    made.endpoint = endpoint;
    made.gate = gate_judge(scope, &endpoint, &version);
    CRASH_POINT("promotion: judged, nothing written");
    made.promoted = strcmp(made.gate.outcome, "accepted") == 0;
    if (!scope_write(scope, made.promoted ? write_accepted : write_declined, &write))
        return false;
    *promotion = made;
    return true;
}

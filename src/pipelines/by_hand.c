#include "pipelines/by_hand.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "access/identity.h"
#include "access/token.h"
#include "base/time.h"
#include "pipelines/originator.h"
#include "pipelines/step_token.h"

/* What is asked of the rules, and what came of it. */
typedef struct Passage {
    const char *endpoint, *model, *reason, *comment;
    int64_t version;
    Environment environment;
    bool has_people;     /* there are tokens that may approve */
    TextList overridden; /* rules that an owner has set aside: "branches", "windows" */
} Passage;

static const char *environment_of(const char *endpoint)
{
    return text_has_suffix(endpoint, ENDPOINT_STAGING_SUFFIX) ? ENVIRONMENT_STAGING
                                                              : ENVIRONMENT_PRODUCTION;
}

static bool has_comment(const Passage *passage)
{
    return passage->comment && passage->comment[strspn(passage->comment, " \t\r\n")];
}

/* ---- branches and windows ---- */

/* An owner may, and says why. */
static bool override(Scope *scope, Passage *passage, const char *rule)
{
    if (scope->principal.role < ROLE_OWNER || !has_comment(passage))
        return false;
    text_list_add(&passage->overridden, scope->arena, rule);
    return true;
}

static bool check_branch(Scope *scope, Passage *passage)
{
    if (environment_rules_take_branch(&passage->environment.rules, NULL) ||
        override(scope, passage, "branches"))
        return true;
    return fail(
        &scope->error, ERROR_CONFLICT,
        "environment \"%s\" takes certain branches only, and what is deployed by hand is of "
        "none: release it by a run of its pipeline, or an owner says why (--comment)",
        passage->environment.name);
}

static bool check_window(Scope *scope, Passage *passage)
{
    int64_t now = time_now_ms(), next;
    char text[TIME_TEXT_SIZE];

    if (!environment_rules_next(&passage->environment.rules, now, scope->arena, &next,
                                &scope->error))
        return false;
    if (next == now || override(scope, passage, "windows"))
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                "environment \"%s\" is closed until %s: wait, or an owner says why not (--comment)",
                passage->environment.name, next == INT64_MAX ? "ever" : time_format(next, text));
}

/* ---- approvals ---- */

/* Those of the pipeline's run that trained it; none if no run of a pipeline did. */
static bool find_originators(Scope *scope, const ModelVersion *version, OriginatorList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT r.originators FROM step_attempts a"
                           " JOIN pipeline_runs r ON r.id = a.run_id WHERE a.tracked_run = $1",
                           db_text(version->run_id));

    if (version->run_id && query_next(&query) &&
        !originators_parse(query_text(&query, 0, scope->arena), scope->arena, list, &scope->error))
        return false;
    return query_end(&query, &scope->error);
}

/* What a step has registered is of those who caused its run; the version says of which run it is,
 * but that is what the step wanted. */
static bool add_creator(Scope *scope, const char *name, OriginatorList *makers)
{
    OriginatorList list = {0};
    const PipelineRun *run;

    if (!step_token_run_of(scope, name, &run))
        return false;
    if (run && !originators_parse(run->originators, scope->arena, &list, &scope->error))
        return false;
    if (!list.count) /* no step; or one whose run is of nobody, and then it stays unknown */
        originators_add(&list, scope->arena, (Originator){name, ORIGINATOR_MADE});
    originators_add_all(makers, scope->arena, &list);
    return true;
}

static bool find_makers(Scope *scope, const Passage *passage, OriginatorList *makers)
{
    ModelVersion version;

    if (!model_version_find(scope, passage->model, passage->version, &version) ||
        !find_originators(scope, &version, makers))
        return false;
    return ((makers->count && strcmp(version.created_by, PRINCIPAL_SERVER) == 0) ||
            add_creator(scope, version.created_by, makers)) &&
           originators_resolve(scope, makers);
}

static bool check_eyes(Scope *scope, const Passage *passage)
{
    OriginatorList makers = {0};
    const Originator *maker;
    const char *person;

    if (!find_makers(scope, passage, &makers) || !identity_of_caller(scope, &person))
        return false;
    maker = originators_find(&makers, person);
    if (maker)
        return fail(
            &scope->error, ERROR_FORBIDDEN,
            "environment \"%s\" demands four eyes, and \"%s\" has %s what made version "
            "%" PRId64 " of \"%s\": somebody else deploys it, or release it by a run of its "
            "pipeline",
            passage->environment.name, person, maker->did, passage->version, passage->model);
    return originators_are_known(&makers) ||
           fail(&scope->error, ERROR_FORBIDDEN,
                "environment \"%s\" demands four eyes, and nobody knows who made version %" PRId64
                " of \"%s\", so it takes two people: release it by a run of its pipeline",
                passage->environment.name, passage->version, passage->model);
}

static bool check_approvals(Scope *scope, const Passage *passage)
{
    const EnvironmentRules *rules = &passage->environment.rules;

    if (!rules->approvals)
        return true;
    if (scope->principal.role < ROLE_APPROVER)
        return fail(&scope->error, ERROR_FORBIDDEN, "this needs the role approver");
    if (rules->approvals > 1)
        return fail(&scope->error, ERROR_FORBIDDEN,
                    "environment \"%s\" demands %" PRId64 " approvals, and by hand there is one: "
                    "release it by a run of its pipeline",
                    passage->environment.name, rules->approvals);
    if (passage->has_people && !has_comment(passage))
        return fail_field(
            &scope->error, "comment",
            "environment \"%s\" demands an approval, and by hand it is yours: say why "
            "in \"comment\" (--comment)",
            passage->environment.name);
    return !rules->four_eyes || check_eyes(scope, passage);
}

/* ---- passing ---- */

static bool check(Scope *scope, Passage *passage)
{
    int64_t approvers;

    if (!environment_find(scope, environment_of(passage->endpoint), &passage->environment) ||
        !token_count_approvers(scope, &approvers))
        return false;
    passage->has_people = approvers > 0;
    return check_approvals(scope, passage) && check_branch(scope, passage) &&
           check_window(scope, passage);
}

/* On a server without tokens there is one person, whose deployments are events anyway. */
static bool append(Scope *scope, const Passage *passage)
{
    JsonWriter *json = json_writer_create(scope->arena);

    if (!passage->overridden.count &&
        !(passage->has_people && passage->environment.rules.approvals))
        return true;
    json_open_object(json, NULL);
    {
        json_text(json, "endpoint", passage->endpoint);
        json_text(json, "model", passage->model);
        json_int(json, "version", passage->version);
        json_text(json, "reason", passage->reason);
        json_text(json, "comment", passage->comment);
        json_texts(json, "overridden", &passage->overridden);
        environment_write_json(json, "rules", &passage->environment);
    }
    json_close(json);
    return event_append(scope, "environment.bypassed", passage->environment.name,
                        json_finish(json));
}

/* The model may be that of the endpoint, and either may not be there yet. */
static bool find_endpoint(Scope *scope, const char *name, Endpoint *endpoint)
{
    *endpoint = (Endpoint){0};
    if (endpoint_find(scope, name, endpoint))
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static Passage passage_of(const DeploySpec *spec)
{
    return (Passage){.endpoint = spec->endpoint,
                     .model = spec->model,
                     .version = spec->version,
                     .reason = spec->reason,
                     .comment = spec->comment};
}

bool by_hand_check(Scope *scope, const DeploySpec *spec)
{
    Passage passage = passage_of(spec);

    return check(scope, &passage);
}

bool by_hand_deploy(Scope *scope, const DeploySpec *spec, Endpoint *endpoint)
{
    Passage passage = passage_of(spec);

    return check(scope, &passage) && endpoint_deploy(scope, spec, endpoint) &&
           append(scope, &passage);
}

/* ---- candidates ---- */

/* *is_free: it answers nobody, or fewer than it did. */
static bool read_candidate(Scope *scope, const CandidateSpec *spec, Passage *passage, bool *is_free)
{
    const Candidate *now;
    Endpoint endpoint;

    if (!find_endpoint(scope, spec->endpoint, &endpoint))
        return false;
    now = &endpoint.candidate;
    *passage = (Passage){.endpoint = spec->endpoint,
                         .model = spec->model ? spec->model : endpoint.model,
                         .version = spec->version,
                         .reason = "candidate",
                         .comment = spec->comment};
    *is_free = !endpoint.model || spec->is_shadow || spec->share == 0 ||
               (now->id && !now->is_shadow && text_equal(now->model, passage->model) &&
                now->version == spec->version && spec->share <= now->share);
    return true;
}

bool by_hand_check_candidate(Scope *scope, const CandidateSpec *spec)
{
    Passage passage;
    bool is_free;

    return read_candidate(scope, spec, &passage, &is_free) && (is_free || check(scope, &passage));
}

bool by_hand_set_candidate(Scope *scope, const CandidateSpec *spec, Endpoint *endpoint)
{
    Passage passage;
    bool is_free;

    return read_candidate(scope, spec, &passage, &is_free) && (is_free || check(scope, &passage)) &&
           endpoint_candidate_set(scope, spec, endpoint) && (is_free || append(scope, &passage));
}

/* candidates.c: what an endpoint tries beside its live version */

#include <math.h>

#include "api/api.h"
#include "base/crash.h"
#include "pipelines/by_hand.h"
#include "pipelines/version_name.h"
#include "serving/serving.h"

enum { TAKE_DOWN_TRIES = 3 };

typedef struct CandidateBody {
    const char *model, *comment;
    const JsonValue *version;
    double share; /* in percent; NaN: not given */
    bool is_shadow;
} CandidateBody;

static const JsonField candidate_fields[] = {
    {"version", JSON_ANY, offsetof(CandidateBody, version), JSON_OPTIONAL,
     "a number, \"latest\" or an alias; the one that is tried already"},
    {"model", JSON_TEXT, offsetof(CandidateBody, model), JSON_OPTIONAL,
     "a registered model; the one that is live"},
    {"share", JSON_NUMBER, offsetof(CandidateBody, share), JSON_OPTIONAL,
     "percent of the requests that it answers: 0 to 100, in steps of 0.1"},
    {"shadow", JSON_BOOL, offsetof(CandidateBody, is_shadow), JSON_OPTIONAL,
     "instead of a share: it is asked beside the live version, and answers nobody"},
    {"comment", JSON_TEXT, offsetof(CandidateBody, comment), JSON_OPTIONAL,
     "why; needed for a share of 100, for the gate is not asked"},
    {0},
};

/* Percent as thousandths; what is none of them becomes what endpoint_candidate_set() refuses. */
static int64_t share_of(double percent)
{
    double share = round(percent * SHARE_WHOLE / 100);

    if (!(percent >= 0 && percent <= 100) || fabs(percent * SHARE_WHOLE / 100 - share) > 1e-6)
        return -1;
    return (int64_t)share;
}

static bool check_body(const CandidateBody *body, Error *error)
{
    return body->is_shadow || !isnan(body->share) ||
           fail_field(error, "share", "give a share of the requests, or \"shadow\": true");
}

/* Absent, it is the version of another step of the same candidate. */
static bool find_version(Scope *scope, const CandidateBody *body, const Endpoint *endpoint,
                         ModelVersion *version)
{
    const Candidate *set = &endpoint->candidate;
    const char *model = body->model ? body->model : endpoint->model;

    if (json_is_null(body->version) && set->id && !body->model)
        return model_version_find(scope, set->model, set->version, version);
    if (json_is_null(body->version))
        return fail_field(&scope->error, "version",
                          "name the version to try: a number, \"latest\" or an alias");
    if (!model)
        return fail(&scope->error, ERROR_CONFLICT,
                    "nothing is deployed on endpoint \"%s\" that a candidate could be tried beside",
                    endpoint->name);
    return version_name_resolve(scope, model, body->version, version);
}

/* The package is tried in a child before anybody can be answered by it. */
static bool prepare(Scope *scope, const Request *request, const CandidateBody *body,
                    CandidateSpec *spec)
{
    const Application *application = request->application;
    ModelVersion version;
    Endpoint endpoint;

    if (!endpoint_find(scope, request_parameter(request, "name"), &endpoint) ||
        !find_version(scope, body, &endpoint, &version) ||
        !model_version_need_package(scope, &version))
        return false;
    *spec = (CandidateSpec){
        .endpoint = endpoint.name,
        .model = version.model,
        .version = version.version,
        .share = isnan(body->share) ? 0 : share_of(body->share),
        .is_shadow = body->is_shadow,
        .comment = body->comment,
    };
    return candidate_check(spec, &scope->error) && by_hand_check_candidate(scope, spec) &&
           (serving_prepare_new(application->serving, scope, version.package) ||
            fail_in(&scope->error, "the package did not pass its check"));
}

typedef struct CandidateWork {
    CandidateSpec spec;
    Endpoint endpoint;
} CandidateWork;

static bool do_set(Scope *scope, void *context)
{
    CandidateWork *work = context;

    return by_hand_set_candidate(scope, &work->spec, &work->endpoint);
}

static bool set_candidate(Scope *scope, const Request *request, Response *response)
{
    CandidateBody body = {.share = NAN};
    CandidateWork work = {0};

    if (!request_read(scope, request, candidate_fields, &body) ||
        !check_body(&body, &scope->error) || !prepare(scope, request, &body, &work.spec) ||
        !scope_write(scope, do_set, &work) ||
        !api_take_up(request->application, scope, work.endpoint.name, work.endpoint.candidate.id))
        return false;
    endpoint_write_json(response->json, NULL, &work.endpoint);
    return true;
}

static const JsonField clear_query[] = {
    {"comment", JSON_TEXT, offsetof(CandidateSpec, comment), JSON_OPTIONAL, "why"},
    {0},
};

typedef struct ClearWork {
    CandidateSpec spec;
    Endpoint endpoint;
    int64_t id; /* of the candidate that there was */
} ClearWork;

static bool do_clear(Scope *scope, void *context)
{
    ClearWork *work = context;
    Endpoint before;

    if (!endpoint_find(scope, work->spec.endpoint, &before))
        return false;
    work->id = before.candidate.id;
    return endpoint_candidate_clear(scope, work->spec.endpoint, work->spec.comment,
                                    &work->endpoint);
}

/* It is off the record already: what failed once is tried again. */
static bool take_down(const Application *application, Scope *scope, const ClearWork *work)
{
    bool serves = true;

    for (int i = 0; i < TAKE_DOWN_TRIES && serves; i++) {
        scope->error = (Error){0};
        serves = !serving_reload(application->serving, scope) &&
                 serving_serves(application->serving, work->spec.endpoint, work->id);
    }
    CRASH_POINT("candidate: taken down, not answered");
    return !serves;
}

static bool clear_candidate(Scope *scope, const Request *request, Response *response)
{
    ClearWork work = {0};

    if (!request_read_query(scope, request, clear_query, &work.spec))
        return false;
    work.spec.endpoint = request_parameter(request, "name");
    if (!scope_write(scope, do_clear, &work) || !take_down(request->application, scope, &work))
        return false;
    endpoint_write_json(response->json, NULL, &work.endpoint);
    return true;
}

static bool show_candidate(Scope *scope, const Request *request, Response *response)
{
    const Application *application = request->application;
    const char *name = request_parameter(request, "name");
    JsonWriter *json = response->json;
    SplitFigures figures;
    Endpoint endpoint;
    Error problem = {0};

    if (!endpoint_find(scope, name, &endpoint))
        return false;
    if (!endpoint.candidate.id)
        return fail(&scope->error, ERROR_NOT_FOUND, "endpoint \"%s\" has no candidate", name);
    json_open_object(json, NULL);
    candidate_write_json(json, "candidate", &endpoint.candidate);
    if (serving_figures(application->serving, name, scope->arena, &figures, &problem))
        split_figures_write_json(json, "figures", &figures);
    else
        json_null(json, "figures");
    json_text(json, "problem", problem.kind ? problem.message : NULL);
    json_close(json);
    return true;
}

static bool list_candidates(Scope *scope, const Request *request, Response *response)
{
    CandidateList list;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !endpoint_candidates(scope, request_parameter(request, "name"), &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "candidates");
    for (size_t i = 0; i < list.count; i++)
        candidate_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

const Route candidate_routes[] = {
    {"GET", "/api/v1/endpoints/{name}/candidate", ROLE_VIEWER, ROUTE_READ, show_candidate,
     "Show what is tried beside the live version, and what both did since."},
    {"PUT", "/api/v1/endpoints/{name}/candidate", ROLE_APPROVER, ROUTE_SLOW, set_candidate,
     "Check a model version in a process of its own, then let it answer a share of the requests, "
     "or be asked in secret.",
     candidate_fields},
    {"DELETE", "/api/v1/endpoints/{name}/candidate", ROLE_APPROVER, ROUTE_SLOW, clear_candidate,
     "Try nothing any more: the live version answers all.", .query = clear_query},
    {"GET", "/api/v1/endpoints/{name}/candidates", ROLE_VIEWER, ROUTE_READ, list_candidates,
     "List what was tried, the newest first.", NULL, page_by_number_fields},
    {0},
};

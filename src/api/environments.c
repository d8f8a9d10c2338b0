/* environments.c: /api/v1/environments: where releases go, and what is demanded there. */

#include "pipelines/environment.h"

#include "api/api.h"
#include "pipelines/scheduler.h"

static bool list_environments(Scope *scope, const Request *request, Response *response)
{
    EnvironmentList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !environment_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "environments");
    for (size_t i = 0; i < list.count; i++)
        environment_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

static bool show_environment(Scope *scope, const Request *request, Response *response)
{
    Environment environment;

    if (!environment_find(scope, request_parameter(request, "name"), &environment))
        return false;
    environment_write_json(response->json, NULL, &environment);
    return true;
}

typedef struct SetWork {
    const Request *request;
    Environment environment;
} SetWork;

/* What is not said stays as it is, so reading comes within the write. */
static bool write_set(Scope *scope, void *context)
{
    SetWork *work = context;
    const char *name = request_parameter(work->request, "name");
    Environment now;

    return environment_get(scope, name, &now) &&
           request_read(scope, work->request, environment_rules_fields, &now.rules) &&
           environment_set(scope, name, &now.rules, &work->environment);
}

static bool set_environment(Scope *scope, const Request *request, Response *response)
{
    SetWork work = {.request = request};

    if (!scope_write(scope, write_set, &work))
        return false;
    scheduler_wake(((const Application *)request->application)->scheduler);
    environment_write_json(response->json, NULL, &work.environment);
    return true;
}

const Route environment_routes[] = {
    {"GET", "/api/v1/environments", ROLE_VIEWER, ROUTE_READ, list_environments,
     "List the environments that were set, by name.", NULL, page_by_name_fields},
    {"GET", "/api/v1/environments/{name}", ROLE_VIEWER, ROUTE_READ, show_environment,
     "Show what an environment demands."},
    {"PUT", "/api/v1/environments/{name}", ROLE_OWNER, ROUTE_SLOW, set_environment,
     "Set what an environment demands before anything begins there; what is not given stays as it "
     "is.",
     environment_rules_fields},
    {0},
};

/* retentions.c: /api/v1/retentions: how many runs of pipelines are kept, and for how long. */

#include "pipelines/retention.h"

#include "api/api.h"

static bool list_retentions(Scope *scope, const Request *request, Response *response)
{
    RetentionList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !retention_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "retentions");
    for (size_t i = 0; i < list.count; i++)
        retention_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].project : NULL);
    json_close(response->json);
    return true;
}

static bool set_retention(Scope *scope, const Request *request, Response *response)
{
    RetentionSpec spec = {0};
    Retention retention;

    if (!request_read(scope, request, retention_spec_fields, &spec) ||
        !retention_set(scope, request_parameter(request, "project"), &spec, &retention))
        return false;
    retention_write_json(response->json, NULL, &retention);
    return true;
}

static bool remove_retention(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return retention_remove(scope, request_parameter(request, "project"));
}

const Route retention_routes[] = {
    {"GET", "/api/v1/retentions", ROLE_VIEWER, ROUTE_READ, list_retentions,
     "List how many runs of pipelines are kept, by project; \"*\" is for all others.", NULL,
     page_by_name_fields},
    {"PUT", "/api/v1/retentions/{project}", ROLE_OWNER, ROUTE_WRITE, set_retention,
     "Say how many runs of a project's pipeline are kept, and for how long; \"*\": of all that "
     "have "
     "no rule of their own.",
     retention_spec_fields},
    {"DELETE", "/api/v1/retentions/{project}", ROLE_OWNER, ROUTE_WRITE, remove_retention,
     "The project has no rule of its own any more."},
    {0},
};

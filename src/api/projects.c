/* projects.c: /api/v1/projects */

#include "api/api.h"
#include "pipelines/project.h"

static bool list_projects(Scope *scope, const Request *request, Response *response)
{
    ProjectList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !project_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "projects");
    for (size_t i = 0; i < list.count; i++)
        project_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

static bool show_project(Scope *scope, const Request *request, Response *response)
{
    Project project;

    if (!project_find(scope, request_parameter(request, "project"), &project))
        return false;
    project_write_json(response->json, NULL, &project);
    return true;
}

typedef struct ProjectWork {
    const Request *request;
    ProjectChange change;
} ProjectWork;

static bool do_put(Scope *scope, void *context)
{
    ProjectWork *work = context;

    return project_put(scope, request_parameter(work->request, "project"), work->request->body,
                       work->request->body_size, &work->change);
}

static bool put_project(Scope *scope, const Request *request, Response *response)
{
    ProjectWork work = {.request = request};

    if (!scope_write(scope, do_put, &work))
        return false;
    api_show_endpoints(request->application, scope);
    response->status = work.change.is_new ? 201 : 200;
    project_change_write_json(response->json, NULL, &work.change);
    return true;
}

typedef struct CheckBody {
    const char *data;
} CheckBody;

static const JsonField check_fields[] = {
    {"data", JSON_TEXT, offsetof(CheckBody, data), JSON_OPTIONAL,
     "comments, or a version: comments@3; absent: the project's only data set, the latest"},
    {0},
};

static bool check_data(Scope *scope, const Request *request, Response *response)
{
    ProjectCheck check = {.project = request_parameter(request, "project")};
    CheckBody body = {0};

    if (!request_read(scope, request, check_fields, &body))
        return false;
    check.data = body.data;
    if (!project_check_data(scope, &check))
        return false;
    project_check_write_json(response->json, NULL, &check);
    return true;
}

const Route project_routes[] = {
    {"GET", "/api/v1/projects", ROLE_VIEWER, ROUTE_READ, list_projects,
     "List the projects, by name.", NULL, page_by_name_fields},
    {"GET", "/api/v1/projects/{project}", ROLE_VIEWER, ROUTE_READ, show_project,
     "Show a project and its file."},
    {"PUT", "/api/v1/projects/{project}", ROLE_CONTRIBUTOR, ROUTE_SLOW, put_project,
     "Put a project's slipway.yaml. It may tighten the gate of an endpoint that exists, never "
     "loosen it.",
     .body_kind = BODY_TEXT, .body_bytes_max = 1024 * 1024},
    {"POST", "/api/v1/projects/{project}/check-data", ROLE_CONTRIBUTOR, ROUTE_SLOW, check_data,
     "Look whether a version of a data set is what the project's file expects.", check_fields},
    {0},
};

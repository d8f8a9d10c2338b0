/* workspaces.c: /api/v1/workspaces: groups of experiments, and what their files may be together. */

#include "tracking/workspace.h"

#include "api/api.h"

static bool list_workspaces(Scope *scope, const Request *request, Response *response)
{
    WorkspaceList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !workspace_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "workspaces");
    for (size_t i = 0; i < list.count; i++)
        workspace_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

static void write_shares(JsonWriter *json, const WorkspaceShareList *list)
{
    json_open_array(json, "experiments");
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(json, NULL);
        json_int(json, "id", list->items[i].experiment_id);
        json_text(json, "name", list->items[i].experiment);
        json_int(json, "artifact_bytes", list->items[i].artifact_bytes);
        json_close(json);
    }
    json_close(json);
}

static bool show_workspace(Scope *scope, const Request *request, Response *response)
{
    WorkspaceShareList shares = {0};
    Workspace workspace;

    if (!workspace_find(scope, request_parameter(request, "name"), &workspace) ||
        !workspace_shares(scope, &workspace, &shares))
        return false;
    json_open_object(response->json, NULL);
    workspace_write_json(response->json, "workspace", &workspace);
    write_shares(response->json, &shares);
    json_close(response->json);
    return true;
}

static bool set_workspace(Scope *scope, const Request *request, Response *response)
{
    WorkspaceSpec spec = {0};
    Workspace workspace;

    if (!request_read(scope, request, workspace_spec_fields, &spec) ||
        !workspace_set(scope, request_parameter(request, "name"), &spec, &workspace))
        return false;
    workspace_write_json(response->json, NULL, &workspace);
    return true;
}

static bool remove_workspace(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return workspace_remove(scope, request_parameter(request, "name"));
}

typedef struct MoveBody {
    const char *experiment;
} MoveBody;

static const JsonField move_body[] = {
    {"experiment", JSON_TEXT, offsetof(MoveBody, experiment), JSON_REQUIRED, "its name"},
    {0},
};

static bool move_experiment(Scope *scope, const Request *request, Response *response)
{
    MoveBody body = {0};
    Workspace workspace;

    if (!request_read(scope, request, move_body, &body) ||
        !workspace_move(scope, body.experiment, request_parameter(request, "name"), &workspace))
        return false;
    workspace_write_json(response->json, NULL, &workspace);
    return true;
}

const Route workspace_routes[] = {
    {"GET", "/api/v1/workspaces", ROLE_VIEWER, ROUTE_READ, list_workspaces,
     "List the workspaces, with what their files are and may be together.", NULL,
     page_by_name_fields},
    {"GET", "/api/v1/workspaces/{name}", ROLE_VIEWER, ROUTE_READ, show_workspace,
     "Show a workspace, and the 100 experiments that have most of it."},
    {"PUT", "/api/v1/workspaces/{name}", ROLE_OWNER, ROUTE_WRITE, set_workspace,
     "Say what the files of a workspace may be together; makes it if it is missing.",
     workspace_spec_fields},
    {"DELETE", "/api/v1/workspaces/{name}", ROLE_OWNER, ROUTE_WRITE, remove_workspace,
     "Remove a workspace; its experiments are in \"default\" then."},
    {"POST", "/api/v1/workspaces/{name}/experiments", ROLE_OWNER, ROUTE_WRITE, move_experiment,
     "Move an experiment into a workspace.", move_body},
    {0},
};

/* run_artifacts.c: /api/v1/runs/{run_id}/artifacts. The path of a file is a query parameter,
 * because it has parts of its own. */

#include "api/api.h"
#include "base/file.h"
#include "tracking/run.h"

typedef struct PathQuery {
    const char *path;
} PathQuery;

static const JsonField path_query[] = {
    {"path", JSON_TEXT, offsetof(PathQuery, path), JSON_REQUIRED, "\"plots/roc.png\""},
    {0},
};

static bool read_path(Scope *scope, const Request *request, PathQuery *query)
{
    if (!request_read_query(scope, request, path_query, query))
        return false;
    return query->path || fail_field(&scope->error, "path", "\"path\" is missing");
}

static bool list_artifacts(Scope *scope, const Request *request, Response *response)
{
    Tree tree = {0};

    if (!run_artifacts(scope, request_parameter(request, "run_id"), &tree))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "artifacts");
    for (size_t i = 0; i < tree.count; i++) {
        json_open_object(response->json, NULL);
        json_text(response->json, "path", tree.items[i].path);
        json_int(response->json, "size", tree.items[i].size);
        json_text(response->json, "digest", tree.items[i].digest);
        json_close(response->json);
    }
    json_close(response->json);
    json_close(response->json);
    return true;
}

typedef struct Upload {
    const char *run_id, *path;
    Artifact artifact;
} Upload;

static bool log_upload(Scope *scope, void *context)
{
    const Upload *upload = context;

    return run_log_artifact(scope, upload->run_id, upload->path, &upload->artifact);
}

static bool put_artifact(Scope *scope, const Request *request, Response *response)
{
    Upload upload = {.run_id = request_parameter(request, "run_id")};
    PathQuery query = {0};
    int64_t size;
    Run run;

    if (!read_path(scope, request, &query) || !run_check_artifact_path(scope, query.path) ||
        !run_find(scope, upload.run_id, &run) || !request_body_size(scope, request, &size) ||
        !run_check_room(scope, &run, query.path, size) ||
        !request_store_body(scope, request, &upload.artifact))
        return false;
    upload.path = query.path;
    if (!scope_write(scope, log_upload, &upload))
        return false;
    json_open_object(response->json, NULL);
    json_text(response->json, "path", upload.path);
    json_int(response->json, "size", upload.artifact.size);
    json_text(response->json, "digest", upload.artifact.digest);
    json_close(response->json);
    return true;
}

static bool download_artifact(Scope *scope, const Request *request, Response *response)
{
    PathQuery query = {0};
    TreeEntry entry;

    if (!read_path(scope, request, &query) ||
        !run_find_artifact(scope, request_parameter(request, "run_id"), query.path, &entry))
        return false;
    response->file = artifact_path(scope->platform->artifacts, entry.digest, scope->arena);
    response->content_type = "application/octet-stream";
    return file_exists(response->file) ||
           fail(&scope->error, ERROR_INTERNAL, "the bytes of artifact \"%.200s\" are missing",
                query.path);
}

const Route run_artifact_routes[] = {
    {"GET", "/api/v1/runs/{run_id}/artifacts", ROLE_VIEWER, ROUTE_READ, list_artifacts,
     "List the files of a run."},
    {"PUT", "/api/v1/runs/{run_id}/artifacts/file", ROLE_STEP, ROUTE_SLOW, put_artifact,
     "Store a file of a run; the body is its bytes.", NULL, path_query, BODY_FILE, FILE_BYTES_MAX},
    {"GET", "/api/v1/runs/{run_id}/artifacts/file", ROLE_VIEWER, ROUTE_READ, download_artifact,
     "Download a file of a run.", NULL, path_query},
    {0},
};

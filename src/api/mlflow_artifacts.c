/* mlflow_artifacts.c: the files of runs and models, by their paths in the tree that clients call
 * "mlflow-artifacts:", and by their run or model. */

#include <string.h>

#include "api/mlflow.h"
#include "tracking/artifact_place.h"
#include "tracking/logged_model.h"

enum { PAGE_UPLOAD_BYTES_MAX = 10 * 1024 * 1024 };

/* ---- by path ---- */

static bool find_place(Scope *scope, const Request *request, ArtifactPlace *place)
{
    const char *path;

    return artifact_path_read(scope, request_parameter(request, "path"), &path) &&
           artifact_place_find(scope, path, place);
}

static bool download(Scope *scope, const Request *request, Response *response)
{
    ArtifactPlace place;

    return find_place(scope, request, &place) && mlflow_answer_place(scope, &place, response);
}

typedef struct Upload {
    ArtifactPlace place;
    Artifact artifact;
} Upload;

static bool put(Scope *scope, void *context)
{
    const Upload *upload = context;

    return artifact_place_put(scope, &upload->place, &upload->artifact);
}

/* Where it cannot go, its bytes are not stored either. */
static bool store(Scope *scope, const Request *request, Upload *upload)
{
    int64_t size;

    return request_body_size(scope, request, &size) &&
           artifact_place_check_put(scope, &upload->place, size) &&
           request_store_body(scope, request, &upload->artifact) && scope_write(scope, put, upload);
}

static bool upload(Scope *scope, const Request *request, Response *response)
{
    Upload taken = {0};

    return find_place(scope, request, &taken.place) && store(scope, request, &taken) &&
           mlflow_answer_nothing(response);
}

static bool delete (Scope *scope, const Request *request, Response *response)
{
    ArtifactPlace place;

    return find_place(scope, request, &place) && artifact_place_delete(scope, &place) &&
           mlflow_answer_nothing(response);
}

typedef struct PlaceQuery {
    const char *run_id, *run_uuid, *model_id;
    const char *path;
    const char *page_token;
} PlaceQuery;

static const JsonField list_query[] = {
    {"path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_OPTIONAL, "\"0/<run>/artifacts/plots\""},
    {0},
};

static bool list(Scope *scope, const Request *request, Response *response)
{
    MlflowFolder folder = {.path = ""};
    PlaceQuery query = {0};
    ArtifactPlace place;

    return mlflow_read(scope, request, list_query, &query) &&
           artifact_path_read(scope, query.path, &query.path) &&
           artifact_place_find(scope, query.path, &place) &&
           mlflow_answer_folder(scope, &place, &folder, response);
}

/* ---- by run ---- */

static const JsonField run_list_query[] = {
    {"run_id", JSON_TEXT, offsetof(PlaceQuery, run_id), JSON_OPTIONAL, "the run"},
    {"run_uuid", JSON_TEXT, offsetof(PlaceQuery, run_uuid), JSON_OPTIONAL,
     "the same, of old clients"},
    {"path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_OPTIONAL, "a folder of it"},
    {"page_token", JSON_TEXT, offsetof(PlaceQuery, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static const JsonField run_file_query[] = {
    {"run_id", JSON_TEXT, offsetof(PlaceQuery, run_id), JSON_OPTIONAL, "the run"},
    {"run_uuid", JSON_TEXT, offsetof(PlaceQuery, run_uuid), JSON_OPTIONAL,
     "the same, of old clients"},
    {"path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_REQUIRED, "\"plots/roc.png\""},
    {0},
};

static bool find_run_place(Scope *scope, PlaceQuery *query, ArtifactPlace *place)
{
    return artifact_path_read(scope, query->path, &query->path) &&
           mlflow_require_run_id(scope, &query->run_id, query->run_uuid) &&
           artifact_place_of_run(scope, query->run_id, query->path, place);
}

static bool list_run(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};
    ArtifactPlace place;

    return mlflow_read(scope, request, run_list_query, &query) &&
           find_run_place(scope, &query, &place) &&
           mlflow_answer_folder(scope, &place,
                                &(MlflowFolder){place.uri, query.path, query.page_token}, response);
}

static bool download_of_run(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};
    ArtifactPlace place;

    return mlflow_read(scope, request, run_file_query, &query) &&
           find_run_place(scope, &query, &place) && mlflow_answer_place(scope, &place, response);
}

/* From a page, which has the file in memory. */
static bool upload_to_run(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};
    Upload taken = {0};

    if (!mlflow_read_query(scope, request, run_file_query, &query) ||
        !find_run_place(scope, &query, &taken.place))
        return false;
    if (!request->body_size && !request->body_file)
        return fail(&scope->error, ERROR_INVALID, "the body must be the bytes of the file");
    return store(scope, request, &taken) && mlflow_answer_nothing(response);
}

/* ---- by logged model ---- */

static const JsonField model_list_query[] = {
    {"artifact_directory_path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_OPTIONAL,
     "a folder of it"},
    {"page_token", JSON_TEXT, offsetof(PlaceQuery, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static const JsonField model_file_query[] = {
    {"artifact_file_path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_REQUIRED, "\"MLmodel\""},
    {0},
};

static bool find_model_place(Scope *scope, const Request *request, PlaceQuery *query,
                             ArtifactPlace *place, LoggedModel *model)
{
    return artifact_path_read(scope, query->path, &query->path) &&
           logged_model_find(scope, request_parameter(request, "model_id"), model) &&
           artifact_place_below(scope, model->artifact_uri, query->path, place);
}

static bool list_model(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};
    ArtifactPlace place;
    LoggedModel model;

    return mlflow_read(scope, request, model_list_query, &query) &&
           find_model_place(scope, request, &query, &place, &model) &&
           mlflow_answer_folder(scope, &place,
                                &(MlflowFolder){model.artifact_uri, query.path, query.page_token},
                                response);
}

static bool download_of_model(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};
    ArtifactPlace place;
    LoggedModel model;

    return mlflow_read(scope, request, model_file_query, &query) &&
           find_model_place(scope, request, &query, &place, &model) &&
           mlflow_answer_place(scope, &place, response);
}

/* ---- not by way of other stores ---- */

static const JsonField presign_body[] = {
    {"run_id", JSON_TEXT, offsetof(PlaceQuery, run_id), JSON_OPTIONAL, "the run, or"},
    {"model_id", JSON_TEXT, offsetof(PlaceQuery, model_id), JSON_OPTIONAL, "the logged model"},
    {"path", JSON_TEXT, offsetof(PlaceQuery, path), JSON_REQUIRED, "\"plots/roc.png\""},
    {0},
};

/* Clients then go through the server, as with MLflow's where the server keeps the files. */
static bool refuse_presigned(Scope *scope, const Request *request, Response *response)
{
    PlaceQuery query = {0};

    (void)response;
    return mlflow_read(scope, request, presign_body, &query) &&
           artifact_path_read(scope, query.path, &query.path) &&
           fail(&scope->error, ERROR_INVALID,
                "Presigned URLs are not supported for artifacts that are with this server; they go "
                "through it");
}

const Route mlflow_artifact_routes[] = {
    {"GET", "/api/2.0/mlflow-artifacts/artifacts/{*path}", ROLE_VIEWER, ROUTE_READ, download,
     "Download a file."},
    {"PUT", "/api/2.0/mlflow-artifacts/artifacts/{*path}", ROLE_STEP, ROUTE_SLOW, upload,
     "Store a file; the body is its bytes.", .body_kind = BODY_FILE,
     .body_bytes_max = FILE_BYTES_MAX},
    {"GET", "/api/2.0/mlflow-artifacts/artifacts", ROLE_VIEWER, ROUTE_READ, list,
     "List what is in a folder.", NULL, list_query},
    {"DELETE", "/api/2.0/mlflow-artifacts/artifacts/{*path}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete,
     "Delete a file, or a folder with all below."},
    {"GET", "/api/2.0/mlflow/artifacts/list", ROLE_VIEWER, ROUTE_READ, list_run,
     "List what is in a folder of a run.", NULL, run_list_query},
    {"GET", "/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories", ROLE_VIEWER,
     ROUTE_READ, list_model, "List what is in a folder of a logged model.", NULL, model_list_query},
    {"GET", "/api/2.0/mlflow/logged-models/{model_id}/artifacts/files", ROLE_VIEWER, ROUTE_READ,
     download_of_model, "Download a file of a logged model.", NULL, model_file_query},
    {"POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", ROLE_STEP, ROUTE_READ,
     refuse_presigned, "Say that files go through this server.", presign_body},
    {"POST", "/api/2.0/mlflow/artifacts/presigned-download-url", ROLE_VIEWER, ROUTE_READ,
     refuse_presigned, "Say that files come through this server.", presign_body},
    {"POST", "/api/2.0/mlflow/upload-artifact", ROLE_STEP, ROUTE_SLOW, upload_to_run,
     "Store a file of a run; the body is its bytes.", NULL, run_file_query, BODY_FILE,
     PAGE_UPLOAD_BYTES_MAX},
    {"GET", "/get-artifact", ROLE_VIEWER, ROUTE_READ, download_of_run, "Download a file of a run.",
     NULL, run_file_query},
    {0},
};

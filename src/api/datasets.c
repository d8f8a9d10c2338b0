/* datasets.c: /api/v1/artifacts, /api/v1/datasets */

#include <string.h>

#include "api/api.h"
#include "data/dataset.h"

enum { PREVIEW_ROWS = 10 };

static bool put_artifact(Scope *scope, const Request *request, Response *response)
{
    const char *digest = request_parameter(request, "digest");
    ArtifactStore *store = scope->platform->artifacts;
    bool was_there = digest_is_valid(digest) && artifact_exists(store, digest);
    char actual[DIGEST_TEXT_SIZE];
    Artifact artifact;

    if (!digest_is_valid(digest))
        return fail_field(&scope->error, "digest",
                          "a digest is 64 lowercase hexadecimal digits (SHA-256)");
    if (!request->body_file)
        return fail(&scope->error, ERROR_INVALID, "the body must be the bytes of the file");
    if (!digest_file(request->body_file, actual, &scope->error))
        return false;
    if (strcmp(actual, digest) != 0)
        return fail_field(&scope->error, "digest", "the bytes that came have the digest %s",
                          actual);
    if (!request_store_body(scope, request, &artifact))
        return false;
    response->status = was_there ? 200 : 201;
    json_open_object(response->json, NULL);
    {
        json_text(response->json, "digest", artifact.digest);
        json_int(response->json, "size", artifact.size);
    }
    json_close(response->json);
    return true;
}

static bool get_artifact(Scope *scope, const Request *request, Response *response)
{
    const char *digest = request_parameter(request, "digest");
    ArtifactStore *store = scope->platform->artifacts;
    Error ignored = {0};

    /* Who asks whether it is here is about to refer to it. */
    if (!artifact_claim(store, digest, &ignored) && !artifact_exists(store, digest))
        return fail(&scope->error, ERROR_NOT_FOUND, "there is no artifact \"%.64s\"", digest);
    response->content_type = "application/octet-stream";
    response->file = artifact_path(store, digest, scope->arena);
    return true;
}

static bool list_datasets(Scope *scope, const Request *request, Response *response)
{
    DatasetList list;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !dataset_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "datasets");
    for (size_t i = 0; i < list.count; i++)
        dataset_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

static bool show_dataset(Scope *scope, const Request *request, Response *response)
{
    const char *name = request_parameter(request, "name");
    DatasetVersionList versions;
    Page page = {0};
    Dataset dataset;

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !dataset_find(scope, name, &dataset) ||
        !dataset_version_list(scope, name, &page, &versions))
        return false;
    json_open_object(response->json, NULL);
    dataset_write_json(response->json, "dataset", &dataset);
    json_open_array(response->json, "versions");
    for (size_t i = 0; i < versions.count; i++)
        dataset_version_write_json(response->json, NULL, &versions.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, versions.count,
                           versions.count ? versions.items[versions.count - 1].version : 0);
    json_close(response->json);
    return true;
}

typedef struct VersionBody {
    const char *source;
    const JsonValue *files, *options;
    TextList urls;
} VersionBody;

static const JsonField version_fields[] = {
    {"source", JSON_TEXT, offsetof(VersionBody, source), JSON_OPTIONAL,
     "what the user named, for the record"},
    {"files", JSON_ARRAY, offsetof(VersionBody, files), JSON_OPTIONAL,
     "[{path, digest}] of bytes put to /api/v1/artifacts; a zip or tar.gz is expanded"},
    {"urls", JSON_TEXT_LIST, offsetof(VersionBody, urls), JSON_OPTIONAL,
     "http or https addresses that the server fetches"},
    {"options", JSON_OBJECT, offsetof(VersionBody, options), JSON_OPTIONAL,
     "how to read the files: format, delimiter, header, names, encoding, quote, on_error, columns, "
     "target, group, time, known"},
    {0},
};

typedef struct FileBody {
    const char *path, *digest;
} FileBody;

static const JsonField file_fields[] = {
    {"path", JSON_TEXT, offsetof(FileBody, path), JSON_REQUIRED, "its name inside the version"},
    {"digest", JSON_TEXT, offsetof(FileBody, digest), JSON_REQUIRED, "SHA-256 of its bytes"},
    {0},
};

static bool read_files(Scope *scope, const JsonValue *files, Tree *tree)
{
    for (JsonWalk walk = json_walk(files); json_walk_next(&walk);) {
        TreeEntry entry = {0};
        FileBody file = {0};

        if (!json_read_value(walk.value, file_fields, &file, scope->arena, &scope->error))
            return fail_in(&scope->error, "\"files\"");
        if (!digest_is_valid(file.digest))
            return fail_field(&scope->error, "files",
                              "the digest of \"%.256s\" is not 64 lowercase hexadecimal digits",
                              file.path);
        entry.path = file.path;
        memcpy(entry.digest, file.digest, sizeof(entry.digest));
        *arena_push(scope->arena, tree) = entry;
    }
    return true;
}

static bool add_version(Scope *scope, const Request *request, Response *response)
{
    DatasetSpec spec = {.name = request_parameter(request, "name")};
    VersionBody body = {0};
    DatasetVersion version;
    bool is_new = false;

    if (!request_read(scope, request, version_fields, &body) ||
        !read_files(scope, body.files, &spec.files))
        return false;
    if (body.options && !json_read_value(body.options, dataset_options_fields, &spec.options,
                                         scope->arena, &scope->error))
        return false;
    spec.source = body.source;
    spec.urls = body.urls;
    if (!dataset_add(scope, &spec, &version, &is_new))
        return false;
    response->status = is_new ? 201 : 200;
    dataset_version_write_json(response->json, NULL, &version);
    return true;
}

/* {version}: a number, or "latest". */
static bool find_version(Scope *scope, const Request *request, DatasetVersion *version)
{
    const char *text = request_parameter(request, "version");
    int64_t number = 0;

    if (strcmp(text, "latest") != 0 && (!text_to_int(text, &number) || number < 1))
        return fail_field(&scope->error, "version",
                          "a version is a number from 1 on or \"latest\"");
    return dataset_version_find(scope, request_parameter(request, "name"), number, version);
}

static bool show_version(Scope *scope, const Request *request, Response *response)
{
    DatasetVersion version;

    if (!find_version(scope, request, &version))
        return false;
    dataset_version_write_json(response->json, NULL, &version);
    return true;
}

static bool show_profile(Scope *scope, const Request *request, Response *response)
{
    DatasetVersion version;

    if (!find_version(scope, request, &version))
        return false;
    json_open_object(response->json, NULL);
    {
        json_text(response->json, "name", version.dataset);
        json_int(response->json, "version", version.version);
        json_raw(response->json, "profile", version.profile);
    }
    json_close(response->json);
    return true;
}

typedef struct RowsQuery {
    int64_t offset, limit;
} RowsQuery;

static const JsonField rows_query[] = {
    {"offset", JSON_INT, offsetof(RowsQuery, offset), JSON_OPTIONAL, "the first row, from 0"},
    {"limit", JSON_COUNT, offsetof(RowsQuery, limit), JSON_OPTIONAL, "1 to 1000; 10"},
    {0},
};

static bool show_rows(Scope *scope, const Request *request, Response *response)
{
    RowsQuery query = {.limit = PREVIEW_ROWS};
    DatasetVersion version;
    const char *rows;

    if (!request_read_query(scope, request, rows_query, &query) ||
        !find_version(scope, request, &version) ||
        !dataset_version_preview(scope, &version, query.offset, query.limit, &rows))
        return false;
    json_open_object(response->json, NULL);
    {
        json_text(response->json, "name", version.dataset);
        json_int(response->json, "version", version.version);
        json_int(response->json, "offset", query.offset);
        json_raw(response->json, "rows", rows);
    }
    json_close(response->json);
    return true;
}

const Route dataset_routes[] = {
    {"PUT", "/api/v1/artifacts/{digest}", ROLE_CONTRIBUTOR, ROUTE_SLOW, put_artifact,
     "Store the bytes of a file under their SHA-256.", NULL, NULL, BODY_FILE, FILE_BYTES_MAX},
    {"GET", "/api/v1/artifacts/{digest}", ROLE_VIEWER, ROUTE_SLOW, get_artifact,
     "The bytes with this SHA-256."},
    {"GET", "/api/v1/datasets", ROLE_VIEWER, ROUTE_READ, list_datasets,
     "List the data sets, by name.", NULL, page_by_name_fields},
    {"GET", "/api/v1/datasets/{name}", ROLE_VIEWER, ROUTE_READ, show_dataset,
     "Show a data set and its versions, the newest first.", NULL, page_by_number_fields},
    {"POST", "/api/v1/datasets/{name}/versions", ROLE_CONTRIBUTOR, ROUTE_SLOW, add_version,
     "Import files as a version; the same bytes again give the same version (200 instead of 201).",
     version_fields},
    {"GET", "/api/v1/datasets/{name}/versions/{version}", ROLE_VIEWER, ROUTE_READ, show_version,
     "Show a version (a number, or \"latest\")."},
    {"GET", "/api/v1/datasets/{name}/versions/{version}/profile", ROLE_VIEWER, ROUTE_READ,
     show_profile, "What is in a version: types, missing shares, spreads, classes, duplicates."},
    {"GET", "/api/v1/datasets/{name}/versions/{version}/rows", ROLE_VIEWER, ROUTE_SLOW, show_rows,
     "Rows of a version.", NULL, rows_query},
    {0},
};

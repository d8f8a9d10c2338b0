/* mlflow_uploads.c: files in parts: uploads whose parts come at the same time, each to a URL of its
 * own, and downloads of ranges by as many connections. Clients do so when they are told to. */

#include <string.h>

#include "api/mlflow.h"
#include "base/file.h"
#include "net/url.h"
#include "tracking/artifact_place.h"
#include "tracking/artifact_upload.h"

#define API_PATH "/api/2.0/mlflow-artifacts"

/* ---- URLs of this server ---- */

/* As the client, or the proxy in front of us, names it. */
static bool base_url(Scope *scope, const Request *request, const char **url)
{
    const char *host = request_header(request, "Host");
    const char *scheme = request_header(request, "X-Forwarded-Proto");

    if (!host || !*host || host[strcspn(host, "/?#@\\\" ")])
        return fail(&scope->error, ERROR_INVALID, "the header \"Host\" must name this server");
    *url =
        arena_format(scope->arena, "%s://%s", text_equal(scheme, "https") ? "https" : "http", host);
    return true;
}

/* Parts come without the client's own headers: it is told to send again what it signed this with.
 */
static void write_headers(JsonWriter *json, const Request *request)
{
    const char *secret = request_header(request, "Authorization");

    json_open_object(json, "headers");
    if (secret)
        json_text(json, "Authorization", secret);
    json_close(json);
}

/* ---- uploads ---- */

typedef struct UploadBody {
    const char *path; /* of the file as the client has it; its name counts */
    const char *upload_id;
    int64_t part_count;
    const JsonValue *parts;
} UploadBody;

static const JsonField create_body[] = {
    {"path", JSON_TEXT, offsetof(UploadBody, path), JSON_REQUIRED, "the file at the client"},
    {"num_parts", JSON_INT, offsetof(UploadBody, part_count), JSON_OPTIONAL, "1"},
    {0},
};

static const JsonField complete_body[] = {
    {"path", JSON_TEXT, offsetof(UploadBody, path), JSON_REQUIRED, "the file at the client"},
    {"upload_id", JSON_TEXT, offsetof(UploadBody, upload_id), JSON_REQUIRED, "of the upload"},
    {"parts", JSON_ARRAY, offsetof(UploadBody, parts), JSON_REQUIRED,
     "[{\"part_number\", \"etag\", \"url\"}]"},
    {0},
};

static const JsonField abort_body[] = {
    {"path", JSON_TEXT, offsetof(UploadBody, path), JSON_REQUIRED, "the file at the client"},
    {"upload_id", JSON_TEXT, offsetof(UploadBody, upload_id), JSON_REQUIRED, "of the upload"},
    {0},
};

/* What is behind the last separator of the client's system. */
static const char *name_of(const char *path)
{
    const char *name = path_name(path), *backslash = strrchr(name, '\\');

    return backslash ? backslash + 1 : name;
}

static bool read_target(Scope *scope, const Request *request, const JsonField fields[],
                        UploadBody *body, const char **path)
{
    const char *folder = request_parameter(request, "path");

    return mlflow_read(scope, request, fields, body) &&
           artifact_path_read(
               scope, arena_format(scope->arena, "%s/%s", folder, name_of(body->path)), path);
}

static void write_part(JsonWriter *json, const Request *request, const char *url, int64_t number)
{
    json_open_object(json, NULL);
    json_text(json, "url", url);
    json_int(json, "part_number", number);
    write_headers(json, request);
    json_close(json);
}

static bool create_upload(Scope *scope, const Request *request, Response *response)
{
    UploadBody body = {.part_count = 1};
    ArtifactPlace place;
    const char *url, *path;

    if (!base_url(scope, request, &url) ||
        !read_target(scope, request, create_body, &body, &path) ||
        !artifact_place_find(scope, path, &place) || !artifact_place_check_put(scope, &place, 1) ||
        !artifact_upload_begin(scope, path, body.part_count, &body.upload_id))
        return false;
    json_open_object(response->json, NULL);
    json_text(response->json, "upload_id", body.upload_id);
    json_open_array(response->json, "credentials");
    for (int64_t i = 1; i <= body.part_count; i++)
        write_part(response->json, request,
                   arena_format(scope->arena, "%s" API_PATH "/mpu/parts/%s/%lld", url,
                                body.upload_id, (long long)i),
                   i);
    json_close(response->json);
    json_close(response->json);
    return true;
}

/* Clients send the ETag back when they complete the upload. */
static bool put_part(Scope *scope, const Request *request, Response *response)
{
    const char *digits = request_parameter(request, "part_number");
    int64_t number = 0;

    if (!text_to_int(digits, &number) || !request->may_take_file)
        return fail(&scope->error, ERROR_INVALID, "a part has a number, and a body over HTTP");
    if (!artifact_upload_add(scope, request_parameter(request, "upload_id"), number,
                             request->body_file))
        return false;
    response->headers[0] = (HttpPair){"ETag", arena_format(scope->arena, "\"%s\"", digits)};
    return mlflow_answer_nothing(response);
}

typedef struct PartNumber {
    int64_t number;
} PartNumber;

static const JsonField part_fields[] = {
    {"part_number", JSON_COUNT, offsetof(PartNumber, number), JSON_REQUIRED, ""},
    {0},
};

static bool read_numbers(Scope *scope, const JsonValue *parts, ArtifactJoin *join)
{
    size_t count = json_count(parts);
    int64_t *numbers = arena_array(scope->arena, int64_t, count + 1);

    if (count > UPLOAD_PARTS_MAX)
        return fail(&scope->error, ERROR_INVALID, "an upload has 1 to %d parts", UPLOAD_PARTS_MAX);
    for (JsonWalk walk = json_walk(parts); json_walk_next(&walk);) {
        PartNumber part = {0};
        const char *where = arena_format(scope->arena, "parts[%zu]", walk.index);

        if (!mlflow_read_item(scope, walk.value, where, part_fields, &part))
            return false;
        numbers[walk.index] = part.number;
    }
    join->numbers = numbers;
    join->count = count;
    return true;
}

typedef struct Completion {
    const char *path;
    Artifact artifact;
} Completion;

static bool put_whole(Scope *scope, void *context)
{
    const Completion *completion = context;
    ArtifactPlace place;

    return artifact_place_find(scope, completion->path, &place) &&
           artifact_place_put(scope, &place, &completion->artifact);
}

static bool complete_upload(Scope *scope, const Request *request, Response *response)
{
    UploadBody body = {0};
    ArtifactJoin join = {0};
    Completion whole = {0};
    bool was_joined = false, done;
    Error failure;

    if (!read_target(scope, request, complete_body, &body, &whole.path) ||
        !read_numbers(scope, body.parts, &join))
        return false;
    join.id = body.upload_id;
    join.path = whole.path;
    if (!artifact_upload_join(scope, &join, &whole.artifact, &was_joined))
        return false;
    if (was_joined)
        return mlflow_answer_nothing(response);
    done = scope_write(scope, put_whole, &whole);
    failure = scope->error;
    if (!artifact_upload_end(scope, body.upload_id, done) && done)
        return false;
    scope->error = failure;
    return done && mlflow_answer_nothing(response);
}

static bool abort_upload(Scope *scope, const Request *request, Response *response)
{
    UploadBody body = {0};

    return mlflow_read(scope, request, abort_body, &body) &&
           artifact_upload_abort(scope, body.upload_id) && mlflow_answer_nothing(response);
}

/* ---- downloads ---- */

static const char *encoded_path(const char *path, Arena *arena)
{
    TextList parts = text_split(path, '/', arena);
    TextBuilder url = {.arena = arena};

    for (size_t i = 0; i < parts.count; i++)
        text_append_format(&url, "/%s", url_encode(arena, parts.items[i]));
    return text_built(&url);
}

static bool presign_download(Scope *scope, const Request *request, Response *response)
{
    const char *url, *path;
    ArtifactPlace place;
    TreeEntry entry;

    if (!base_url(scope, request, &url) ||
        !artifact_path_read(scope, request_parameter(request, "path"), &path) ||
        !artifact_place_find(scope, path, &place) || !artifact_place_file(scope, &place, &entry))
        return false;
    json_open_object(response->json, NULL);
    {
        json_text(response->json, "url",
                  arena_format(scope->arena, "%s" API_PATH "/artifacts%s", url,
                               encoded_path(path, scope->arena)));
        write_headers(response->json, request);
        json_int(response->json, "file_size", entry.size);
    }
    json_close(response->json);
    return true;
}

const Route mlflow_upload_routes[] = {
    {"POST", API_PATH "/mpu/create/{*path}", ROLE_STEP, ROUTE_SLOW, create_upload,
     "Begin to store a file in parts, in this folder.", create_body},
    {"PUT", API_PATH "/mpu/parts/{upload_id}/{part_number}", ROLE_STEP, ROUTE_SLOW, put_part,
     "Store a part of a file.", .body_kind = BODY_FILE, .body_bytes_max = FILE_BYTES_MAX},
    {"POST", API_PATH "/mpu/complete/{*path}", ROLE_STEP, ROUTE_SLOW, complete_upload,
     "Join the parts of a file.", complete_body},
    {"POST", API_PATH "/mpu/abort/{*path}", ROLE_STEP, ROUTE_SLOW, abort_upload,
     "Forget the parts of a file.", abort_body},
    {"GET", API_PATH "/presigned/{*path}", ROLE_VIEWER, ROUTE_READ, presign_download,
     "Say where the ranges of a file are to be had."},
    {0},
};

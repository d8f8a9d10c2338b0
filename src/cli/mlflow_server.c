#include "cli/mlflow_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/http_client.h"

enum {
    ANSWER_BYTES_MAX = 512 * 1024 * 1024,
    ASK_SECONDS = 300,
    TRIES_MAX = 4,
    WAIT_MS = 500,
    DOWNLOAD_SECONDS = 24 * 60 * 60,
};

static const uint64_t file_bytes_max = UINT64_C(1) << 40;

static const char *base64(const char *text, Arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text), count = 0;
    char *encoded = arena_alloc(arena, length / 3 + 1, 4 + 1);

    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = 0;

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < length ? (unsigned char)text[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            encoded[count++] = i + j > length ? '=' : digits[bits >> (18 - 6 * j) & 63];
    }
    return encoded;
}

static const char *authorization(Arena *arena)
{
    const char *user = getenv("MLFLOW_TRACKING_USERNAME");
    const char *password = getenv("MLFLOW_TRACKING_PASSWORD");
    const char *token = getenv("MLFLOW_TRACKING_TOKEN");

    if (user && password)
        return arena_format(arena, "Basic %s",
                            base64(arena_format(arena, "%s:%s", user, password), arena));
    return token && *token ? arena_format(arena, "Bearer %s", token) : NULL;
}

MlflowServer mlflow_server_at(const char *address, Arena *arena)
{
    size_t length = strlen(address);

    while (length && address[length - 1] == '/')
        length--;
    return (MlflowServer){.address = arena_copy(arena, address, length),
                          .authorization = {"Authorization", authorization(arena)}};
}

static bool may_pass(int status)
{
    return status == 408 || status == 429 || status >= 500;
}

static ErrorKind kind_of(int status)
{
    switch (status) {
    case 401:
        return ERROR_UNAUTHENTICATED;
    case 403:
        return ERROR_FORBIDDEN;
    case 404:
        return ERROR_NOT_FOUND;
    case 405:
        return ERROR_METHOD;
    default:
        return may_pass(status) ? ERROR_UNAVAILABLE : ERROR_INVALID;
    }
}

static bool take_answer(const MlflowServer *server, const HttpReply *reply, Arena *arena,
                        const JsonValue **answer, Error *error)
{
    bool is_json = json_parse_python(reply->body, reply->size, arena, answer, error);

    if (reply->status >= 200 && reply->status <= 299)
        return is_json ||
               fail(error, ERROR_INVALID, "\"%s\" does not answer as an MLflow server: no JSON",
                    server->address);
    return fail(error, kind_of(reply->status),
                "the server at \"%s\" answers with status %d%s%.200s", server->address,
                reply->status, is_json ? ": " : "",
                is_json ? json_as_text(json_member(*answer, "message"), "") : "");
}

static bool ask(void *context, const RestQuestion *question, const JsonValue **answer, Error *error)
{
    const char *body = question->body;
    Arena *arena = question->arena;
    const MlflowServer *server = context;
    const HttpPair headers[] = {{"Content-Type", "application/json"}, server->authorization};
    const HttpFetchSpec spec = {
        .method = body ? "POST" : "GET",
        .url = arena_format(arena, "%s%s", server->address, question->path),
        .headers = headers,
        .header_count = server->authorization.value ? 2 : 1,
        .body = body,
        .body_size = body ? strlen(body) : 0,
        .timeout_seconds = ASK_SECONDS,
        .reply_bytes_max = ANSWER_BYTES_MAX,
    };

    for (unsigned tried = 1;; tried++) {
        HttpReply reply = {0};
        Error failure = {0};
        bool answered = http_fetch(&spec, arena, &reply, &failure);

        if (tried < TRIES_MAX &&
            (answered ? may_pass(reply.status) : failure.kind == ERROR_TIMEOUT)) {
            time_sleep_ms((unsigned)WAIT_MS << tried);
            continue;
        }
        if (answered)
            return take_answer(server, &reply, arena, answer, error);
        *error = failure;
        return fail_in(error, "could not ask the server at %s", server->address);
    }
}

static bool download(void *context, const char *path, const char *target, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const MlflowServer *server = context;
    const HttpDownloadSpec spec = {
        .url = arena_format(arena, "%s%s", server->address, path),
        .target_path = target,
        .headers = &server->authorization,
        .header_count = server->authorization.value ? 1 : 0,
        .bytes_max = file_bytes_max,
        .timeout_seconds = DOWNLOAD_SECONDS,
        .allow_private = true,
    };

    return http_download(&spec, error);
}

RestTransport mlflow_server_transport(MlflowServer *server)
{
    return (RestTransport){ask, download, server};
}

#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "net/http_client.h"
#include "net/url.h"
#include "pipelines/scheduler.h"
#include "pipelines/trainer.h"
#include "server/application.h"

enum {
    TIMEOUT_SECONDS = 600,
    REPLY_BYTES_MAX = 256 * 1024 * 1024,
    ADDRESS_BYTES_MAX = 256,
    BUSY_MS_MAX = 2000,
    BUSY_POLL_MS = 50
};

static const uint64_t file_bytes_max = UINT64_C(1) << 40;

struct Client {
    Arena *arena;
    const char *server; /* NULL: not known yet, or in this process */
    const char *token;
    const char *folder;
    Application *application; /* of this process, once opened */
    Session session;          /* on it */
};

/* Paths of calls begin with one. */
static const char *without_slash(const char *url, Arena *arena)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    return arena_copy(arena, url, length);
}

Client *client_create(const ClientSpec *spec)
{
    Client *client = calloc(1, sizeof(*client));

    if (!client)
        out_of_memory();
    client->arena = arena_create();
    client->server = spec->server ? without_slash(spec->server, client->arena) : NULL;
    client->token = arena_text(client->arena, spec->token);
    client->folder = arena_text(client->arena, spec->folder);
    return client;
}

void client_destroy(Client *client)
{
    if (client->application) {
        trainer_drain(client->application->trainer);
        session_close(&client->session);
        application_close(client->application);
    }
    arena_destroy(client->arena);
    free(client);
}

/* The server that owns the folder has written its address there. */
static bool find_server(Client *client)
{
    const char *path = arena_format(client->arena, "%s/address", client->folder);
    Error ignored = {0};
    const char *bytes;
    size_t size;

    if (!file_read(path, ADDRESS_BYTES_MAX, client->arena, &bytes, &size, &ignored))
        return false;
    client->server = text_trim(bytes, client->arena);
    return true;
}

/* A server that starts owns the folder before it has an address, and a command alone may be done
 * soon: both are given a moment. */
static bool find_application(Client *client, Error *error)
{
    const ApplicationSpec spec = {.folder = client->folder, .loads_later = true};

    for (unsigned waited_ms = 0; waited_ms <= BUSY_MS_MAX; waited_ms += BUSY_POLL_MS) {
        Error failure = {0};

        if (application_open(&spec, &client->application, &failure))
            return scheduler_start(client->application->scheduler, NULL, error);
        if (failure.kind != ERROR_BUSY) {
            *error = failure;
            return false;
        }
        if (find_server(client))
            return true;
        time_sleep_ms(BUSY_POLL_MS);
    }
    return fail(error, ERROR_BUSY,
                "another slipway is using the data folder \"%s\"; try again when it is done, or "
                "start slipway server on the folder: it takes any number of commands at once",
                client->folder);
}

/* Decides, at the first call, where calls go. */
static bool open_client(Client *client, Error *error)
{
    if (client->server || client->application)
        return true;
    if (!find_application(client, error))
        return false;
    if (client->server || session_open(client->application->platform, &client->session, error))
        return true;
    application_close(client->application);
    client->application = NULL;
    return false;
}

static bool download_reply(Client *client, const ClientCall *call, Arena *arena, ClientReply *reply,
                           Error *error)
{
    const HttpPair header = {"Authorization", arena_format(arena, "Bearer %s", client->token)};
    const HttpDownloadSpec spec = {
        .url = arena_format(arena, "%s%s", client->server, call->path),
        .target_path = call->reply_file,
        .headers = &header,
        .header_count = client->token ? 1 : 0,
        .bytes_max = file_bytes_max,
        .timeout_seconds = call->timeout_seconds,
        .allow_private = true,
    };

    *reply = (ClientReply){.status = 200};
    return http_download(&spec, error);
}

static bool call_server(Client *client, const ClientCall *call, Arena *arena, ClientReply *reply,
                        Error *error)
{
    HttpPair headers[2] = {
        {"Content-Type", call->content_type ? call->content_type : "application/json"},
        {"Authorization", client->token ? arena_format(arena, "Bearer %s", client->token) : NULL},
    };
    HttpFetchSpec spec = {
        .method = call->method,
        .url = arena_format(arena, "%s%s", client->server, call->path),
        .headers = headers,
        .header_count = client->token ? 2 : 1,
        .body = call->body,
        .body_size = call->body_size,
        .body_file = call->body_file,
        .timeout_seconds = call->timeout_seconds ? call->timeout_seconds : TIMEOUT_SECONDS,
        .reply_bytes_max = REPLY_BYTES_MAX,
    };
    HttpReply answer;

    if (call->reply_file)
        return download_reply(client, call, arena, reply, error);
    if (!http_fetch(&spec, arena, &answer, error))
        return fail_in(error, "could not ask the server at %s", client->server);
    *reply = (ClientReply){.status = answer.status, .body = answer.body, .size = answer.size};
    return true;
}

static bool split_path(const ClientCall *call, Arena *arena, Request *request)
{
    const char *question = strchrnul(call->path, '?');

    request->path = arena_copy(arena, call->path, (size_t)(question - call->path));
    return url_split_path(arena, request->path, &request->segments) &&
           url_split_query(arena, *question ? question + 1 : "", &request->query);
}

static bool take_answer(const ClientCall *call, const Response *response, Arena *arena,
                        ClientReply *reply, Error *error)
{
    reply->status = response->status;
    if (response->file && call->reply_file)
        return file_copy(response->file, call->reply_file, error);
    if (response->file)
        return file_read(response->file, REPLY_BYTES_MAX, arena, &reply->body, &reply->size, error);
    reply->body = response->body ? response->body : json_finish(response->json);
    reply->size = response->body ? response->body_size : json_size(response->json);
    return true;
}

/* Most commands ask no model: to load all that is deployed would be the longest part of them. */
static bool load_for(Client *client, const ClientCall *call, Error *error)
{
    return !text_has_prefix(call->path, "/endpoints/") ||
           application_load(client->application, error);
}

static bool call_here(Client *client, const ClientCall *call, Arena *arena, ClientReply *reply,
                      Error *error)
{
    Scope scope = session_scope(&client->session, client->application->platform,
                                (Principal){"local", ROLE_OWNER});
    Request request = {
        .method = call->method,
        .body = call->body ? call->body : "",
        .body_size = call->body_size,
        .body_file = call->body_file,
        .content_type = call->content_type ? call->content_type : "application/json",
        .application = client->application,
    };
    const Route *route;
    Response response;

    scope.arena = arena;
    if (!split_path(call, arena, &request))
        return fail(error, ERROR_INVALID, "\"%s\" is not a path", call->path);
    route = route_find(&request, arena, error);
    if (!route || !load_for(client, call, error))
        return false;
    api_run(route, &scope, &request, &response);
    return take_answer(call, &response, arena, reply, error);
}

static bool fail_as_answered(const ClientReply *reply, Error *error)
{
    const JsonValue *said = json_member(reply->json, "error");

    if (json_is_text(json_member(reply->json, "error_code"))) /* one of MLflow's routes */
        return fail(error, reply->status == 404 ? ERROR_NOT_FOUND : ERROR_INVALID, "%s",
                    json_as_text(json_member(reply->json, "message"), "no reason was given"));
    if (!json_is_object(said))
        return fail(error, ERROR_INTERNAL, "the server answered with status %d", reply->status);
    fail(error, error_kind_of_code(json_as_text(json_member(said, "code"), "")), "%s",
         json_as_text(json_member(said, "message"), "no reason was given"));
    snprintf(error->field, sizeof(error->field), "%s",
             json_as_text(json_member(said, "field"), ""));
    return false;
}

bool client_call(Client *client, const ClientCall *call, Arena *arena, ClientReply *reply,
                 Error *error)
{
    ClientReply answer = {0};
    Error ignored = {0};
    bool answered;

    if (!open_client(client, error))
        return false;
    answered = client->server ? call_server(client, call, arena, &answer, error)
                              : call_here(client, call, arena, &answer, error);
    if (!answered)
        return false;
    if (answer.size && !json_parse(answer.body, answer.size, arena, &answer.json, &ignored))
        answer.json = NULL;
    *reply = answer;
    return (answer.status >= 200 && answer.status <= 299) || fail_as_answered(&answer, error);
}

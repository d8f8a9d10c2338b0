#include "engine/slurm_client.h"

#include <pwd.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum {
    /* While its controller is away, slurmrestd itself waits for up to 18 s. A call that was given
     * up may still be done, so that is waited for. */
    CALL_SECONDS = 25,
    ANSWER_BYTES_MAX = 512 * 1024 * 1024, /* a hundred thousand jobs */
    TOKEN_BYTES_MAX = 16 * 1024,
    STATUS_OK = 200,
    STATUS_NOT_FOUND = 404,
};

/* ---- beginning ---- */

static const char *own_name(Arena *arena)
{
    const struct passwd *user = getpwuid(geteuid()); /* before there are other threads that ask */

    return user ? arena_text(arena, user->pw_name) : NULL;
}

static bool read_address(SlurmClient *client, const char *address, Error *error)
{
    bool is_url = text_has_prefix(address, "http://") || text_has_prefix(address, "https://");
    const char *path = text_has_prefix(address, "unix:") ? address + strlen("unix:") : address;

    if (!is_url && *path != '/')
        return fail_field(error, "slurm",
                          "the address of slurmrestd is the absolute path of its socket or a URL,"
                          " not \"%.200s\"",
                          address);
    if (!is_url && strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return fail_field(error, "slurm", "the path of a socket has less than %zu bytes",
                          sizeof(((struct sockaddr_un *)0)->sun_path));
    client->socket = is_url ? NULL : path;
    client->base = is_url ? address : "http://localhost";
    return true;
}

bool slurm_client_init(SlurmClient *client, const SlurmSpec *spec, Arena *arena, Error *error)
{
    *client = (SlurmClient){.spec = spec};
    if (!read_address(client, spec->address, error))
        return false;
    if (!client->socket && (!spec->user || !spec->token_file))
        return fail_field(error, "slurm", "slurmrestd at a URL wants a user and a token");
    client->user = spec->user ? spec->user : own_name(arena);
    if (!client->user)
        return fail_field(error, "slurm", "the user %ld has no name: say whose jobs they are",
                          (long)geteuid());
    client->connection = http_connection_open(error);
    return client->connection != NULL;
}

void slurm_client_clear(SlurmClient *client)
{
    http_connection_close(client->connection);
}

/* ---- a call ---- */

typedef struct Call {
    const char *method, *path; /* behind the version, or all of it */
    const char *body;
    int status;                /* out */
    const JsonValue *document; /* out: NULL when it is no JSON */
} Call;

static bool read_token(const SlurmClient *client, Arena *arena, const char **token, Error *error)
{
    const char *text;
    size_t size;

    *token = NULL;
    if (!client->spec->token_file)
        return true;
    if (!file_read(client->spec->token_file, TOKEN_BYTES_MAX, arena, &text, &size, error))
        return false;
    *token = text_trim(text, arena);
    return true;
}

static bool exchange(SlurmClient *client, Call *call, Arena *arena, Error *error)
{
    HttpPair headers[3] = {{"Content-Type", "application/json"}};
    HttpFetchSpec spec = {.method = call->method,
                          .headers = headers,
                          .header_count = 1,
                          .body = call->body,
                          .body_size = call->body ? strlen(call->body) : 0,
                          .timeout_seconds = CALL_SECONDS,
                          .reply_bytes_max = ANSWER_BYTES_MAX,
                          .unix_socket = client->socket,
                          .connection = client->connection,
                          .cancelled = client->cancelled};
    const char *token;
    HttpReply reply;
    Error ignored = {0};

    if (!read_token(client, arena, &token, error))
        return false;
    if (token) {
        headers[spec.header_count++] = (HttpPair){"X-SLURM-USER-NAME", client->user};
        headers[spec.header_count++] = (HttpPair){"X-SLURM-USER-TOKEN", token};
    }
    spec.url = *call->path == '/' ? arena_format(arena, "%s%s", client->base, call->path)
                                  : arena_format(arena, "%s/slurm/v0.0.%d/%s", client->base,
                                                 client->version, call->path);
    if (!http_fetch(&spec, arena, &reply, error))
        return false;
    call->status = reply.status;
    if (!json_parse(reply.body, reply.size, arena, &call->document, &ignored))
        call->document = NULL;
    return true;
}

static bool has_error(const Call *call)
{
    return call->status != STATUS_OK || slurm_api_error_number(call->document) != 0;
}

static bool discover(SlurmClient *client, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Call call = {.path = "/openapi/v3"};

    if (client->version)
        return true;
    if (!exchange(client, &call, arena, error))
        return false;
    if (call.status != STATUS_OK) {
        (void)slurm_api_verdict(call.status, call.document, error);
        return false;
    }
    client->version = slurm_api_version(call.document);
    return client->version ||
           fail(error, ERROR_UNAVAILABLE,
                "slurmrestd has no API of Slurm from version 0.0.%d on: start it with one",
                SLURM_VERSION_LEAST);
}

/* After an upgrade of slurmrestd another version is asked for. */
static bool ask(SlurmClient *client, Call *call, Arena *arena, Error *error)
{
    if (!discover(client, error) || !exchange(client, call, arena, error))
        return false;
    if (call->status == STATUS_NOT_FOUND)
        client->version = 0;
    return true;
}

/* ---- the calls ---- */

/* What they say is small, the answer may be large: it goes first. */
bool slurm_client_list(SlurmClient *client, Arena *arena, SlurmJobList *jobs, Error *error)
{
    CLEANUP(arena_cleanup) Arena *own = arena_create();
    Call call = {.path = "jobs"};

    if (!ask(client, &call, own, error))
        return false;
    if (has_error(&call)) {
        (void)slurm_api_verdict(call.status, call.document, error);
        return false;
    }
    if (!json_is_array(json_member(call.document, "jobs")))
        return fail(error, ERROR_UNAVAILABLE, "what slurmrestd answered is no list of jobs");
    *jobs = slurm_api_jobs(call.document, client->user, arena);
    return true;
}

/* A job may have been taken with an error that is a warning. */
SlurmVerdict slurm_client_submit(SlurmClient *client, const ExecutorJob *job, Arena *arena,
                                 int64_t *id, Error *error)
{
    Call call = {.path = "job/submit"};

    if (!discover(client, error))
        return SLURM_AWAY;
    call.body = slurm_api_job(client->spec, job, client->version, arena);
    if (!ask(client, &call, arena, error))
        return SLURM_AWAY;
    *id = json_as_int(json_member(call.document, "job_id"), 0);
    if (call.status == STATUS_OK && *id > 0)
        return SLURM_DONE;
    return slurm_api_verdict(call.status, call.document, error);
}

bool slurm_client_cancel(SlurmClient *client, int64_t id, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Call call = {.method = "DELETE", .path = arena_format(arena, "job/%lld", (long long)id)};
    int64_t number;

    if (!ask(client, &call, arena, error))
        return false;
    number = slurm_api_error_number(call.document);
    if (!has_error(&call) || number == SLURM_ERROR_INVALID_JOB ||
        number == SLURM_ERROR_ALREADY_DONE)
        return true;
    (void)slurm_api_verdict(call.status, call.document, error);
    return false;
}

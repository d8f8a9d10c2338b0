#include "server/server.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/token.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/time.h"
#include "pipelines/scheduler.h"
#include "pipelines/triggers.h"
#include "server/open_files.h"
#include "server/origin.h"
#include "server/server_internal.h"

enum {
    LOOP_THREADS = 2,
    CONNECTIONS_MAX = 8192,
    PROBE_CONNECTIONS_MAX = 64,
    PROBE_HEADER_SECONDS = 2,
    CLOSE_WAIT_SECONDS = 10,
    BUSY_MS_MAX = 2000,
    BUSY_POLL_MS = 50,
    HEAPS_MAX = 4,
    MAPPED_BYTES_MIN = 512 * 1024,
    KEPT_BYTES_MAX = 256 * 1024,
};

/* Slow routes have workers of their own: however many of them come, the others are not behind
 * them. The quick ones, of which many may compute at once, leave the processors to the loops, which
 * answer probes, small predictions and refusals. */
static const LaneSpec quick_lane = {
    .worker_count = 16, .waiting_max = 1024, .wait_ms_max = 1000, .nice = 5};

/* Large predictions only compute, so that more of them at once than there are processors end no
 * sooner: they would leave the loops a small share, for all their steps back, and a refusal would
 * wait for it. */
static LaneSpec large_lane(void)
{
    enum { WORKERS_MIN = 2 }; /* so that one very large body does not hold up all others */
    size_t cores = parallel_core_count();
    LaneSpec spec = quick_lane;

    spec.worker_count = cores > WORKERS_MIN ? cores : WORKERS_MIN;
    return spec;
}

static const LaneSpec slow_lane = {.worker_count = 6, .waiting_max = 256, .wait_ms_max = 10000};

static bool check_tokens(Server *server, const char *address, Error *error)
{
    Session session;
    int64_t count = 0;
    bool counted;
    Scope scope;

    if (!server->application->demands_token)
        return true;
    if (!session_pool_take(server->sessions, &session, error))
        return false;
    scope = session_scope(&session, server->application->platform, (Principal){0});
    counted = token_count_valid(&scope, &count);
    session_pool_give_back(server->sessions, &session);
    if (!counted)
        *error = scope.error;
    if (!counted || count)
        return counted;
    return fail(error, ERROR_CONFLICT,
                "%s needs a token that works: run slipway token create NAME --role owner first",
                address_is_loopback(address) ? "--demand-token" : "an address other than loopback");
}

static size_t connections_allowed(const ServerSpec *spec)
{
    size_t wanted = spec->connections_max ? spec->connections_max : CONNECTIONS_MAX;
    size_t allowed = open_files_allow(wanted);

    if (allowed < wanted)
        log_event(LOG_WARNING, "the limit of open files allows fewer connections",
                  log_int("wanted", (int64_t)wanted), log_int("allowed", (int64_t)allowed));
    return allowed;
}

static const char *url_of(Server *server, const char *address, const HttpServer *http)
{
    bool is_six = strchr(address, ':') != NULL;

    return arena_format(server->arena, is_six ? "http://[%s]:%u" : "http://%s:%u", address,
                        (unsigned)http_server_port(http));
}

static bool listen_for_probes(Server *server, const ServerSpec *spec, Error *error)
{
    HttpServerSpec http = {
        .address = spec->address,
        .port = spec->probe_port,
        .connection_count_max = PROBE_CONNECTIONS_MAX,
        .header_seconds = PROBE_HEADER_SECONDS,
        .body_rule = work_probe_body_rule,
        .handle = work_handle_probe,
        .refused = work_refused,
        .context = server,
    };

    if (!spec->has_probe_port)
        return true;
    if (!http_server_open(&http, &server->probes, error))
        return false;
    server->probe_url = url_of(server, spec->address, server->probes);
    return true;
}

static bool listen_on(Server *server, const ServerSpec *spec, Error *error)
{
    size_t connections = connections_allowed(spec);
    HttpServerSpec http = {
        .address = spec->address,
        .port = spec->port,
        .thread_count = LOOP_THREADS,
        .connection_count_max = connections,
        .per_address_max = spec->per_address_max ? spec->per_address_max : connections / 2,
        .spool_folder = server->application->platform->temporary,
        .body_rule = work_body_rule,
        .handle = work_handle,
        .refused = work_refused,
        .context = server,
    };

    if (!http_server_open(&http, &server->http, error))
        return false;
    server->url = url_of(server, spec->address, server->http);
    server->address_file =
        arena_format(server->arena, "%s/address", server->application->platform->folder);
    return listen_for_probes(server, spec, error) &&
           file_write(server->address_file, server->url, strlen(server->url), error);
}

/* A command alone has the folder for a moment: the server that is to be up must not fail for it. */
static bool open_application(Server *server, const ApplicationSpec *spec, Error *error)
{
    for (unsigned waited_ms = 0;; waited_ms += BUSY_POLL_MS) {
        Error failure = {0};

        if (application_open(spec, &server->application, &failure))
            return true;
        if (failure.kind != ERROR_BUSY || waited_ms >= BUSY_MS_MAX) {
            *error = failure;
            return false;
        }
        time_sleep_ms(BUSY_POLL_MS);
    }
}

/* Few heaps for many threads: what one let go, another takes. With one for each, as is the
 * default, every worker keeps the most that it ever held. What is large has a mapping of its own,
 * which ends with it; by default the first large one that is freed makes the library take the
 * next ones, up to 32 MiB, from the heaps, and leave twice as much free at the end of each. */
static void share_heaps(void)
{
    mallopt(M_ARENA_MAX, HEAPS_MAX);
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES_MAX);
}

static bool start_courier(Server *server, Error *error)
{
    server->courier = courier_create(server->application->platform, error);
    return server->courier != NULL;
}

static bool start_upkeep(Server *server, const ServerSpec *spec, Error *error)
{
    const UpkeepSpec upkeep = {.application = server->application,
                               .purge_after_days = spec->purge_after_days};

    artifact_store_limit(server->application->platform->artifacts, spec->artifact_bytes_max);
    server->upkeep = upkeep_create(&upkeep, error);
    return server->upkeep != NULL;
}

/* "0.0.0.0" is no address that anybody could go to, and a loopback one is another machine there. */
static void warn_of_address(const Server *server, const ServerSpec *spec)
{
    bool is_any = strcmp(spec->address, "0.0.0.0") == 0 || strcmp(spec->address, "::") == 0;

    if (spec->executors.slurm.address && !spec->executors.slurm_server &&
        (is_any || address_is_loopback(spec->address)))
        log_event(LOG_WARNING,
                  "steps on the cluster cannot reach the server: give --slurm-server URL",
                  log_text("url", server->url));
}

static bool start_scheduler(Server *server, const ServerSpec *spec, Error *error)
{
    warn_of_address(server, spec);
    return scheduler_start(server->application->scheduler, server->url, error);
}

bool server_open(const ServerSpec *spec, Server **server, Error *error)
{
    ApplicationSpec application = {
        .folder = spec->folder,
        .demands_token = spec->demands_token || !address_is_loopback(spec->address),
        .notify = &spec->notify,
        .executors = &spec->executors,
        .steps_max = spec->steps_max,
    };
    Server *opened = calloc(1, sizeof(*opened));

    share_heaps();
    if (!opened)
        out_of_memory();
    opened->arena = arena_create();
    if (open_application(opened, &application, error)) {
        opened->sessions = session_pool_create(opened->application->platform);
        opened->tokens = token_cache_create(opened->application->platform->writer);
        opened->quick = lane_create(quick_lane);
        opened->slow = lane_create(slow_lane);
        opened->large = lane_create(large_lane());
        if (check_tokens(opened, spec->address, error) && start_upkeep(opened, spec, error) &&
            start_courier(opened, error) && listen_on(opened, spec, error) &&
            start_scheduler(opened, spec, error) &&
            triggers_start(opened->application->triggers, error)) {
            *server = opened;
            return true;
        }
    }
    server_close(opened);
    return false;
}

const char *server_url(const Server *server)
{
    return server->url;
}

const char *server_probe_url(const Server *server)
{
    return server->probe_url;
}

void server_close(Server *server)
{
    if (!server)
        return;
    if (server->address_file)
        unlink(server->address_file);
    if (server->application)
        atomic_store(&server->application->is_stopping, true);
    http_server_close(server->http, CLOSE_WAIT_SECONDS);
    http_server_close(server->probes, 0);
    lane_destroy(server->quick);
    lane_destroy(server->slow);
    lane_destroy(server->large);
    session_pool_destroy(server->sessions);
    token_cache_destroy(server->tokens);
    upkeep_destroy(server->upkeep);
    courier_destroy(server->courier);
    application_close(server->application);
    arena_destroy(server->arena);
    free(server);
}

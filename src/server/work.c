/* work.c: a request from the loop to its route: fast ones there, others on workers; and its answer.
 */

#include <string.h>
#include <strings.h>

#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "server/origin.h"
#include "server/server_internal.h"

enum {
    WAITING_CHANGES_MAX = 1024, /* for the disk; a commit takes all that wait */
    REQUEST_ID_BYTES_MAX = 64,
    FAST_WAIT_MS_MAX = 5000, /* a prediction that a worker takes up later than this is a 504 */
};

/* One request on its way; it lives in the exchange's arena. */
typedef struct Work {
    Server *server;
    HttpExchange *exchange;
    const Route *route;
    Request request;
    const char *request_id;
    const char *principal;
    Caller caller;
    int64_t started_us;
    Scope scope;
    Response response;
    ApiCall call;
    unsigned retry_seconds; /* for a refusal that may be another answer later; 0: soon */
    LaneTicket ticket;
} Work;

static void count_answer(Application *application, int status)
{
    atomic_fetch_add_explicit(&application->request_count, 1, memory_order_relaxed);
    if (status >= 500)
        atomic_fetch_add_explicit(&application->failed_count, 1, memory_order_relaxed);
}

static void log_answer(const Work *work, int status)
{
    LogLevel level = work->route && work->route->kind == ROUTE_FAST ? LOG_DEBUG : LOG_INFO;

    level = status >= 500 ? LOG_ERROR : level;
    if (!log_writes(level))
        return;
    log_event(level, "request", log_text("request_id", work->request_id),
              log_text("method", work->request.method), log_text("path", work->request.path),
              log_int("status", status), log_text("principal", work->principal),
              log_int("microseconds", time_monotonic_us() - work->started_us));
}

static const char *retry_after(const Work *work)
{
    unsigned seconds = work->retry_seconds ? work->retry_seconds : 1;

    return arena_format(http_exchange_arena(work->exchange), "%u", seconds);
}

/* Those that the handler gave, behind the others; how many there are then. */
static size_t add_given(HttpPair headers[], size_t count, const Response *response)
{
    for (size_t i = 0; i < RESPONSE_HEADERS_MAX; i++)
        if (response->headers[i].name)
            headers[count++] = response->headers[i];
    return count;
}

static void send_response(Work *work, Response *response)
{
    HttpPair headers[5 + RESPONSE_HEADERS_MAX] = {
        {"X-Request-Id", work->request_id},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
    };
    size_t header_count = add_given(headers, 3, response);
    HttpAnswer answer;

    if (response->status == 401)
        headers[header_count++] =
            (HttpPair){"WWW-Authenticate",
                       route_speaks_mlflow(work->route) ? "Basic realm=\"mlflow\"" : "Bearer"};
    if (response->status == 405 && work->request.allowed)
        headers[header_count++] = (HttpPair){"Allow", work->request.allowed};
    if (response->status == 429 || response->status == 503)
        headers[header_count++] = (HttpPair){"Retry-After", retry_after(work)};
    answer = (HttpAnswer){
        .status = response->status,
        .content_type = response->content_type ? response->content_type : "application/json",
        .body = response->body,
        .size = response->body_size,
        .body_lasts = true,
        .headers = headers,
        .header_count = header_count,
        .headers_last = true,
    };

    if (!response->body && response->json && response->status != 204) {
        answer.body = json_finish(response->json);
        answer.size = json_size(response->json);
    }
    count_answer(work->server->application, response->status);
    log_answer(work, response->status);
    http_answer(work->exchange, &answer);
}

static void send_error(Work *work, Scope *scope)
{
    Response response;

    if (work->route)
        api_answer_error(work->route, scope, &response);
    else
        api_answer_no_route(&work->request, scope, &response);
    send_response(work, &response);
}

static void send_file(Work *work, Scope *scope, const Response *response)
{
    HttpPair headers[2 + RESPONSE_HEADERS_MAX] = {
        {"X-Request-Id", work->request_id},
        {"X-Content-Type-Options", "nosniff"},
    };
    HttpFileAnswer answer = {
        .path = response->file,
        .content_type =
            response->content_type ? response->content_type : "application/octet-stream",
        .headers = headers,
        .header_count = add_given(headers, 2, response),
    };

    count_answer(work->server->application, response->status);
    log_answer(work, response->status);
    if (!http_answer_file(work->exchange, &answer, &scope->error))
        send_error(work, scope);
}

static void send_answer(ApiCall *call)
{
    Work *work = call->context;

    if (work->response.file)
        send_file(work, &work->scope, &work->response);
    else
        send_response(work, &work->response);
}

static bool check_writer(const Work *work, Error *error)
{
    Writer *writer = work->server->application->platform->writer;

    return work->route->kind != ROUTE_WRITE || writer_waiting(writer) < WAITING_CHANGES_MAX ||
           fail(error, ERROR_BUSY, "too many changes are waiting for the disk, try again later");
}

/* Runs the route on this thread and answers; a change is answered by the writer's thread once it is
 * on the disk, and this one is free again. */
static void run_work(Work *work, Session *session)
{
    Application *application = work->server->application;
    Scope *scope = &work->scope;

    *scope = (Scope){
        .platform = application->platform,
        .db = session ? session->db : NULL,
        .arena = http_exchange_arena(work->exchange),
        .request_id = work->request_id,
    };
    if (!caller_check_origin(application, work->exchange, &scope->error) ||
        !caller_find(&work->caller, application, work->server->tokens, scope) ||
        !check_writer(work, &scope->error)) {
        send_error(work, scope);
        return;
    }
    work->principal = scope->principal.name;
    work->call = (ApiCall){work->route, scope, &work->request, &work->response, send_answer, work};
    api_start(&work->call);
}

static void answer_failure(Work *work, const Error *error)
{
    Scope scope = {
        .arena = http_exchange_arena(work->exchange),
        .request_id = work->request_id,
        .error = *error,
    };

    send_error(work, &scope);
}

static void run_with_session(Work *work)
{
    SessionPool *sessions = work->server->sessions; /* the work is gone once it is answered */
    Error error = {0};
    Session session;

    if (!session_pool_take(sessions, &session, &error)) {
        answer_failure(work, &error);
        return;
    }
    run_work(work, &session);
    session_pool_give_back(sessions, &session);
}

static bool is_known(Work *work)
{
    return caller_is_known(&work->caller, work->route, work->exchange, work->server->tokens);
}

static void run(Work *work)
{
    if (is_known(work) && work->route->kind == ROUTE_FAST)
        run_work(work, NULL);
    else
        run_with_session(work);
}

static void run_on_worker(void *context)
{
    Work *work = context;
    Error error = {0};

    if (work->route->kind != ROUTE_FAST ||
        time_monotonic_us() - work->started_us <= FAST_WAIT_MS_MAX * 1000) {
        run(work);
        return;
    }
    fail(&error, ERROR_TIMEOUT, "no worker was free for this within %d seconds, try again later",
         FAST_WAIT_MS_MAX / 1000);
    answer_failure(work, &error);
}

/* The caller's, when it is fit to be logged and sent back; else a new one. */
static const char *request_id_of(const HttpExchange *exchange, Arena *arena)
{
    const char *given = http_exchange_header(exchange, "X-Request-Id");
    char id[ID_TEXT_SIZE];

    if (given && strlen(given) <= REQUEST_ID_BYTES_MAX && name_is_valid(given))
        return given;
    return arena_text(arena, id_timed(id));
}

static Work *work_create(Server *server, HttpExchange *exchange)
{
    Arena *arena = http_exchange_arena(exchange);
    Work *work = arena_take(arena, sizeof(*work));

    *work = (Work){
        .server = server,
        .exchange = exchange,
        .request_id = request_id_of(exchange, arena),
        .started_us = time_monotonic_us(),
        .request =
            {
                .method = http_exchange_method(exchange),
                .path = http_exchange_path(exchange),
                .segments = *http_exchange_segments(exchange),
                .query = *http_exchange_queries(exchange),
                .headers = *http_exchange_headers(exchange),
                .content_type = http_exchange_header(exchange, "Content-Type"),
                .application = server->application,
            },
    };
    return work;
}

static bool check_encoding(const HttpExchange *exchange, Error *error)
{
    const char *encoding = http_exchange_header(exchange, "Content-Encoding");

    return !encoding || strcasecmp(encoding, "identity") == 0 ||
           fail(error, ERROR_MEDIA_TYPE, "a body comes as it is, without a \"Content-Encoding\"");
}

static Lane *lane_of(const Server *server, const Route *route)
{
    if (route->kind == ROUTE_FAST)
        return server->large;
    return route->kind == ROUTE_SLOW ? server->slow : server->quick;
}

void work_handle(void *context, HttpExchange *exchange)
{
    Server *server = context;
    Work *work = work_create(server, exchange);
    const HttpBody *body = http_exchange_body(exchange);
    Error error = {0};

    work->request.body = body->bytes ? body->bytes : "";
    work->request.body_size = body->file ? 0 : body->size;
    work->request.body_file = body->file;
    work->request.may_take_file = body->file != NULL;
    work->route = http_exchange_choice(exchange);
    if (!work->route) {
        (void)!route_find(&work->request, http_exchange_arena(exchange), &error);
        answer_failure(work, &error);
        return;
    }
    if (!work->route->takes_encodings && !check_encoding(exchange, &error)) {
        answer_failure(work, &error);
        return;
    }
    route_fill_parameters(work->route, &work->request, http_exchange_arena(exchange));
    if (work->route->kind == ROUTE_WRITE && !work->route->prepare && is_known(work)) {
        run_work(work, NULL); /* it only hands its work to the writer */
        return;
    }
    if (!route_needs_worker(work->route, body->size)) {
        run(work);
        return;
    }
    work->ticket = (LaneTicket){.run = run_on_worker, .context = work};
    if (!lane_submit(lane_of(server, work->route), &work->ticket, &work->retry_seconds)) {
        fail(&error, ERROR_BUSY, "too many requests are waiting, try again later");
        answer_failure(work, &error);
    }
}

/* On a thread of its own, which nothing else holds up. */
void work_handle_probe(void *context, HttpExchange *exchange)
{
    Work *work = work_create(context, exchange);
    Error error = {0};

    work->route = route_match(work->request.method, &work->request.segments);
    if (work->route && work->route->is_probe) {
        run(work);
        return;
    }
    work->route = NULL;
    fail(&error, ERROR_NOT_FOUND, "the port for probes answers GET %s only",
         "/healthz, /readyz and /metrics");
    answer_failure(work, &error);
}

HttpBodyRule work_probe_body_rule(void *context, const HttpExchange *exchange)
{
    (void)context, (void)exchange;
    return (HttpBodyRule){HTTP_BODY_MEMORY, 0};
}

static bool check_sender(Server *server, const Route *route, const HttpExchange *exchange,
                         Scope *scope)
{
    Session session = {0};
    Caller caller = {0};
    bool is_known = caller_is_known(&caller, route, exchange, server->tokens), done;

    if (!is_known && !session_pool_take(server->sessions, &session, &scope->error))
        return false;
    scope->db = session.db;
    done = caller_find(&caller, server->application, server->tokens, scope);
    if (!is_known)
        session_pool_give_back(server->sessions, &session);
    return done && api_check_role(route, scope);
}

/* A file may be large: of who may not send it, none of it comes to the disk. The store is asked on
 * the loop's thread for that, if at all; the file's bytes are written there, too. */
static void refuse_stranger(Server *server, const Route *route, const HttpExchange *exchange,
                            HttpBodyRule *rule)
{
    Scope scope = {
        .platform = server->application->platform,
        .arena = http_exchange_arena(exchange),
    };

    if (!server->application->demands_token || check_sender(server, route, exchange, &scope))
        return;
    rule->refusal_status = error_http_status(&scope.error);
    rule->refusal = arena_text(scope.arena, scope.error.message);
}

HttpBodyRule work_body_rule(void *context, const HttpExchange *exchange)
{
    const Route *route =
        route_match(http_exchange_method(exchange), http_exchange_segments(exchange));
    HttpBodyRule rule = {HTTP_BODY_MEMORY, REQUEST_BODY_BYTES_MAX, route};

    if (route && route->body_kind == BODY_FILE) {
        rule.mode = HTTP_BODY_FILE;
        refuse_stranger(context, route, exchange, &rule);
    }
    if (route && route->body_bytes_max)
        rule.bytes_max = route->body_bytes_max;
    return rule;
}

void work_refused(void *context, HttpExchange *exchange, int status, const char *reason)
{
    static const ErrorKind kinds[] = {
        ERROR_INVALID,     ERROR_TOO_LARGE,       ERROR_TIMEOUT,   ERROR_BUSY,    ERROR_METHOD,
        ERROR_UNAVAILABLE, ERROR_UNAUTHENTICATED, ERROR_FORBIDDEN, ERROR_NO_ROOM,
    };
    Work *work = work_create(context, exchange);
    Error error = {0};
    Response response;
    Scope scope = {.arena = http_exchange_arena(exchange), .request_id = work->request_id};

    work->route = http_exchange_choice(exchange);
    fail(&error, status >= 500 ? ERROR_INTERNAL : ERROR_INVALID, "%s", reason);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        Error candidate = {.kind = kinds[i]};

        if (error_http_status(&candidate) == status)
            error.kind = kinds[i];
    }
    scope.error = error;
    api_answer_error(work->route, &scope, &response);
    response.status = status;
    send_response(work, &response);
}

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_internal.h"

enum {
    BODY_BYTES_DEFAULT = 1024 * 1024,
    FIRST_BUFFER_SIZE_MAX = 64 * 1024,
    HEADER_BYTES_MAX = 16 * 1024, /* libmicrohttpd clears as much for each request */
    CUT_CONNECTIONS_MAX = 128,
    SPOOL_BYTES_LEFT_MIN = 64 * 1024 * 1024, /* for the store, which has to be written too */
    SPOOL_LOOK_BYTES = 32 * 1024 * 1024,     /* how often the disk is asked for its room */
};

static HttpConnection *connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info->socket_context;
}

/* Refusing. */

static void give_reason(HttpExchange *exchange, int status, const char *reason)
{
    const HttpServerSpec *spec = exchange->connection->loop->spec;

    if (spec->refused)
        spec->refused(spec->context, exchange, status, reason);
    else
        http_answer(exchange, &(HttpAnswer){.status = status,
                                            .content_type = "text/plain",
                                            .body = reason,
                                            .size = strlen(reason)});
}

/* Answers past libmicrohttpd, which takes an answer only before or after a body, not in its
 * middle; then has it close the connection. */
static enum MHD_Result refuse(HttpExchange *exchange, int status, const char *reason)
{
    HttpConnection *connection = exchange->connection;

    exchange->phase = HTTP_PHASE_SENDING;
    give_reason(exchange, status, reason);
    http_answer_send_raw(exchange, connection->socket);
    http_loop_linger(connection->loop, connection->socket);
    return MHD_NO;
}

void http_request_cut(HttpConnection *connection, int status, const char *reason)
{
    HttpExchange *exchange = connection->exchange;

    connection->late_at = 0;
    if (exchange && exchange->phase == HTTP_PHASE_BODY) {
        exchange->phase = HTTP_PHASE_SENDING;
        give_reason(exchange, status, reason);
        http_answer_send_raw(exchange, connection->socket);
    }
    shutdown(connection->socket, SHUT_RDWR);
}

void http_request_refuse_late(HttpConnection *connection)
{
    if (connection->loop->is_draining)
        http_request_cut(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping");
    else
        http_request_cut(connection, MHD_HTTP_REQUEST_TIMEOUT,
                         "the body of the request came too slowly");
}

/* The body. */

static void set_body_deadline(HttpExchange *exchange)
{
    HttpConnection *connection = exchange->connection;
    const HttpServerSpec *spec = connection->loop->spec;
    int64_t grace_ms = (int64_t)spec->body_seconds * 1000;

    connection->late_at = connection->loop->now + grace_ms;
}

/* Creates the file into which the body goes; it has no owner but the exchange. */
static bool open_spool(HttpExchange *exchange)
{
    const char *folder = exchange->connection->loop->spec->spool_folder;
    char *path = arena_format(exchange->arena, "%s/body-XXXXXX", folder ? folder : "/nonexistent");

    exchange->spool = mkostemp(path, O_CLOEXEC);
    if (exchange->spool < 0)
        return false;
    exchange->body.file = path;
    exchange->body.bytes = NULL;
    return true;
}

static enum MHD_Result refuse_size(HttpExchange *exchange)
{
    return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                  arena_format(exchange->arena, "the body of this request has at most %zu bytes",
                               exchange->rule.bytes_max));
}

static enum MHD_Result refuse_spool(HttpExchange *exchange)
{
    int status = errno == ENOSPC || errno == EDQUOT ? MHD_HTTP_INSUFFICIENT_STORAGE
                                                    : MHD_HTTP_SERVICE_UNAVAILABLE;

    return refuse(exchange, status,
                  arena_format(exchange->arena, "could not store the body: %s", strerror(errno)));
}

/* Whether the disk has that much room, and some for what else is to be written. */
static bool has_room_on_disk(const HttpExchange *exchange, uint64_t size)
{
    struct statvfs about;

    if (fstatvfs(exchange->spool, &about) != 0)
        return true;
    errno = ENOSPC;
    return size + SPOOL_BYTES_LEFT_MIN <= (uint64_t)about.f_bavail * about.f_frsize;
}

static enum MHD_Result begin_body(HttpExchange *exchange, const char *method, const char *version)
{
    const HttpServerSpec *spec = exchange->connection->loop->spec;
    const char *fault = http_header_read(exchange, method, version);

    if (fault)
        return refuse(exchange, MHD_HTTP_BAD_REQUEST, fault);

    exchange->rule = spec->body_rule ? spec->body_rule(spec->context, exchange)
                                     : (HttpBodyRule){HTTP_BODY_MEMORY, BODY_BYTES_DEFAULT};
    if (exchange->rule.refusal_status)
        return refuse(exchange, exchange->rule.refusal_status, exchange->rule.refusal);
    if (exchange->announced_size > exchange->rule.bytes_max)
        return refuse_size(exchange);
    if (exchange->rule.mode == HTTP_BODY_FILE &&
        (!open_spool(exchange) || !has_room_on_disk(exchange, exchange->announced_size)))
        return refuse_spool(exchange);

    exchange->phase = HTTP_PHASE_BODY;
    set_body_deadline(exchange);
    return MHD_YES;
}

static bool write_spool(HttpExchange *exchange, const char *bytes, size_t size)
{
    size_t before = exchange->body.size, after = before + size;

    if (before / SPOOL_LOOK_BYTES != after / SPOOL_LOOK_BYTES && !has_room_on_disk(exchange, 0))
        return false;
    while (size > 0) {
        ssize_t written = write(exchange->spool, bytes, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* A common body always has room; all larger ones share theirs. */
static bool has_room_for_body(const HttpExchange *exchange, size_t capacity)
{
    const HttpLoop *loop = exchange->connection->loop;
    size_t most = loop->spec->body_memory_max / loop->spec->thread_count;

    errno = ENOMEM;
    return capacity <= FIRST_BUFFER_SIZE_MAX || loop->body_bytes + capacity <= most;
}

/* Memory follows what has arrived, never what was only announced. */
static bool grow_buffer(HttpExchange *exchange, size_t needed)
{
    size_t capacity = exchange->capacity * 2;
    char *grown;

    if (needed <= exchange->capacity)
        return true;
    if (exchange->capacity == 0) {
        capacity = (size_t)exchange->announced_size + 1;
        if (capacity > FIRST_BUFFER_SIZE_MAX)
            capacity = FIRST_BUFFER_SIZE_MAX;
    }
    if (capacity < needed)
        capacity = needed;

    if (!has_room_for_body(exchange, capacity))
        return false;
    grown = realloc(exchange->buffer, capacity);
    if (!grown)
        return false;
    exchange->connection->loop->body_bytes += capacity - exchange->capacity;
    exchange->buffer = grown;
    exchange->capacity = capacity;
    return true;
}

static bool keep_bytes(HttpExchange *exchange, const char *bytes, size_t size)
{
    HttpBody *body = &exchange->body;

    if (exchange->rule.mode == HTTP_BODY_FILE)
        return write_spool(exchange, bytes, size);
    if (!grow_buffer(exchange, body->size + size + 1))
        return false;
    memcpy(exchange->buffer + body->size, bytes, size);
    exchange->buffer[body->size + size] = '\0';
    body->bytes = exchange->buffer;
    return true;
}

static enum MHD_Result take_bytes(HttpExchange *exchange, const char *bytes, size_t *size)
{
    size_t before = exchange->body.size;

    if (*size > exchange->rule.bytes_max - before)
        return refuse_size(exchange);
    if (!keep_bytes(exchange, bytes, *size))
        return refuse_spool(exchange);

    exchange->body.size += *size;
    exchange->connection->late_at +=
        (int64_t)(exchange->body.size / BYTES_PER_SECOND_MIN - before / BYTES_PER_SECOND_MIN) *
        1000;
    *size = 0;
    return MHD_YES;
}

/* The answer. */

static enum MHD_Result hand_out(HttpExchange *exchange, struct MHD_Connection *handle)
{
    HttpLoop *loop = exchange->connection->loop;
    const HttpServerSpec *spec = loop->spec;

    if (http_loop_yields(loop, exchange->connection))
        return MHD_YES;
    if (exchange->spool >= 0) {
        close(exchange->spool);
        exchange->spool = -1;
    }
    exchange->connection->late_at = 0;
    exchange->phase = HTTP_PHASE_HANDLED;
    http_exchange_handle(exchange, spec);
    if (http_exchange_park(exchange))
        return http_answer_send(exchange, handle);
    MHD_suspend_connection(handle);
    return MHD_YES;
}

/* Ends the wait for an answer; http_exchange_end() follows when the connection is closed. */
void http_request_abandon(HttpConnection *connection)
{
    HttpExchange *exchange = connection->exchange;
    bool was_parked;

    if (!exchange)
        return;
    pthread_mutex_lock(&exchange->lock);
    was_parked = exchange->is_parked && !exchange->is_answered;
    if (was_parked)
        exchange->is_parked = false;
    pthread_mutex_unlock(&exchange->lock);
    if (was_parked)
        MHD_resume_connection(connection->handle);
}

/* After a suspension, libmicrohttpd asks again; so does it after each part of the body. */
static enum MHD_Result on_access(void *context UNUSED, struct MHD_Connection *handle,
                                 const char *url UNUSED, const char *method, const char *version,
                                 const char *bytes, size_t *size, void **request)
{
    HttpExchange *exchange = *request;
    bool is_answered;

    switch (exchange->phase) {
    case HTTP_PHASE_HEADER:
        return begin_body(exchange, method, version);
    case HTTP_PHASE_BODY:
        return *size > 0 ? take_bytes(exchange, bytes, size) : hand_out(exchange, handle);
    case HTTP_PHASE_HANDLED:
        pthread_mutex_lock(&exchange->lock);
        is_answered = exchange->is_answered;
        pthread_mutex_unlock(&exchange->lock);
        return is_answered ? http_answer_send(exchange, handle) : MHD_NO;
    case HTTP_PHASE_SENDING:
        break;
    }
    return MHD_NO;
}

/* The connection has no more to do with its exchange. libmicrohttpd does not say so of each: a
 * request whose arguments it has no room for just ends. */
static void let_go(HttpConnection *connection)
{
    HttpExchange *exchange = connection->exchange;

    if (!exchange)
        return;
    connection->exchange = NULL;
    connection->loop->body_bytes -= exchange->capacity;
    connection->loop->exchange_count--;
    http_exchange_end(exchange);
}

/* Called with the URI before it is split and decoded, at the start of each request. */
static void *on_target(void *context UNUSED, const char *target, struct MHD_Connection *handle)
{
    HttpConnection *connection = connection_of(handle);
    HttpLoop *loop = connection->loop;
    int64_t late_at = loop->now + (int64_t)loop->spec->header_seconds * 1000;

    let_go(connection);
    connection->exchange = http_exchange_create(connection, target);
    connection->exchange->target_end = target + strlen(target);
    if (connection->late_at == 0 || late_at < connection->late_at)
        connection->late_at = late_at;
    if (connection->guest.wait == HTTP_WAIT_NEXT)
        http_crowd_move(&loop->crowd, &connection->guest, HTTP_WAIT_REQUEST);
    loop->exchange_count++;
    return connection->exchange;
}

/* When the next header must be there. Nothing tells when its first byte comes, so the wait for
 * that byte, which the idle time limits, is part of it. */
static void on_completed(void *context UNUSED, struct MHD_Connection *handle, void **request,
                         enum MHD_RequestTerminationCode code UNUSED)
{
    HttpConnection *connection = connection_of(handle);
    HttpLoop *loop = connection->loop;
    const HttpServerSpec *spec = loop->spec;

    if (!connection->exchange)
        return;
    *request = NULL;
    connection->late_at = loop->now + ((int64_t)spec->idle_seconds + spec->header_seconds) * 1000;
    http_crowd_move(&loop->crowd, &connection->guest, HTTP_WAIT_NEXT);
    let_go(connection);
}

/* Connections. */

/* One more than there may be: another goes for it. */
static void make_room(HttpLoop *loop, const HttpConnection *newcomer)
{
    HttpGuest *guest;

    while ((guest = http_crowd_surplus(&loop->crowd, &newcomer->guest)) != NULL)
        http_request_cut((HttpConnection *)guest, MHD_HTTP_TOO_MANY_REQUESTS,
                         "there are too many connections, and this request was the slowest");
}

static void connection_open(HttpLoop *loop, struct MHD_Connection *handle, void **context)
{
    const struct sockaddr *address =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    HttpConnection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        out_of_memory();
    connection->loop = loop;
    connection->handle = handle;
    connection->socket =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->late_at = time_monotonic_us() / 1000 + (int64_t)loop->spec->header_seconds * 1000;
    address_format(address, connection->peer);
    *context = connection;
    http_crowd_add(&loop->crowd, &connection->guest, http_crowd_key(address));
    make_room(loop, connection);
}

static void connection_close(HttpLoop *loop, HttpConnection *connection)
{
    let_go(connection);
    http_crowd_remove(&loop->crowd, &connection->guest);
    free(connection);
}

static void on_connection(void *context, struct MHD_Connection *handle, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(context, handle, socket_context);
    else
        connection_close(context, *socket_context);
}

/* Paths and queries are decoded by us: strictly, and after they were split. */
static size_t on_unescape(void *context UNUSED, struct MHD_Connection *handle UNUSED, char *text)
{
    return strlen(text);
}

/* libmicrohttpd's own limit stands above ours, which is kept by cutting others: those that were cut
 * count there until they have ended. */
struct MHD_Daemon *http_daemon_start(HttpLoop *loop, int listener)
{
    const HttpServerSpec *spec = loop->spec;
    unsigned connection_max = (unsigned)loop->crowd.count_max * 2 + CUT_CONNECTIONS_MAX;

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL, on_access, loop,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connection_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        spec->idle_seconds, MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, loop, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        loop, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, loop, MHD_OPTION_ARRAY, http_lines_options,
        MHD_OPTION_END);
}

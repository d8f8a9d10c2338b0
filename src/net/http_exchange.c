#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "net/http_internal.h"

/* The URI of a request may be a path or, to a proxy, a whole URL; only the path matters here. */
static const char *path_of(const char *target)
{
    const char *slash;

    if (*target == '/' || strncasecmp(target, "http://", 7) != 0)
        return target;
    slash = strchr(target + 7, '/');
    return slash ? slash : "/";
}

HttpExchange *http_exchange_create(HttpConnection *connection, const char *target)
{
    HttpLoop *loop = connection->loop;
    Arena *arena = loop->spare_count ? loop->spares[--loop->spare_count] : arena_create();
    HttpExchange *exchange = arena_new(arena, HttpExchange);
    const char *path = path_of(target);
    size_t length = (size_t)(strchrnul(path, '?') - path);

    exchange->arena = arena;
    exchange->connection = connection;
    exchange->method = "";
    exchange->path = arena_copy(arena, path, length);
    exchange->query = path[length] ? arena_text(arena, path + length + 1) : "";
    exchange->peer = arena_text(arena, connection->peer);
    exchange->body.bytes = "";
    exchange->spool = -1;
    exchange->answer.file = -1;
    pthread_mutex_init(&exchange->lock, NULL);
    return exchange;
}

/* All but its memory. */
static void release(HttpExchange *exchange)
{
    if (exchange->spool >= 0)
        close(exchange->spool);
    if (exchange->body.file)
        unlink(exchange->body.file);
    if (exchange->answer.file >= 0)
        close(exchange->answer.file);
    free(exchange->buffer);
    pthread_mutex_destroy(&exchange->lock);
}

static void destroy(HttpExchange *exchange)
{
    release(exchange);
    arena_destroy(exchange->arena);
}

/* On the loop's thread. */
static void give_back(HttpLoop *loop, HttpExchange *exchange)
{
    Arena *arena = exchange->arena; /* the exchange is in it */

    if (loop->spare_count == SPARE_COUNT_MAX) {
        destroy(exchange);
        return;
    }
    release(exchange);
    arena_reset(arena);
    loop->spares[loop->spare_count++] = arena;
}

void http_exchange_clear_spares(HttpLoop *loop)
{
    while (loop->spare_count)
        arena_destroy(loop->spares[--loop->spare_count]);
}

/* An exchange has two holders, the connection and whoever has to answer. The last one out
 * destroys it. Before handle() saw it, there is only the connection. */
void http_exchange_end(HttpExchange *exchange)
{
    HttpLoop *loop = exchange->connection->loop;
    bool is_last;

    if (exchange->is_answered_at_once) {
        give_back(loop, exchange);
        return;
    }
    pthread_mutex_lock(&exchange->lock);
    exchange->is_ended = true;
    exchange->is_parked = false;
    is_last = exchange->is_answered || exchange->phase < HTTP_PHASE_HANDLED;
    pthread_mutex_unlock(&exchange->lock);
    if (is_last)
        give_back(loop, exchange);
}

void http_exchange_handle(HttpExchange *exchange, const HttpServerSpec *spec)
{
    exchange->handler = pthread_self();
    exchange->is_at_hand = true;
    spec->handle(spec->context, exchange);
    exchange->is_at_hand = false;
}

/* Most answers are there when handle() returns, and no other thread ever saw the exchange: then
 * nothing of it needs its lock. */
static bool is_answered_at_hand(const HttpExchange *exchange)
{
    return pthread_equal(exchange->handler, pthread_self()) && exchange->is_at_hand;
}

void http_exchange_finish(HttpExchange *exchange)
{
    bool is_last;

    if (is_answered_at_hand(exchange)) {
        exchange->is_answered_at_once = true;
        return;
    }
    pthread_mutex_lock(&exchange->lock);
    exchange->is_answered = true;
    is_last = exchange->is_ended;
    /* Woken under the lock: as long as it is parked and locked, its loop cannot go away. */
    if (exchange->is_parked)
        http_loop_wake(exchange->connection->loop, exchange);
    pthread_mutex_unlock(&exchange->lock);
    if (is_last)
        destroy(exchange);
}

bool http_exchange_park(HttpExchange *exchange)
{
    bool is_answered;

    if (exchange->is_answered_at_once)
        return true;
    pthread_mutex_lock(&exchange->lock);
    is_answered = exchange->is_answered;
    exchange->is_parked = !is_answered;
    pthread_mutex_unlock(&exchange->lock);
    return is_answered;
}

static const char *find_exact(const HttpPairList *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0)
            return pairs->items[i].value;
    return NULL;
}

static const char *find_in_any_case(const HttpPairList *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (http_same_name(pairs->items[i].name, name))
            return pairs->items[i].value;
    return NULL;
}

const char *http_exchange_method(const HttpExchange *exchange)
{
    return exchange->method;
}

const char *http_exchange_path(const HttpExchange *exchange)
{
    return exchange->path;
}

const TextList *http_exchange_segments(const HttpExchange *exchange)
{
    return &exchange->segments;
}

const char *http_exchange_query(const HttpExchange *exchange, const char *name)
{
    return find_exact(&exchange->queries, name);
}

const HttpPairList *http_exchange_queries(const HttpExchange *exchange)
{
    return &exchange->queries;
}

const char *http_exchange_header(const HttpExchange *exchange, const char *name)
{
    return find_in_any_case(&exchange->headers, name);
}

const HttpPairList *http_exchange_headers(const HttpExchange *exchange)
{
    return &exchange->headers;
}

const char *http_exchange_peer(const HttpExchange *exchange)
{
    return exchange->peer;
}

const HttpBody *http_exchange_body(const HttpExchange *exchange)
{
    return &exchange->body;
}

const void *http_exchange_choice(const HttpExchange *exchange)
{
    return exchange->rule.choice;
}

Arena *http_exchange_arena(const HttpExchange *exchange)
{
    return exchange->arena;
}

bool http_exchange_take_file(HttpExchange *exchange, const char *path, Error *error)
{
    if (!exchange->body.file)
        return fail(error, ERROR_INTERNAL, "the body of this request is not in a file");
    if (!file_move_durably(exchange->body.file, path, error))
        return false;
    exchange->body.file = NULL;
    return true;
}

/* http_server.h: an HTTP/1.1 server.
 *
 * It runs thread_count loops, each a thread with a listening socket of its own
 * on the same port; a connection stays with its loop. All callbacks run on loop
 * threads, several at once, and must be quick: slow work is handed to another
 * thread, which answers the exchange later.
 *
 * What is not proper HTTP, too large or too slow is refused before handle() sees
 * it, and its connection is closed. refused() then gives the answer its shape.
 *
 *     HttpServerSpec spec = {.address = "127.0.0.1", .thread_count = 2, .handle = on_request};
 *     if (!http_server_open(&spec, &server, error))
 *         return false;
 *     printf("http://127.0.0.1:%d/\n", http_server_port(server));
 *     ...
 *     http_server_close(server, 10);
 */
#pragma once

#include <stdint.h>

#include "net/http_exchange.h"

typedef struct HttpServer HttpServer;

typedef enum HttpBodyMode { HTTP_BODY_MEMORY, HTTP_BODY_FILE } HttpBodyMode;

typedef struct HttpBodyRule {
    HttpBodyMode mode;
    size_t bytes_max;   /* a larger body is refused with 413 */
    const void *choice; /* for handle(): see http_exchange_choice() */

    /* Not 0: the request is refused with that, before any of its body is taken. */
    int refusal_status;
    const char *refusal; /* the reason; lasts as the exchange's arena does */
} HttpBodyRule;

/* Zero means the default that stands beside a limit. */
typedef struct HttpServerSpec {
    const char *address; /* of an interface, IPv4 or IPv6; default "127.0.0.1" */
    uint16_t port;       /* 0: any free one */
    size_t thread_count; /* 1 */

    /* Shared out evenly among the threads. One connection more than that is taken in, and another
     * cut for it: see http_crowd.h. */
    size_t connection_count_max; /* 1024 */
    size_t per_address_max;      /* connections of one address; no limit */

    unsigned idle_seconds;   /* 60: nothing happens on a connection */
    unsigned header_seconds; /* 10: for a whole header */
    unsigned body_seconds;   /* 30: for a whole body, plus a second for each 16 KiB of it */

    /* For bodies in memory, all together, shared out among the threads. One that finds no room is
     * refused with 503, but up to 64 KiB there is always room for. */
    size_t body_memory_max; /* 512 MiB */

    const char *spool_folder; /* of bodies in files; needed when a rule says HTTP_BODY_FILE */

    /* Asked once the header is there: method, path, query and headers can be read, nothing may be
     * answered. NULL: in memory, up to 1 MiB. */
    HttpBodyRule (*body_rule)(void *context, const HttpExchange *exchange);

    void (*handle)(void *context, HttpExchange *exchange);

    /* Must answer at once, from memory, with that status. The reason is a sentence for the user.
     * NULL: the reason as plain text. The method is "" when it was not read yet. */
    void (*refused)(void *context, HttpExchange *exchange, int status, const char *reason);
    void *context;
} HttpServerSpec;

/* The server keeps a copy of the specification, and of its texts. */
bool http_server_open(const HttpServerSpec *spec, HttpServer **server, Error *error) MUST_CHECK;

uint16_t http_server_port(const HttpServer *server);

/* Stops accepting, gives requests that have begun a second to arrive whole and up to wait_seconds
 * to be answered, then closes every connection. Not to be called from a callback. NULL is nothing
 * to close. */
void http_server_close(HttpServer *server, unsigned wait_seconds);

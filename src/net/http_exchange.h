/* http_exchange.h: one request and its answer.
 *
 * The server hands an exchange to its handle() when the body is complete. The
 * handler answers at once, or keeps the exchange and answers later, from any
 * thread. Each exchange is answered exactly once, by http_answer() or by a
 * successful http_answer_file(); after that it must not be touched. Until then
 * all that its accessors return stays valid, even when the client has gone or
 * the server was closed: such an answer is dropped quietly.
 *
 * One thread at a time works on an exchange. Its arena belongs to whoever has to
 * answer and lives until the answer was sent.
 *
 *     const char *name = http_exchange_query(exchange, "name");
 *     http_answer(exchange, &(HttpAnswer){.status = 200, .content_type = "text/plain",
 *                                         .body = name, .size = strlen(name)});
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/http.h"
#include "net/url.h"

typedef struct HttpExchange HttpExchange;

/* A body is in memory (bytes, with a NUL behind them) or in a file (whose name is not NULL). */
typedef struct HttpBody {
    const char *bytes;
    size_t size;
    const char *file;
} HttpBody;

typedef struct HttpAnswer {
    int status;
    const char *content_type; /* or NULL */
    const char *body;
    size_t size;
    bool body_lasts; /* is static or in the exchange's arena; any other body is copied */
    const HttpPair *headers;
    size_t header_count;
    bool
        headers_last; /* their texts and the type's are static or in the arena; others are copied */
} HttpAnswer;

typedef struct HttpFileAnswer {
    const char *path;
    const char *content_type;
    bool is_temporary; /* its name is removed at once; the client still gets all of it */
    const HttpPair *headers;
    size_t header_count;
} HttpFileAnswer;

const char *http_exchange_method(const HttpExchange *exchange);

/* The path as it was sent, still encoded, without the query. */
const char *http_exchange_path(const HttpExchange *exchange);
const TextList *http_exchange_segments(const HttpExchange *exchange);

/* The first parameter of that name, or NULL. */
const char *http_exchange_query(const HttpExchange *exchange, const char *name);
const HttpPairList *http_exchange_queries(const HttpExchange *exchange);

/* The first header of that name in any case, or NULL. */
const char *http_exchange_header(const HttpExchange *exchange, const char *name);
const HttpPairList *http_exchange_headers(const HttpExchange *exchange);

/* The address of the other end of the connection, without the port. */
const char *http_exchange_peer(const HttpExchange *exchange);

/* What body_rule() chose for this request. */
const void *http_exchange_choice(const HttpExchange *exchange);
const HttpBody *http_exchange_body(const HttpExchange *exchange);
Arena *http_exchange_arena(const HttpExchange *exchange);

/* Moves the spooled body to that path (on the same file system, replacing what is there), where it
 * outlives the exchange. */
bool http_exchange_take_file(HttpExchange *exchange, const char *path, Error *error) MUST_CHECK;

/* Headers that HTTP does not allow (a line break in a value) are left out. A HEAD request gets the
 * same headers without the body. */
void http_answer(HttpExchange *exchange, const HttpAnswer *answer);

/* Answers 200 with the file; or 206 or 416 when the request asks for one range of bytes. False
 * when the file cannot be read: the exchange is then still to be answered. */
bool http_answer_file(HttpExchange *exchange, const HttpFileAnswer *answer,
                      Error *error) MUST_CHECK;

/* http_client.h: requests to other servers.
 *
 * http_fetch() is for servers that the user or the operator named in settings: any
 * address, no redirects, an answer that fits in memory. http_download() is for URLs
 * that somebody typed into a field: such a URL must not reach what only we can reach,
 * so the address of each connection is checked after the name was looked up, at
 * every redirect, and no proxy is used.
 *
 *     HttpReply reply;
 *     HttpFetchSpec spec = {.url = url, .body = json, .body_size = strlen(json)};
 *     if (!http_fetch(&spec, arena, &reply, error))
 *         return false;
 *     printf("%d %s\n", reply.status, reply.body);
 *
 * Both block, and may be called from any thread. Who asks one server again and again keeps an
 * HttpConnection for it, and uses that from one thread at a time.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/http.h"

typedef struct HttpConnection HttpConnection;

/* Connects when the first request needs it, and again when the other side has closed. */
HttpConnection *http_connection_open(Error *error) MUST_CHECK;
void http_connection_close(HttpConnection *connection); /* NULL is fine */

/* Zero means the default that stands beside a member. */
typedef struct HttpFetchSpec {
    const char *method; /* "GET", or "POST" when there is a body */
    const char *url;    /* http or https */
    const HttpPair *headers;
    size_t header_count;
    const char *body;
    size_t body_size;
    const char *body_file;        /* sent instead of body */
    unsigned timeout_seconds;     /* 30, for all of it; a file gets as long as it keeps moving */
    size_t reply_bytes_max;       /* 16 MiB */
    const char *unix_socket;      /* the path of the socket to ask, whatever host the URL names */
    HttpConnection *connection;   /* to be kept for the next request; NULL: one for this alone */
    const atomic_bool *cancelled; /* set from another thread, it ends the request in a second */
} HttpFetchSpec;

/* An answer of any status. */
typedef struct HttpReply {
    int status;
    const char *content_type; /* "" when there is none */
    HttpPairList headers;
    const char *body; /* with a NUL behind it */
    size_t size;
} HttpReply;

/* Fails when there is no whole answer: ERROR_INVALID for a URL that cannot be one,
 * ERROR_TOO_LARGE, ERROR_TIMEOUT, else ERROR_UNAVAILABLE. */
bool http_fetch(const HttpFetchSpec *spec, Arena *arena, HttpReply *reply, Error *error) MUST_CHECK;

/* The first header of that name in any case, or NULL. */
const char *http_reply_header(const HttpReply *reply, const char *name);

typedef struct HttpDownloadSpec {
    const char *url;
    const char *target_path; /* replaced when the download is whole, else untouched */
    const HttpPair *headers;
    size_t header_count;
    uint64_t bytes_max;       /* 1 GiB */
    unsigned timeout_seconds; /* 3600 */
    bool allow_private;       /* also addresses that are not public */
} HttpDownloadSpec;

/* Downloads into a file beside the target, "<target>.part", then renames it. An answer other than
 * 2xx is a failure. */
bool http_download(const HttpDownloadSpec *spec, Error *error) MUST_CHECK;

/* server.h: the application behind HTTP.
 *
 * Fast routes are answered on the loop thread that read the request, unless their body is large;
 * all others run on workers, each with a connection of its own for reading, so that a slow request
 * never holds up a fast one. The port for probes has a thread of its own.
 */
#pragma once

#include "server/application.h"

typedef struct ServerSpec {
    const char *folder;
    const char *address; /* "127.0.0.1"; any but a loopback address demands a token */
    uint16_t port;       /* 0: any free one */
    bool demands_token;  /* on a loopback address too */

    bool has_probe_port;
    uint16_t probe_port;        /* 0: any free one */
    int64_t purge_after_days;   /* 0: nothing is purged by itself */
    int64_t artifact_bytes_max; /* 0: as long as the disk has room */
    size_t connections_max;     /* 0: 8192, or what the limit of open files allows */
    size_t per_address_max;     /* connections of one address; 0: half of all */
    size_t steps_max;           /* of pipelines at a time; 0: as many as processors, 2 at least */
    NotifySettings notify;
    ExecutorSettings executors;
} ServerSpec;

typedef struct Server Server;

bool server_open(const ServerSpec *spec, Server **server, Error *error) MUST_CHECK;
const char *server_url(const Server *server);       /* "http://127.0.0.1:5000" */
const char *server_probe_url(const Server *server); /* NULL: it has no port for probes */

/* Answers what has begun, then ends everything. */
void server_close(Server *server);

/* server.h: the application behind HTTP.
 *
 * Fast routes are answered on the loop thread that read the request, unless their body is large;
 * all others run on a pool of workers, each with a connection of its own for reading, so that a
 * slow request never holds up a fast one.
 */
#pragma once

#include "server/application.h"

typedef struct ServerSpec {
    const char *folder;
    const char *address; /* "127.0.0.1"; any but a loopback address demands a token */
    uint16_t port;       /* 0: any free one */
    bool demands_token;  /* on a loopback address too */
} ServerSpec;

typedef struct Server Server;

bool server_open(const ServerSpec *spec, Server **server, Error *error) MUST_CHECK;
const char *server_url(const Server *server); /* "http://127.0.0.1:5000" */

/* Answers what has begun, then ends everything. */
void server_close(Server *server);

/* server_internal.h: what the two files of the server share.
 *
 *     server.c   opens and closes the parts of a server
 *     work.c     a request from the loop to its route and back
 */
#pragma once

#include "net/http_server.h"
#include "server/caller.h"
#include "server/courier.h"
#include "server/lane.h"
#include "server/server.h"
#include "server/session_pool.h"
#include "server/upkeep.h"

struct Server {
    Application *application;
    SessionPool *sessions;
    TokenCache *tokens;
    Lane *quick, *slow;
    Lane *large; /* bodies of fast routes that would hold up a loop */
    Upkeep *upkeep;
    Courier *courier;
    HttpServer *http, *probes;
    Arena *arena;
    const char *url, *probe_url, *address_file;
};

/* work.c: what the listeners of a server call; the context is the server. */
void work_handle(void *context, HttpExchange *exchange);
void work_refused(void *context, HttpExchange *exchange, int status, const char *reason);
HttpBodyRule work_body_rule(void *context, const HttpExchange *exchange);

/* The same on the port for probes, which knows no other routes and no bodies. */
void work_handle_probe(void *context, HttpExchange *exchange);
HttpBodyRule work_probe_body_rule(void *context, const HttpExchange *exchange);

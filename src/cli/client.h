/* client.h: the API, over HTTP or in this process: the same route tables either way.
 *
 * With a server named (--server, $SLIPWAY_SERVER) or found running on the data folder, calls go
 * over HTTP; else the client opens the data folder itself at the first call and runs the routes
 * here, as the owner "local".
 */
#pragma once

#include "base/json.h"

typedef struct Client Client;

typedef struct ClientSpec {
    const char *server; /* "http://127.0.0.1:5000", or NULL */
    const char *token;  /* or NULL */
    const char *folder; /* the data folder */
} ClientSpec;

Client *client_create(const ClientSpec *spec);
void client_destroy(Client *client); /* waits for work under way in this process */

typedef struct ClientCall {
    const char *method;
    const char *path; /* with the query, encoded: "/api/v1/runs?limit=10" */
    const char *body; /* or NULL */
    size_t body_size;
    const char *body_file;    /* sent instead of body; stays where it is */
    const char *content_type; /* NULL: application/json */
    unsigned timeout_seconds; /* 0: 600 */
    const char *reply_file;   /* or NULL: where the bytes of a file that is the answer go, whatever
                                 its size; the reply then has none. Of a GET */
} ClientCall;

typedef struct ClientReply {
    int status;
    const char *body;
    size_t size;
    const JsonValue *json; /* of the body; NULL when it is none */
} ClientReply;

/* Fails with the error that the answer carries when its status is not 2xx; the reply then holds
 * that answer. */
bool client_call(Client *client, const ClientCall *call, Arena *arena, ClientReply *reply,
                 Error *error) MUST_CHECK;

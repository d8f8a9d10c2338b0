/* mlflow_server.h: somebody else's MLflow server, asked over HTTP with what MLflow's clients send:
 * $MLFLOW_TRACKING_USERNAME and $MLFLOW_TRACKING_PASSWORD, or $MLFLOW_TRACKING_TOKEN. */
#pragma once

#include "net/http.h"
#include "transfer/transfer.h"

typedef struct MlflowServer {
    const char *address;    /* without "/" at its end */
    HttpPair authorization; /* value NULL: none */
} MlflowServer;

MlflowServer mlflow_server_at(const char *address, Arena *arena);

/* The server outlives it. What fails for a moment is tried again. */
RestTransport mlflow_server_transport(MlflowServer *server);

/* slurm_client.h: the calls to slurmrestd. Each blocks, for CALL_SECONDS at most; all are made by
 * one thread. */
#pragma once

#include "engine/slurm_api.h"
#include "net/http_client.h"

typedef struct SlurmClient {
    const SlurmSpec *spec;
    const char *user;
    const char *base, *socket; /* "http://host:port"; the path of the socket, or NULL */
    const atomic_bool *cancelled;
    HttpConnection *connection;
    int version; /* of the API; 0: not yet known */
} SlurmClient;

/* Takes the address apart. What the spec refers to must outlive the client. */
bool slurm_client_init(SlurmClient *client, const SlurmSpec *spec, Arena *arena,
                       Error *error) MUST_CHECK;
void slurm_client_clear(SlurmClient *client);

bool slurm_client_list(SlurmClient *client, Arena *arena, SlurmJobList *jobs,
                       Error *error) MUST_CHECK;

/* *id is that of the job when it was done. */
SlurmVerdict slurm_client_submit(SlurmClient *client, const ExecutorJob *job, Arena *arena,
                                 int64_t *id, Error *error) MUST_CHECK;

/* Fine when there is no such job any more. */
bool slurm_client_cancel(SlurmClient *client, int64_t id, Error *error) MUST_CHECK;

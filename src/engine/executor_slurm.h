/* executor_slurm.h: shims that Slurm starts on the machines of a cluster.
 *
 * It speaks HTTP to slurmrestd, on a socket of this machine or over TCP. A key is the name of its
 * job; numbers of jobs are used again by Slurm, so a job is always known by its name and its user.
 * Slurm takes two jobs of one name, and may lose one that it took, or run it twice, when its
 * controller is killed; the claim of the attempt makes all of that harmless.
 *
 * A thread of its own asks slurmrestd, and keeps a table of what Slurm said of all our jobs at
 * once; the functions of the executor read that table and leave their wishes there. So they never
 * wait, also when the controller is away and each call takes as long as a call may.
 *
 * - submit() hands the job to that thread, which looks first whether Slurm has one of that name.
 *   Its handle is the key. What Slurm refuses is EXECUTOR_GONE, with its reason.
 * - find() fails until Slurm has answered once.
 * - Before that, and for a job that is still to be handed over, poll() says EXECUTOR_QUEUED. While
 *   Slurm does not answer, it says what Slurm said last.
 * - cancel() is done at the thread's next turn, and again whenever it is asked for: jobs get
 * SIGTERM, and SIGKILL after the cluster's KillWait.
 * - logs() are the attempt's file "errors", to which the job's standard error goes.
 *
 * The folder of the attempt and that of the artifact store have the same paths on all machines.
 */
#pragma once

#include "engine/executor.h"

typedef struct SlurmSpec {
    const char *address;    /* "/path" or "unix:/path" of a socket, or "http://host:port" */
    const char *user;       /* of the jobs; NULL: who we are, which a socket alone can tell */
    const char *token_file; /* its token (read at every call, so it may be renewed), or NULL */
    const char *partition, *account, *qos; /* or NULL: the cluster's own */
    const char *program;                   /* the path of slipway over there; NULL: as here */
    int64_t memory_bytes, timeout_ms;      /* of jobs that name none; 0: 1 GiB, a day */
    void (*on_end)(void *context);         /* or NULL: called by its thread when something ended */
    void *context;
} SlurmSpec;

/* Does not ask Slurm yet; the texts are copied. */
Executor *executor_slurm_create(const SlurmSpec *spec, Error *error) MUST_CHECK;

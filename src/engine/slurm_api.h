/* slurm_api.h: what slurmrestd is told and what it answers, as pure functions.
 *
 * The API has a version in its paths, and each slurmrestd has three of them: 0.0.36 to 0.0.38 are
 * of one kind, from 0.0.39 on numbers may be objects and some members have other names. Errors come
 * with any status, a job that is unknown as 500.
 */
#pragma once

#include "base/json.h"
#include "engine/executor_slurm.h"

enum {
    SLURM_VERSION_LEAST = 36,
    SLURM_VERSION_OBJECTS = 39, /* the first of the second kind */
    SLURM_VERSION_TRES = 40,    /* the first that asks for GPUs as "gres/gpu" */
};

/* The best of the versions that an OpenAPI document names: 38 of 0.0.38. 0: there is none. */
int slurm_api_version(const JsonValue *document);

/* The request that submits a job; its limits are filled in. */
const char *slurm_api_job(const SlurmSpec *spec, const ExecutorJob *job, int version, Arena *arena);

typedef struct SlurmJob {
    int64_t id;
    const char *name, *folder; /* where it works */
    ExecutorState state;       /* not unknown */
    const char *reason;        /* "job 7 of Slurm is PENDING (Resources)" */
} SlurmJob;

typedef struct SlurmJobList {
    SlurmJob *items;
    size_t count;
} SlurmJobList;

/* All jobs of one user, sorted by name, those of one name with the liveliest first. */
SlurmJobList slurm_api_jobs(const JsonValue *document, const char *user, Arena *arena);

/* The first of that name, or NULL. */
const SlurmJob *slurm_api_find(const SlurmJobList *jobs, const char *name);

typedef enum SlurmVerdict {
    SLURM_DONE,
    SLURM_REFUSED, /* and would be again */
    SLURM_LATER,   /* this one not now; others may be taken */
    SLURM_AWAY,    /* it could not be asked, or had no say: nobody knows whether it was done */
} SlurmVerdict;

/* What an answer with errors means; error gets its sentence. document may be NULL. */
SlurmVerdict slurm_api_verdict(int status, const JsonValue *document, Error *error);

/* "2017": the number of its first error; 0: it has none. */
int64_t slurm_api_error_number(const JsonValue *document);
enum { SLURM_ERROR_INVALID_JOB = 2017, SLURM_ERROR_ALREADY_DONE = 2021 };

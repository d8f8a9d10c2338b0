/* fuzz_slurm.c: whatever JSON slurmrestd answers, its version is one that is spoken here or none,
 * its jobs are sorted, named and in a state, and a verdict that is not "done" has its sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/slurm_api.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_jobs(const JsonValue *document, Arena *arena)
{
    SlurmJobList jobs = slurm_api_jobs(document, "me", arena);

    for (size_t i = 0; i < jobs.count; i++) {
        const SlurmJob *job = &jobs.items[i];
        const SlurmJob *found = slurm_api_find(&jobs, job->name);

        require(job->name && job->reason && job->state != EXECUTOR_UNKNOWN);
        require(!i || strcmp(jobs.items[i - 1].name, job->name) <= 0);
        require(found && found <= job && strcmp(found->name, job->name) == 0);
    }
}

static void check_verdict(const JsonValue *document)
{
    static const int statuses[] = {200, 400, 401, 404, 429, 500, 503};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        Error error = {0};

        if (slurm_api_verdict(statuses[i], document, &error) != SLURM_DONE)
            require(error.message[0] && !strchr(error.message, '\n'));
    }
    slurm_api_error_number(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const JsonValue *document = NULL;
    Error error = {0};
    int version;

    if (!json_parse((const char *)data, size, arena, &document, &error))
        document = NULL;
    version = slurm_api_version(document);
    require(version == 0 || version >= SLURM_VERSION_LEAST);
    check_jobs(document, arena);
    check_verdict(document);
    return 0;
}

/* step_job.h: what several steps share. */
#pragma once

#include <stdatomic.h>

#include "base/json.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ml/task.h"
#include "store/artifact.h"

static inline void step_store_close(ArtifactStore **store) /* for CLEANUP */
{
    if (*store)
        artifact_store_close(*store);
}

/* Of steps that do other things with forecasts than with models of rows. */
static inline bool step_job_is_forecast(const JsonValue *job)
{
    return text_equal(json_as_text(json_member(job, "task"), NULL), model_task_name(TASK_FORECAST));
}

/* How many threads learn, or score many rows: one core is left to who asks the server. A low
 * priority alone does not keep a core's cache, nor the moment until the system takes the core back.
 */
static inline size_t step_thread_count(void)
{
    size_t cores = parallel_core_count();

    return cores > 1 ? cores - 1 : 1;
}

/* The same of a training that may have so many; 0: nobody said how many. */
static inline size_t step_thread_limit(int64_t most)
{
    size_t cores = parallel_core_count();

    if (most <= 0)
        return step_thread_count();
    return (size_t)most < cores ? (size_t)most : cores;
}

/* From now on SIGUSR1 does not end this process: it sets what is returned, and the step comes to
 * its end with what it has. */
const atomic_bool *step_listen_for_finish(void);

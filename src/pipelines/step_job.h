/* step_job.h: what several steps share. */
#pragma once

#include "store/artifact.h"

static inline void step_store_close(ArtifactStore **store) /* for CLEANUP */
{
    if (*store)
        artifact_store_close(*store);
}

/* step_job.h: what the jobs and results of several steps hold, as JSON. */
#pragma once

#include "ml/report.h"
#include "store/artifact.h"

/* {"accuracy": 0.9, ...}: every metric of metric_kinds by its name. */
void step_metrics_write_json(JsonWriter *json, const char *key, const Report *report);

static inline void step_store_close(ArtifactStore **store) /* for CLEANUP */
{
    if (*store)
        artifact_store_close(*store);
}

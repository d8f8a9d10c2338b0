/* backfill.h: a run for each date of a range, as if the pipeline had been there all the time.
 *
 * Each has the key "backfill:PARAM=DATE", so asking again starts only those that are missing. They
 * follow each other, whatever the file says of runs at once.
 */
#pragma once

#include "pipelines/pipeline.h"

enum { BACKFILL_RUNS_MAX = 1000 };

typedef struct BackfillSpec {
    const char *project;
    const char *param;       /* of type date */
    const char *from, *to;   /* "2020-01-01"; both belong to it */
    const char *every;       /* day, week, month, year; NULL: day */
    const JsonValue *params; /* of the others; or NULL */
    bool is_forced;
} BackfillSpec;

/* Pure. A month that has no such day gives its last one. */
bool backfill_dates(const BackfillSpec *spec, Arena *arena, TextList *dates,
                    Error *error) MUST_CHECK;

/* The runs in the order of their dates; *started of them are new. Calls scope_write() itself, once
 * for each: after a failure those before it are there. */
bool backfill_start(Scope *scope, const BackfillSpec *spec, PipelineRunList *runs,
                    int64_t *started) MUST_CHECK;

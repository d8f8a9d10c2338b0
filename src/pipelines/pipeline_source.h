/* pipeline_source.h: a project's pipeline: the files that run when nobody sends any.
 *
 * They are put by `slipway up` and by a push, and read and planned at once, so that a mistake is
 * told to who makes it. Whatever starts a run later (a program, a time, new data, an alarm) starts
 * it of these files. With them go the schedules of the file: a new one begins with its next time.
 */
#pragma once

#include "pipelines/pipeline.h"

typedef struct PipelineSource {
    const char *project, *file;
    const char *tree; /* digest of the listing of the project's files */
    const char *commit, *branch;
    const char *settings; /* a JSON object: params, on, concurrency */
    int64_t updated_at;
    const char *updated_by;
    const char *originators; /* a JSON list: who put it */
} PipelineSource;

typedef struct PipelineSourceList {
    PipelineSource *items;
    size_t count;
} PipelineSourceList;

/* Of order: the files, with where they come from. Calls scope_write() itself, where it appends
 * pipeline.changed; the same files again change nothing. */
bool pipeline_source_put(Scope *scope, const PipelineOrder *order,
                         PipelineSource *source) MUST_CHECK;

bool pipeline_source_find(Scope *scope, const char *project, PipelineSource *source) MUST_CHECK;

/* By project; page NULL: all. */
bool pipeline_source_list(Scope *scope, const Page *page, PipelineSourceList *list) MUST_CHECK;

/* Of order: all but the files, which are the project's. Calls scope_write() itself. */
bool pipeline_source_start(Scope *scope, const PipelineOrder *order, PipelineRun *run,
                           bool *is_new) MUST_CHECK;

/* Whether the file lists the name under on: "data", "alarm" or "push". "*" in a list stands for any
 * text. */
bool pipeline_source_is_on(Scope *scope, const PipelineSource *source, const char *trigger,
                           const char *name, bool *is_on) MUST_CHECK;

/* Whether the whole name fits, with "*" for any text. */
bool trigger_name_fits(const char *pattern, const char *name);

void pipeline_source_write_json(JsonWriter *json, const char *key, const PipelineSource *source);

/* project_file.h: what slipway.yaml says about a project.
 *
 *     project: spam
 *     data:
 *       comments:
 *         source: data/                    # a file, a folder, a zip or a URL, or a list of them
 *         target: CLASS
 *         columns: {CONTENT: text, COMMENT_ID: ignore}
 *         holdout: {share: 0.2, by: stratified, seed: 42}
 *     release:
 *       endpoint: spam
 *       gate: {metric: f1, margin: 0.01, minimum: 0.85}
 *
 * Reading is pure: it looks at no file, no store and no network. Whatever is not listed here is
 * refused with its line, its column and what is allowed. Stages, params, vars, env, on and
 * concurrency are plan/pipeline_file.h's, which is asked here: a file that was read has no mistake
 * in them either; so it is with release.staging and release.production, release_file.h's, and with
 * data.NAME.expect, data/expect.h's. The parts monitor and notify are known but not read yet; each
 * gives a warning that says so, because a setting that does nothing must not look as if it did.
 */
#pragma once

#include "data/dataset.h"
#include "data/expect.h"
#include "data/holdout.h"
#include "pipelines/release_file.h"
#include "plan/pipeline_file.h"
#include "serving/endpoint.h"

typedef struct ProjectData {
    const char *name; /* of the data set */
    TextList sources; /* as written, relative to the file */
    const char *target, *group, *time;
    DatasetColumns columns; /* those that were named: type or role, the other is NULL */
    const char *format, *delimiter, *header, *encoding, *quote, *on_error;
    TextList names, known;
    const char *holdout_by; /* never NULL: by group or time where such a column is named */
    double holdout_share;
    int64_t holdout_seed;
    const char *holdout_group_values; /* comma-separated, or NULL */
    const Expectations *expect;       /* NULL: none */
} ProjectData;

typedef struct ProjectDataList {
    ProjectData *items;
    size_t count;
} ProjectDataList;

typedef struct ProjectFile {
    const char *name;
    ProjectDataList data;
    const char *endpoint;      /* NULL: the file has no release part */
    bool has_gate, has_metric; /* the latter: the gate names one */
    GateRule gate;             /* the defaults where the file is silent; metric is never NULL */
    ReleaseFile release;
    PipelineFile pipeline;
    TextList warnings; /* sentences */
} ProjectFile;

bool project_file_read(const char *bytes, size_t size, Arena *arena, ProjectFile *file,
                       Error *error) MUST_CHECK;

/* The data set with this name, or the only one when name is NULL. */
bool project_file_data(const ProjectFile *file, const char *name, const ProjectData **data,
                       Error *error) MUST_CHECK;

/* The member "options" of what registering this data takes. */
void project_data_write_options(JsonWriter *json, const ProjectData *data);

/* The JSON Schema of slipway.yaml and dvc.yaml, for editors, from the tables that they are read by.
 */
void project_file_write_schema(JsonWriter *json);

/* The file's meaning with every default filled in; "options" is what registering data takes. */
void project_file_write_json(JsonWriter *json, const char *key, const ProjectFile *file);

/* project.h: a project is the slipway.yaml that was last put, kept as it was written.
 *
 * Putting a file makes the endpoint that it releases to, with the gate that it asks for. The gate
 * of an endpoint that exists already belongs to the approvers: a file, which anyone who can push
 * may change, can only tighten it. A looser gate in a file is left alone and the change says so.
 */
#pragma once

#include "data/holdout.h"
#include "pipelines/project_file.h"

typedef struct Project {
    int64_t id;
    const char *name;
    const char *yaml;
    const char *settings; /* a JSON object: project_file_write_json() */
    int64_t created_at, updated_at;
    const char *updated_by;
} Project;

typedef struct ProjectList {
    Project *items;
    size_t count;
} ProjectList;

typedef struct ProjectChange {
    Project project;
    bool is_new, is_changed;
    TextList warnings;
} ProjectChange;

/* Inside a write. name must be the file's own. Appends project.created or project.changed; the same
 * file again changes nothing. */
bool project_put(Scope *scope, const char *name, const char *yaml, size_t size,
                 ProjectChange *change) MUST_CHECK;
bool project_find(Scope *scope, const char *name, Project *project) MUST_CHECK;
/* By name; page NULL: all. */
bool project_list(Scope *scope, const Page *page, ProjectList *list) MUST_CHECK;

/* The file of a project, read again. */
bool project_read_file(Scope *scope, const char *name, ProjectFile *file) MUST_CHECK;

/* The hold-out of one of its data sets, as the file wants it; drawn from this version and frozen at
 * the first call (slow). */
bool project_ensure_holdout(Scope *scope, const char *project, const char *dataset, int64_t version,
                            Holdout *holdout) MUST_CHECK;

/* A version of a data set against what the project's file expects of it (slow: a child reads it).
 * The report is that of data/expect.h; what fails in it is no error. */
typedef struct ProjectCheck {
    const char *project;
    const char *data;       /* "trips", "trips@2"; NULL: the project's only one, the latest */
    DatasetVersion version; /* that was looked at */
    const char *report;     /* JSON */
    const char *failure;    /* a sentence, or NULL */
} ProjectCheck;

bool project_check_data(Scope *scope, ProjectCheck *check) MUST_CHECK;
void project_check_write_json(JsonWriter *json, const char *key, const ProjectCheck *check);

void project_write_json(JsonWriter *json, const char *key, const Project *project);
void project_change_write_json(JsonWriter *json, const char *key, const ProjectChange *change);

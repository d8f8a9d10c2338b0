/* workspace.h: a workspace is a named group of experiments, and what their files may be together.
 *
 * An experiment is in the workspace that its tag "slipway.workspace" names, or in "default". The
 * tag is given when the experiment is made; later only an owner moves it. A workspace counts the
 * files of the runs, logged models and traces of its experiments, each with its size, as often as
 * it is listed, until it is purged: what two of them list, each pays for. The count changes with
 * the rows of the files, in the same transaction. It is no wall: who may do what is the same
 * everywhere.
 *
 *     if (!workspace_set(scope, "fraud", &(WorkspaceSpec){10000000000}, &workspace) ||
 *         !workspace_move(scope, "churn", "fraud", &workspace))
 *         return false;
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"

#define WORKSPACE_TAG     "slipway.workspace"
#define WORKSPACE_DEFAULT "default"

/* Of a limit: an exbibyte. */
#define WORKSPACE_BYTES_MAX (INT64_C(1) << 60)

typedef struct WorkspaceSpec {
    int64_t artifact_bytes_max; /* 0: no limit */
} WorkspaceSpec;

extern const JsonField workspace_spec_fields[]; /* of WorkspaceSpec */

typedef struct Workspace {
    int64_t id;
    const char *name;
    int64_t artifact_bytes;
    WorkspaceSpec spec;
    int64_t updated_at;
    const char *updated_by;
} Workspace;

typedef struct WorkspaceList {
    Workspace *items;
    size_t count;
} WorkspaceList;

bool workspace_find(Scope *scope, const char *name, Workspace *workspace) MUST_CHECK;
bool workspace_list(Scope *scope, const Page *page, WorkspaceList *list) MUST_CHECK;

enum { WORKSPACE_SHARES_MAX = 100 };

/* What an experiment has of it. */
typedef struct WorkspaceShare {
    int64_t experiment_id;
    const char *experiment; /* its name; NULL: it was purged, and files of it are left */
    int64_t artifact_bytes;
} WorkspaceShare;

typedef struct WorkspaceShareList {
    WorkspaceShare *items;
    size_t count;
} WorkspaceShareList;

/* The greatest first, at most WORKSPACE_SHARES_MAX. */
bool workspace_shares(Scope *scope, const Workspace *workspace,
                      WorkspaceShareList *list) MUST_CHECK;

/* Inside a write, as all below. Made if it is missing; appends workspace.set, if anything changes.
 * A limit below what is there keeps what is there. */
bool workspace_set(Scope *scope, const char *name, const WorkspaceSpec *spec,
                   Workspace *workspace) MUST_CHECK;

/* Its experiments are in "default" then, as far as that has room for them. */
bool workspace_remove(Scope *scope, const char *name) MUST_CHECK;

/* By the experiment's name, also a deleted one's; the workspace that has it then. Appends
 * experiment.moved, if anything changes. */
bool workspace_move(Scope *scope, const char *experiment, const char *name,
                    Workspace *workspace) MUST_CHECK;

/* The same of an experiment that is being made, without an event. */
bool workspace_enter(Scope *scope, int64_t experiment_id, const char *name) MUST_CHECK;

/* Refused to whoever changes tags. */
bool workspace_check_tag(Scope *scope, const char *key) MUST_CHECK;

/* ---- counting ---- */

/* A file, as far as it is counted. Size 0: none. */
typedef struct FileShare {
    int64_t experiment_id, size;
} FileShare;

/* Refused with ERROR_NO_ROOM as workspace_count() would be; for who has bytes to store before. */
bool workspace_check_room(Scope *scope, FileShare before, FileShare after) MUST_CHECK;

/* A file takes the place of another, or of none. What is not larger never fails for room. */
bool workspace_count(Scope *scope, FileShare before, FileShare after) MUST_CHECK;

/* Runs a DELETE of files whose RETURNING is the experiment and the size of each, and says how many
 * they were. */
bool workspace_release(Scope *scope, Query *query, int64_t *count) MUST_CHECK;

void workspace_write_json(JsonWriter *json, const char *key, const Workspace *workspace);

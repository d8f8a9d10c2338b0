/* workspace_internal.h: what the files of a workspace share. */
#pragma once

#include "tracking/workspace.h"

enum { WORKSPACE_DEFAULT_ID = 1 };

/* Every select starts with these columns, in the order workspace_from_row() reads. */
#define SELECT_WORKSPACE                                                                           \
    "SELECT id, name, artifact_bytes, coalesce(artifact_bytes_max, 0), updated_at, updated_by"     \
    "  FROM workspaces"

Workspace workspace_from_row(const Query *query, Arena *arena);

/* The one that an experiment is in. */
bool workspace_of_experiment(Scope *scope, int64_t experiment_id, Workspace *workspace) MUST_CHECK;

/* Whether it may grow by so many bytes; what does not grow always may. */
bool workspace_has_room(Scope *scope, const Workspace *workspace, int64_t bytes) MUST_CHECK;

/* bytes may be less than 0. */
bool workspace_add_bytes(Scope *scope, int64_t id, int64_t bytes) MUST_CHECK;

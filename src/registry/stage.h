/* stage.h: the stages of MLflow's clients, and what they show of a model. A stage is a label of a
 * version; what serves is an endpoint's business. */
#pragma once

#include "registry/model.h"

/* "None", "Staging", "Production" or "Archived", whatever the case of what is given. */
bool model_stage_read(Scope *scope, const char *given, const char **stage) MUST_CHECK;

typedef struct StageChange {
    const char *model;
    int64_t version;
    const char *stage;
    bool archive_existing; /* others at this stage become Archived; for Staging and Production */
} StageChange;

/* Inside a write. */
bool model_version_set_stage(Scope *scope, const StageChange *change,
                             ModelVersion *version) MUST_CHECK;

/* The newest version of each of the stages; of all when there are none. By version. */
bool model_latest_versions(Scope *scope, const char *model, const TextList *stages,
                           ModelVersionList *list) MUST_CHECK;

/* A model with what MLflow shows of it. */
typedef struct ModelOverview {
    RegisteredModel model;
    ModelVersionList latest; /* of each stage */
    ModelAliasList aliases;
} ModelOverview;

typedef struct ModelOverviewList {
    ModelOverview *items;
    size_t count;
} ModelOverviewList;

bool model_overview(Scope *scope, const char *name, ModelOverview *overview) MUST_CHECK;
bool model_overview_by_id(Scope *scope, int64_t id, ModelOverview *overview) MUST_CHECK;

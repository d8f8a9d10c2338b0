/* logged_model.h: what an MLflow client logs as a model: made before its files are there, finished
 * when they are, judged by metrics of any run. A version of a model (registry) may come of it.
 *
 * Its params never change, its tags do. A deleted one is not found any more, except by who asks for
 * it; it does not come back. Its files are below artifact_uri, which clients write to.
 *
 *     if (!logged_model_create(scope, &(LoggedModelSpec){.experiment_id = 1, .name = "net"},
 * &model)) return false;
 *     ...
 *     return logged_model_finish(scope, model.id, LOGGED_MODEL_READY, &model);
 */
#pragma once

#include "tracking/run.h"

typedef enum LoggedModelStatus {
    LOGGED_MODEL_PENDING,
    LOGGED_MODEL_READY,
    LOGGED_MODEL_FAILED, /* its files did not come */
} LoggedModelStatus;     /* "PENDING", "READY", "FAILED" */

enum {
    LOGGED_MODEL_PARAMS_MAX = 1000, /* in one call; tags too */
    LOGGED_MODEL_POINTS_MAX = 1000, /* the newest, that come with a model */
    LOGGED_MODEL_LIMIT_MAX = 1000,
    LOGGED_MODEL_DATASETS_MAX = 100, /* of a search */
};

typedef struct LoggedModelVersion {
    const char *name, *version;
} LoggedModelVersion;

typedef struct LoggedModelVersionList {
    LoggedModelVersion *items;
    size_t count;
} LoggedModelVersionList;

typedef struct LoggedModel {
    int64_t key;    /* of the row */
    const char *id; /* "m-" and 32 hexadecimal digits */
    int64_t experiment_id;
    const char *name, *user;
    const char *model_type;    /* or "" */
    const char *source_run_id; /* as it was said; or "" */
    const char *artifact_uri;
    LoggedModelStatus status;
    int64_t created_at, updated_at;
    bool is_deleted;
    ParamList params, tags;
    ModelMetricList metrics;         /* by key, then by time */
    LoggedModelVersionList versions; /* that were registered from it */
} LoggedModel;

typedef struct LoggedModelList {
    LoggedModel *items;
    size_t count;
} LoggedModelList;

typedef struct LoggedModelSpec {
    int64_t experiment_id;
    const char *name;                       /* NULL: made up */
    const char *model_type, *source_run_id; /* or NULL */
    ParamList params, tags;
} LoggedModelSpec;

const char *logged_model_status_name(LoggedModelStatus status);

/* All that change something are called inside a write. */
bool logged_model_create(Scope *scope, const LoggedModelSpec *spec, LoggedModel *model) MUST_CHECK;
bool logged_model_find(Scope *scope, const char *id, LoggedModel *model) MUST_CHECK;
bool logged_model_find_deleted(Scope *scope, const char *id,
                               LoggedModel *model) MUST_CHECK; /* too */

/* Its files are there or not. The same status again does nothing. */
bool logged_model_finish(Scope *scope, const char *id, LoggedModelStatus status,
                         LoggedModel *model) MUST_CHECK;

/* A param that has another value already is a conflict. */
bool logged_model_log_params(Scope *scope, const char *id, const ParamList *params) MUST_CHECK;
bool logged_model_set_tags(Scope *scope, const char *id, const ParamList *tags) MUST_CHECK;

/* Not found when it has no such tag. */
bool logged_model_delete_tag(Scope *scope, const char *id, const char *key) MUST_CHECK;

/* Says that a version was registered from it, in the tag that MLflow's clients read and write. */
bool logged_model_add_version(Scope *scope, const char *id,
                              const LoggedModelVersion *version) MUST_CHECK;

/* Again does nothing. */
bool logged_model_delete(Scope *scope, const char *id) MUST_CHECK;

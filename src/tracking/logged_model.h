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
    LOGGED_MODEL_EXPERIMENTS_MAX = 1000,
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

/* A data set by name, and by digest unless that is NULL. */
typedef struct DatasetReference {
    const char *name, *digest;
} DatasetReference;

typedef struct LoggedModelOrder {
    const char *field;        /* "metrics.f1", "creation_timestamp" */
    DatasetReference dataset; /* of the metric; name NULL: on whatever data */
    bool is_descending;
} LoggedModelOrder;

typedef struct LoggedModelFilter {
    const int64_t *experiment_ids; /* none: no models */
    size_t experiment_count;
    const char *filter; /* MLflow's (search_filter.h); or NULL */
    /* Points on these data sets are those that the filter's metrics mean; without such a metric,
     * models that have any point on them. None: on whatever data. */
    const DatasetReference *datasets;
    size_t dataset_count;
    const LoggedModelOrder *orders; /* then by newest first */
    size_t order_count;
    int64_t limit, offset; /* limit 0: 50; at most LOGGED_MODEL_LIMIT_MAX */
} LoggedModelFilter;

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

/* One page of those that are not deleted. A metric of a filter is any of a model's points, that of
 * an order the newest; models without one come last. */
bool logged_model_search(Scope *scope, const LoggedModelFilter *filter, LoggedModelList *list,
                         bool *has_more) MUST_CHECK;

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

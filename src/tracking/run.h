/* run.h: a run is one training or evaluation: its parameters, metrics, tags and files.
 *
 * Semantics are MLflow's, so that its REST can stand on these types unchanged: params never change
 * once logged, tags do; the value of a metric shown on a run is the greatest by (step, timestamp,
 * value); a point logged twice is one point; a deleted run can be read and restored but not
 * written.
 *
 * The tag "mlflow.runName" is the name of the run: setting it renames the run, and it is not kept
 * as a tag besides.
 */
#pragma once

#include "access/scope.h"
#include "tracking/param.h"
#include "tracking/run_inputs.h"

typedef enum RunStatus {
    RUN_RUNNING,
    RUN_SCHEDULED,
    RUN_FINISHED,
    RUN_FAILED,
    RUN_KILLED,
} RunStatus; /* "RUNNING", "SCHEDULED", ... as MLflow writes them */

const char *run_status_name(RunStatus status);
bool run_status_find(const char *name, RunStatus *status);

/* An infinity is kept as the greatest or least finite number. */
typedef struct Metric {
    const char *key;
    double value;      /* may be NaN or infinite */
    int64_t timestamp; /* ms */
    int64_t step;
    int64_t key_id; /* of the store, where it comes from there */
} Metric;

typedef struct MetricList {
    Metric *items;
    size_t count;
} MetricList;

/* A point that judges a logged model (logged_model.h). */
typedef struct ModelMetric {
    Metric point;
    const char *model_id, *run_id;
    const char *dataset_name, *dataset_digest; /* what it was measured on; both or neither */
} ModelMetric;

typedef struct ModelMetricList {
    ModelMetric *items;
    size_t count;
} ModelMetricList;

typedef struct Run {
    int64_t key;    /* of the row */
    const char *id; /* 32 hexadecimal digits: what users see */
    int64_t experiment_id;
    const char *name, *user;
    const char *artifact_uri; /* where clients find its files */
    RunStatus status;
    const char *failure; /* why it failed, with its last log lines; or NULL */
    int64_t started_at, ended_at;
    bool is_deleted, is_trial; /* of a training: run_trial.h */
    ParamList params, tags;
    MetricList metrics; /* the latest of each key */
    DatasetInputList datasets;
    TextList model_inputs; /* ids of logged models */
    ModelOutputList model_outputs;
} Run;

typedef struct RunList {
    Run *items;
    size_t count;
} RunList;

typedef struct RunSpec {
    int64_t experiment_id;
    const char *name, *user; /* NULL: made up; the principal's */
    int64_t started_at;      /* 0: now */
    ParamList tags;
} RunSpec;

enum { BATCH_METRICS_MAX = 1000, BATCH_PARAMS_MAX = 100, BATCH_TAGS_MAX = 100, BATCH_MAX = 1000 };

typedef struct RunBatch {
    ParamList params;
    MetricList metrics;
    ParamList tags;
    ModelMetricList model_metrics; /* those of the metrics that are a logged model's as well */
} RunBatch;

/* What MLflow's update may do, also to a run that has ended: continue it, for example. */
typedef struct RunChange {
    const char *name;   /* NULL: stays */
    const char *status; /* NULL: stays */
    int64_t ended_at;   /* 0: now when the status ends the run, none when it does not */
} RunChange;

typedef enum RunLife { RUN_LIFE_ACTIVE, RUN_LIFE_DELETED, RUN_LIFE_ALL } RunLife;

typedef struct RunFilter {
    const int64_t *experiment_ids;
    size_t experiment_count; /* 0: of all experiments */
    const char *status;      /* "FINISHED"; NULL: any */
    const char *name_part;   /* the name contains it, in any case; NULL: any */
    const char *parent; /* those below this run: its trials, and its children as MLflow has them;
                           NULL: any but trials */
    RunLife life;
    const char *order_by;  /* "started_at desc" (NULL), "name", "metrics.f1 desc", "params.C asc" */
    int64_t limit, offset; /* limit 0: 100 */
} RunFilter;

enum { RUN_LIMIT_MAX = 50000, METRIC_LIMIT_MAX = 25000 };

/* All that change something are called inside a write. */
bool run_create(Scope *scope, const RunSpec *spec, Run *run) MUST_CHECK;
bool run_find(Scope *scope, const char *id, Run *run) MUST_CHECK;

/* One page. Runs that lack the metric or param of order_by come last, NaN just before them; ties
 * by newest first. *total: how many there are on all pages; or NULL. */
bool run_list(Scope *scope, const RunFilter *filter, RunList *list, int64_t *total) MUST_CHECK;

/* What MLflow's search asks. Runs that lack the key of an order come last, whatever its direction,
 * NaN just before them; ties by newest first, then by id. */
typedef struct RunSearch {
    const int64_t *experiment_ids; /* of which those that are missing are no error */
    size_t experiment_count;       /* 0: of none */
    const char *filter;            /* see search_filter.h; NULL: all */
    TextList order_by;
    RunLife life;
    int64_t limit;          /* 1 to RUN_LIMIT_MAX */
    const char *page_token; /* of the page before; or NULL */
} RunSearch;

/* One page, and the token of the next; NULL: there is none. */
bool run_search(Scope *scope, const RunSearch *search, RunList *list,
                const char **next_page_token) MUST_CHECK;

/* All of it or nothing. A param that has another value already is a conflict. */
bool run_log_batch(Scope *scope, const char *id, const RunBatch *batch) MUST_CHECK;
bool run_delete_tag(Scope *scope, const char *id, const char *key) MUST_CHECK;

/* status: RUN_FINISHED, RUN_FAILED or RUN_KILLED. Again with the same status does nothing; with
 * another one it is a conflict: a failure is not talked away. */
bool run_finish(Scope *scope, const char *id, RunStatus status, const char *failure) MUST_CHECK;
bool run_update(Scope *scope, const char *id, const RunChange *change) MUST_CHECK;
bool run_delete(Scope *scope, const char *id) MUST_CHECK;
bool run_restore(Scope *scope, const char *id) MUST_CHECK;

typedef struct MetricFilter {
    const char *key;
    int64_t limit, offset; /* limit 0: METRIC_LIMIT_MAX */
} MetricFilter;

/* The points of a metric by (timestamp, step, value); none for a key that was never logged. */
bool run_metric_history(Scope *scope, const char *id, const MetricFilter *filter,
                        MetricList *list) MUST_CHECK;

/* A file of a run, by its path in the run; logging the path again replaces it. The blob must be in
 * the artifact store: whoever adds it there for this asks for the path first. */
bool run_check_artifact_path(Scope *scope, const char *path) MUST_CHECK;

/* Whether its workspace has room for one of this size there; for who has bytes to store before. */
bool run_check_room(Scope *scope, const Run *run, const char *path, int64_t size) MUST_CHECK;
bool run_log_artifact(Scope *scope, const char *id, const char *path,
                      const Artifact *artifact) MUST_CHECK;
bool run_artifacts(Scope *scope, const char *id, Tree *tree) MUST_CHECK;
bool run_find_artifact(Scope *scope, const char *id, const char *path, TreeEntry *entry) MUST_CHECK;

void run_write_json(JsonWriter *json, const char *key, const Run *run);

/* NaN as the text "NaN". */
void metric_write_json(JsonWriter *json, const char *key, const Metric *metric);

/* run.h: a run is one training or evaluation: its parameters, metrics, tags and files.
 *
 * Semantics are MLflow's, so that its REST can stand on these types unchanged: params never change
 * once logged, tags do; the value of a metric shown on a run is the greatest by (step, timestamp,
 * value); a point logged twice is one point; a deleted run can be read and restored but not
 * written.
 */
#pragma once

#include "access/scope.h"

typedef enum RunStatus {
    RUN_RUNNING,
    RUN_SCHEDULED,
    RUN_FINISHED,
    RUN_FAILED,
    RUN_KILLED,
} RunStatus; /* "RUNNING", "SCHEDULED", ... as MLflow writes them */

typedef struct Param {
    const char *key, *value;
} Param;

typedef struct ParamList {
    Param *items;
    size_t count;
} ParamList; /* tags too */

typedef struct Metric {
    const char *key;
    double value;      /* may be NaN or infinite */
    int64_t timestamp; /* ms */
    int64_t step;
} Metric;

typedef struct MetricList {
    Metric *items;
    size_t count;
} MetricList;

typedef struct Run {
    int64_t key;    /* of the row */
    const char *id; /* 32 hexadecimal digits: what users see */
    int64_t experiment_id;
    const char *name, *user;
    RunStatus status;
    const char *failure; /* why it failed, with its last log lines; or NULL */
    int64_t started_at, ended_at;
    bool is_deleted;
    ParamList params, tags;
    MetricList metrics; /* the latest of each key */
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

typedef struct RunBatch {
    ParamList params;
    MetricList metrics;
    ParamList tags;
} RunBatch;

/* All that change something are called inside a write. */
bool run_create(Scope *scope, const RunSpec *spec, Run *run) MUST_CHECK;
bool run_find(Scope *scope, const char *id, Run *run) MUST_CHECK;
bool run_log_batch(Scope *scope, const char *id, const RunBatch *batch) MUST_CHECK;
bool run_finish(Scope *scope, const char *id, RunStatus status, const char *failure) MUST_CHECK;
bool run_delete(Scope *scope, const char *id) MUST_CHECK;
bool run_restore(Scope *scope, const char *id) MUST_CHECK;

/* A file of a run, by its path in the run. The blob must be in the artifact store. */
bool run_log_artifact(Scope *scope, const char *id, const char *path,
                      const Artifact *artifact) MUST_CHECK;
bool run_artifacts(Scope *scope, const char *id, Tree *tree) MUST_CHECK;

void run_write_json(JsonWriter *json, const char *key, const Run *run);

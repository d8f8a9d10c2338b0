/* run_internal.h: what the files of a run share. */
#pragma once

#include "tracking/run.h"

/* Every select starts with these columns, in the order run_from_row() reads. */
#define SELECT_RUN                                                                                 \
    "SELECT runs.key, runs.id, runs.experiment_id, runs.name, runs.user_name, runs.status,"        \
    "       runs.failure, runs.started_at, runs.ended_at, runs.deleted_at IS NOT NULL,"            \
    "       (SELECT artifact_location FROM experiments WHERE id = runs.experiment_id),"            \
    "       runs.trial_of IS NOT NULL"                                                             \
    "  FROM runs"

#define RUN_NAME_TAG "mlflow.runName"

/* Lookups of many keys have always as many of them, so that they are prepared once; what is left
 * over repeats the last. */
enum { SOME_KEYS_COUNT = 64 };

#define SOME_KEYS                                                                                  \
    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "                \
    "$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, "             \
    "$34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, "             \
    "$50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64)"

Run run_from_row(const Query *query, Arena *arena);

/* Of params and tags. The start of a value is in a column of its own, on which their index is, and
 * "value" is there only where it is longer. */
#define DETAIL_VALUE "coalesce(value, start)"

/* Values: the run's key, key, value, the experiment's id. */
#define INSERT_DETAIL(table)                                                                       \
    "INSERT INTO " table "(run_key, key, start, value, experiment_id)"                             \
    "VALUES ($1, $2, substr($3, 1, 100), CASE WHEN length($3) > 100 THEN $3 END, $4)"

/* The row alone, without params, tags and metrics. */
bool run_find_row(Scope *scope, const char *id, Run *run) MUST_CHECK;

/* The same; a conflict when the run is deleted, and refused to a step whose run it is not. */
bool run_find_writable(Scope *scope, const char *id, Run *run) MUST_CHECK;

/* The rows of these runs, in their order; those that are not there are left out. */
bool run_load_rows(Scope *scope, const int64_t *keys, size_t count, RunList *list) MUST_CHECK;

/* Fills params, tags, metrics, inputs and outputs of all the runs. */
bool run_load_details(Scope *scope, RunList *list) MUST_CHECK;

/* Inputs and outputs of at most KEY_LIST_MAX runs, sorted by key. */
bool run_load_inputs(Scope *scope, Run *const *runs, size_t count) MUST_CHECK;

bool run_name_check(Scope *scope, const char *name) MUST_CHECK;

/* "amber-otter-417". */
const char *run_name_random(Arena *arena);

/* A file whose blob is claimed; *is_new: it was not there, or had other bytes. */
bool run_put_file(Scope *scope, const Run *run, const char *path, const Artifact *artifact,
                  bool *is_new) MUST_CHECK;

bool run_rename(Scope *scope, const Run *run, const char *name) MUST_CHECK;

/* The trials of a run (run_trial.h) are deleted and restored with it, before it. deleted_at 0:
 * restores those that went with it. */
bool run_mark_trials(Scope *scope, const Run *run, int64_t deleted_at) MUST_CHECK;

/* A conflict when it is a trial of a run that is deleted, or gone. */
bool run_check_trial(Scope *scope, const Run *run) MUST_CHECK;

/* A param that has another value already is a conflict. */
bool run_put_param(Scope *scope, const Run *run, const Param *param, bool *is_new) MUST_CHECK;
bool run_put_tags(Scope *scope, const Run *run, const ParamList *tags) MUST_CHECK;
bool run_put_metrics(Scope *scope, const Run *run, const MetricList *metrics) MUST_CHECK;

/* The number of a metric's name, which is new if need be. */
bool metric_key_ensure(Scope *scope, const char *name, int64_t *id) MUST_CHECK;

/* As it is stored: NaN is 0, beside a mark; an infinity is the greatest number. */
double metric_value_stored(double value);

/* NaN when is_nan. */
double metric_value_read(double value, int64_t is_nan);

/* What a run took or gave, one at a time. */
bool run_check_dataset(Scope *scope, const DatasetInput *dataset) MUST_CHECK;
bool run_check_model_id(Scope *scope, const char *id) MUST_CHECK;
bool run_put_dataset(Scope *scope, const Run *run, const DatasetInput *dataset,
                     bool *is_new) MUST_CHECK;
bool run_put_model(Scope *scope, const Run *run, bool is_output, ModelOutput model) MUST_CHECK;

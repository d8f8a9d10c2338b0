/* training_internal.h: what starting, running and finishing a training share. */
#pragma once

#include "data/dataset.h"
#include "data/holdout.h"
#include "pipelines/training.h"
#include "registry/model.h"

/* What was asked for, with nothing left open: kept in trainings.spec as JSON. */
typedef struct TrainingOrder {
    const char *run_id;
    const char *project, *dataset, *model, *metric, *code_commit, *rerun_of;
    const char *task;          /* a name of ml/task.h; never NULL */
    const char *threshold_for; /* a metric; NULL: by the one that candidates are compared by */
    int64_t dataset_version, seed;
    int64_t horizon; /* 0: not a forecast */
    int64_t trials;  /* 0: no limit */
    int64_t threads; /* the same */
    double budget_seconds;
    bool balance;
} TrainingOrder;

/* Of a forecast nothing is frozen: training_find_rows() leaves the hold-out empty. */
static inline bool training_order_is_forecast(const TrainingOrder *order)
{
    return order->horizon > 0;
}

/* How far the search may go and where it begins, or all that was asked of it: members of the open
 * object. */
void training_order_write_limits(const TrainingOrder *order, JsonWriter *json);
void training_order_write_search(const TrainingOrder *order, JsonWriter *json);

bool training_order_find(Scope *scope, const char *run_id, TrainingOrder *order) MUST_CHECK;

/* Inside a write: it is no longer open. */
bool training_close(Scope *scope, const char *run_id) MUST_CHECK;

/* A training that the step has done. */
typedef struct TrainingResult {
    const TrainingOrder *order;
    DatasetVersion *data;
    Holdout *holdout;
    const JsonValue *step; /* the step's result */
    Artifact package, leaderboard, report;
    Tree files; /* of the package */
} TrainingResult;

/* With nothing left open; run_id is the caller's. */
bool training_order_make(Scope *scope, const TrainingSpec *spec, TrainingOrder *order) MUST_CHECK;

/* The data and the hold-out of the order; the latter is drawn the first time, which is slow. */
bool training_find_rows(Scope *scope, TrainingResult *training) MUST_CHECK;

/* The job of the step "train"; folder: where its package goes. */
const char *training_step_job(Scope *scope, const TrainingResult *training, const char *folder);

/* Adds the package and the reports to the artifact store. */
bool training_store_files(Scope *scope, TrainingResult *training, const char *folder) MUST_CHECK;

/* Inside a write. The same as training_finish() in a run that was not started as a training: it
 * gets the params and tags of one, and the order with which it can be done again. */
bool training_write_as(Scope *scope, const TrainingResult *result,
                       ModelVersion *version) MUST_CHECK;

/* Inside a write. What a training logs at its start. */
bool training_log_start(Scope *scope, const TrainingOrder *order) MUST_CHECK;

/* Keeps all of it and ends the run: one write. */
bool training_finish(Scope *scope, const TrainingResult *result) MUST_CHECK;

/* How many rows of the leaderboard of a step's result become runs of their own. */
size_t training_trial_count(const JsonValue *step);

/* Inside a write: those runs, below the run of the training. */
bool training_keep_trials(Scope *scope, const TrainingResult *result) MUST_CHECK;

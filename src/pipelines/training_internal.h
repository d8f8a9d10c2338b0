/* training_internal.h: what starting, running and finishing a training share. */
#pragma once

#include "data/dataset.h"
#include "data/holdout.h"
#include "pipelines/training.h"

/* What was asked for, with nothing left open: kept in trainings.spec as JSON. */
typedef struct TrainingOrder {
    const char *run_id;
    const char *project, *dataset, *model, *metric, *code_commit, *rerun_of;
    int64_t dataset_version, seed;
    double budget_seconds;
    bool balance;
} TrainingOrder;

bool training_order_find(Scope *scope, const char *run_id, TrainingOrder *order) MUST_CHECK;

/* Inside a write: it is no longer open. */
bool training_close(Scope *scope, const char *run_id) MUST_CHECK;

/* A training that the step has done. */
typedef struct TrainingResult {
    const TrainingOrder *order;
    const DatasetVersion *data;
    const Holdout *holdout;
    const JsonValue *step; /* the step's result */
    Artifact package, leaderboard, report;
    Tree files; /* of the package */
} TrainingResult;

/* Keeps all of it and ends the run: one write. */
bool training_finish(Scope *scope, const TrainingResult *result) MUST_CHECK;

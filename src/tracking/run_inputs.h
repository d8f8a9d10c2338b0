/* run_inputs.h: what a run took and what it gave, as its client says it: data sets, and logged
 * models (logged_model.h) by their ids.
 *
 * A data set is known in its experiment by name and digest; what else is said of it the first time
 * stays. Logging the same again changes nothing, also not its tags. The models need not be known
 * here.
 */
#pragma once

#include "access/scope.h"
#include "tracking/param.h"

enum {
    RUN_INPUTS_MAX = 1000, /* of each kind, at once */
    DATASET_NAME_MAX = 500,
    DATASET_DIGEST_MAX = 36,
    DATASET_SUMMARIES_MAX = 1000, /* in one answer */
    DATASET_EXPERIMENTS_MAX = 20, /* of one question */
};

/* Of a use of a data set: "training". */
#define DATASET_CONTEXT_TAG "mlflow.data.context"

typedef struct DatasetInput {
    int64_t key; /* of the data set's row */
    const char *name, *digest, *source_type, *source;
    const char *schema, *profile; /* or NULL */
    ParamList tags;               /* of this use: "mlflow.data.context" */
} DatasetInput;

typedef struct DatasetInputList {
    DatasetInput *items;
    size_t count;
} DatasetInputList;

typedef struct ModelOutput {
    const char *model_id;
    int64_t step;
} ModelOutput;

typedef struct ModelOutputList {
    ModelOutput *items;
    size_t count;
} ModelOutputList;

/* Both inside a write. */
bool run_log_inputs(Scope *scope, const char *run_id, const DatasetInputList *datasets,
                    const TextList *models) MUST_CHECK;
bool run_log_outputs(Scope *scope, const char *run_id, const ModelOutputList *models) MUST_CHECK;

/* A model in MLflow 2's way, inside a write: one more object in the JSON of the run's tag
 * "mlflow.log-model.history". */
bool run_log_model_history(Scope *scope, const char *run_id, const char *model_json) MUST_CHECK;

typedef struct DatasetSummary {
    int64_t experiment_id;
    const char *name, *digest;
    const char *context; /* or NULL */
} DatasetSummary;

typedef struct DatasetSummaryList {
    DatasetSummary *items;
    size_t count;
} DatasetSummaryList;

/* The data sets that runs of these experiments took, once for each context. */
bool dataset_summaries(Scope *scope, const int64_t *experiment_ids, size_t count,
                       DatasetSummaryList *list) MUST_CHECK;

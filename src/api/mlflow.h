/* mlflow.h: MLflow's REST, which its unmodified clients speak: how requests are read, and what its
 * answers have in common. What they are about are the same domain types as everywhere.
 *
 * Requests are protobuf's JSON as MLflow reads it: a field that nobody knows is ignored, null is
 * absent, a whole body of null is {}, a body that is a text is read once more (old clients encode
 * twice), scalars may come as texts (the R client sends all so), NaN and infinities as numbers or
 * texts. A GET has its fields in the query, lists by repeating a name, or in a body where there is
 * no query. Errors are {"error_code", "message"} in MLflow's codes.
 *
 *     static const JsonField create_body[] = {
 *         {"name", JSON_TEXT, offsetof(CreateBody, name), JSON_REQUIRED, "..."},
 *         {0},
 *     };
 *     if (!mlflow_read(scope, request, create_body, &body))
 *         return false;
 */
#pragma once

#include "api/api.h"
#include "tracking/artifact_place.h"
#include "tracking/experiment.h"
#include "tracking/run.h"

/* What version a server has to be for today's clients to use all of these routes. */
#define MLFLOW_VERSION "3.11.1"

/* Writes the error and gives the HTTP status, which is MLflow's: a name that is taken is 400. */
int mlflow_write_error(JsonWriter *json, const Error *error);

/* That there is no such route: by this code a client learns to ask in an older way. */
void mlflow_write_no_route(JsonWriter *json, const Error *error);

/* Fills target by the table, from the body or the query. A text that is required is not empty. */
bool mlflow_read(Scope *scope, const Request *request, const JsonField fields[],
                 void *target) MUST_CHECK;

/* The same of the query, whatever the method. */
bool mlflow_read_query(Scope *scope, const Request *request, const JsonField fields[],
                       void *target) MUST_CHECK;

/* The same of one item of a list: path is "metrics[3]". */
bool mlflow_read_item(Scope *scope, const JsonValue *item, const char *path,
                      const JsonField fields[], void *target) MUST_CHECK;

/* "run_id", or "run_uuid" of old clients. */
bool mlflow_require_run_id(Scope *scope, const char **run_id, const char *run_uuid) MUST_CHECK;

/* [{"key": ..., "value": ...}]: a value that is absent is "". field: "tags", for messages. */
bool mlflow_read_pairs(Scope *scope, const JsonValue *array, const char *field,
                       ParamList *list) MUST_CHECK;

/* What a run took and gave: [{"tags", "dataset": {...}}], [{"model_id", "step"}]. */
bool mlflow_read_datasets(Scope *scope, const JsonValue *array, DatasetInputList *list) MUST_CHECK;
bool mlflow_read_run_models(Scope *scope, const JsonValue *array, ModelOutputList *list) MUST_CHECK;

/* The words of an enum, the first for the number 1. */
bool mlflow_find_word(const char *given, const char *const words[], size_t count, size_t *index);

/* ACTIVE_ONLY, DELETED_ONLY, ALL; NULL: ACTIVE_ONLY. */
bool mlflow_read_view(Scope *scope, const char *given, RunLife *life) MUST_CHECK;

/* An experiment's number, which MLflow has as a text. */
bool mlflow_read_experiment_id(Scope *scope, const char *given, int64_t *id) MUST_CHECK;

/* Experiments' numbers, as many as there are texts. */
bool mlflow_read_experiment_ids(Scope *scope, const TextList *given, int64_t **ids) MUST_CHECK;

/* A page token is where the next page begins; none: at the start. */
bool mlflow_read_page_token(Scope *scope, const char *token, int64_t *offset) MUST_CHECK;
void mlflow_write_page_token(JsonWriter *json, int64_t offset);

/* {} */
bool mlflow_answer_nothing(Response *response);

/* NaN and infinities as texts. */
void mlflow_write_number(JsonWriter *json, const char *key, double value);

/* Nothing when there are none. */
void mlflow_write_pairs(JsonWriter *json, const char *key, const ParamList *list);
void mlflow_write_experiment(JsonWriter *json, const char *key, const Experiment *experiment);

/* The members of a metric, in an object that is open. */
void mlflow_write_point(JsonWriter *json, const Metric *metric);
void mlflow_write_metric(JsonWriter *json, const char *key, const Metric *metric);
void mlflow_write_run_info(JsonWriter *json, const char *key, const Run *run);
void mlflow_write_run(JsonWriter *json, const char *key, const Run *run);

/* The same without what it gave. */
void mlflow_write_new_run(JsonWriter *json, const char *key, const Run *run);

/* The bytes of a file, to be saved under its name and never to be shown by a browser. */
bool mlflow_answer_file(Scope *scope, const TreeEntry *entry, Response *response) MUST_CHECK;
bool mlflow_answer_place(Scope *scope, const ArtifactPlace *place, Response *response) MUST_CHECK;

typedef struct MlflowFolder {
    const char *root_uri;   /* NULL: is not said, and there are no pages */
    const char *path;       /* of the folder below it; goes before the names; "": none */
    const char *page_token; /* or NULL */
} MlflowFolder;

/* {"root_uri", "files": [{"path", "is_dir", "file_size"}], "next_page_token"} */
bool mlflow_answer_folder(Scope *scope, const ArtifactPlace *place, const MlflowFolder *folder,
                          Response *response) MUST_CHECK;

/* logged_model_internal.h: what the files of a logged model share. */
#pragma once

#include "tracking/logged_model.h"

/* Every select starts with these columns, in the order logged_model_from_row() reads; those that
 * look at many models do without the place of their files. */
#define SELECT_LOGGED_MODEL_COLUMNS                                                                \
    "SELECT key, id, experiment_id, name, user_name, model_type, source_run_id, status,"           \
    "       created_at, updated_at, deleted_at IS NOT NULL"
#define SELECT_LOGGED_MODEL                                                                        \
    SELECT_LOGGED_MODEL_COLUMNS                                                                    \
    ","                                                                                            \
    "       (SELECT artifact_location FROM experiments WHERE id = logged_models.experiment_id)"    \
    "  FROM logged_models"

#define MODEL_VERSIONS_TAG "mlflow.modelVersions"

LoggedModel logged_model_from_columns(const Query *query, Arena *arena);
LoggedModel logged_model_from_row(const Query *query, Arena *arena);

/* Fills params, tags, metrics and versions of all of them. */
bool logged_model_load_details(Scope *scope, LoggedModelList *list) MUST_CHECK;

/* What the tag says; none when it is not as MLflow's clients write it. */
LoggedModelVersionList logged_model_read_versions(const char *tag, Arena *arena);

/* Points of the run, whose keys are known. */
bool logged_model_put_metrics(Scope *scope, const Run *run,
                              const ModelMetricList *metrics) MUST_CHECK;

/* What a new one may be, and its details. */
bool logged_model_check(Scope *scope, const LoggedModel *model) MUST_CHECK;
bool logged_model_check_params(Scope *scope, const ParamList *params) MUST_CHECK;
bool logged_model_check_tags(Scope *scope, const ParamList *tags) MUST_CHECK;

/* A param that has another value already is a conflict. */
bool logged_model_put_params(Scope *scope, const LoggedModel *model,
                             const ParamList *params) MUST_CHECK;

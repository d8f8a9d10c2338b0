/* mlflow_logged_model.h: a logged model as MLflow's clients read it. */
#pragma once

#include "tracking/logged_model.h"

void mlflow_write_logged_model(JsonWriter *json, const char *key, const LoggedModel *model);

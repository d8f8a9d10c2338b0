/* task.h: what a model answers with: one of some classes, a number, or a forecast. */
#pragma once

#include <stdbool.h>

typedef enum ModelTask { TASK_CLASSIFICATION, TASK_REGRESSION, TASK_FORECAST } ModelTask;

/* "classification", "regression", "forecast". */
const char *model_task_name(ModelTask task);
bool model_task_find(const char *name, ModelTask *task); /* false: there is no such task */

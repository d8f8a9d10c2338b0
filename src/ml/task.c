#include "ml/task.h"

#include <string.h>

#include "base/attributes.h"

static const char *const names[] = {
    [TASK_CLASSIFICATION] = "classification",
    [TASK_REGRESSION] = "regression",
    [TASK_FORECAST] = "forecast",
};

const char *model_task_name(ModelTask task)
{
    return names[task];
}

bool model_task_find(const char *name, ModelTask *task)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *task = (ModelTask)i;
        return true;
    }
    return false;
}

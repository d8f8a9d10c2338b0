#include "pipelines/builtin.h"

const PlanBuiltin pipeline_builtins[] = {{0}};

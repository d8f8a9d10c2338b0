/* builtin.h: the steps that need no command: "uses: train". */
#pragma once

#include "plan/pipeline_file.h"

extern const PlanBuiltin pipeline_builtins[]; /* ends with a row of zeros */

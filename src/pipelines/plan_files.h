/* plan_files.h: the files that built-in steps of a plan read must be there and be right before
 * anything runs: recipes of prepare, the rows of a release's smoke test. The server and slipway
 * validate ask the same function, each with its own files.
 */
#pragma once

#include "plan/pipeline_file.h"

/* What only the start of a step knows (${{ steps... }}) is looked at then. */
bool plan_files_check(const PlanSource *source, const Plan *plan, Arena *arena,
                      Error *error) MUST_CHECK;

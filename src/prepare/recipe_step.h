/* recipe_step.h: the step "prepare", in a process of its own.
 *
 * prepare  {"recipe", "name", "work", "folder", "data": {"trips@2": path}, "out"}: the text of the
 *     recipe, its name for messages, the folder of its files, one for work under way, the Parquet
 *     files of the data sets that it reads, and the CSV to write. Result: {"rows", "set_aside",
 *     "columns": [{"name", "type"}], "steps": [{"line", "step", "rows"}]}
 */
#pragma once

#include "base/worker.h"

WorkerFunction prepare_step;

/* Ends with {0}. */
extern const WorkerStep prepare_steps[];

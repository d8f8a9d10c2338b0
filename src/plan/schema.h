/* schema.h: the JSON Schema of a pipeline's file, for editors, from the tables that it is read by.
 */
#pragma once

#include "plan/pipeline_file.h"

/* The members of "$defs" and of "properties" of the whole document's schema that are the
 * pipeline's. is_dvc: of a file of DVC's shape. */
void pipeline_schema_write_definitions(JsonWriter *json, const PlanBuiltin builtins[]);
void pipeline_schema_write_properties(JsonWriter *json, bool is_dvc);

/* builtin_chosen.h: the version and the rows that a built-in step works on.
 *
 * What "latest" and an alias mean is decided once, when the step starts, and kept among its inputs:
 * so the cache key, the work and the result speak of the same version.
 */
#pragma once

#include "data/dataset.h"
#include "pipelines/builtin.h"
#include "registry/model.h"

/* Writes "version spam@3" and "package", and of rows "data comments@2"; what is in a file is a dep
 * already. */
bool builtin_chosen_write_inputs(Scope *scope, const StepStart *start, JsonWriter *json) MUST_CHECK;

/* What was written, read from the row of the step. */
bool builtin_chosen_version(Scope *scope, const StepStart *start, ModelVersion *version) MUST_CHECK;

/* Members of a worker's job: "artifacts", "package", "model" and "version". */
void builtin_chosen_write_version(Scope *scope, const ModelVersion *version, JsonWriter *json);

/* Members of a worker's job: "path", "name", "form" and "columns" of the rows. */
bool builtin_chosen_write_rows(Scope *scope, const BuiltinStep *step, JsonWriter *json) MUST_CHECK;

/* "csv" or "jsonl", by the path's end; false: neither. */
bool builtin_text_form(const char *path, const char **form) MUST_CHECK;

/* smoke.h: rows with known answers, asked of an endpoint before it counts. */
#pragma once

#include "pipelines/builtin.h"
#include "registry/model.h"

enum { SMOKE_ROWS_MAX = 1000, SMOKE_BYTES_MAX = 1024 * 1024 };

/* The rows of such a file, which are JSON objects, each in its line; path is for the sentences. */
bool smoke_read(const char *path, const char *text, Arena *arena, TextList *lines,
                Error *error) MUST_CHECK;

/* Asks the endpoint each row of the file that "with" names (JSON lines of features, with the target
 * column as the answer that must come, which of a forecast is that of the last step that is asked
 * for), and checks the limit of "p99_ms". Writes the members "smoke" and "benchmark". A row that
 * the version has learnt from is refused: it proves nothing. */
bool smoke_test(Scope *scope, const BuiltinStep *step, const char *endpoint,
                const ModelVersion *version, JsonWriter *json) MUST_CHECK;

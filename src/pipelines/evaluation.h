/* evaluation.h: how good a registered version is on a data set or on its project's hold-out. */
#pragma once

#include "access/scope.h"

typedef struct EvaluationSpec {
    const char *project;
    const char *model;        /* NULL: named as the project */
    const JsonValue *version; /* a number, "latest" or an alias; NULL: the latest */
    const char *data;         /* "comments@2"; NULL: the frozen hold-out */
    bool allow_training_rows;
} EvaluationSpec;

extern const JsonField evaluation_spec_fields[]; /* all but the project */

typedef struct Evaluation {
    const char *model;
    int64_t version;
    const char *data;        /* "comments@2", or "comments hold-out" */
    const char *rows_digest; /* of the rows it was judged on */
    const JsonValue *result; /* of the step: report, rows, training_rows, judged_on */
} Evaluation;

/* Slow. A conflict when the model has learnt from some of the rows and that was not allowed. */
bool evaluation_run(Scope *scope, const EvaluationSpec *spec, Evaluation *evaluation) MUST_CHECK;
void evaluation_write_json(JsonWriter *json, Arena *arena, const Evaluation *evaluation);

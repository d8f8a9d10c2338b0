/* package_internal.h: the names of a package's files, and the golden rows in it. */
#pragma once

#include "registry/package.h"

#define PACKAGE_MODEL     "model.slipway"
#define PACKAGE_SIGNATURE "signature.json"
#define PACKAGE_GOLDEN    "golden.json"

enum { GOLDEN_ROWS_MAX = 32, PACKAGE_FORMAT = 1 };

/* "text", "category", "number", "date". */
const char *column_kind_name(ColumnKind kind);
bool column_kind_find(const char *name, ColumnKind *kind);

/* Rows and the answers that the model gave for them when it was made. */
typedef struct Golden {
    Frame frame;
    const double *answers; /* row_count x width */
    size_t width;          /* the classes, or 1 */
    bool has_numbers;
} Golden;

/* The answers are the model's own, asked now. */
bool golden_make(const Predictor *model, const Frame *rows, Arena *arena, Golden *golden,
                 Error *error) MUST_CHECK;
const char *golden_print(const Golden *golden, Arena *arena);

/* Checks every shape and type of what it reads. */
bool golden_read(const char *bytes, size_t size, Arena *arena, Golden *golden,
                 Error *error) MUST_CHECK;

/* MLmodel, as MLflow reads it. */
const char *mlmodel_print(const PackageSpec *spec, const char *model_bytes, size_t model_size,
                          Arena *arena);

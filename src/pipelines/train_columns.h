/* train_columns.h: which columns a model that was just trained answers by, for its report: their
 * importance (ml/importance.h) and how the answer goes with the most important ones
 * (ml/dependence.h), both on the hold-out.
 *
 * It takes about a twentieth of the search's budget on top of it. A model of texts alone or of one
 * column has none of it; what cannot be measured is said, and fails no training.
 *
 *     ColumnsSpec spec = {.model = model, .bench = &bench, .metric = "f1", .seed = 42};
 *     train_columns_write_json(json, &spec);
 */
#pragma once

#include "base/json.h"
#include "pipelines/judge.h"

enum { COLUMNS_DEPENDENCE_MAX = 6 };

typedef struct ColumnsSpec {
    const Predictor *model;
    const Bench *bench; /* the hold-out, with the model's classes */
    const char *metric;
    double budget_seconds; /* of the search; 0: none */
    int64_t seed;
    size_t thread_count;
} ColumnsSpec;

/* The members "importance" and "dependence" of the open object: importance_write_json(), or
 * {"problem"}; and a list of dependence_write_json(), the most important column first. Nothing
 * where the model has no columns to compare. */
void train_columns_write_json(JsonWriter *json, const ColumnsSpec *spec);

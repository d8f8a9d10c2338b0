/* forest_xgboost.h: what the files forest_xgboost*.c share, which read the JSON that XGBoost's
 * save_model() writes.
 *
 * Of all that is in there a forest needs the base, and arrays of each tree, by node: a leaf has -1
 * for both children, and its value where a split has its threshold. Nodes that pruning has deleted
 * stay in the arrays; nothing leads to them. */
#pragma once

#include "base/json.h"
#include "ml/forest_internal.h"

/* A count, which XGBoost writes as a text. */
bool xgboost_count(const JsonValue *object, const char *name, size_t most, size_t *count,
                   Error *error) MUST_CHECK;
bool xgboost_object(const JsonValue *parent, const char *name, const JsonValue **object,
                    Error *error) MUST_CHECK;

/* A number that is finite as a float, too. */
bool xgboost_float(const JsonValue *value, float *number) MUST_CHECK;

/* Room for the nodes of all trees, as many as their arrays say. */
typedef struct XgboostNodes {
    ForestNode *items;
    size_t count, feature_count;
} XgboostNodes;

/* Appends the nodes of one of "trees", level by level. */
bool xgboost_tree(const JsonValue *value, XgboostNodes *nodes, Arena *scratch,
                  Error *error) MUST_CHECK;

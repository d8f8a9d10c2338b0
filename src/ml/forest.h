/* forest.h: trees that add up, as gradient boosting makes them, in a flat form of our own.
 *
 * A row is feature_count floats, NaN where a value is missing. A tree sends it left where the value
 * is below the node's threshold, right where it is not, and to the node's own side where it is
 * missing; what the leaves of a group's trees hold adds up to the group's margin, in floats and in
 * the order of the trees, which gives XGBoost's bits. One group for numbers and for two classes
 * (the margin of the second), else one for each class.
 *
 * A Forest is immutable and owns nothing: it lives in an arena, or in the bytes it was read from.
 * Any number of threads may use one at once.
 *
 *     Forest forest;
 *     if (!forest_from_xgboost(json, size, arena, &forest, error))
 *         return false;
 *     forest_margins(&forest, rows, row_count, margins);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "ml/bytes.h"

/* Bounds for what a file may claim. */
enum {
    FOREST_FEATURES_MAX = 1 << 20,
    FOREST_GROUPS_MAX = 4096,
    FOREST_NODES_MAX = 1 << 28,
    FOREST_LEVELS_MAX = 128, /* splits between a root and a leaf */
};

typedef struct ForestNode ForestNode;
typedef struct ForestSplit ForestSplit;

typedef struct Forest {
    size_t feature_count, group_count, tree_count, node_count;
    const double *base;      /* group_count margins before any tree */
    const uint32_t *roots;   /* tree_count places among the nodes; tree i is of group i % groups */
    const ForestNode *nodes; /* all trees' */
    /* What is worked out as a forest is read. */
    const uint32_t *levels;    /* tree_count: the most splits that a row of it passes */
    const ForestSplit *splits; /* of one tree after the other, for contributions */
    const double *means;       /* group_count margins of a row of which nothing is known */
} Forest;

/* XGBoost's own JSON (1.7 to 3.x; gbtree with numeric splits). All trees count, whatever round was
 * the best. Every index, count and type is checked: what is damaged is refused with a sentence. */
bool forest_from_xgboost(const char *json, size_t size, Arena *arena, Forest *forest,
                         Error *error) MUST_CHECK;

/* A section of a model's file, and back; read where it lies when that is at a multiple of four
 * bytes, so they must outlive the forest. The reader goes bad on what is no forest, and the forest
 * stays as it was. */
void forest_write(const Forest *forest, ByteWriter *writer);
void forest_read(ByteReader *reader, Arena *arena, Forest *forest);

/* rows: row_count x feature_count; margins: row_count x group_count. */
void forest_margins(const Forest *forest, const float *rows, size_t row_count, double *margins);

/* Exact Shapley values of one row by the trees' own counts (Lundberg et al. 2020, "path-dependent";
 * XGBoost's pred_contribs): group_count x (feature_count + 1), the last of each group what the
 * forest gives without knowing the row. They add up to the margin.
 *
 * By Owen's integral (1972): a feature's value is how much the forest gains by knowing it, averaged
 * over the probability with which each other feature is known. Along a path that is a polynomial,
 * which few points of Gauss and Legendre integrate exactly, all of a tree in one pass forth and one
 * back (as Wettenstein, Mitchell & Yu 2026, "Quadrature-TreeSHAP"). */
void forest_contributions(const Forest *forest, const float *row, double *contributions,
                          Arena *arena);

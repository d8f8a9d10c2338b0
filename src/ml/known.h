/* known.h: columns beside a series whose values are known for the future: a promotion, a holiday,
 * a price.
 *
 * A column has numbers, or the values of a category, its levels; "" is the level of an empty cell.
 * Rows of columns are one for each time, oldest first, each with a double for each column: the
 * number, or the level's place among the levels. NaN is what is missing. A feature is a number
 * itself, or 1 for one of the levels and 0 for the others.
 *
 *     size_t width = known_feature_count(columns);
 *     known_features(columns, row, features);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

enum {
    KNOWN_COLUMNS_MAX = 32,
    KNOWN_LEVELS_MAX = 64,    /* of a column */
    KNOWN_FEATURES_MAX = 128, /* of all columns */
};

typedef struct KnownColumn {
    const char *name;
    const char *const *levels; /* of a category: rising by bytes */
    size_t level_count;        /* 0: numbers */
} KnownColumn;

typedef struct KnownColumns {
    const KnownColumn *items;
    size_t count;
} KnownColumns;

/* Columns, levels and features are no more than allowed, names are there and differ, levels rise.
 */
bool known_columns_check(const KnownColumns *columns, Error *error) MUST_CHECK;

size_t known_feature_count(const KnownColumns *columns);

/* Of a row that has all values. */
void known_features(const KnownColumns *columns, const double *row, double *features);

/* The column of a name, or columns->count. */
size_t known_column_find(const KnownColumns *columns, const char *name);

/* The level's place, or NaN. */
double known_level_find(const KnownColumn *column, const char *level);

/* Whether a column can have the value; NaN cannot be had. */
bool known_value_is_allowed(const KnownColumn *column, double value);

/* What a value of the column is: "a number", "one of \"\", \"Easter\"". */
const char *known_column_allows(const KnownColumn *column, Arena *arena);

/* "promotion, holiday", the first of many. */
const char *known_columns_describe(const KnownColumns *columns, Arena *arena);

KnownColumns known_columns_copy(const KnownColumns *columns, Arena *arena);

/* The values of many rows. */
typedef struct KnownRows {
    const KnownColumns *columns;
    const double *values; /* count x columns->count */
    size_t count;
} KnownRows;

/* The same rows as rows of other columns, found by their names; levels that those have not are
 * missing. Fails where a column is not among the rows', or is a category in one and numbers in the
 * other. */
bool known_rows_translate(const KnownRows *rows, const KnownColumns *to, Arena *arena,
                          const double **values, Error *error) MUST_CHECK;

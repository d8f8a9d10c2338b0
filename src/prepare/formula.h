/* formula.h: a formula over the columns of a row: (dropoff - pickup) / 60.
 *
 * Numbers, 'texts', true, false, null; columns by their names, or in double quotes where a name has
 * other signs than letters, digits, "_" and "."; + - * / %, == != < <= > >=, && || ! ( ) and the
 * functions of formula.c. Types are checked before a row is looked at. A time minus a time is a
 * number of seconds; what is divided by 0 is missing, and so is what is computed from a missing
 * value.
 *
 *     if (!formula_sql(text, &columns, arena, &sql, error)) return false;
 *
 * The plan's expressions are another language: their names may hold "-", and their values are
 * JSON's.
 */
#pragma once

#include "base/text.h"

enum { FORMULA_BYTES_MAX = 4096, FORMULA_DEPTH_MAX = 32, FORMULA_SQL_MAX = 256 * 1024 };

typedef struct PrepareColumn {
    const char *name, *type; /* "text", "integer", "number", "boolean", "time" */
    const char *sql;         /* its name in the table */
} PrepareColumn;

typedef struct PrepareColumns {
    PrepareColumn *items;
    size_t count;
} PrepareColumns;

const PrepareColumn *prepare_column_find(const PrepareColumns *columns, const char *name);

/* A text that is read as another type: a row where bad is true has one that cannot be. */
typedef struct FormulaGuard {
    const char *bad, *value, *type;
} FormulaGuard;

typedef struct FormulaSql {
    const char *type, *sql; /* type "null": of null alone */
    struct {
        FormulaGuard *items;
        size_t count;
    } guards;
} FormulaSql;

/* columns NULL: only whether it is one. A mistake says at which character, counted from 1. */
bool formula_sql(const char *text, const PrepareColumns *columns, Arena *arena, FormulaSql *sql,
                 Error *error) MUST_CHECK;

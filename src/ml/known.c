#include "ml/known.h"

#include <math.h>
#include <string.h>

#include "ml/series.h"

static bool check_levels(const KnownColumn *column, Error *error)
{
    if (column->level_count > KNOWN_LEVELS_MAX)
        return fail_field(error, column->name,
                          "the known column \"%.128s\" has %zu different values: a category has at "
                          "most %d",
                          column->name, column->level_count, KNOWN_LEVELS_MAX);
    for (size_t i = 1; i < column->level_count; i++)
        if (strcmp(column->levels[i - 1], column->levels[i]) >= 0)
            return fail_field(error, column->name,
                              "the levels of the known column \"%.128s\" do not rise",
                              column->name);
    return true;
}

bool known_columns_check(const KnownColumns *columns, Error *error)
{
    if (columns->count > KNOWN_COLUMNS_MAX)
        return fail(error, ERROR_INVALID, "a forecast has at most %d known columns, not %zu",
                    KNOWN_COLUMNS_MAX, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        const char *name = columns->items[i].name;

        if (!*name || known_column_find(columns, name) != i)
            return fail(error, ERROR_INVALID, "known columns have names that differ");
        if (!check_levels(&columns->items[i], error))
            return false;
    }
    return known_feature_count(columns) <= KNOWN_FEATURES_MAX ||
           fail(error, ERROR_INVALID,
                "known columns have at most %d numbers and values of categories together, not %zu",
                KNOWN_FEATURES_MAX, known_feature_count(columns));
}

size_t known_feature_count(const KnownColumns *columns)
{
    size_t count = 0;

    for (size_t i = 0; i < columns->count; i++)
        count += columns->items[i].level_count ? columns->items[i].level_count : 1;
    return count;
}

void known_features(const KnownColumns *columns, const double *row, double *features)
{
    size_t at = 0;

    for (size_t i = 0; i < columns->count; i++) {
        size_t levels = columns->items[i].level_count;

        if (levels == 0)
            features[at++] = row[i];
        for (size_t level = 0; level < levels; level++)
            features[at++] = row[i] == (double)level;
    }
}

size_t known_column_find(const KnownColumns *columns, const char *name)
{
    size_t at = 0;

    while (at < columns->count && strcmp(columns->items[at].name, name) != 0)
        at++;
    return at;
}

double known_level_find(const KnownColumn *column, const char *level)
{
    for (size_t i = 0; i < column->level_count; i++)
        if (strcmp(column->levels[i], level) == 0)
            return (double)i;
    return NAN;
}

bool known_value_is_allowed(const KnownColumn *column, double value)
{
    if (column->level_count == 0)
        return fabs(value) <= SERIES_VALUE_MAX;
    return value >= 0 && value < (double)column->level_count && value == floor(value);
}

const char *known_column_allows(const KnownColumn *column, Arena *arena)
{
    enum { SHOWN_MAX = 8 };
    const char *text = "one of ";

    if (column->level_count == 0)
        return "a number";
    for (size_t i = 0; i < column->level_count && i < SHOWN_MAX; i++)
        text = arena_format(arena, "%s%s\"%.32s\"", text, i > 0 ? ", " : "", column->levels[i]);
    if (column->level_count > SHOWN_MAX)
        text = arena_format(arena, "%s and %zu more", text, column->level_count - SHOWN_MAX);
    return text;
}

const char *known_columns_describe(const KnownColumns *columns, Arena *arena)
{
    enum { SHOWN_MAX = 4 };
    const char *text = "";

    for (size_t i = 0; i < columns->count && i < SHOWN_MAX; i++)
        text = arena_format(arena, "%s%s%.48s", text, i > 0 ? ", " : "", columns->items[i].name);
    if (columns->count > SHOWN_MAX)
        text = arena_format(arena, "%s and %zu more", text, columns->count - SHOWN_MAX);
    return text;
}

KnownColumns known_columns_copy(const KnownColumns *columns, Arena *arena)
{
    KnownColumn *items = arena_array(arena, KnownColumn, columns->count);

    for (size_t i = 0; i < columns->count; i++) {
        const KnownColumn *from = &columns->items[i];
        const char **levels = arena_array(arena, const char *, from->level_count);

        for (size_t level = 0; level < from->level_count; level++)
            levels[level] = arena_text(arena, from->levels[level]);
        items[i] = (KnownColumn){arena_text(arena, from->name), levels, from->level_count};
    }
    return (KnownColumns){items, columns->count};
}

/* ---- the same rows by other columns ---- */

static bool find_source(const KnownColumns *from, const KnownColumn *column, size_t *source,
                        Error *error)
{
    *source = known_column_find(from, column->name);
    if (*source == from->count)
        return fail(error, ERROR_CONFLICT,
                    "the data has no known column \"%.128s\", which the model was learnt with",
                    column->name);
    return (from->items[*source].level_count == 0) == (column->level_count == 0) ||
           fail(error, ERROR_CONFLICT,
                "the known column \"%.128s\" was %s when the model was learnt, and has %s in the "
                "data",
                column->name, column->level_count ? "a category" : "of numbers",
                column->level_count ? "numbers" : "the values of a category");
}

static double translate(const KnownColumn *from, const KnownColumn *to, double value)
{
    if (to->level_count == 0 || isnan(value))
        return value;
    return known_level_find(to, from->levels[(size_t)value]);
}

bool known_rows_translate(const KnownRows *rows, const KnownColumns *to, Arena *arena,
                          const double **values, Error *error)
{
    const KnownColumns *from = rows->columns;
    double *made = arena_array(arena, double, rows->count * to->count);

    for (size_t i = 0; i < to->count; i++) {
        size_t source;

        if (!find_source(from, &to->items[i], &source, error))
            return false;
        for (size_t row = 0; row < rows->count; row++)
            made[row * to->count + i] = translate(&from->items[source], &to->items[i],
                                                  rows->values[row * from->count + source]);
    }
    *values = made;
    return true;
}

#include "pipelines/series_known.h"

#include <math.h>
#include <string.h>

#include "ml/series.h"

/* The distinct texts of a category so far. */
typedef struct Levels {
    const char *items[KNOWN_LEVELS_MAX];
    size_t count;
} Levels;

static size_t find_place(const Levels *levels, const char *text, bool *is_there)
{
    size_t low = 0, high = levels->count;

    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(levels->items[middle], text);

        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_level(Levels *levels, const FrameColumn *column, const char *text, Error *error)
{
    bool is_there;
    size_t place = find_place(levels, text, &is_there);

    if (is_there)
        return true;
    if (levels->count == KNOWN_LEVELS_MAX)
        return fail_field(error, column->name,
                          "the known column \"%.128s\" has more than %d different values: a "
                          "category has at most so many; join some, or give it numbers",
                          column->name, KNOWN_LEVELS_MAX);
    memmove(levels->items + place + 1, levels->items + place,
            (levels->count - place) * sizeof(*levels->items));
    levels->items[place] = text;
    levels->count++;
    return true;
}

/* NULL: the cell is empty. */
static const char *cell_text(const FrameColumn *column, size_t row, Arena *arena)
{
    TextRef text = column->texts[row];

    return text.bytes ? arena_copy(arena, text.bytes, text.length) : NULL;
}

/* An empty cell is a level only where there is something to be learnt of it. */
static bool find_levels(const Rows *rows, const FrameColumn *column, Arena *arena, Levels *levels,
                        Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();

    for (size_t row = 0; row < rows->row_count; row++) {
        const char *text = cell_text(column, row, scratch);

        if (!text && isnan(rows->targets[row]))
            continue;
        if (!add_level(levels, column, text ? text : "", error))
            return false;
    }
    for (size_t i = 0; i < levels->count; i++)
        levels->items[i] = arena_text(arena, levels->items[i]);
    return true;
}

/* The columns, and what each cell is. */
typedef struct Coding {
    const Rows *rows;
    KnownColumn *columns;
    double *values;
    Arena *arena;
    Error *error;
} Coding;

static bool code_category(const Coding *coding, size_t at)
{
    const FrameColumn *column = &coding->rows->frame.columns[at];
    size_t width = coding->rows->frame.column_count;
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Levels levels = {.count = 0};
    const char **kept;

    if (!find_levels(coding->rows, column, coding->arena, &levels, coding->error))
        return false;
    kept = arena_array(coding->arena, const char *, levels.count);
    if (levels.count)
        memcpy(kept, levels.items, levels.count * sizeof(*kept));
    coding->columns[at] = (KnownColumn){column->name, kept, levels.count};
    for (size_t row = 0; row < coding->rows->row_count; row++) {
        const char *text = cell_text(column, row, scratch);

        coding->values[row * width + at] = known_level_find(&coding->columns[at], text ? text : "");
    }
    return true;
}

static bool code_number(const Coding *coding, size_t at)
{
    const FrameColumn *column = &coding->rows->frame.columns[at];
    size_t width = coding->rows->frame.column_count;

    coding->columns[at] = (KnownColumn){.name = column->name};
    for (size_t row = 0; row < coding->rows->row_count; row++) {
        double value = column->numbers[row];

        if (!isnan(value) && !(fabs(value) <= SERIES_VALUE_MAX))
            return fail_field(coding->error, column->name,
                              "the known column \"%.128s\" of row %zu is %g: numbers are at most "
                              "%g in size",
                              column->name, row + 1, value, SERIES_VALUE_MAX);
        coding->values[row * width + at] = value;
    }
    return true;
}

bool series_known_read(const Rows *rows, Arena *arena, KnownColumns *columns, const double **values,
                       Error *error)
{
    size_t count = rows->frame.column_count;
    Coding coding = {rows, arena_array(arena, KnownColumn, count),
                     arena_array(arena, double, rows->row_count *count), arena, error};
    KnownColumns made = {coding.columns, count};

    for (size_t i = 0; i < count; i++)
        if (rows->frame.columns[i].kind == COLUMN_NUMBER ? !code_number(&coding, i)
                                                         : !code_category(&coding, i))
            return false;
    if (!known_columns_check(&made, error))
        return false;
    *columns = made;
    *values = coding.values;
    return true;
}

/* What whoever adds data would rather hear now than from a poor model: columns without use, and
 * columns that a few values keep from being numbers. */
#include <inttypes.h>

#include "data/import.h"

enum {
    NOTES_MAX = 50,
    ID_ROWS_LEAST = 20,
    SAMPLE_ROWS = 2048,
    NUMBERS_LEAST_PERCENT = 80, /* of the values: else it is no column of numbers */
    VALUE_BYTES_MAX = 40,       /* of an example */
};

typedef struct Values {
    int64_t count, numbers;
    const char *other; /* one that is no number */
} Values;

static void say(TextList *notes, Arena *arena, const char *sentence)
{
    if (notes->count < NOTES_MAX)
        text_list_add(notes, arena, sentence);
}

static bool is_text(const ImportColumn *column)
{
    return text_equal(column->column.type, "text") || text_equal(column->column.type, "category");
}

/* The first limit values of a column of texts; 0: all. */
static bool count_numbers(Import *import, size_t at, int limit, Values *values)
{
    const char *rows =
        arena_format(import->arena, "SELECT c%zu AS v FROM typed WHERE c%zu IS NOT NULL", at, at);
    ImportReading reading;
    DuckQuery query;

    if (limit)
        rows = arena_format(import->arena, "%s LIMIT %d", rows, limit);
    if (!import_reading("number", "v", import->arena, &reading))
        return true;
    query = duck_query(
        import->duck,
        arena_format(import->arena,
                     "SELECT count(*), count(n), left(min(CASE WHEN n IS NULL THEN v END), %d)"
                     "  FROM (SELECT v, %s AS n FROM (%s) WHERE NOT %s)",
                     VALUE_BYTES_MAX, reading.value, rows, reading.missing));
    if (duck_next(&query))
        *values =
            (Values){duck_int(&query, 0), duck_int(&query, 1), duck_text(&query, 2, import->arena)};
    bool is_done = duck_end(&query, import->error);
    duck_finalize(&query);
    return is_done;
}

static bool are_mostly_numbers(const Values *values)
{
    return values->numbers < values->count &&
           values->numbers * 100 >= values->count * NUMBERS_LEAST_PERCENT;
}

/* The first rows rule out nearly all columns of texts. */
static bool note_near_number(Import *import, size_t at, TextList *notes)
{
    const ImportColumn *column = &import->columns[at];
    const char *name = column->column.name;
    Values values = {0};

    if (!is_text(column) || column->override || column->is_text ||
        !text_equal(column->sql_type, "VARCHAR"))
        return true;
    if (!count_numbers(import, at, SAMPLE_ROWS, &values))
        return false;
    if (values.numbers * 100 < values.count * NUMBERS_LEAST_PERCENT || values.count == 0)
        return true;
    if (!count_numbers(import, at, 0, &values))
        return false;
    if (are_mostly_numbers(&values))
        say(notes, import->arena,
            arena_format(import->arena,
                         "\"%s\" is read as %s: %" PRId64 " of %" PRId64 " values are no finite "
                         "numbers, such as \"%s\"; mend them or leave them empty, or have it read "
                         "as a number and such rows set aside",
                         name, column->column.type, values.count - values.numbers, values.count,
                         values.other ? values.other : ""));
    return true;
}

/* Words of one kind each, without a blank: texts that people write have some. */
static bool has_blanks(Import *import, size_t at, bool *has)
{
    int64_t count = 0;
    bool is_done = duck_get_int(
        import->duck, import->error, &count,
        arena_format(import->arena, "SELECT count(*) FROM typed WHERE strpos(c%zu, ' ') > 0", at));

    *has = count > 0;
    return is_done;
}

static bool note_id(Import *import, size_t at, TextList *notes)
{
    const ImportColumn *column = &import->columns[at];
    bool is_sentence = false;

    if (column->distinct < import->row_count || import->row_count < ID_ROWS_LEAST ||
        !(is_text(column) || text_equal(column->column.type, "integer")))
        return true;
    if (is_text(column) && !has_blanks(import, at, &is_sentence))
        return false;
    if (!is_sentence)
        say(notes, import->arena,
            arena_format(import->arena,
                         "\"%s\" has another value in every row, as ids have: with the role ignore "
                         "it is not learnt from",
                         column->column.name));
    return true;
}

static bool note_column(Import *import, size_t at, TextList *notes)
{
    const ImportColumn *column = &import->columns[at];
    const char *name = column->column.name;

    if (column->missing == import->row_count)
        say(notes, import->arena,
            arena_format(import->arena, "\"%s\" has no value in any row", name));
    else if (column->distinct == 1 && column->missing == 0 && import->row_count > 1)
        say(notes, import->arena,
            arena_format(import->arena, "\"%s\" has the same value in every row", name));
    else if (text_equal(column->column.role, "feature"))
        return note_id(import, at, notes) && note_near_number(import, at, notes);
    else if (text_equal(column->column.role, "target"))
        return note_near_number(import, at, notes);
    return true;
}

bool import_notes(Import *import, JsonWriter *json)
{
    TextList notes = {0};

    for (size_t i = 0; i < import->column_count; i++)
        if (!text_equal(import->columns[i].column.role, "ignore") &&
            !note_column(import, i, &notes))
            return false;
    json_texts(json, "notes", &notes);
    return true;
}

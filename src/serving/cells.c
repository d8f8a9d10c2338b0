#include "serving/cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ml/date.h"

/* What may be left out is missing until it is given. */
static double *begin_numbers(const Cells *cells, size_t count)
{
    double *numbers = arena_array(cells->arena, double, count);

    for (size_t i = 0; i < count && cells->inputs->are_optional; i++)
        numbers[i] = NAN;
    return numbers;
}

bool cells_begin(Cells *cells, size_t row_count, size_t rows_max)
{
    size_t count = cells->inputs->count;

    if (!row_count)
        return fail(cells->error, ERROR_FIELD, "the body has no rows");
    if (row_count > rows_max)
        return fail(cells->error, ERROR_TOO_LARGE, "a request has at most %zu rows", rows_max);
    cells->row_count = row_count;
    cells->columns = arena_array(cells->arena, FrameColumn, count);
    cells->texts = arena_array(cells->arena, TextRef *, count);
    cells->numbers = arena_array(cells->arena, double *, count);
    cells->given = arena_array(cells->arena, size_t, count);
    cells->rounds = 1;
    for (size_t i = 0; i < count; i++) {
        const ModelInput *input = &cells->inputs->items[i];

        if (input->kind == COLUMN_NUMBER)
            cells->numbers[i] = begin_numbers(cells, row_count);
        else
            cells->texts[i] = arena_array(cells->arena, TextRef, row_count);
        cells->columns[i] =
            (FrameColumn){input->name, input->kind, cells->texts[i], cells->numbers[i]};
    }
    return true;
}

const char *input_list_names(const InputList *inputs, Arena *arena)
{
    enum { SHOWN_MAX = 8 };
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < inputs->count && i < SHOWN_MAX; i++)
        text_append_format(&names, "%s\"%s\"", i ? ", " : "", inputs->items[i].name);
    if (inputs->count > SHOWN_MAX)
        text_append_format(&names, " and %zu more", inputs->count - SHOWN_MAX);
    return text_built(&names);
}

/* " in row 3", or nothing for a header. */
static const char *in_row(size_t row, char place[32])
{
    place[0] = '\0';
    if (row)
        snprintf(place, 32, " in row %zu", row);
    return place;
}

static bool fail_unknown(Cells *cells, TextRef name, size_t row)
{
    int shown = name.length < 90 ? (int)name.length : 90;
    char copy[96], place[32];

    snprintf(copy, sizeof(copy), "%.*s", shown, name.bytes);
    return fail_field(cells->error, copy, "unrecognized column \"%s\"%s: the model reads %s", copy,
                      in_row(row, place), input_list_names(cells->inputs, cells->arena));
}

/* The name may have NULs in it. */
static bool name_matches(const ModelInput *input, TextRef name)
{
    return strncmp(input->name, name.bytes, name.length) == 0 && strlen(input->name) == name.length;
}

bool cells_find(Cells *cells, TextRef name, size_t row, size_t *column)
{
    size_t count = cells->inputs->count;
    char place[32];

    /* Rows mostly give their columns in the same order, so the search starts where the last one
     * ended. */
    for (size_t step = 0, i = cells->expected; step < count; step++, i++) {
        i = i < count ? i : 0;
        if (!name_matches(&cells->inputs->items[i], name))
            continue;
        if (cells->given[i] == cells->rounds)
            return fail_field(cells->error, cells->inputs->items[i].name, "\"%s\" is given twice%s",
                              cells->inputs->items[i].name, in_row(row, place));
        cells->given[i] = cells->rounds;
        cells->found++;
        cells->expected = i + 1;
        *column = i;
        return true;
    }
    if (!cells->leaves_out_others)
        return fail_unknown(cells, name, row);
    *column = COLUMN_LEFT_OUT;
    return true;
}

bool cells_end_row(Cells *cells, size_t row)
{
    size_t missing = 0;
    char place[32];

    if (cells->found == cells->inputs->count || cells->inputs->are_optional) {
        cells->found = cells->expected = 0;
        cells->rounds++;
        return true;
    }
    while (cells->given[missing] == cells->rounds)
        missing++;
    return fail_field(cells->error, cells->inputs->items[missing].name, "\"%s\" is missing%s",
                      cells->inputs->items[missing].name, in_row(row, place));
}

static bool fail_kind(Cells *cells, size_t row, size_t column, const char *wanted)
{
    const char *name = cells->inputs->items[column].name;

    return fail_field(cells->error, name, "\"%s\" in row %zu must be %s", name,
                      cells->first_row + row + 1, wanted);
}

static TextRef text_of(const JsonValue *value)
{
    return (TextRef){json_as_text(value, NULL), json_text_size(value)};
}

/* Numbers as the data sets' categories spell them: 1, 2.5, true. */
static bool set_category(Cells *cells, size_t row, size_t column, const JsonValue *value)
{
    TextRef *cell = &cells->texts[column][row];
    const char *text;

    if (json_is_null(value))
        return true;
    if (json_is_text(value)) {
        *cell = text_of(value);
        return true;
    }
    if (cells->inputs->items[column].takes_object ? !json_is_object(value)
                                                  : !json_is_number(value) && !json_is_bool(value))
        return fail_kind(cells, row, column,
                         cells->inputs->items[column].takes_object
                             ? "an object or null"
                             : "a text, a number, true, false or null");
    text = json_print(value, cells->arena);
    *cell = (TextRef){text, strlen(text)};
    return true;
}

/* Where a model reads more than a text, a text may be missing. */
static bool set_text(Cells *cells, size_t row, size_t column, const JsonValue *value)
{
    bool may_be_missing = cells->inputs->count > 1;

    if (may_be_missing && json_is_null(value))
        return true;
    cells->texts[column][row] = text_of(value);
    return json_is_text(value) ||
           fail_kind(cells, row, column, may_be_missing ? "a text or null" : "a text");
}

/* As data sets have dates; missing is null, or empty. */
static bool set_date(Cells *cells, size_t row, size_t column, TextRef text, const char *missing)
{
    double seconds;

    if (date_is_missing(text))
        return true;
    cells->texts[column][row] = text;
    return date_read(text, &seconds) ||
           fail_kind(cells, row, column,
                     arena_format(cells->arena, "a date or time such as " DATE_EXAMPLES ", or %s",
                                  missing));
}

static bool set_json_date(Cells *cells, size_t row, size_t column, const JsonValue *value)
{
    static const TextRef no_date = {"?", 1};

    if (json_is_null(value))
        return true;
    return set_date(cells, row, column, json_is_text(value) ? text_of(value) : no_date, "null");
}

bool cells_set_json(Cells *cells, size_t row, size_t column, const JsonValue *value)
{
    if (column == COLUMN_LEFT_OUT)
        return true;
    switch (cells->inputs->items[column].kind) {
    case COLUMN_TEXT:
        return set_text(cells, row, column, value);
    case COLUMN_CATEGORY:
        return set_category(cells, row, column, value);
    case COLUMN_DATE:
        return set_json_date(cells, row, column, value);
    case COLUMN_NUMBER:
        cells->numbers[column][row] = json_as_double(value, NAN);
        return json_is_number(value) || json_is_null(value) ||
               fail_kind(cells, row, column, "a number or null");
    }
    return false;
}

/* A decimal number and nothing else, no NUL either. */
static bool field_to_double(TextRef field, double *number)
{
    char text[64];

    if (field.length >= sizeof(text))
        return false;
    memcpy(text, field.bytes, field.length);
    text[field.length] = '\0';
    return strlen(text) == field.length && text_to_double(text, number);
}

bool cells_set_field(Cells *cells, size_t row, size_t column, TextRef field)
{
    double number = NAN;

    if (column == COLUMN_LEFT_OUT)
        return true;
    switch (cells->inputs->items[column].kind) {
    case COLUMN_TEXT:
        cells->texts[column][row] = field;
        return true;
    case COLUMN_CATEGORY:
        if (field.length)
            cells->texts[column][row] = field;
        return true;
    case COLUMN_DATE:
        return set_date(cells, row, column, field, "empty");
    case COLUMN_NUMBER:
        if (field.length && !field_to_double(field, &number))
            return fail_kind(cells, row, column, "a number or empty");
        cells->numbers[column][row] = number;
        return true;
    }
    return false;
}

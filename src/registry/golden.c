/* golden.c: rows with known answers, which a model must still give when it is loaded.
 *
 *     {"columns": [{"name": "CONTENT", "kind": "text"}], "rows": [["hello"]],
 *      "probabilities": [[0.98, 0.02]]}
 *
 * A model that answers with numbers has "values": [[12.3]] instead of the probabilities.
 */

#include <math.h>
#include <string.h>

#include "registry/package_internal.h"

static const char *const kind_names[] = {
    [COLUMN_TEXT] = "text",
    [COLUMN_CATEGORY] = "category",
    [COLUMN_NUMBER] = "number",
    [COLUMN_DATE] = "date",
};

const char *column_kind_name(ColumnKind kind)
{
    return kind_names[kind];
}

bool column_kind_find(const char *name, ColumnKind *kind)
{
    for (size_t i = 0; i < COUNT(kind_names); i++) {
        if (strcmp(kind_names[i], name) != 0)
            continue;
        *kind = (ColumnKind)i;
        return true;
    }
    return false;
}

static const FrameColumn *find_column(const Frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, name) == 0)
            return &frame->columns[i];
    return NULL;
}

/* The model's inputs, in its order, and nothing else. */
static bool choose_columns(const Predictor *model, const Frame *rows, Arena *arena, Frame *chosen,
                           Error *error)
{
    size_t count = predictor_input_count(model);
    FrameColumn *columns = arena_array(arena, FrameColumn, count + 1);

    for (size_t i = 0; i < count; i++) {
        ModelInput input = predictor_input(model, i);
        const FrameColumn *found = find_column(rows, input.name);

        if (!found || found->kind != input.kind)
            return fail(error, ERROR_INVALID, "the golden rows have no %s column \"%s\"",
                        column_kind_name(input.kind), input.name);
        columns[i] = *found;
    }
    *chosen = (Frame){columns, count, rows->row_count};
    return true;
}

bool golden_make(const Predictor *model, const Frame *rows, Arena *arena, Golden *golden,
                 Error *error)
{
    Golden made = {.width = predictor_width(model),
                   .has_numbers = predictor_task(model) != TASK_CLASSIFICATION};
    double *answers;

    if (!rows || rows->row_count < 1 || rows->row_count > GOLDEN_ROWS_MAX)
        return fail(error, ERROR_INVALID, "a package has 1 to %d golden rows", GOLDEN_ROWS_MAX);
    if (!choose_columns(model, rows, arena, &made.frame, error))
        return false;
    answers = arena_array(arena, double, rows->row_count *made.width);
    if (!predictor_predict(model, &made.frame, answers, arena, error))
        return false;
    made.answers = answers;
    *golden = made;
    return true;
}

static void write_cell(JsonWriter *json, const FrameColumn *column, size_t row)
{
    if (column->kind == COLUMN_NUMBER)
        json_double(json, NULL, column->numbers[row]);
    else if (column->texts[row].bytes)
        json_bytes(json, NULL, column->texts[row].bytes, column->texts[row].length);
    else
        json_null(json, NULL);
}

static void write_row(JsonWriter *json, const Frame *frame, size_t row)
{
    json_open_array(json, NULL);
    for (size_t i = 0; i < frame->column_count; i++)
        write_cell(json, &frame->columns[i], row);
    json_close(json);
}

static void write_answer(JsonWriter *json, const Golden *golden, size_t row)
{
    json_open_array(json, NULL);
    for (size_t i = 0; i < golden->width; i++)
        json_double(json, NULL, golden->answers[row * golden->width + i]);
    json_close(json);
}

const char *golden_print(const Golden *golden, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_open_array(json, "columns");
    for (size_t i = 0; i < golden->frame.column_count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", golden->frame.columns[i].name);
        json_text(json, "kind", column_kind_name(golden->frame.columns[i].kind));
        json_close(json);
    }
    json_close(json);
    json_open_array(json, "rows");
    for (size_t row = 0; row < golden->frame.row_count; row++)
        write_row(json, &golden->frame, row);
    json_close(json);
    json_open_array(json, golden->has_numbers ? "values" : "probabilities");
    for (size_t row = 0; row < golden->frame.row_count; row++)
        write_answer(json, golden, row);
    json_close(json);
    json_close(json);
    return json_finish(json);
}

/* A column under way: its cells are filled in row by row. */
typedef struct Cells {
    TextRef *texts;
    double *numbers;
} Cells;

static bool read_columns(const JsonValue *list, size_t row_count, Arena *arena,
                         FrameColumn *columns, Cells *cells)
{
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);) {
        FrameColumn *column = &columns[walk.index];

        column->name = json_as_text(json_member(walk.value, "name"), NULL);
        if (!column->name ||
            !column_kind_find(json_as_text(json_member(walk.value, "kind"), ""), &column->kind))
            return false;
        if (column->kind == COLUMN_NUMBER)
            column->numbers = cells[walk.index].numbers = arena_array(arena, double, row_count);
        else
            column->texts = cells[walk.index].texts = arena_array(arena, TextRef, row_count);
    }
    return true;
}

static bool read_cell(const JsonValue *value, const Cells *cells, size_t row)
{
    if (cells->numbers) {
        cells->numbers[row] = json_as_double(value, NAN);
        return json_is_number(value) || json_is_null(value);
    }
    if (json_is_text(value))
        cells->texts[row] = (TextRef){json_as_text(value, ""), json_text_size(value)};
    return json_is_text(value) || json_is_null(value);
}

static bool read_rows(const JsonValue *list, size_t column_count, const Cells *cells)
{
    for (JsonWalk row = json_walk(list); json_walk_next(&row);) {
        if (!json_is_array(row.value) || json_count(row.value) != column_count)
            return false;
        for (JsonWalk cell = json_walk(row.value); json_walk_next(&cell);)
            if (!read_cell(cell.value, &cells[cell.index], row.index))
                return false;
    }
    return true;
}

static bool read_answers(const JsonValue *list, size_t width, double *answers)
{
    for (JsonWalk row = json_walk(list); json_walk_next(&row);) {
        if (!json_is_array(row.value) || json_count(row.value) != width)
            return false;
        for (JsonWalk cell = json_walk(row.value); json_walk_next(&cell);) {
            if (!json_is_number(cell.value))
                return false;
            answers[row.index * width + cell.index] = json_as_double(cell.value, NAN);
        }
    }
    return true;
}

static bool read_document(const JsonValue *document, Arena *arena, Golden *golden)
{
    const JsonValue *columns = json_member(document, "columns");
    const JsonValue *rows = json_member(document, "rows");
    const JsonValue *values = json_member(document, "values");
    const JsonValue *list = values ? values : json_member(document, "probabilities");
    size_t row_count = json_count(rows), column_count = json_count(columns);
    FrameColumn *read = arena_array(arena, FrameColumn, column_count + 1);
    Cells *cells = arena_array(arena, Cells, column_count + 1);
    JsonWalk first = json_walk(list);
    double *answers;

    if (!json_is_array(columns) || !json_is_array(rows) || !json_is_array(list) || row_count < 1 ||
        row_count > GOLDEN_ROWS_MAX || json_count(list) != row_count || !json_walk_next(&first))
        return false;
    golden->has_numbers = values != NULL;
    golden->width = json_count(first.value);
    answers = arena_array(arena, double, row_count * golden->width + 1);
    if (!read_columns(columns, row_count, arena, read, cells) ||
        !read_rows(rows, column_count, cells) || !read_answers(list, golden->width, answers))
        return false;
    golden->frame = (Frame){read, column_count, row_count};
    golden->answers = answers;
    return true;
}

bool golden_read(const char *bytes, size_t size, Arena *arena, Golden *golden, Error *error)
{
    const JsonValue *document = NULL;
    Golden read = {0};

    if (!json_parse(bytes, size, arena, &document, error))
        return fail_in(error, "file \"%s\"", PACKAGE_GOLDEN);
    if (!read_document(document, arena, &read))
        return fail(error, ERROR_INVALID,
                    "file \"%s\" of the package does not hold 1 to %d golden rows with their "
                    "answers",
                    PACKAGE_GOLDEN, GOLDEN_ROWS_MAX);
    *golden = read;
    return true;
}

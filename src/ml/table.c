#include "ml/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/tokenizer.h"

/* A category with more different values than this share of its rows tells rows apart, not kinds of
 * rows; with few rows that may be chance. */
static const double id_share = 0.9;
enum { ID_ROWS_LEAST = 20 };

Cell cell_of_number(double number)
{
    return (Cell){.number = isfinite(number) ? number : NAN};
}

Cell cell_of_text(TextRef text)
{
    uint64_t key;

    if (!text.bytes)
        return (Cell){.key = CELL_MISSING};
    key = text_key(text.bytes, text.length);
    return (Cell){.key = key == CELL_MISSING ? 1 : key};
}

Cell cell_of_date(TextRef text)
{
    double seconds;

    return (Cell){.number = date_read(text, &seconds) ? seconds : NAN};
}

/* Most columns have nothing to mend: a copy of many rows would double what they take. */
static const Cell *cells_of_numbers(const double *numbers, size_t row_count, Arena *arena)
{
    size_t infinite = 0;
    Cell *cells;

    for (size_t row = 0; row < row_count; row++)
        infinite += isinf(numbers[row]) != 0;
    if (infinite == 0)
        return (const Cell *)numbers;
    cells = arena_take(arena, row_count * sizeof(Cell));
    for (size_t row = 0; row < row_count; row++)
        cells[row] = cell_of_number(numbers[row]);
    return cells;
}

static const Cell *cells_of_texts(const TextRef *texts, size_t row_count, Arena *arena)
{
    Cell *cells = arena_take(arena, row_count * sizeof(Cell));

    for (size_t row = 0; row < row_count; row++)
        cells[row] = cell_of_text(texts[row]);
    return cells;
}

static const Cell *cells_of_dates(const TextRef *texts, size_t row_count, Arena *arena)
{
    Cell *cells = arena_take(arena, row_count * sizeof(Cell));

    for (size_t row = 0; row < row_count; row++)
        cells[row] = cell_of_date(texts[row]);
    return cells;
}

static const Cell *cells_of(const FrameColumn *from, size_t row_count, Arena *arena)
{
    if (from->kind == COLUMN_NUMBER)
        return cells_of_numbers(from->numbers, row_count, arena);
    return from->kind == COLUMN_DATE ? cells_of_dates(from->texts, row_count, arena)
                                     : cells_of_texts(from->texts, row_count, arena);
}

static bool read_column(const FrameColumn *from, size_t row_count, Arena *arena,
                        TableColumn *column, Error *error)
{
    bool is_number = from->kind == COLUMN_NUMBER;

    if (is_number ? !from->numbers : !from->texts)
        return fail_field(error, from->name, "the column \"%s\" holds no %s", from->name,
                          is_number ? "numbers" : "texts");
    *column = (TableColumn){from->name, from->kind, cells_of(from, row_count, arena), NULL};
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const Cell *first = a, *second = b;

    return (first->key > second->key) - (first->key < second->key);
}

static size_t count_values(const TableColumn *column, size_t row_count, size_t *missing)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Cell *cells = arena_take(scratch, row_count * sizeof(Cell));
    size_t count = 0;

    memcpy(cells, column->cells, row_count * sizeof(Cell));
    qsort(cells, row_count, sizeof(Cell), compare_keys);
    *missing = 0;
    for (size_t row = 0; row < row_count; row++) {
        *missing += cells[row].key == CELL_MISSING;
        count += row == 0 || cells[row].key != cells[row - 1].key;
    }
    return count - (*missing > 0);
}

static bool has_one_number(const TableColumn *column, size_t row_count)
{
    double first = column->cells[0].number;

    for (size_t row = 1; row < row_count; row++) {
        double number = column->cells[row].number;

        if (isnan(number) != isnan(first) || (!isnan(number) && number != first))
            return false;
    }
    return true;
}

/* Why a column is of no use; NULL: it may be. */
static const char *fault_of(const TableColumn *column, size_t row_count)
{
    size_t values, missing, present;

    if (column->kind == COLUMN_NUMBER || column->kind == COLUMN_DATE) {
        if (!has_one_number(column, row_count))
            return NULL;
        return isnan(column->cells[0].number) ? "it is missing in every row"
                                              : "it has the same value in every row";
    }
    values = count_values(column, row_count, &missing);
    present = row_count - missing;
    if (present == 0)
        return "it is missing in every row";
    if (values == 1 && missing == 0)
        return "it has the same value in every row";
    if (column->kind == COLUMN_CATEGORY && present >= ID_ROWS_LEAST &&
        (double)values > id_share * (double)present)
        return "nearly every row has a value of its own";
    return NULL;
}

/* column: the next one, which is read. */
static void place_column(Table *table, const FrameColumn *from, const TableColumn *column,
                         Arena *arena)
{
    const char *fault = fault_of(column, table->row_count);

    if (fault) {
        table->left_out[table->left_out_count++] = from;
        text_list_add(&table->notes, arena,
                      arena_format(arena, "\"%s\" is left out: %s", column->name, fault));
    } else if (from->kind == COLUMN_TEXT) {
        table->texts[table->text_count++] = from;
    } else if (from->kind == COLUMN_DATE) {
        table->dates[table->date_count++] = (TableDate){.from = from, .seconds = column->cells};
    } else {
        table->column_count++;
    }
}

/* ---- dates ---- */

size_t table_date_cells(double seconds, uint32_t parts, double first_day, Cell *cells)
{
    double values[DATE_PART_COUNT];
    size_t count = 0;

    date_parts(seconds, values);
    values[DATE_DAYS] -= first_day;
    for (size_t part = 0; part < DATE_PART_COUNT; part++)
        if (parts & 1U << part)
            cells[count++] = cell_of_number(values[part]);
    return count;
}

/* Two rows differ in them; where some rows have no date, the days say that, too. */
static void find_parts(TableDate *date, size_t row_count)
{
    double least[DATE_PART_COUNT], most[DATE_PART_COUNT], values[DATE_PART_COUNT];
    bool has_missing = false;

    for (size_t part = 0; part < DATE_PART_COUNT; part++) {
        least[part] = INFINITY;
        most[part] = -INFINITY;
    }
    for (size_t row = 0; row < row_count; row++) {
        date_parts(date->seconds[row].number, values);
        has_missing = has_missing || isnan(values[DATE_DAYS]);
        for (size_t part = 0; part < DATE_PART_COUNT; part++) {
            least[part] = fmin(least[part], values[part]);
            most[part] = fmax(most[part], values[part]);
        }
    }
    for (size_t part = 0; part < DATE_PART_COUNT; part++)
        if (most[part] > least[part] || (part == DATE_DAYS && has_missing))
            date->parts |= 1U << part;
    date->first_day = least[DATE_DAYS];
}

/* "when" becomes days since 2021-01-01, weekday, hour */
static void note_parts(Table *table, const TableDate *date, Arena *arena)
{
    TextBuilder text = {.arena = arena};
    const char *before = " becomes ";

    text_append_format(&text, "\"%s\"", date->from->name);
    for (size_t part = 0; part < DATE_PART_COUNT; part++) {
        if (!(date->parts & 1U << part))
            continue;
        text_append_format(&text, "%s%s", before, date_steps[part].name);
        if (part == DATE_DAYS)
            text_append_format(&text, " since %s", date_text(date->first_day, arena));
        before = ", ";
    }
    text_list_add(&table->notes, arena, text_built(&text));
}

static void add_parts(Table *table, TableDate *date, Arena *arena)
{
    Cell *cells[DATE_PART_COUNT], row_cells[DATE_PART_COUNT];
    size_t count = 0;

    find_parts(date, table->row_count);
    for (size_t part = 0; part < DATE_PART_COUNT; part++) {
        if (!(date->parts & 1U << part))
            continue;
        cells[count] = arena_take(arena, table->row_count * sizeof(Cell));
        table->columns[table->column_count++] =
            (TableColumn){date->from->name, COLUMN_NUMBER, cells[count++],
                          date_steps[part].count ? &date_steps[part] : NULL};
    }
    for (size_t row = 0; row < table->row_count; row++) {
        table_date_cells(date->seconds[row].number, date->parts, date->first_day, row_cells);
        for (size_t i = 0; i < count; i++)
            cells[i][row] = row_cells[i];
    }
    table->parts_of_dates += count;
    note_parts(table, date, arena);
}

/* ---- the whole ---- */

static bool read_columns(Table *table, const Frame *frame, Arena *arena, Error *error)
{
    for (size_t i = 0; i < frame->column_count; i++) {
        TableColumn *column = &table->columns[table->column_count];

        if (!read_column(&frame->columns[i], frame->row_count, arena, column, error))
            return false;
        place_column(table, &frame->columns[i], column, arena);
    }
    for (size_t i = 0; i < table->date_count; i++)
        add_parts(table, &table->dates[i], arena);
    return table->column_count <= TABLE_COLUMNS_MAX ||
           fail(error, ERROR_TOO_LARGE,
                "training takes at most %d columns, of which a date is up to %d", TABLE_COLUMNS_MAX,
                DATE_PART_COUNT);
}

static size_t count_dates(const Frame *frame)
{
    size_t count = 0;

    for (size_t i = 0; i < frame->column_count; i++)
        count += frame->columns[i].kind == COLUMN_DATE;
    return count;
}

bool table_read(const Frame *frame, Arena *arena, Table *table, Error *error)
{
    Table made = {.row_count = frame->row_count};
    size_t dates = count_dates(frame);

    if (frame->column_count == 0)
        return fail(error, ERROR_INVALID, "training needs a column beside the target");
    if (frame->column_count > TABLE_COLUMNS_MAX)
        return fail(error, ERROR_TOO_LARGE, "training takes at most %d columns", TABLE_COLUMNS_MAX);
    if (frame->row_count < 2)
        return fail(error, ERROR_INVALID, "training needs two rows at least, there %s %zu",
                    frame->row_count == 1 ? "is" : "are", frame->row_count);
    made.columns = arena_array(arena, TableColumn, frame->column_count + DATE_PART_COUNT * dates);
    made.dates = arena_array(arena, TableDate, dates + 1);
    made.left_out = arena_array(arena, const FrameColumn *, frame->column_count);
    made.texts = arena_array(arena, const FrameColumn *, frame->column_count);
    if (!read_columns(&made, frame, arena, error))
        return false;
    if (made.column_count + made.text_count == 0)
        return fail(error, ERROR_INVALID, "no column can be learnt from: %s", made.notes.items[0]);
    *table = made;
    return true;
}

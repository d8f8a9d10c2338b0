/* table.h: a frame of category and number columns as a search of learners reads it, many times:
 * each category is its key, a date its parts, values that say nothing are sorted out once. Texts
 * are put aside: the search adds the numbers that it makes of them (tabular_text.c).
 *
 * Infinite numbers are missing ones. A column that has one value only, or a category that differs
 * in (nearly) every row, tells nothing about other rows: it is left out, and a note says so. The
 * target plays no part, so this is no peeking. The frame must outlive the table.
 */
#pragma once

#include "base/text.h"
#include "ml/date.h"

/* What a row has in a column. */
typedef union Cell {
    double number; /* NaN: missing; never infinite */
    uint64_t key;  /* of a category's text; CELL_MISSING */
} Cell;

enum { CELL_MISSING = 0, TABLE_COLUMNS_MAX = 4096 };

typedef struct TableColumn {
    const char *name;
    ColumnKind kind;
    const Cell *cells;      /* row_count of them; numbers lie in the frame's own array where none is
                               infinite */
    const DateSteps *steps; /* a part of a date that comes round again; NULL: none */
} TableColumn;

/* A date column, and which parts of it are columns: those that are not the same in all rows. */
typedef struct TableDate {
    const FrameColumn *from;
    const Cell *seconds; /* by row */
    double first_day;    /* the earliest one: the column of days counts from it */
    uint32_t parts;      /* 1 << DatePart of each */
} TableDate;

typedef struct Table {
    TableColumn *columns; /* those that are not left out; behind them the parts of each date */
    size_t column_count, row_count;
    TableDate *dates; /* those that are not left out */
    size_t date_count;
    size_t parts_of_dates;     /* columns */
    const FrameColumn **texts; /* those that are not left out */
    size_t text_count;
    TextList notes; /* a sentence for each column that is left out, and for each date */
    const FrameColumn *
        *left_out; /* the same columns: a model takes them, and reads nothing in them */
    size_t left_out_count;
} Table;

/* Fails when there are no rows, when a column lacks its values, and when no column is left. */
bool table_read(const Frame *frame, Arena *arena, Table *table, Error *error) MUST_CHECK;

_Static_assert(sizeof(Cell) == sizeof(double), "numbers of a frame are cells as they lie");

Cell cell_of_number(double number);
Cell cell_of_text(TextRef text);
Cell cell_of_date(TextRef text); /* its seconds; missing: it is no date, too */

/* The parts of a date that are columns, in their order; returns how many. */
size_t table_date_cells(double seconds, uint32_t parts, double first_day, Cell *cells);

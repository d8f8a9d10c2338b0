/* cells.h: a frame under construction: what each form of body fills cell by cell.
 *
 * Rows and columns count from 0 here, rows from 1 in messages. After cells_begin() each row is
 * either given by name (cells_find() per value, cells_end_row() at its end) or by a header that
 * cells_find() and cells_end_row() have checked once.
 */
#pragma once

#include "base/json.h"
#include "serving/body.h"

/* What cells_find() gives for a column that is left out; setting its cells does nothing. */
#define COLUMN_LEFT_OUT SIZE_MAX

typedef struct Cells {
    const InputList *inputs;
    bool leaves_out_others;
    size_t first_row; /* rows that were before these, for messages */
    Arena *arena;
    Error *error;
    size_t row_count;
    FrameColumn *columns;
    TextRef **texts;  /* per column; NULL for numbers */
    double **numbers; /* per column; NULL for texts */
    size_t *given;    /* per column: how often cells_end_row() had been called when it was found */
    size_t found, rounds, expected;
} Cells;

/* The names of the columns, as a message lists them. */
const char *input_list_names(const InputList *inputs, Arena *arena);

/* Fails when row_count is 0 or over the limit. */
bool cells_begin(Cells *cells, size_t row_count, size_t rows_max) MUST_CHECK;

/* The column with this name; fails when there is none or when this row has it already. row 0: a
 * header. */
bool cells_find(Cells *cells, TextRef name, size_t row, size_t *column) MUST_CHECK;

/* Fails when a column was not given since the last call. row 0: a header. */
bool cells_end_row(Cells *cells, size_t row) MUST_CHECK;

bool cells_set_json(Cells *cells, size_t row, size_t column, const JsonValue *value) MUST_CHECK;
bool cells_set_field(Cells *cells, size_t row, size_t column, TextRef field) MUST_CHECK;

/* rows.h: rows of a Parquet blob in memory, for learners. Used in worker steps only: it opens
 * DuckDB. */
#pragma once

#include <math.h>

#include "data/dataset.h"
#include "ml/task.h"

typedef struct RowsSpec {
    const char *path;         /* of the Parquet file */
    const char *without_path; /* of a hold-out's Parquet file: rows with the content of one of its
                                 rows are left out; or NULL */
    DatasetColumns
        columns; /* which columns, as what; the feature, target, group and time columns are read */
    ModelTask task;            /* what the target is read as: labels, or numbers */
    const ClassNames *classes; /* labels are indices into these; NULL: found in the rows */
    int64_t limit;             /* 0: all */
    uint64_t cells_max; /* where there are more, rows are drawn by their content, so that the same
                           ones are drawn again; 0: all */
    const char *id_columns; /* what the ids are made from, as in Rows; NULL: as in the file */
} RowsSpec;

typedef struct Rows {
    Frame frame;                      /* the feature columns */
    size_t row_count, left_out_count; /* left out: as in without_path */
    size_t undrawn_count;             /* beyond cells_max */
    int *labels; /* per row, -1 when the target is missing or not among the classes; NULL without a
                    target, and for numbers */
    ClassNames classes;
    double *targets;        /* for numbers, per row, NaN when missing; NULL without a target */
    size_t *groups;         /* per row, a number per distinct group; NULL without a group column */
    ClassNames group_names; /* sorted by bytes: the group's number is its place; the number behind
                               the last one are the rows without a group */
    int64_t *times;       /* per row, milliseconds UTC (of an integer or number column: its value),
                             INT64_MIN       when missing; NULL without a time column */
    const char **row_ids; /* 32 hexadecimal digits of the row's content: what hold-outs and leakage
                             checks compare */
    const char *id_columns; /* which columns that content is: a JSON array of names. Ids made from
                               other columns are never compared */
} Rows;

/* Refused for numbers: a target that is none, and one that is infinite in a row. */
bool rows_read(const RowsSpec *spec, Arena *arena, Rows *rows, Error *error) MUST_CHECK;

/* Whether there is something to learn, or to judge by, in this row. */
static inline bool rows_have_answer(const Rows *rows, size_t row)
{
    if (rows->targets)
        return !isnan(rows->targets[row]);
    return rows->labels && rows->labels[row] >= 0;
}

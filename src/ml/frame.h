/* frame.h: rows of typed columns in memory, as learners and predictors see them.
 *
 * A frame owns nothing: names, texts and numbers live in the arena or the
 * request body that they were read into. A missing text has bytes == NULL, a
 * missing number is NaN. The target is not a column: it travels beside the
 * frame as class indices.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct TextRef {
    const char *bytes; /* UTF-8, not NUL-terminated; NULL when missing */
    size_t length;
} TextRef;

typedef enum ColumnKind {
    COLUMN_TEXT,     /* free text: tokenised */
    COLUMN_CATEGORY, /* a few distinct values: one-hot */
    COLUMN_NUMBER,   /* standardised */
    COLUMN_DATE,     /* a date or a time as it is written (ml/date.h): its parts are numbers */
} ColumnKind;

typedef struct FrameColumn {
    const char *name;
    ColumnKind kind;
    const TextRef *texts;  /* row_count of them: all but number columns */
    const double *numbers; /* row_count of them: number columns */
} FrameColumn;

typedef struct Frame {
    const FrameColumn *columns;
    size_t column_count;
    size_t row_count;
} Frame;

/* The names of the classes, sorted by bytes; a label is an index into them. */
typedef struct ClassNames {
    const char *const *items;
    size_t count;
} ClassNames;

/* What is to be learnt of each row: a class, or a number. */
typedef struct Target {
    const int *labels;         /* row_count indices into classes; NULL: numbers */
    const ClassNames *classes; /* NULL: numbers */
    const double *numbers;     /* row_count finite ones; NULL: classes */
} Target;

/* The rows at these places, in their order; names and bytes stay where they are. */
Frame frame_pick(const Frame *frame, const size_t *rows, size_t count, Arena *arena);
FrameColumn frame_column_pick(const FrameColumn *column, const size_t *rows, size_t count,
                              Arena *arena);

/* The same frame but for one column. */
Frame frame_exchange(const Frame *frame, size_t place, const FrameColumn *column, Arena *arena);

/* Where a column of that name is; false: there is none. */
bool frame_find(const Frame *frame, const char *name, size_t *place);

/* The index of a class by its name; -1: there is none. */
int class_names_find(const ClassNames *classes, const char *name);

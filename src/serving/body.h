/* body.h: the body of a prediction request as typed columns.
 *
 * A body is one of
 *     {"data": rows}, {"inputs": rows}, {"instances": rows}, {"dataframe_records": rows}
 *     {"dataframe_split": {"columns": [...], "data": [[...], ...]}}
 *     application/jsonl: a row per line        text/csv: a header and a row per line
 * where rows are a list whose items are objects by column name, lists in the model's order, or, for
 * a model of one column, plain values; or one object: a single row, or lists by column name.
 *
 * Every column of the model is needed in every row, and no other is taken unless the caller says
 * that others are to be left out: a mistake is a 422 that names column and row (from 1). A text
 * must be a text. A category may be a text, a number, true or false; a category or number may be
 * null (in CSV: empty), which is a missing value. Of a model whose columns are optional those that
 * are left out are missing values, too, and a plain value is that of the first column.
 *
 * The frame points into the body and the arena; both must live as long as it.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "ml/predictor.h"

enum { PREDICT_ROWS_MAX = 10000 };

typedef struct InputList {
    const ModelInput *items;
    size_t count;
    bool are_optional; /* each may be left out, which is as if it were null */
} InputList;

InputList input_list_of(const Predictor *model, Arena *arena);

typedef struct Body {
    const char *bytes;
    size_t size;
    const char *content_type; /* NULL: application/json */
    size_t rows_max;          /* 0: PREDICT_ROWS_MAX */
    bool leaves_out_others;   /* columns that the model does not read are left out, not refused */
} Body;

bool body_read(const Body *body, const InputList *inputs, Arena *arena, Frame *frame,
               Error *error) MUST_CHECK;

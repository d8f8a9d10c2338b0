/* row_id.h: the id of a row is the MD5 of its content: of its features (or, in a series without
 * any, of all that is not ignored).
 *
 * Two rows with the same features have the same id in every version and format: values are hashed
 * as canonical texts, so that 5 read as an integer equals 5.0 read as a number. Which columns count
 * is kept in the Parquet file beside the ids, under ROW_ID_KEY, so that ids made from other columns
 * are never compared.
 */
#pragma once

#include "data/dataset.h"

#define ROW_ID_KEY "slipway_id_columns"

enum { ROW_ID_DIGITS = 32 }; /* hexadecimal ones */

/* The columns that count. */
DatasetColumns row_id_columns(const DatasetColumns *columns, Arena *arena);

/* The SQL that makes the id; expressions[i] is what stands for columns->items[i]. */
const char *row_id_expression(const DatasetColumns *columns, const char *const *expressions,
                              Arena *arena);

/* The value under ROW_ID_KEY: a JSON array of names. */
const char *row_id_note(const DatasetColumns *columns, Arena *arena);

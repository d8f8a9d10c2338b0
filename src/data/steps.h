/* steps.h: what the data domain does in child processes, because it opens DuckDB there.
 *
 * import-data  {"files": [{"path", "file"}], "options": {...}, "folder", "rows"}
 *     path: the name inside the version; file: the absolute path of its bytes; folder: an empty one
 *     for work under way; rows: the Parquet file to write. Result: {"row_count", "set_aside_count",
 *     "columns", "files": [{"path", "rows"}], "set_aside": [{"path", "line", "column", "reason"}],
 *     "profile"}
 * preview      {"rows", "folder", "offset", "limit"}; result {"rows": [{...}]}
 * draw-holdout {"rows", "folder", "holdout", "columns", "by", "share", "seed", "groups"}; writes
 * the Parquet file "holdout"; result {"row_count", "duplicate_row_count", "classes": {...}}
 * check-data   {"rows", "folder", "expect"}; result: a report (expect.h)
 */
#pragma once

#include "base/worker.h"

WorkerFunction import_data_step, preview_step, draw_holdout_step, check_data_step;

/* Ends with {0}. */
extern const WorkerStep data_steps[];

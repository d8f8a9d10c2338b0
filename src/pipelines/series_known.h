/* series_known.h: the known columns of a data set's rows, as a forecast takes them (ml/known.h). */
#pragma once

#include "data/rows.h"
#include "ml/known.h"

/* Of rows whose features are the known columns: what the columns are, and values with a double for
 * each row and column. Fails where a category has too many values, and on an infinite number. */
bool series_known_read(const Rows *rows, Arena *arena, KnownColumns *columns, const double **values,
                       Error *error) MUST_CHECK;

/* forecast_rows.h: forecasts asked in rows, as all other models are.
 *
 * A row says what is asked: how many steps after its end, of which series, and at which level of
 * the intervals; of a model with known columns (known.h) also their values. Its answer is the
 * value, the low and the high end at the last of these steps. What is missing in a row is the
 * model's horizon, the only series, FORECAST_LEVEL. So golden rows, the log of predictions and
 * everything else that knows rows takes forecasts as they are; who wants all steps asks the model
 * what forecast_rows_ask() says.
 *
 *     if (!forecast_rows_ask(model, &frame, row, &ask, error) ||
 *         !forecast_rows_known(model, &(ForecastRow){&frame, row}, arena, &ask, error) ||
 *         !forecast_model_predict(model, &ask, arena, &dated, error))
 */
#pragma once

#include "ml/forecast_model.h"
#include "ml/frame.h"

enum { FORECAST_INPUT_COUNT = 4, FORECAST_ANSWER_WIDTH = 3 };

#define FORECAST_LEVEL 0.95 /* of intervals, where none is asked for */

/* "steps", "series", "level"; "known" only of a model with known columns. */
size_t forecast_rows_input_count(const ForecastModel *model);
ModelInput forecast_rows_input(size_t index);

/* Fails with a sentence that names the row (from 1) and what is allowed. */
bool forecast_rows_ask(const ForecastModel *model, const Frame *frame, size_t row, ForecastAsk *ask,
                       Error *error) MUST_CHECK;

typedef struct ForecastRow {
    const Frame *frame;
    size_t row;
} ForecastRow;

/* The row's values of known columns for an ask that forecast_rows_ask() has made: of the text of a
 * JSON object that has a list with a value for each step, or one value for all, by the column's
 * name. Fails with a sentence that names the column. */
bool forecast_rows_known(const ForecastModel *model, const ForecastRow *asked, Arena *arena,
                         ForecastAsk *ask, Error *error) MUST_CHECK;

/* answers: row_count x FORECAST_ANSWER_WIDTH. */
bool forecast_rows_predict(const ForecastModel *model, const Frame *frame, double *answers,
                           Error *error) MUST_CHECK;

/* That many rows, at least one, which ask for all of the model's steps, spread over its series. */
Frame forecast_rows_spread(const ForecastModel *model, size_t row_count, Arena *arena);

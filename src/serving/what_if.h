/* what_if.h: what a model would answer to the same rows if some of their columns had other values,
 * and which columns make the difference. Pure.
 *
 * A change is COLUMN=VALUE, the value written as in a CSV: an empty number or category is a missing
 * one. It goes into every row. Contributions are compared for what was answered first, the number
 * or the label: a row's margin, the differences of all columns and the rest add up to the margin
 * with the changes.
 */
#pragma once

#include "serving/predict.h"

/* The answers to the changed rows, by the model that gave those before. Fails, naming the field
 * "what_if", on what is no change, on a column that the model does not read or that is changed
 * twice, on a value that is no number where one is needed, and for a model that forecasts. */
bool what_if_predict(const Prediction *before, const TextList *changes, Arena *arena,
                     Prediction *after, Error *error) MUST_CHECK;

/* The row's member "what_if": the answer's members, "margin", "columns" (the EXPLAIN_TERMS_MAX that
 * differ most: "column", "from" and "to" where the value changes, "weight_before", "weight_after",
 * "difference") and "rest" (count and difference of the others). explanation: of the row before. */
bool what_if_write_json(JsonWriter *json, const Prediction *before, size_t row,
                        const Explanation *explanation, Error *error) MUST_CHECK;

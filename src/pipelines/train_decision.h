/* train_decision.h: from which probability on a model of two classes names the positive one, and
 * what other thresholds would give, for the report of a training.
 *
 *     DecisionSpec spec = {.model = model, .search = &search, .rows = &rows, .bench = &bench, ...};
 *     train_decision_write_json(json, &spec);
 */
#pragma once

#include "base/json.h"
#include "pipelines/judge.h"

typedef struct DecisionSpec {
    const Predictor *model;
    const SearchSpec *search;  /* that found it */
    const Rows *rows;          /* learnt from */
    const double *out_of_fold; /* of them, as Learnt has them; NULL: there are none */
    const Bench *bench;        /* the hold-out */
    const Predictions *predictions;
} DecisionSpec;

/* The member "decision": "threshold" and "positive"; "for", the metric that it is for, and "why";
 * "folds" and "holdout", the figures at it, out of fold and on the hold-out; and "curve", those of
 * other thresholds out of fold, rising, it among them. Nothing of a model of other than two
 * classes. A point is "threshold", "score" (by the metric), "named" (the share of the rows),
 * "precision", "recall", "false_positive_rate", "accuracy", "balanced_accuracy", "f1", "mcc". */
void train_decision_write_json(JsonWriter *json, const DecisionSpec *spec);

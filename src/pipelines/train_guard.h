/* train_guard.h: what is looked at in the rows of a training before anything is learnt from them,
 * and what became of each column. */
#pragma once

#include "ml/guardrail.h"
#include "pipelines/judge.h"

typedef struct TrainGuard {
    const DatasetColumns *columns;
    bool is_balanced; /* classes weigh by one over their frequency */
    GuardrailList found;
    TextList notes; /* a sentence for each finding, and for each column that is not read */
} TrainGuard;

/* Finds; takes the copies of the target out of the rows' features. Each row has an answer. Fails
 * when no feature is left, and says why. */
bool train_guard_look(TrainGuard *guard, Rows *rows, Arena *arena, Error *error) MUST_CHECK;

/* What else was not learnt from in the end: the learners' own notes. Each is said once. */
void train_guard_add_notes(TrainGuard *guard, const TextList *notes, Arena *arena);

/* Rows of the hold-out whose features, as the model reads them, are those of a training row; and
 * rows that training does without because the hold-out has their content. ignored: by learners. */
void train_guard_look_across(TrainGuard *guard, const Rows *rows, const Bench *holdout,
                             const TextList *ignored, Arena *arena);

/* Members "notes", "guardrails" and "columns": [{"name", "type", "as"}], as being number, category,
 * text, "left out", or the role of what is no feature. left_out: by the learners. */
void train_guard_write_json(JsonWriter *json, const TrainGuard *guard, const TextList *left_out);

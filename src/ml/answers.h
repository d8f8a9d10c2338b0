/* answers.h: a model's answers to rows as reports take them (ml/report.h).
 *
 * Reports count by the classes of all that are compared, or that occur in the rows: those of the
 * model are among them, at other places perhaps. A class that the model does not know has 0.
 *
 *     AnswerSpec spec = {model, &classes, 2};
 *     if (!answer_frame(&spec, &frame, arena, &predictions, error))
 *         return false;
 */
#pragma once

#include "ml/predictor.h"
#include "ml/report.h"

typedef struct AnswerSpec {
    const Predictor *model;    /* of rows: no forecast */
    const ClassNames *classes; /* the model's are among them; of numbers nobody looks */
    size_t thread_count;
} AnswerSpec;

/* The answers live in the arena: the numbers, or classes with row_count x classes->count
 * probabilities. */
bool answer_frame(const AnswerSpec *spec, const Frame *frame, Arena *arena, Predictions *answers,
                  Error *error) MUST_CHECK;

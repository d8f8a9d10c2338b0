/* calibration.h: margins to probabilities that mean what they say.
 *
 * Fitted on margins of rows that the model did not learn from. Kinds:
 * - logistic (Platt 1999; targets and Newton steps of Lin, Lin & Weng 2007): 1 / (1 + exp(-(slope m
 *   + offset))); with more than two classes one for each class against the rest, scaled to sum 1;
 * - isotonic (pool adjacent violators), two classes: linear between the means of the pools;
 * - softmax: exp(slope m_k) / sum, the slope shared (temperature scaling, Guo et al. 2017).
 *
 * No answer is surer than the rows can tell: each probability p becomes (n p + 1) / (n + classes),
 * as if one more row of every class had been seen (Laplace's rule of succession). n rows that all
 * agree give (n + 1) / (n + 2) of two classes, and the order of answers stays.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "ml/bytes.h"

typedef enum CalibrationKind {
    CALIBRATION_LOGISTIC,
    CALIBRATION_ISOTONIC,
    CALIBRATION_SOFTMAX,
    CALIBRATION_KIND_COUNT,
} CalibrationKind;

typedef struct Calibration {
    CalibrationKind kind;
    size_t margin_count;
    size_t row_count;         /* that it was fitted on: n */
    double *slopes, *offsets; /* margin_count each */
    size_t knot_count;        /* isotonic: rising margins and probabilities */
    double *knot_margins, *knot_values;
} Calibration;

/* Margins with the truth: row_count x margin_count, one margin for two classes. */
typedef struct MarginSet {
    const double *margins;
    const int *labels;
    size_t row_count, margin_count;
} MarginSet;

Calibration calibration_fit(const MarginSet *set, CalibrationKind kind, Arena *arena);

/* Whether a kind is meant for so many margins. */
bool calibration_suits(CalibrationKind kind, size_t margin_count);

/* One row: margins to probabilities of all classes (two for one margin). */
void calibration_apply(const Calibration *calibration, const double *margins,
                       double *probabilities);

/* A section of a model's file, and back. The reader goes bad on what is no calibration of so many
 * margins. */
void calibration_write(const Calibration *calibration, ByteWriter *writer);
void calibration_read(ByteReader *reader, size_t margin_count, Arena *arena,
                      Calibration *calibration);

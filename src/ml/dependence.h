/* dependence.h: how a model's answer goes with the value of one column, all else as it is.
 *
 * Partial dependence (Friedman 2001): each value of a grid is put into every row of a seeded
 * sample, and the answers are averaged. Of a linear model of numbers that is a line with the
 * column's coefficient. Where columns hang together it asks about rows that do not occur: the share
 * of the rows that are near a value says how much it is worth there.
 *
 * The grid: of numbers each value where there are few, else the middle of each tenth of the rows by
 * their value (those that fall together are one); of categories the commonest. What is missing has
 * a place of its own where rows miss it. Any model of rows can be asked; a text has no grid.
 *
 *     DependenceSpec spec = {.model = model, .frame = &frame, .column = "age"};
 *     if (!dependence_measure(&spec, arena, &dependence, error))
 *         return false;
 *     dependence.points[0].answers[0]    of the positive class, or the number
 */
#pragma once

#include "base/json.h"
#include "ml/predictor.h"

enum {
    DEPENDENCE_POINTS_MAX = 10, /* besides what is missing */
    DEPENDENCE_ROWS_MAX = 200,
    DEPENDENCE_CLASSES_MAX = 10,
    DEPENDENCE_TEXT_BYTES_MAX = 200, /* of a category, as it is written down */
};

typedef struct DependenceSpec {
    const Predictor *model; /* of rows: no forecast */
    const Frame *frame;
    const char *column;
    double seconds; /* of one core, about; 0: 1. By what a row costs the model: no clock is asked */
    uint64_t seed;
    size_t thread_count; /* 0: 1; the same comes out for any */
} DependenceSpec;

typedef struct DependencePoint {
    bool is_missing;
    double number; /* of a column of numbers */
    TextRef text;  /* of categories */
    double share;  /* of all rows of the frame that are at or near this value */
    double *answers;
} DependencePoint;

typedef struct Dependence {
    const char *column;
    ColumnKind kind;
    size_t row_count;   /* of the sample */
    ClassNames answers; /* what is answered: the positive class of two, or each; of numbers none,
                           and each point has one answer */
    DependencePoint *points;
    size_t count;
} Dependence;

/* Fails when the column is a text or the model has none of that name, when there are no rows, and
 * with more than DEPENDENCE_CLASSES_MAX classes. */
bool dependence_measure(const DependenceSpec *spec, Arena *arena, Dependence *dependence,
                        Error *error) MUST_CHECK;

/* {"column", "kind", "rows", "classes", "points": [{"value", "share", "answers"}]}: a value that is
 * null is a missing one. */
void dependence_write_json(JsonWriter *json, const char *key, const Dependence *dependence);

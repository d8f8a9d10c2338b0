/* guardrail.h: what somebody careful looks for in a table before a model learns from it.
 *
 * A column that is the target itself is to be left out (guardrail_keep()); everything else is a
 * sentence for people, and changes nothing: a column that tells the target alone may be a good
 * measurement or known only afterwards, which no figure can tell apart. Columns without a value of
 * use (constant, missing, an id of texts) are sorted out in ml/table.h, which says so itself.
 *
 * What a column tells is found on a seeded sample of at most GUARDRAIL_ROWS_MAX rows, in one half
 * by what was learnt from the other; a table of many columns is looked at in fewer rows. So the
 * effort is bounded, but for one pass over the rows. Tables of less than GUARDRAIL_ROWS_LEAST rows
 * say nothing.
 *
 *     GuardrailList found = guardrail_look(&frame, &target, is_balanced, arena);
 *
 *     frame = guardrail_keep(&frame, &found, arena);
 */
#pragma once

#include "base/json.h"
#include "ml/frame.h"

typedef enum GuardrailKind {
    GUARDRAIL_COPY,          /* of the target: left out */
    GUARDRAIL_LEAK,          /* alone, or by how far two dates are apart, it tells the target nearly
                                everywhere */
    GUARDRAIL_STRONGEST,     /* alone it tells more than all others together */
    GUARDRAIL_ID,            /* of numbers: another one in each row */
    GUARDRAIL_DUPLICATE,     /* says what another column says */
    GUARDRAIL_IMBALANCE,     /* a class is rare */
    GUARDRAIL_REPEATED,      /* rows have the features of an earlier one */
    GUARDRAIL_CONTRADICTION, /* rows have the same features and different targets */
    GUARDRAIL_KIND_COUNT,
} GuardrailKind;

typedef struct Guardrail {
    GuardrailKind kind;
    const char *column; /* NULL: it is said of all rows */
    const char *other;  /* the column that a duplicate repeats, the date that a leak is after, the
                           class that is rare; or NULL */
    double figure;      /* what was measured: an AUC, an R2, a share; NaN: nothing */
    const char *sentence;
} Guardrail;

typedef struct GuardrailList {
    Guardrail *items;
    size_t count;
} GuardrailList;

enum { GUARDRAIL_ROWS_MAX = 20000, GUARDRAIL_ROWS_LEAST = 20 };

/* The target has an answer in each row. is_balanced: classes are weighed by one over their
 * frequency. */
GuardrailList guardrail_look(const Frame *frame, const Target *target, bool is_balanced,
                             Arena *arena);

/* The frame without copies of the target. */
Frame guardrail_keep(const Frame *frame, const GuardrailList *list, Arena *arena);

/* Whether the column is left out, as a copy of the target. */
bool guardrail_leaves_out(const GuardrailList *list, const char *column);

/* How many of the other rows have the features of a row of the frame, by the columns that both
 * have; those that tell rows apart, and what is in ignored (names), do not count. */
size_t guardrail_count_shared(const Frame *frame, const Frame *others, const GuardrailList *list,
                              const TextList *ignored);

/* [{"kind": "leak", "column", "other", "figure", "sentence"}] */
void guardrail_write_json(JsonWriter *json, const char *key, const GuardrailList *list);

/* expression.h: what stands between ${{ and }}.
 *
 *     params.rows > 1000 && contains(vars.regions, matrix.region)
 *     steps['train@fast'].metrics.f1
 *     format('{0}-{1}', params.name, run.number)
 *
 * Values have the types of JSON; nothing is converted: numbers and texts compare with their own
 * kind, and comparing others is a mistake. == and != take null on either side. && and || give the
 * operand that decides, as in JavaScript. Names are late when only the start of a step knows them:
 * those of steps, run and trigger, success() and failure(). The rest is known when a plan is made.
 *
 *     const Expression *expression;
 *     ExpressionValue value;
 *
 *     if (!expression_parse("params.rows > 1000", arena, &expression, error) ||
 *         !expression_evaluate(expression, &names, &value))
 *         return false;
 *
 * Parsing and evaluating are pure, and bounded by the limits below.
 */
#pragma once

#include "plan/plan.h"

enum { EXPRESSION_BYTES_MAX = 4096, EXPRESSION_DEPTH_MAX = 32, EXPRESSION_RESULT_MAX = 1 << 20 };

/* The first part of a name of DVC's, ${x}: no name of an expression can have it. */
#define EXPRESSION_DVC_ROOT "$"

typedef struct Expression Expression;

/* ERROR_INVALID that says at which character, counted from 1. */
bool expression_parse(const char *text, Arena *arena, const Expression **expression,
                      Error *error) MUST_CHECK;

/* An expression that is a name. */
const Expression *expression_of_name(const TextList *name, Arena *arena);

typedef enum ExpressionType {
    EXPRESSION_NULL,
    EXPRESSION_BOOL,
    EXPRESSION_NUMBER,
    EXPRESSION_TEXT,
    EXPRESSION_LIST,
    EXPRESSION_MAP,
} ExpressionType;

typedef struct ExpressionValue {
    ExpressionType type;
    bool truth;            /* of a boolean */
    double number;         /* of a number */
    const char *text;      /* of a text; of a number as Python prints it: 1.0, 3, 1e-05 */
    const JsonValue *json; /* of a list or a map */
} ExpressionValue;

/* What evaluating needs. */
typedef struct ExpressionNames {
    PlanLookup *lookup;
    void *context;
    Arena *arena;
    Error *error;
} ExpressionNames;

bool expression_evaluate(const Expression *expression, const ExpressionNames *names,
                         ExpressionValue *value) MUST_CHECK;

/* Not false, 0, "" or null. */
bool expression_is_true(const ExpressionValue *value);

/* A number that is no integer as Python prints it, so that a file for DVC gives the same names and
 * arguments: 1.0, 1e-05. */
const char *number_text(double number, Arena *arena);

ExpressionValue expression_value_of(const JsonValue *json, Arena *arena);

/* The value as a part of a text: null is "". A list or a map is refused. */
bool expression_value_text(const ExpressionValue *value, const char **text,
                           Error *error) MUST_CHECK;

/* Whether it has a name that is late. */
bool expression_is_late(const Expression *expression);

/* Whether it calls success(), failure() or always(). */
bool expression_asks_status(const Expression *expression);

/* Appends the expression with all that is not late evaluated. */
bool expression_settle(const Expression *expression, const ExpressionNames *names,
                       TextBuilder *text) MUST_CHECK;

/* Calls visit for each name, as lookup would be called; false as soon as it returns false. */
typedef bool ExpressionVisit(void *context, const TextList *name);

bool expression_each_name(const Expression *expression, ExpressionVisit *visit, void *context);

/* expression_internal.h: an expression as a tree, for those that read and those that evaluate it.
 */
#pragma once

#include "plan/expression.h"

typedef enum ExpressionKind {
    EXPRESSION_IS_LITERAL,
    EXPRESSION_IS_NAME,
    EXPRESSION_IS_CALL,
    EXPRESSION_IS_NOT,
    EXPRESSION_IS_COMPARISON,
    EXPRESSION_IS_AND,
    EXPRESSION_IS_OR,
} ExpressionKind;

typedef enum ExpressionComparison {
    COMPARISON_EQUAL,
    COMPARISON_DIFFERENT,
    COMPARISON_LESS_EQUAL,
    COMPARISON_GREATER_EQUAL,
    COMPARISON_LESS,
    COMPARISON_GREATER,
    COMPARISON_COUNT,
} ExpressionComparison;

extern const char *const expression_comparisons[COMPARISON_COUNT];

typedef enum ExpressionFunction {
    FUNCTION_CONTAINS,
    FUNCTION_STARTS_WITH,
    FUNCTION_ENDS_WITH,
    FUNCTION_FORMAT,
    FUNCTION_SUCCESS,
    FUNCTION_FAILURE,
    FUNCTION_ALWAYS,
    FUNCTION_COUNT,
} ExpressionFunction;

typedef struct ExpressionFunctionKind {
    const char *name;
    size_t least, most; /* operands */
    bool is_status;
} ExpressionFunctionKind;

extern const ExpressionFunctionKind expression_functions[FUNCTION_COUNT];

struct Expression {
    ExpressionKind kind;
    size_t place;    /* of its first character, from 1 */
    unsigned choice; /* the ExpressionComparison or ExpressionFunction */
    bool is_late, asks_status;
    TextList name;
    ExpressionValue literal;
    Expression *first, *last, *next; /* its operands; the one beside it */
};

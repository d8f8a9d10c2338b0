/* command.h: a line for the shell, in which values are variables of its environment.
 *
 *     python train.py --c ${{ params.c }}      ->  python train.py --c "${SLIPWAY_VALUE_1}"
 *     echo "c is ${{ params.c }}"              ->  echo "c is ${SLIPWAY_VALUE_1}"
 *
 * So a value is never read as a part of the line. Where the shell would read no variable, or read
 * its value as code (single quotes, backquotes, $(( )), a here-document), an expression is refused.
 */
#pragma once

#include "plan/template.h"

enum { COMMAND_BYTES_MAX = 64 * 1024, COMMAND_VALUES_MAX = 1000 };

#define COMMAND_VARIABLE "SLIPWAY_VALUE_"

/* The lines of one step and the variables that they share. */
typedef struct Command {
    const ExpressionNames *names; /* NULL: nothing is evaluated, only the places are checked */
    PlanValueList values;         /* the variables so far */
    TextList sources;             /* private: the expressions that became them */
    Arena *arena;
    Error *error;
} Command;

/* parts: of the line as it is written. */
bool command_line(Command *command, const TemplatePartList *parts, const char **line) MUST_CHECK;

/* template.h: a text with ${{ }} in it, and in a file of DVC's shape with ${ }.
 *
 * It falls into parts: plain texts and expressions. What stands in ${ } is a name of DVC's
 * (train.lr, layers[0]) and becomes an expression for the name {"$", "train", "lr"}; \${ is a plain
 * "${" there.
 */
#pragma once

#include "plan/expression.h"

/* What null is in a text of DVC's. */
#define TEMPLATE_DVC_NULL "None"

typedef enum TemplateStyle { TEMPLATE_PLAIN, TEMPLATE_DVC } TemplateStyle;

typedef struct TemplatePart {
    const char *text; /* of a plain text; of an expression: as it is written, with its braces */
    const Expression *expression; /* NULL: a plain text */
} TemplatePart;

typedef struct TemplatePartList {
    TemplatePart *items;
    size_t count;
} TemplatePartList;

bool template_parse(const char *text, TemplateStyle style, Arena *arena, TemplatePartList *parts,
                    Error *error) MUST_CHECK;

/* A quick look: whether there may be an expression in it. */
bool template_has_expression(const char *text, TemplateStyle style);

/* Whether the text is one expression and nothing else. */
bool template_is_exact(const TemplatePartList *parts);

/* The text with all that is known now put in, what is late as ${{ }}. A value that looks like an
 * expression stays a text: it is written so that plan_resolve() gives it back. */
bool template_settle(const TemplatePartList *parts, const ExpressionNames *names,
                     const char **text) MUST_CHECK;

/* The text, all of whose names must be known now; a late one is refused. */
bool template_fill(const TemplatePartList *parts, const ExpressionNames *names,
                   const char **text) MUST_CHECK;

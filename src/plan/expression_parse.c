/* expression_parse.c: from a text to a tree. */

#include <ctype.h>
#include <string.h>

#include "plan/expression_internal.h"

enum { SHOWN_BYTES_MAX = 120 };

const char *const expression_comparisons[COMPARISON_COUNT] = {
    [COMPARISON_EQUAL] = "==",      [COMPARISON_DIFFERENT] = "!=",
    [COMPARISON_LESS_EQUAL] = "<=", [COMPARISON_GREATER_EQUAL] = ">=",
    [COMPARISON_LESS] = "<",        [COMPARISON_GREATER] = ">",
};

const ExpressionFunctionKind expression_functions[FUNCTION_COUNT] = {
    [FUNCTION_CONTAINS] = {"contains", 2, 2, false},
    [FUNCTION_STARTS_WITH] = {"startsWith", 2, 2, false},
    [FUNCTION_ENDS_WITH] = {"endsWith", 2, 2, false},
    [FUNCTION_FORMAT] = {"format", 1, 17, false},
    [FUNCTION_SUCCESS] = {"success", 0, 0, true},
    [FUNCTION_FAILURE] = {"failure", 0, 0, true},
    [FUNCTION_ALWAYS] = {"always", 0, 0, true},
};

static const char *const late_roots[] = {"steps", "run", "trigger"};

typedef struct Parser {
    const char *text, *at;
    size_t depth;
    Arena *arena;
    Error *error;
} Parser;

#define fail_here(parser, ...)                                                                     \
    fail_at((parser), (size_t)((parser)->at - (parser)->text), __VA_ARGS__)

/* Records "character 9 of "...": sentence". */
#define fail_at(parser, offset, ...)                                                               \
    ({                                                                                             \
        error_set((parser)->error, ERROR_INVALID, __VA_ARGS__);                                    \
        error_add_context((parser)->error, "character %zu of \"%.*s\"", (offset) + 1,              \
                          SHOWN_BYTES_MAX, (parser)->text);                                        \
        false;                                                                                     \
    })

static Expression *node_create(Parser *parser, ExpressionKind kind)
{
    Expression *node = arena_new(parser->arena, Expression);

    node->kind = kind;
    node->place = (size_t)(parser->at - parser->text) + 1;
    return node;
}

static void node_add(Expression *node, Expression *operand)
{
    if (node->last)
        node->last->next = operand;
    else
        node->first = operand;
    node->last = operand;
    node->is_late |= operand->is_late;
    node->asks_status |= operand->asks_status;
}

static void skip_blanks(Parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
}

static bool take(Parser *parser, const char *sign)
{
    skip_blanks(parser);
    if (!text_has_prefix(parser->at, sign))
        return false;
    parser->at += strlen(sign);
    return true;
}

static bool starts_word(char byte)
{
    return isalpha((unsigned char)byte) || byte == '_';
}

static bool goes_on_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '-';
}

static const char *take_word(Parser *parser)
{
    const char *start = parser->at;

    while (goes_on_word(*parser->at))
        parser->at++;
    return arena_copy(parser->arena, start, (size_t)(parser->at - start));
}

/* 'it''s': the sign of the text doubles in it. */
static bool take_text(Parser *parser, const char **text)
{
    TextBuilder built = {.arena = parser->arena};
    size_t start = (size_t)(parser->at - parser->text);

    for (parser->at++;; parser->at++) {
        if (!*parser->at)
            return fail_at(parser, start, "the text that begins here has no end \"'\"");
        if (*parser->at == '\'' && *++parser->at != '\'')
            break;
        text_append_bytes(&built, parser->at, 1);
    }
    *text = text_built(&built);
    return true;
}

static bool take_number(Parser *parser, ExpressionValue *value)
{
    size_t length = strspn(parser->at, "0123456789+-.eE");

    value->type = EXPRESSION_NUMBER;
    value->text = arena_copy(parser->arena, parser->at, length);
    if (!text_to_double(value->text, &value->number))
        return fail_here(parser, "\"%.40s\" is not a number", value->text);
    parser->at += length;
    return true;
}

static bool read_or(Parser *parser, Expression **node);

/* Behind an opening that closes with sign. */
static bool read_enclosed(Parser *parser, Expression **node, const char *sign)
{
    if (parser->depth == EXPRESSION_DEPTH_MAX)
        return fail_here(parser, "it is nested deeper than %d levels", EXPRESSION_DEPTH_MAX);
    parser->depth++;
    if (!read_or(parser, node))
        return false;
    parser->depth--;
    return !sign || take(parser, sign) || fail_here(parser, "\"%s\" is missing here", sign);
}

static const char *function_names(Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", expression_functions[i].name);
    return text_built(&names);
}

static bool find_function(Parser *parser, Expression *node, const char *word)
{
    for (node->choice = 0; node->choice < FUNCTION_COUNT; node->choice++)
        if (strcmp(expression_functions[node->choice].name, word) == 0)
            return true;
    return fail_at(parser, node->place - 1, "there is no function \"%.40s\"; there are %s", word,
                   function_names(parser->arena));
}

static bool read_operands(Parser *parser, Expression *node, size_t *count)
{
    *count = 0;
    if (take(parser, ")"))
        return true;
    do {
        Expression *operand;

        if (!read_enclosed(parser, &operand, NULL))
            return false;
        node_add(node, operand);
        (*count)++;
    } while (take(parser, ","));
    return take(parser, ")") || fail_here(parser, "\")\" is missing here");
}

static bool read_call(Parser *parser, Expression *node, const char *word)
{
    const ExpressionFunctionKind *function;
    size_t count;

    node->kind = EXPRESSION_IS_CALL;
    if (!find_function(parser, node, word) || !read_operands(parser, node, &count))
        return false;
    function = &expression_functions[node->choice];
    if (count < function->least || count > function->most)
        return fail_at(parser, node->place - 1, "%s() takes %s%zu value%s, not %zu", function->name,
                       function->most > function->least ? "at least " : "", function->least,
                       function->least == 1 ? "" : "s", count);
    node->asks_status |= function->is_status;
    node->is_late |= function->is_status && node->choice != FUNCTION_ALWAYS;
    return true;
}

/* One ".name", "['name']" or "[0]". */
static bool read_part(Parser *parser, TextList *name)
{
    const char *part;

    if (*parser->at++ == '.') {
        if (!goes_on_word(*parser->at))
            return fail_here(parser, "a name is missing behind the \".\"");
        text_list_add(name, parser->arena, take_word(parser));
        return true;
    }
    skip_blanks(parser);
    if (*parser->at == '\'') {
        if (!take_text(parser, &part))
            return false;
    } else if (isdigit((unsigned char)*parser->at)) {
        part = take_word(parser);
    } else {
        return fail_here(parser, "in \"[ ]\" stands a text, as in ['train@fast'], or a number");
    }
    text_list_add(name, parser->arena, part);
    return take(parser, "]") || fail_here(parser, "\"]\" is missing here");
}

static bool is_late_name(const TextList *name)
{
    for (size_t i = 0; i < COUNT(late_roots); i++)
        if (strcmp(name->items[0], late_roots[i]) == 0)
            return true;
    return false;
}

static bool take_constant(Expression *node, const char *word)
{
    static const struct {
        const char *word;
        ExpressionValue value;
    } constants[] = {
        {"true", {EXPRESSION_BOOL, .truth = true}},
        {"false", {EXPRESSION_BOOL}},
        {"null", {EXPRESSION_NULL}},
    };

    for (size_t i = 0; i < COUNT(constants); i++) {
        if (strcmp(word, constants[i].word) != 0)
            continue;
        node->literal = constants[i].value;
        return true;
    }
    return false;
}

static bool read_word(Parser *parser, Expression *node)
{
    const char *word = take_word(parser);

    if (take_constant(node, word))
        return true;
    if (take(parser, "("))
        return read_call(parser, node, word);
    node->kind = EXPRESSION_IS_NAME;
    text_list_add(&node->name, parser->arena, word);
    while (*parser->at == '.' || *parser->at == '[')
        if (!read_part(parser, &node->name))
            return false;
    node->is_late = is_late_name(&node->name);
    return true;
}

static bool read_operand(Parser *parser, Expression **read)
{
    Expression *node;

    if (take(parser, "("))
        return read_enclosed(parser, read, ")");
    skip_blanks(parser);
    node = *read = node_create(parser, EXPRESSION_IS_LITERAL);
    if (starts_word(*parser->at))
        return read_word(parser, node);
    if (*parser->at == '\'') {
        node->literal.type = EXPRESSION_TEXT;
        return take_text(parser, &node->literal.text);
    }
    if (*parser->at && strchr("0123456789.-+", *parser->at))
        return take_number(parser, &node->literal);
    if (*parser->at == '"')
        return fail_here(parser, "a text stands in single quotes: 'text'");
    return fail_here(parser,
                     *parser->at ? "a value is missing here" : "a value is missing at the end");
}

static bool read_not(Parser *parser, Expression **read)
{
    Expression *operand, *node;
    size_t count = 0;

    skip_blanks(parser);
    node = node_create(parser, EXPRESSION_IS_NOT);
    while (parser->at[0] == '!' && parser->at[1] != '=' && take(parser, "!")) {
        skip_blanks(parser);
        if (++count > EXPRESSION_DEPTH_MAX)
            return fail_here(parser, "it is nested deeper than %d levels", EXPRESSION_DEPTH_MAX);
    }
    if (!read_operand(parser, &operand))
        return false;
    *read = operand;
    if (!count)
        return true;
    node_add(node, operand);
    *read = node;
    if (count % 2 == 0) { /* !!x is whether x is true */
        *read = node_create(parser, EXPRESSION_IS_NOT);
        node_add(*read, node);
    }
    return true;
}

static bool take_comparison(Parser *parser, unsigned *choice)
{
    for (*choice = 0; *choice < COMPARISON_COUNT; (*choice)++)
        if (take(parser, expression_comparisons[*choice]))
            return true;
    return false;
}

static bool read_comparison(Parser *parser, Expression **read)
{
    Expression *left, *right, *node;
    unsigned choice;

    if (!read_not(parser, &left))
        return false;
    *read = left;
    skip_blanks(parser);
    node = node_create(parser, EXPRESSION_IS_COMPARISON);
    if (!take_comparison(parser, &node->choice))
        return true;
    if (!read_not(parser, &right))
        return false;
    node_add(node, left);
    node_add(node, right);
    *read = node;
    return !take_comparison(parser, &choice) ||
           fail_here(parser, "two comparisons in a row want ( )");
}

typedef bool ReadOperand(Parser *parser, Expression **read);

/* One operand, or several with the sign between them as one node. */
static bool read_row(Parser *parser, ExpressionKind kind, ReadOperand *read_next, Expression **read)
{
    const char *sign = kind == EXPRESSION_IS_AND ? "&&" : "||";
    Expression *node, *operand;

    if (!read_next(parser, &operand))
        return false;
    *read = operand;
    if (!take(parser, sign))
        return true;
    node = node_create(parser, kind);
    node->place = operand->place;
    node_add(node, operand);
    do {
        if (!read_next(parser, &operand))
            return false;
        node_add(node, operand);
    } while (take(parser, sign));
    *read = node;
    return true;
}

static bool read_and(Parser *parser, Expression **read)
{
    return read_row(parser, EXPRESSION_IS_AND, read_comparison, read);
}

static bool read_or(Parser *parser, Expression **read)
{
    return read_row(parser, EXPRESSION_IS_OR, read_and, read);
}

bool expression_parse(const char *text, Arena *arena, const Expression **expression, Error *error)
{
    Parser parser = {.text = text, .at = text, .arena = arena, .error = error};
    Expression *read;

    if (strlen(text) > EXPRESSION_BYTES_MAX)
        return fail(error, ERROR_INVALID, "an expression has at most %d bytes",
                    EXPRESSION_BYTES_MAX);
    if (!read_or(&parser, &read))
        return false;
    skip_blanks(&parser);
    if (*parser.at)
        return fail_here(&parser, "\"%.20s\" is not expected here", parser.at);
    *expression = read;
    return true;
}

const Expression *expression_of_name(const TextList *name, Arena *arena)
{
    Expression *node = arena_new(arena, Expression);

    node->kind = EXPRESSION_IS_NAME;
    node->place = 1;
    node->name = *name;
    node->is_late = is_late_name(name);
    return node;
}

/* expression.c: the value of an expression, and an expression with what is known put in. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "plan/expression_internal.h"

static const char *const type_names[] = {
    [EXPRESSION_NULL] = "null",       [EXPRESSION_BOOL] = "true or false",
    [EXPRESSION_NUMBER] = "a number", [EXPRESSION_TEXT] = "a text",
    [EXPRESSION_LIST] = "a list",     [EXPRESSION_MAP] = "a map",
};

/* Values. */

static bool is_integer(const JsonValue *json)
{
    return json_as_int(json, 0) == json_as_int(json, 1);
}

static const char *infinite_text(double number)
{
    if (isnan(number))
        return "nan";
    return number > 0 ? "inf" : "-inf";
}

const char *number_text(double number, Arena *arena)
{
    char text[NUMBER_TEXT_SIZE];

    if (!isfinite(number))
        return infinite_text(number);
    number_format(number, text);
    return arena_format(arena, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

ExpressionValue expression_value_of(const JsonValue *json, Arena *arena)
{
    if (json_is_null(json))
        return (ExpressionValue){EXPRESSION_NULL};
    if (json_is_bool(json))
        return (ExpressionValue){EXPRESSION_BOOL, .truth = json_as_bool(json, false)};
    if (json_is_number(json))
        return (ExpressionValue){
            EXPRESSION_NUMBER, .number = json_as_double(json, 0),
            .text = is_integer(json) ? arena_format(arena, "%lld", (long long)json_as_int(json, 0))
                                     : number_text(json_as_double(json, 0), arena)};
    if (json_is_text(json))
        return (ExpressionValue){EXPRESSION_TEXT, .text = json_as_text(json, "")};
    return (ExpressionValue){json_is_array(json) ? EXPRESSION_LIST : EXPRESSION_MAP, .json = json};
}

bool expression_value_text(const ExpressionValue *value, const char **text, Error *error)
{
    switch (value->type) {
    case EXPRESSION_NULL:
        *text = "";
        return true;
    case EXPRESSION_BOOL:
        *text = value->truth ? "true" : "false";
        return true;
    case EXPRESSION_NUMBER:
    case EXPRESSION_TEXT:
        *text = value->text;
        return true;
    case EXPRESSION_LIST:
    case EXPRESSION_MAP:
        break;
    }
    return fail(error, ERROR_INVALID, "it is %s, which cannot stand in a text",
                type_names[value->type]);
}

bool expression_is_true(const ExpressionValue *value)
{
    switch (value->type) {
    case EXPRESSION_NULL:
        return false;
    case EXPRESSION_BOOL:
        return value->truth;
    case EXPRESSION_NUMBER:
        return value->number != 0;
    case EXPRESSION_TEXT:
        return value->text[0] != '\0';
    case EXPRESSION_LIST:
    case EXPRESSION_MAP:
        break;
    }
    return true;
}

static bool are_equal(const ExpressionValue *a, const ExpressionValue *b)
{
    switch (a->type) {
    case EXPRESSION_BOOL:
        return a->truth == b->truth;
    case EXPRESSION_NUMBER:
        return a->number == b->number;
    case EXPRESSION_TEXT:
        return strcmp(a->text, b->text) == 0;
    default:
        return true;
    }
}

/* Evaluating. */

static bool evaluate(const Expression *node, const ExpressionNames *names, ExpressionValue *value);

static const char *name_text(const TextList *name, Arena *arena)
{
    TextBuilder built = {.arena = arena};
    size_t first = strcmp(name->items[0], EXPRESSION_DVC_ROOT) == 0;

    for (size_t i = first; i < name->count; i++)
        text_append_format(&built, "%s%s", i > first ? "." : "", name->items[i]);
    return text_built(&built);
}

static bool look_up(const TextList *name, const ExpressionNames *names, ExpressionValue *value)
{
    const JsonValue *json = names->lookup(names->context, name);

    if (!json)
        return fail(names->error, ERROR_INVALID, "there is no \"%s\"",
                    name_text(name, names->arena));
    *value = expression_value_of(json, names->arena);
    return true;
}

static bool evaluate_status(const Expression *node, const ExpressionNames *names,
                            ExpressionValue *value)
{
    const char *word = node->choice == FUNCTION_SUCCESS ? "success()" : "failure()";

    *value = (ExpressionValue){EXPRESSION_BOOL, .truth = true};
    return node->choice == FUNCTION_ALWAYS || look_up(&(TextList){&word, 1}, names, value);
}

static bool is_comparable(const ExpressionValue *a, const ExpressionValue *b, unsigned comparison)
{
    bool is_equality = comparison == COMPARISON_EQUAL || comparison == COMPARISON_DIFFERENT;

    if (is_equality && (a->type == EXPRESSION_NULL || b->type == EXPRESSION_NULL))
        return true;
    return a->type == b->type && (a->type == EXPRESSION_NUMBER || a->type == EXPRESSION_TEXT ||
                                  (is_equality && a->type == EXPRESSION_BOOL));
}

/* Not a number is neither below, nor above, nor equal: what it is compared with is never passed. */
typedef enum Order { ORDER_BELOW, ORDER_EQUAL, ORDER_ABOVE, ORDER_NONE } Order;

static Order order_of(const ExpressionValue *a, const ExpressionValue *b)
{
    double left = a->number, right = b->number;

    if (a->type == EXPRESSION_TEXT) {
        int order = strcmp(a->text, b->text);

        left = order;
        right = 0;
    }
    if (left < right)
        return ORDER_BELOW;
    if (left > right)
        return ORDER_ABOVE;
    return left == right ? ORDER_EQUAL : ORDER_NONE;
}

static bool compare(unsigned comparison, const ExpressionValue *a, const ExpressionValue *b)
{
    bool is_equal = a->type == b->type && are_equal(a, b);

    switch (comparison) {
    case COMPARISON_EQUAL:
        return is_equal;
    case COMPARISON_DIFFERENT:
        return !is_equal;
    case COMPARISON_LESS_EQUAL:
        return is_equal || order_of(a, b) == ORDER_BELOW;
    case COMPARISON_GREATER_EQUAL:
        return is_equal || order_of(a, b) == ORDER_ABOVE;
    case COMPARISON_LESS:
        return order_of(a, b) == ORDER_BELOW;
    default:
        return order_of(a, b) == ORDER_ABOVE;
    }
}

static bool evaluate_comparison(const Expression *node, const ExpressionNames *names,
                                ExpressionValue *value)
{
    ExpressionValue left, right;

    if (!evaluate(node->first, names, &left) || !evaluate(node->last, names, &right))
        return false;
    if (!is_comparable(&left, &right, node->choice))
        return fail(names->error, ERROR_INVALID, "\"%s\" cannot compare %s with %s",
                    expression_comparisons[node->choice], type_names[left.type],
                    type_names[right.type]);
    *value = (ExpressionValue){EXPRESSION_BOOL, .truth = compare(node->choice, &left, &right)};
    return true;
}

/* The operand that decides: the first that is false for &&, that is true for ||, or the last. */
static bool evaluate_row(const Expression *node, const ExpressionNames *names,
                         ExpressionValue *value)
{
    bool decides = node->kind == EXPRESSION_IS_OR;

    for (const Expression *operand = node->first; operand; operand = operand->next) {
        if (!evaluate(operand, names, value))
            return false;
        if (expression_is_true(value) == decides)
            break;
    }
    return true;
}

static bool take_text(const Expression *operand, const ExpressionNames *names, const char **text)
{
    ExpressionValue value;

    if (!evaluate(operand, names, &value))
        return false;
    if (value.type != EXPRESSION_TEXT)
        return fail(names->error, ERROR_INVALID, "it takes texts, not %s", type_names[value.type]);
    *text = value.text;
    return true;
}

static bool list_has(const JsonValue *list, const ExpressionValue *wanted, Arena *arena)
{
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);) {
        ExpressionValue item = expression_value_of(walk.value, arena);

        if (item.type == wanted->type && item.type <= EXPRESSION_TEXT && are_equal(&item, wanted))
            return true;
    }
    return false;
}

static bool evaluate_contains(const Expression *node, const ExpressionNames *names,
                              ExpressionValue *value)
{
    ExpressionValue whole, part;
    bool is_text;

    if (!evaluate(node->first, names, &whole) || !evaluate(node->last, names, &part))
        return false;
    is_text = whole.type == EXPRESSION_TEXT && part.type == EXPRESSION_TEXT;
    if (!is_text && whole.type != EXPRESSION_LIST)
        return fail(names->error, ERROR_INVALID,
                    "it takes a list and a value, or two texts, not %s and %s",
                    type_names[whole.type], type_names[part.type]);
    *value = (ExpressionValue){EXPRESSION_BOOL,
                               .truth = is_text ? strstr(whole.text, part.text) != NULL
                                                : list_has(whole.json, &part, names->arena)};
    return true;
}

static bool evaluate_ends(const Expression *node, const ExpressionNames *names,
                          ExpressionValue *value)
{
    const char *whole, *part;

    if (!take_text(node->first, names, &whole) || !take_text(node->last, names, &part))
        return false;
    *value = (ExpressionValue){EXPRESSION_BOOL, .truth = node->choice == FUNCTION_STARTS_WITH
                                                             ? text_has_prefix(whole, part)
                                                             : text_has_suffix(whole, part)};
    return true;
}

static bool append_value(TextBuilder *built, const Expression *operand,
                         const ExpressionNames *names)
{
    ExpressionValue value;
    const char *text;

    if (!evaluate(operand, names, &value) || !expression_value_text(&value, &text, names->error))
        return false;
    if (built->count + strlen(text) > EXPRESSION_RESULT_MAX)
        return fail(names->error, ERROR_INVALID, "the text has more than %d bytes",
                    EXPRESSION_RESULT_MAX);
    text_append(built, text);
    return true;
}

/* "{1}" at at: the operand behind the pattern with that number; NULL when it is not one. */
static const Expression *find_place(const Expression *node, const char *at, const char **end)
{
    const Expression *operand = node->first->next;
    char *behind;
    unsigned long number = strtoul(at + 1, &behind, 10);

    if (behind == at + 1 || behind > at + 3 || *behind != '}' || strchr("+- ", at[1]))
        return NULL;
    for (; operand && number; number--)
        operand = operand->next;
    if (operand)
        *end = behind + 1;
    return operand;
}

static bool append_place(TextBuilder *built, const Expression *node, const ExpressionNames *names,
                         const char **at)
{
    const Expression *operand;

    if ((*at)[0] == (*at)[1]) { /* {{ is {, and }} is } */
        text_append_bytes(built, *at, 1);
        *at += 2;
        return true;
    }
    operand = **at == '{' ? find_place(node, *at, at) : NULL;
    if (!operand)
        return fail(names->error, ERROR_INVALID,
                    "in its first text stands {0}, {1} ... for the values behind it, {{ for { and "
                    "}} for }, not \"%.20s\"",
                    *at);
    return append_value(built, operand, names);
}

static bool evaluate_format(const Expression *node, const ExpressionNames *names,
                            ExpressionValue *value)
{
    TextBuilder built = {.arena = names->arena};
    const char *at;

    if (!take_text(node->first, names, &at))
        return false;
    while (*at) {
        size_t length = strcspn(at, "{}");

        text_append_bytes(&built, at, length);
        at += length;
        if (*at && !append_place(&built, node, names, &at))
            return false;
    }
    *value = (ExpressionValue){EXPRESSION_TEXT, .text = text_built(&built)};
    return true;
}

static bool evaluate_call(const Expression *node, const ExpressionNames *names,
                          ExpressionValue *value)
{
    static bool (*const functions[FUNCTION_COUNT])(const Expression *, const ExpressionNames *,
                                                   ExpressionValue *) = {
        [FUNCTION_CONTAINS] = evaluate_contains, [FUNCTION_STARTS_WITH] = evaluate_ends,
        [FUNCTION_ENDS_WITH] = evaluate_ends,    [FUNCTION_FORMAT] = evaluate_format,
        [FUNCTION_SUCCESS] = evaluate_status,    [FUNCTION_FAILURE] = evaluate_status,
        [FUNCTION_ALWAYS] = evaluate_status,
    };

    return functions[node->choice](node, names, value) ||
           fail_in(names->error, "%s()", expression_functions[node->choice].name);
}

static bool evaluate(const Expression *node, const ExpressionNames *names, ExpressionValue *value)
{
    switch (node->kind) {
    case EXPRESSION_IS_LITERAL:
        *value = node->literal;
        return true;
    case EXPRESSION_IS_NAME:
        return look_up(&node->name, names, value);
    case EXPRESSION_IS_CALL:
        return evaluate_call(node, names, value);
    case EXPRESSION_IS_NOT:
        if (!evaluate(node->first, names, value))
            return false;
        *value = (ExpressionValue){EXPRESSION_BOOL, .truth = !expression_is_true(value)};
        return true;
    case EXPRESSION_IS_COMPARISON:
        return evaluate_comparison(node, names, value);
    case EXPRESSION_IS_AND:
    case EXPRESSION_IS_OR:
        return evaluate_row(node, names, value);
    }
    return false;
}

bool expression_evaluate(const Expression *expression, const ExpressionNames *names,
                         ExpressionValue *value)
{
    ExpressionValue found = {0};

    if (!evaluate(expression, names, &found))
        return false;
    *value = found;
    return true;
}

bool expression_is_late(const Expression *expression)
{
    return expression->is_late;
}

bool expression_asks_status(const Expression *expression)
{
    return expression->asks_status;
}

bool expression_each_name(const Expression *expression, ExpressionVisit *visit, void *context)
{
    if (expression->kind == EXPRESSION_IS_NAME && !visit(context, &expression->name))
        return false;
    for (const Expression *operand = expression->first; operand; operand = operand->next)
        if (!expression_each_name(operand, visit, context))
            return false;
    return true;
}

/* Writing one with what is known put in. */

static void write_text(TextBuilder *text, const char *value)
{
    text_append(text, "'");
    for (; *value; value++)
        text_append_bytes(text, *value == '\'' ? "''" : value, *value == '\'' ? 2 : 1);
    text_append(text, "'");
}

static bool write_literal(TextBuilder *text, const ExpressionValue *value, Error *error)
{
    const char *written = "null";

    if (value->type == EXPRESSION_TEXT) {
        write_text(text, value->text);
        return true;
    }
    if (value->type != EXPRESSION_NULL && !expression_value_text(value, &written, error))
        return fail_in(error, "beside what only a start knows");
    text_append(text, written);
    return true;
}

static void write_name(TextBuilder *text, const TextList *name)
{
    text_append(text, name->items[0]);
    for (size_t i = 1; i < name->count; i++) {
        text_append(text, "[");
        write_text(text, name->items[i]);
        text_append(text, "]");
    }
}

static bool settle(const Expression *node, const ExpressionNames *names, TextBuilder *text);

static bool settle_operands(const Expression *node, const ExpressionNames *names, TextBuilder *text,
                            const char *between)
{
    text_append(text, "(");
    for (const Expression *operand = node->first; operand; operand = operand->next) {
        if (operand != node->first)
            text_append_format(text, "%s ", between);
        if (!settle(operand, names, text))
            return false;
    }
    text_append(text, ")");
    return true;
}

static bool settle_known(const Expression *node, const ExpressionNames *names, TextBuilder *text)
{
    ExpressionValue value = {0};

    return evaluate(node, names, &value) && write_literal(text, &value, names->error);
}

static bool settle(const Expression *node, const ExpressionNames *names, TextBuilder *text)
{
    if (!node->is_late && !node->asks_status)
        return settle_known(node, names, text);
    switch (node->kind) {
    case EXPRESSION_IS_NAME:
        write_name(text, &node->name);
        return true;
    case EXPRESSION_IS_CALL:
        text_append(text, expression_functions[node->choice].name);
        return settle_operands(node, names, text, ",");
    case EXPRESSION_IS_NOT:
        text_append(text, "!");
        return settle_operands(node, names, text, "");
    case EXPRESSION_IS_COMPARISON:
        return settle_operands(
            node, names, text,
            arena_format(names->arena, " %s", expression_comparisons[node->choice]));
    case EXPRESSION_IS_AND:
        return settle_operands(node, names, text, " &&");
    case EXPRESSION_IS_OR:
        return settle_operands(node, names, text, " ||");
    case EXPRESSION_IS_LITERAL:
        break;
    }
    return false; /* a literal is always known */
}

bool expression_settle(const Expression *expression, const ExpressionNames *names,
                       TextBuilder *text)
{
    return settle(expression, names, text);
}

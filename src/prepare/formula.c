#include "prepare/formula.h"

#include <ctype.h>
#include <string.h>

#include "data/duck.h"
#include "data/import.h"

/* A part of a formula, translated: SQL with its type. */
typedef struct Part {
    const char *type, *sql;
    const char *literal; /* the text of a literal text, or NULL */
} Part;

typedef struct Parser {
    const char *text, *at;
    size_t depth;
    const PrepareColumns *columns; /* NULL: any name is one of any type */
    FormulaSql *made;
    Arena *arena;
    Error *error;
} Parser;

#define fail_at(parser, place, ...)                                                                \
    ({                                                                                             \
        error_set((parser)->error, ERROR_INVALID, __VA_ARGS__);                                    \
        error_add_context((parser)->error, "character %zu of \"%.120s\"",                          \
                          (size_t)((place) - (parser)->text) + 1, (parser)->text);                 \
        false;                                                                                     \
    })

static bool is(const char *type, const char *wanted)
{
    return text_equal(type, wanted);
}

static bool is_any(const char *type)
{
    return is(type, "any") || is(type, "null");
}

static bool is_numeric(const char *type)
{
    return is(type, "number") || is(type, "integer") || is_any(type);
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

const PrepareColumn *prepare_column_find(const PrepareColumns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
    return NULL;
}

static bool read_column(Parser *parser, const char *name, const char *place, Part *part)
{
    const PrepareColumn *column;
    TextBuilder names = {.arena = parser->arena};

    *part = (Part){"any", "NULL", NULL};
    if (!parser->columns)
        return true;
    column = prepare_column_find(parser->columns, name);
    for (size_t i = 0; !column && i < parser->columns->count && names.count < 200; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", parser->columns->items[i].name);
    if (!column)
        return fail_at(parser, place, "there is no column \"%.100s\"; there are %s", name,
                       text_built(&names));
    *part = (Part){column->type, column->sql, NULL};
    return true;
}

/* In quotes, which double in it. */
static bool take_quoted(Parser *parser, const char **text)
{
    TextBuilder built = {.arena = parser->arena};
    const char *start = parser->at;
    char quote = *parser->at;

    for (parser->at++;; parser->at++) {
        if (!*parser->at)
            return fail_at(parser, start, "what begins here has no end %c", quote);
        if (*parser->at == quote && *++parser->at != quote)
            break;
        text_append_bytes(&built, parser->at, 1);
    }
    *text = text_built(&built);
    return true;
}

static bool read_number(Parser *parser, Part *part)
{
    size_t length = strspn(parser->at, "0123456789.");
    const char *text;
    double number;
    int64_t integer;

    if ((parser->at[length] == 'e' || parser->at[length] == 'E')) {
        length++;
        length += strspn(parser->at + length, "+-") > 0;
        length += strspn(parser->at + length, "0123456789");
    }
    text = arena_copy(parser->arena, parser->at, length);
    if (!text_to_double(text, &number))
        return fail_at(parser, parser->at, "\"%.40s\" is not a number", text);
    parser->at += length;
    *part = text_to_int(text, &integer)
                ? (Part){"integer", arena_format(parser->arena, "CAST(%s AS BIGINT)", text), NULL}
                : (Part){"number", arena_format(parser->arena, "CAST('%s' AS DOUBLE)", text), NULL};
    return true;
}

static bool read_part(Parser *parser, int level, Part *part);

static bool read_enclosed(Parser *parser, Part *part)
{
    bool done;

    if (parser->depth == FORMULA_DEPTH_MAX)
        return fail_at(parser, parser->at, "it is nested deeper than %d levels", FORMULA_DEPTH_MAX);
    parser->depth++;
    done = read_part(parser, 0, part);
    parser->depth--;
    return done;
}

/* takes: a letter for each value: n number, t text, b true or false, d time, x any, s the same type
 * as its result. makes: a letter, too; c: a text that is read as the type of the name. */
static const struct Function {
    const char *name, *takes;
    char makes;
    const char *sql; /* $ is the first value, ? the second, # the third */
} functions[] = {
    {"year", "d", 'i', "CAST(year($) AS BIGINT)"},
    {"month", "d", 'i', "CAST(month($) AS BIGINT)"},
    {"day", "d", 'i', "CAST(day($) AS BIGINT)"},
    {"hour", "d", 'i', "CAST(hour($) AS BIGINT)"},
    {"minute", "d", 'i', "CAST(minute($) AS BIGINT)"},
    {"weekday", "d", 'i', "CAST(isodow($) AS BIGINT)"},
    {"date", "d", 'd', "CAST(date_trunc('day', $) AS TIMESTAMP)"},
    {"seconds", "d", 'n', "epoch($)"},
    {"abs", "n", 'n', "abs(CAST($ AS DOUBLE))"},
    {"floor", "n", 'n', "floor(CAST($ AS DOUBLE))"},
    {"round", "n", 'n', "round(CAST($ AS DOUBLE))"},
    {"lower", "t", 't', "lower($)"},
    {"upper", "t", 't', "upper($)"},
    {"trim", "t", 't', "trim($)"},
    {"length", "t", 'i', "CAST(length($) AS BIGINT)"},
    {"contains", "tt", 'b', "contains($, ?)"},
    {"startsWith", "tt", 'b', "starts_with($, ?)"},
    {"endsWith", "tt", 'b', "ends_with($, ?)"},
    {"text", "x", 't', "CAST($ AS VARCHAR)"},
    {"number", "x", 'c', NULL},
    {"integer", "x", 'c', NULL},
    {"time", "x", 'c', NULL},
    {"isMissing", "x", 'b', "($ IS NULL)"},
    {"coalesce", "ss", 's', "coalesce($, ?)"},
    {"if", "bss", 's', "CASE WHEN $ THEN ? ELSE # END"},
};

static const char *type_of_letter(char letter)
{
    switch (letter) {
    case 'i':
        return "integer";
    case 'n':
        return "number";
    case 't':
        return "text";
    case 'b':
        return "boolean";
    default:
        return "time";
    }
}

static bool fits(const char *type, char letter)
{
    return letter == 'x' || letter == 's' || is_any(type) || (letter == 'n' && is_numeric(type)) ||
           is(type, type_of_letter(letter));
}

/* The type that holds both; NULL: there is none. */
static const char *common(const char *a, const char *b)
{
    if (is_any(a))
        return b;
    if (is_any(b) || is(a, b))
        return a;
    return is_numeric(a) && is_numeric(b) ? "number" : NULL;
}

static const char *fill(const char *sql, const Part parts[3], Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (; *sql; sql++) {
        const char *found = strchr("$?#", *sql);

        if (found)
            text_append(&text, parts[found - "$?#"].sql);
        else
            text_append_bytes(&text, sql, 1);
    }
    return text_built(&text);
}

static void convert(Parser *parser, const char *type, Part *part)
{
    const char *text = arena_format(parser->arena, "CAST(%s AS VARCHAR)", part->sql);
    const char *value = part->sql;
    ImportReading reading;

    if (is(part->type, type) || !import_reading(type, text, parser->arena, &reading))
        return;
    *arena_push(parser->arena, &parser->made->guards) =
        (FormulaGuard){arena_format(parser->arena, "%s IS NOT NULL AND NOT %s AND (%s) IS NULL",
                                    value, reading.missing, reading.value),
                       text, type};
    part->sql = arena_format(parser->arena, "(%s)", reading.value);
}

static bool read_values(Parser *parser, const struct Function *function, const char *place,
                        Part parts[3])
{
    size_t count = strlen(function->takes);

    for (size_t i = 0; i < count; i++) {
        if (i && !take(parser, ","))
            return fail_at(parser, place, "%s() takes %zu values", function->name, count);
        skip_blanks(parser);
        const char *start = parser->at;

        if (!read_enclosed(parser, &parts[i]))
            return false;
        if (!fits(parts[i].type, function->takes[i]))
            return fail_at(parser, start, "%s() takes a %s here, and this is a %s", function->name,
                           type_of_letter(function->takes[i]), parts[i].type);
    }
    return take(parser, ")") || fail_at(parser, place, "%s() takes %zu value%s, and then \")\"",
                                        function->name, count, count == 1 ? "" : "s");
}

static bool read_call(Parser *parser, const struct Function *function, const char *place,
                      Part *part)
{
    Part parts[3] = {{0}};
    size_t count = strlen(function->takes);
    const char *type;

    if (!read_values(parser, function, place, parts))
        return false;
    if (function->makes == 'c') {
        *part = parts[0];
        convert(parser, function->name, part);
        part->type = function->name;
        part->literal = NULL;
        return true;
    }
    type = function->makes == 's' ? common(parts[count - 2].type, parts[count - 1].type)
                                  : type_of_letter(function->makes);
    if (!type)
        return fail_at(parser, place, "%s() takes values of one type, not a %s and a %s",
                       function->name, parts[count - 2].type, parts[count - 1].type);
    *part = (Part){type, fill(function->sql, parts, parser->arena), NULL};
    return true;
}

static bool read_word(Parser *parser, Part *part)
{
    static const struct {
        const char *word;
        Part part;
    } constants[] = {{"true", {"boolean", "true", NULL}},
                     {"false", {"boolean", "false", NULL}},
                     {"null", {"null", "NULL", NULL}}};
    const char *start = parser->at, *word;

    while (isalnum((unsigned char)*parser->at) || *parser->at == '_' || *parser->at == '.' ||
           (unsigned char)*parser->at >= 0x80)
        parser->at++;
    word = arena_copy(parser->arena, start, (size_t)(parser->at - start));
    for (size_t i = 0; i < COUNT(constants); i++)
        if (strcmp(constants[i].word, word) == 0) {
            *part = constants[i].part;
            return true;
        }
    if (!take(parser, "("))
        return read_column(parser, word, start, part);
    for (size_t i = 0; i < COUNT(functions); i++)
        if (strcmp(functions[i].name, word) == 0)
            return read_call(parser, &functions[i], start, part);
    return fail_at(parser, start, "there is no function \"%.40s\"", word);
}

enum { LEVELS = 5 };

static bool read_operand(Parser *parser, Part *part);

static bool read_sign(Parser *parser, Part *part)
{
    const char *start = parser->at++;
    bool is_not = *start == '!';
    bool done;

    if (parser->depth == FORMULA_DEPTH_MAX)
        return fail_at(parser, start, "it is nested deeper than %d levels", FORMULA_DEPTH_MAX);
    parser->depth++;
    done = read_operand(parser, part);
    parser->depth--;
    if (!done)
        return false;
    if (is_not ? !is(part->type, "boolean") && !is_any(part->type) : !is_numeric(part->type))
        return fail_at(parser, start, "\"%c\" stands before a %s, and this is a %s", *start,
                       is_not ? "boolean" : "number", part->type);
    part->sql = arena_format(parser->arena, is_not ? "(NOT %s)" : "(- %s)", part->sql);
    part->literal = NULL;
    return true;
}

static bool read_operand(Parser *parser, Part *part)
{
    const char *start, *text;

    skip_blanks(parser);
    start = parser->at;
    if (take(parser, "("))
        return read_enclosed(parser, part) &&
               (take(parser, ")") || fail_at(parser, start, "the \"(\" here has no \")\""));
    if (*start == '!' || *start == '-')
        return read_sign(parser, part);
    if (*start == '\'') {
        if (!take_quoted(parser, &text))
            return false;
        *part = (Part){"text", duck_literal(text, parser->arena), text};
        return true;
    }
    if (*start == '"')
        return take_quoted(parser, &text) && read_column(parser, text, start, part);
    if (isdigit((unsigned char)*start) || *start == '.')
        return read_number(parser, part);
    if (isalpha((unsigned char)*start) || *start == '_' || (unsigned char)*start >= 0x80)
        return read_word(parser, part);
    return fail_at(parser, start,
                   *start ? "a value is missing here" : "a value is missing at the end");
}

static const struct Operator {
    const char *sign;
    int level; /* the higher, the closer it binds */
    const char *sql;
} operators[] = {
    {"||", 0, "OR"}, {"&&", 1, "AND"}, {"==", 2, "="}, {"!=", 2, "<>"}, {"<=", 2, "<="},
    {">=", 2, ">="}, {"<", 2, "<"},    {">", 2, ">"},  {"+", 3, "+"},   {"-", 3, "-"},
    {"*", 4, "*"},   {"/", 4, "/"},    {"%", 4, "%"},
};

static const struct Operator *take_operator(Parser *parser, int level)
{
    for (size_t i = 0; i < COUNT(operators); i++)
        if (operators[i].level == level && take(parser, operators[i].sign))
            return &operators[i];
    return NULL;
}

static bool join_times(const Part *a, const Part *b, char sign, Part *made, Arena *arena)
{
    if (sign == '-' && is(a->type, "time") && is(b->type, "time"))
        *made = (Part){"number",
                       arena_format(arena, "(CAST(epoch_us(%s) - epoch_us(%s) AS DOUBLE) / 1e6)",
                                    a->sql, b->sql),
                       NULL};
    else if (is(a->type, "time") && is_numeric(b->type))
        *made =
            (Part){"time",
                   arena_format(arena, "(%s %c to_microseconds(CAST(round(%s * 1e6) AS BIGINT)))",
                                a->sql, sign, b->sql),
                   NULL};
    else
        return false;
    return true;
}

static bool join_numbers(const Part *a, const Part *b, const struct Operator *operator, Part * made,
                         Arena *arena)
{
    bool is_integer = is(a->type, "integer") && is(b->type, "integer");

    if (!is_numeric(a->type) || !is_numeric(b->type))
        return false;
    if (strchr("/%", *operator->sign))
        *made = (Part){"number",
                       arena_format(arena, "(CAST(%s AS DOUBLE) %s nullif(CAST(%s AS DOUBLE), 0))",
                                    a->sql, operator->sql, b->sql),
                       NULL};
    else if (is_integer)
        *made = (Part){"integer",
                       arena_format(arena, "TRY_CAST(CAST(%s AS HUGEINT) %s %s AS BIGINT)",
                                    a->sql, operator->sql, b->sql),
                       NULL};
    else
        *made = (Part){"number",
                       arena_format(arena, "(CAST(%s AS DOUBLE) %s CAST(%s AS DOUBLE))",
                                    a->sql, operator->sql, b->sql),
                       NULL};
    return true;
}

static bool compare(Part *a, Part *b, const struct Operator *operator, Part * made, Arena *arena)
{
    bool is_equality = operator->sign[1] == '=' && strchr("=!", operator->sign[0]);
    const Part *null = is(b->type, "null") ? b : is(a->type, "null") ? a : NULL;
    const char *negation = operator->sign[0] == '!' ? "NOT " : "";

    if (is_equality && null) {
        *made = (Part){"boolean",
                       arena_format(arena, "(%s IS %sNULL)", null == b ? a->sql : b->sql, negation),
                       NULL};
        return true;
    }
    if (is(a->type, "time") && b->literal)
        *b = (Part){"time", arena_format(arena, "CAST(%s AS TIMESTAMP)", b->sql), NULL};
    if (is(b->type, "time") && a->literal)
        *a = (Part){"time", arena_format(arena, "CAST(%s AS TIMESTAMP)", a->sql), NULL};
    if (!common(a->type, b->type))
        return false;
    *made =
        (Part){"boolean", arena_format(arena, "(%s %s %s)", a->sql, operator->sql, b->sql), NULL};
    return true;
}

/* Before the columns are known, a column may be a time or a text. */
static bool join_any(const Part *a, const Part *b, Part *made)
{
    *made = (Part){"any", "NULL", NULL};
    return is_any(a->type) || is_any(b->type);
}

static bool join(Part *a, Part *b, const struct Operator *operator, Part * made, Arena *arena)
{
    if (operator->level == 2)
        return compare(a, b, operator, made, arena);
    if (operator->level<2) {
        *made = (Part){"boolean", arena_format(arena, "(%s %s %s)", a->sql, operator->sql, b->sql),
                       NULL};
        return (is(a->type, "boolean") || is_any(a->type)) &&
               (is(b->type, "boolean") || is_any(b->type));
    }
    if (*operator->sign == '+' && is(a->type, "text") && is(b->type, "text")) {
        *made = (Part){"text", arena_format(arena, "(%s || %s)", a->sql, b->sql), NULL};
        return true;
    }
    return join_numbers(a, b, operator, made, arena) ||
           (operator->level == 3 && join_times(a, b, *operator->sign, made, arena)) ||
           (operator->level == 3 && join_any(a, b, made));
}

/* What binds as closely as the level, or closer. */
static bool read_part(Parser *parser, int level, Part *part)
{
    const struct Operator *operator;
    const char *place;

    if (level == LEVELS)
        return read_operand(parser, part);
    if (!read_part(parser, level + 1, part))
        return false;
    for (;;) {
        Part left = *part, right;

        skip_blanks(parser);
        place = parser->at;
        operator= take_operator(parser, level);
        if (!operator)
            return true;
        if (!read_part(parser, level + 1, &right))
            return false;
        if (!join(&left, &right, operator, part, parser->arena))
            return fail_at(parser, place, "\"%s\" does not go with a %s and a %s", operator->sign,
                           left.type, right.type);
        if (strlen(part->sql) > FORMULA_SQL_MAX)
            return fail_at(parser, place, "the formula is too large");
    }
}

bool formula_sql(const char *text, const PrepareColumns *columns, Arena *arena, FormulaSql *sql,
                 Error *error)
{
    FormulaSql made = {0};
    Parser parser = {.text = text,
                     .at = text,
                     .columns = columns,
                     .made = &made,
                     .arena = arena,
                     .error = error};
    Part part;

    if (strlen(text) > FORMULA_BYTES_MAX)
        return fail(error, ERROR_INVALID, "a formula has at most %d bytes", FORMULA_BYTES_MAX);
    if (!read_part(&parser, 0, &part))
        return false;
    skip_blanks(&parser);
    if (*parser.at)
        return fail_at(&parser, parser.at, "\"%.20s\" is not expected here", parser.at);
    made.type = part.type;
    made.sql = part.sql;
    *sql = made;
    return true;
}

#include "tracking/search_filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_BYTES_MAX = 24, SHOWN_BYTES_MAX = 100 };

/* A text under way. What went wrong is said of field. */
typedef struct Parser {
    const SearchGrammar *grammar;
    const char *at;
    const char *field; /* "filter" or "order_by" */
    Arena *arena;
    Error *error;
} Parser;

static const struct {
    const char *name;
    SearchComparator comparator;
} comparators[] = {
    {"=", SEARCH_EQUAL},          {"!=", SEARCH_DIFFERENT}, {">", SEARCH_GREATER},
    {">=", SEARCH_GREATER_EQUAL}, {"<", SEARCH_LESS},       {"<=", SEARCH_LESS_EQUAL},
    {"LIKE", SEARCH_LIKE},        {"ILIKE", SEARCH_ILIKE},  {"IN", SEARCH_IN},
    {"NOT IN", SEARCH_NOT_IN},    {"IS NULL", SEARCH_NULL}, {"IS NOT NULL", SEARCH_NOT_NULL},
};

/* The first name of each entity is what messages call it. */
static const struct {
    const char *name;
    SearchEntity entity;
} entities[] = {
    {"attribute", SEARCH_ATTRIBUTE},
    {"attributes", SEARCH_ATTRIBUTE},
    {"attr", SEARCH_ATTRIBUTE},
    {"run", SEARCH_ATTRIBUTE},
    {"trace", SEARCH_ATTRIBUTE},
    {"metric", SEARCH_METRIC},
    {"metrics", SEARCH_METRIC},
    {"parameter", SEARCH_PARAM},
    {"parameters", SEARCH_PARAM},
    {"param", SEARCH_PARAM},
    {"params", SEARCH_PARAM},
    {"tag", SEARCH_TAG},
    {"tags", SEARCH_TAG},
    {"dataset", SEARCH_DATASET},
    {"datasets", SEARCH_DATASET},
    {"metadata", SEARCH_METADATA},
    {"request_metadata", SEARCH_METADATA},
};

const char *search_comparator_name(SearchComparator comparator)
{
    for (size_t i = 0; i < COUNT(comparators); i++)
        if (comparators[i].comparator == comparator)
            return comparators[i].name;
    return "";
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_key_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

static void skip_spaces(Parser *parser)
{
    while (is_space(*parser->at))
        parser->at++;
}

static bool skip_character(Parser *parser, char c)
{
    skip_spaces(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

/* Skips the word in any case, if it is the next one. */
static bool skip_word(Parser *parser, const char *word)
{
    size_t length = strlen(word);

    skip_spaces(parser);
    if (strncasecmp(parser->at, word, length) != 0 || is_key_byte(parser->at[length]))
        return false;
    parser->at += length;
    return true;
}

/* What is left, for a message. */
static const char *rest(const Parser *parser)
{
    return arena_copy(parser->arena, parser->at, strnlen(parser->at, SHOWN_BYTES_MAX));
}

static bool fail_clause(Parser *parser)
{
    return fail_field(parser->error, parser->field,
                      "Invalid clause(s) in filter string: '%s'; a filter has clauses like "
                      "metrics.f1 > 0.9 AND params.\"a key\" = 'text', and no OR",
                      rest(parser));
}

/* ---- keys ---- */

/* What is behind a quote, up to the same quote. */
static bool read_quoted(Parser *parser, const char **text)
{
    const char *start = parser->at + 1, *end = strchr(start, *parser->at);

    if (!end)
        return fail_field(parser->error, parser->field, "a quote is not closed: %s", rest(parser));
    *text = arena_copy(parser->arena, start, (size_t)(end - start));
    parser->at = end + 1;
    return true;
}

/* has_dots: they belong to it. */
static bool read_name(Parser *parser, bool has_dots, const char **name)
{
    const char *start = parser->at;

    if (*start == '`' || *start == '"' || (*start == '\'' && has_dots))
        return read_quoted(parser, name);
    while (is_key_byte(*parser->at) || (has_dots && *parser->at == '.'))
        parser->at++;
    *name = arena_copy(parser->arena, start, (size_t)(parser->at - start));
    return true;
}

static const SearchKey *find_key(const SearchGrammar *grammar, SearchEntity entity,
                                 const char *name)
{
    for (const SearchKey *key = grammar->keys; key->name; key++)
        if (key->entity == entity && (!name || strcmp(key->name, name) == 0))
            return key;
    return NULL;
}

static bool has_entity(const SearchGrammar *grammar, SearchEntity entity)
{
    return grammar->comparators[entity] || find_key(grammar, entity, NULL);
}

static const char *entity_name(SearchEntity entity)
{
    for (size_t i = 0; i < COUNT(entities); i++)
        if (entities[i].entity == entity)
            return entities[i].name;
    return "";
}

static bool fail_entity(Parser *parser, const char *name)
{
    TextBuilder valid = {.arena = parser->arena};

    for (SearchEntity entity = 0; entity < SEARCH_ENTITY_COUNT; entity++)
        if (has_entity(parser->grammar, entity))
            text_append_format(&valid, "%s'%s'", valid.count ? ", " : "", entity_name(entity));
    return fail_field(parser->error, parser->field,
                      "Invalid entity type '%.100s'. Valid values are [%s]", name,
                      text_built(&valid));
}

static bool find_entity(Parser *parser, const char *name, SearchEntity *entity)
{
    for (size_t i = 0; i < COUNT(entities); i++) {
        if (strcmp(entities[i].name, name) != 0 || !has_entity(parser->grammar, entities[i].entity))
            continue;
        *entity = entities[i].entity;
        return true;
    }
    return fail_entity(parser, name);
}

/* Those that the field's terms may have. */
static bool is_usable(const Parser *parser, const SearchKey *key)
{
    return strcmp(parser->field, "order_by") == 0 ? key->is_order : key->comparators != 0;
}

static bool fail_key(Parser *parser, SearchEntity entity, const char *name)
{
    TextBuilder valid = {.arena = parser->arena};

    for (const SearchKey *key = parser->grammar->keys; key->name; key++)
        if (key->entity == entity && !key->means && is_usable(parser, key))
            text_append_format(&valid, "%s'%s'", valid.count ? ", " : "", key->name);
    return fail_field(parser->error, parser->field,
                      "Invalid %s key '%.100s' specified. Valid keys are [%s]", entity_name(entity),
                      name, text_built(&valid));
}

/* What a clause or a term is about. row: of an attribute or a data set, otherwise NULL. */
typedef struct Subject {
    SearchEntity entity;
    const char *key;
    const SearchKey *row;
} Subject;

static bool take_subject(Parser *parser, SearchEntity entity, const char *name, Subject *subject)
{
    const SearchKey *row = find_key(parser->grammar, entity, name);
    bool is_fixed = entity == SEARCH_ATTRIBUTE || entity == SEARCH_DATASET;

    if (is_fixed && (!row || !is_usable(parser, row)))
        return fail_key(parser, entity, name);
    if (!*name)
        return fail_field(parser->error, parser->field, "a %s has a key, as in %s.name",
                          entity_name(entity), entity_name(entity));
    *subject = (Subject){entity, row && row->means ? row->means : name, is_fixed ? row : NULL};
    return true;
}

/* metrics.f1, `metrics`."a b", start_time: the first dot parts the entity from the key. */
static bool read_subject(Parser *parser, Subject *subject)
{
    SearchEntity entity = SEARCH_ATTRIBUTE;
    const char *start, *name;

    skip_spaces(parser);
    start = parser->at;
    if (!read_name(parser, false, &name))
        return false;
    if (parser->at == start || strcasecmp(name, "or") == 0) {
        parser->at = start;
        return fail_clause(parser);
    }
    if (*parser->at == '.') {
        parser->at++;
        if (!find_entity(parser, name, &entity) || !read_name(parser, true, &name))
            return false;
    }
    return take_subject(parser, entity, name, subject);
}

/* ---- clauses ---- */

/* "=", "like", "is  not null"; as the table has it. */
static const char *read_comparator(Parser *parser)
{
    TextBuilder words = {.arena = parser->arena};
    size_t length;

    skip_spaces(parser);
    length = strspn(parser->at, "<>=~!");
    if (length) {
        parser->at += length;
        return arena_copy(parser->arena, parser->at - length, length);
    }
    do {
        const char *start = (skip_spaces(parser), parser->at);

        while (is_letter(*parser->at))
            parser->at++;
        if (parser->at == start)
            break;
        if (words.count)
            text_append(&words, " ");
        text_append_bytes(&words, start, (size_t)(parser->at - start));
    } while (words.count < WORD_BYTES_MAX && (strcasecmp(text_built(&words), "is") == 0 ||
                                              strcasecmp(text_built(&words), "not") == 0 ||
                                              strcasecmp(text_built(&words), "is not") == 0));
    return text_built(&words);
}

static bool fail_comparator(Parser *parser, const Subject *subject, unsigned allowed,
                            const char *given)
{
    TextBuilder valid = {.arena = parser->arena};

    for (size_t i = 0; i < COUNT(comparators); i++)
        if (allowed & (1u << comparators[i].comparator))
            text_append_format(&valid, "%s'%s'", valid.count ? ", " : "", comparators[i].name);
    return fail_field(parser->error, parser->field,
                      "Invalid comparator '%.40s' for %s '%.100s', not one of [%s]", given,
                      entity_name(subject->entity), subject->key, text_built(&valid));
}

static bool take_comparator(Parser *parser, const Subject *subject, SearchComparator *comparator)
{
    unsigned allowed =
        subject->row ? subject->row->comparators : parser->grammar->comparators[subject->entity];
    const char *start = parser->at, *given = read_comparator(parser);

    if (!*given) {
        parser->at = start;
        return fail_clause(parser);
    }
    for (size_t i = 0; i < COUNT(comparators); i++) {
        if (strcasecmp(comparators[i].name, given) != 0 ||
            !(allowed & (1u << comparators[i].comparator)))
            continue;
        *comparator = comparators[i].comparator;
        return true;
    }
    return fail_comparator(parser, subject, allowed, given);
}

/* A quoted text as it is. Inside, the quote may stand twice or behind a backslash. */
static bool read_text(Parser *parser, const char **text)
{
    char quote = *parser->at;
    const char *end = parser->at + 1, *last = strrchr(parser->at, quote);

    while (end < last && (*end != quote || end[1] == quote))
        end += *end == quote || (*end == '\\' && end[1] == quote && end + 1 < last) ? 2 : 1;
    if (*end != quote)
        return fail_field(parser->error, parser->field, "a quote is not closed: %s", rest(parser));
    *text = arena_copy(parser->arena, parser->at + 1, (size_t)(end - parser->at - 1));
    parser->at = end + 1;
    return true;
}

static bool is_quote(char c)
{
    return c == '\'' || c == '"';
}

/* -1, .5, 2., 1e-3; nothing that a name could go on behind. */
static bool read_number(Parser *parser, double *number)
{
    const char *end = parser->at + (*parser->at == '-');
    size_t digits = strspn(end, "0123456789"), decimals = 0;

    end += digits;
    if (*end == '.') {
        decimals = strspn(end + 1, "0123456789");
        end += 1 + decimals;
    }
    if (digits + decimals && (*end == 'e' || *end == 'E')) {
        const char *exponent = end + 1 + (end[1] == '-' || end[1] == '+');

        if (is_digit(*exponent))
            end = exponent + strspn(exponent, "0123456789");
    }
    if (!(digits + decimals) || is_key_byte(*end) || *end == '.')
        return false;
    *number = strtod(arena_copy(parser->arena, parser->at, (size_t)(end - parser->at)), NULL);
    parser->at = end;
    return true;
}

static bool fail_number(Parser *parser, const Subject *subject, const char *start)
{
    parser->at = start;
    if (subject->entity == SEARCH_METRIC)
        return fail_field(parser->error, parser->field,
                          "Expected numeric value type for metric. Found %s", rest(parser));
    return fail_field(parser->error, parser->field,
                      "Expected %s value type for numeric attribute: %s. Found %s",
                      subject->row->type == SEARCH_TYPE_NUMBER ? "numeric" : "integer",
                      subject->key, rest(parser));
}

static bool take_number(Parser *parser, const Subject *subject, double *number)
{
    const char *start = parser->at, *text = NULL;
    bool is_integer = subject->row && subject->row->type != SEARCH_TYPE_NUMBER, is_read;
    int64_t version = 0;

    if (subject->row && subject->row->type == SEARCH_TYPE_VERSION && is_quote(*start)) {
        if (!read_text(parser, &text))
            return false;
        is_read = text_to_int(text, &version);
        *number = (double)version;
    } else {
        is_read = read_number(parser, number);
    }
    if (!is_read || (is_integer && *number != floor(*number)))
        return fail_number(parser, subject, start);
    return true;
}

static bool fail_text(Parser *parser, const Subject *subject)
{
    return fail_field(parser->error, parser->field,
                      "Expected a quoted string value for %s '%.100s' (e.g. 'my-value'). Got value "
                      "%s",
                      entity_name(subject->entity), subject->key, rest(parser));
}

static bool take_list(Parser *parser, TextList *list)
{
    TextList taken = {0};

    if (!skip_character(parser, '('))
        return fail_clause(parser);
    while (!skip_character(parser, ')')) {
        if (taken.count && !skip_character(parser, ','))
            return fail_field(parser->error, parser->field,
                              "While parsing a list in the query, expected ',' or ')' at: %s",
                              rest(parser));
        if (taken.count && skip_character(parser, ')'))
            break;
        skip_spaces(parser);
        if (!is_quote(*parser->at) || taken.count == SEARCH_LIST_MAX)
            return fail_field(parser->error, parser->field,
                              "While parsing a list in the query, expected at most %d quoted "
                              "string values, at: %s",
                              SEARCH_LIST_MAX, rest(parser));
        if (!read_text(parser, arena_push(parser->arena, &taken)))
            return false;
    }
    if (!taken.count)
        return fail_field(parser->error, parser->field,
                          "While parsing a list in the query, expected a non-empty list of string "
                          "values, but got empty list");
    *list = taken;
    return true;
}

static SearchValue value_wanted(const Subject *subject, SearchComparator comparator)
{
    if (comparator == SEARCH_NULL || comparator == SEARCH_NOT_NULL)
        return SEARCH_NOTHING;
    if (comparator == SEARCH_IN || comparator == SEARCH_NOT_IN)
        return SEARCH_LIST;
    if (subject->entity == SEARCH_METRIC || (subject->row && subject->row->type))
        return SEARCH_NUMBER;
    return SEARCH_TEXT;
}

static bool take_value(Parser *parser, const Subject *subject, SearchClause *clause)
{
    skip_spaces(parser);
    clause->value = value_wanted(subject, clause->comparator);
    switch (clause->value) {
    case SEARCH_LIST:
        return take_list(parser, &clause->list);
    case SEARCH_NUMBER:
        return take_number(parser, subject, &clause->number);
    case SEARCH_TEXT:
        if (!is_quote(*parser->at))
            return fail_text(parser, subject);
        return read_text(parser, &clause->text);
    default:
        return true;
    }
}

static bool read_clause(Parser *parser, SearchClause *clause)
{
    Subject subject = {0};

    if (!read_subject(parser, &subject))
        return false;
    *clause = (SearchClause){.entity = subject.entity, .key = subject.key};
    return take_comparator(parser, &subject, &clause->comparator) &&
           take_value(parser, &subject, clause);
}

/* Like MLflow, this minds neither an AND too many nor one too few. */
bool search_filter_parse(const SearchGrammar *grammar, const char *text, Arena *arena,
                         SearchFilter *filter, Error *error)
{
    Parser parser = {grammar, text ? text : "", "filter", arena, error};
    SearchFilter taken = {0};

    if (strlen(parser.at) > SEARCH_FILTER_BYTES_MAX)
        return fail_field(error, "filter", "a filter has at most %d bytes",
                          SEARCH_FILTER_BYTES_MAX);
    if (*parser.at && !parser.at[strspn(parser.at, " \t\r\n")])
        return fail_field(error, "filter", "Invalid filter: there are only blanks in it.");
    for (;;) {
        while (skip_word(&parser, "and"))
            ;
        if (!*parser.at)
            break;
        if (taken.count == SEARCH_CLAUSES_MAX)
            return fail_field(error, "filter", "a filter has at most %d clauses",
                              SEARCH_CLAUSES_MAX);
        if (!read_clause(&parser, arena_push(arena, &taken)))
            return false;
    }
    *filter = taken;
    return true;
}

/* ---- orders ---- */

static bool fail_order(Parser *parser, const char *text)
{
    return fail_field(parser->error, "order_by",
                      "Invalid order_by clause '%.100s'. Could not be parsed: it is a key, and ASC "
                      "or DESC",
                      text);
}

static bool read_order(Parser *parser, const char *text, SearchOrder *order)
{
    Subject subject = {0};
    bool is_descending;

    parser->at = text;
    skip_spaces(parser);
    if (strlen(text) > SEARCH_FILTER_BYTES_MAX ||
        (!is_key_byte(*parser->at) && *parser->at != '`' && *parser->at != '"'))
        return fail_order(parser, text);
    if (!read_subject(parser, &subject))
        return false;
    if (!subject.row && !(parser->grammar->orders & (1u << subject.entity)))
        return fail_field(parser->error, "order_by", "Invalid order_by entity: %s",
                          entity_name(subject.entity));
    is_descending = skip_word(parser, "desc");
    if (!is_descending)
        skip_word(parser, "asc");
    skip_spaces(parser);
    if (*parser->at)
        return fail_order(parser, text);
    *order = (SearchOrder){subject.entity, subject.key, is_descending};
    return true;
}

static bool is_twice(const SearchOrderList *list)
{
    const SearchOrder *last = &list->items[list->count - 1];

    for (size_t i = 0; i + 1 < list->count; i++)
        if (list->items[i].entity == last->entity && text_equal(list->items[i].key, last->key))
            return true;
    return false;
}

bool search_orders_parse(const SearchGrammar *grammar, const TextList *texts, Arena *arena,
                         SearchOrderList *list, Error *error)
{
    Parser parser = {grammar, "", "order_by", arena, error};
    SearchOrderList taken = {0};

    if (texts->count > SEARCH_ORDERS_MAX)
        return fail_field(error, "order_by", "order_by has at most %d terms", SEARCH_ORDERS_MAX);
    for (size_t i = 0; i < texts->count; i++) {
        if (!read_order(&parser, texts->items[i], arena_push(arena, &taken)))
            return false;
        if (is_twice(&taken))
            return fail_field(error, "order_by", "`order_by` contains duplicate fields: %.100s",
                              texts->items[i]);
    }
    *list = taken;
    return true;
}

bool search_key_parse(const SearchGrammar *grammar, const char *text, Arena *arena,
                      SearchOrder *order, Error *error)
{
    Parser parser = {grammar, text, "order_by", arena, error};
    const char *dot = strchr(text, '.');
    Subject subject = {0};
    SearchEntity entity = SEARCH_ATTRIBUTE;

    if (strlen(text) > SEARCH_FILTER_BYTES_MAX)
        return fail_order(&parser, "(a long one)");
    if (dot && !find_entity(&parser, arena_copy(arena, text, (size_t)(dot - text)), &entity))
        return false;
    if (!take_subject(&parser, entity, dot ? dot + 1 : text_trim(text, arena), &subject))
        return false;
    if (!subject.row && !(grammar->orders & (1u << entity)))
        return fail_field(error, "order_by", "Invalid order_by entity: %s", entity_name(entity));
    *order = (SearchOrder){entity, subject.key, false};
    return true;
}

/* search_filter.h: what MLflow's filter strings and order_by terms say.
 *
 *     metrics.f1 > 0.9 AND params."learning rate" = '0.1' AND tags.team IS NOT NULL
 *
 * A filter is clauses with AND between them; there is no OR. What may be asked of which noun is a
 * grammar, a table; this file knows no store and no SQL. A key with other characters than letters,
 * digits, "_" and "." stands in backticks or double quotes. A text stands in single or double
 * quotes and is taken as it is, without escapes; a number in none.
 *
 *     SearchFilter filter;
 *     if (!search_filter_parse(&search_runs, text, arena, &filter, error))
 *         return false;
 */
#pragma once

#include "base/text.h"

enum {
    SEARCH_FILTER_BYTES_MAX = 65536,
    SEARCH_CLAUSES_MAX = 64,
    SEARCH_LIST_MAX = 1000,
    SEARCH_ORDERS_MAX = 16,
};

typedef enum SearchEntity {
    SEARCH_ATTRIBUTE,
    SEARCH_METRIC,
    SEARCH_PARAM,
    SEARCH_TAG,
    SEARCH_DATASET,
    SEARCH_METADATA, /* of traces */
    SEARCH_ENTITY_COUNT,
} SearchEntity;

typedef enum SearchComparator {
    SEARCH_EQUAL,
    SEARCH_DIFFERENT,
    SEARCH_GREATER,
    SEARCH_GREATER_EQUAL,
    SEARCH_LESS,
    SEARCH_LESS_EQUAL,
    SEARCH_LIKE,  /* % stands for any characters, _ for one */
    SEARCH_ILIKE, /* in any case */
    SEARCH_IN,
    SEARCH_NOT_IN,
    SEARCH_NULL,
    SEARCH_NOT_NULL,
} SearchComparator;

/* What stands behind the comparator. */
typedef enum SearchValue { SEARCH_NOTHING, SEARCH_TEXT, SEARCH_NUMBER, SEARCH_LIST } SearchValue;

typedef struct SearchClause {
    SearchEntity entity;
    const char *key; /* of an attribute or a data set: by its own name, not by an alias */
    SearchComparator comparator;
    SearchValue value;
    const char *text;
    double number;
    TextList list;
} SearchClause;

typedef struct SearchFilter {
    SearchClause *items;
    size_t count;
} SearchFilter;

typedef struct SearchOrder {
    SearchEntity entity;
    const char *key;
    bool is_descending;
} SearchOrder;

typedef struct SearchOrderList {
    SearchOrder *items;
    size_t count;
} SearchOrderList;

typedef enum SearchType {
    SEARCH_TYPE_TEXT,
    SEARCH_TYPE_NUMBER,
    SEARCH_TYPE_INTEGER,
    SEARCH_TYPE_VERSION, /* an integer, which may be quoted */
} SearchType;

/* An attribute of the noun, or of its data sets. */
typedef struct SearchKey {
    const char *name;
    SearchEntity entity;
    SearchType type;
    unsigned comparators; /* bits, 1 << SEARCH_EQUAL ...; 0: nobody filters by it */
    bool is_order;        /* it can be ordered by */
    const char *means;    /* the key that this one is an alias of; or NULL */
} SearchKey;

typedef struct SearchGrammar {
    const SearchKey *keys; /* ends with {0} */
    /* What may be asked of any key of a metric, param or tag; 0: the noun has none. */
    unsigned comparators[SEARCH_ENTITY_COUNT];
    unsigned orders; /* entities any of whose keys can be ordered by: bits */
} SearchGrammar;

extern const SearchGrammar search_runs, search_experiments, search_registered_models,
    search_model_versions, search_logged_models, search_traces;

/* NULL and "" are no clauses. */
bool search_filter_parse(const SearchGrammar *grammar, const char *text, Arena *arena,
                         SearchFilter *filter, Error *error) MUST_CHECK;

/* "metrics.f1 DESC", "start_time". No key twice. */
bool search_orders_parse(const SearchGrammar *grammar, const TextList *texts, Arena *arena,
                         SearchOrderList *list, Error *error) MUST_CHECK;

/* A key alone, as the order of logged models names it: "metrics.f1", "name". */
bool search_key_parse(const SearchGrammar *grammar, const char *text, Arena *arena,
                      SearchOrder *order, Error *error) MUST_CHECK;

const char *search_comparator_name(SearchComparator comparator);

/* Whether a value that is there satisfies the clause. A number that is NaN differs from all. */
bool search_matches_text(const SearchClause *clause, const char *value);
bool search_matches_number(const SearchClause *clause, double value);

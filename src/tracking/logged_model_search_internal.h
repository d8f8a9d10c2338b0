/* logged_model_search_internal.h: a search for logged models under way. */
#pragma once

#include "tracking/key_list.h"
#include "tracking/logged_model_internal.h"
#include "tracking/search_filter.h"

/* What a model is ordered by. */
typedef struct OrderValue {
    enum { VALUE_MISSING, VALUE_NAN, VALUE_NUMBER, VALUE_TEXT } type;
    double number;
    const char *text;
} OrderValue;

typedef struct Candidate {
    int64_t key, created_at;
    const char *id;
    size_t satisfied;   /* clauses so far */
    OrderValue *values; /* one for each order */
} Candidate;

/* A search under way. */
typedef struct ModelSearch {
    Scope *scope;
    const LoggedModelFilter *filter;
    int64_t limit;
    SearchFilter clauses;    /* of params, tags and metrics */
    SearchFilter attributes; /* of attributes */
    SearchOrder *orders;     /* what the filter's orders mean */
    SearchClause fast;       /* of an attribute that the store looks up; key NULL: of none */
    bool is_cut;             /* the store gives no more than the page needs */
    Candidate *items;
    size_t count;
} ModelSearch;

/* The experiments as the list of a statement, behind that many other values. */
KeyList model_search_experiments(const ModelSearch *search, size_t others);

/* NaN has a place of its own. */
OrderValue order_value_of_number(double number);

/* Both want the candidates by key. Keeps those that satisfy the clauses. */
bool model_search_apply_clauses(ModelSearch *search) MUST_CHECK;

/* Fills in the metrics that they are ordered by. */
bool model_search_load_orders(ModelSearch *search) MUST_CHECK;

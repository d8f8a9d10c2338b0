/* run_search_internal.h: how a page of a search is found without reading all runs.
 *
 * A walk gives the runs of one experiment in the order that was asked for, from an index, and each
 * is checked against the filter, some hundred at a time. Meanwhile the clauses that an index
 * answers collect their runs in sets. Whoever is done first decides: the walk with a full page, or
 * a set so small that looking at all of its runs is less than to walk on. Until then a full set
 * spares the walk most of its checks. So a search costs a small multiple of its cheapest way, and
 * no planner is asked.
 *
 * What was found is kept in order, and no more of it than the page needs.
 */
#pragma once

#include "tracking/run_internal.h"
#include "tracking/search_filter.h"

enum {
    SEARCH_BATCH = 256,            /* runs that are checked together */
    SEARCH_SET_MAX = 131072,       /* runs in a set */
    SEARCH_SETS_MAX = 4,           /* clauses that collect one */
    SEARCH_START_CHARACTERS = 100, /* of a param or tag in its index */
};

/* A value that runs are ordered by. */
typedef enum OrderRank { RANK_VALUE, RANK_NAN, RANK_MISSING } OrderRank;

typedef struct OrderValue {
    OrderRank rank;
    double number;
    const char *text; /* NULL: it is a number */
} OrderValue;

typedef struct Candidate {
    int64_t key, experiment_id;
    int64_t started_at;
    char id[36];
    OrderValue values[]; /* one for each order */
} Candidate;

/* One key of metrics, params, tags or columns. */
typedef struct Subject {
    SearchEntity entity;
    const char *key;
    int64_t key_id; /* of a metric; 0: no run has it */
} Subject;

/* Keys of runs; 0 is none. */
typedef struct KeySet {
    int64_t *slots;
    size_t capacity, count;
} KeySet;

void key_set_add(KeySet *set, int64_t key, Arena *arena);

/* An empty set with these. */
KeySet key_set_of(const int64_t *keys, size_t count, Arena *arena);
bool key_set_has(const KeySet *set, int64_t key);

typedef struct Term {
    Subject subject;
    SearchClause clause;
    bool is_nan, is_missing; /* instead of the clause: the value must be so */
    bool has_set;            /* all that match are in the set */
    bool is_exact;           /* and none that does not */
    bool is_held;            /* by the walk, whose runs all match */
    KeySet set;
} Term;

typedef struct TermList {
    Term *items;
    size_t count;
} TermList;

typedef struct Order {
    Subject subject;
    bool is_descending;
} Order;

typedef struct OrderList {
    Order *items;
    size_t count;
} OrderList;

/* The best that were found, at most twice as many as wanted, sorted now and then. */
typedef struct Found {
    char *items; /* candidates, each of item_size bytes */
    size_t item_size, count, capacity, wanted;
    bool is_full; /* the first "wanted" are sorted, and worse ones are not taken */
} Found;

typedef struct Searcher {
    Scope *scope;
    RunLife life;
    TermList terms;
    OrderList orders;
    const Candidate *after; /* what is found comes behind it; or NULL */
    Found found;
    int64_t experiment_id;
    const char *location; /* of the experiment's files */
    size_t walks;         /* that were begun in it */

    /* Of the walk under way: runs that it gave, those that were checked, those that matched, and of
     * a walk by start the last of these. */
    size_t seen, checked, matched;
    bool keeps_worst;
    Candidate *worst;

    size_t spent; /* on checks since the collectors took their last: rows that they could take */
} Searcher;

/* ---- run_search_check.c ---- */

typedef struct Batch {
    int64_t keys[SEARCH_BATCH];
    OrderValue firsts[SEARCH_BATCH]; /* what each has of the first order */
    bool has_firsts;
    size_t count;
} Batch;

/* Checks all of the batch, and keeps what matches. */
bool searcher_check(Searcher *searcher, const Batch *batch) MUST_CHECK;

/* ---- run_search_found.c ---- */

int searcher_compare(const Searcher *searcher, const Candidate *a, const Candidate *b);
void found_create(Searcher *searcher, size_t wanted);
Candidate *found_item(const Found *found, size_t index);

/* Copies it unless it is worse than all that are wanted. */
void found_add(Searcher *searcher, const Candidate *candidate);
void found_sort(Searcher *searcher);

/* Takes out the runs of this experiment; or of those the ones with this first value alone. */
void found_drop(Searcher *searcher, const OrderValue *first);

/* ---- run_search_walk.c ---- */

typedef enum WalkKind {
    WALK_ANYHOW,   /* nothing is known of what comes later */
    WALK_BY_START, /* what comes later is worse */
    WALK_BY_FIRST, /* its first value is not better */
} WalkKind;

/* Runs of the experiment from an index, in one or two statements. */
typedef struct Walk {
    WalkKind kind;
    bool is_descending;
    Query query;
    bool is_open;
    bool has_more; /* a second statement, from low to high */
    int64_t low, high;
    bool is_nan;
    double number;  /* of a walk by a metric: the last value */
    size_t repeats; /* how many had it in a row */
} Walk;

/* By start, newest or oldest first. */
Walk walk_by_start(Searcher *searcher, WalkKind kind, bool is_descending);

/* Inclusive, and empty when it is from more to less. */
typedef struct NumberRange {
    double from, to;
} NumberRange;

/* By the metric of the first order. */
Walk walk_by_metric(Searcher *searcher, NumberRange range, bool is_nan);

/* *more false: that was the last. */
bool walk_fill(Walk *walk, Searcher *searcher, Batch *batch, bool *more) MUST_CHECK;
void walk_close(Walk *walk);

/* The numbers that the terms leave of a metric or a time. */
NumberRange searcher_range(const Searcher *searcher, const Subject *subject);
bool subject_equal(const Subject *a, const Subject *b);

/* ---- run_search_sets.c ---- */

/* A clause that collects its runs. Most never have all of them, so that only those which do make
 * a set of it. */
typedef struct Collector {
    Term *term;
    struct {
        int64_t *items;
        size_t count;
    } taken;
    Query query;
    bool is_open;
} Collector;

typedef struct Collectors {
    Collector items[SEARCH_SETS_MAX];
    size_t count;
} Collectors;

bool collectors_open(Collectors *collectors, Searcher *searcher) MUST_CHECK;
void collectors_close(Collectors *collectors);

/* Takes some more rows of each. */
bool collectors_advance(Collectors *collectors, Searcher *searcher) MUST_CHECK;

/* Runs that a whole set lacks need no look. */
bool searcher_has_in_sets(const Searcher *searcher, int64_t key);

/* = of a text that its index has whole. */
bool is_short_equality(const Term *term);

/* The smallest set that is whole; or NULL. */
const Term *searcher_smallest(const Searcher *searcher);

/* ---- run_search_experiment.c ---- */

/* Adds what the experiment has to what was found. */
bool searcher_search(Searcher *searcher, int64_t experiment_id) MUST_CHECK;

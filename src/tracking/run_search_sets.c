/* run_search_sets.c: clauses that collect the runs they match from an index. */

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/run_search_internal.h"

enum {
    ADVANCE_ROWS = 768, /* at least */
    TEXT_COST = 4,      /* of a row whose text is looked at, in rows of which none is */
};

#define GREATEST_CHARACTER "\xf4\x8f\xbf\xbf"

bool is_short_equality(const Term *term)
{
    return (term->subject.entity == SEARCH_PARAM || term->subject.entity == SEARCH_TAG) &&
           term->clause.comparator == SEARCH_EQUAL &&
           text_characters(term->clause.text) < SEARCH_START_CHARACTERS;
}

/* How likely a clause leaves few; 0: no index helps. */
static int promise(const Searcher *searcher, const Term *term)
{
    const Subject *subject = &term->subject;
    bool is_time = strcmp(subject->key, "start_time") == 0;

    if (term->is_held || term->is_missing || term->is_nan ||
        term->clause.comparator == SEARCH_NULL || subject->entity == SEARCH_DATASET)
        return 0;
    if (subject->entity == SEARCH_METRIC)
        return term->clause.comparator == SEARCH_DIFFERENT ? 0
               : term->clause.comparator == SEARCH_EQUAL   ? 5
                                                           : 3;
    if (subject->entity == SEARCH_ATTRIBUTE)
        return is_time && searcher->orders.count &&
                       searcher->orders.items[0].subject.entity != SEARCH_ATTRIBUTE
                   ? 3
                   : 0;
    switch (term->clause.comparator) {
    case SEARCH_EQUAL:
        return 6;
    case SEARCH_LIKE:
        return 4;
    case SEARCH_ILIKE:
        return 2;
    default:
        return 1;
    }
}

/* What leaves few is checked first. */
static void order_terms(Searcher *searcher)
{
    TermList *terms = &searcher->terms;

    for (size_t i = 1; i < terms->count; i++)
        for (size_t j = i;
             j > 0 && promise(searcher, &terms->items[j]) > promise(searcher, &terms->items[j - 1]);
             j--) {
            Term term = terms->items[j];

            terms->items[j] = terms->items[j - 1];
            terms->items[j - 1] = term;
        }
}

static Query open_numbers(Searcher *searcher, const Term *term)
{
    NumberRange range = searcher_range(searcher, &term->subject);

    return db_query(searcher->scope->db,
                    "SELECT run_key FROM latest_metrics"
                    " WHERE experiment_id = $1 AND key_id = $2 AND is_nan = 0"
                    "   AND value >= $3 AND value <= $4",
                    db_int(searcher->experiment_id), db_int(term->subject.key_id),
                    db_double(range.from), db_double(range.to));
}

static Query open_times(Searcher *searcher, const Term *term)
{
    NumberRange range = searcher_range(searcher, &term->subject);

    return db_query(searcher->scope->db,
                    "SELECT key FROM runs"
                    " WHERE experiment_id = $1 AND started_at >= $2 AND started_at <= $3",
                    db_int(searcher->experiment_id), db_double(range.from), db_double(range.to));
}

/* The beginning that all values which match have. */
static const char *common_start(const Term *term, Arena *arena)
{
    const char *text = term->clause.text;
    size_t length = 0, characters = 0;

    if (term->clause.comparator != SEARCH_EQUAL && term->clause.comparator != SEARCH_LIKE)
        return "";
    while (text[length] && characters < SEARCH_START_CHARACTERS) {
        if (term->clause.comparator == SEARCH_LIKE && (text[length] == '%' || text[length] == '_'))
            break;
        length += text_utf8_length(text + length, strlen(text + length));
        characters++;
    }
    return arena_copy(arena, text, length);
}

static bool is_param(const Term *term)
{
    return term->subject.entity == SEARCH_PARAM;
}

static Query open_equality(Searcher *searcher, const Term *term)
{
#define EQUAL_TEXTS(table)                                                                         \
    "SELECT run_key FROM " table " WHERE experiment_id = $1 AND key = $2 AND start = $3"

    return db_query(
        searcher->scope->db, is_param(term) ? EQUAL_TEXTS("run_params") : EQUAL_TEXTS("run_tags"),
        db_int(searcher->experiment_id), db_text(term->subject.key), db_text(term->clause.text));
}

static Query open_texts(Searcher *searcher, const Term *term)
{
#define TEXTS(table)                                                                               \
    "SELECT run_key, start FROM " table                                                            \
    " WHERE experiment_id = $1 AND key = $2 AND start >= $3 AND start <= $4"
    Arena *arena = searcher->scope->arena;
    const char *start = common_start(term, arena);
    const char *end = term->clause.comparator == SEARCH_EQUAL
                          ? start
                          : arena_format(arena, "%s" GREATEST_CHARACTER GREATEST_CHARACTER, start);

    return db_query(searcher->scope->db, is_param(term) ? TEXTS("run_params") : TEXTS("run_tags"),
                    db_int(searcher->experiment_id), db_text(term->subject.key), db_text(start),
                    db_text(end));
}

static void open_collector(Collectors *collectors, Searcher *searcher, Term *term)
{
    Collector *collector = &collectors->items[collectors->count++];

    collector->term = term;
    collector->is_open = true;
    term->is_exact = true;
    if (term->subject.entity == SEARCH_METRIC)
        collector->query = open_numbers(searcher, term);
    else if (term->subject.entity == SEARCH_ATTRIBUTE)
        collector->query = open_times(searcher, term);
    else if (is_short_equality(term))
        collector->query = open_equality(searcher, term);
    else
        collector->query = open_texts(searcher, term);
}

/* Runs by their ids are looked up at once. */
static bool collect_ids(Searcher *searcher, Term *term)
{
    Scope *scope = searcher->scope;
    TextList ids = term->clause.list;

    if (strcmp(term->subject.key, "run_id") != 0 ||
        (term->clause.comparator != SEARCH_EQUAL && term->clause.comparator != SEARCH_IN))
        return true;
    if (term->clause.comparator == SEARCH_EQUAL)
        ids = (TextList){&term->clause.text, 1};
    for (size_t i = 0; i < ids.count; i++) {
        CLEANUP(query_finalize)
        Query query =
            db_query(scope->db, "SELECT key FROM runs WHERE id = $1", db_text(ids.items[i]));

        if (query_next(&query))
            key_set_add(&term->set, query_int(&query, 0), scope->arena);
        if (!query_end(&query, &scope->error))
            return false;
    }
    term->has_set = true;
    return true;
}

bool collectors_open(Collectors *collectors, Searcher *searcher)
{
    for (size_t i = 0; i < searcher->terms.count; i++) {
        Term *term = &searcher->terms.items[i];

        term->set = (KeySet){0};
        term->has_set = term->is_exact = false;
        if (term->subject.entity == SEARCH_ATTRIBUTE && !collect_ids(searcher, term))
            return false;
    }
    order_terms(searcher);
    for (int level = 6; level > 0; level--)
        for (size_t i = 0; i < searcher->terms.count; i++)
            if (collectors->count < SEARCH_SETS_MAX &&
                promise(searcher, &searcher->terms.items[i]) == level)
                open_collector(collectors, searcher, &searcher->terms.items[i]);
    return true;
}

static void close_collector(Collector *collector)
{
    if (collector->is_open)
        query_finalize(&collector->query);
    collector->is_open = false;
}

void collectors_close(Collectors *collectors)
{
    for (size_t i = 0; i < collectors->count; i++)
        close_collector(&collectors->items[i]);
}

/* Of a long value the index has the beginning alone, by which it may match. */
static bool may_match(Term *term, const Query *query, Arena *arena)
{
    const char *text = query_text(query, 1, arena);

    if (strlen(text) >= SEARCH_START_CHARACTERS &&
        text_characters(text) == SEARCH_START_CHARACTERS) {
        term->is_exact = false;
        return true;
    }
    return search_matches_text(&term->clause, text);
}

static bool advance(Collector *collector, Searcher *searcher, size_t budget, Arena *arena)
{
    Arena *keep = searcher->scope->arena;
    Term *term = collector->term;
    bool is_sure = (term->subject.entity != SEARCH_PARAM && term->subject.entity != SEARCH_TAG) ||
                   is_short_equality(term);
    size_t rows = is_sure ? budget : budget / TEXT_COST;

    for (size_t i = 0; i < rows || i < ADVANCE_ROWS; i++) {
        if (!query_next(&collector->query)) {
            term->has_set = true;
            break;
        }
        if (is_sure || may_match(term, &collector->query, arena))
            *arena_push(keep, &collector->taken) = query_int(&collector->query, 0);
    }
    if (!query_end(&collector->query, &searcher->scope->error))
        return false;
    if (term->has_set)
        term->set = key_set_of(collector->taken.items, collector->taken.count, keep);
    if (term->has_set || collector->taken.count > SEARCH_SET_MAX)
        close_collector(collector);
    return true;
}

bool collectors_advance(Collectors *collectors, Searcher *searcher)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t budget = searcher->spent;

    searcher->spent = 0;
    for (size_t i = 0; i < collectors->count; i++) {
        if (!collectors->items[i].is_open)
            continue;
        budget /= 2; /* the first is the likeliest to leave few */
        if (!advance(&collectors->items[i], searcher, budget, arena))
            return false;
    }
    if (searcher_smallest(searcher))
        collectors_close(collectors);
    return true;
}

const Term *searcher_smallest(const Searcher *searcher)
{
    const Term *smallest = NULL;

    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Term *term = &searcher->terms.items[i];

        if (term->has_set && (!smallest || term->set.count < smallest->set.count))
            smallest = term;
    }
    return smallest;
}

bool searcher_has_in_sets(const Searcher *searcher, int64_t key)
{
    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Term *term = &searcher->terms.items[i];

        if (term->has_set && !key_set_has(&term->set, key))
            return false;
    }
    return true;
}

/* run_search_check.c: many runs at a time against the terms of a search, by lookups of their keys.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/experiment.h"
#include "tracking/run_inputs.h"
#include "tracking/run_search_internal.h"

/* Statements that look up many runs at a time, in their order: a CROSS JOIN is done as it is
 * written. The first column is which of them it is. */
#define WANTED                                                                                     \
    "WITH wanted(run, place) AS (VALUES "                                                          \
    "(CAST($1 AS BIGINT), 0), ($2, 1), ($3, 2), ($4, 3), ($5, 4), ($6, 5), ($7, 6), "              \
    "($8, 7), ($9, 8), ($10, 9), ($11, 10), ($12, 11), ($13, 12), ($14, 13), "                     \
    "($15, 14), ($16, 15), ($17, 16), ($18, 17), ($19, 18), ($20, 19), ($21, 20), "                \
    "($22, 21), ($23, 22), ($24, 23), ($25, 24), ($26, 25), ($27, 26), ($28, 27), "                \
    "($29, 28), ($30, 29), ($31, 30), ($32, 31), ($33, 32), ($34, 33), ($35, 34), "                \
    "($36, 35), ($37, 36), ($38, 37), ($39, 38), ($40, 39), ($41, 40), ($42, 41), "                \
    "($43, 42), ($44, 43), ($45, 44), ($46, 45), ($47, 46), ($48, 47), ($49, 48), "                \
    "($50, 49), ($51, 50), ($52, 51), ($53, 52), ($54, 53), ($55, 54), ($56, 55), "                \
    "($57, 56), ($58, 57), ($59, 58), ($60, 59), ($61, 60), ($62, 61), ($63, 62), "                \
    "($64, 63)) "

static const char *const lookups[] = {
    [SEARCH_ATTRIBUTE] = WANTED "SELECT place, id, name, user_name, status, started_at, ended_at,"
                                "       deleted_at IS NOT NULL"
                                "  FROM wanted CROSS JOIN runs"
                                " WHERE runs.key = run AND +experiment_id = $65",
    [SEARCH_METRIC] = WANTED "SELECT place, value, is_nan FROM wanted CROSS JOIN latest_metrics"
                             " WHERE run_key = run AND key_id = $65",
    [SEARCH_PARAM] = WANTED "SELECT place, " DETAIL_VALUE " FROM wanted CROSS JOIN run_params"
                            " WHERE run_key = run AND key = $65",
    [SEARCH_TAG] = WANTED "SELECT place, " DETAIL_VALUE " FROM wanted CROSS JOIN run_tags"
                          " WHERE run_key = run AND key = $65",
};

/* = of a text that its index has whole: its runs lie together there, where few pages have those of
 * one value. */
static const char *const equalities[] = {
#define EQUALITY(table)                                                                            \
    WANTED "SELECT place FROM wanted CROSS JOIN " table                                            \
           " WHERE experiment_id = $65 AND key = $66 AND start = $67 AND run_key = run"
    [SEARCH_PARAM] = EQUALITY("run_params"),
    [SEARCH_TAG] = EQUALITY("run_tags"),
};

/* A run may have several data sets, and so several rows. */
static const struct {
    const char *key, *sql;
} dataset_lookups[] = {
    {"name", WANTED "SELECT place, name FROM wanted CROSS JOIN run_datasets"
                    " CROSS JOIN logged_datasets"
                    " WHERE run_key = run AND logged_datasets.key = dataset_key"
                    "   AND +experiment_id = $65"},
    {"digest", WANTED "SELECT place, digest FROM wanted CROSS JOIN run_datasets"
                      " CROSS JOIN logged_datasets"
                      " WHERE run_key = run AND logged_datasets.key = dataset_key"
                      "   AND +experiment_id = $65"},
    {"context", WANTED "SELECT place, value FROM wanted CROSS JOIN run_dataset_tags"
                       " WHERE run_key = run AND key = $65"},
};

/* The runs that are still in. */
typedef struct Check {
    Searcher *searcher;
    Candidate *items[SEARCH_BATCH];
    bool is_in[SEARCH_BATCH];
    size_t count;
    Arena *arena;
} Check;

static void take_batch(Check *check, const Batch *batch)
{
    size_t item_size = check->searcher->found.item_size;
    char *items;

    check->count = batch->count;
    if (!check->count)
        return;
    items = arena_alloc(check->arena, check->count, item_size);
    for (size_t i = 0; i < check->count; i++) {
        check->items[i] = (Candidate *)(void *)(items + i * item_size);
        check->items[i]->key = batch->keys[i];
        check->items[i]->experiment_id = check->searcher->experiment_id;
        if (batch->has_firsts)
            check->items[i]->values[0] = batch->firsts[i];
        check->is_in[i] = true;
    }
}

/* Leaves out those that are not in any more. */
static void keep(Check *check)
{
    size_t kept = 0;

    for (size_t i = 0; i < check->count; i++) {
        if (!check->is_in[i])
            continue;
        check->items[kept] = check->items[i];
        check->is_in[kept++] = true;
    }
    check->count = kept;
}

typedef void TakeRow(Check *check, size_t index, const Query *query, const void *context);

enum {
    LOOKUP_VALUES_MAX = 3,
    LOOK_COST = 20, /* for each run, in rows that are read one after the other */
    NEAR_COST = 4,
};

typedef struct LookUp {
    const char *sql;
    DbValue values[LOOKUP_VALUES_MAX]; /* $65 and so on */
    size_t value_count;
    bool is_near;  /* what it reads lies together */
    TakeRow *take; /* gets each row that is there */
    const void *context;
} LookUp;

static bool look_up(Check *check, const LookUp *lookup)
{
    Scope *scope = check->searcher->scope;
    DbValue values[1 + SOME_KEYS_COUNT + LOOKUP_VALUES_MAX] = {0};

    memcpy(values + 1 + SOME_KEYS_COUNT, lookup->values, sizeof(lookup->values));
    check->searcher->spent += check->count * (lookup->is_near ? NEAR_COST : LOOK_COST);
    for (size_t start = 0; start < check->count; start += SOME_KEYS_COUNT) {
        for (size_t i = 0; i < SOME_KEYS_COUNT; i++)
            values[i + 1] = db_int(start + i < check->count ? check->items[start + i]->key : 0);

        CLEANUP(query_finalize)
        Query query = db_query_values(scope->db, lookup->sql, values,
                                      1 + SOME_KEYS_COUNT + lookup->value_count);

        while (query_next(&query))
            lookup->take(check, start + (size_t)query_int(&query, 0), &query, lookup->context);
        if (!query_end(&query, &scope->error))
            return false;
    }
    return true;
}

static LookUp lookup_of(const Subject *subject, TakeRow *take, const void *context)
{
    return (LookUp){
        .sql = lookups[subject->entity],
        .values = {subject->entity == SEARCH_METRIC ? db_int(subject->key_id)
                                                    : db_text(subject->key)},
        .value_count = 1,
        .take = take,
        .context = context,
    };
}

/* ---- terms of metrics, params and tags ---- */

static void take_value(Check *check, size_t index, const Query *query, const void *context)
{
    const Term *term = context;
    bool is_nan = term->subject.entity == SEARCH_METRIC && query_int(query, 2);

    if (term->is_missing || term->clause.comparator == SEARCH_NULL)
        check->is_in[index] = false;
    else if (term->is_nan)
        check->is_in[index] = is_nan;
    else if (term->clause.value == SEARCH_NUMBER)
        check->is_in[index] =
            search_matches_number(&term->clause, is_nan ? NAN : query_double(query, 1));
    else
        check->is_in[index] =
            search_matches_text(&term->clause, query_text(query, 1, check->arena));
}

static void take_equal(Check *check, size_t index, const Query *query, const void *context)
{
    (void)query;
    (void)context;
    check->is_in[index] = true;
}

static LookUp equality_of(const Check *check, const Term *term)
{
    return (LookUp){
        .sql = equalities[term->subject.entity],
        .values = {db_int(check->searcher->experiment_id), db_text(term->subject.key),
                   db_text(term->clause.text)},
        .value_count = 3,
        .is_near = true,
        .take = take_equal,
    };
}

static bool check_term(Check *check, const Term *term)
{
    bool is_in = term->is_missing || term->clause.comparator == SEARCH_NULL;
    LookUp lookup = is_short_equality(term) ? equality_of(check, term)
                                            : lookup_of(&term->subject, take_value, term);

    for (size_t i = 0; i < check->count; i++)
        check->is_in[i] = is_in;
    if (!look_up(check, &lookup))
        return false;
    keep(check);
    return true;
}

/* ---- terms of data sets ---- */

/* One that matches is enough. */
static void take_dataset(Check *check, size_t index, const Query *query, const void *context)
{
    const Term *term = context;

    if (search_matches_text(&term->clause, query_text(query, 1, check->arena)))
        check->is_in[index] = true;
}

static bool check_dataset(Check *check, const Term *term)
{
    bool is_context = strcmp(term->subject.key, "context") == 0;
    LookUp lookup = {
        .sql = dataset_lookups[0].sql,
        .values = {is_context ? db_text(DATASET_CONTEXT_TAG)
                              : db_int(check->searcher->experiment_id)},
        .value_count = 1,
        .take = take_dataset,
        .context = term,
    };

    for (size_t i = 0; i < COUNT(dataset_lookups); i++)
        if (strcmp(dataset_lookups[i].key, term->subject.key) == 0)
            lookup.sql = dataset_lookups[i].sql;
    memset(check->is_in, 0, sizeof(check->is_in));
    if (!look_up(check, &lookup))
        return false;
    keep(check);
    return true;
}

/* ---- the runs themselves ---- */

static const char *attribute_text(const Check *check, const char *key, const Query *query)
{
    static const struct {
        const char *key;
        int column;
    } columns[] = {{"run_id", 1}, {"run_name", 2}, {"user_id", 3}, {"status", 4}};

    for (size_t i = 0; i < COUNT(columns); i++)
        if (strcmp(columns[i].key, key) == 0)
            return query_text(query, columns[i].column, check->arena);
    return arena_format(check->arena, "%s/%s/artifacts", check->searcher->location,
                        query_text(query, 1, check->arena));
}

static bool is_time(const char *key)
{
    return strcmp(key, "start_time") == 0 || strcmp(key, "end_time") == 0;
}

static int time_column(const char *key)
{
    return strcmp(key, "start_time") == 0 ? 5 : 6;
}

static bool attribute_matches(const Check *check, const Term *term, const Query *query)
{
    const char *key = term->subject.key;

    if (!is_time(key))
        return search_matches_text(&term->clause, attribute_text(check, key, query));
    return !query_is_null(query, time_column(key)) &&
           search_matches_number(&term->clause, (double)query_int(query, time_column(key)));
}

static OrderValue attribute_value(const Check *check, const char *key, const Query *query)
{
    if (!is_time(key))
        return (OrderValue){.text = attribute_text(check, key, query)};
    if (query_is_null(query, time_column(key)))
        return (OrderValue){.rank = RANK_MISSING};
    return (OrderValue){.number = (double)query_int(query, time_column(key))};
}

static void take_run(Check *check, size_t index, const Query *query, const void *context)
{
    Searcher *searcher = check->searcher;
    Candidate *item = check->items[index];
    bool is_in = searcher->life == RUN_LIFE_ALL ||
                 (query_int(query, 7) != 0) == (searcher->life == RUN_LIFE_DELETED);

    (void)context;
    for (size_t i = 0; is_in && i < searcher->terms.count; i++)
        is_in = searcher->terms.items[i].subject.entity != SEARCH_ATTRIBUTE ||
                attribute_matches(check, &searcher->terms.items[i], query);
    check->is_in[index] = is_in;
    if (!is_in)
        return;
    item->started_at = query_int(query, 5);
    strncpy(item->id, query_text(query, 1, check->arena), sizeof(item->id) - 1);
    for (size_t i = 0; i < searcher->orders.count; i++)
        if (searcher->orders.items[i].subject.entity == SEARCH_ATTRIBUTE)
            item->values[i] = attribute_value(check, searcher->orders.items[i].subject.key, query);
}

static bool check_runs(Check *check)
{
    LookUp lookup = {.sql = lookups[SEARCH_ATTRIBUTE],
                     .values = {db_int(check->searcher->experiment_id)},
                     .value_count = 1,
                     .take = take_run};

    memset(check->is_in, 0, sizeof(check->is_in));
    if (!look_up(check, &lookup))
        return false;
    keep(check);
    return true;
}

/* ---- what they are ordered by ---- */

static void take_order(Check *check, size_t index, const Query *query, const void *context)
{
    const Order *order = context;
    size_t at = (size_t)(order - check->searcher->orders.items);
    OrderValue *value = &check->items[index]->values[at];

    if (order->subject.entity != SEARCH_METRIC)
        *value = (OrderValue){.text = query_text(query, 1, check->arena)};
    else if (query_int(query, 2))
        *value = (OrderValue){.rank = RANK_NAN};
    else
        *value = (OrderValue){.number = query_double(query, 1)};
}

/* The walk may have given the first. */
static bool load_orders(Check *check, bool has_firsts)
{
    const OrderList *orders = &check->searcher->orders;

    for (size_t i = has_firsts; i < orders->count; i++) {
        LookUp lookup = lookup_of(&orders->items[i].subject, take_order, &orders->items[i]);

        if (orders->items[i].subject.entity == SEARCH_ATTRIBUTE)
            continue;
        for (size_t j = 0; j < check->count; j++)
            check->items[j]->values[i] = (OrderValue){.rank = RANK_MISSING};
        if (!look_up(check, &lookup))
            return false;
    }
    return true;
}

static bool needs_look(const Term *term)
{
    return term->subject.entity != SEARCH_ATTRIBUTE && !term->is_held &&
           !(term->has_set && term->is_exact);
}

bool searcher_check(Searcher *searcher, const Batch *batch)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Check check = {.searcher = searcher, .arena = arena};

    take_batch(&check, batch);
    searcher->checked += batch->count;
    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Term *term = &searcher->terms.items[i];
        bool is_dataset = term->subject.entity == SEARCH_DATASET;

        if (needs_look(term) && !(is_dataset ? check_dataset : check_term)(&check, term))
            return false;
    }
    if (!check_runs(&check) || !load_orders(&check, batch->has_firsts))
        return false;
    for (size_t i = 0; i < check.count; i++)
        found_add(searcher, check.items[i]);
    return true;
}

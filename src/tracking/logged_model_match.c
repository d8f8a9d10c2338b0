/* logged_model_match.c: which candidates of a search satisfy what is asked of params, tags and
 * metrics, and what metrics order them. */

#include <math.h>
#include <string.h>

#include "tracking/logged_model_search_internal.h"
#include "tracking/run_internal.h"

KeyList model_search_experiments(const ModelSearch *search, size_t others)
{
    const LoggedModelFilter *filter = search->filter;
    KeyList keys = key_list_create(search->scope->arena, others, filter->experiment_count);

    for (size_t i = 0; i < filter->experiment_count; i++)
        key_list_set(&keys, i, filter->experiment_ids[i]);
    return keys;
}

OrderValue order_value_of_number(double number)
{
    return (OrderValue){.type = isnan(number) ? VALUE_NAN : VALUE_NUMBER, .number = number};
}

#define OF_EXPERIMENTS                                                                             \
    " model_key IN (SELECT key FROM logged_models"                                                 \
    "                WHERE deleted_at IS NULL AND experiment_id IN ?)"

/* The rows come by model, and so stand the candidates: at only ever grows. */
static Candidate *candidate_of(ModelSearch *search, size_t *at, int64_t key)
{
    while (*at < search->count && search->items[*at].key < key)
        ++*at;
    return *at < search->count && search->items[*at].key == key ? &search->items[*at] : NULL;
}

static bool is_of_dataset(const Query *query, int column, DatasetReference dataset, Arena *arena)
{
    return strcmp(query_text(query, column, arena), dataset.name) == 0 &&
           (!dataset.digest || strcmp(query_text(query, column + 1, arena), dataset.digest) == 0);
}

static bool is_of_datasets(const ModelSearch *search, const Query *query, int column, Arena *arena)
{
    const LoggedModelFilter *filter = search->filter;

    for (size_t i = 0; i < filter->dataset_count; i++)
        if (is_of_dataset(query, column, filter->datasets[i], arena))
            return true;
    return filter->dataset_count == 0;
}

/* model_key, value, is_nan, dataset_name, dataset_digest: the newest of a model last. */
static Query query_metric(const ModelSearch *search, const char *key)
{
    KeyList keys = model_search_experiments(search, 1);

    keys.values[1] = db_text(key);
    return key_list_query(&keys, search->scope->db,
                          "SELECT model_key, value, is_nan, dataset_name, dataset_digest"
                          "  FROM logged_model_metrics"
                          " WHERE key_id = (SELECT id FROM metric_keys WHERE name = $1)"
                          "   AND" OF_EXPERIMENTS " ORDER BY model_key, timestamp, step, run_key",
                          search->scope->arena);
}

static Query query_pairs(const ModelSearch *search, const SearchClause *clause)
{
    KeyList keys = model_search_experiments(search, 1);

    keys.values[1] = db_text(clause->key);
    return key_list_query(&keys, search->scope->db,
                          clause->entity == SEARCH_TAG
                              ? "SELECT model_key, value FROM logged_model_tags"
                                " WHERE key = $1 AND" OF_EXPERIMENTS " ORDER BY model_key"
                              : "SELECT model_key, value FROM logged_model_params"
                                " WHERE key = $1 AND" OF_EXPERIMENTS " ORDER BY model_key",
                          search->scope->arena);
}

static double metric_value(const Query *query)
{
    return metric_value_read(query_double(query, 1), query_int(query, 2));
}

static bool row_satisfies(const ModelSearch *search, const SearchClause *clause, const Query *query,
                          Arena *arena)
{
    if (clause->entity != SEARCH_METRIC)
        return search_matches_text(clause, query_text(query, 1, arena));
    return search_matches_number(clause, metric_value(query)) &&
           is_of_datasets(search, query, 3, arena);
}

/* number: of the clause; those that satisfied all before it are asked. */
static bool apply_clause(ModelSearch *search, const SearchClause *clause, size_t number)
{
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    CLEANUP(query_finalize)
    Query query = clause->entity == SEARCH_METRIC ? query_metric(search, clause->key)
                                                  : query_pairs(search, clause);
    size_t at = 0;

    while (query_next(&query)) {
        Candidate *candidate = candidate_of(search, &at, query_int(&query, 0));

        if (candidate && candidate->satisfied == number &&
            row_satisfies(search, clause, &query, row))
            candidate->satisfied++;
        arena_reset(row);
    }
    return query_end(&query, &search->scope->error);
}

/* Of models that the filter asks no metric of: any point on one of the data sets will do. */
static bool apply_datasets(ModelSearch *search, size_t number)
{
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    KeyList keys = model_search_experiments(search, 0);
    CLEANUP(query_finalize)
    Query query =
        key_list_query(&keys, search->scope->db,
                       "SELECT DISTINCT model_key, dataset_name, dataset_digest"
                       "  FROM logged_model_metrics WHERE" OF_EXPERIMENTS " ORDER BY model_key",
                       search->scope->arena);
    size_t at = 0;

    while (query_next(&query)) {
        Candidate *candidate = candidate_of(search, &at, query_int(&query, 0));

        if (candidate && candidate->satisfied == number && is_of_datasets(search, &query, 1, row))
            candidate->satisfied++;
        arena_reset(row);
    }
    return query_end(&query, &search->scope->error);
}

static void keep_satisfied(ModelSearch *search, size_t number)
{
    size_t kept = 0;

    for (size_t i = 0; i < search->count; i++)
        if (search->items[i].satisfied == number)
            search->items[kept++] = search->items[i];
    search->count = kept;
}

bool model_search_apply_clauses(ModelSearch *search)
{
    bool has_metric = false;
    size_t number = 0;

    for (; number < search->clauses.count; number++) {
        const SearchClause *clause = &search->clauses.items[number];

        has_metric = has_metric || clause->entity == SEARCH_METRIC;
        if (!apply_clause(search, clause, number))
            return false;
    }
    if (search->filter->dataset_count && !has_metric && !apply_datasets(search, number++))
        return false;
    keep_satisfied(search, number);
    return true;
}

/* The last row of a model that is on the order's data is its newest. */
static bool load_order(ModelSearch *search, size_t number)
{
    DatasetReference dataset = search->filter->orders[number].dataset;
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    CLEANUP(query_finalize) Query query = query_metric(search, search->orders[number].key);
    size_t at = 0;

    while (query_next(&query)) {
        Candidate *candidate = candidate_of(search, &at, query_int(&query, 0));

        if (candidate && (!dataset.name || is_of_dataset(&query, 3, dataset, row)))
            candidate->values[number] = order_value_of_number(metric_value(&query));
        arena_reset(row);
    }
    return query_end(&query, &search->scope->error);
}

bool model_search_load_orders(ModelSearch *search)
{
    for (size_t i = 0; i < search->filter->order_count; i++)
        if (search->orders[i].entity == SEARCH_METRIC && !load_order(search, i))
            return false;
    return true;
}

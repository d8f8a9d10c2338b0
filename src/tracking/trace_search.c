/* trace_search.c: traces by MLflow's filters and orders.
 *
 * Each key of the grammar is an expression of SQL over a trace's row. A clause is a condition on
 * its expression that the store decides, or, where it is a LIKE, one more column that is matched
 * here, because no two stores agree on its case. The store orders; with columns to match, rows come
 * one by one and are counted here. */

#include <string.h>

#include "tracking/search_filter.h"
#include "tracking/trace_internal.h"

enum { VALUES_MAX = 4000, MATCHED_MAX = 16, OFFSET_MAX = 1000000000 };

typedef struct Search {
    Scope *scope;
    const TraceFilter *filter;
    TextBuilder columns, where, order;
    struct {
        DbValue *items; /* the first is $1 */
        size_t count;
    } values;
    const SearchClause *matched[MATCHED_MAX]; /* by the columns behind a trace's own */
    size_t matched_count;
} Search;

static const struct {
    const char *key, *sql;
} attributes[] = {
    {"request_id", "traces.id"},
    {"timestamp_ms", "traces.requested_at"},
    {"execution_time_ms", "traces.duration"},
    {"end_time_ms", "(traces.requested_at + traces.duration)"},
    {"status", "traces.status"},
    {"client_request_id", "traces.client_request_id"},
    {"experiment_id", "traces.experiment_id"},
};

/* Its number. */
static size_t add_value(Search *search, DbValue value)
{
    *arena_push(search->scope->arena, &search->values) = value;
    return search->values.count;
}

static const char *note_sql(Search *search, SearchEntity entity, const char *key)
{
    return arena_format(
        search->scope->arena, "(SELECT value FROM %s WHERE trace_key = traces.key AND key = $%zu)",
        entity == SEARCH_TAG ? "trace_tags" : "trace_metadata", add_value(search, db_text(key)));
}

static const char *expression(Search *search, SearchEntity entity, const char *key)
{
    if (entity != SEARCH_ATTRIBUTE)
        return note_sql(search, entity, key);
    if (strcmp(key, "name") == 0)
        return note_sql(search, SEARCH_TAG, TRACE_NAME_TAG);
    if (strcmp(key, "run_id") == 0)
        return note_sql(search, SEARCH_METADATA, TRACE_RUN_METADATA);
    for (size_t i = 0; i < COUNT(attributes); i++)
        if (strcmp(attributes[i].key, key) == 0)
            return attributes[i].sql;
    return "NULL";
}

static bool is_run(const SearchClause *clause)
{
    return clause->entity == SEARCH_ATTRIBUTE && strcmp(clause->key, "run_id") == 0;
}

static void add_list(Search *search, const char *sql, const SearchClause *clause)
{
    text_append_format(&search->where, "%s%s (", sql,
                       clause->comparator == SEARCH_IN ? " IN" : " NOT IN");
    for (size_t i = 0; i < clause->list.count; i++)
        text_append_format(&search->where, "%s$%zu", i ? ", " : "",
                           add_value(search, db_text(clause->list.items[i])));
    text_append(&search->where, ")");
}

static void add_condition(Search *search, const char *sql, const SearchClause *clause)
{
    switch (clause->value) {
    case SEARCH_NOTHING:
        text_append_format(&search->where, "%s %s", sql,
                           search_comparator_name(clause->comparator));
        break;
    case SEARCH_LIST:
        add_list(search, sql, clause);
        break;
    case SEARCH_NUMBER:
        text_append_format(&search->where, "%s %s $%zu", sql,
                           search_comparator_name(clause->comparator),
                           add_value(search, db_double(clause->number)));
        break;
    default:
        text_append_format(&search->where, "%s %s $%zu", sql,
                           search_comparator_name(clause->comparator),
                           add_value(search, db_text(clause->text)));
    }
}

/* Runs have the traces that were made in them, and those that were linked to them. */
static void add_run_condition(Search *search, const char *sql, const SearchClause *clause)
{
    text_append(&search->where, " AND (");
    add_condition(search, sql, clause);
    if (clause->comparator == SEARCH_EQUAL || clause->comparator == SEARCH_IN) {
        text_append(&search->where,
                    " OR EXISTS (SELECT 1 FROM trace_runs WHERE trace_key = traces.key AND ");
        add_condition(search, "run_id", clause);
        text_append(&search->where, ")");
    }
    text_append(&search->where, ")");
}

static bool add_clause(Search *search, const SearchClause *clause)
{
    const char *sql = expression(search, clause->entity, clause->key);

    if (clause->comparator == SEARCH_LIKE || clause->comparator == SEARCH_ILIKE) {
        if (search->matched_count == MATCHED_MAX)
            return fail_field(&search->scope->error, "filter",
                              "a filter of traces has at most %d LIKE clauses", MATCHED_MAX);
        text_append_format(&search->columns, ", %s", sql);
        search->matched[search->matched_count++] = clause;
        return true;
    }
    if (is_run(clause)) {
        add_run_condition(search, sql, clause);
        return true;
    }
    text_append(&search->where, " AND ");
    add_condition(search, sql, clause);
    return true;
}

static bool add_clauses(Search *search)
{
    Scope *scope = search->scope;
    SearchFilter filter = {0};

    if (!search_filter_parse(&search_traces, search->filter->filter, scope->arena, &filter,
                             &scope->error))
        return false;
    for (size_t i = 0; i < filter.count; i++)
        if (!add_clause(search, &filter.items[i]))
            return false;
    return true;
}

static bool orders_by(const SearchOrderList *orders, const char *key)
{
    for (size_t i = 0; i < orders->count; i++)
        if (orders->items[i].entity == SEARCH_ATTRIBUTE && strcmp(orders->items[i].key, key) == 0)
            return true;
    return false;
}

/* What is missing comes last in both directions. */
static bool add_orders(Search *search)
{
    Scope *scope = search->scope;
    SearchOrderList orders = {0};

    if (!search_orders_parse(&search_traces, &search->filter->order_by, scope->arena, &orders,
                             &scope->error))
        return false;
    for (size_t i = 0; i < orders.count; i++) {
        const SearchOrder *order = &orders.items[i];
        const char *sql = expression(search, order->entity, order->key);

        text_append(&search->order, i ? ", " : "");
        if (order->entity != SEARCH_ATTRIBUTE || strcmp(order->key, "timestamp_ms") != 0)
            text_append_format(&search->order, "%s IS NULL, ", sql);
        text_append_format(&search->order, "%s%s", sql, order->is_descending ? " DESC" : "");
    }
    text_append(&search->order, orders.count ? ", " : "");
    if (!orders_by(&orders, "timestamp_ms"))
        text_append(&search->order, "traces.requested_at DESC, ");
    text_append(&search->order, "traces.id");
    return true;
}

static void add_experiments(Search *search)
{
    const TraceFilter *filter = search->filter;

    text_append(&search->where, "traces.experiment_id IN (");
    for (size_t i = 0; i < filter->experiment_count; i++)
        text_append_format(&search->where, "%s$%zu", i ? ", " : "",
                           add_value(search, db_int(filter->experiment_ids[i])));
    text_append(&search->where, ")");
}

static Query start(Search *search)
{
    Arena *arena = search->scope->arena;
    const TraceFilter *filter = search->filter;
    TextBuilder sql = {.arena = arena};
    DbValue *values;

    text_append_format(&sql, "SELECT " TRACE_COLUMNS "%s FROM traces WHERE %s ORDER BY %s",
                       text_built(&search->columns), text_built(&search->where),
                       text_built(&search->order));
    if (!search->matched_count)
        text_append_format(&sql, " LIMIT $%zu OFFSET $%zu",
                           add_value(search, db_int(filter->limit + 1)),
                           add_value(search, db_int(filter->offset)));
    values = arena_array(arena, DbValue, search->values.count + 1);
    memcpy(values + 1, search->values.items, search->values.count * sizeof(DbValue));
    return db_query_values(search->scope->db, text_built(&sql), values, search->values.count + 1);
}

static bool matches(const Search *search, const Query *query, Arena *row)
{
    for (size_t i = 0; i < search->matched_count; i++) {
        const char *text = query_text(query, TRACE_COLUMN_COUNT + (int)i, row);

        if (!text || !search_matches_text(search->matched[i], text))
            return false;
    }
    return true;
}

static bool read_page(Search *search, TraceList *list, bool *has_more)
{
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    CLEANUP(query_finalize) Query query = start(search);
    int64_t skip = search->matched_count ? search->filter->offset : 0;
    TraceList taken = {0};

    *has_more = false;
    while (!*has_more && query_next(&query)) {
        bool is_match = matches(search, &query, row);

        arena_reset(row);
        if (!is_match || skip-- > 0)
            continue;
        *has_more = (int64_t)taken.count == search->filter->limit;
        if (!*has_more)
            *arena_push(search->scope->arena, &taken) =
                trace_from_row(&query, search->scope->arena);
    }
    if (!*has_more && !query_end(&query, &search->scope->error))
        return false;
    *list = taken;
    return true;
}

static bool check(const Search *search)
{
    const TraceFilter *filter = search->filter;
    Error *error = &search->scope->error;

    if (filter->limit < 1 || filter->limit > TRACE_PAGE_MAX)
        return fail_field(error, "max_results", "a page has 1 to %d traces", TRACE_PAGE_MAX);
    if (filter->offset < 0 || filter->offset > OFFSET_MAX)
        return fail_field(error, "page_token", "no page begins there");
    if (filter->experiment_count > TRACE_EXPERIMENTS_MAX)
        return fail_field(error, "locations", "a search takes at most %d experiments",
                          TRACE_EXPERIMENTS_MAX);
    return true;
}

bool trace_search(Scope *scope, const TraceFilter *filter, TraceList *list, bool *has_more)
{
    Search search = {
        .scope = scope,
        .filter = filter,
        .columns.arena = scope->arena,
        .where.arena = scope->arena,
        .order.arena = scope->arena,
    };
    TraceList taken = {0};
    bool more = false;

    if (!check(&search))
        return false;
    add_experiments(&search);
    if (!add_clauses(&search) || !add_orders(&search))
        return false;
    if (search.values.count > VALUES_MAX)
        return fail_field(&scope->error, "filter", "a filter of traces has at most %d values",
                          VALUES_MAX);
    if (filter->experiment_count &&
        (!read_page(&search, &taken, &more) || !trace_load_details(scope, &taken)))
        return false;
    *list = taken;
    *has_more = more;
    return true;
}

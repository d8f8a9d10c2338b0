#include "registry/model_search.h"

#include <string.h>
#include <strings.h>

#include "registry/model_internal.h"
#include "store/statement.h"
#include "tracking/search_filter.h"

/* LIKE is matched here, for no two stores agree on its case; all else is the store's. */
typedef struct Noun {
    const SearchGrammar *grammar;
    const char *id, *from;
    const char *tag; /* the value of the tag "?" */
    const char *no_prompts;
    const char *default_order, *ties;
    struct {
        const char *key, *sql;
    } columns[6];
} Noun;

static const Noun models = {
    .grammar = &search_registered_models,
    .id = "models.id",
    .from = " FROM models WHERE true",
    .tag = "(SELECT value FROM model_tags WHERE model_id = models.id AND key = ?)",
    .no_prompts = " AND NOT EXISTS (SELECT 1 FROM model_tags WHERE model_id = models.id"
                  "                    AND key = '" MODEL_PROMPT_TAG "' AND value = 'true')",
    .default_order = "",
    .ties = "models.name",
    .columns = {{"name", "models.name"}, {"last_updated_timestamp", "models.updated_at"}},
};

static const Noun versions = {
    .grammar = &search_model_versions,
    .id = "v.id",
    .from = " FROM model_versions v JOIN models ON models.id = v.model_id"
            " WHERE v.deleted_at IS NULL",
    .tag = "(SELECT value FROM model_version_tags WHERE model_version_id = v.id AND key = ?)",
    .no_prompts = " AND NOT EXISTS (SELECT 1 FROM model_tags WHERE model_id = v.model_id"
                  "                    AND key = '" MODEL_PROMPT_TAG "' AND value = 'true')"
                  " AND NOT EXISTS (SELECT 1 FROM model_version_tags WHERE model_version_id = v.id"
                  "                    AND key = '" MODEL_PROMPT_TAG "' AND value = 'true')",
    .default_order = "v.updated_at DESC, ",
    .ties = "models.name, v.version DESC",
    .columns = {{"name", "models.name"},
                {"version_number", "v.version"},
                {"run_id", "v.run_id"},
                {"source_path", "coalesce(v.source, 'runs:/' || v.run_id || '/model')"},
                {"creation_timestamp", "v.created_at"},
                {"last_updated_timestamp", "v.updated_at"}},
};

static bool is_prompt_clause(const SearchClause *clause)
{
    return clause->entity == SEARCH_TAG && strcmp(clause->key, MODEL_PROMPT_TAG) == 0;
}

static bool asks_for_prompts(const SearchFilter *filter)
{
    for (size_t i = 0; i < filter->count; i++) {
        const SearchClause *clause = &filter->items[i];
        bool differs = clause->comparator == SEARCH_DIFFERENT;

        if (is_prompt_clause(clause))
            return (clause->comparator == SEARCH_EQUAL || differs) &&
                   strcasecmp(clause->text, differs ? "false" : "true") == 0;
    }
    return false;
}

/* Nobody asks for prompts: what is said about their tag does not count besides. */
static void drop_prompt_clauses(SearchFilter *filter)
{
    size_t kept = 0;

    for (size_t i = 0; i < filter->count; i++)
        if (!is_prompt_clause(&filter->items[i]))
            filter->items[kept++] = filter->items[i];
    filter->count = kept;
}

static const char *column_of(const Noun *noun, const char *key)
{
    for (size_t i = 0; i < COUNT(noun->columns); i++)
        if (noun->columns[i].key && strcmp(noun->columns[i].key, key) == 0)
            return noun->columns[i].sql;
    return "NULL"; /* a key of the grammar that has no column: never true */
}

/* The value that the clause is about. */
static void add_subject(Statement *statement, const Noun *noun, const SearchClause *clause)
{
    if (clause->entity == SEARCH_TAG)
        statement_add_value(statement, noun->tag, db_text(clause->key));
    else
        statement_add(statement, column_of(noun, clause->key));
}

static bool is_like(const SearchClause *clause)
{
    return clause->comparator == SEARCH_LIKE || clause->comparator == SEARCH_ILIKE;
}

static bool has_like(const SearchFilter *filter)
{
    for (size_t i = 0; i < filter->count; i++)
        if (is_like(&filter->items[i]))
            return true;
    return false;
}

static void add_comparison(Statement *statement, const Noun *noun, const SearchClause *clause)
{
    static const char *const operators[] = {
        [SEARCH_EQUAL] = " = ?",    [SEARCH_DIFFERENT] = " <> ?",
        [SEARCH_GREATER] = " > ?",  [SEARCH_GREATER_EQUAL] = " >= ?",
        [SEARCH_LESS] = " < ?",     [SEARCH_LESS_EQUAL] = " <= ?",
        [SEARCH_IN] = " IN ",       [SEARCH_NOT_IN] = " NOT IN ",
        [SEARCH_NULL] = " IS NULL", [SEARCH_NOT_NULL] = " IS NOT NULL",
    };
    const char *sql = operators[clause->comparator];

    add_subject(statement, noun, clause);
    if (clause->value == SEARCH_TEXT) {
        statement_add_value(statement, sql, db_text(clause->text));
    } else if (clause->value == SEARCH_NUMBER) {
        statement_add_value(statement, sql, db_double(clause->number));
    } else {
        statement_add(statement, sql);
        if (clause->value == SEARCH_LIST)
            statement_add_texts(statement, &clause->list);
    }
}

/* What has no run differs from every run; what has no such tag is not asked. */
static void add_condition(Statement *statement, const Noun *noun, const SearchClause *clause)
{
    bool is_negative =
        clause->comparator == SEARCH_DIFFERENT || clause->comparator == SEARCH_NOT_IN;

    statement_add(statement, " AND (");
    add_comparison(statement, noun, clause);
    if (is_negative && clause->entity == SEARCH_ATTRIBUTE) {
        statement_add(statement, " OR ");
        add_subject(statement, noun, clause);
        statement_add(statement, " IS NULL");
    }
    statement_add(statement, ")");
}

static void add_order(Statement *statement, const Noun *noun, const SearchOrderList *orders)
{
    statement_add(statement, " ORDER BY ");
    for (size_t i = 0; i < orders->count; i++) {
        statement_add(statement, column_of(noun, orders->items[i].key));
        statement_add(statement, orders->items[i].is_descending ? " DESC, " : " ASC, ");
    }
    statement_add(statement, orders->count ? "" : noun->default_order);
    statement_add(statement, noun->ties);
}

/* ids[0], then what each LIKE is about. */
static Statement compose(const Noun *noun, const SearchFilter *filter,
                         const SearchOrderList *orders, bool no_prompts, Arena *arena)
{
    Statement statement = statement_create(arena);

    statement_add(&statement, "SELECT ");
    statement_add(&statement, noun->id);
    for (size_t i = 0; i < filter->count; i++)
        if (is_like(&filter->items[i])) {
            statement_add(&statement, ", ");
            add_subject(&statement, noun, &filter->items[i]);
        }
    statement_add(&statement, noun->from);
    for (size_t i = 0; i < filter->count; i++)
        if (!is_like(&filter->items[i]))
            add_condition(&statement, noun, &filter->items[i]);
    statement_add(&statement, no_prompts ? noun->no_prompts : "");
    add_order(&statement, noun, orders);
    return statement;
}

static bool row_matches(const Query *query, const SearchFilter *filter, Arena *arena)
{
    int column = 0;

    for (size_t i = 0; i < filter->count; i++) {
        if (!is_like(&filter->items[i]))
            continue;
        column++;
        if (query_is_null(query, column) ||
            !search_matches_text(&filter->items[i], query_text(query, column, arena)))
            return false;
    }
    return true;
}

typedef struct IdList {
    int64_t *items;
    size_t count;
} IdList;

/* Where no row is left out here, the store need not sort more than it gives. */
static void add_limit(Statement *statement, const SearchFilter *filter, const ModelSearch *search)
{
    if (!has_like(filter) && search->offset < INT64_MAX - search->limit)
        statement_add_value(statement, " LIMIT ?", db_int(search->offset + search->limit + 1));
}

/* Rows are skipped and counted here, as some of them do not match. */
static bool read_ids(Scope *scope, Query *query, const SearchFilter *filter,
                     const ModelSearch *search, IdList *ids)
{
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    int64_t left = search->offset;

    while ((int64_t)ids->count <= search->limit && query_next(query)) {
        bool matches = row_matches(query, filter, row);

        arena_reset(row);
        if (matches && left-- <= 0)
            *arena_push(scope->arena, ids) = query_int(query, 0);
    }
    return query_end(query, &scope->error);
}

static bool find_ids(Scope *scope, const Noun *noun, const ModelSearch *search, IdList *ids,
                     bool *has_more)
{
    SearchFilter filter;
    SearchOrderList orders;
    bool no_prompts;

    if (!search_filter_parse(noun->grammar, search->filter, scope->arena, &filter, &scope->error) ||
        !search_orders_parse(noun->grammar, &search->orders, scope->arena, &orders, &scope->error))
        return false;
    no_prompts = !asks_for_prompts(&filter);
    if (no_prompts)
        drop_prompt_clauses(&filter);

    Statement statement = compose(noun, &filter, &orders, no_prompts, scope->arena);

    add_limit(&statement, &filter, search);

    CLEANUP(query_finalize) Query query = statement_query(&statement, scope->db);

    if (!read_ids(scope, &query, &filter, search, ids))
        return false;
    *has_more = (int64_t)ids->count > search->limit;
    ids->count -= *has_more;
    return true;
}

bool model_search(Scope *scope, const ModelSearch *search, ModelOverviewList *list, bool *has_more)
{
    ModelOverviewList taken = {0};
    IdList ids = {0};

    if (!find_ids(scope, &models, search, &ids, has_more))
        return false;
    for (size_t i = 0; i < ids.count; i++) {
        ModelOverview *overview = arena_push(scope->arena, &taken);

        *overview = (ModelOverview){0};
        if (!model_overview_by_id(scope, ids.items[i], overview))
            return false;
    }
    *list = taken;
    return true;
}

bool model_version_search(Scope *scope, const ModelSearch *search, ModelVersionList *list,
                          bool *has_more)
{
    IdList ids = {0};

    return find_ids(scope, &versions, search, &ids, has_more) &&
           model_version_list_by_ids(scope, ids.items, ids.count, list);
}

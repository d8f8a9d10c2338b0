/* logged_model_search.c: logged models by MLflow's filters and orders.
 *
 * Experiments have thousands of models, not millions: all of theirs are candidates, each clause
 * leaves those that satisfy it, and the page is cut from what is left in order. Only where nothing
 * but the index of the newest is needed does the store cut the page. */

#include <stdlib.h>
#include <string.h>

#include "tracking/logged_model_search_internal.h"

enum { LIMIT_DEFAULT = 50, OFFSET_MAX = 1000000000 };

/* ---- what is asked ---- */

/* The statuses have a name for people and one for the wire, and a number. */
static const char *status_word(const char *given)
{
    static const char *const words[][2] = {
        {"LOGGED_MODEL_PENDING", "PENDING"},      {"1", "PENDING"},
        {"LOGGED_MODEL_READY", "READY"},          {"2", "READY"},
        {"LOGGED_MODEL_UPLOAD_FAILED", "FAILED"}, {"3", "FAILED"},
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(given, words[i][0]) == 0)
            return words[i][1];
    return given;
}

static void take_attribute(ModelSearch *search, SearchClause clause)
{
    static const char *const fast[] = {"name", "model_id", "source_run_id"};

    if (strcmp(clause.key, "status") == 0) {
        if (clause.value == SEARCH_TEXT)
            clause.text = status_word(clause.text);
        for (size_t i = 0; i < clause.list.count; i++)
            clause.list.items[i] = status_word(clause.list.items[i]);
    }
    *arena_push(search->scope->arena, &search->attributes) = clause;
    for (size_t i = 0; i < COUNT(fast); i++)
        if (clause.comparator == SEARCH_EQUAL && strcmp(clause.key, fast[i]) == 0)
            search->fast = clause;
}

static bool read_filter(ModelSearch *search)
{
    Scope *scope = search->scope;
    SearchFilter filter = {0};

    if (!search_filter_parse(&search_logged_models, search->filter->filter, scope->arena, &filter,
                             &scope->error))
        return false;
    for (size_t i = 0; i < filter.count; i++) {
        if (filter.items[i].entity == SEARCH_ATTRIBUTE)
            take_attribute(search, filter.items[i]);
        else
            *arena_push(scope->arena, &search->clauses) = filter.items[i];
    }
    return true;
}

static bool read_orders(ModelSearch *search)
{
    Scope *scope = search->scope;
    const LoggedModelFilter *filter = search->filter;

    if (filter->order_count > SEARCH_ORDERS_MAX)
        return fail_field(&scope->error, "order_by", "a search has at most %d orders",
                          SEARCH_ORDERS_MAX);
    search->orders = arena_array(scope->arena, SearchOrder, filter->order_count + 1);
    for (size_t i = 0; i < filter->order_count; i++)
        if (!search_key_parse(&search_logged_models, filter->orders[i].field, scope->arena,
                              &search->orders[i], &scope->error))
            return false;
    return true;
}

static bool check_filter(ModelSearch *search)
{
    const LoggedModelFilter *filter = search->filter;
    Error *error = &search->scope->error;

    if (filter->limit < 0 || filter->offset < 0 || filter->offset > OFFSET_MAX)
        return fail_field(error, "max_results", "a page has 1 to %d logged models",
                          LOGGED_MODEL_LIMIT_MAX);
    if (filter->experiment_count > LOGGED_MODEL_EXPERIMENTS_MAX)
        return fail_field(error, "experiment_ids", "a search takes at most %d experiments",
                          LOGGED_MODEL_EXPERIMENTS_MAX);
    if (filter->dataset_count > LOGGED_MODEL_DATASETS_MAX)
        return fail_field(error, "datasets", "a search takes at most %d data sets",
                          LOGGED_MODEL_DATASETS_MAX);
    search->limit = filter->limit ? filter->limit : LIMIT_DEFAULT;
    if (search->limit > LOGGED_MODEL_LIMIT_MAX)
        search->limit = LOGGED_MODEL_LIMIT_MAX;
    return true;
}

/* ---- candidates ---- */

static OrderValue attribute_of(const LoggedModel *model, const char *key)
{
    const struct {
        const char *key;
        OrderValue value;
    } attributes[] = {
        {"name", {VALUE_TEXT, 0, model->name}},
        {"model_id", {VALUE_TEXT, 0, model->id}},
        {"model_type", {VALUE_TEXT, 0, model->model_type}},
        {"status", {VALUE_TEXT, 0, logged_model_status_name(model->status)}},
        {"source_run_id", {VALUE_TEXT, 0, model->source_run_id}},
        {"creation_timestamp", order_value_of_number((double)model->created_at)},
        {"last_updated_timestamp", order_value_of_number((double)model->updated_at)},
    };

    for (size_t i = 0; i < COUNT(attributes); i++)
        if (strcmp(attributes[i].key, key) == 0)
            return attributes[i].value;
    return (OrderValue){0};
}

static bool has_attributes(const ModelSearch *search, const LoggedModel *model)
{
    for (size_t i = 0; i < search->attributes.count; i++) {
        const SearchClause *clause = &search->attributes.items[i];
        OrderValue value = attribute_of(model, clause->key);

        if (value.type == VALUE_TEXT ? !search_matches_text(clause, value.text)
                                     : !search_matches_number(clause, value.number))
            return false;
    }
    return true;
}

/* The model goes with its row; what the order needs of it stays. */
static void add_candidate(ModelSearch *search, const LoggedModel *model)
{
    Arena *arena = search->scope->arena;
    size_t count = search->filter->order_count;
    Candidate *candidate = arena_push(arena, search);

    *candidate = (Candidate){
        .key = model->key,
        .created_at = model->created_at,
        .id = arena_text(arena, model->id),
        .values = arena_array(arena, OrderValue, count + 1),
    };
    for (size_t i = 0; i < count; i++) {
        if (search->orders[i].entity != SEARCH_ATTRIBUTE)
            continue;
        candidate->values[i] = attribute_of(model, search->orders[i].key);
        candidate->values[i].text = arena_text(arena, candidate->values[i].text);
    }
}

static Query query_candidates(ModelSearch *search)
{
    static const char *const columns[][2] = {
        {"name", " AND name = $1"},
        {"model_id", " AND id = $1"},
        {"source_run_id", " AND source_run_id = $1"},
    };
    TextBuilder sql = {.arena = search->scope->arena};
    KeyList keys =
        model_search_experiments(search, (size_t)(search->fast.key != NULL) + search->is_cut);

    text_append(&sql, SELECT_LOGGED_MODEL_COLUMNS
                " FROM logged_models WHERE deleted_at IS NULL AND experiment_id IN ?");
    for (size_t i = 0; search->fast.key && i < COUNT(columns); i++)
        if (strcmp(search->fast.key, columns[i][0]) == 0)
            text_append(&sql, columns[i][1]);
    if (search->fast.key)
        keys.values[1] = db_text(search->fast.text);
    if (search->is_cut) {
        text_append_format(&sql, " ORDER BY created_at DESC, id LIMIT $%zu", keys.others);
        keys.values[keys.others] = db_int(search->filter->offset + search->limit + 1);
    }
    return key_list_query(&keys, search->scope->db, text_built(&sql), search->scope->arena);
}

static bool read_candidates(ModelSearch *search)
{
    CLEANUP(arena_cleanup) Arena *row = arena_create();
    CLEANUP(query_finalize) Query query = query_candidates(search);

    while (query_next(&query)) {
        LoggedModel model = logged_model_from_columns(&query, row);

        if (has_attributes(search, &model))
            add_candidate(search, &model);
        arena_reset(row);
    }
    return query_end(&query, &search->scope->error);
}

/* ---- the page ---- */

static int compare_keys(const void *left, const void *right)
{
    int64_t a = ((const Candidate *)left)->key, b = ((const Candidate *)right)->key;

    return (a > b) - (a < b);
}

static int rank(const OrderValue *value)
{
    return value->type == VALUE_MISSING ? 2 : value->type == VALUE_NAN;
}

static int compare_values(const OrderValue *a, const OrderValue *b, bool is_descending)
{
    int order = rank(a) - rank(b);

    if (order || rank(a))
        return order;
    if (a->type == VALUE_TEXT)
        order = strcmp(a->text, b->text);
    else
        order = (a->number > b->number) - (a->number < b->number);
    return is_descending ? -order : order;
}

static int compare_candidates(const void *left, const void *right, void *context)
{
    const Candidate *a = left, *b = right;
    const LoggedModelFilter *filter = context;

    for (size_t i = 0; i < filter->order_count; i++) {
        int order = compare_values(&a->values[i], &b->values[i], filter->orders[i].is_descending);

        if (order)
            return order;
    }
    if (a->created_at != b->created_at)
        return a->created_at < b->created_at ? 1 : -1;
    return strcmp(a->id, b->id);
}

static bool load_page(const ModelSearch *search, size_t start, size_t count, LoggedModelList *list)
{
    Scope *scope = search->scope;
    LoggedModelList taken = {arena_array(scope->arena, LoggedModel, count + 1), count};
    KeyList keys;

    if (count == 0)
        return true;
    keys = key_list_create(scope->arena, 0, count);
    for (size_t i = 0; i < count; i++)
        key_list_set(&keys, i, search->items[start + i].key);

    CLEANUP(query_finalize)
    Query query =
        key_list_query(&keys, scope->db, SELECT_LOGGED_MODEL " WHERE key IN ?", scope->arena);

    while (query_next(&query)) {
        size_t at = 0;

        while (search->items[start + at].key != query_int(&query, 0))
            at++;
        taken.items[at] = logged_model_from_row(&query, scope->arena);
    }
    if (!query_end(&query, &scope->error) || !logged_model_load_details(scope, &taken))
        return false;
    *list = taken;
    return true;
}

static bool find(ModelSearch *search)
{
    const LoggedModelFilter *filter = search->filter;

    search->is_cut = !search->clauses.count && !filter->dataset_count && !filter->order_count &&
                     search->attributes.count == (search->fast.key != NULL);
    if (!read_candidates(search))
        return false;
    if (search->is_cut)
        return true;
    if (search->count)
        qsort(search->items, search->count, sizeof(Candidate), compare_keys);
    if (!model_search_apply_clauses(search) || !model_search_load_orders(search))
        return false;
    if (search->count)
        qsort_r(search->items, search->count, sizeof(Candidate), compare_candidates,
                (void *)filter);
    return true;
}

bool logged_model_search(Scope *scope, const LoggedModelFilter *filter, LoggedModelList *list,
                         bool *has_more)
{
    ModelSearch search = {.scope = scope, .filter = filter};
    LoggedModelList taken = {0};
    size_t start, count;

    if (!check_filter(&search) || !read_filter(&search) || !read_orders(&search) ||
        (filter->experiment_count && !find(&search)))
        return false;
    start = (size_t)filter->offset < search.count ? (size_t)filter->offset : search.count;
    count = search.count - start;
    if (count > (size_t)search.limit)
        count = (size_t)search.limit;
    if (!load_page(&search, start, count, &taken))
        return false;
    *list = taken;
    *has_more = start + count < search.count;
    return true;
}

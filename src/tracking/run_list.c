/* run_list.c: pages of runs. The SQL is put together from constant parts; what the user said is
 * bound. */

#include <stdlib.h>
#include <string.h>

#include "store/statement.h"
#include "tracking/run_internal.h"
#include "tracking/run_trial.h"

enum { LIMIT_DEFAULT = 100, EXPERIMENTS_MAX = 1000 };

typedef struct Order {
    const char *column; /* of runs; or NULL */
    const char *metric; /* a key; or NULL */
    const char *param;  /* a key; or NULL */
    bool is_descending;
} Order;

static const char *const order_columns[] = {"started_at", "ended_at", "name", "status", "id"};

static bool take_direction(const char *word, Order *order)
{
    if (strcasecmp(word, "asc") != 0 && strcasecmp(word, "desc") != 0)
        return false;
    order->is_descending = strcasecmp(word, "desc") == 0;
    return true;
}

static const char *key_behind(const char *name, const char *plural)
{
    size_t length = strlen(plural);

    if (strncmp(name, plural, length) == 0 && name[length] == '.' && name[length + 1])
        return name + length + 1;
    return NULL;
}

static bool take_subject(const char *name, Order *order)
{
    order->metric = key_behind(name, "metrics");
    order->param = key_behind(name, "params");
    for (size_t i = 0; i < COUNT(order_columns); i++)
        if (strcmp(name, order_columns[i]) == 0)
            order->column = order_columns[i];
    return order->metric || order->param || order->column;
}

/* "metrics.f1 desc": the direction is what is behind the last space, if it is one. */
static bool parse_order(Scope *scope, const char *text, Order *order)
{
    Order parsed = {0};
    const char *space, *name;

    if (!text || !*text)
        text = "started_at desc";
    space = strrchr(text, ' ');
    name = space && take_direction(space + 1, &parsed)
               ? arena_copy(scope->arena, text, (size_t)(space - text))
               : text;
    if (!take_subject(name, &parsed))
        return fail_field(&scope->error, "order_by",
                          "runs are ordered by started_at, ended_at, name, status, id, metrics.KEY "
                          "or params.KEY, and \"asc\" or \"desc\"");
    *order = parsed;
    return true;
}

static void add_join(Statement *statement, const Order *order)
{
    if (order->metric)
        statement_add_value(statement,
                            " LEFT JOIN latest_metrics AS by ON by.run_key = runs.key"
                            " AND by.key_id = (SELECT id FROM metric_keys WHERE name = ?)",
                            db_text(order->metric));
    if (order->param)
        statement_add_value(statement,
                            " LEFT JOIN run_params AS by ON by.run_key = runs.key AND by.key = ?",
                            db_text(order->param));
}

static const char *like_pattern(const char *part, Arena *arena)
{
    TextBuilder pattern = {.arena = arena};

    text_append(&pattern, "%");
    for (; *part; part++) {
        if (strchr("%_\\", *part))
            text_append(&pattern, "\\");
        text_append_bytes(&pattern, part, 1);
    }
    text_append(&pattern, "%");
    return text_built(&pattern);
}

static void add_conditions(Statement *statement, const RunFilter *filter)
{
    static const char *const lives[] = {
        [RUN_LIFE_ACTIVE] = " WHERE runs.deleted_at IS NULL",
        [RUN_LIFE_DELETED] = " WHERE runs.deleted_at IS NOT NULL",
        [RUN_LIFE_ALL] = " WHERE true",
    };

    statement_add(statement, lives[filter->life]);
    if (filter->experiment_count) {
        statement_add(statement, " AND runs.experiment_id IN ");
        statement_add_integers(statement, filter->experiment_ids, filter->experiment_count);
    }
    if (filter->status)
        statement_add_value(statement, " AND runs.status = ?", db_text(filter->status));
    if (filter->name_part)
        statement_add_value(statement, " AND lower(runs.name) LIKE lower(?) ESCAPE '\\'",
                            db_text(like_pattern(filter->name_part, statement->arena)));
    if (filter->parent)
        statement_add_value(statement,
                            " AND runs.key IN (SELECT run_key FROM run_tags"
                            "                   WHERE experiment_id IN (SELECT id FROM experiments)"
                            "                     AND key = '" RUN_PARENT_TAG "' AND start = ?)",
                            db_text(filter->parent));
    else
        statement_add(statement, " AND runs.trial_of IS NULL");
}

static void add_order(Statement *statement, const Order *order)
{
    const char *direction = order->is_descending ? " DESC" : " ASC";

    statement_add(statement, " ORDER BY ");
    if (order->metric)
        text_append_format(&statement->sql, "by.run_key IS NULL, by.is_nan, by.value%s", direction);
    else if (order->param)
        text_append_format(&statement->sql, "by.run_key IS NULL, coalesce(by.value, by.start)%s",
                           direction);
    else
        text_append_format(&statement->sql, "runs.%s%s", order->column, direction);
    statement_add(statement, ", runs.started_at DESC, runs.id");
}

static bool check_filter(Scope *scope, const RunFilter *filter)
{
    RunStatus ignored;
    Run parent;

    if (filter->status && !run_status_find(filter->status, &ignored))
        return fail_field(&scope->error, "status",
                          "a run's status is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED");
    if (filter->limit < 0 || filter->limit > RUN_LIMIT_MAX)
        return fail_field(&scope->error, "limit", "a page has 1 to %d runs", RUN_LIMIT_MAX);
    if (filter->offset < 0)
        return fail_field(&scope->error, "offset", "an offset is 0 or more");
    if (filter->experiment_count > EXPERIMENTS_MAX)
        return fail_field(&scope->error, "experiment_id", "a list takes at most %d experiments",
                          EXPERIMENTS_MAX);
    return !filter->parent || run_find_row(scope, filter->parent, &parent);
}

static bool count_runs(Scope *scope, const RunFilter *filter, int64_t *total)
{
    Statement statement = statement_create(scope->arena);

    statement_add(&statement, "SELECT count(*) FROM runs");
    add_conditions(&statement, filter);
    return db_get_int_values(scope->db, &scope->error, total, text_built(&statement.sql),
                             statement.values.items, statement.values.count);
}

static bool read_page(Scope *scope, const RunFilter *filter, const Order *order, RunList *list)
{
    Statement statement = statement_create(scope->arena);

    statement_add(&statement, SELECT_RUN);
    add_join(&statement, order);
    add_conditions(&statement, filter);
    add_order(&statement, order);
    statement_add_value(&statement, " LIMIT ?",
                        db_int(filter->limit ? filter->limit : LIMIT_DEFAULT));
    statement_add_value(&statement, " OFFSET ?", db_int(filter->offset));

    CLEANUP(query_finalize) Query query = statement_query(&statement, scope->db);

    while (query_next(&query))
        *arena_push(scope->arena, list) = run_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool run_list(Scope *scope, const RunFilter *filter, RunList *list, int64_t *total)
{
    RunList taken = {0};
    int64_t count = 0;
    Order order = {0};

    if (!check_filter(scope, filter) || !parse_order(scope, filter->order_by, &order) ||
        !read_page(scope, filter, &order, &taken) || !run_load_details(scope, &taken) ||
        (total && !count_runs(scope, filter, &count)))
        return false;
    *list = taken;
    if (total)
        *total = count;
    return true;
}

/* ---- many runs by their keys ---- */

/* The runs of one turn, sorted by key, so that a detail finds its run. */
typedef struct Turn {
    Run *runs[SOME_KEYS_COUNT];
    size_t count;
    DbValue keys[SOME_KEYS_COUNT + 1]; /* as db_query_values() takes them */
} Turn;

static int compare_runs(const void *left, const void *right)
{
    const Run *a = *(Run *const *)left, *b = *(Run *const *)right;

    return (a->key > b->key) - (a->key < b->key);
}

static Turn turn_create(Run *runs, size_t count)
{
    Turn turn = {.count = count};

    for (size_t i = 0; i < count; i++)
        turn.runs[i] = &runs[i];
    qsort(turn.runs, count, sizeof(Run *), compare_runs);
    for (size_t i = 0; i < SOME_KEYS_COUNT; i++)
        turn.keys[i + 1] = db_int(turn.runs[i < count ? i : count - 1]->key);
    return turn;
}

static void take_param(Run *run, const Query *query, Arena *arena)
{
    *arena_push(arena, &run->params) =
        (Param){query_text(query, 1, arena), query_text(query, 2, arena)};
}

static void take_tag(Run *run, const Query *query, Arena *arena)
{
    *arena_push(arena, &run->tags) =
        (Param){query_text(query, 1, arena), query_text(query, 2, arena)};
}

/* Its name comes later. */
static void take_metric(Run *run, const Query *query, Arena *arena)
{
    *arena_push(arena, &run->metrics) = (Metric){
        .key_id = query_int(query, 1),
        .value = metric_value_read(query_double(query, 2), query_int(query, 3)),
        .timestamp = query_int(query, 4),
        .step = query_int(query, 5),
    };
}

/* Each gives the run's key first, and is ordered by it; "one" is for a run alone. */
#define DETAILS(columns, table, key)                                                               \
    "SELECT " columns " FROM " table " WHERE run_key IN " SOME_KEYS " ORDER BY run_key, " key,     \
        "SELECT " columns " FROM " table " WHERE run_key = $1 ORDER BY " key

static const struct {
    const char *some, *one;
    void (*take)(Run *run, const Query *query, Arena *arena);
} details[] = {
    {DETAILS("run_key, key, " DETAIL_VALUE, "run_params", "key"), take_param},
    {DETAILS("run_key, key, " DETAIL_VALUE, "run_tags", "key"), take_tag},
    {DETAILS("run_key, key_id, value, is_nan, timestamp, step", "latest_metrics", "key_id"),
     take_metric},
};

static bool load_detail(Scope *scope, const Turn *turn, size_t which)
{
    bool is_one = turn->count == 1;
    CLEANUP(query_finalize)
    Query query = db_query_values(scope->db, is_one ? details[which].one : details[which].some,
                                  turn->keys, is_one ? 2 : COUNT(turn->keys));
    size_t at = 0;

    while (query_next(&query)) {
        int64_t key = query_int(&query, 0);

        while (turn->runs[at]->key < key)
            at++;
        details[which].take(turn->runs[at], &query, scope->arena);
    }
    return query_end(&query, &scope->error);
}

/* ---- the names of metrics, once for all runs ---- */

typedef struct MetricName {
    int64_t id;
    const char *name;
} MetricName;

typedef struct MetricNames {
    MetricName *items; /* by id */
    size_t count;
} MetricNames;

/* Where the id is, or belongs. */
static size_t place_of(const MetricNames *names, int64_t id)
{
    size_t start = 0, end = names->count;

    while (start < end) {
        size_t middle = start + (end - start) / 2;

        if (names->items[middle].id < id)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

static bool find_name(Scope *scope, MetricNames *names, int64_t id, const char **name)
{
    size_t at = place_of(names, id);

    if (at == names->count || names->items[at].id != id) {
        CLEANUP(query_finalize)
        Query query = db_query(scope->db, "SELECT name FROM metric_keys WHERE id = $1", db_int(id));
        const char *found = query_next(&query) ? query_text(&query, 0, scope->arena) : "";

        if (!query_end(&query, &scope->error))
            return false;
        arena_push(scope->arena, names);
        memmove(&names->items[at + 1], &names->items[at],
                (names->count - 1 - at) * sizeof(*names->items));
        names->items[at] = (MetricName){id, found};
    }
    *name = names->items[at].name;
    return true;
}

static int compare_metrics(const void *left, const void *right)
{
    return strcmp(((const Metric *)left)->key, ((const Metric *)right)->key);
}

static bool name_metrics(Scope *scope, RunList *list)
{
    MetricNames names = {0};

    for (size_t i = 0; i < list->count; i++) {
        MetricList *metrics = &list->items[i].metrics;

        for (size_t j = 0; j < metrics->count; j++)
            if (!find_name(scope, &names, metrics->items[j].key_id, &metrics->items[j].key))
                return false;
        if (metrics->count)
            qsort(metrics->items, metrics->count, sizeof(*metrics->items), compare_metrics);
    }
    return true;
}

bool run_load_details(Scope *scope, RunList *list)
{
    for (size_t start = 0; start < list->count; start += SOME_KEYS_COUNT) {
        size_t left = list->count - start;
        Turn turn =
            turn_create(list->items + start, left < SOME_KEYS_COUNT ? left : SOME_KEYS_COUNT);

        for (size_t i = 0; i < COUNT(details); i++)
            if (!load_detail(scope, &turn, i))
                return false;
        if (!run_load_inputs(scope, turn.runs, turn.count))
            return false;
    }
    return name_metrics(scope, list);
}

static bool load_some_rows(Scope *scope, Turn *turn)
{
    CLEANUP(query_finalize)
    Query query =
        db_query_values(scope->db, SELECT_RUN " WHERE runs.key IN " SOME_KEYS " ORDER BY runs.key",
                        turn->keys, COUNT(turn->keys));
    size_t at = 0;

    while (query_next(&query)) {
        while (turn->runs[at]->key < query_int(&query, 0))
            at++;
        *turn->runs[at] = run_from_row(&query, scope->arena);
    }
    return query_end(&query, &scope->error);
}

bool run_load_rows(Scope *scope, const int64_t *keys, size_t count, RunList *list)
{
    RunList taken = {arena_array(scope->arena, Run, count + 1), 0};

    for (size_t start = 0; start < count; start += SOME_KEYS_COUNT) {
        size_t end = start + SOME_KEYS_COUNT < count ? start + SOME_KEYS_COUNT : count;
        Turn turn;

        for (size_t i = start; i < end; i++)
            taken.items[i].key = keys[i];
        turn = turn_create(taken.items + start, end - start);
        if (!load_some_rows(scope, &turn))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (taken.items[i].id)
            taken.items[taken.count++] = taken.items[i];
    *list = taken;
    return true;
}

/* metric_walk.c: the points of a series in order, some blocks at a time. */
#include <stdlib.h>
#include <string.h>

#include "tracking/metric_block.h"
#include "tracking/metric_series.h"

enum { TAIL = 0 }; /* its number among the blocks, which count from 1 */

typedef struct Moment {
    int64_t timestamp, step;
} Moment;

typedef struct Part {
    int64_t number; /* of a block; or TAIL */
    Moment first, last;
    int64_t count;
} Part;

typedef struct PartList {
    Part *items;
    size_t count;
} PartList;

/* A reading under way. What waits is sorted, and may be later than what the next part has. */
typedef struct Sweep {
    Scope *scope;
    const MetricWalk *walk;
    int64_t key_id;
    int64_t left_out; /* still to be */
    Arena *arena;     /* of what waits */
    MetricList waiting;
    size_t at;
    bool is_done;
} Sweep;

static bool is_before(int64_t timestamp, int64_t step, Moment moment)
{
    return timestamp < moment.timestamp || (timestamp == moment.timestamp && step < moment.step);
}

/* The steps of the tail's ends are not asked for: it is taken to have any. */
static bool list_parts(Scope *scope, const Sweep *sweep, PartList *parts)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db,
        "SELECT number, first_timestamp, first_step, last_timestamp, last_step,"
        "       point_count"
        "  FROM metric_blocks WHERE run_key = $1 AND key_id = $2"
        " UNION ALL "
        "SELECT 0, min(timestamp), $3, max(timestamp), $4, count(*) FROM metric_points"
        " WHERE run_key = $1 AND key_id = $2 HAVING count(*) > 0"
        " ORDER BY 2, 3, 1",
        db_int(sweep->walk->run_key), db_int(sweep->key_id), db_int(INT64_MIN), db_int(INT64_MAX));

    while (query_next(&query))
        *arena_push(scope->arena, parts) = (Part){
            .number = query_int(&query, 0),
            .first = {query_int(&query, 1), query_int(&query, 2)},
            .last = {query_int(&query, 3), query_int(&query, 4)},
            .count = query_int(&query, 5),
        };
    return query_end(&query, &scope->error);
}

static bool read_tail(Sweep *sweep, Arena *arena, MetricList *points)
{
    CLEANUP(query_finalize)
    Query query = db_query(sweep->scope->db,
                           "SELECT timestamp, step, value, is_nan FROM metric_points"
                           " WHERE run_key = $1 AND key_id = $2",
                           db_int(sweep->walk->run_key), db_int(sweep->key_id));

    while (query_next(&query))
        *arena_push(arena, points) = (Metric){
            .key = sweep->walk->key,
            .timestamp = query_int(&query, 0),
            .step = query_int(&query, 1),
            .value = metric_value_read(query_double(&query, 2), query_int(&query, 3)),
        };
    return query_end(&query, &sweep->scope->error);
}

static bool read_block(Sweep *sweep, const Part *part, Arena *arena, MetricList *points)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(sweep->scope->db,
                 "SELECT bytes FROM metric_blocks"
                 " WHERE run_key = $1 AND key_id = $2 AND number = $3",
                 db_int(sweep->walk->run_key), db_int(sweep->key_id), db_int(part->number));
    MetricBlock block = {0};

    if (query_next(&query)) {
        block.bytes = query_blob(&query, 0, arena, &block.size);
        return metric_block_read(&block, sweep->walk->key, arena, points, &sweep->scope->error);
    }
    return query_end(&query, &sweep->scope->error) &&
           fail(&sweep->scope->error, ERROR_UNAVAILABLE,
                "the points of the metric were folded meanwhile, try again");
}

/* What waits and the points of one more part, in an arena of their own. */
static bool take_part(Sweep *sweep, const Part *part)
{
    Arena *arena = arena_create();
    MetricList more = {0}, all = {0};
    size_t left = sweep->waiting.count - sweep->at;

    if (!(part->number == TAIL ? read_tail(sweep, arena, &more)
                               : read_block(sweep, part, arena, &more))) {
        arena_destroy(arena);
        return false;
    }
    all.items = arena_array(arena, Metric, left + more.count + 1);
    if (left)
        memcpy(all.items, sweep->waiting.items + sweep->at, left * sizeof(Metric));
    if (more.count)
        memcpy(all.items + left, more.items, more.count * sizeof(Metric));
    all.count = left + more.count;
    if (left || part->number == TAIL)
        qsort(all.items, all.count, sizeof(Metric), metric_compare_history);
    if (sweep->arena)
        arena_destroy(sweep->arena);
    sweep->arena = arena;
    sweep->waiting = all;
    sweep->at = 0;
    return true;
}

static void give(Sweep *sweep, const Metric *point)
{
    if (sweep->left_out > 0)
        sweep->left_out--;
    else
        sweep->is_done = !sweep->walk->visit(sweep->walk->context, point);
}

/* until NULL: all that waits. */
static void give_before(Sweep *sweep, const Moment *until)
{
    for (; sweep->at < sweep->waiting.count && !sweep->is_done; sweep->at++) {
        const Metric *point = &sweep->waiting.items[sweep->at];

        if (until && !is_before(point->timestamp, point->step, *until))
            return;
        give(sweep, point);
    }
}

/* A part that nothing overlaps and that is left out as a whole need not be read. */
static bool can_skip(const Sweep *sweep, const PartList *parts, size_t index)
{
    const Part *part = &parts->items[index];

    return sweep->at == sweep->waiting.count && sweep->left_out >= part->count &&
           (index + 1 == parts->count ||
            is_before(part->last.timestamp, part->last.step, parts->items[index + 1].first));
}

static bool sweep_parts(Sweep *sweep, const PartList *parts)
{
    for (size_t i = 0; i < parts->count && !sweep->is_done; i++) {
        give_before(sweep, &parts->items[i].first);
        if (can_skip(sweep, parts, i))
            sweep->left_out -= parts->items[i].count;
        else if (!sweep->is_done && !take_part(sweep, &parts->items[i]))
            return false;
    }
    give_before(sweep, NULL);
    return true;
}

static bool find_key(Scope *scope, const char *name, int64_t *id, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM metric_keys WHERE name = $1", db_text(name));

    *found = query_next(&query);
    if (*found)
        *id = query_int(&query, 0);
    return query_end(&query, &scope->error);
}

bool metric_series_count(Scope *scope, int64_t run_key, const char *key, int64_t *count)
{
    return db_get_int(scope->db, &scope->error, count,
                      "SELECT coalesce((SELECT tail_count FROM latest_metrics"
                      "                  WHERE run_key = $1 AND key_id = metric_keys.id), 0)"
                      "     + coalesce((SELECT sum(point_count) FROM metric_blocks"
                      "                  WHERE run_key = $1 AND key_id = metric_keys.id), 0)"
                      "  FROM (SELECT $2 AS name) AS asked"
                      "  LEFT JOIN metric_keys ON metric_keys.name = asked.name",
                      db_int(run_key), db_text(key));
}

bool metric_series_walk(Scope *scope, const MetricWalk *walk)
{
    Sweep sweep = {.scope = scope, .walk = walk, .left_out = walk->first};
    PartList parts = {0};
    bool found = false, done;

    if (!find_key(scope, walk->key, &sweep.key_id, &found))
        return false;
    done = !found || (list_parts(scope, &sweep, &parts) && sweep_parts(&sweep, &parts));
    if (sweep.arena)
        arena_destroy(sweep.arena);
    return done;
}

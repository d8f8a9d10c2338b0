/* metric_series.c: points into the tail, and the tail into blocks. */
#include "tracking/metric_series.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "tracking/metric_block.h"

double metric_value_stored(double value)
{
    if (isnan(value))
        return 0;
    if (isinf(value))
        return value > 0 ? DBL_MAX : -DBL_MAX;
    return value + 0.0; /* -0 is 0: equal numbers are one point */
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int metric_compare_history(const void *left, const void *right)
{
    const Metric *a = left, *b = right;
    double a_value = metric_value_stored(a->value), b_value = metric_value_stored(b->value);
    int order = compare_int(a->timestamp, b->timestamp);

    if (order == 0)
        order = compare_int(a->step, b->step);
    if (order == 0)
        order = (a_value > b_value) - (a_value < b_value);
    return order ? order : (isnan(a->value) != 0) - (isnan(b->value) != 0);
}

bool metric_key_ensure(Scope *scope, const char *name, int64_t *id)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM metric_keys WHERE name = $1", db_text(name));

    if (query_next(&query)) {
        *id = query_int(&query, 0);
        return true;
    }
    return query_end(&query, &scope->error) &&
           db_get_int(scope->db, &scope->error, id,
                      "INSERT INTO metric_keys(id, name)"
                      "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM metric_keys), $1)"
                      "RETURNING id",
                      db_text(name));
}

static bool find_series(Scope *scope, const Run *run, int64_t key_id, MetricSeries *series)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT folded_until, folded_step, tail_count FROM latest_metrics"
                           " WHERE run_key = $1 AND key_id = $2",
                           db_int(run->key), db_int(key_id));

    *series =
        (MetricSeries){.run_key = run->key, .experiment_id = run->experiment_id, .key_id = key_id};
    if (query_next(&query)) {
        series->is_known = true;
        series->has_blocks = !query_is_null(&query, 0);
        series->folded_until = query_int(&query, 0);
        series->folded_step = query_int(&query, 1);
        series->tail_count = query_int(&query, 2);
    }
    return query_end(&query, &scope->error);
}

/* ---- what is in blocks already ---- */

/* The block that was read last: points that are sent again come one behind the other. */
typedef struct Folded {
    const MetricSeries *series;
    int64_t number; /* 0: none yet */
    MetricList points;
} Folded;

static bool read_block(Scope *scope, Folded *folded, int64_t number)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT bytes FROM metric_blocks"
                 " WHERE run_key = $1 AND key_id = $2 AND number = $3",
                 db_int(folded->series->run_key), db_int(folded->series->key_id), db_int(number));
    MetricBlock block = {0};

    if (folded->number == number)
        return true;
    folded->points.count = 0;
    if (query_next(&query)) {
        block.bytes = query_blob(&query, 0, scope->arena, &block.size);
        if (!metric_block_read(&block, "", scope->arena, &folded->points, &scope->error))
            return false;
    }
    folded->number = number;
    return query_end(&query, &scope->error);
}

/* Looks into the blocks that may have it: nearly always none, or one. */
static bool find_in_blocks(Scope *scope, Folded *folded, const Metric *point, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT number FROM metric_blocks WHERE run_key = $1 AND key_id = $2"
                           "   AND (first_timestamp, first_step) <= ($3, $4)"
                           "   AND (last_timestamp, last_step) >= ($3, $4)",
                           db_int(folded->series->run_key), db_int(folded->series->key_id),
                           db_int(point->timestamp), db_int(point->step));

    while (!*found && query_next(&query)) {
        if (!read_block(scope, folded, query_int(&query, 0)))
            return false;
        *found = folded->points.count && bsearch(point, folded->points.items, folded->points.count,
                                                 sizeof(Metric), metric_compare_history);
    }
    return *found || query_end(&query, &scope->error);
}

static bool is_behind_blocks(const MetricSeries *series, const Metric *point)
{
    return !series->has_blocks || point->timestamp > series->folded_until ||
           (point->timestamp == series->folded_until && point->step > series->folded_step);
}

static bool is_folded(Scope *scope, Folded *folded, const Metric *point, bool *found)
{
    *found = false;
    return is_behind_blocks(folded->series, point) || find_in_blocks(scope, folded, point, found);
}

/* ---- adding ---- */

static bool put_point(Scope *scope, const MetricSeries *series, const Metric *point)
{
    static const char sql[] =
        "INSERT INTO metric_points(run_key, key_id, step, timestamp, value, is_nan)"
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

    return db_run(scope->db, &scope->error, sql, db_int(series->run_key), db_int(series->key_id),
                  db_int(point->step), db_int(point->timestamp),
                  db_double(metric_value_stored(point->value)), db_int(isnan(point->value)));
}

static bool insert_latest(Scope *scope, const MetricSeries *series, const Metric *last,
                          int64_t added)
{
    static const char sql[] =
        "INSERT INTO latest_metrics"
        "  (run_key, key_id, experiment_id, step, timestamp, value, is_nan, tail_count)"
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

    return db_run(scope->db, &scope->error, sql, db_int(series->run_key), db_int(series->key_id),
                  db_int(series->experiment_id), db_int(last->step), db_int(last->timestamp),
                  db_double(metric_value_stored(last->value)), db_int(isnan(last->value)),
                  db_int(added));
}

static bool replace_latest(Scope *scope, const MetricSeries *series, const Metric *last,
                           int64_t added)
{
    static const char sql[] =
        "UPDATE latest_metrics SET step = $3, timestamp = $4, value = $5, is_nan = $6,"
        "       tail_count = tail_count + $7"
        " WHERE run_key = $1 AND key_id = $2 AND (step, timestamp, value) < ($3, $4, $5)";

    return db_run(scope->db, &scope->error, sql, db_int(series->run_key), db_int(series->key_id),
                  db_int(last->step), db_int(last->timestamp),
                  db_double(metric_value_stored(last->value)), db_int(isnan(last->value)),
                  db_int(added));
}

/* The greatest point becomes the latest, if it is greater than the one that is. Each way touches no
 * more indexes than it must. */
static bool put_latest(Scope *scope, const MetricSeries *series, const Metric *last, int64_t added)
{
    if (!series->is_known) {
        if (!insert_latest(scope, series, last, added))
            return false;
        if (db_changes(scope->db) > 0)
            return true;
    }
    if (!replace_latest(scope, series, last, added))
        return false;
    return db_changes(scope->db) > 0 ||
           db_run(scope->db, &scope->error,
                  "UPDATE latest_metrics SET tail_count = tail_count + $3"
                  " WHERE run_key = $1 AND key_id = $2",
                  db_int(series->run_key), db_int(series->key_id), db_int(added));
}

/* ---- folding ---- */

/* The oldest rows of the tail, as many as make a block. */
static bool read_oldest(Scope *scope, const MetricSeries *series, MetricList *points)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT timestamp, step, value, is_nan FROM metric_points"
                 " WHERE run_key = $1 AND key_id = $2"
                 " ORDER BY timestamp, step, value, is_nan LIMIT $3",
                 db_int(series->run_key), db_int(series->key_id), db_int(METRIC_BLOCK_POINTS));

    while (query_next(&query))
        *arena_push(scope->arena, points) = (Metric){
            .timestamp = query_int(&query, 0),
            .step = query_int(&query, 1),
            .value = metric_value_read(query_double(&query, 2), query_int(&query, 3)),
        };
    return query_end(&query, &scope->error);
}

static bool delete_oldest(Scope *scope, const MetricSeries *series, const Metric *last)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM metric_points WHERE run_key = $1 AND key_id = $2"
                  "   AND (timestamp, step, value, is_nan) <= ($3, $4, $5, $6)",
                  db_int(series->run_key), db_int(series->key_id), db_int(last->timestamp),
                  db_int(last->step), db_double(metric_value_stored(last->value)),
                  db_int(isnan(last->value)));
}

static bool put_block(Scope *scope, const MetricSeries *series, const MetricList *points)
{
    static const char sql[] =
        "INSERT INTO metric_blocks"
        "  (run_key, key_id, number, first_timestamp, first_step, last_timestamp, last_step,"
        "   point_count, bytes)"
        "VALUES ($1, $2, (SELECT coalesce(max(number), 0) + 1 FROM metric_blocks"
        "                  WHERE run_key = $1 AND key_id = $2), $3, $4, $5, $6, $7, $8)";
    MetricBlock block = metric_block_write(points, scope->arena);
    const Metric *first = &points->items[0], *last = &points->items[points->count - 1];

    return db_run(scope->db, &scope->error, sql, db_int(series->run_key), db_int(series->key_id),
                  db_int(first->timestamp), db_int(first->step), db_int(last->timestamp),
                  db_int(last->step), db_int((int64_t)points->count),
                  db_blob(block.bytes, block.size));
}

/* row_count: how many of the points were rows. */
static bool mark_folded(Scope *scope, const MetricSeries *series, const MetricList *points,
                        size_t row_count)
{
    const Metric *last = &points->items[points->count - 1];
    bool is_later = is_behind_blocks(series, last);

    return db_run(scope->db, &scope->error,
                  "UPDATE latest_metrics SET tail_count = tail_count - $3, folded_until = $4,"
                  "       folded_step = $5"
                  " WHERE run_key = $1 AND key_id = $2",
                  db_int(series->run_key), db_int(series->key_id), db_int((int64_t)row_count),
                  db_int(is_later ? last->timestamp : series->folded_until),
                  db_int(is_later ? last->step : series->folded_step));
}

static bool fold(Scope *scope, const MetricSeries *series)
{
    MetricList oldest = {0};

    if (!read_oldest(scope, series, &oldest))
        return false;
    return oldest.count == 0 || (put_block(scope, series, &oldest) &&
                                 delete_oldest(scope, series, &oldest.items[oldest.count - 1]) &&
                                 mark_folded(scope, series, &oldest, oldest.count));
}

/* The last of the points is the greatest. */
static bool add_points(Scope *scope, const MetricSeries *series, const MetricList *points,
                       int64_t *added)
{
    Folded folded = {.series = series};
    bool is_there = false;

    for (size_t i = 0; i < points->count; i++) {
        if (!is_folded(scope, &folded, &points->items[i], &is_there))
            return false;
        if (is_there)
            continue;
        if (!put_point(scope, series, &points->items[i]))
            return false;
        *added += db_changes(scope->db);
    }
    return true;
}

bool metric_series_add(Scope *scope, const Run *run, int64_t key_id, const MetricList *points)
{
    MetricSeries series;
    int64_t added = 0;

    if (!find_series(scope, run, key_id, &series) || !add_points(scope, &series, points, &added))
        return false;
    if (added == 0)
        return true;
    return put_latest(scope, &series, &points->items[points->count - 1], added) &&
           (series.tail_count + added < 2 * METRIC_BLOCK_POINTS || fold(scope, &series));
}

/* ---- many at once ---- */

/* From so many on a block of their own is less than as many rows. */
enum { IMPORT_BLOCK_LEAST = 64 };

/* Points that differ, by (timestamp, step, value), and which of them the series has. */
typedef struct Chunk {
    MetricList points;
    bool *is_there;
} Chunk;

static Chunk chunk_of(const MetricList *points, Arena *arena)
{
    Chunk chunk = {.points.items = arena_array(arena, Metric, points->count),
                   .is_there = arena_array(arena, bool, points->count)};

    for (size_t i = 0; i < points->count; i++)
        if (i == 0 || metric_compare_history(&points->items[i - 1], &points->items[i]) != 0)
            chunk.points.items[chunk.points.count++] = points->items[i];
    return chunk;
}

static void mark_there(Chunk *chunk, const Metric *held)
{
    const Metric *found = bsearch(held, chunk->points.items, chunk->points.count, sizeof(*held),
                                  metric_compare_history);

    if (found)
        chunk->is_there[found - chunk->points.items] = true;
}

static bool mark_rows(Scope *scope, const MetricSeries *series, Chunk *chunk)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT timestamp, step, value, is_nan FROM metric_points"
                           " WHERE run_key = $1 AND key_id = $2",
                           db_int(series->run_key), db_int(series->key_id));

    while (query_next(&query))
        mark_there(chunk,
                   &(Metric){
                       .timestamp = query_int(&query, 0),
                       .step = query_int(&query, 1),
                       .value = metric_value_read(query_double(&query, 2), query_int(&query, 3)),
                   });
    return query_end(&query, &scope->error);
}

/* One block at a time in memory. */
static bool mark_blocks(Scope *scope, const MetricSeries *series, Chunk *chunk)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Metric *first = &chunk->points.items[0];
    const Metric *last = &chunk->points.items[chunk->points.count - 1];

    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT bytes FROM metric_blocks WHERE run_key = $1 AND key_id = $2"
                 "   AND (first_timestamp, first_step) <= ($5, $6)"
                 "   AND (last_timestamp, last_step) >= ($3, $4)",
                 db_int(series->run_key), db_int(series->key_id), db_int(first->timestamp),
                 db_int(first->step), db_int(last->timestamp), db_int(last->step));

    for (; query_next(&query); arena_reset(arena)) {
        MetricBlock block = {0};
        MetricList held;

        block.bytes = query_blob(&query, 0, arena, &block.size);
        if (!metric_block_read(&block, "", arena, &held, &scope->error))
            return false;
        for (size_t i = 0; i < held.count; i++)
            mark_there(chunk, &held.items[i]);
    }
    return query_end(&query, &scope->error);
}

static MetricList missing_of(const Chunk *chunk, Arena *arena)
{
    MetricList missing = {.items = arena_array(arena, Metric, chunk->points.count)};

    for (size_t i = 0; i < chunk->points.count; i++)
        if (!chunk->is_there[i])
            missing.items[missing.count++] = chunk->points.items[i];
    return missing;
}

static const Metric *latest_of(const MetricList *points)
{
    const Metric *latest = &points->items[0];

    for (size_t i = 1; i < points->count; i++) {
        const Metric *point = &points->items[i];

        if (point->step > latest->step ||
            (point->step == latest->step && metric_compare_history(point, latest) > 0))
            latest = point;
    }
    return latest;
}

static bool put_as_block(Scope *scope, const MetricSeries *series, const MetricList *points)
{
    return put_block(scope, series, points) && put_latest(scope, series, latest_of(points), 0) &&
           mark_folded(scope, series, points, 0);
}

static bool put_as_rows(Scope *scope, const MetricSeries *series, const MetricList *points)
{
    int64_t added = (int64_t)points->count;

    for (size_t i = 0; i < points->count; i++)
        if (!put_point(scope, series, &points->items[i]))
            return false;
    return put_latest(scope, series, latest_of(points), added) &&
           (series->tail_count + added < 2 * METRIC_BLOCK_POINTS || fold(scope, series));
}

bool metric_series_import(Scope *scope, const Run *run, int64_t key_id, const MetricList *points,
                          int64_t *added)
{
    Chunk chunk = chunk_of(points, scope->arena);
    MetricSeries series;
    MetricList missing;

    if (!find_series(scope, run, key_id, &series) ||
        (series.tail_count && !mark_rows(scope, &series, &chunk)) ||
        (series.has_blocks && !mark_blocks(scope, &series, &chunk)))
        return false;
    missing = missing_of(&chunk, scope->arena);
    *added = (int64_t)missing.count;
    if (missing.count == 0)
        return true;
    return missing.count < IMPORT_BLOCK_LEAST ? put_as_rows(scope, &series, &missing)
                                              : put_as_block(scope, &series, &missing);
}

/* metric_series.h: the points of one metric of one run, as the store keeps them.
 *
 * A series has a tail of rows, to which points are added, and blocks (metric_block.h) of
 * METRIC_BLOCK_POINTS each, into which the oldest rows of a long tail are folded in the transaction
 * that made it long. A point is in one of them, once. Blocks may overlap in time: points may be
 * logged in any order.
 */
#pragma once

#include "tracking/run_internal.h"

typedef struct MetricSeries {
    int64_t run_key, experiment_id, key_id;
    bool is_known; /* it has points */
    bool has_blocks;
    int64_t folded_until, folded_step; /* no point in a block is behind this time and step */
    int64_t tail_count;
} MetricSeries;

/* Inside a write. Adds those of the points that are not there yet; they are of one key and sorted
 * by (step, timestamp, value). */
bool metric_series_add(Scope *scope, const Run *run, int64_t key_id,
                       const MetricList *points) MUST_CHECK;

/* Adds those of the points that are not there, many at once as a block. They are of one key and
 * sorted by (timestamp, step, value), at most METRIC_BLOCK_POINTS. */
bool metric_series_import(Scope *scope, const Run *run, int64_t key_id, const MetricList *points,
                          int64_t *added) MUST_CHECK;

/* Takes one point; false ends the reading. */
typedef bool MetricVisit(void *context, const Metric *point);

/* Gives all points of a series by (timestamp, step, value), in memory for some blocks. first: how
 * many to leave out, which mostly costs nothing. */
typedef struct MetricWalk {
    int64_t run_key;
    const char *key;
    int64_t first;
    MetricVisit *visit;
    void *context;
} MetricWalk;

bool metric_series_walk(Scope *scope, const MetricWalk *walk) MUST_CHECK;

/* How many points it has. */
bool metric_series_count(Scope *scope, int64_t run_key, const char *key, int64_t *count) MUST_CHECK;

/* By (timestamp, step, value): the order of a history. */
int metric_compare_history(const void *left, const void *right);

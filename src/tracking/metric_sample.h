/* metric_sample.h: some points of long metrics, for charts.
 *
 * A chart of one metric (metric_chart) keeps the least and the greatest point of each stretch, so
 * that no spike is lost. Curves of several runs that are compared (metric_sample) keep the same
 * steps of each, as MLflow's pages do.
 */
#pragma once

#include "tracking/metric_series.h"

enum { CHART_POINTS_MAX = 10000, SAMPLE_RUNS_MAX = 100, SAMPLE_STEPS_MAX = 2500 };

/* At most `most` points by (timestamp, step, value), the first and the last among them: all of them
 * when there are no more. most: 2 to CHART_POINTS_MAX. */
bool metric_chart(Scope *scope, const char *run_id, const char *key, int64_t most,
                  MetricList *points) MUST_CHECK;

typedef struct MetricSampleSpec {
    TextList run_ids; /* those that there are no more are left out */
    const char *key;
    bool has_range;
    int64_t first_step, last_step; /* of the range, both within */
    int64_t step_count;            /* how many steps to keep */
} MetricSampleSpec;

typedef struct RunMetrics {
    const char *run_id;
    MetricList points;
} RunMetrics;

typedef struct RunMetricsList {
    RunMetrics *items;
    size_t count;
} RunMetricsList;

/* Of the steps that any of the runs has, evenly many, and the first and last of each run; then all
 * points of these steps, by (step, timestamp, value). */
bool metric_sample(Scope *scope, const MetricSampleSpec *spec, RunMetricsList *list) MUST_CHECK;

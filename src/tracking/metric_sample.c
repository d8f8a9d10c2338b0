#include "tracking/metric_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- charts ---- */

typedef struct Chart {
    Arena *arena;
    MetricList kept;
    int64_t stretch; /* points each */
    int64_t seen;
    Metric first, last; /* of all */
    Metric least, greatest;
} Chart;

static double height_of(const Metric *point)
{
    return metric_value_stored(point->value);
}

/* The two of a stretch, in their order. */
static void keep_stretch(Chart *chart)
{
    const Metric *first = &chart->least, *second = &chart->greatest;

    if (metric_compare_history(first, second) > 0) {
        first = &chart->greatest;
        second = &chart->least;
    }
    *arena_push(chart->arena, &chart->kept) = *first;
    if (metric_compare_history(first, second) != 0)
        *arena_push(chart->arena, &chart->kept) = *second;
}

static bool chart_point(void *context, const Metric *point)
{
    Chart *chart = context;
    int64_t place = chart->seen % chart->stretch;

    if (chart->seen++ == 0)
        chart->first = *point;
    if (place == 0 || height_of(point) < height_of(&chart->least))
        chart->least = *point;
    if (place == 0 || height_of(point) > height_of(&chart->greatest))
        chart->greatest = *point;
    chart->last = *point;
    if (place + 1 == chart->stretch)
        keep_stretch(chart);
    return true;
}

static bool take_all(void *context, const Metric *point)
{
    Chart *chart = context;

    *arena_push(chart->arena, &chart->kept) = *point;
    return true;
}

/* Puts the first and the last point at the ends, unless they are there. */
static void keep_ends(Chart *chart)
{
    MetricList *kept = &chart->kept;

    if (metric_compare_history(&chart->first, &kept->items[0]) != 0) {
        (void)arena_push(chart->arena, kept);
        memmove(kept->items + 1, kept->items, (kept->count - 1) * sizeof(Metric));
        kept->items[0] = chart->first;
    }
    if (metric_compare_history(&chart->last, &kept->items[kept->count - 1]) != 0)
        *arena_push(chart->arena, kept) = chart->last;
}

static bool thin_out(Scope *scope, MetricWalk *walk, int64_t count, int64_t most, Chart *chart)
{
    int64_t stretches = most > 4 ? (most - 2) / 2 : 1;

    chart->stretch = (count + stretches - 1) / stretches;
    walk->visit = chart_point;
    walk->context = chart;
    if (!metric_series_walk(scope, walk))
        return false;
    if (chart->seen % chart->stretch)
        keep_stretch(chart);
    if (most > 4)
        keep_ends(chart);
    return true;
}

bool metric_chart(Scope *scope, const char *run_id, const char *key, int64_t most,
                  MetricList *points)
{
    Chart chart = {.arena = scope->arena};
    MetricWalk walk = {.key = key, .visit = take_all, .context = &chart};
    int64_t count = 0;
    Run run;

    if (most < 2 || most > CHART_POINTS_MAX)
        return fail_field(&scope->error, "points", "a chart has 2 to %d points", CHART_POINTS_MAX);
    if (!run_find_row(scope, run_id, &run))
        return false;
    walk.run_key = run.key;
    if (!metric_series_count(scope, run.key, key, &count) ||
        !(count <= most ? metric_series_walk(scope, &walk)
                        : thin_out(scope, &walk, count, most, &chart)))
        return false;
    *points = chart.kept;
    return true;
}

/* ---- the same steps of several runs ---- */

typedef struct StepList {
    int64_t *items;
    size_t count;
} StepList;

/* One run under way: first its steps are gathered, then its points. */
typedef struct Sampling {
    Arena *arena;
    const MetricSampleSpec *spec;
    StepList *steps;         /* of all runs; or, in the second turn, those that are kept */
    int64_t least, greatest; /* step of this run */
    bool is_empty;
    MetricList points;
} Sampling;

static bool is_in_range(const MetricSampleSpec *spec, int64_t step)
{
    return !spec->has_range || (step >= spec->first_step && step <= spec->last_step);
}

static bool gather_step(void *context, const Metric *point)
{
    Sampling *sampling = context;
    StepList *steps = sampling->steps;

    if (!is_in_range(sampling->spec, point->step))
        return true;
    if (sampling->is_empty || point->step < sampling->least)
        sampling->least = point->step;
    if (sampling->is_empty || point->step > sampling->greatest)
        sampling->greatest = point->step;
    sampling->is_empty = false;
    if (!steps->count || steps->items[steps->count - 1] != point->step)
        *arena_push(sampling->arena, steps) = point->step;
    return true;
}

static int compare_steps(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void sort_once(StepList *steps)
{
    size_t kept = 0;

    qsort(steps->items, steps->count, sizeof(int64_t), compare_steps);
    for (size_t i = 0; i < steps->count; i++)
        if (kept == 0 || steps->items[kept - 1] != steps->items[i])
            steps->items[kept++] = steps->items[i];
    steps->count = kept;
}

static bool gather_point(void *context, const Metric *point)
{
    Sampling *sampling = context;
    const StepList *kept = sampling->steps;

    if (is_in_range(sampling->spec, point->step) && kept->count &&
        bsearch(&point->step, kept->items, kept->count, sizeof(int64_t), compare_steps))
        *arena_push(sampling->arena, &sampling->points) = *point;
    return true;
}

static int compare_in_curve(const void *left, const void *right)
{
    const Metric *a = left, *b = right;
    int order = compare_steps(&a->step, &b->step);

    return order ? order : metric_compare_history(a, b);
}

/* Evenly many of all steps, the last, and what was kept of each run's ends. */
static void choose_steps(const StepList *all, int64_t most, Arena *arena, StepList *ends)
{
    int64_t count = (int64_t)all->count;

    if (count <= most) {
        *ends = *all;
        return;
    }
    for (int64_t i = 0; i < most; i++)
        *arena_push(arena, ends) = all->items[i * count / most];
    *arena_push(arena, ends) = all->items[count - 1];
    sort_once(ends);
}

static bool check_sample(Scope *scope, const MetricSampleSpec *spec)
{
    if (spec->run_ids.count < 1 || spec->run_ids.count > SAMPLE_RUNS_MAX)
        return fail_field(&scope->error, "run_ids", "a sample is of 1 to %d runs", SAMPLE_RUNS_MAX);
    if (spec->step_count < 1 || spec->step_count > SAMPLE_STEPS_MAX)
        return fail_field(&scope->error, "max_results", "a sample has 1 to %d steps",
                          SAMPLE_STEPS_MAX);
    if (spec->has_range && spec->first_step > spec->last_step)
        return fail_field(&scope->error, "start_step",
                          "the first step of a range is not behind its last");
    return true;
}

/* *key 0: there is no such run. */
static bool find_run_key(Scope *scope, const char *id, int64_t *key)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT key FROM runs WHERE id = $1", db_text(id));

    *key = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

/* All steps of all runs, and the first and last of each run. */
static bool gather_steps(Scope *scope, const MetricSampleSpec *spec, StepList *all, StepList *ends)
{
    for (size_t i = 0; i < spec->run_ids.count; i++) {
        Sampling sampling = {.arena = scope->arena, .spec = spec, .steps = all, .is_empty = true};
        MetricWalk walk = {.key = spec->key, .visit = gather_step, .context = &sampling};

        if (!find_run_key(scope, spec->run_ids.items[i], &walk.run_key) ||
            !metric_series_walk(scope, &walk))
            return false;
        sort_once(all);
        if (sampling.is_empty)
            continue;
        *arena_push(scope->arena, ends) = sampling.least;
        *arena_push(scope->arena, ends) = sampling.greatest;
    }
    return true;
}

bool metric_sample(Scope *scope, const MetricSampleSpec *spec, RunMetricsList *list)
{
    RunMetricsList taken = {0};
    StepList all = {0}, kept = {0};

    if (!check_sample(scope, spec) || !gather_steps(scope, spec, &all, &kept))
        return false;
    choose_steps(&all, spec->step_count, scope->arena, &kept);
    for (size_t i = 0; i < spec->run_ids.count; i++) {
        Sampling sampling = {.arena = scope->arena, .spec = spec, .steps = &kept};
        MetricWalk walk = {.key = spec->key, .visit = gather_point, .context = &sampling};

        if (!find_run_key(scope, spec->run_ids.items[i], &walk.run_key) ||
            !metric_series_walk(scope, &walk))
            return false;
        if (sampling.points.count)
            qsort(sampling.points.items, sampling.points.count, sizeof(Metric), compare_in_curve);
        *arena_push(scope->arena, &taken) = (RunMetrics){spec->run_ids.items[i], sampling.points};
    }
    *list = taken;
    return true;
}

#include "serving/serving.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/time.h"
#include "serving/endpoint_openapi.h"
#include "serving/serving_internal.h"
#include "serving/what_if.h"

Serving *serving_create(const Platform *platform)
{
    Serving *serving = calloc(1, sizeof(*serving));

    if (!serving)
        out_of_memory();
    serving->platform = platform;
    snapshot_holder_init(&serving->snapshots);
    serving->models = model_cache_create(platform->artifacts);
    pthread_mutex_init(&serving->reload_lock, NULL);
    serving->log = prediction_log_create(platform->writer);
    serving->shadow = shadow_create(serving->log);
    return serving;
}

void serving_destroy(Serving *serving)
{
    if (!serving)
        return;
    shadow_destroy(serving->shadow);
    prediction_log_destroy(serving->log);
    snapshot_holder_clear(&serving->snapshots);
    model_cache_destroy(serving->models);
    statistics_clear(&serving->statistics);
    pthread_mutex_destroy(&serving->reload_lock);
    free(serving);
}

bool serving_prepare(Serving *serving, Scope *scope, const char *package)
{
    LoadedModel *loaded = model_cache_obtain(serving->models, package, &scope->error);

    loaded_model_unref(loaded);
    return loaded != NULL;
}

bool serving_prepare_new(Serving *serving, Scope *scope, const char *package)
{
    if (model_cache_is_checked(serving->models, package))
        return true;
    if (!package_verify(scope, package) || !serving_prepare(serving, scope, package))
        return false;
    model_cache_set_checked(serving->models, package);
    return true;
}

bool serving_serves(Serving *serving, const char *endpoint, int64_t deployment_id)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    const ServedEndpoint *served = snapshot_find(hold.snapshot, endpoint);

    if (!served || !served->loaded)
        return false;
    return served->deployment_id == deployment_id ||
           (served->split && served->split->candidate.deployment_id == deployment_id);
}

bool serving_is_ready(Serving *serving)
{
    return atomic_load(&serving->is_ready);
}

static bool count_failure(const Snapshot *snapshot, const PredictRequest *request,
                          const Error *error)
{
    const ServedEndpoint *served = snapshot_find(snapshot, request->endpoint);

    if (served)
        statistics_count(served->counts, error_http_status(error), 0, 0);
    return false;
}

/* By the live version, or by whichever of two is to answer. */
static bool ask(const ServedEndpoint *live, const PredictRequest *request, Arena *arena,
                SplitAnswer *answer, Error *error)
{
    if (live->split)
        return split_predict(live, request, arena, answer, error);
    return predict_by(live, request, arena, &answer->prediction, error);
}

/* The answer is written; what the log takes is not the version's. */
static void compare(Serving *serving, Split *split, const PredictRequest *request,
                    const SplitAnswer *answer)
{
    split_count(split, answer);
    if (split->is_shadow)
        shadow_offer(serving->shadow, split, request);
}

bool serving_predict(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    int64_t began = time_monotonic_us(), duration;
    const ServedEndpoint *live;
    SplitAnswer answer;

    if (!predict_find(hold.snapshot, request->endpoint, &live, error) ||
        !ask(live, request, arena, &answer, error))
        return count_failure(hold.snapshot, request, error);
    prediction_write_json(json, &answer.prediction);
    duration = time_monotonic_us() - began;
    statistics_count(live->counts, 200, answer.prediction.frame.row_count, duration);
    if (live->split)
        compare(serving, live->split, request, &answer);
    prediction_log_add(serving->log, &answer.prediction, time_now_ms(), duration);
    return true;
}

bool serving_explain(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    PredictRequest limited = *request;
    Prediction prediction, changed;

    limited.body.rows_max = EXPLAIN_ROWS_MAX;
    if (!predict_run(hold.snapshot, &limited, arena, &prediction, error))
        return false;
    if (request->what_if.count) {
        if (!what_if_predict(&prediction, &request->what_if, arena, &changed, error))
            return false;
        prediction.what_if = &changed;
    }
    return prediction_explain(&prediction, json, error);
}

bool serving_openapi(Serving *serving, const char *endpoint, Arena *arena, JsonWriter *json,
                     Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    const ServedEndpoint *served;

    if (!predict_find(hold.snapshot, endpoint, &served, error))
        return false;
    endpoint_openapi_write(json, served, arena);
    return true;
}

static bool find_split(const Snapshot *snapshot, const char *endpoint,
                       const ServedEndpoint **served, Error *error)
{
    const ServedEndpoint *found = snapshot_find(snapshot, endpoint);

    if (found && found->split_problem)
        return fail(error, ERROR_UNAVAILABLE, "endpoint \"%s\" serves no candidate: %s", endpoint,
                    found->split_problem);
    if (!found || !found->split)
        return fail(error, ERROR_NOT_FOUND, "endpoint \"%.100s\" serves no candidate", endpoint);
    *served = found;
    return true;
}

bool serving_window(Serving *serving, const char *endpoint, int64_t deployment_id, Window *window,
                    Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    const ServedEndpoint *served;

    if (!find_split(hold.snapshot, endpoint, &served, error))
        return false;
    if (served->split->candidate.deployment_id == deployment_id)
        *window = counts_read(&served->split->candidate_counts);
    else if (served->deployment_id == deployment_id)
        *window = counts_read(&served->split->live_counts);
    else
        return fail(error, ERROR_NOT_FOUND,
                    "deployment %" PRId64 " does not serve at endpoint \"%s\"", deployment_id,
                    endpoint);
    return true;
}

bool serving_figures(Serving *serving, const char *endpoint, Arena *arena, SplitFigures *figures,
                     Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    const ServedEndpoint *served;

    if (!find_split(hold.snapshot, endpoint, &served, error))
        return false;
    *figures = split_figures(served, arena);
    return true;
}

SplitFiguresList serving_all_figures(Serving *serving, Arena *arena)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    SplitFiguresList list = {0};

    for (size_t i = 0; i < hold.snapshot->count; i++)
        if (hold.snapshot->items[i].split)
            *arena_push(arena, &list) = split_figures(&hold.snapshot->items[i], arena);
    return list;
}

const StatisticsList *serving_statistics(const Serving *serving)
{
    return &serving->statistics;
}

PredictionLog *serving_log(Serving *serving)
{
    return serving->log;
}

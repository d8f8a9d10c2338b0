#include "serving/serving.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/time.h"
#include "serving/endpoint_openapi.h"
#include "serving/model_cache.h"

struct Serving {
    const Platform *platform;
    SnapshotHolder snapshots;
    ModelCache *models;
    StatisticsList statistics;
    PredictionLog *log;
    pthread_mutex_t reload_lock;
    bool is_whole;      /* the last reload left nothing behind; guarded by reload_lock */
    int64_t deployment; /* the newest that it saw; guarded by reload_lock */
    int64_t endpoints;  /* how many it saw; guarded by reload_lock */
    atomic_bool is_ready;
};

/* A snapshot for as long as the variable lives. */
typedef struct Hold {
    SnapshotHolder *holder;
    const Snapshot *snapshot;
} Hold;

static Hold hold_snapshot(Serving *serving)
{
    return (Hold){&serving->snapshots, snapshot_acquire(&serving->snapshots)};
}

static void let_go(Hold *hold)
{
    snapshot_release(hold->holder, hold->snapshot);
}

static void unlock(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}

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
    return serving;
}

void serving_destroy(Serving *serving)
{
    if (!serving)
        return;
    prediction_log_destroy(serving->log);
    snapshot_holder_clear(&serving->snapshots);
    model_cache_destroy(serving->models);
    statistics_clear(&serving->statistics);
    pthread_mutex_destroy(&serving->reload_lock);
    free(serving);
}

typedef struct Reload {
    Serving *serving;
    Scope *scope;
    const Snapshot *current;
    Snapshot *next;
    Error error; /* the first endpoint's that could not be brought up to date */
    bool is_ready;
} Reload;

/* A reference for the caller; NULL when it could not be loaded. What serves already is neither
 * looked for nor loaded: a change costs what changed. */
static LoadedModel *obtain_model(Reload *reload, const Endpoint *endpoint, Error *error)
{
    const ServedEndpoint *before = snapshot_find(reload->current, endpoint->name);

    if (before && before->loaded && before->deployment_id == endpoint->deployment_id)
        return loaded_model_ref(before->loaded);
    return model_cache_obtain(reload->serving->models, endpoint->package, error);
}

/* The endpoint goes on with what it served, if it did. */
static void keep_served(Reload *reload, ServedEndpoint *served, const Error *error)
{
    const ServedEndpoint *before = snapshot_find(reload->current, served->name);

    if (before && before->loaded) {
        served->loaded = loaded_model_ref(before->loaded);
        served->model = before->model;
        served->version = before->version;
        served->deployment_id = before->deployment_id;
    }
    served->problem = arena_text(reload->scope->arena, error->message);
    reload->is_ready &= served->loaded != NULL;
    if (reload->error.kind)
        return;
    reload->error = *error;
    fail_in(&reload->error, "endpoint \"%s\"", served->name);
}

static void add_endpoint(Reload *reload, const Endpoint *endpoint)
{
    ServedEndpoint served = {
        .name = endpoint->name,
        .project = endpoint->project,
        .model = endpoint->model,
        .version = endpoint->version,
        .deployment_id = endpoint->deployment_id,
        .counts = statistics_ensure(&reload->serving->statistics, endpoint->name),
    };
    Error error = {0};

    if (endpoint->model)
        served.loaded = obtain_model(reload, endpoint, &error);
    if (endpoint->model && !served.loaded) {
        fail_in(&error, "version %" PRId64 " of model \"%s\"", endpoint->version, endpoint->model);
        keep_served(reload, &served, &error);
    }
    snapshot_add(reload->next, &served);
    loaded_model_unref(served.loaded);
}

static bool publish(Reload *reload, const EndpointList *list)
{
    for (size_t i = 0; i < list->count; i++)
        add_endpoint(reload, &list->items[i]);
    if (snapshot_publish(&reload->serving->snapshots, reload->next, &reload->scope->error))
        return true;
    snapshot_destroy(reload->next);
    return false;
}

static bool rebuild(Serving *serving, Scope *scope, const EndpointList *list)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    Reload reload = {serving, scope, hold.snapshot, snapshot_create(), .is_ready = true};

    if (!publish(&reload, list))
        return false;
    atomic_store(&serving->is_ready, reload.is_ready);
    if (!reload.error.kind)
        return true;
    scope->error = reload.error;
    return false;
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

bool serving_reload(Serving *serving, Scope *scope)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &serving->reload_lock;
    EndpointList list;
    int64_t newest;

    CRASH_POINT("serving: deployments not loaded");
    pthread_mutex_lock(lock);
    if (!deployment_latest(scope, &newest) || !endpoint_list(scope, NULL, &list))
        return false;
    if (serving->is_whole && newest == serving->deployment &&
        (int64_t)list.count == serving->endpoints)
        return true;
    serving->deployment = newest;
    serving->endpoints = (int64_t)list.count;
    serving->is_whole = rebuild(serving, scope, &list);
    return serving->is_whole;
}

bool serving_serves(Serving *serving, const char *endpoint, int64_t deployment_id)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    const ServedEndpoint *served = snapshot_find(hold.snapshot, endpoint);

    return served && served->loaded && served->deployment_id == deployment_id;
}

bool serving_is_ready(Serving *serving)
{
    return atomic_load(&serving->is_ready);
}

static void count_failure(const Snapshot *snapshot, const PredictRequest *request,
                          const Error *error)
{
    const ServedEndpoint *served = snapshot_find(snapshot, request->endpoint);

    if (served)
        statistics_count(served->counts, error_http_status(error), 0, 0);
}

bool serving_predict(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    int64_t started = time_monotonic_us(), duration;
    Prediction prediction;

    if (!predict_run(hold.snapshot, request, arena, &prediction, error)) {
        count_failure(hold.snapshot, request, error);
        return false;
    }
    prediction_write_json(json, &prediction);
    duration = time_monotonic_us() - started;
    statistics_count(prediction.endpoint->counts, 200, prediction.frame.row_count, duration);
    prediction_log_add(serving->log, &prediction, time_now_ms(), duration);
    return true;
}

bool serving_explain(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error)
{
    CLEANUP(let_go) Hold hold = hold_snapshot(serving);
    PredictRequest limited = *request;
    Prediction prediction;

    limited.body.rows_max = EXPLAIN_ROWS_MAX;
    return predict_run(hold.snapshot, &limited, arena, &prediction, error) &&
           prediction_explain(&prediction, json, error);
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

const StatisticsList *serving_statistics(const Serving *serving)
{
    return &serving->statistics;
}

PredictionLog *serving_log(Serving *serving)
{
    return serving->log;
}

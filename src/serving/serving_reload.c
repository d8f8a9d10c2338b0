/* serving_reload.c: what is served is made equal to what the store says. */
#include <inttypes.h>

#include "base/crash.h"
#include "serving/serving_internal.h"

static void unlock(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
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

static void fail_reload(Reload *reload, const char *endpoint, const Error *error)
{
    if (reload->error.kind)
        return;
    reload->error = *error;
    fail_in(&reload->error, "endpoint \"%s\"", endpoint);
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
    fail_reload(reload, served->name, error);
}

/* A reference for the caller; NULL when its model could not be loaded. One that goes on keeps its
 * counts. */
static Split *obtain_split(Reload *reload, const Endpoint *endpoint, const ServedEndpoint *live,
                           Error *error)
{
    const Candidate *set = &endpoint->candidate;
    const ServedEndpoint *before = snapshot_find(reload->current, endpoint->name);
    ServedEndpoint candidate = *live;
    Split *made;

    if (before && before->split && before->split->candidate.deployment_id == set->id &&
        before->split->live_id == live->deployment_id)
        return split_ref(before->split);
    candidate.loaded = model_cache_obtain(reload->serving->models, set->package, error);
    if (!candidate.loaded)
        return NULL;
    candidate.model = set->model;
    candidate.version = set->version;
    candidate.deployment_id = set->id;
    made = split_create(&candidate, set, live->deployment_id);
    loaded_model_unref(candidate.loaded);
    return made;
}

/* One that cannot be loaded takes nothing away: the live version answers all. */
static void add_split(Reload *reload, const Endpoint *endpoint, ServedEndpoint *served)
{
    const Candidate *set = &endpoint->candidate;
    Error error = {0};

    if (!set->id || !served->loaded)
        return;
    served->split = obtain_split(reload, endpoint, served, &error);
    if (served->split)
        return;
    fail_in(&error, "candidate, version %" PRId64 " of model \"%s\"", set->version, set->model);
    served->split_problem = arena_text(reload->scope->arena, error.message);
    fail_reload(reload, endpoint->name, &error);
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
    add_split(reload, endpoint, &served);
    snapshot_add(reload->next, &served);
    loaded_model_unref(served.loaded);
    split_unref(served.split);
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

static int64_t count_candidates(const EndpointList *list)
{
    int64_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].candidate.id != 0;
    return count;
}

/* What changes raises the newest number, or there is an endpoint more, or a candidate less. */
bool serving_reload(Serving *serving, Scope *scope)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &serving->reload_lock;
    EndpointList list;
    int64_t newest, candidates;

    CRASH_POINT("serving: deployments not loaded");
    pthread_mutex_lock(lock);
    if (!deployment_latest(scope, &newest) || !endpoint_list(scope, NULL, &list))
        return false;
    candidates = count_candidates(&list);
    if (serving->is_whole && newest == serving->deployment &&
        (int64_t)list.count == serving->endpoints && candidates == serving->candidates)
        return true;
    serving->deployment = newest;
    serving->endpoints = (int64_t)list.count;
    serving->candidates = candidates;
    serving->is_whole = rebuild(serving, scope, &list);
    return serving->is_whole;
}

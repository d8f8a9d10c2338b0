#include "server/upkeep.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "pipelines/purge.h"
#include "pipelines/retention.h"

enum {
    FIRST_MS = 10 * 60 * 1000,
    EVERY_MS = 24 * 60 * 60 * 1000,
    QUIET_MS = 10 * 1000,
    QUIET_REQUESTS_MAX = 20,
    QUIET_TRIES_MAX = 360, /* an hour; then it goes on beside the requests */
    UNIT_PAUSE_MS = 20,
    LOWEST_PRIORITY = 19,
};

struct Upkeep {
    UpkeepSpec spec;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool stopping; /* set with the lock held */
};

/* Whether to go on. */
static bool wait_ms(Upkeep *upkeep, unsigned milliseconds)
{
    struct timespec until;
    int status = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&upkeep->lock);
    while (!atomic_load(&upkeep->stopping) && status == 0)
        status = pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &until);
    pthread_mutex_unlock(&upkeep->lock);
    return !atomic_load(&upkeep->stopping);
}

static bool wait_for_quiet(Upkeep *upkeep)
{
    const Application *application = upkeep->spec.application;

    for (int i = 0; i < QUIET_TRIES_MAX; i++) {
        long long before = atomic_load(&application->request_count);

        if (!wait_ms(upkeep, upkeep->spec.quiet_ms))
            return false;
        if (atomic_load(&application->request_count) - before <= QUIET_REQUESTS_MAX)
            return true;
    }
    return true;
}

static void log_purge(const PurgeReport *report)
{
    if (purge_report_is_empty(report))
        return;
    log_event(LOG_INFO, "purged", log_int("runs", report->runs.count),
              log_int("logged_models", report->logged_models.count),
              log_int("model_versions", report->model_versions.count),
              log_int("pipeline_runs", report->pipeline_runs.count),
              log_int("experiments", report->experiment_count),
              log_int("blobs", report->blobs.removed.count),
              log_int("bytes", report->blobs.removed.bytes + report->uploads.bytes));
}

/* Without its option a server purges nothing that was deleted, but what no rule keeps any more. */
static bool purge_if_due(const Upkeep *upkeep, Scope *scope, PurgeReport *report)
{
    int64_t days = upkeep->spec.purge_after_days;
    const PurgeSpec spec = {.older_than_days = days ? days : PURGE_DAYS_MAX,
                            .pause_ms = UNIT_PAUSE_MS,
                            .stopped = &upkeep->stopping};
    bool has_rules;

    return retention_is_any(scope, &has_rules) &&
           ((!days && !has_rules) || purge_run(scope, &spec, report));
}

static void purge(Upkeep *upkeep)
{
    const Platform *platform = upkeep->spec.application->platform;
    CLEANUP(session_close) Session session = {0};
    PurgeReport report = {0};
    Error error = {0};
    Scope scope;

    if (session_open(platform, &session, &error)) {
        scope = session_scope(&session, platform, (Principal){"slipway", ROLE_OWNER});
        (void)!purge_if_due(upkeep, &scope, &report);
        error = scope.error;
        log_purge(&report);
    }
    if (error.kind && !atomic_load(&upkeep->stopping))
        log_event(LOG_ERROR, "not_purged", log_text("reason", error.message));
}

static void count(Upkeep *upkeep)
{
    Error error = {0};

    if (!artifact_store_count(upkeep->spec.application->platform->artifacts, &upkeep->stopping,
                              &error) &&
        !atomic_load(&upkeep->stopping))
        log_event(LOG_ERROR, "artifacts_not_counted", log_text("reason", error.message));
}

static void *keep_up(void *context)
{
    Upkeep *upkeep = context;
    unsigned pause_ms = upkeep->spec.first_ms;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOWEST_PRIORITY); /* of this thread */
    count(upkeep);
    while (wait_ms(upkeep, pause_ms) && wait_for_quiet(upkeep)) {
        purge(upkeep);
        pause_ms = upkeep->spec.every_ms;
    }
    return NULL;
}

static void open_lock(Upkeep *upkeep)
{
    pthread_mutex_init(&upkeep->lock, NULL);
    condition_init(&upkeep->changed);
}

static void close_lock(Upkeep *upkeep)
{
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}

Upkeep *upkeep_create(const UpkeepSpec *spec, Error *error)
{
    Upkeep *upkeep = calloc(1, sizeof(*upkeep));

    if (!upkeep)
        out_of_memory();
    upkeep->spec = *spec;
    upkeep->spec.first_ms = spec->first_ms ? spec->first_ms : FIRST_MS;
    upkeep->spec.every_ms = spec->every_ms ? spec->every_ms : EVERY_MS;
    upkeep->spec.quiet_ms = spec->quiet_ms ? spec->quiet_ms : QUIET_MS;
    open_lock(upkeep);
    if (pthread_create(&upkeep->thread, NULL, keep_up, upkeep) == 0)
        return upkeep;
    close_lock(upkeep);
    fail(error, ERROR_UNAVAILABLE, "could not start the thread that purges");
    return NULL;
}

void upkeep_destroy(Upkeep *upkeep)
{
    if (!upkeep)
        return;
    pthread_mutex_lock(&upkeep->lock);
    atomic_store(&upkeep->stopping, true);
    pthread_cond_broadcast(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    close_lock(upkeep);
}

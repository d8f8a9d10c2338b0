#include "server/application.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "pipelines/scheduler.h"
#include "pipelines/trainer.h"
#include "pipelines/triggers.h"
#include "serving/serving.h"

/* An endpoint whose model cannot be loaded keeps the server unready, not down: others serve, and a
 * rollback mends it. */
bool application_load(Application *application, Error *error)
{
    CLEANUP(session_close) Session session = {0};
    Scope scope;

    if (!session_open(application->platform, &session, error))
        return false;
    scope = session_scope(&session, application->platform, (Principal){"local", ROLE_OWNER});
    if (!serving_reload(application->serving, &scope))
        log_event(LOG_ERROR, "endpoint not loaded", log_text("reason", scope.error.message));
    return true;
}

static Scheduler *open_scheduler(const Application *application, const ApplicationSpec *asked,
                                 Error *error)
{
    const SchedulerSpec spec = {.platform = application->platform,
                                .serving = application->serving,
                                .slots = asked->steps_max,
                                .executors = asked->executors};

    return scheduler_create(&spec, error);
}

bool application_open(const ApplicationSpec *spec, Application **application, Error *error)
{
    Application *opened = calloc(1, sizeof(*opened));

    if (!opened)
        out_of_memory();
    opened->demands_token = spec->demands_token;
    opened->started_at = time_now_ms();
    if (!platform_open(spec->folder, &opened->platform, error) ||
        !executors_choose(spec->executors, &opened->platform->executors, error)) {
        application_close(opened);
        return false;
    }
    opened->platform->outbox = outbox_create(spec->notify);
    opened->serving = serving_create(opened->platform);
    opened->trainer = trainer_create(opened->platform, error);
    if (opened->trainer)
        opened->scheduler = open_scheduler(opened, spec, error);
    if (opened->scheduler)
        opened->triggers = triggers_create(opened->platform, opened->scheduler);
    if (!opened->scheduler || !(spec->loads_later || application_load(opened, error))) {
        application_close(opened);
        return false;
    }
    *application = opened;
    return true;
}

void application_close(Application *application)
{
    Outbox *outbox;

    if (!application)
        return;
    triggers_destroy(application->triggers);
    scheduler_destroy(application->scheduler);
    outbox = application->platform ? application->platform->outbox : NULL;
    trainer_destroy(application->trainer);
    serving_destroy(application->serving);
    platform_close(application->platform);
    outbox_destroy(outbox); /* the writer knew it */
    free(application);
}

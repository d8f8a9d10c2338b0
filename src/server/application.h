/* application.h: makes and ends the parts of a running program, in order. */
#pragma once

#include "api/api.h"
#include "notify/outbox.h"
#include "pipelines/executors.h"

typedef struct ApplicationSpec {
    const char *folder;
    bool demands_token;
    bool loads_later;                  /* not at once, but when application_load() is called */
    const NotifySettings *notify;      /* NULL: none */
    const ExecutorSettings *executors; /* NULL: this machine alone */
    size_t steps_max;                  /* of pipelines at a time; 0: as SchedulerSpec has it */
} ApplicationSpec;

/* Opens the data folder, loads what is deployed, starts the threads for training and logging. */
bool application_open(const ApplicationSpec *spec, Application **application,
                      Error *error) MUST_CHECK;

/* Loads what is deployed; cheap when it is loaded. A model that cannot be is logged, and its
 * endpoint says why. */
bool application_load(Application *application, Error *error) MUST_CHECK;

/* Waits for training under way and for the logs. */
void application_close(Application *application);

/* application.h: makes and ends the parts of a running program, in order. */
#pragma once

#include "api/api.h"

typedef struct ApplicationSpec {
    const char *folder;
    bool demands_token;
} ApplicationSpec;

/* Opens the data folder, loads what is deployed, starts the threads for training and logging. */
bool application_open(const ApplicationSpec *spec, Application **application,
                      Error *error) MUST_CHECK;

/* Waits for training under way and for the logs. */
void application_close(Application *application);

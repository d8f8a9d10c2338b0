/* triggers.h: the threads that start runs when their time has come, code was pushed or data is new.
 *
 * Pushes have one of their own: a repository that does not answer holds up no schedule.
 *
 * What it has seen is in the store; one that is killed is followed by another at the same place.
 * Owned by the server. All functions may be called from any thread.
 */
#pragma once

#include "access/scope.h"

struct Scheduler;

typedef struct Triggers Triggers;

Triggers *triggers_create(const Platform *platform, struct Scheduler *scheduler);

bool triggers_start(Triggers *triggers, Error *error) MUST_CHECK;

/* Waits for what it is doing; NULL is fine. */
void triggers_destroy(Triggers *triggers);

/* Something may be due: a push was told of, data was added. NULL is fine. */
void triggers_wake(Triggers *triggers);

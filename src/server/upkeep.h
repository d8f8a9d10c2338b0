/* upkeep.h: what a server does beside answering: it counts the bytes of the artifact store once,
 * and purges what was deleted long ago, every day at a quiet moment.
 *
 * One thread of the lowest priority, which stops between two steps when it is to end.
 */
#pragma once

#include "api/api.h"

typedef struct UpkeepSpec {
    Application *application;
    int64_t purge_after_days; /* 0: purges nothing */
    unsigned first_ms;        /* until the first purge; 0: ten minutes */
    unsigned every_ms;        /* from one to the next; 0: a day */
    unsigned quiet_ms;        /* it waits for so long with hardly a request; 0: ten seconds */
} UpkeepSpec;

typedef struct Upkeep Upkeep;

Upkeep *upkeep_create(const UpkeepSpec *spec, Error *error) MUST_CHECK;
void upkeep_destroy(Upkeep *upkeep);

/* occasion.h: runs that something new starts: a version of a data set, or an alarm. */
#pragma once

#include "pipelines/pipeline.h"

/* Follows the audit trail: each version of a data set that was added since the last turn starts a
 * run of each pipeline that names it under on: data, by the key "data:NAME@VERSION". What is wrong
 * with one of them stands in the trail as trigger.refused. Not inside a write. */
bool data_turn(Scope *scope, size_t *started) MUST_CHECK;

typedef struct Alarm {
    const char *project, *kind;
    const char *detail; /* a text for people; or NULL */
    const char *key;    /* the alarm's own: the same one again is the same run; or NULL */
} Alarm;

/* Appends alarm.raised. *is_on: the pipeline names the kind under on: alarm; then is run its run,
 * by the key "alarm:KIND:KEY". Calls scope_write() itself. */
bool alarm_raise(Scope *scope, const Alarm *alarm, PipelineRun *run, bool *is_on) MUST_CHECK;

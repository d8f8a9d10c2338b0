/* schedule.h: runs that a time starts.
 *
 * A schedule is one line under on: schedule of a project's pipeline. Its ticks are the moments that
 * base/cron.h reckons in its zone; one that is due starts at most one run, by the key
 * "schedule:CRON:TICK", whatever the clock does and whoever is killed. Of ticks that passed while
 * nobody looked, the rule says which count:
 *
 *     latest   the last one        all    each, the last SCHEDULE_MISSED_MAX of them
 *     skip     none that is over a minute old
 *
 * The run is made first and the tick remembered after it: one that is killed between the two finds
 * the run by its key. A clock that was put back is believed; what it comes to again has its run.
 */
#pragma once

#include "pipelines/pipeline.h"

enum { SCHEDULE_MISSED_MAX = 100, SCHEDULE_PUNCTUAL_MS = 60 * 1000, SCHEDULE_SHOWN = 3 };

typedef struct Schedule {
    const char *project, *cron, *timezone, *missed;
    int64_t seen_at, next_at; /* next_at 0: never again */
    const char *run_id, *reason;
} Schedule;

typedef struct ScheduleList {
    Schedule *items;
    size_t count;
} ScheduleList;

/* Whether they can be reckoned: cron and zone. */
bool schedules_check(const PipelineScheduleList *schedules, Arena *arena, Error *error) MUST_CHECK;

/* Inside a write: these are a project's from now on. One that is there already goes on. */
bool schedules_put(Scope *scope, const char *project, const PipelineScheduleList *schedules,
                   int64_t now) MUST_CHECK;

/* By project; project NULL: all. */
bool schedule_list(Scope *scope, const char *project, ScheduleList *list) MUST_CHECK;

/* Starts what is due at now; not inside a write. *started: runs that are new. What is wrong with
 * one of them is kept with it as its reason, and does not hold up others. */
bool schedule_turn(Scope *scope, int64_t now, size_t *started) MUST_CHECK;

/* With its next times behind now, in its zone. */
bool schedule_write_json(Scope *scope, JsonWriter *json, const Schedule *schedule,
                         int64_t now) MUST_CHECK;

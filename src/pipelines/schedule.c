#include "pipelines/schedule.h"

#include <string.h>

#include "base/cron.h"
#include "base/time.h"
#include "pipelines/pipeline_source.h"
#include "pipelines/trigger_event.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_SCHEDULE                                                                            \
    "SELECT project, cron, timezone, missed, seen_at, next_at, run_id, reason FROM schedules"

static Schedule from_row(const Query *query, Arena *arena)
{
    return (Schedule){
        .project = query_text(query, 0, arena),
        .cron = query_text(query, 1, arena),
        .timezone = query_text(query, 2, arena),
        .missed = query_text(query, 3, arena),
        .seen_at = query_int(query, 4),
        .next_at = query_int(query, 5),
        .run_id = query_text(query, 6, arena),
        .reason = query_text(query, 7, arena),
    };
}

static bool take_all(Scope *scope, Query *query, ScheduleList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool schedule_list(Scope *scope, const char *project, ScheduleList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_SCHEDULE " WHERE $1 IS NULL OR project = $1"
                                           " ORDER BY project, cron, timezone",
                           db_text(project));

    return take_all(scope, &query, list);
}

/* ---- reckoning ---- */

typedef struct Clockwork {
    CronSchedule cron;
    const Zone *zone;
} Clockwork;

static bool read_clockwork(const char *cron, const char *timezone, Arena *arena, Clockwork *work,
                           Error *error)
{
    return (cron_parse(cron, &work->cron, error) &&
            zone_find(timezone, arena, &work->zone, error)) ||
           fail_in(error, "schedule \"%.100s\"", cron);
}

static int64_t next_of(const Clockwork *work, int64_t after)
{
    int64_t next;

    return cron_next(&work->cron, work->zone, after, &next) ? next : 0;
}

/* The ticks behind the last that was seen, up to now, that count. */
static CronTicks due_ticks(const Schedule *schedule, const Clockwork *work, int64_t now,
                           Arena *arena)
{
    CronWindow window = {schedule->seen_at, now, CRON_MISSED_LATEST, SCHEDULE_MISSED_MAX};

    if (strcmp(schedule->missed, "all") == 0)
        window.rule = CRON_MISSED_ALL;
    if (strcmp(schedule->missed, "skip") == 0 && window.after_ms < now - SCHEDULE_PUNCTUAL_MS)
        window.after_ms = now - SCHEDULE_PUNCTUAL_MS;
    return cron_missed(&work->cron, work->zone, &window, arena);
}

bool schedules_check(const PipelineScheduleList *schedules, Arena *arena, Error *error)
{
    Clockwork work;

    for (size_t i = 0; i < schedules->count; i++)
        if (!read_clockwork(schedules->items[i].cron, schedules->items[i].timezone, arena, &work,
                            error))
            return false;
    return true;
}

/* ---- putting ---- */

static bool is_listed(const PipelineScheduleList *schedules, const Schedule *schedule)
{
    for (size_t i = 0; i < schedules->count; i++)
        if (strcmp(schedules->items[i].cron, schedule->cron) == 0 &&
            strcmp(schedules->items[i].timezone, schedule->timezone) == 0)
            return true;
    return false;
}

static bool remove_others(Scope *scope, const char *project, const PipelineScheduleList *schedules)
{
    ScheduleList list = {0};

    if (!schedule_list(scope, project, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (!is_listed(schedules, &list.items[i]) &&
            !db_run(scope->db, &scope->error,
                    "DELETE FROM schedules WHERE project = $1 AND cron = $2 AND timezone = $3",
                    db_text(project), db_text(list.items[i].cron), db_text(list.items[i].timezone)))
            return false;
    return true;
}

bool schedules_put(Scope *scope, const char *project, const PipelineScheduleList *schedules,
                   int64_t now)
{
    Clockwork work;

    if (!remove_others(scope, project, schedules))
        return false;
    for (size_t i = 0; i < schedules->count; i++) {
        const PipelineSchedule *schedule = &schedules->items[i];

        if (!read_clockwork(schedule->cron, schedule->timezone, scope->arena, &work,
                            &scope->error) ||
            !db_run(scope->db, &scope->error,
                    "INSERT INTO schedules (project, cron, timezone, missed, seen_at, next_at)"
                    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, cron, timezone)"
                    " DO UPDATE SET missed = excluded.missed",
                    db_text(project), db_text(schedule->cron), db_text(schedule->timezone),
                    db_text(schedule->missed), db_int(now), db_int_or_null(next_of(&work, now))))
            return false;
    }
    return true;
}

/* ---- a turn ---- */

/* A tick that started nothing. */
typedef struct RefusedTick {
    PipelineOrder order;
    const char *reason;
} RefusedTick;

typedef struct Seen {
    const Schedule *schedule;
    int64_t seen_at, next_at;
    const char *run_id, *reason;
    struct {
        RefusedTick *items;
        size_t count;
    } refused;
} Seen;

static bool append_refused(Scope *scope, const Seen *seen)
{
    for (size_t i = 0; i < seen->refused.count; i++) {
        const RefusedTick *tick = &seen->refused.items[i];

        if (!trigger_append(scope, "refused", &(TriggerEvent){&tick->order, NULL, tick->reason}))
            return false;
    }
    return true;
}

static bool write_seen(Scope *scope, void *context)
{
    const Seen *seen = context;

    return append_refused(scope, seen) &&
           db_run(scope->db, &scope->error,
                  "UPDATE schedules SET seen_at = $4, next_at = $5,"
                  " run_id = COALESCE($6, run_id), reason = $7"
                  " WHERE project = $1 AND cron = $2 AND timezone = $3",
                  db_text(seen->schedule->project), db_text(seen->schedule->cron),
                  db_text(seen->schedule->timezone), db_int(seen->seen_at),
                  db_int_or_null(seen->next_at), db_text(seen->run_id), db_text(seen->reason));
}

/* A mistake (a param without a value, a pipeline that is gone) is kept; what may work on another
 * try is a failure. */
static bool start(Scope *scope, int64_t tick, Seen *seen, size_t *started)
{
    const Schedule *schedule = seen->schedule;
    char time[TIME_TEXT_SIZE];
    PipelineOrder order = {.project = schedule->project, .trigger = "schedule"};
    PipelineRun run;
    bool is_new;

    time_format(tick, time);
    order.trigger_key = arena_format(scope->arena, "schedule:%s:%s", schedule->cron, time);
    order.cause =
        arena_format(scope->arena, "\"%s\" in %s, at %s", schedule->cron, schedule->timezone, time);
    if (pipeline_source_start(scope, &order, &run, &is_new)) {
        if (trigger_was_skipped(&order, &run, is_new))
            seen->reason = trigger_skip_reason(&run, scope->arena);
        else
            seen->run_id = run.id;
        *started += is_new;
        return true;
    }
    if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE ||
        scope->error.kind == ERROR_NO_ROOM)
        return false;
    seen->reason = arena_text(scope->arena, scope->error.message);
    scope->error = (Error){0};
    *arena_push(scope->arena, &seen->refused) = (RefusedTick){order, seen->reason};
    return true;
}

static bool see_to(Scope *scope, const Schedule *schedule, int64_t now, size_t *started)
{
    Seen seen = {.schedule = schedule, .seen_at = now};
    Clockwork work;
    CronTicks ticks;

    if (!read_clockwork(schedule->cron, schedule->timezone, scope->arena, &work, &scope->error)) {
        seen.reason = arena_text(scope->arena, scope->error.message);
        scope->error = (Error){0};
        return scope_write(scope, write_seen, &seen);
    }
    ticks = due_ticks(schedule, &work, now, scope->arena);
    for (size_t i = 0; i < ticks.count; i++)
        if (!start(scope, ticks.items[i], &seen, started))
            return false;
    seen.next_at = next_of(&work, now);
    return scope_write(scope, write_seen, &seen);
}

static bool list_due(Scope *scope, int64_t now, ScheduleList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_SCHEDULE " WHERE next_at <= $1 OR seen_at > $1"
                                           " ORDER BY next_at, project",
                           db_int(now));

    return take_all(scope, &query, list);
}

bool schedule_turn(Scope *scope, int64_t now, size_t *started)
{
    ScheduleList due = {0};

    *started = 0;
    if (!list_due(scope, now, &due))
        return false;
    for (size_t i = 0; i < due.count; i++)
        if (!see_to(scope, &due.items[i], now, started))
            return false;
    return true;
}

/* ---- showing ---- */

bool schedule_write_json(Scope *scope, JsonWriter *json, const Schedule *schedule, int64_t now)
{
    Clockwork work;
    CronTicks next;

    if (!read_clockwork(schedule->cron, schedule->timezone, scope->arena, &work, &scope->error))
        return false;
    next = cron_list(&work.cron, work.zone, now, SCHEDULE_SHOWN, scope->arena);
    json_open_object(json, NULL);
    {
        json_text(json, "project", schedule->project);
        json_text(json, "cron", schedule->cron);
        json_text(json, "timezone", schedule->timezone);
        json_text(json, "missed", schedule->missed);
        json_open_array(json, "next");
        for (size_t i = 0; i < next.count; i++) {
            char time[TIME_TEXT_SIZE];

            json_text(json, NULL, zone_format(work.zone, next.items[i], time));
        }
        json_close(json);
        json_time(json, "seen_at", schedule->seen_at);
        json_text(json, "pipeline_run", schedule->run_id);
        json_text(json, "reason", schedule->reason);
    }
    json_close(json);
    return true;
}

#include "pipelines/occasion.h"

#include <string.h>

#include "access/event.h"
#include "pipelines/pipeline_source.h"
#include "pipelines/trigger_event.h"

enum { MARK_EVENTS_MAX = 1000, KIND_BYTES_MAX = 128, DETAIL_BYTES_MAX = 4096 };

/* ---- new data ---- */

typedef struct Mark {
    int64_t seen, last; /* events; seen -1: nobody has looked yet */
} Mark;

static bool read_mark(Scope *scope, Mark *mark)
{
    return db_get_int(scope->db, &scope->error, &mark->last,
                      "SELECT COALESCE(MAX(id), 0) FROM events") &&
           db_get_int(scope->db, &scope->error, &mark->seen,
                      "SELECT COALESCE((SELECT event_id FROM event_followers"
                      " WHERE name = 'data'), -1)");
}

static bool write_mark(Scope *scope, void *context)
{
    const Mark *mark = context;

    return db_run(scope->db, &scope->error,
                  "INSERT INTO event_followers (name, event_id) VALUES ('data', $1)"
                  " ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
                  db_int(mark->last));
}

static bool write_refusal(Scope *scope, void *context)
{
    return trigger_append(scope, "refused", context);
}

/* A pipeline that cannot start (a param without a default) does not hold up the others. */
static bool start_source(Scope *scope, const PipelineSource *source, const Event *added,
                         size_t *started)
{
    const char *version = added->object;
    PipelineOrder order = {.project = source->project, .trigger = "data", .cause = version};
    PipelineRun run;
    bool is_new;

    order.trigger_key = arena_format(scope->arena, "data:%s", version);
    originators_add(&order.originators, scope->arena,
                    (Originator){added->principal, ORIGINATOR_ADDED});
    if (pipeline_source_start(scope, &order, &run, &is_new)) {
        *started += is_new;
        return true;
    }
    if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE ||
        scope->error.kind == ERROR_NO_ROOM)
        return false;
    TriggerEvent refusal = {&order, NULL, arena_text(scope->arena, scope->error.message)};
    scope->error = (Error){0};
    return scope_write(scope, write_refusal, &refusal);
}

static bool start_for(Scope *scope, const PipelineSourceList *sources, const Event *added,
                      size_t *started)
{
    const char *version = added->object;
    const char *at = strrchr(version, '@');
    const char *name = at ? arena_copy(scope->arena, version, (size_t)(at - version)) : version;

    for (size_t i = 0; i < sources->count; i++) {
        bool is_on;

        if (!pipeline_source_is_on(scope, &sources->items[i], "data", name, &is_on) ||
            (is_on && !start_source(scope, &sources->items[i], added, started)))
            return false;
    }
    return true;
}

bool data_turn(Scope *scope, size_t *started)
{
    Mark mark;
    EventFilter filter = {.action = "dataset_version.created", .limit = MARK_EVENTS_MAX};
    PipelineSourceList sources = {0};
    EventList events = {0};

    *started = 0;
    if (!read_mark(scope, &mark))
        return false;
    if (mark.seen < 0)
        return scope_write(scope, write_mark, &mark);
    if (mark.seen == mark.last)
        return true;
    filter.after = mark.seen;
    if (!event_list(scope, &filter, &events))
        return false;
    if (!events.count && !events.next && mark.last - mark.seen < MARK_EVENTS_MAX)
        return true;
    if (!pipeline_source_list(scope, &(Page){.limit = -1}, &sources))
        return false;
    for (size_t i = 0; i < events.count; i++)
        if (!start_for(scope, &sources, &events.items[i], started))
            return false;
    if (events.next)
        mark.last = events.next;
    return scope_write(scope, write_mark, &mark);
}

/* ---- alarms ---- */

typedef struct AlarmWork {
    const Alarm *alarm;
    const PipelineOrder *order;
    bool is_on;
} AlarmWork;

static bool write_alarm(Scope *scope, void *context)
{
    const AlarmWork *work = context;
    const Alarm *alarm = work->alarm;
    JsonWriter *json = json_writer_create(scope->arena);
    TriggerEvent ignored = {work->order, NULL, "the file does not name it under on: alarm"};

    json_open_object(json, NULL);
    json_text(json, "kind", alarm->kind);
    json_text(json, "detail", alarm->detail);
    json_text(json, "key", alarm->key);
    json_close(json);
    return event_append(scope, "alarm.raised", alarm->project, json_finish(json)) &&
           (work->is_on || trigger_append(scope, "ignored", &ignored));
}

/* Whoever raised it gets the error as well. */
static bool refuse(Scope *scope, const PipelineOrder *order)
{
    Error error = scope->error;
    TriggerEvent refusal = {order, NULL, error.message};

    if (error.kind == ERROR_INTERNAL || error.kind == ERROR_UNAVAILABLE ||
        error.kind == ERROR_NO_ROOM)
        return false;
    scope->error = (Error){0};
    if (scope_write(scope, write_refusal, &refusal))
        scope->error = error;
    return false;
}

bool alarm_raise(Scope *scope, const Alarm *alarm, PipelineRun *run, bool *is_on)
{
    PipelineOrder order = {.project = alarm->project, .trigger = "alarm"};
    AlarmWork work = {.alarm = alarm, .order = &order};
    PipelineSource source;
    bool is_new;

    if (!*alarm->kind || strlen(alarm->kind) > KIND_BYTES_MAX)
        return fail_field(&scope->error, "kind", "the kind of an alarm has 1 to %d bytes",
                          KIND_BYTES_MAX);
    if (alarm->detail && strlen(alarm->detail) > DETAIL_BYTES_MAX)
        return fail_field(&scope->error, "detail", "what an alarm tells has at most %d bytes",
                          DETAIL_BYTES_MAX);
    if (alarm->key && (!*alarm->key || strlen(alarm->key) > PIPELINE_KEY_BYTES_MAX))
        return fail_field(&scope->error, "key", "a key has 1 to %d bytes", PIPELINE_KEY_BYTES_MAX);
    order.cause = alarm->detail ? arena_format(scope->arena, "%s: %s", alarm->kind, alarm->detail)
                                : alarm->kind;
    if (alarm->key)
        order.trigger_key = arena_format(scope->arena, "alarm:%s:%s", alarm->kind, alarm->key);
    if (!pipeline_source_find(scope, alarm->project, &source) ||
        !pipeline_source_is_on(scope, &source, "alarm", alarm->kind, is_on))
        return false;
    work.is_on = *is_on;
    if (!scope_write(scope, write_alarm, &work))
        return false;
    return !*is_on || pipeline_source_start(scope, &order, run, &is_new) || refuse(scope, &order);
}

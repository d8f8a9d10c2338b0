/* trace_delete.c: traces go for good, and the audit trail says how many and which. */

#include "access/event.h"
#include "tracking/experiment.h"
#include "tracking/trace_internal.h"

enum { NAMED_MAX = 100 }; /* in the audit trail */

/* The oldest first. -1 is no limit. */
#define CHOSEN                                                                                     \
    "SELECT key FROM traces WHERE experiment_id = $1 AND requested_at <= $2"                       \
    " ORDER BY requested_at, id LIMIT $3"

static const char *const tables[] = {"trace_tags", "trace_metadata", "trace_spans",
                                     "trace_assessments", "trace_runs"};

static bool check(Scope *scope, const TraceDeletion *deletion)
{
    Error *error = &scope->error;
    Experiment experiment;

    if (deletion->until < 0 && !deletion->ids.count)
        return fail(error, ERROR_INVALID,
                    "Either `max_timestamp_millis` or `trace_ids` must be specified.");
    if (deletion->until >= 0 && deletion->ids.count)
        return fail(error, ERROR_INVALID,
                    "Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
    if (deletion->ids.count && deletion->count_max != -1)
        return fail(error, ERROR_INVALID,
                    "`max_traces` can't be specified if `trace_ids` is specified.");
    if (deletion->count_max < -1 || deletion->count_max == 0)
        return fail(error, ERROR_INVALID, "`max_traces` must be a positive integer");
    if (deletion->ids.count > TRACE_IDS_MAX)
        return fail(error, ERROR_INVALID, "a request has at most %d trace ids", TRACE_IDS_MAX);
    return experiment_find(scope, deletion->experiment_id, &experiment);
}

static bool delete_one(Scope *scope, int64_t key)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        if (!db_run(scope->db, &scope->error,
                    arena_format(scope->arena, "DELETE FROM %s WHERE trace_key = $1", tables[i]),
                    db_int(key)))
            return false;
    return db_run(scope->db, &scope->error, "DELETE FROM traces WHERE key = $1", db_int(key));
}

static bool delete_named(Scope *scope, const TraceDeletion *deletion, TextList *deleted)
{
    for (size_t i = 0; i < deletion->ids.count; i++) {
        Trace trace;
        bool found = false;

        if (!trace_find_row(scope, deletion->ids.items[i], &trace, &found))
            return false;
        if (!found || trace.experiment_id != deletion->experiment_id)
            continue;
        if (!delete_one(scope, trace.key))
            return false;
        text_list_add(deleted, scope->arena, trace.id);
    }
    return true;
}

static bool delete_old(Scope *scope, const TraceDeletion *deletion, int64_t *count)
{
    DbValue experiment = db_int(deletion->experiment_id), until = db_int(deletion->until),
            limit = db_int(deletion->count_max < 0 ? INT64_MAX : deletion->count_max);

    for (size_t i = 0; i < COUNT(tables); i++)
        if (!db_run(scope->db, &scope->error,
                    arena_format(scope->arena, "DELETE FROM %s WHERE trace_key IN (" CHOSEN ")",
                                 tables[i]),
                    experiment, until, limit))
            return false;
    if (!db_run(scope->db, &scope->error, "DELETE FROM traces WHERE key IN (" CHOSEN ")",
                experiment, until, limit))
        return false;
    *count = db_changes(scope->db);
    return true;
}

static bool append_event(Scope *scope, const TraceDeletion *deletion, const TextList *ids,
                         int64_t count)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "count", count);
    if (deletion->until >= 0 && deletion->until <= TRACE_TIME_MAX)
        json_time(json, "requested_until", deletion->until);
    json_open_array(json, "traces");
    for (size_t i = 0; i < ids->count && i < NAMED_MAX; i++)
        json_text(json, NULL, ids->items[i]);
    json_close(json);
    json_close(json);
    return event_append(
        scope, "trace.deleted",
        arena_format(scope->arena, "experiment %lld", (long long)deletion->experiment_id),
        json_finish(json));
}

bool trace_delete(Scope *scope, const TraceDeletion *deletion, int64_t *count)
{
    TextList ids = {0};
    int64_t deleted = 0;

    if (!check(scope, deletion))
        return false;
    if (deletion->ids.count ? !delete_named(scope, deletion, &ids)
                            : !delete_old(scope, deletion, &deleted))
        return false;
    deleted += (int64_t)ids.count;
    *count = deleted;
    return !deleted || append_event(scope, deletion, &ids, deleted);
}

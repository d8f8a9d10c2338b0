#include "tracking/trace.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "tracking/experiment.h"
#include "tracking/run_internal.h"
#include "tracking/step_bounds.h"
#include "tracking/trace_internal.h"

static const char *const status_names[] = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};

const char *trace_status_name(TraceStatus status)
{
    return status_names[status];
}

bool trace_status_find(const char *name, TraceStatus *status)
{
    for (size_t i = 0; i < COUNT(status_names); i++) {
        if (strcmp(status_names[i], name) != 0)
            continue;
        *status = (TraceStatus)i;
        return true;
    }
    return false;
}

/* ---- reading ---- */

Trace trace_from_row(const Query *query, Arena *arena)
{
    Trace trace = {
        .key = query_int(query, 0),
        .id = query_text(query, 1, arena),
        .experiment_id = query_int(query, 2),
        .requested_at = query_int(query, 3),
        .duration = query_is_null(query, 4) ? -1 : query_int(query, 4),
        .client_request_id = query_text(query, 6, arena),
        .request_preview = query_text(query, 7, arena),
        .response_preview = query_text(query, 8, arena),
        .is_told = query_int(query, 9) != 0,
        .span_count = query_int(query, 10),
        .span_bytes = query_int(query, 11),
    };

    if (!trace_status_find(query_text(query, 5, arena), &trace.status))
        trace.status = TRACE_UNSPECIFIED;
    return trace;
}

bool trace_find_row(Scope *scope, const char *id, Trace *trace, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_TRACE " WHERE id = $1", db_text(id));

    *found = query_next(&query);
    if (*found)
        *trace = trace_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

static bool fail_missing(Scope *scope, const char *id)
{
    return fail(&scope->error, ERROR_NOT_FOUND, "Trace with ID '%.100s' not found.", id);
}

bool trace_find_key(Scope *scope, const char *id, int64_t *key)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT key FROM traces WHERE id = $1", db_text(id));

    if (!query_next(&query))
        return query_end(&query, &scope->error) && fail_missing(scope, id);
    *key = query_int(&query, 0);
    return true;
}

bool trace_find_writable(Scope *scope, const char *id, int64_t *key)
{
    Trace trace;
    bool found;

    if (!trace_find_row(scope, id, &trace, &found))
        return false;
    if (!found)
        return fail_missing(scope, id);
    *key = trace.key;
    return step_bounds_check_experiment(scope, trace.experiment_id);
}

static bool load_notes(Scope *scope, const char *sql, int64_t key, ParamList *list)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, db_int(key));

    return param_list_from_rows(&query, scope->arena, list, &scope->error);
}

bool trace_load_details(Scope *scope, TraceList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        Trace *trace = &list->items[i];

        if (!load_notes(scope,
                        "SELECT key, value FROM trace_tags WHERE trace_key = $1 ORDER BY key",
                        trace->key, &trace->tags) ||
            !load_notes(scope,
                        "SELECT key, value FROM trace_metadata WHERE trace_key = $1 ORDER BY key",
                        trace->key, &trace->metadata) ||
            !assessment_list(scope, trace->key, &trace->assessments))
            return false;
    }
    return true;
}

bool trace_find(Scope *scope, const char *id, Trace *trace)
{
    Trace row;
    bool found = false;

    if (!trace_find_row(scope, id, &row, &found))
        return false;
    if (!found)
        return fail_missing(scope, id);
    if (!trace_load_details(scope, &(TraceList){&row, 1}))
        return false;
    *trace = row;
    return true;
}

bool trace_find_all(Scope *scope, const TextList *ids, TraceList *list)
{
    TraceList taken = {0};

    if (ids->count > TRACE_IDS_MAX)
        return fail_field(&scope->error, "trace_ids", "a request has at most %d trace ids",
                          TRACE_IDS_MAX);
    for (size_t i = 0; i < ids->count; i++) {
        Trace trace;
        bool found = false;

        if (!trace_find_row(scope, ids->items[i], &trace, &found))
            return false;
        if (found)
            *arena_push(scope->arena, &taken) = trace;
    }
    if (!trace_load_details(scope, &taken))
        return false;
    *list = taken;
    return true;
}

/* ---- notes ---- */

/* Keys of traces are the client's: they may have any characters. */
bool trace_check_note(const char *what, const Param *note, Error *error)
{
    size_t length = text_characters(note->key);

    if (length < 1 || length > KEY_CHARACTERS_MAX)
        return fail_field(error, what, "a %s of a trace has a key of 1 to %d characters", what,
                          KEY_CHARACTERS_MAX);
    if (text_characters(note->value) > TRACE_NOTE_CHARACTERS_MAX)
        return fail_field(error, what, "a %s of a trace has a value of at most %d characters", what,
                          TRACE_NOTE_CHARACTERS_MAX);
    return true;
}

static bool check_notes(const char *what, const ParamList *list, Error *error)
{
    if (list->count > TRACE_NOTES_MAX)
        return fail_field(error, what, "a trace has at most %d of each, tags and metadata",
                          TRACE_NOTES_MAX);
    for (size_t i = 0; i < list->count; i++)
        if (!trace_check_note(what, &list->items[i], error))
            return false;
    return true;
}

static bool put_notes(Scope *scope, const char *sql, int64_t key, const ParamList *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(key), db_text(notes->items[i].key),
                    db_text(notes->items[i].value)))
            return false;
    return true;
}

bool trace_put_tags(Scope *scope, int64_t key, const ParamList *tags)
{
    return put_notes(scope,
                     "INSERT INTO trace_tags(trace_key, key, value) VALUES ($1, $2, $3)"
                     " ON CONFLICT (trace_key, key) DO UPDATE SET value = excluded.value",
                     key, tags);
}

bool trace_put_metadata(Scope *scope, int64_t key, const ParamList *metadata)
{
    return put_notes(scope,
                     "INSERT INTO trace_metadata(trace_key, key, value) VALUES ($1, $2, $3)"
                     " ON CONFLICT (trace_key, key) DO UPDATE SET value = excluded.value",
                     key, metadata);
}

/* ---- writing ---- */

static bool put_location(Scope *scope, const Trace *trace)
{
    Experiment experiment;
    Param tag = {.key = TRACE_LOCATION_TAG};

    if (!experiment_find(scope, trace->experiment_id, &experiment))
        return false;
    tag.value = arena_format(scope->arena, "%s/traces/%s/artifacts", experiment.artifact_location,
                             trace->id);
    return trace_put_tags(scope, trace->key, &(ParamList){&tag, 1});
}

static DbValue duration_value(const Trace *trace)
{
    return trace->duration < 0 ? (DbValue){.type = DB_NULL} : db_int(trace->duration);
}

bool trace_insert(Scope *scope, Trace *trace)
{
    static const char sql[] =
        "INSERT INTO traces(key, id, experiment_id, requested_at, duration, status,"
        " client_request_id, request_preview, response_preview, is_told, span_count, span_bytes)"
        " VALUES ((SELECT coalesce(max(key), 0) + 1 FROM traces), $1, $2, $3, $4, $5, $6, $7, $8,"
        " $9, 0, 0) RETURNING key";

    return db_get_int(scope->db, &scope->error, &trace->key, sql, db_text(trace->id),
                      db_int(trace->experiment_id), db_int(trace->requested_at),
                      duration_value(trace), db_text(trace_status_name(trace->status)),
                      db_text(trace->client_request_id), db_text(trace->request_preview),
                      db_text(trace->response_preview), db_int(trace->is_told)) &&
           put_location(scope, trace);
}

static bool update(Scope *scope, int64_t key, const Trace *told)
{
    static const char sql[] =
        "UPDATE traces SET experiment_id = $2, requested_at = $3, duration = $4, status = $5,"
        " client_request_id = $6, request_preview = coalesce($7, request_preview),"
        " response_preview = coalesce($8, response_preview), is_told = 1 WHERE key = $1";

    return db_run(scope->db, &scope->error, sql, db_int(key), db_int(told->experiment_id),
                  db_int(told->requested_at), duration_value(told),
                  db_text(trace_status_name(told->status)), db_text(told->client_request_id),
                  db_text(told->request_preview), db_text(told->response_preview));
}

static bool check_text(Scope *scope, const char *field, const char *text, size_t most)
{
    return !text || text_characters(text) <= most ||
           fail_field(&scope->error, field, "\"%s\" of a trace has at most %zu characters", field,
                      most);
}

static bool check_told(Scope *scope, const Trace *told)
{
    if (!name_is_valid(told->id))
        return fail_field(&scope->error, "trace_id",
                          "the id of a trace has 1 to 128 letters, digits, \"-\", \"_\" and \".\"");
    if (told->requested_at < 0 || told->requested_at > TRACE_TIME_MAX ||
        told->duration > TRACE_TIME_MAX)
        return fail_field(&scope->error, "request_time",
                          "a trace is requested after 1970 and ends before the year 10000");
    if (told->assessments.count > ASSESSMENTS_MAX)
        return fail_field(&scope->error, "assessments", "a trace has at most %d assessments",
                          ASSESSMENTS_MAX);
    return check_text(scope, "client_request_id", told->client_request_id, KEY_CHARACTERS_MAX) &&
           check_text(scope, "request_preview", told->request_preview,
                      TRACE_PREVIEW_CHARACTERS_MAX) &&
           check_text(scope, "response_preview", told->response_preview,
                      TRACE_PREVIEW_CHARACTERS_MAX) &&
           check_notes("tag", &told->tags, &scope->error) &&
           check_notes("metadata", &told->metadata, &scope->error) &&
           experiment_check_active(scope, told->experiment_id);
}

static bool add_assessments(Scope *scope, int64_t key, const Trace *told)
{
    Assessment added;

    for (size_t i = 0; i < told->assessments.count; i++)
        if (!assessment_add(scope, key, told->id, &told->assessments.items[i], &added))
            return false;
    return true;
}

bool trace_start(Scope *scope, const Trace *told, Trace *trace)
{
    Trace row = *told;
    bool found = false;

    row.is_told = true;
    if (!check_told(scope, told) || !trace_find_row(scope, told->id, &row, &found) ||
        !step_bounds_check_experiment(scope, row.experiment_id))
        return false;
    if (found ? !update(scope, row.key, told) : !trace_insert(scope, &row))
        return false;
    return trace_put_tags(scope, row.key, &told->tags) &&
           trace_put_metadata(scope, row.key, &told->metadata) &&
           add_assessments(scope, row.key, told) && trace_find(scope, told->id, trace);
}

bool trace_set_tag(Scope *scope, const char *id, const Param *tag)
{
    int64_t key = 0;

    return trace_check_note("tag", tag, &scope->error) && trace_find_writable(scope, id, &key) &&
           trace_put_tags(scope, key, &(ParamList){(Param *)tag, 1});
}

bool trace_delete_tag(Scope *scope, const char *id, const char *tag)
{
    int64_t key = 0;

    if (!trace_find_writable(scope, id, &key) ||
        !db_run(scope->db, &scope->error,
                "DELETE FROM trace_tags WHERE trace_key = $1 AND key = $2", db_int(key),
                db_text(tag)))
        return false;
    return db_changes(scope->db) > 0 ||
           fail(&scope->error, ERROR_NOT_FOUND,
                "No trace tag with key '%.100s' for trace with ID '%.100s'", tag, id);
}

bool trace_link_run(Scope *scope, const TextList *ids, const char *run_id)
{
    static const char sql[] = "INSERT INTO trace_runs(trace_key, run_id)"
                              " SELECT key, $2 FROM traces WHERE id = $1"
                              " ON CONFLICT (trace_key, run_id) DO NOTHING";
    Run run;

    if (ids->count > TRACE_LINKS_MAX)
        return fail_field(&scope->error, "trace_ids",
                          "Cannot link more than %d traces to a run in a single request",
                          TRACE_LINKS_MAX);
    if (!run_find_row(scope, run_id, &run) || !step_bounds_check_run(scope, &run))
        return false;
    for (size_t i = 0; i < ids->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_text(ids->items[i]), db_text(run.id)))
            return false;
    return true;
}

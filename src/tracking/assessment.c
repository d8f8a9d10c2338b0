#include "tracking/assessment.h"

#include <string.h>

#include "base/digest.h"
#include "base/time.h"
#include "tracking/trace_internal.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_ASSESSMENT                                                                          \
    "SELECT id, name, kind, value, source_type, source_id, span_id, rationale, metadata,"          \
    "       overrides, is_valid, created_at, updated_at"                                           \
    "  FROM trace_assessments"

static Assessment from_row(const Query *query, Arena *arena)
{
    return (Assessment){
        .id = query_text(query, 0, arena),
        .name = query_text(query, 1, arena),
        .kind = query_text(query, 2, arena),
        .value = query_text(query, 3, arena),
        .source_type = query_text(query, 4, arena),
        .source_id = query_text(query, 5, arena),
        .span_id = query_text(query, 6, arena),
        .rationale = query_text(query, 7, arena),
        .metadata = query_text(query, 8, arena),
        .overrides = query_text(query, 9, arena),
        .is_invalid = query_int(query, 10) == 0,
        .created_at = query_int(query, 11),
        .updated_at = query_int(query, 12),
    };
}

bool assessment_list(Scope *scope, int64_t trace_key, AssessmentList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_ASSESSMENT " WHERE trace_key = $1 ORDER BY created_at, id",
                 db_int(trace_key));
    AssessmentList taken = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = taken;
    return true;
}

static bool find_row(Scope *scope, int64_t trace_key, const char *id, Assessment *assessment,
                     bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ASSESSMENT " WHERE trace_key = $1 AND id = $2",
                           db_int(trace_key), db_text(id));

    *found = query_next(&query);
    if (*found)
        *assessment = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

static bool fail_missing(Scope *scope, const char *trace_id, const char *id)
{
    return fail(&scope->error, ERROR_NOT_FOUND,
                "Assessment with ID '%.100s' not found for trace '%.100s'", id, trace_id);
}

static bool require(Scope *scope, const char *trace_id, const char *id, int64_t *key,
                    Assessment *assessment)
{
    bool found = false;

    if (!trace_find_key(scope, trace_id, key) || !find_row(scope, *key, id, assessment, &found))
        return false;
    return found || fail_missing(scope, trace_id, id);
}

bool assessment_find(Scope *scope, const char *trace_id, const char *id, Assessment *found)
{
    int64_t key = 0;

    return require(scope, trace_id, id, &key, found);
}

/* ---- writing ---- */

static bool check_text(Scope *scope, const char *field, const char *text, size_t bytes_max)
{
    return !text || strlen(text) <= bytes_max ||
           fail_field(&scope->error, field, "\"%s\" of an assessment has at most %zu bytes", field,
                      bytes_max);
}

static bool check(Scope *scope, const Assessment *given)
{
    size_t length = given->name ? text_characters(given->name) : 0;

    if (length < 1 || length > ASSESSMENT_NAME_CHARACTERS_MAX)
        return fail_field(&scope->error, "assessment_name",
                          "the name of an assessment has 1 to %d characters",
                          ASSESSMENT_NAME_CHARACTERS_MAX);
    if (given->id && !name_is_valid(given->id))
        return fail_field(&scope->error, "assessment_id",
                          "the id of an assessment has 1 to 128 letters, digits, \"-\", \"_\" and "
                          "\".\"");
    return check_text(scope, "value", given->value, ASSESSMENT_VALUE_BYTES_MAX) &&
           check_text(scope, "rationale", given->rationale, ASSESSMENT_VALUE_BYTES_MAX) &&
           check_text(scope, "metadata", given->metadata, ASSESSMENT_VALUE_BYTES_MAX) &&
           check_text(scope, "span_id", given->span_id, KEY_CHARACTERS_MAX) &&
           check_text(scope, "source_id", given->source_id, KEY_CHARACTERS_MAX) &&
           check_text(scope, "source_type", given->source_type, KEY_CHARACTERS_MAX);
}

/* What is sent twice is one assessment. */
static const char *id_of_content(Scope *scope, const char *trace_id, const Assessment *given)
{
    const char *const parts[] = {
        trace_id,           given->name,      given->kind,     given->value,   given->source_id,
        given->source_type, given->rationale, given->metadata, given->span_id, given->overrides};
    Digest *digest = digest_create();
    char text[DIGEST_TEXT_SIZE];

    for (size_t i = 0; i < COUNT(parts); i++)
        digest_add(digest, parts[i] ? parts[i] : "", parts[i] ? strlen(parts[i]) + 1 : 1);
    digest_add(digest, &given->created_at, sizeof(given->created_at));
    return arena_format(scope->arena, "a-%.32s", digest_finish(digest, text));
}

static bool mark(Scope *scope, int64_t trace_key, const char *id, bool is_valid)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE trace_assessments SET is_valid = $3 WHERE trace_key = $1 AND id = $2",
                  db_int(trace_key), db_text(id), db_int(is_valid));
}

static bool override(Scope *scope, int64_t trace_key, const char *trace_id, const char *id)
{
    if (!id)
        return true;
    if (!mark(scope, trace_key, id, false))
        return false;
    return db_changes(scope->db) > 0 || fail_missing(scope, trace_id, id);
}

static bool put(Scope *scope, int64_t trace_key, const Assessment *row)
{
    static const char sql[] =
        "INSERT INTO trace_assessments(trace_key, id, name, kind, value, source_type, source_id,"
        " span_id, rationale, metadata, overrides, is_valid, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (trace_key, id) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
        " value = excluded.value, rationale = excluded.rationale, metadata = excluded.metadata,"
        " updated_at = excluded.updated_at";

    return db_run(scope->db, &scope->error, sql, db_int(trace_key), db_text(row->id),
                  db_text(row->name), db_text(row->kind), db_text(row->value),
                  db_text(row->source_type), db_text(row->source_id), db_text(row->span_id),
                  db_text(row->rationale), db_text(row->metadata), db_text(row->overrides),
                  db_int(!row->is_invalid), db_int(row->created_at), db_int(row->updated_at));
}

static bool check_count(Scope *scope, int64_t trace_key)
{
    int64_t count = 0;

    return db_get_int(scope->db, &scope->error, &count,
                      "SELECT count(*) FROM trace_assessments WHERE trace_key = $1",
                      db_int(trace_key)) &&
           (count <= ASSESSMENTS_MAX ||
            fail(&scope->error, ERROR_CONFLICT, "a trace has at most %d assessments",
                 ASSESSMENTS_MAX));
}

bool assessment_add(Scope *scope, int64_t trace_key, const char *trace_id, const Assessment *given,
                    Assessment *added)
{
    Assessment row = *given;

    if (!check(scope, given) || !override(scope, trace_key, trace_id, given->overrides))
        return false;
    if (!row.id)
        row.id = id_of_content(scope, trace_id, given);
    if (!row.created_at)
        row.created_at = time_now_ms();
    if (!row.updated_at)
        row.updated_at = row.created_at;
    if (!put(scope, trace_key, &row) || !check_count(scope, trace_key))
        return false;
    *added = row;
    return true;
}

bool assessment_create(Scope *scope, const char *trace_id, const Assessment *given,
                       Assessment *created)
{
    int64_t key = 0;

    return trace_find_writable(scope, trace_id, &key) &&
           assessment_add(scope, key, trace_id, given, created);
}

/* What is there, with the new members in place of those of the same name. */
static const char *merge(Scope *scope, const char *present, const JsonValue *added)
{
    JsonWriter *json = json_writer_create(scope->arena);
    const JsonValue *object = NULL;
    Error ignored = {0};

    if (present && !json_parse(present, strlen(present), scope->arena, &object, &ignored))
        object = NULL;
    json_open_object(json, NULL);
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);)
        if (!json_member(added, walk.key))
            json_text(json, walk.key, json_as_text(walk.value, ""));
    for (JsonWalk walk = json_walk(added); json_walk_next(&walk);)
        json_text(json, walk.key, json_as_text(walk.value, ""));
    json_close(json);
    return json_finish(json);
}

bool assessment_update(Scope *scope, const char *trace_id, const char *id,
                       const AssessmentChange *change, Assessment *updated)
{
    Assessment row;
    int64_t key = 0;

    if (!require(scope, trace_id, id, &key, &row))
        return false;
    if (change->kind && strcmp(change->kind, row.kind) != 0)
        return fail(&scope->error, ERROR_INVALID, "Cannot update %s value on a %s assessment.",
                    change->kind, row.kind);
    row.name = change->name ? change->name : row.name;
    row.value = change->value ? change->value : row.value;
    row.rationale = change->rationale ? change->rationale : row.rationale;
    if (change->metadata)
        row.metadata = merge(scope, row.metadata, change->metadata);
    row.updated_at = time_now_ms();
    if (!check(scope, &row) || !put(scope, key, &row))
        return false;
    *updated = row;
    return true;
}

bool assessment_delete(Scope *scope, const char *trace_id, const char *id)
{
    Assessment row;
    int64_t key = 0;
    bool found = false;

    if (!trace_find_writable(scope, trace_id, &key) || !find_row(scope, key, id, &row, &found))
        return false;
    if (!found)
        return true;
    return (!row.overrides || mark(scope, key, row.overrides, true)) &&
           db_run(scope->db, &scope->error,
                  "DELETE FROM trace_assessments WHERE trace_key = $1 AND id = $2", db_int(key),
                  db_text(id));
}

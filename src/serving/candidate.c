#include "serving/candidate.h"

#include <inttypes.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/time.h"
#include "serving/candidate_internal.h"
#include "serving/endpoint.h"

Candidate candidate_from_row(const Query *query, int first, Arena *arena)
{
    return (Candidate){
        .id = query_int(query, first),
        .model = query_text(query, first + 1, arena),
        .version = query_int(query, first + 2),
        .package = query_text(query, first + 3, arena),
        .share = query_int(query, first + 4),
        .is_shadow = query_int(query, first + 5) != 0,
        .comment = query_text(query, first + 6, arena),
        .created_by = query_text(query, first + 7, arena),
        .created_at = query_int(query, first + 8),
        .ended_at = query_int(query, first + 9),
        .ended_by = query_text(query, first + 10, arena),
        .end_reason = query_text(query, first + 11, arena),
        .end_comment = query_text(query, first + 12, arena),
    };
}

static const char *who(const Scope *scope)
{
    return scope->principal.name ? scope->principal.name : "local";
}

bool candidate_check(const CandidateSpec *spec, Error *error)
{
    if (spec->is_shadow && spec->share)
        return fail_field(error, "share",
                          "a shadow has no share: it is asked whatever the live version is asked");
    if (!(spec->share >= 0 && spec->share <= SHARE_WHOLE))
        return fail_field(error, "share", "a share is 0 to 100 %%, in steps of 0.1");
    return spec->share < SHARE_WHOLE || (spec->comment && *spec->comment) ||
           fail_field(error, "comment",
                      "a share of 100 %% does not ask the gate: promote the version, or say why in "
                      "\"comment\" (--comment)");
}

static bool find_live(Scope *scope, const char *name, Endpoint *endpoint)
{
    if (!endpoint_find(scope, name, endpoint))
        return false;
    return endpoint->model ||
           fail(&scope->error, ERROR_CONFLICT,
                "nothing is deployed on endpoint \"%s\" that a candidate could be tried beside",
                name);
}

static bool find_version(Scope *scope, const CandidateSpec *spec, const Endpoint *endpoint,
                         ModelVersion *version)
{
    const char *model = spec->model ? spec->model : endpoint->model;

    if (!model_version_find(scope, model, spec->version, version) ||
        !model_version_need_package(scope, version))
        return false;
    return version->version != endpoint->version || !text_equal(version->model, endpoint->model) ||
           fail(&scope->error, ERROR_CONFLICT,
                "version %" PRId64 " of \"%s\" serves at endpoint \"%s\" already", version->version,
                version->model, endpoint->name);
}

static bool is_set_already(const Candidate *set, const CandidateSpec *spec,
                           const ModelVersion *version)
{
    return set->id && set->version == version->version && text_equal(set->model, version->model) &&
           set->share == spec->share && set->is_shadow == spec->is_shadow;
}

static bool write_end(Scope *scope, const Candidate *candidate, const char *reason,
                      const char *comment)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE candidates"
                  " SET ended_at = $2, ended_by = $3, end_reason = $4, end_comment = $5"
                  " WHERE id = $1",
                  db_int(candidate->id), db_int(time_now_ms()), db_text(who(scope)),
                  db_text(reason), db_text(comment));
}

static bool insert(Scope *scope, const Endpoint *endpoint, const CandidateSpec *spec,
                   const ModelVersion *version)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO candidates"
                  " (id, endpoint_id, model, version, package, share, is_shadow, comment,"
                  " created_at, created_by)"
                  " SELECT next.id, $1, $2, $3, $4, $5, $6, $7, $8, $9"
                  " FROM " NEXT_DEPLOYMENT_ID " AS next",
                  db_int(endpoint->id), db_text(version->model), db_int(version->version),
                  db_text(version->package), db_int(spec->share), db_int(spec->is_shadow),
                  db_text(spec->comment), db_int(time_now_ms()), db_text(who(scope)));
}

/* What a reader of the audit trail wants to know of one. */
static void write_short(JsonWriter *json, const char *key, const Candidate *candidate)
{
    if (!candidate->id) {
        json_null(json, key);
        return;
    }
    json_open_object(json, key);
    {
        json_text(json, "model", candidate->model);
        json_int(json, "version", candidate->version);
        json_double(json, "share", (double)candidate->share / 10);
        json_bool(json, "shadow", candidate->is_shadow);
    }
    json_close(json);
}

static bool record_set(Scope *scope, const Candidate *before, const Endpoint *endpoint)
{
    JsonWriter *json = json_writer_create(scope->arena);

    scope->topic.project = endpoint->project;
    json_open_object(json, NULL);
    write_short(json, "before", before);
    write_short(json, "after", &endpoint->candidate);
    json_text(json, "comment", endpoint->candidate.comment);
    json_close(json);
    return event_append(scope, "endpoint.candidate_set", endpoint->name, json_finish(json)) &&
           event_about(scope, EVENT_MODEL, endpoint->candidate.model);
}

bool endpoint_candidate_set(Scope *scope, const CandidateSpec *spec, Endpoint *endpoint)
{
    ModelVersion version;
    Endpoint found;
    Candidate before;

    if (!candidate_check(spec, &scope->error) || !find_live(scope, spec->endpoint, &found) ||
        !find_version(scope, spec, &found, &version))
        return false;
    before = found.candidate;
    if (!is_set_already(&before, spec, &version)) {
        if ((before.id && !write_end(scope, &before, "replaced", spec->comment)) ||
            !insert(scope, &found, spec, &version))
            return false;
        CRASH_POINT("candidate: set, not recorded");
        if (!model_version_release(scope, version.model, version.version) ||
            !endpoint_find(scope, spec->endpoint, &found) || !record_set(scope, &before, &found))
            return false;
    }
    *endpoint = found;
    return true;
}

bool endpoint_candidate_end(Scope *scope, const Endpoint *endpoint, const char *reason,
                            const char *comment)
{
    JsonWriter *json = json_writer_create(scope->arena);

    if (!endpoint->candidate.id)
        return true;
    if (!write_end(scope, &endpoint->candidate, reason, comment))
        return false;
    scope->topic.project = endpoint->project;
    json_open_object(json, NULL);
    write_short(json, "before", &endpoint->candidate);
    json_text(json, "reason", reason);
    json_text(json, "comment", comment);
    json_close(json);
    return event_append(scope, "endpoint.candidate_ended", endpoint->name, json_finish(json)) &&
           event_about(scope, EVENT_MODEL, endpoint->candidate.model);
}

static bool find_candidate(Scope *scope, const char *name, Endpoint *endpoint)
{
    if (!endpoint_find(scope, name, endpoint))
        return false;
    return endpoint->candidate.id ||
           fail(&scope->error, ERROR_CONFLICT, "endpoint \"%s\" has no candidate", name);
}

bool endpoint_candidate_clear(Scope *scope, const char *name, const char *comment,
                              Endpoint *endpoint)
{
    Endpoint found;

    if (!find_candidate(scope, name, &found) ||
        !endpoint_candidate_end(scope, &found, "cleared", comment))
        return false;
    found.candidate = (Candidate){0};
    *endpoint = found;
    return true;
}

bool endpoint_candidate_promote(Scope *scope, const char *name, const char *comment,
                                const char *gate, Endpoint *endpoint)
{
    DeploySpec spec = {.endpoint = name, .reason = "promote", .comment = comment, .gate = gate};
    Endpoint found;

    if (!find_candidate(scope, name, &found))
        return false;
    spec.model = found.candidate.model;
    spec.version = found.candidate.version;
    return endpoint_deploy(scope, &spec, endpoint);
}

bool endpoint_candidates(Scope *scope, const char *name, const Page *page, CandidateList *list)
{
    CandidateList found = {0};
    Endpoint endpoint;

    if (!endpoint_find(scope, name, &endpoint))
        return false;

    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT " CANDIDATE_COLUMNS " FROM candidates c"
                 " WHERE c.endpoint_id = $1 AND c.id < $2 ORDER BY c.id DESC LIMIT $3",
                 db_int(endpoint.id), db_int(page_before(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, &found) = candidate_from_row(&query, 0, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = found;
    return true;
}

static void write_end_json(JsonWriter *json, const Candidate *candidate)
{
    json_time(json, "ended_at", candidate->ended_at);
    json_text(json, "ended_by", candidate->ended_by);
    json_text(json, "end_reason", candidate->end_reason);
    json_text(json, "end_comment", candidate->end_comment);
}

void candidate_write_json(JsonWriter *json, const char *key, const Candidate *candidate)
{
    if (!candidate->id) {
        json_null(json, key);
        return;
    }
    json_open_object(json, key);
    {
        json_int(json, "id", candidate->id);
        json_text(json, "model", candidate->model);
        json_int(json, "version", candidate->version);
        json_text(json, "package", candidate->package);
        json_double(json, "share", (double)candidate->share / 10);
        json_bool(json, "shadow", candidate->is_shadow);
        json_text(json, "comment", candidate->comment);
        json_text(json, "created_by", candidate->created_by);
        json_time(json, "created_at", candidate->created_at);
        if (candidate->ended_at)
            write_end_json(json, candidate);
    }
    json_close(json);
}

#include "serving/placement.h"

#include <inttypes.h>

#include "serving/endpoint.h"

/* Both selects have these columns, in the order from_row() reads; n is the next deployment. */
#define SELECT_LIVE                                                                                \
    "SELECT d.id, e.name, e.project, 'live', 0, d.model, d.version, d.package, d.reason,"          \
    " d.comment, d.created_by, d.created_at, n.created_at, n.created_by, n.reason, n.comment,"     \
    " n.id, n.model, n.version, d.origin_id"                                                       \
    " FROM endpoints e JOIN deployments d ON d.endpoint_id = e.id"                                 \
    " LEFT JOIN deployments n ON n.id = (SELECT min(id) FROM deployments"                          \
    " WHERE endpoint_id = d.endpoint_id AND id > d.id)"
#define SELECT_CANDIDATE                                                                           \
    "SELECT c.id, e.name, e.project, CASE c.is_shadow WHEN 1 THEN 'shadow' ELSE 'canary' END,"     \
    " c.share, c.model, c.version, c.package, NULL, c.comment, c.created_by, c.created_at,"        \
    " c.ended_at, c.ended_by, c.end_reason, c.end_comment, NULL, NULL, NULL, c.id"                 \
    " FROM endpoints e JOIN candidates c ON c.endpoint_id = e.id"

static Placement from_row(const Query *query, Arena *arena)
{
    return (Placement){
        .id = query_int(query, 0),
        .endpoint = query_text(query, 1, arena),
        .project = query_text(query, 2, arena),
        .role = query_text(query, 3, arena),
        .share = query_int(query, 4),
        .model = query_text(query, 5, arena),
        .version = query_int(query, 6),
        .package = query_text(query, 7, arena),
        .reason = query_text(query, 8, arena),
        .comment = query_text(query, 9, arena),
        .created_by = query_text(query, 10, arena),
        .created_at = query_int(query, 11),
        .ended_at = query_int(query, 12),
        .ended_by = query_text(query, 13, arena),
        .end_reason = query_text(query, 14, arena),
        .end_comment = query_text(query, 15, arena),
        .successor_id = query_int(query, 16),
        .successor_model = query_text(query, 17, arena),
        .successor_version = query_int(query, 18),
        .origin_id = query_int(query, 19),
    };
}

/* None is a placement without an id. */
static bool take(Scope *scope, Query *query, Placement *placement)
{
    Placement found = {0};

    if (query_next(query))
        found = from_row(query, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    *placement = found;
    return true;
}

/* The order of the numbers is that of the changes, also where a clock was set back. */
static const char select_live_at[] =
    SELECT_LIVE " WHERE d.id = (SELECT id FROM deployments WHERE endpoint_id = $1"
                " AND created_at <= $2 ORDER BY id DESC LIMIT 1)";
static const char select_candidate_at[] =
    SELECT_CANDIDATE " WHERE c.endpoint_id = $1 AND c.created_at <= $2"
                     " AND (c.ended_at IS NULL OR c.ended_at > $2) ORDER BY c.id DESC LIMIT 1";

static bool find_at(Scope *scope, const char *sql, const Endpoint *endpoint, int64_t at,
                    Placement *placement)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_int(endpoint->id), db_int(at));

    return take(scope, &query, placement);
}

bool placement_live_at(Scope *scope, const char *endpoint, int64_t at, Placement *placement)
{
    Endpoint found;

    return endpoint_find(scope, endpoint, &found) &&
           find_at(scope, select_live_at, &found, at, placement);
}

bool placement_candidate_at(Scope *scope, const char *endpoint, int64_t at, Placement *placement)
{
    Endpoint found;

    return endpoint_find(scope, endpoint, &found) &&
           find_at(scope, select_candidate_at, &found, at, placement);
}

bool placement_find(Scope *scope, int64_t id, Placement *placement)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, SELECT_LIVE " WHERE d.id = $1 UNION ALL " SELECT_CANDIDATE " WHERE c.id = $1",
        db_int(id));
    Placement found;

    if (!take(scope, &query, &found))
        return false;
    if (!found.id)
        return fail(&scope->error, ERROR_NOT_FOUND, "deployment %" PRId64 " does not exist", id);
    *placement = found;
    return true;
}

/* Numbers of deployments and candidates are one row of numbers. */
bool placement_list_version(Scope *scope, const char *model, int64_t version, int64_t limit,
                            PlacementList *list)
{
    static const char select[] =
        SELECT_LIVE " WHERE d.model = $1 AND d.version = $2 UNION ALL " SELECT_CANDIDATE
                    " WHERE c.model = $1 AND c.version = $2 ORDER BY 1 DESC LIMIT $3";
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, select, db_text(model), db_int(version), db_int(limit));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

static void write_successor(JsonWriter *json, const Placement *placement)
{
    if (!placement->successor_id) {
        json_null(json, "successor");
        return;
    }
    json_open_object(json, "successor");
    {
        json_int(json, "id", placement->successor_id);
        json_text(json, "model", placement->successor_model);
        json_int(json, "version", placement->successor_version);
    }
    json_close(json);
}

void placement_write_json(JsonWriter *json, const char *key, const Placement *placement)
{
    json_open_object(json, key);
    {
        json_int(json, "id", placement->id);
        json_text(json, "endpoint", placement->endpoint);
        json_text(json, "role", placement->role);
        if (text_equal(placement->role, "canary"))
            json_double(json, "share", (double)placement->share / 10);
        json_text(json, "model", placement->model);
        json_int(json, "version", placement->version);
        json_text(json, "package", placement->package);
        json_text(json, "reason", placement->reason);
        json_text(json, "comment", placement->comment);
        json_text(json, "created_by", placement->created_by);
        json_time(json, "created_at", placement->created_at);
        json_time(json, "ended_at", placement->ended_at);
        json_text(json, "ended_by", placement->ended_by);
        json_text(json, "end_reason", placement->end_reason);
        json_text(json, "end_comment", placement->end_comment);
        write_successor(json, placement);
    }
    json_close(json);
}

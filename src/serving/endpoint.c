#include "serving/endpoint.h"

#include <inttypes.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/time.h"
#include "serving/candidate_internal.h"
#include "serving/endpoint_tell.h"

#define SELECT_ENDPOINT                                                                            \
    "SELECT e.id, e.name, e.project, e.rule_metric, e.rule_margin, e.rule_minimum, e.rule_level,"  \
    " e.rule_demand, e.rule_relative_margin, e.created_at, d.model, d.version, d.package, d.id, "  \
    "d.created_at,"                                                                                \
    " d.created_by, " CANDIDATE_COLUMNS " FROM endpoints e"                                        \
    " LEFT JOIN deployments d"                                                                     \
    " ON d.id = (SELECT max(id) FROM deployments WHERE endpoint_id = e.id)"                        \
    " LEFT JOIN candidates c"                                                                      \
    " ON c.endpoint_id = e.id AND c.ended_at IS NULL"

static Endpoint from_row(const Query *query, Arena *arena)
{
    return (Endpoint){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .project = query_text(query, 2, arena),
        .rule = {.metric = query_text(query, 3, arena),
                 .margin = query_double(query, 4),
                 .minimum = query_double(query, 5),
                 .level = query_double(query, 6),
                 .demand = query_text(query, 7, arena),
                 .relative_margin = query_double(query, 8)},
        .created_at = query_int(query, 9),
        .model = query_text(query, 10, arena),
        .version = query_int(query, 11),
        .package = query_text(query, 12, arena),
        .deployment_id = query_int(query, 13),
        .deployed_at = query_int(query, 14),
        .deployed_by = query_text(query, 15, arena),
        .candidate = candidate_from_row(query, 16, arena),
    };
}

#define SELECT_DEPLOYMENT                                                                          \
    "SELECT d.id, e.name, d.model, d.version, d.reason, d.comment, d.created_by, d.created_at,"    \
    " d.gate"                                                                                      \
    " FROM deployments d"                                                                          \
    " JOIN endpoints e ON e.id = d.endpoint_id"

static Deployment deployment_from_row(const Query *query, Arena *arena)
{
    return (Deployment){
        .id = query_int(query, 0),
        .endpoint = query_text(query, 1, arena),
        .model = query_text(query, 2, arena),
        .version = query_int(query, 3),
        .reason = query_text(query, 4, arena),
        .comment = query_text(query, 5, arena),
        .created_by = query_text(query, 6, arena),
        .created_at = query_int(query, 7),
        .gate = query_text(query, 8, arena),
    };
}

bool endpoint_find(Scope *scope, const char *name, Endpoint *endpoint)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ENDPOINT " WHERE e.name = $1", db_text(name));

    if (query_next(&query)) {
        *endpoint = from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "endpoint \"%.100s\" does not exist", name);
}

bool endpoint_list(Scope *scope, const Page *page, EndpointList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ENDPOINT " WHERE e.name > $1 ORDER BY e.name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));
    EndpointList found = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &found) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = found;
    return true;
}

static bool insert_endpoint(Scope *scope, const char *name, const char *project)
{
    GateRule rule = gate_rule_default();
    JsonWriter *json = json_writer_create(scope->arena);

    if (!name_check("endpoint", "endpoint", name, &scope->error) ||
        !name_check("project", "project", project, &scope->error) ||
        !db_run(scope->db, &scope->error,
                "INSERT INTO endpoints"
                " (id, name, project, rule_metric, rule_margin, rule_minimum, rule_level,"
                " rule_demand, rule_relative_margin, created_at)"
                " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM endpoints), $1, $2, $3, $4, $5, $6,"
                " $7, $8, $9)",
                db_text(name), db_text(project), db_text(rule.metric), db_double(rule.margin),
                db_double(rule.minimum), db_double(rule.level), db_text(rule.demand),
                db_double(rule.relative_margin), db_int(time_now_ms())))
        return false;
    scope->topic.project = project;
    json_open_object(json, NULL);
    json_text(json, "project", project);
    gate_rule_write_json(json, "rule", &rule);
    json_close(json);
    return event_append(scope, "endpoint.created", name, json_finish(json));
}

bool endpoint_ensure(Scope *scope, const char *name, const char *project, Endpoint *endpoint)
{
    if (!endpoint_find(scope, name, endpoint)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        return insert_endpoint(scope, name, project ? project : "default") &&
               endpoint_find(scope, name, endpoint);
    }
    if (!project || text_equal(project, endpoint->project))
        return true;
    return fail(&scope->error, ERROR_CONFLICT, "endpoint \"%s\" belongs to project \"%s\"", name,
                endpoint->project);
}

bool endpoint_set_rule(Scope *scope, const char *name, const GateRule *rule)
{
    JsonWriter *json = json_writer_create(scope->arena);
    Endpoint endpoint;

    if (!gate_rule_check(rule, &scope->error) || !endpoint_find(scope, name, &endpoint) ||
        !db_run(scope->db, &scope->error,
                "UPDATE endpoints"
                " SET rule_metric = $2, rule_margin = $3, rule_minimum = $4, rule_level = $5,"
                " rule_demand = $6, rule_relative_margin = $7"
                " WHERE id = $1",
                db_int(endpoint.id), db_text(rule->metric), db_double(rule->margin),
                db_double(rule->minimum), db_double(rule->level), db_text(rule->demand),
                db_double(rule->relative_margin)))
        return false;
    scope->topic.project = endpoint.project;
    json_open_object(json, NULL);
    gate_rule_write_json(json, "before", &endpoint.rule);
    gate_rule_write_json(json, "after", rule);
    json_close(json);
    return event_append(scope, "endpoint.rule_changed", name, json_finish(json));
}

static void write_version(JsonWriter *json, const char *key, const char *model, int64_t version)
{
    if (!model) {
        json_null(json, key);
        return;
    }
    json_open_object(json, key);
    json_text(json, "model", model);
    json_int(json, "version", version);
    json_close(json);
}

static bool record_change(Scope *scope, const Endpoint *before, const EndpointChange *change)
{
    bool is_rollback = text_equal(change->reason, "rollback");
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        write_version(json, "before", before->model, before->version);
        write_version(json, "after", change->model, change->version);
        json_text(json, "reason", change->reason);
        json_text(json, "comment", change->comment);
        json_raw(json, "gate", change->gate);
    }
    json_close(json);
    return event_append(scope, is_rollback ? "endpoint.rolled_back" : "endpoint.deployed",
                        before->name, json_finish(json)) &&
           event_about(scope, EVENT_MODEL, change->model);
}

static const char *alias_of(const char *endpoint)
{
    return text_has_suffix(endpoint, ENDPOINT_STAGING_SUFFIX) ? "staging" : "champion";
}

static bool end_candidate(Scope *scope, const Endpoint *before, const EndpointChange *change)
{
    const Candidate *candidate = &before->candidate;
    const char *reason = text_equal(change->reason, "rollback") ? "rolled back" : "deployed";

    if (candidate->version == change->version && text_equal(candidate->model, change->model))
        reason = "promoted";
    return endpoint_candidate_end(scope, before, reason, change->comment);
}

/* Appends the change as the newest deployment, which makes it live. The alias follows what serves,
 * also on the way back. */
static bool apply_change(Scope *scope, const EndpointChange *change, Endpoint *endpoint)
{
    Endpoint before = *endpoint;

    scope->topic.project = before.project;
    if (!db_run(scope->db, &scope->error,
                "INSERT INTO deployments"
                " (id, endpoint_id, model, version, package, reason, comment, gate, origin_id,"
                " created_at, created_by)"
                " SELECT next.id, $1, $2, $3, $4, $5, $6, $7, coalesce($8, next.id), $9, $10"
                " FROM " NEXT_DEPLOYMENT_ID " AS next",
                db_int(before.id), db_text(change->model), db_int(change->version),
                db_text(change->package), db_text(change->reason), db_text(change->comment),
                db_text(change->gate), db_int_or_null(change->origin_id), db_int(time_now_ms()),
                db_text(scope->principal.name ? scope->principal.name : "local")))
        return false;
    CRASH_POINT("deployment: inserted, not recorded");
    return record_change(scope, &before, change) && endpoint_tell(scope, &before, change) &&
           end_candidate(scope, &before, change) &&
           model_version_release(scope, change->model, change->version) &&
           model_alias_set(scope, change->model, alias_of(before.name), change->version) &&
           endpoint_find(scope, before.name, endpoint);
}

bool endpoint_deploy(Scope *scope, const DeploySpec *spec, Endpoint *endpoint)
{
    ModelVersion version;
    Endpoint found;
    EndpointChange change;

    if (!model_version_find(scope, spec->model, spec->version, &version) ||
        !model_version_need_package(scope, &version) ||
        !endpoint_ensure(scope, spec->endpoint, spec->project, &found))
        return false;
    change = (EndpointChange){
        .model = version.model,
        .package = version.package,
        .reason = spec->reason ? spec->reason : "deploy",
        .comment = spec->comment,
        .gate = spec->gate,
        .version = version.version,
    };
    if ((!text_equal(found.model, version.model) || found.version != version.version) &&
        !apply_change(scope, &change, &found))
        return false;
    *endpoint = found;
    return true;
}

/* A rollback starts from the origin of what is live, so that what it brings back is always older
 * than what it brought back before. */
static const char select_previous[] =
    "SELECT d.model, d.version, d.package, d.origin_id"
    " FROM deployments d"
    " WHERE d.endpoint_id = $1"
    " AND d.id < (SELECT origin_id FROM deployments WHERE id = $2)"
    " AND NOT (d.model = $3 AND d.version = $4)"
    " ORDER BY d.id DESC LIMIT 1";

static bool find_previous(Scope *scope, const Endpoint *endpoint, EndpointChange *change)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, select_previous, db_int(endpoint->id), db_int(endpoint->deployment_id),
                 db_text(endpoint->model), db_int(endpoint->version));

    if (query_next(&query)) {
        change->model = query_text(&query, 0, scope->arena);
        change->version = query_int(&query, 1);
        change->package = query_text(&query, 2, scope->arena);
        change->origin_id = query_int(&query, 3);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_CONFLICT,
                "endpoint \"%s\" has no version to go back to before version %" PRId64
                " of model \"%s\"",
                endpoint->name, endpoint->version, endpoint->model);
}

static bool find_rollback(Scope *scope, const char *name, Endpoint *endpoint,
                          EndpointChange *change)
{
    if (!endpoint_find(scope, name, endpoint))
        return false;
    if (!endpoint->model)
        return fail(&scope->error, ERROR_CONFLICT, "nothing is deployed on endpoint \"%s\"", name);
    return find_previous(scope, endpoint, change);
}

bool endpoint_rollback(Scope *scope, const char *name, const char *comment, Endpoint *endpoint)
{
    EndpointChange change = {.reason = "rollback", .comment = comment};
    Endpoint found;

    if (!find_rollback(scope, name, &found, &change) || !apply_change(scope, &change, &found))
        return false;
    *endpoint = found;
    return true;
}

bool endpoint_rollback_package(Scope *scope, const char *name, const char **package)
{
    EndpointChange change = {0};
    Endpoint found;

    if (!find_rollback(scope, name, &found, &change))
        return false;
    *package = change.package;
    return true;
}

bool endpoint_deployments(Scope *scope, const char *name, const Page *page, DeploymentList *list)
{
    DeploymentList found = {0};
    Endpoint endpoint;

    if (!endpoint_find(scope, name, &endpoint))
        return false;

    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 SELECT_DEPLOYMENT " WHERE d.endpoint_id = $1 AND d.id < $2"
                                   " ORDER BY d.id DESC LIMIT $3",
                 db_int(endpoint.id), db_int(page_before(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, &found) = deployment_from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = found;
    return true;
}

static const char select_either[] =
    SELECT_DEPLOYMENT " WHERE d.id = $1"
                      " UNION ALL"
                      " SELECT c.id, e.name, c.model, c.version,"
                      " CASE c.is_shadow WHEN 1 THEN 'shadow' ELSE 'canary' END, c.comment,"
                      " c.created_by, c.created_at, NULL"
                      " FROM candidates c"
                      " JOIN endpoints e ON e.id = c.endpoint_id"
                      " WHERE c.id = $1";

bool deployment_find(Scope *scope, int64_t id, Deployment *deployment)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, select_either, db_int(id));

    if (query_next(&query)) {
        *deployment = deployment_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "deployment %" PRId64 " does not exist", id);
}

bool deployment_latest(Scope *scope, int64_t *id)
{
    return db_get_int(scope->db, &scope->error, id,
                      "SELECT next.id - 1 FROM " NEXT_DEPLOYMENT_ID " AS next");
}

void endpoint_write_json(JsonWriter *json, const char *key, const Endpoint *endpoint)
{
    json_open_object(json, key);
    {
        json_text(json, "name", endpoint->name);
        json_text(json, "project", endpoint->project);
        json_text(json, "model", endpoint->model);
        if (endpoint->model)
            json_int(json, "version", endpoint->version);
        else
            json_null(json, "version");
        json_text(json, "package", endpoint->package);
        json_int(json, "deployment_id", endpoint->deployment_id);
        json_time(json, "deployed_at", endpoint->deployed_at);
        json_text(json, "deployed_by", endpoint->deployed_by);
        candidate_write_json(json, "candidate", &endpoint->candidate);
        gate_rule_write_json(json, "rule", &endpoint->rule);
        json_time(json, "created_at", endpoint->created_at);
    }
    json_close(json);
}

void deployment_write_json(JsonWriter *json, const char *key, const Deployment *deployment)
{
    json_open_object(json, key);
    {
        json_int(json, "id", deployment->id);
        json_text(json, "endpoint", deployment->endpoint);
        json_text(json, "model", deployment->model);
        json_int(json, "version", deployment->version);
        json_text(json, "reason", deployment->reason);
        json_text(json, "comment", deployment->comment);
        json_raw(json, "gate", deployment->gate);
        json_text(json, "created_by", deployment->created_by);
        json_time(json, "created_at", deployment->created_at);
    }
    json_close(json);
}

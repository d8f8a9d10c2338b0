/* access.c: /api/v1/tokens, /api/v1/audit */

#include "access/event.h"
#include "access/token.h"
#include "api/route.h"
#include "base/time.h"
#include "pipelines/evidence.h"

static bool list_tokens(Scope *scope, const Request *request, Response *response)
{
    TokenList list;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !token_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "tokens");
    for (size_t i = 0; i < list.count; i++)
        token_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

static bool create_token(Scope *scope, const Request *request, Response *response)
{
    TokenSpec spec = {0};
    const char *secret;
    Token token;

    if (!request_read(scope, request, token_spec_fields, &spec) ||
        !token_create(scope, &spec, &token, &secret))
        return false;
    response->status = 201;
    json_open_object(response->json, NULL);
    token_write_json(response->json, "token", &token);
    json_text(response->json, "secret", secret);
    json_close(response->json);
    return true;
}

static bool revoke_token(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return token_revoke(scope, request_parameter(request, "name"));
}

typedef struct AuditQuery {
    EventFilter filter;
    const char *from, *to;
} AuditQuery;

static const JsonField audit_query[] = {
    {"after", JSON_INT, offsetof(AuditQuery, filter.after), JSON_OPTIONAL,
     "events with a greater id"},
    {"before", JSON_INT, offsetof(AuditQuery, filter.before), JSON_OPTIONAL,
     "events with a smaller id"},
    {"action", JSON_TEXT, offsetof(AuditQuery, filter.action), JSON_OPTIONAL,
     "an action or the start of one: \"endpoint.\""},
    {"object", JSON_TEXT, offsetof(AuditQuery, filter.object), JSON_OPTIONAL,
     "of this object alone: \"spam@3\""},
    {"project", JSON_TEXT, offsetof(AuditQuery, filter.project), JSON_OPTIONAL,
     "what was done for a project"},
    {"subject", JSON_TEXT, offsetof(AuditQuery, filter.subject), JSON_OPTIONAL,
     "what it is about, by kind and name: \"model:spam\", \"endpoint:spam\", \"dataset:comments\", "
     "\"pipeline_run:spam#3\", \"run:ID\""},
    {"by", JSON_TEXT, offsetof(AuditQuery, filter.by), JSON_OPTIONAL, "who did it"},
    {"from", JSON_TEXT, offsetof(AuditQuery, from), JSON_OPTIONAL,
     "from this moment on, with its zone: 2026-05-01T10:00Z"},
    {"to", JSON_TEXT, offsetof(AuditQuery, to), JSON_OPTIONAL, "before this moment"},
    {"limit", JSON_COUNT, offsetof(AuditQuery, filter.limit), JSON_OPTIONAL, "1 to 10000; 1000"},
    {"newest_first", JSON_BOOL, offsetof(AuditQuery, filter.newest_first), JSON_OPTIONAL, "false"},
    {0},
};

static bool read_audit_query(Scope *scope, const Request *request, AuditQuery *query)
{
    EventFilter *filter = &query->filter;

    return request_read_query(scope, request, audit_query, query) &&
           (!query->from || time_read_moment("from", query->from, &filter->from, &scope->error)) &&
           (!query->to || time_read_moment("to", query->to, &filter->to, &scope->error));
}

static bool list_events(Scope *scope, const Request *request, Response *response)
{
    AuditQuery query = {0};
    EventList list;

    if (!read_audit_query(scope, request, &query) || !event_list(scope, &query.filter, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "events");
    for (size_t i = 0; i < list.count; i++)
        event_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    if (list.next)
        json_int(response->json, "next", list.next);
    else
        json_null(response->json, "next");
    json_close(response->json);
    return true;
}

static const JsonField verify_query[] = {
    {"event", JSON_INT, offsetof(EventMark, id), JSON_OPTIONAL,
     "the number of an event that was written down elsewhere"},
    {"hash", JSON_TEXT, offsetof(EventMark, hash), JSON_OPTIONAL, "the hash that it had"},
    {0},
};

static bool verify_events(Scope *scope, const Request *request, Response *response)
{
    EventMark known = {0}, last;

    if (!request_read_query(scope, request, verify_query, &known))
        return false;
    if ((known.id > 0) != (known.hash != NULL))
        return fail_field(&scope->error, "hash", "\"event\" and \"hash\" come together");
    if (!event_verify(scope, known.hash ? &known : NULL, &last))
        return false;
    json_open_object(response->json, NULL);
    json_bool(response->json, "whole", true);
    json_int(response->json, "events", last.id);
    json_text(response->json, "last_hash", last.hash);
    json_close(response->json);
    return true;
}

static bool show_served(Scope *scope, const Request *request, Response *response)
{
    ServedQuery query = {0};

    if (!request_read_query(scope, request, served_query_fields, &query))
        return false;
    query.endpoint = request_parameter(request, "endpoint");
    return served_write_json(scope, &query, response->json);
}

const Route access_routes[] = {
    {"GET", "/api/v1/tokens", ROLE_OWNER, ROUTE_READ, list_tokens, "List the tokens, by name.",
     NULL, page_by_name_fields},
    {"POST", "/api/v1/tokens", ROLE_OWNER, ROUTE_WRITE, create_token,
     "Create a token; its secret is shown this once.", token_spec_fields},
    {"DELETE", "/api/v1/tokens/{name}", ROLE_OWNER, ROUTE_WRITE, revoke_token, "Revoke a token."},
    {"GET", "/api/v1/audit", ROLE_VIEWER, ROUTE_READ, list_events,
     "List the events of the audit trail, a page at a time: while there is a \"next\", it is the "
     "\"after\" of the following page, or with the newest first its \"before\"; a page may be "
     "empty.",
     NULL, audit_query},
    {"GET", "/api/v1/audit/verify", ROLE_VIEWER, ROUTE_SLOW, verify_events,
     "Check that no event was changed, removed or moved.", NULL, verify_query},
    {"GET", "/api/v1/audit/served/{endpoint}", ROLE_VIEWER, ROUTE_READ, show_served,
     "Show what an endpoint served at a moment, with its evidence: deployment, version, run, data, "
     "gate, approvals.",
     NULL, served_query_fields},
    {0},
};

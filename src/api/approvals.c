/* approvals.c: /api/v1/approvals: what waits for people, and what they say. */

#include "pipelines/approval.h"

#include "api/api.h"
#include "pipelines/scheduler.h"

typedef struct ListQuery {
    ApprovalFilter filter;
    Page page;
} ListQuery;

static const JsonField list_fields[] = {
    {"status", JSON_TEXT, offsetof(ListQuery, filter.status), JSON_OPTIONAL,
     "pending, approved, rejected, expired or withdrawn; all if absent"},
    {"pipeline_run_id", JSON_TEXT, offsetof(ListQuery, filter.run_id), JSON_OPTIONAL,
     "only those that steps of this run wait for"},
    {"environment", JSON_TEXT, offsetof(ListQuery, filter.environment), JSON_OPTIONAL,
     "only of this environment"},
    {"project", JSON_TEXT, offsetof(ListQuery, filter.project), JSON_OPTIONAL,
     "only of this project"},
    {"limit", JSON_COUNT, offsetof(ListQuery, page.limit), JSON_OPTIONAL, "1 to 1000; 100"},
    {"before", JSON_COUNT, offsetof(ListQuery, page.before), JSON_OPTIONAL,
     "the \"next\" of the page before: only those with a smaller number"},
    {0},
};

static bool list_approvals(Scope *scope, const Request *request, Response *response)
{
    ApprovalList list = {0};
    ListQuery query = {0};

    if (!request_read_query(scope, request, list_fields, &query) ||
        !page_check(&query.page, &scope->error) ||
        !approval_list(scope, &query.filter, &query.page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "approvals");
    for (size_t i = 0; i < list.count; i++)
        approval_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &query.page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

static bool read_id(Scope *scope, const Request *request, int64_t *id)
{
    const char *text = request_parameter(request, "id");

    return text_to_int(text, id) ||
           fail(&scope->error, ERROR_NOT_FOUND, "\"%.64s\" is not the number of an approval", text);
}

static bool show_approval(Scope *scope, const Request *request, Response *response)
{
    Approval approval;
    int64_t id;

    if (!read_id(scope, request, &id) || !approval_find(scope, id, &approval))
        return false;
    approval_write_json(response->json, NULL, &approval);
    return true;
}

static bool decide(Scope *scope, const Request *request, Response *response)
{
    ApprovalAnswer answer = {0};
    Approval approval;

    if (!read_id(scope, request, &answer.id) ||
        !request_read(scope, request, approval_answer_fields, &answer) ||
        !approval_answer(scope, &answer, &approval))
        return false;
    scheduler_wake(((const Application *)request->application)->scheduler);
    approval_write_json(response->json, NULL, &approval);
    return true;
}

const Route approval_routes[] = {
    {"GET", "/api/v1/approvals", ROLE_VIEWER, ROUTE_READ, list_approvals,
     "List what people were asked to approve, the newest first and without details.", NULL,
     list_fields},
    {"GET", "/api/v1/approvals/{id}", ROLE_VIEWER, ROUTE_READ, show_approval,
     "Show an approval: what is to be approved, and who said what."},
    {"POST", "/api/v1/approvals/{id}/decide", ROLE_APPROVER, ROUTE_SLOW, decide,
     "Approve or reject what has this digest.", approval_answer_fields},
    {0},
};

/* promotions.c: through the gate into production, and what gates have said. */

#include "api/api.h"
#include "pipelines/promotion.h"

/* An error as every other, and beside it the verdict with its numbers. */
static void answer_declined(Scope *scope, const Promotion *promotion, Response *response)
{
    response->status = 409;
    json_open_object(response->json, "error");
    {
        json_text(response->json, "code", "conflict");
        json_text(response->json, "message",
                  arena_format(scope->arena, "not promoted: %s", promotion->gate.reason));
        json_text(response->json, "request_id", scope->request_id);
    }
    json_close(response->json);
}

static bool promote(Scope *scope, const Request *request, Response *response)
{
    PromotionSpec spec = {.endpoint = request_parameter(request, "name")};
    Promotion promotion;

    if (!request_read(scope, request, promotion_spec_fields, &spec) ||
        !promotion_run(scope, &spec, &promotion))
        return false;
    if (promotion.promoted && !api_take_up(request->application, scope, promotion.endpoint.name,
                                           promotion.endpoint.deployment_id))
        return false;
    json_open_object(response->json, NULL);
    if (!promotion.promoted)
        answer_declined(scope, &promotion, response);
    json_bool(response->json, "promoted", promotion.promoted);
    gate_write_json(response->json, "gate", &promotion.gate);
    endpoint_write_json(response->json, "endpoint", &promotion.endpoint);
    json_close(response->json);
    return true;
}

static bool list_gates(Scope *scope, const Request *request, Response *response)
{
    GateList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !gate_list(scope, request_parameter(request, "name"), &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "gates");
    for (size_t i = 0; i < list.count; i++)
        gate_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

const Route promotion_routes[] = {
    {"POST", "/api/v1/endpoints/{name}/promote", ROLE_APPROVER, ROUTE_SLOW, promote,
     "Judge a version against the one that serves, and deploy it if the gate accepts it; else the "
     "status is 409 and nothing changes.",
     promotion_spec_fields},
    {"GET", "/api/v1/endpoints/{name}/gates", ROLE_VIEWER, ROUTE_READ, list_gates,
     "List what the endpoint's gate has said, the newest first.", NULL, page_by_number_fields},
    {0},
};

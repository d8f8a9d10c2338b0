/* webhooks.c: /api/v1/webhooks */

#include "api/route.h"
#include "notify/message.h"

static bool find_webhook(Scope *scope, const Request *request, Webhook *webhook)
{
    return webhook_find(scope, request_parameter(request, "name"), webhook);
}

static bool answer_webhook(Scope *scope, Webhook *webhook, Response *response)
{
    webhook_hide_path(scope, webhook);
    webhook_write_json(response->json, NULL, webhook);
    return true;
}

static bool list_webhooks(Scope *scope, const Request *request, Response *response)
{
    WebhookList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !webhook_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "webhooks");
    for (size_t i = 0; i < list.count; i++) {
        webhook_hide_path(scope, &list.items[i]);
        webhook_write_json(response->json, NULL, &list.items[i]);
    }
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

typedef struct WebhookBody {
    const char *name, *description, *url, *secret;
    TextList events;
    bool active;
} WebhookBody;

#define ABOUT_NAME   "1 to 63 letters, digits, \".\", \"_\" and \"-\""
#define ABOUT_URL    "https://..., or mailto:ADDRESS"
#define ABOUT_EVENTS "[\"model_version.created\", \"approval.*\"]"
#define ABOUT_SECRET "signs what is sent; no answer holds it"

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(WebhookBody, name), JSON_REQUIRED, ABOUT_NAME},
    {"url", JSON_TEXT, offsetof(WebhookBody, url), JSON_REQUIRED, ABOUT_URL},
    {"events", JSON_TEXT_LIST, offsetof(WebhookBody, events), JSON_REQUIRED, ABOUT_EVENTS},
    {"description", JSON_TEXT, offsetof(WebhookBody, description), JSON_OPTIONAL, "for people"},
    {"secret", JSON_TEXT, offsetof(WebhookBody, secret), JSON_OPTIONAL, ABOUT_SECRET},
    {"active", JSON_BOOL, offsetof(WebhookBody, active), JSON_OPTIONAL, "true"},
    {0},
};

static bool read_spec(Scope *scope, const WebhookBody *body, WebhookSpec *spec)
{
    *spec = (WebhookSpec){
        .name = body->name,
        .description = body->description,
        .url = body->url,
        .secret = body->secret,
        .status = body->active ? WEBHOOK_ACTIVE : WEBHOOK_DISABLED,
    };
    return webhook_read_events(&body->events, &spec->events, &scope->error);
}

static bool create_webhook(Scope *scope, const Request *request, Response *response)
{
    WebhookBody body = {.active = true};
    WebhookSpec spec;
    Webhook webhook;

    if (!request_read(scope, request, create_body, &body) || !read_spec(scope, &body, &spec) ||
        !webhook_create(scope, &spec, &webhook))
        return false;
    response->status = 201;
    return answer_webhook(scope, &webhook, response);
}

static bool show_webhook(Scope *scope, const Request *request, Response *response)
{
    Webhook webhook;

    return find_webhook(scope, request, &webhook) && answer_webhook(scope, &webhook, response);
}

static const JsonField change_body[] = {
    {"name", JSON_TEXT, offsetof(WebhookBody, name), JSON_OPTIONAL, ABOUT_NAME},
    {"url", JSON_TEXT, offsetof(WebhookBody, url), JSON_OPTIONAL, ABOUT_URL},
    {"events", JSON_TEXT_LIST, offsetof(WebhookBody, events), JSON_OPTIONAL, ABOUT_EVENTS},
    {"description", JSON_TEXT, offsetof(WebhookBody, description), JSON_OPTIONAL, "for people"},
    {"secret", JSON_TEXT, offsetof(WebhookBody, secret), JSON_OPTIONAL,
     ABOUT_SECRET "; \"\": nothing is signed"},
    {"active", JSON_BOOL, offsetof(WebhookBody, active), JSON_OPTIONAL, "as it is"},
    {0},
};

static bool change_webhook(Scope *scope, const Request *request, Response *response)
{
    WebhookBody body = {0};
    WebhookSpec change;
    Webhook webhook;

    if (!find_webhook(scope, request, &webhook))
        return false;
    body.active = webhook.is_active;
    return request_read(scope, request, change_body, &body) && read_spec(scope, &body, &change) &&
           webhook_change(scope, &webhook, &change, &webhook) &&
           answer_webhook(scope, &webhook, response);
}

static bool delete_webhook(Scope *scope, const Request *request, Response *response)
{
    Webhook webhook;

    response->status = 204;
    return find_webhook(scope, request, &webhook) && webhook_delete(scope, &webhook);
}

static bool list_deliveries(Scope *scope, const Request *request, Response *response)
{
    DeliveryList list = {0};
    Webhook webhook;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !find_webhook(scope, request, &webhook) || !delivery_list(scope, &webhook, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "deliveries");
    for (size_t i = 0; i < list.count; i++)
        delivery_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

typedef struct TestBody {
    const char *event;
} TestBody;

static const JsonField test_body[] = {
    {"event", JSON_TEXT, offsetof(TestBody, event), JSON_OPTIONAL,
     "of which an example is sent; one that it wants"},
    {0},
};

static bool test_webhook(Scope *scope, const Request *request, Response *response)
{
    TestBody body = {0};
    TextList names = {&body.event, 1};
    EventKinds events = 0;
    WebhookTest test;
    Webhook webhook;

    if (!request_read(scope, request, test_body, &body) ||
        !find_webhook(scope, request, &webhook) ||
        (body.event && !webhook_read_events(&names, &events, &scope->error)) ||
        !webhook_test(scope, &webhook, events, &test))
        return false;
    json_open_object(response->json, NULL);
    {
        json_bool(response->json, "delivered", test.is_delivered);
        if (test.status)
            json_int(response->json, "status", test.status);
        else
            json_null(response->json, "status");
        json_text(response->json, "reason", test.reason);
        json_bytes(response->json, "body", test.body, test.size);
    }
    json_close(response->json);
    return true;
}

const Route webhook_routes[] = {
    {"GET", "/api/v1/webhooks", ROLE_VIEWER, ROUTE_READ, list_webhooks,
     "List the webhooks, by name; owners see whole URLs.", NULL, page_by_name_fields},
    {"POST", "/api/v1/webhooks", ROLE_OWNER, ROUTE_WRITE, create_webhook,
     "Have a URL called, or a mail sent, when something happens.", create_body},
    {"GET", "/api/v1/webhooks/{name}", ROLE_VIEWER, ROUTE_READ, show_webhook, "Show a webhook."},
    {"PATCH", "/api/v1/webhooks/{name}", ROLE_OWNER, ROUTE_WRITE, change_webhook,
     "Change a webhook, or make it active or not.", change_body},
    {"DELETE", "/api/v1/webhooks/{name}", ROLE_OWNER, ROUTE_WRITE, delete_webhook,
     "Delete a webhook and what it was not told yet."},
    {"POST", "/api/v1/webhooks/{name}/test", ROLE_OWNER, ROUTE_SLOW, test_webhook,
     "Send an example now and say what was answered.", test_body},
    {"GET", "/api/v1/webhooks/{name}/deliveries", ROLE_VIEWER, ROUTE_READ, list_deliveries,
     "List what a webhook was told or will be, newest first.", NULL, page_by_number_fields},
    {0},
};

/* mlflow_webhooks.c: /api/2.0/mlflow/webhooks */

#include <string.h>
#include <strings.h>

#include "api/mlflow.h"
#include "notify/message.h"

/* In the order of their numbers. */
static const char *const entities[] = {
    "REGISTERED_MODEL", "MODEL_VERSION",  "MODEL_VERSION_TAG", "MODEL_VERSION_ALIAS",
    "PROMPT",           "PROMPT_VERSION", "PROMPT_TAG",        "PROMPT_VERSION_TAG",
    "PROMPT_ALIAS",     "BUDGET_POLICY",
};
static const char *const actions[] = {"CREATED", "UPDATED", "DELETED", "SET", "EXCEEDED"};
static const char *const statuses[] = {"ACTIVE", "DISABLED"};

/* ---- answers ---- */

static void write_word(Arena *arena, JsonWriter *json, const char *key, const char *word)
{
    char *upper = arena_text(arena, word);

    for (char *at = upper; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    json_text(json, key, upper);
}

static void write_webhook(Scope *scope, JsonWriter *json, const char *key, Webhook *webhook)
{
    webhook_hide_path(scope, webhook);
    json_open_object(json, key);
    {
        json_text(json, "webhook_id", webhook->public_id);
        json_text(json, "name", webhook->name);
        if (*webhook->description)
            json_text(json, "description", webhook->description);
        json_text(json, "url", webhook->url);
        json_open_array(json, "events");
        for (EventKind kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            const EventKindInfo *info = event_kind_info(kind);

            if (!info->is_mlflow || !(webhook->events & event_kind_bit(kind)))
                continue;
            json_open_object(json, NULL);
            write_word(scope->arena, json, "entity", info->entity);
            write_word(scope->arena, json, "action", info->action);
            json_close(json);
        }
        json_close(json);
        json_text(json, "status", statuses[webhook->is_active ? 0 : 1]);
        json_int(json, "creation_timestamp", webhook->created_at);
        json_int(json, "last_updated_timestamp", webhook->updated_at);
    }
    json_close(json);
}

static bool answer(Scope *scope, Webhook *webhook, Response *response)
{
    json_open_object(response->json, NULL);
    write_webhook(scope, response->json, "webhook", webhook);
    json_close(response->json);
    return true;
}

/* MLflow's clients cannot read one that wants none of their events. */
static bool find_webhook(Scope *scope, const Request *request, Webhook *webhook)
{
    const char *id = request_parameter(request, "webhook_id");

    return webhook_find_public(scope, id, webhook) &&
           (webhook->events & event_kinds_of_mlflow() ||
            fail(&scope->error, ERROR_NOT_FOUND, "Webhook with ID %.100s not found.", id));
}

/* ---- requests ---- */

typedef struct EventBody {
    const char *entity, *action;
} EventBody;

static bool read_event(Scope *scope, const JsonValue *item, const char *path, EventKinds *events)
{
    static const JsonField fields[] = {
        {"entity", JSON_ENUM, offsetof(EventBody, entity), JSON_REQUIRED, ""},
        {"action", JSON_ENUM, offsetof(EventBody, action), JSON_REQUIRED, ""},
        {0},
    };
    EventBody body = {0};
    size_t entity = 0, action = 0;

    if (!mlflow_read_item(scope, item, path, fields, &body))
        return false;
    if (!mlflow_find_word(body.entity, entities, COUNT(entities), &entity) ||
        !mlflow_find_word(body.action, actions, COUNT(actions), &action))
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid value for parameter '%s' supplied: there is no entity '%.50s' with "
                    "the action '%.50s'",
                    path, body.entity, body.action);
    for (EventKind kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const EventKindInfo *info = event_kind_info(kind);

        if (strcasecmp(info->entity, entities[entity]) != 0 ||
            strcasecmp(info->action, actions[action]) != 0)
            continue;
        *events |= event_kind_bit(kind);
        return true;
    }
    return fail(&scope->error, ERROR_INVALID, "Invalid action '%s' for entity '%s'.",
                actions[action], entities[entity]);
}

static bool read_events(Scope *scope, const JsonValue *array, EventKinds *events)
{
    EventKinds read = 0;

    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        if (!read_event(scope, walk.value, arena_format(scope->arena, "events[%zu]", walk.index),
                        &read))
            return false;
    *events = read;
    return true;
}

typedef struct WebhookBody {
    const char *name, *description, *url, *secret, *status;
    const JsonValue *events;
} WebhookBody;

/* Fields that are empty are not said, but for a description and a secret that are to go. */
static bool read_spec(Scope *scope, const WebhookBody *body, WebhookSpec *spec)
{
    size_t status = 0;

    if (body->status && !mlflow_find_word(body->status, statuses, COUNT(statuses), &status))
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid value for parameter 'status' supplied: it must be ACTIVE or DISABLED");
    *spec = (WebhookSpec){
        .name = body->name && *body->name ? body->name : NULL,
        .description = body->description,
        .url = body->url && *body->url ? body->url : NULL,
        .secret = body->secret,
        .status = body->status ? (WebhookStatus)(WEBHOOK_ACTIVE + status) : WEBHOOK_AS_IT_IS,
    };
    return read_events(scope, body->events, &spec->events);
}

#define ABOUT_EVENTS "[{\"entity\": \"MODEL_VERSION\", \"action\": \"CREATED\"}]"

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(WebhookBody, name), JSON_REQUIRED,
     "1 to 63 letters, digits, \".\", \"_\" and \"-\"; unique"},
    {"url", JSON_TEXT, offsetof(WebhookBody, url), JSON_REQUIRED, "https://..."},
    {"events", JSON_ARRAY, offsetof(WebhookBody, events), JSON_REQUIRED, ABOUT_EVENTS},
    {"description", JSON_TEXT, offsetof(WebhookBody, description), JSON_OPTIONAL, "for people"},
    {"secret", JSON_TEXT, offsetof(WebhookBody, secret), JSON_OPTIONAL,
     "signs what is sent; no answer holds it"},
    {"status", JSON_ENUM, offsetof(WebhookBody, status), JSON_OPTIONAL, "ACTIVE or DISABLED"},
    {0},
};

static bool create_webhook(Scope *scope, const Request *request, Response *response)
{
    WebhookBody body = {0};
    WebhookSpec spec;
    Webhook webhook;

    return mlflow_read(scope, request, create_body, &body) && read_spec(scope, &body, &spec) &&
           webhook_create(scope, &spec, &webhook) && answer(scope, &webhook, response);
}

typedef struct ListQuery {
    int64_t limit;
    const char *page_token;
} ListQuery;

static const JsonField list_query[] = {
    {"max_results", JSON_COUNT, offsetof(ListQuery, limit), JSON_OPTIONAL, "1 to 1000; 100"},
    {"page_token", JSON_TEXT, offsetof(ListQuery, page_token), JSON_OPTIONAL, "of the page before"},
    {0},
};

static bool list_webhooks(Scope *scope, const Request *request, Response *response)
{
    enum { LIMIT_MAX = 1000 };
    ListQuery query = {.limit = 100};
    WebhookList list = {0};
    int64_t offset = 0;

    if (!mlflow_read(scope, request, list_query, &query) ||
        !mlflow_read_page_token(scope, query.page_token, &offset))
        return false;
    if (query.limit > LIMIT_MAX)
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid value for parameter 'max_results' supplied: it must be at most %d",
                    LIMIT_MAX);
    if (!webhook_list_newest(scope, event_kinds_of_mlflow(), offset, query.limit + 1, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "webhooks");
    for (size_t i = 0; i < list.count && (int64_t)i < query.limit; i++)
        write_webhook(scope, response->json, NULL, &list.items[i]);
    json_close(response->json);
    if ((int64_t)list.count > query.limit)
        mlflow_write_page_token(response->json, offset + query.limit);
    json_close(response->json);
    return true;
}

static bool get_webhook(Scope *scope, const Request *request, Response *response)
{
    Webhook webhook;

    return find_webhook(scope, request, &webhook) && answer(scope, &webhook, response);
}

static const JsonField update_body[] = {
    {"name", JSON_TEXT, offsetof(WebhookBody, name), JSON_OPTIONAL, "as it is"},
    {"description", JSON_TEXT, offsetof(WebhookBody, description), JSON_OPTIONAL, "as it is"},
    {"url", JSON_TEXT, offsetof(WebhookBody, url), JSON_OPTIONAL, "as it is"},
    {"events", JSON_ARRAY, offsetof(WebhookBody, events), JSON_OPTIONAL, ABOUT_EVENTS},
    {"secret", JSON_TEXT, offsetof(WebhookBody, secret), JSON_OPTIONAL,
     "as it is; empty: nothing is signed"},
    {"status", JSON_ENUM, offsetof(WebhookBody, status), JSON_OPTIONAL, "ACTIVE or DISABLED"},
    {0},
};

/* What else a webhook wants stays: MLflow's clients do not see it. */
static EventKinds merged(const Webhook *webhook, EventKinds events)
{
    return events ? events | (webhook->events & ~event_kinds_of_mlflow()) : 0;
}

static bool update_webhook(Scope *scope, const Request *request, Response *response)
{
    WebhookBody body = {0};
    WebhookSpec change;
    Webhook webhook;

    if (!find_webhook(scope, request, &webhook) ||
        !mlflow_read(scope, request, update_body, &body) || !read_spec(scope, &body, &change))
        return false;
    change.events = merged(&webhook, change.events);
    return webhook_change(scope, &webhook, &change, &webhook) && answer(scope, &webhook, response);
}

static bool delete_webhook(Scope *scope, const Request *request, Response *response)
{
    Webhook webhook;

    return find_webhook(scope, request, &webhook) && webhook_delete(scope, &webhook) &&
           mlflow_answer_nothing(response);
}

typedef struct TestBody {
    const JsonValue *event;
} TestBody;

static const JsonField test_body[] = {
    {"event", JSON_OBJECT, offsetof(TestBody, event), JSON_OPTIONAL,
     "{\"entity\": \"MODEL_VERSION\", \"action\": \"CREATED\"}; one that it wants"},
    {0},
};

static bool test_webhook(Scope *scope, const Request *request, Response *response)
{
    TestBody body = {0};
    EventKinds events = 0;
    WebhookTest test;
    Webhook webhook;

    if (!mlflow_read(scope, request, test_body, &body) || !find_webhook(scope, request, &webhook) ||
        (body.event && !read_event(scope, body.event, "event", &events)) ||
        !webhook_test(scope, &webhook, events, &test))
        return false;
    json_open_object(response->json, NULL);
    json_open_object(response->json, "result");
    {
        json_bool(response->json, "success", test.is_delivered);
        if (test.status)
            json_int(response->json, "response_status", test.status);
        if (test.size)
            json_bytes(response->json, "response_body", test.body, test.size);
        if (test.reason && !test.status)
            json_text(response->json, "error_message", test.reason);
    }
    json_close(response->json);
    json_close(response->json);
    return true;
}

#define WEBHOOKS "/api/2.0/mlflow/webhooks"

const Route mlflow_webhook_routes[] = {
    {"POST", WEBHOOKS, ROLE_OWNER, ROUTE_WRITE, create_webhook,
     "Have a URL called when something happens.", create_body},
    {"GET", WEBHOOKS, ROLE_VIEWER, ROUTE_READ, list_webhooks,
     "List the webhooks, newest first; owners see whole URLs.", NULL, list_query},
    {"GET", WEBHOOKS "/{webhook_id}", ROLE_VIEWER, ROUTE_READ, get_webhook, "Show a webhook."},
    {"PATCH", WEBHOOKS "/{webhook_id}", ROLE_OWNER, ROUTE_WRITE, update_webhook,
     "Change a webhook.", update_body},
    {"DELETE", WEBHOOKS "/{webhook_id}", ROLE_OWNER, ROUTE_WRITE, delete_webhook,
     "Delete a webhook and what it was not told yet."},
    {"POST", WEBHOOKS "/{webhook_id}/test", ROLE_OWNER, ROUTE_SLOW, test_webhook,
     "Send an example now and say what was answered.", test_body},
    {0},
};

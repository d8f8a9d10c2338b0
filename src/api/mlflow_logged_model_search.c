/* mlflow_logged_model_search.c: /api/2.0/mlflow/logged-models/search */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/mlflow.h"
#include "api/mlflow_logged_model.h"
#include "base/digest.h"

enum { TOKEN_DIGEST_LENGTH = 16 };

typedef struct SearchBody {
    TextList experiment_ids;
    const char *page_token;
    const JsonValue *datasets, *order_by;
    LoggedModelFilter filter;
} SearchBody;

static const JsonField search_body[] = {
    {"experiment_ids", JSON_TEXT_LIST, offsetof(SearchBody, experiment_ids), JSON_REQUIRED,
     "of no others"},
    {"filter", JSON_TEXT, offsetof(SearchBody, filter.filter), JSON_OPTIONAL,
     "\"metrics.f1 > 0.9 AND params.C = '1'\""},
    {"datasets", JSON_ARRAY, offsetof(SearchBody, datasets), JSON_OPTIONAL,
     "[{\"dataset_name\", \"dataset_digest\"}]: what the filter's metrics were measured on"},
    {"max_results", JSON_INT, offsetof(SearchBody, filter.limit), JSON_OPTIONAL,
     "models a page, at most 1000; 50"},
    {"order_by", JSON_ARRAY, offsetof(SearchBody, order_by), JSON_OPTIONAL,
     "[{\"field_name\", \"ascending\", \"dataset_name\", \"dataset_digest\"}]"},
    {"page_token", JSON_TEXT, offsetof(SearchBody, page_token), JSON_OPTIONAL,
     "of the page before, of the same search"},
    {0},
};

/* ---- lists of objects ---- */

static const JsonField dataset_fields[] = {
    {"dataset_name", JSON_TEXT, offsetof(DatasetReference, name), JSON_REQUIRED, ""},
    {"dataset_digest", JSON_TEXT, offsetof(DatasetReference, digest), JSON_OPTIONAL, ""},
    {0},
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static bool read_datasets(Scope *scope, SearchBody *body)
{
    size_t count = json_count(body->datasets);
    DatasetReference *items = arena_array(scope->arena, DatasetReference, count + 1);

    for (JsonWalk walk = json_walk(body->datasets); json_walk_next(&walk);) {
        DatasetReference *item = &items[walk.index];
        const char *path = arena_format(scope->arena, "datasets[%zu]", walk.index);

        if (!mlflow_read_item(scope, walk.value, path, dataset_fields, item))
            return false;
        item->digest = text_or_null(item->digest);
    }
    body->filter.datasets = items;
    body->filter.dataset_count = count;
    return true;
}

typedef struct OrderItem {
    const char *field;
    DatasetReference dataset;
    bool is_ascending;
} OrderItem;

static const JsonField order_fields[] = {
    {"field_name", JSON_TEXT, offsetof(OrderItem, field), JSON_REQUIRED, ""},
    {"ascending", JSON_BOOL, offsetof(OrderItem, is_ascending), JSON_OPTIONAL, ""},
    {"dataset_name", JSON_TEXT, offsetof(OrderItem, dataset.name), JSON_OPTIONAL, ""},
    {"dataset_digest", JSON_TEXT, offsetof(OrderItem, dataset.digest), JSON_OPTIONAL, ""},
    {0},
};

static bool read_orders(Scope *scope, SearchBody *body)
{
    size_t count = json_count(body->order_by);
    LoggedModelOrder *items = arena_array(scope->arena, LoggedModelOrder, count + 1);

    for (JsonWalk walk = json_walk(body->order_by); json_walk_next(&walk);) {
        OrderItem item = {.is_ascending = true};
        const char *path = arena_format(scope->arena, "order_by[%zu]", walk.index);

        if (!mlflow_read_item(scope, walk.value, path, order_fields, &item))
            return false;
        items[walk.index] = (LoggedModelOrder){
            .field = item.field,
            .dataset = {text_or_null(item.dataset.name), text_or_null(item.dataset.digest)},
            .is_descending = !item.is_ascending,
        };
    }
    body->filter.orders = items;
    body->filter.order_count = count;
    return true;
}

/* ---- page tokens: where the next page begins, of this search and no other ---- */

static void add_part(Digest *digest, const char *part)
{
    digest_add(digest, part, strlen(part) + 1);
}

static const char *digest_of(const SearchBody *body, Arena *arena, char text[DIGEST_TEXT_SIZE])
{
    Digest *digest = digest_create();

    for (size_t i = 0; i < body->experiment_ids.count; i++)
        add_part(digest, body->experiment_ids.items[i]);
    add_part(digest, "");
    add_part(digest, body->filter.filter ? body->filter.filter : "");
    add_part(digest, body->datasets ? json_print(body->datasets, arena) : "[]");
    add_part(digest, body->order_by ? json_print(body->order_by, arena) : "[]");
    digest_finish(digest, text);
    text[TOKEN_DIGEST_LENGTH] = '\0';
    return text;
}

/* "100-0123456789abcdef" */
static bool read_token(Scope *scope, const SearchBody *body, int64_t *offset)
{
    char digest[DIGEST_TEXT_SIZE];
    const char *token = body->page_token;
    const char *dash = token ? strchr(token, '-') : NULL;

    if (!token || !*token)
        return true;
    if (!dash || !mlflow_read_page_token(
                     scope, arena_copy(scope->arena, token, (size_t)(dash - token)), offset))
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid page token: it must be one that an answer had");
    return strcmp(dash + 1, digest_of(body, scope->arena, digest)) == 0 ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid page token: the page before was of other experiments, or by another "
                "filter or order");
}

static void write_token(JsonWriter *json, const SearchBody *body, int64_t offset, Arena *arena)
{
    char digest[DIGEST_TEXT_SIZE];

    json_text(json, "next_page_token",
              arena_format(arena, "%" PRId64 "-%s", offset, digest_of(body, arena, digest)));
}

/* ---- the route ---- */

static bool read_search(Scope *scope, const Request *request, SearchBody *body)
{
    int64_t *ids = NULL;

    if (!mlflow_read(scope, request, search_body, body) ||
        !mlflow_read_experiment_ids(scope, &body->experiment_ids, &ids) ||
        !read_datasets(scope, body) || !read_orders(scope, body) ||
        !read_token(scope, body, &body->filter.offset))
        return false;
    body->filter.experiment_ids = ids;
    body->filter.experiment_count = body->experiment_ids.count;
    return true;
}

static bool search_models(Scope *scope, const Request *request, Response *response)
{
    JsonWriter *json = response->json;
    SearchBody body = {0};
    LoggedModelList list = {0};
    bool has_more = false;

    if (!read_search(scope, request, &body) ||
        !logged_model_search(scope, &body.filter, &list, &has_more))
        return false;
    json_open_object(json, NULL);
    if (list.count) {
        json_open_array(json, "models");
        for (size_t i = 0; i < list.count; i++)
            mlflow_write_logged_model(json, NULL, &list.items[i]);
        json_close(json);
    }
    if (has_more)
        write_token(json, &body, body.filter.offset + (int64_t)list.count, scope->arena);
    json_close(json);
    return true;
}

const Route mlflow_logged_model_search_routes[] = {
    {"POST", "/api/2.0/mlflow/logged-models/search", ROLE_VIEWER, ROUTE_READ, search_models,
     "Search logged models.", search_body},
    {0},
};

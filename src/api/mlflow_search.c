/* mlflow_search.c: searches of experiments and runs. */

#include "api/mlflow.h"

enum { LIMIT_DEFAULT = 1000 };

typedef struct SearchBody {
    TextList experiment_ids;
    const char *view;
    const char *page_token;
    const char *filter;
    TextList order_by;
    int64_t limit;
} SearchBody;

#define SEARCH_FIELDS                                                                              \
    {"filter", JSON_TEXT, offsetof(SearchBody, filter), JSON_OPTIONAL,                             \
     "clauses like metrics.f1 > 0.9 AND tags.team = 'risk'"},                                      \
        {"order_by", JSON_TEXT_LIST, offsetof(SearchBody, order_by), JSON_OPTIONAL,                \
         "keys, each with ASC or DESC; newest first"},                                             \
        {"max_results", JSON_INT, offsetof(SearchBody, limit), JSON_OPTIONAL,                      \
         "a page, 1 to 50000; 1000"},                                                              \
    {                                                                                              \
        "page_token", JSON_TEXT, offsetof(SearchBody, page_token), JSON_OPTIONAL,                  \
            "of the page before"                                                                   \
    }

static const JsonField runs_body[] = {
    {"experiment_ids", JSON_TEXT_LIST, offsetof(SearchBody, experiment_ids), JSON_OPTIONAL,
     "of which; none: no runs"},
    {"run_view_type", JSON_ENUM, offsetof(SearchBody, view), JSON_OPTIONAL,
     "ACTIVE_ONLY, DELETED_ONLY or ALL"},
    SEARCH_FIELDS,
    {0},
};

static bool read_ids(Scope *scope, const TextList *texts, RunSearch *search)
{
    int64_t *ids = arena_array(scope->arena, int64_t, texts->count + 1);

    for (size_t i = 0; i < texts->count; i++)
        if (!mlflow_read_experiment_id(scope, texts->items[i], &ids[i]))
            return false;
    search->experiment_ids = ids;
    search->experiment_count = texts->count;
    return true;
}

static bool search_for_runs(Scope *scope, const Request *request, Response *response)
{
    SearchBody body = {.limit = LIMIT_DEFAULT};
    RunSearch search = {0};
    RunList list = {0};
    const char *token = NULL;

    if (!mlflow_read(scope, request, runs_body, &body) ||
        !mlflow_read_view(scope, body.view, &search.life) ||
        !read_ids(scope, &body.experiment_ids, &search))
        return false;
    search.filter = body.filter;
    search.order_by = body.order_by;
    search.limit = body.limit;
    search.page_token = body.page_token;
    if (!run_search(scope, &search, &list, &token))
        return false;
    json_open_object(response->json, NULL);
    if (list.count) {
        json_open_array(response->json, "runs");
        for (size_t i = 0; i < list.count; i++)
            mlflow_write_run(response->json, NULL, &list.items[i]);
        json_close(response->json);
    }
    if (token)
        json_text(response->json, "next_page_token", token);
    json_close(response->json);
    return true;
}

static const JsonField experiments_body[] = {
    {"view_type", JSON_ENUM, offsetof(SearchBody, view), JSON_OPTIONAL,
     "ACTIVE_ONLY, DELETED_ONLY or ALL"},
    SEARCH_FIELDS,
    {0},
};

static bool search_for_experiments(Scope *scope, const Request *request, Response *response)
{
    static const ExperimentLife lives[] = {
        [RUN_LIFE_ACTIVE] = EXPERIMENT_LIFE_ACTIVE,
        [RUN_LIFE_DELETED] = EXPERIMENT_LIFE_DELETED,
        [RUN_LIFE_ALL] = EXPERIMENT_LIFE_ALL,
    };
    SearchBody body = {.limit = LIMIT_DEFAULT};
    ExperimentSearch search = {0};
    ExperimentList list = {0};
    RunLife life = RUN_LIFE_ACTIVE;
    bool has_more = false;

    if (!mlflow_read(scope, request, experiments_body, &body) ||
        !mlflow_read_view(scope, body.view, &life) ||
        !mlflow_read_page_token(scope, body.page_token, &search.offset))
        return false;
    search.filter = body.filter;
    search.order_by = body.order_by;
    search.life = lives[life];
    search.limit = body.limit;
    if (!experiment_search(scope, &search, &list, &has_more))
        return false;
    json_open_object(response->json, NULL);
    if (list.count) {
        json_open_array(response->json, "experiments");
        for (size_t i = 0; i < list.count; i++)
            mlflow_write_experiment(response->json, NULL, &list.items[i]);
        json_close(response->json);
    }
    if (has_more)
        mlflow_write_page_token(response->json, search.offset + search.limit);
    json_close(response->json);
    return true;
}

const Route mlflow_search_routes[] = {
    {"POST", "/api/2.0/mlflow/runs/search", ROLE_VIEWER, ROUTE_READ, search_for_runs,
     "Search the runs of experiments.", runs_body},
    {"POST", "/api/2.0/mlflow/experiments/search", ROLE_VIEWER, ROUTE_READ, search_for_experiments,
     "Search experiments.", experiments_body},
    {"GET", "/api/2.0/mlflow/experiments/search", ROLE_VIEWER, ROUTE_READ, search_for_experiments,
     "The same, asked in the query.", NULL, experiments_body},
    {0},
};

/* experiments.c: /api/v1/experiments */

#include "api/api.h"
#include "tracking/experiment.h"

static bool take_id(Scope *scope, const Request *request, int64_t *id)
{
    return text_to_int(request_parameter(request, "id"), id) ||
           fail(&scope->error, ERROR_INVALID, "the id of an experiment is an integer");
}

/* What a change leaves behind is its answer. */
static bool answer(Scope *scope, int64_t id, Response *response)
{
    Experiment experiment;

    if (!experiment_find(scope, id, &experiment) || !experiment_count_runs(scope, &experiment))
        return false;
    experiment_write_json(response->json, NULL, &experiment);
    return true;
}

static const JsonField list_query[] = {
    {"deleted", JSON_BOOL, offsetof(ExperimentFilter, with_deleted), JSON_OPTIONAL,
     "deleted ones too; false"},
    {"limit", JSON_COUNT, offsetof(ExperimentFilter, page.limit), JSON_OPTIONAL, "1 to 1000; 100"},
    {"after", JSON_INT, offsetof(ExperimentFilter, after), JSON_OPTIONAL,
     "the \"next\" of the page before: only those with a greater id"},
    {0},
};

static bool list_experiments(Scope *scope, const Request *request, Response *response)
{
    ExperimentList list = {0};
    ExperimentFilter filter = {.after = -1};

    if (!request_read_query(scope, request, list_query, &filter) ||
        !page_check(&filter.page, &scope->error) || !experiment_list(scope, &filter, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (!experiment_count_runs(scope, &list.items[i]))
            return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "experiments");
    for (size_t i = 0; i < list.count; i++)
        experiment_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &filter.page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

typedef struct CreateBody {
    ExperimentSpec spec;
    const JsonValue *tags;
} CreateBody;

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(CreateBody, spec.name), JSON_REQUIRED,
     "1 to 500 characters, unique"},
    {"tags", JSON_OBJECT, offsetof(CreateBody, tags), JSON_OPTIONAL, "{\"team\": \"fraud\"}"},
    {0},
};

static bool create_experiment(Scope *scope, const Request *request, Response *response)
{
    CreateBody body = {0};
    Experiment created;

    if (!request_read(scope, request, create_body, &body) ||
        !param_list_read(body.tags, "tags", scope->arena, &body.spec.tags, &scope->error) ||
        !experiment_create(scope, &body.spec, &created))
        return false;
    response->status = 201;
    return answer(scope, created.id, response);
}

static bool show_experiment(Scope *scope, const Request *request, Response *response)
{
    int64_t id = 0;

    return take_id(scope, request, &id) && answer(scope, id, response);
}

typedef struct ChangeBody {
    const char *name;
} ChangeBody;

static const JsonField change_body[] = {
    {"name", JSON_TEXT, offsetof(ChangeBody, name), JSON_REQUIRED, "the new name"},
    {0},
};

static bool change_experiment(Scope *scope, const Request *request, Response *response)
{
    ChangeBody body = {0};
    int64_t id = 0;

    return take_id(scope, request, &id) && request_read(scope, request, change_body, &body) &&
           experiment_rename(scope, id, body.name) && answer(scope, id, response);
}

static bool delete_experiment(Scope *scope, const Request *request, Response *response)
{
    int64_t id = 0;

    response->status = 204;
    return take_id(scope, request, &id) && experiment_delete(scope, id);
}

static bool restore_experiment(Scope *scope, const Request *request, Response *response)
{
    int64_t id = 0;

    return take_id(scope, request, &id) && experiment_restore(scope, id) &&
           answer(scope, id, response);
}

typedef struct TagsBody {
    const JsonValue *tags;
} TagsBody;

static const JsonField tags_body[] = {
    {"tags", JSON_OBJECT, offsetof(TagsBody, tags), JSON_REQUIRED, "{\"team\": \"fraud\"}"},
    {0},
};

static bool tag_experiment(Scope *scope, const Request *request, Response *response)
{
    TagsBody body = {0};
    ParamList tags = {0};
    int64_t id = 0;

    return take_id(scope, request, &id) && request_read(scope, request, tags_body, &body) &&
           param_list_read(body.tags, "tags", scope->arena, &tags, &scope->error) &&
           experiment_set_tags(scope, id, &tags) && answer(scope, id, response);
}

static bool untag_experiment(Scope *scope, const Request *request, Response *response)
{
    int64_t id = 0;

    response->status = 204;
    return take_id(scope, request, &id) &&
           experiment_delete_tag(scope, id, request_parameter(request, "key"));
}

const Route experiment_routes[] = {
    {"GET", "/api/v1/experiments", ROLE_VIEWER, ROUTE_READ, list_experiments,
     "List the experiments.", NULL, list_query},
    {"POST", "/api/v1/experiments", ROLE_CONTRIBUTOR, ROUTE_WRITE, create_experiment,
     "Create an experiment.", create_body},
    {"GET", "/api/v1/experiments/{id}", ROLE_VIEWER, ROUTE_READ, show_experiment,
     "Show an experiment."},
    {"PATCH", "/api/v1/experiments/{id}", ROLE_CONTRIBUTOR, ROUTE_WRITE, change_experiment,
     "Rename an experiment.", change_body},
    {"DELETE", "/api/v1/experiments/{id}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_experiment,
     "Delete an experiment and its runs; both can be restored."},
    {"POST", "/api/v1/experiments/{id}/restore", ROLE_CONTRIBUTOR, ROUTE_WRITE, restore_experiment,
     "Restore a deleted experiment and all of its runs."},
    {"POST", "/api/v1/experiments/{id}/tags", ROLE_CONTRIBUTOR, ROUTE_WRITE, tag_experiment,
     "Set tags of an experiment.", tags_body},
    {"DELETE", "/api/v1/experiments/{id}/tags/{key}", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     untag_experiment, "Remove a tag of an experiment."},
    {0},
};

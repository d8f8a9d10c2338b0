/* mlflow_experiments.c: /api/2.0/mlflow/experiments */

#include "api/mlflow.h"

static bool answer(Response *response, const Experiment *experiment)
{
    json_open_object(response->json, NULL);
    mlflow_write_experiment(response->json, "experiment", experiment);
    json_close(response->json);
    return true;
}

typedef struct NameQuery {
    const char *name;
} NameQuery;

static const JsonField name_query[] = {
    {"experiment_name", JSON_TEXT, offsetof(NameQuery, name), JSON_REQUIRED,
     "also a deleted one's"},
    {0},
};

static bool get_by_name(Scope *scope, const Request *request, Response *response)
{
    NameQuery query = {0};
    Experiment found;

    return mlflow_read(scope, request, name_query, &query) &&
           experiment_find_by_name(scope, query.name, &found) && answer(response, &found);
}

typedef struct IdBody {
    const char *id;
    const char *new_name, *key, *value;
} IdBody;

static const JsonField id_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(IdBody, id), JSON_REQUIRED, "\"0\""},
    {0},
};

/* Reads the body by the table and finds the experiment that it names. */
static bool find_experiment(Scope *scope, const Request *request, const JsonField fields[],
                            IdBody *body, Experiment *found)
{
    int64_t id = 0;

    return mlflow_read(scope, request, fields, body) &&
           mlflow_read_experiment_id(scope, body->id, &id) && experiment_find(scope, id, found);
}

static bool get_experiment(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {0};
    Experiment found;

    return find_experiment(scope, request, id_body, &body, &found) && answer(response, &found);
}

typedef struct CreateBody {
    ExperimentSpec spec;
    const JsonValue *tags;
} CreateBody;

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(CreateBody, spec.name), JSON_REQUIRED,
     "1 to 500 characters, unique"},
    {"artifact_location", JSON_TEXT, offsetof(CreateBody, spec.artifact_location), JSON_OPTIONAL,
     "a URI that clients write to; with the server"},
    {"tags", JSON_ARRAY, offsetof(CreateBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool create_experiment(Scope *scope, const Request *request, Response *response)
{
    CreateBody body = {0};
    Experiment created;

    if (!mlflow_read(scope, request, create_body, &body) ||
        !mlflow_read_pairs(scope, body.tags, "tags", &body.spec.tags))
        return false;
    if (body.spec.artifact_location && !*body.spec.artifact_location)
        body.spec.artifact_location = NULL;
    if (!experiment_create(scope, &body.spec, &created))
        return false;
    json_open_object(response->json, NULL);
    json_text(response->json, "experiment_id",
              arena_format(scope->arena, "%lld", (long long)created.id));
    json_close(response->json);
    return true;
}

/* Clients take a deleted one for one that is not there. */
static bool delete_experiment(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {0};
    Experiment found;

    if (!find_experiment(scope, request, id_body, &body, &found))
        return false;
    if (found.is_deleted)
        return fail(&scope->error, ERROR_NOT_FOUND, "experiment %s is deleted already", body.id);
    return experiment_delete(scope, found.id) && mlflow_answer_nothing(response);
}

static bool restore_experiment(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {0};
    Experiment found;

    return find_experiment(scope, request, id_body, &body, &found) &&
           experiment_restore(scope, found.id) && mlflow_answer_nothing(response);
}

static const JsonField rename_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(IdBody, id), JSON_REQUIRED, "\"3\""},
    {"new_name", JSON_TEXT, offsetof(IdBody, new_name), JSON_REQUIRED,
     "1 to 500 characters, unique"},
    {0},
};

static bool rename_experiment(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {0};
    Experiment found;

    return find_experiment(scope, request, rename_body, &body, &found) &&
           experiment_rename(scope, found.id, body.new_name) && mlflow_answer_nothing(response);
}

static const JsonField tag_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(IdBody, id), JSON_REQUIRED, "\"3\""},
    {"key", JSON_TEXT, offsetof(IdBody, key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_TEXT, offsetof(IdBody, value), JSON_OPTIONAL, "at most 5000 characters; empty"},
    {0},
};

static bool set_tag(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {.value = ""};
    Experiment found;

    return find_experiment(scope, request, tag_body, &body, &found) &&
           experiment_set_tags(scope, found.id, &(ParamList){&(Param){body.key, body.value}, 1}) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_key_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(IdBody, id), JSON_REQUIRED, "\"3\""},
    {"key", JSON_TEXT, offsetof(IdBody, key), JSON_REQUIRED, "that it has"},
    {0},
};

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    IdBody body = {0};
    Experiment found;

    return find_experiment(scope, request, tag_key_body, &body, &found) &&
           experiment_delete_tag(scope, found.id, body.key) && mlflow_answer_nothing(response);
}

const Route mlflow_experiment_routes[] = {
    {"GET", "/api/2.0/mlflow/experiments/get-by-name", ROLE_VIEWER, ROUTE_READ, get_by_name,
     "Find an experiment by its name.", NULL, name_query},
    {"GET", "/api/2.0/mlflow/experiments/get", ROLE_VIEWER, ROUTE_READ, get_experiment,
     "Show an experiment.", NULL, id_body},
    {"POST", "/api/2.0/mlflow/experiments/create", ROLE_CONTRIBUTOR, ROUTE_WRITE, create_experiment,
     "Create an experiment.", create_body},
    {"POST", "/api/2.0/mlflow/experiments/delete", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_experiment,
     "Delete an experiment and its runs; both can be restored.", id_body},
    {"POST", "/api/2.0/mlflow/experiments/restore", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     restore_experiment, "Restore an experiment and all of its runs.", id_body},
    {"POST", "/api/2.0/mlflow/experiments/update", ROLE_CONTRIBUTOR, ROUTE_WRITE, rename_experiment,
     "Rename an experiment.", rename_body},
    {"POST", "/api/2.0/mlflow/experiments/set-experiment-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     set_tag, "Set a tag of an experiment.", tag_body},
    {"POST", "/api/2.0/mlflow/experiments/delete-experiment-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     delete_tag, "Remove a tag of an experiment.", tag_key_body},
    {0},
};

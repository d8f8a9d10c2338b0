/* mlflow_assessments.c: /api/3.0/mlflow/traces/{trace_id}/assessments */

#include <ctype.h>
#include <string.h>

#include "api/mlflow_trace.h"

typedef struct AssessmentBody {
    const JsonValue *assessment, *update_mask;
} AssessmentBody;

static const JsonField create_body[] = {
    {"assessment", JSON_OBJECT, offsetof(AssessmentBody, assessment), JSON_REQUIRED,
     "{\"assessment_name\", \"source\", \"feedback\" or \"expectation\"}"},
    {0},
};

static bool answer(Response *response, const Assessment *assessment, const char *trace_id)
{
    json_open_object(response->json, NULL);
    mlflow_write_assessment(response->json, "assessment", assessment, trace_id);
    json_close(response->json);
    return true;
}

static bool check_kind(Scope *scope, const Assessment *given)
{
    return given->kind ||
           fail(&scope->error, ERROR_INVALID,
                "an assessment has one of \"feedback\", \"expectation\" and \"issue\"");
}

static bool create_assessment(Scope *scope, const Request *request, Response *response)
{
    const char *trace_id = request_parameter(request, "trace_id");
    AssessmentBody body = {0};
    Assessment given, created;

    return mlflow_read(scope, request, create_body, &body) &&
           mlflow_read_assessment(scope, body.assessment, &given) && check_kind(scope, &given) &&
           assessment_create(scope, trace_id, &given, &created) &&
           answer(response, &created, trace_id);
}

static bool get_assessment(Scope *scope, const Request *request, Response *response)
{
    const char *trace_id = request_parameter(request, "trace_id");
    Assessment found;

    return assessment_find(scope, trace_id, request_parameter(request, "assessment_id"), &found) &&
           answer(response, &found, trace_id);
}

static const JsonField update_body[] = {
    {"assessment", JSON_OBJECT, offsetof(AssessmentBody, assessment), JSON_REQUIRED,
     "the members that change"},
    {"update_mask", JSON_ANY, offsetof(AssessmentBody, update_mask), JSON_REQUIRED,
     "\"assessmentName,feedback\": which ones"},
    {0},
};

/* "assessmentName" as "assessment_name", as protobuf's JSON reads it. */
static const char *snake_case(const char *name, Arena *arena)
{
    TextBuilder snake = {.arena = arena};

    for (; *name; name++) {
        if (isupper((unsigned char)*name))
            text_append(&snake, "_");
        text_append_bytes(&snake, (char[]){(char)tolower((unsigned char)*name)}, 1);
    }
    return text_built(&snake);
}

static bool take_path(Scope *scope, const char *path, const JsonValue *object,
                      const Assessment *given, AssessmentChange *change)
{
    if (strcmp(path, "assessment_name") == 0) {
        change->name = given->name;
    } else if (strcmp(path, "feedback") == 0 || strcmp(path, "expectation") == 0) {
        const JsonValue *value = json_member(object, path);

        change->kind = arena_text(scope->arena, path);
        change->value = json_is_object(value) ? json_print(value, scope->arena) : "{}";
    } else if (strcmp(path, "rationale") == 0) {
        change->rationale = given->rationale ? given->rationale : "";
    } else if (strcmp(path, "metadata") == 0) {
        change->metadata = json_member(object, "metadata");
    } else {
        return fail(&scope->error, ERROR_INVALID,
                    "update_mask names assessment_name, feedback, expectation, rationale or "
                    "metadata, not '%.100s'",
                    path);
    }
    return true;
}

static bool update_assessment(Scope *scope, const Request *request, Response *response)
{
    const char *trace_id = request_parameter(request, "trace_id");
    AssessmentBody body = {0};
    AssessmentChange change = {0};
    Assessment given, updated;
    TextList paths;

    if (!mlflow_read(scope, request, update_body, &body) ||
        !mlflow_read_assessment(scope, body.assessment, &given))
        return false;
    paths = text_split(json_as_text(body.update_mask, ""), ',', scope->arena);
    for (size_t i = 0; i < paths.count; i++)
        if (!take_path(scope, snake_case(paths.items[i], scope->arena), body.assessment, &given,
                       &change))
            return false;
    return assessment_update(scope, trace_id, request_parameter(request, "assessment_id"), &change,
                             &updated) &&
           answer(response, &updated, trace_id);
}

static bool delete_assessment(Scope *scope, const Request *request, Response *response)
{
    return assessment_delete(scope, request_parameter(request, "trace_id"),
                             request_parameter(request, "assessment_id")) &&
           mlflow_answer_nothing(response);
}

#define ASSESSMENTS "/api/3.0/mlflow/traces/{trace_id}/assessments"

const Route mlflow_assessment_routes[] = {
    {"POST", ASSESSMENTS, ROLE_STEP, ROUTE_WRITE, create_assessment,
     "Assess a trace: a feedback, or what was expected.", create_body},
    {"GET", ASSESSMENTS "/{assessment_id}", ROLE_VIEWER, ROUTE_READ, get_assessment,
     "Show an assessment."},
    {"PATCH", ASSESSMENTS "/{assessment_id}", ROLE_CONTRIBUTOR, ROUTE_WRITE, update_assessment,
     "Change an assessment.", update_body},
    {"DELETE", ASSESSMENTS "/{assessment_id}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_assessment,
     "Delete an assessment; the one that it overrides is valid again."},
    {0},
};

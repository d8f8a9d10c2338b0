/* predict.c: /endpoints/{name}/..., /api/v1/predictions */

#include "api/api.h"
#include "api/try_page.h"
#include "base/id.h"
#include "pipelines/evidence.h"
#include "serving/prediction.h"
#include "serving/serving.h"

enum { FAST_EXPLAIN_BYTES_MAX = 2 * 1024 }; /* to explain a row costs many times its prediction */

static Serving *serving_of(const Request *request)
{
    return ((const Application *)request->application)->serving;
}

typedef struct PredictQuery {
    const char *extra;
    TextList what_if;
} PredictQuery;

static const char extra_summary[] =
    "columns that the model does not read: \"refuse\" (the default) or \"ignore\"";

static const JsonField predict_query[] = {
    {"extra", JSON_TEXT, offsetof(PredictQuery, extra), JSON_OPTIONAL, extra_summary},
    {0},
};

static const JsonField explain_query[] = {
    {"extra", JSON_TEXT, offsetof(PredictQuery, extra), JSON_OPTIONAL, extra_summary},
    {"what_if", JSON_TEXT_LIST, offsetof(PredictQuery, what_if), JSON_OPTIONAL,
     "COLUMN=VALUE: also what would be answered if the column had this value, as a CSV has it; may "
     "be given for several columns"},
    {0},
};

static bool read_predict_request(Scope *scope, const Request *request, const JsonField fields[],
                                 PredictRequest *rows)
{
    PredictQuery query = {.extra = "refuse"};
    char id[ID_TEXT_SIZE];

    if (!scope->request_id)
        scope->request_id = arena_text(scope->arena, id_timed(id));
    if (!request_read_query(scope, request, fields, &query))
        return false;
    if (!text_equal(query.extra, "refuse") && !text_equal(query.extra, "ignore"))
        return fail_field(&scope->error, "extra", "\"extra\" is \"refuse\" or \"ignore\"");
    *rows = (PredictRequest){
        .endpoint = request_parameter(request, "name"),
        .request_id = scope->request_id,
        .body = {.bytes = request->body,
                 .size = request->body_size,
                 .content_type = request->content_type,
                 .leaves_out_others = text_equal(query.extra, "ignore")},
        .what_if = query.what_if,
    };
    return true;
}

static bool predict(Scope *scope, const Request *request, Response *response)
{
    PredictRequest rows;

    return read_predict_request(scope, request, predict_query, &rows) &&
           serving_predict(serving_of(request), &rows, scope->arena, response->json, &scope->error);
}

static bool explain(Scope *scope, const Request *request, Response *response)
{
    PredictRequest rows;

    return read_predict_request(scope, request, explain_query, &rows) &&
           serving_explain(serving_of(request), &rows, scope->arena, response->json, &scope->error);
}

static bool show_openapi(Scope *scope, const Request *request, Response *response)
{
    return serving_openapi(serving_of(request), request_parameter(request, "name"), scope->arena,
                           response->json, &scope->error);
}

/* What was answered a moment ago may still be on its way to the log. */
static bool find_prediction(Scope *scope, const Request *request, LoggedPrediction *found)
{
    const char *id = request_parameter(request, "request_id");

    if (prediction_find(scope, id, found))
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    prediction_log_flush(serving_log(serving_of(request)));
    return prediction_find(scope, id, found);
}

static bool show_prediction(Scope *scope, const Request *request, Response *response)
{
    LoggedPrediction found;

    return find_prediction(scope, request, &found) &&
           prediction_write_lineage(scope, &found, response->json);
}

static bool show_answer(Scope *scope, const Request *request, Response *response)
{
    LoggedPrediction found;

    return find_prediction(scope, request, &found) &&
           answer_write_json(scope, &found, response->json);
}

const Route predict_routes[] = {
    {"POST", "/endpoints/{name}/predict", ROLE_VIEWER, ROUTE_FAST, predict,
     "Predict rows: {\"data\": [...]}, {\"inputs\": ...}, {\"instances\": ...}, "
     "{\"dataframe_split\": ...}, {\"dataframe_records\": [...]}, CSV or JSON lines.",
     .query = predict_query, .body_kind = BODY_TEXT},
    {"POST", "/endpoints/{name}/explain", ROLE_VIEWER, ROUTE_FAST, explain,
     "Predict rows and say what drove each answer, and what would be answered if.",
     .query = explain_query, .body_kind = BODY_TEXT, .fast_body_bytes_max = FAST_EXPLAIN_BYTES_MAX},
    {"GET", "/endpoints/{name}/openapi.json", ROLE_VIEWER, ROUTE_FAST, show_openapi,
     "Describe the endpoint as OpenAPI 3.0, from the model that serves."},
    {"GET", "/endpoints/{name}/docs", ROLE_ANYONE, ROUTE_FAST, show_try_page,
     "Show a page on which the endpoint can be tried."},
    {"GET", "/api/v1/predictions/{request_id}", ROLE_VIEWER, ROUTE_SLOW, show_prediction,
     "Show a logged answer with what it came from: deployment, version, run, data, code."},
    {"GET", "/api/v1/audit/answers/{request_id}", ROLE_VIEWER, ROUTE_SLOW, show_answer,
     "Show a logged answer with the evidence of the version that gave it."},
    {0},
};

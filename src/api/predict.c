/* predict.c: /endpoints/{name}/..., /api/v1/predictions */

#include "api/api.h"
#include "base/id.h"
#include "serving/prediction.h"
#include "serving/serving.h"

enum { FAST_EXPLAIN_BYTES_MAX = 2 * 1024 }; /* to explain a row costs many times its prediction */

static Serving *serving_of(const Request *request)
{
    return ((const Application *)request->application)->serving;
}

static PredictRequest predict_request(Scope *scope, const Request *request)
{
    char id[ID_TEXT_SIZE];

    if (!scope->request_id)
        scope->request_id = arena_text(scope->arena, id_timed(id));
    return (PredictRequest){
        .endpoint = request_parameter(request, "name"),
        .request_id = scope->request_id,
        .body = {request->body, request->body_size, request->content_type},
    };
}

static bool predict(Scope *scope, const Request *request, Response *response)
{
    PredictRequest rows = predict_request(scope, request);

    return serving_predict(serving_of(request), &rows, scope->arena, response->json, &scope->error);
}

static bool explain(Scope *scope, const Request *request, Response *response)
{
    PredictRequest rows = predict_request(scope, request);

    return serving_explain(serving_of(request), &rows, scope->arena, response->json, &scope->error);
}

static bool show_openapi(Scope *scope, const Request *request, Response *response)
{
    return serving_openapi(serving_of(request), request_parameter(request, "name"), scope->arena,
                           response->json, &scope->error);
}

/* What was answered a moment ago may still be on its way to the log. */
static bool show_prediction(Scope *scope, const Request *request, Response *response)
{
    const char *id = request_parameter(request, "request_id");
    LoggedPrediction found;

    if (!prediction_find(scope, id, &found)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        prediction_log_flush(serving_log(serving_of(request)));
        if (!prediction_find(scope, id, &found))
            return false;
    }
    return prediction_write_lineage(scope, &found, response->json);
}

const Route predict_routes[] = {
    {"POST", "/endpoints/{name}/predict", ROLE_VIEWER, ROUTE_FAST, predict,
     "Predict rows: {\"data\": [...]}, {\"inputs\": ...}, {\"instances\": ...}, "
     "{\"dataframe_split\": ...}, {\"dataframe_records\": [...]}, CSV or JSON lines.",
     .body_kind = BODY_TEXT},
    {"POST", "/endpoints/{name}/explain", ROLE_VIEWER, ROUTE_FAST, explain,
     "Predict rows and say what drove each answer.", .body_kind = BODY_TEXT,
     .fast_body_bytes_max = FAST_EXPLAIN_BYTES_MAX},
    {"GET", "/endpoints/{name}/openapi.json", ROLE_VIEWER, ROUTE_FAST, show_openapi,
     "Describe the endpoint as OpenAPI 3.0, from the model that serves."},
    {"GET", "/api/v1/predictions/{request_id}", ROLE_VIEWER, ROUTE_SLOW, show_prediction,
     "Show a logged answer with what it came from: deployment, version, run, data, code."},
    {0},
};

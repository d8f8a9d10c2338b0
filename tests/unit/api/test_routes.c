/* test_routes.c: what holds for every route: it is described, found, and kept from lesser roles. */
#include "access/event.h"
#include "net/url.h"
#include "tests/stage.h"

/* One route after another, over all tables. */
typedef struct RouteWalk {
    size_t table, row;
} RouteWalk;

static const Route *next_route(RouteWalk *walk)
{
    while (api_tables[walk->table]) {
        const Route *route = &api_tables[walk->table][walk->row++];

        if (route->path)
            return route;
        walk->table++;
        walk->row = 0;
    }
    return NULL;
}

/* A request for a path with its query, as the server would make it. */
static Request request_for(const char *method, const char *target, Arena *arena)
{
    const char *question = strchrnul(target, '?');
    Request request = {.method = method, .body = ""};

    request.path = arena_copy(arena, target, (size_t)(question - target));
    EXPECT(url_split_path(arena, request.path, &request.segments));
    EXPECT(url_split_query(arena, *question ? question + 1 : "", &request.query));
    return request;
}

/* The route's path with a name in each hole. */
static const char *sample_path(const Route *route, Arena *arena)
{
    TextBuilder path = {.arena = arena};

    for (const char *at = route->path; *at; at++) {
        if (*at == '{') {
            text_append(&path, "some-name");
            at = strchr(at, '}');
        } else {
            text_append_bytes(&path, at, 1);
        }
    }
    return text_built(&path);
}

static bool is_one_of(const char *text, const char *const list[])
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static bool has_known_prefix(const char *path)
{
    static const char *const whole[] = {"/",
                                        "/healthz",
                                        "/readyz",
                                        "/metrics",
                                        "/docs",
                                        "/openapi.json",
                                        "/health",
                                        "/version",
                                        "/get-artifact",
                                        "/model-versions/get-artifact",
                                        NULL};
    static const char *const prefixes[] = {"/api/v1/", "/api/2.0/", "/api/3.0/", "/endpoints/",
                                           "/v1/",     "/v2/",      "/odata/",   NULL};

    for (size_t i = 0; prefixes[i]; i++)
        if (text_has_prefix(path, prefixes[i]))
            return true;
    return is_one_of(path, whole) || strcmp(path, "/v2") == 0 || strcmp(path, "/odata") == 0;
}

static size_t count_holes(const char *path)
{
    size_t count = 0;

    for (; *path; path++)
        count += *path == '{';
    return count;
}

static void complain(const Route *route, const char *what)
{
    fprintf(stderr, "%s %s: %s\n", route->method, route->path, what);
    exit(1);
}

static void test_every_route_is_described_and_at_home(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
    static const char signed_path[] = "/api/v1/hooks/{project}/git"; /* by the body's signature */
    RouteWalk walk = {0};

    for (const Route *route; (route = next_route(&walk)) != NULL;) {
        if (!is_one_of(route->method, methods))
            complain(route, "the method");
        if (!has_known_prefix(route->path))
            complain(route, "the start of its path");
        if (!route->handler)
            complain(route, "no handler");
        if (!route->summary || !*route->summary || !text_has_suffix(route->summary, "."))
            complain(route, "the summary is no sentence");
        if (count_holes(route->path) > ROUTE_PARAMETERS_MAX)
            complain(route, "too many parameters");
        if (strcmp(route->method, "GET") == 0 && (route->body || route->body_kind != BODY_JSON))
            complain(route, "GET with a body");
        if (strcmp(route->method, "GET") != 0 && route->role == ROLE_ANYONE &&
            strcmp(route->path, signed_path) != 0)
            complain(route, "anyone may change something");
    }
}

static void test_every_field_of_a_body_and_query_is_described(void)
{
    static const char *const in_query[] = {"string", "integer", "number", "boolean", "array", NULL};
    static const char *const in_mlflow_query[] = {"string",  "integer", "number",
                                                  "boolean", "array",   NULL};
    RouteWalk walk = {0};

    for (const Route *route; (route = next_route(&walk)) != NULL;) {
        for (const JsonField *field = route->body; field && field->name; field++)
            if (!field->summary || !*field->summary)
                complain(route, field->name);
        for (const JsonField *field = route->query; field && field->name; field++)
            if (!field->summary ||
                !is_one_of(json_type_name(field->type),
                           route_speaks_mlflow(route) ? in_mlflow_query : in_query))
                complain(route, field->name);
    }
}

static void test_no_route_hides_another(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    RouteWalk walk = {0};

    for (const Route *route; (route = next_route(&walk)) != NULL;) {
        Request request = request_for(route->method, sample_path(route, arena), arena);
        Error error = {0};

        if (route_find(&request, arena, &error) != route)
            complain(route, "another route stands before it");
        EXPECT(count_holes(route->path) == 0 ||
               strcmp(request.parameters[0].value, "some-name") == 0);
    }
}

static bool mark_called(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    response->status = 299;
    return true;
}

/* The route with a handler that only says that it was reached. */
static int status_as(Stage *stage, const Route *route, Role role, Response *response)
{
    Request request = request_for(route->method, sample_path(route, stage->arena), stage->arena);
    Route marked = *route;

    marked.handler = mark_called;
    marked.prepare = NULL;
    stage->scope.principal = (Principal){"somebody", role};
    stage->scope.error = (Error){0};
    api_run(&marked, &stage->scope, &request, response);
    return response->status;
}

static void test_a_large_body_of_a_fast_route_is_work_for_a_worker(void)
{
    static const struct {
        const char *method, *path;
        size_t size;
        bool needs_worker;
    } rows[] = {
        {"POST", "/endpoints/spam/predict", FAST_BODY_BYTES_MAX, false},
        {"POST", "/endpoints/spam/predict", FAST_BODY_BYTES_MAX + 1, true},
        {"POST", "/endpoints/spam/explain", 100, false},
        {"POST", "/endpoints/spam/explain", FAST_BODY_BYTES_MAX, true},
        {"GET", "/healthz", 0, false},
        {"GET", "/api/v1/models", 0, true},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++) {
        TextList segments = text_split(rows[i].path + 1, '/', arena);
        const Route *route = route_match(rows[i].method, &segments);

        EXPECT(route && route_needs_worker(route, rows[i].size) == rows[i].needs_worker);
    }
}

static void test_each_route_is_open_to_its_least_role_and_closed_to_lesser_ones(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    RouteWalk walk = {0};
    size_t refused = 0;

    for (const Route *route; (route = next_route(&walk)) != NULL;) {
        for (Role role = ROLE_ANYONE; role <= ROLE_OWNER; role++) {
            int expected = role == ROLE_ANYONE ? 401 : 403;
            Response response;

            if (role >= route->role)
                expected = 299;
            if (status_as(&stage, route, role, &response) != expected)
                complain(route, role_name(role));
            refused += expected != 299;
        }
    }
    EXPECT(refused > 0);
}

static void test_a_refusal_names_the_role_that_is_needed(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    Response response;

    EXPECT(status_as(&stage, &access_routes[0], ROLE_VIEWER, &response) == 403);
    EXPECT_TEXT(json_finish(response.json),
                "{\"error\":{\"code\":\"forbidden\",\"message\":\"this needs the role owner, "
                "\\\"somebody\\\" has the role viewer\",\"request_id\":\"r1\"}}");
}

typedef struct Exchange {
    Role role;
    const char *method, *target, *body;
    int status;
    const char *answer; /* what it holds */
} Exchange;

static const Exchange exchanges[] = {
    {ROLE_ANYONE, "GET", "/healthz", "", 200, "{\"live\":true}"},
    {ROLE_ANYONE, "HEAD", "/healthz", "", 200, "{\"live\":true}"},
    {ROLE_ANYONE, "GET", "/healthz?x=1", "", 422, "unrecognized parameter \\\"x\\\""},
    {ROLE_OWNER, "GET", "/nothing", "", 404, "there is nothing at /nothing"},
    {ROLE_OWNER, "GET", "/api/v1/tokens/", "", 404, "there is nothing at /api/v1/tokens/"},
    {ROLE_OWNER, "GET", "//healthz", "", 404, "\"not_found\""},
    {ROLE_OWNER, "PATCH", "/healthz", "", 405, "PATCH is not allowed at /healthz, only GET, HEAD"},
    {ROLE_OWNER, "get", "/healthz", "", 405, "\"method_not_allowed\""},
    {ROLE_OWNER, "GET", "/api/v1/tokens/a", "", 405, "only DELETE"},
    {ROLE_OWNER, "GET", "/api/v1/tokens", "", 200, "{\"tokens\":[],\"next\":null}"},
    {ROLE_OWNER, "GET", "/api/v1/tokens", "{}", 400, "GET /api/v1/tokens takes no body"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "", 400, "the JSON document is empty"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":", 400, "malformed JSON at byte"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "[]", 400, "the body must be a JSON object"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"\\\"name\\\" is missing\","
     "\"field\":\"name\",\"request_id\":\"r1\"}}"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":7}", 422, "must be a text"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":\"a\",\"colour\":1}", 422,
     "\"field\":\"colour\""},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":\"a\",\"role\":\"king\"}", 422,
     "\"field\":\"role\""},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":\"ci\"}", 201, "\"secret\":\"slw_"},
    {ROLE_OWNER, "POST", "/api/v1/tokens", "{\"name\":\"ci\"}", 409, "already exists"},
    {ROLE_OWNER, "GET", "/api/v1/tokens", "", 200, "\"role\":\"viewer\""},
    {ROLE_OWNER, "GET", "/api/v1/tokens?limit=1", "", 200, "],\"next\":\"ci\"}"},
    {ROLE_OWNER, "GET", "/api/v1/tokens?limit=1&after=ci", "", 200,
     "{\"tokens\":[],\"next\":null}"},
    {ROLE_OWNER, "GET", "/api/v1/tokens?limit=1001", "", 422, "a limit is 1 to 1000"},
    {ROLE_OWNER, "GET", "/api/v1/tokens?limit=0", "", 422, "\"field\":\"limit\""},
    {ROLE_VIEWER, "GET", "/api/v1/experiments?limit=1", "", 200, "],\"next\":0}"},
    {ROLE_VIEWER, "GET", "/api/v1/experiments?limit=1&after=0", "", 200,
     "{\"experiments\":[],\"next\":null}"},
    {ROLE_OWNER, "DELETE", "/api/v1/tokens/ci", "", 204, ""},
    {ROLE_OWNER, "DELETE", "/api/v1/tokens/c%69", "", 409, "is revoked already"},
    {ROLE_OWNER, "DELETE", "/api/v1/tokens/%FF", "", 404, "\xef\xbf\xbd"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=1", "", 200, "\"action\":\"token.created\""},
    {ROLE_VIEWER, "GET", "/api/v1/audit?after=1&newest_first=true", "", 200, "token.revoked"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=x", "", 422, "\\\"limit\\\" must be an integer"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=0x1", "", 422, "must be an integer"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=", "", 422, "must be an integer"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=20000", "", 422, "a limit is 1 to 10000"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?limit=1&limit=2", "", 422, "is given twice"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?newest_first=yes", "", 422, "must be true or false"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?object=%FF", "", 422, "must be UTF-8"},
    {ROLE_VIEWER, "GET", "/api/v1/audit?Limit=1", "", 422, "unrecognized parameter"},
    {ROLE_VIEWER, "GET", "/api/v1/audit/verify", "", 200, "{\"whole\":true,\"events\":2,"},
    {ROLE_VIEWER, "GET", "/api/v1/audit/verify?event=3&hash=x", "", 409, "event 3 is missing"},
    {ROLE_VIEWER, "GET", "/api/v1/audit/verify?event=2&hash=x", "", 409, "another one than it was"},
    {ROLE_VIEWER, "GET", "/api/v1/audit/verify?event=2", "", 422, "come together"},
    {ROLE_OWNER, "POST", "/api/v1/endpoints", "{\"name\":\"spam\"}", 200, "\"name\":\"spam\""},
    {ROLE_OWNER, "PUT", "/api/v1/endpoints/spam/rule", "{\"minimum\":2}", 422,
     "no model can reach a minimum of 2"},
    {ROLE_OWNER, "PUT", "/api/v1/endpoints/spam/rule", "{\"margin\":1}", 422, "outside the range"},
    {ROLE_OWNER, "PUT", "/api/v1/endpoints/spam/rule", "{\"metric\":\"F1\"}", 422,
     "is not a metric"},
    {ROLE_OWNER, "PUT", "/api/v1/endpoints/spam/rule", "{\"minimum\":0}", 200,
     "\"warnings\":[\"every model passes a minimum of 0"},
    {ROLE_OWNER, "PUT", "/api/v1/endpoints/spam/rule", "{\"minimum\":0.8}", 200, "\"warnings\":[]"},
    {0},
};

static const char *answer_of(const Response *response)
{
    if (response->body)
        return response->body;
    return response->status == 204 ? "" : json_finish(response->json);
}

static Response exchange(Stage *stage, const Exchange *row)
{
    Request request = request_for(row->method, row->target, stage->arena);
    Response response = {0};
    const Route *route;

    request.body = row->body;
    request.body_size = strlen(row->body);
    request.application = stage->application;
    stage->scope.principal = (Principal){"tester", row->role};
    stage->scope.error = (Error){0};
    route = route_find(&request, stage->arena, &stage->scope.error);
    if (route)
        api_run(route, &stage->scope, &request, &response);
    else
        api_answer_error(NULL, &stage->scope, &response);
    return response;
}

static void test_requests_get_the_answers_of_the_table(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});

    for (const Exchange *row = exchanges; row->method; row++) {
        Response response = exchange(&stage, row);
        const char *answer = answer_of(&response);

        if (response.status == row->status && strstr(answer, row->answer))
            continue;
        fprintf(stderr, "%s %s: %d %s\nexpected %d %s\n", row->method, row->target, response.status,
                answer, row->status, row->answer);
        exit(1);
    }
}

static bool fail_silently(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    (void)response;
    return false;
}

static void test_a_failure_without_a_reason_is_no_success(void)
{
    static const Route route = {"GET", "/healthz", ROLE_VIEWER, ROUTE_READ, fail_silently, "-"};
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    Request request = request_for("GET", "/healthz", stage.arena);
    Response response;

    api_run(&route, &stage.scope, &request, &response);
    EXPECT(response.status == 500);
}

static bool write_then_fail(Scope *scope, const Request *request, Response *response)
{
    (void)request;
    json_open_object(response->json, NULL); /* half an answer */
    return event_append(scope, "run.created", "never", NULL) &&
           fail(&scope->error, ERROR_CONFLICT, "no");
}

static void test_a_route_that_writes_is_undone_when_it_fails(void)
{
    static const Route route = {"POST", "/healthz", ROLE_VIEWER, ROUTE_WRITE, write_then_fail, "-"};
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    Request request = request_for("POST", "/healthz", stage.arena);
    Response response;
    EventMark last;

    api_run(&route, &stage.scope, &request, &response);
    EXPECT(response.status == 409);
    EXPECT_TEXT(answer_of(&response), "{\"error\":{\"code\":\"conflict\",\"message\":\"no\","
                                      "\"request_id\":\"r1\"}}");
    EXPECT_OK(event_verify(&stage.scope, NULL, &last), stage.scope.error);
    EXPECT(last.id == 0);
}

static const JsonValue *described(const JsonValue *document, const Route *route)
{
    const JsonValue *path = json_member(json_member(document, "paths"), route->path);
    char method[16] = "";

    for (size_t i = 0; route->method[i]; i++)
        method[i] = (char)(route->method[i] | 0x20);
    return json_member(path, method);
}

static void test_openapi_describes_every_route_once(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = api_openapi(arena);
    const JsonValue *document = NULL, *paths;
    RouteWalk walk = {0};
    Error error = {0};

    EXPECT_OK(json_parse(text, strlen(text), arena, &document, &error), error);
    paths = json_member(document, "paths");
    for (JsonWalk path = json_walk(paths); json_walk_next(&path);) {
        if (json_member(paths, path.key) != path.value)
            fprintf(stderr, "%s stands in two tables\n", path.key);
        EXPECT(json_member(paths, path.key) == path.value);
    }
    for (const Route *route; (route = next_route(&walk)) != NULL;) {
        const JsonValue *operation = described(document, route);

        if (!operation)
            complain(route, "it is not described");
        EXPECT_TEXT(json_as_text(json_member(operation, "summary"), ""), route->summary);
        EXPECT_TEXT(json_as_text(json_member(operation, "x-role"), ""),
                    role_name(role_of_token(route->role)));
        EXPECT(json_as_bool(json_member(operation, "x-step"), false) == (route->role <= ROLE_STEP));
        EXPECT(json_is_array(json_member(operation, "parameters")));
        EXPECT(!route->body || json_is_object(json_member(operation, "requestBody")));
    }
}

/* The rows are looked through in any order. */
static void test_each_route_is_found_by_its_path(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t table = 0; api_tables[table]; table++)
        for (const Route *route = api_tables[table]; route->path; route++) {
            TextList segments = text_split(route->path + 1, '/', arena);

            for (size_t i = 0; i < segments.count; i++)
                if (segments.items[i][0] == '{')
                    segments.items[i] = "anything";
            EXPECT(route_match(route->method, &segments) == route);
        }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_route_is_described_and_at_home),
        TEST(test_every_field_of_a_body_and_query_is_described),
        TEST(test_no_route_hides_another),
        TEST(test_a_large_body_of_a_fast_route_is_work_for_a_worker),
        TEST(test_each_route_is_open_to_its_least_role_and_closed_to_lesser_ones),
        TEST(test_a_refusal_names_the_role_that_is_needed),
        TEST(test_requests_get_the_answers_of_the_table),
        TEST(test_a_failure_without_a_reason_is_no_success),
        TEST(test_a_route_that_writes_is_undone_when_it_fails),
        TEST(test_openapi_describes_every_route_once),
        TEST(test_each_route_is_found_by_its_path),
        {0},
    };
    return test_main(tests, count, names);
}

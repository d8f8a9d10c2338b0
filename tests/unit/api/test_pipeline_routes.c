/* From a file to what serves, over the routes. Each row is a request and its answer; rows share one
 * data folder and come in this order. "$RUN" stands for the run that was started last; before each
 * row, trainings are waited for. An answer is compared by its start. */

#include "api/api.h"
#include "net/url.h"
#include "serving/serving.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

typedef struct Exchange {
    Role role;
    const char *method, *path, *body;
    int status;
    const char *answer;
} Exchange;

#define PROJECT   "/api/v1/projects/spam"
#define PROMOTE   "/api/v1/endpoints/spam/promote"
#define CANDIDATE "/api/v1/endpoints/spam/candidate"

static const Exchange exchanges[] = {
    {ROLE_VIEWER, "GET", "/api/v1/projects", NULL, 200, "{\"projects\":[],\"next\":null}"},
    {ROLE_VIEWER, "PUT", PROJECT, "project: spam\n", 403, "{\"error\":{\"code\":\"forbidden\""},
    {ROLE_CONTRIBUTOR, "PUT", PROJECT, "project: spam\ndat: {}\n", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"line 2, column 1: \\\"dat\\\" is not a "
     "setting of the file, which has project, data, release, stages, params, vars, env, on, "
     "concurrency, monitor, notify\",\"field\":\"dat\""},
    {ROLE_CONTRIBUTOR, "PUT", PROJECT, "project: [\n", 400, "{\"error\":{\"code\":\"invalid\""},
    {ROLE_CONTRIBUTOR, "PUT", PROJECT, "project: ham\n", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"the file describes project \\\"ham\\\", "
     "not \\\"spam\\\"\""},
    {ROLE_VIEWER, "GET", PROJECT, NULL, 404, NULL},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/train", "{}", 404, NULL},
    {ROLE_CONTRIBUTOR, "PUT", PROJECT, fixture_file, 201, "{\"name\":\"spam\",\"yaml\":"},
    {ROLE_CONTRIBUTOR, "PUT", PROJECT, fixture_file, 200, "{\"name\":\"spam\",\"yaml\":"},
    {ROLE_APPROVER, "POST", PROMOTE, "{}", 404, NULL},

    {ROLE_VIEWER, "POST", PROJECT "/train", "{}", 403, NULL},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/train", "{\"metric\":\"F1\"}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"\\\"F1\\\" is not a metric; those "
     "of classification are accuracy, "},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/train", "{\"epochs\":3}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"unrecognized field \\\"epochs\\\"\""},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/train", "{\"seed\":7}", 202, "{\"run_id\":\"$RUN\""},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/progress", NULL, 200,
     "{\"run_id\":\"$RUN\",\"status\":\"FINISHED\",\"failure\":null,\"is_waiting\":false,"
     "\"ahead\":0,\"progress\":null}"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/cancel", NULL, 409, NULL},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/evaluate", "{\"version\":1}", 200,
     "{\"model\":\"spam\",\"version\":1,\"data\":\"comments hold-out\""},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/evaluate", "{\"data\":\"comments@1\"}", 409,
     "{\"error\":{\"code\":\"conflict\",\"message\":\"240 of 300 rows are training data"},

    {ROLE_CONTRIBUTOR, "POST", PROMOTE, "{}", 403, NULL},
    {ROLE_APPROVER, "POST", PROMOTE, "{\"version\":\"nightly\"}", 404, NULL},
    {ROLE_APPROVER, "POST", PROMOTE, "{\"version\":-1}", 422, NULL},
    {ROLE_APPROVER, "POST", "/api/v1/endpoints/ham/promote", "{}", 404, NULL},
    {ROLE_APPROVER, "POST", PROMOTE, "{\"version\":1,\"comment\":\"first\"}", 200,
     "{\"promoted\":true,\"gate\":{\"id\":1,\"endpoint\":\"spam\",\"model\":\"spam\",\"version\":1,"
     "\"outcome\":\"accepted\""},
    {ROLE_APPROVER, "POST", PROMOTE, "{\"version\":1}", 409,
     "{\"error\":{\"code\":\"conflict\",\"message\":\"version 1 of \\\"spam\\\" serves at "
     "endpoint"},

    /* A rule that the next version cannot meet: it equals the champion. */
    {ROLE_APPROVER, "PUT", "/api/v1/endpoints/spam/rule", "{\"metric\":\"f1\",\"minimum\":2}", 422,
     NULL},
    {ROLE_APPROVER, "PUT", "/api/v1/endpoints/spam/rule",
     "{\"metric\":\"f1\",\"demand\":\"better\"}", 200, NULL},
    {ROLE_CONTRIBUTOR, "POST", PROJECT "/train", "{\"seed\":7}", 202, "{\"run_id\":\"$RUN\""},
    {ROLE_APPROVER, "POST", PROMOTE, "{\"version\":2}", 409,
     "{\"error\":{\"code\":\"conflict\",\"message\":\"not promoted: not better by more than 0"},
    {ROLE_VIEWER, "GET", "/api/v1/endpoints/spam/gates", NULL, 200,
     "{\"gates\":[{\"id\":2,\"endpoint\":\"spam\",\"model\":\"spam\",\"version\":2,\"outcome\":"
     "\"rejected\""},
    {ROLE_VIEWER, "GET", "/api/v1/endpoints/spam", NULL, 200, NULL},

    {ROLE_VIEWER, "GET", CANDIDATE, NULL, 404,
     "{\"error\":{\"code\":\"not_found\",\"message\":\"endpoint \\\"spam\\\" has no candidate\""},
    {ROLE_APPROVER, "DELETE", CANDIDATE, NULL, 409, NULL},
    {ROLE_CONTRIBUTOR, "PUT", CANDIDATE, "{\"version\":2,\"share\":10}", 403, NULL},
    {ROLE_APPROVER, "PUT", "/api/v1/endpoints/ham/candidate", "{\"version\":2,\"share\":10}", 404,
     NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"give a share of the requests, or "
     "\\\"shadow\\\": true\",\"field\":\"share\""},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"share\":10}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"name the version to try: a number, "
     "\\\"latest\\\" or an alias\",\"field\":\"version\""},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":-1}", 422, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":101}", 422, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":0.05}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"a share is 0 to 100 %, in steps of "
     "0.1\""},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":\"10\"}", 422, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":10,\"shadow\":true}", 422, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"share\":100}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"a share of 100 % does not ask the gate"},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":1,\"share\":10}", 409, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":9,\"share\":10}", 404, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":2,\"model\":\"ham\",\"share\":10}", 404, NULL},
    {ROLE_VIEWER, "GET", CANDIDATE "s", NULL, 200, "{\"candidates\":[],\"next\":null}"},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"version\":\"latest\",\"share\":10}", 200,
     "{\"name\":\"spam\",\"project\":\"spam\",\"model\":\"spam\",\"version\":1"},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"share\":25.5}", 200, NULL}, /* the next step */
    {ROLE_VIEWER, "GET", CANDIDATE, NULL, 200,
     "{\"candidate\":{\"id\":3,\"model\":\"spam\",\"version\":2,"},
    {ROLE_VIEWER, "GET", "/metrics", NULL, 200, NULL},
    {ROLE_APPROVER, "PUT", CANDIDATE, "{\"shadow\":true}", 200, NULL},
    {ROLE_APPROVER, "DELETE", CANDIDATE "?reason=x", NULL, 422, NULL},
    {ROLE_APPROVER, "DELETE", CANDIDATE "?comment=enough", NULL, 200,
     "{\"name\":\"spam\",\"project\":\"spam\",\"model\":\"spam\",\"version\":1"},
    {ROLE_VIEWER, "GET", CANDIDATE "s?limit=1", NULL, 200, "{\"candidates\":[{\"id\":4,"},

    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/rerun", NULL, 202, "{\"run_id\":\"$RUN\""},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/progress", NULL, 200,
     "{\"run_id\":\"$RUN\",\"status\":\"FINISHED\""},
    {0},
};

/* text with each "$RUN" replaced. */
static const char *fill_in(const char *text, const char *run_id, Arena *arena)
{
    TextBuilder filled = {.arena = arena};

    for (const char *hole; (hole = strstr(text, "$RUN")); text = hole + 4) {
        text_append_bytes(&filled, text, (size_t)(hole - text));
        text_append(&filled, run_id);
    }
    text_append(&filled, text);
    return text_built(&filled);
}

static Response exchange_one(Application *application, Scope *scope, const Exchange *row,
                             const char *run_id)
{
    const char *target = fill_in(row->path, run_id, scope->arena);
    const char *question = strchrnul(target, '?');
    Request request = {
        .method = row->method,
        .path = arena_copy(scope->arena, target, (size_t)(question - target)),
        .body = row->body ? row->body : "",
        .application = application,
    };
    Response response = {0};
    const Route *route;

    request.body_size = strlen(request.body);
    EXPECT(url_split_path(scope->arena, request.path, &request.segments));
    EXPECT(url_split_query(scope->arena, *question ? question + 1 : "", &request.query));
    route = route_find(&request, scope->arena, &scope->error);
    EXPECT_OK(route, scope->error);
    api_run(route, scope, &request, &response);
    return response;
}

static void check_answer(const Exchange *row, const Response *response, const char *run_id,
                         Arena *arena)
{
    const char *text = json_finish(response->json);

    if (response->status == row->status &&
        text_has_prefix(text, row->answer ? fill_in(row->answer, run_id, arena) : ""))
        return;
    fprintf(stderr, "%s %s %s: %d %s\n", row->method, row->path, row->body ? row->body : "",
            response->status, text);
    exit(1);
}

static const char *newest_run(Fixture *fixture, const char *otherwise)
{
    RunFilter newest = {.limit = 1};
    RunList list = {0};

    EXPECT_OK(run_list(&fixture->scope, &newest, &list, NULL), fixture->scope.error);
    return list.count ? list.items[0].id : otherwise;
}

static void test_a_project_goes_from_its_file_to_what_serves(void)
{
    Fixture fixture = fixture_open();
    Application application = {.platform = fixture.platform, .trainer = fixture.trainer};
    const char *run_id = "";

    application.serving = serving_create(fixture.platform);
    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    for (const Exchange *row = exchanges; row->path; row++) {
        Scope scope = fixture.scope;
        Response response;

        trainer_drain(fixture.trainer);
        scope.principal.role = row->role;
        response = exchange_one(&application, &scope, row, run_id);
        run_id = newest_run(&fixture, run_id);
        check_answer(row, &response, run_id, scope.arena);
    }
    serving_destroy(application.serving);
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_project_goes_from_its_file_to_what_serves),
        {0},
    };

    return fixture_main(tests, count, arguments);
}

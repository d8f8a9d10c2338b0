/* Each row is a request and its answer; rows share one data folder and come in this order. "$RUN"
 * in a path or body is the id of the run that was created last; an answer is compared by its start.
 */

#include "api/api.h"
#include "net/url.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/run.h"

typedef struct Exchange {
    Role role;
    const char *method, *path, *body;
    int status;
    const char *answer;
} Exchange;

static const Exchange tracking_exchanges[] = {
    {ROLE_VIEWER, "GET", "/api/v1/experiments/0", NULL, 200,
     "{\"id\":0,\"name\":\"Default\",\"is_deleted\":false,\"created_at\":null,\"updated_at\":null,"
     "\"run_count\":0,\"tags\":{}}"},
    {ROLE_VIEWER, "POST", "/api/v1/experiments", "{\"name\":\"churn\"}", 403,
     "{\"error\":{\"code\":\"forbidden\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments", "{\"nmae\":\"churn\"}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"unrecognized field \\\"nmae\\\"\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments", "{\"name\":7}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"\\\"name\\\" must be a text\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments", "{\"name\":\"\"}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"an experiment name has 1 to 500"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments",
     "{\"name\":\"churn\",\"tags\":{\"team\":\"fraud\",\"year\":2026}}", 201,
     "{\"id\":1,\"name\":\"churn\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments", "{\"name\":\"churn\"}", 409,
     "{\"error\":{\"code\":\"already_exists\",\"message\":\"experiment \\\"churn\\\" already "
     "exists\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments/1/tags", "{\"tags\":{\"team\":[]}}", 422, NULL},
    {ROLE_CONTRIBUTOR, "PATCH", "/api/v1/experiments/1", "{\"name\":\"leavers\"}", 200,
     "{\"id\":1,\"name\":\"leavers\""},
    {ROLE_VIEWER, "GET", "/api/v1/experiments/x", NULL, 400,
     "{\"error\":{\"code\":\"invalid\",\"message\":\"the id of an experiment is an integer\""},
    {ROLE_VIEWER, "GET", "/api/v1/experiments/9", NULL, 404,
     "{\"error\":{\"code\":\"not_found\",\"message\":\"experiment 9 does not exist\""},

    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs", "{\"experiment_id\":9}", 404, NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs", "{\"experiment_id\":1,\"name\":\"first\"}", 201,
     "{\"id\":\"$RUN\",\"experiment_id\":1,\"name\":\"first\",\"user\":\"ada\","
     "\"status\":\"RUNNING\",\"failure\":null"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log",
     "{\"params\":{\"C\":1.0,\"kernel\":\"rbf\"},\"tags\":{\"note\":\"x\"},"
     "\"metrics\":{\"a/f1\":0.5}}",
     204, ""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log",
     "{\"metrics\":[{\"key\":\"loss\",\"value\":\"NaN\",\"step\":3,\"timestamp\":7}]}", 204, ""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log", "{\"metrics\":[{\"key\":\"loss\"}]}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"metric 0: \\\"value\\\" is missing\""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log", "{\"metrics\":{\"f1\":\"high\"}}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"the value of a metric is a number,"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log", "{\"params\":{\"C\":2.0}}", 409, NULL},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/metrics/loss", NULL, 200,
     "{\"key\":\"loss\",\"points\":[{\"key\":\"loss\",\"value\":\"NaN\",\"step\":3,"
     "\"timestamp\":7}]}"},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/metrics/a%2Ff1", NULL, 200,
     "{\"key\":\"a/f1\",\"points\":[{\"key\":\"a/f1\",\"value\":0.5,\"step\":0,"},
    {ROLE_VIEWER, "GET", "/api/v1/runs?experiment_id=1,0&status=RUNNING&order_by=metrics.loss",
     NULL, 200, "{\"total\":1,\"runs\":[{\"id\":\"$RUN\""},
    {ROLE_VIEWER, "GET", "/api/v1/runs?experiment_id=one", NULL, 422, NULL},
    {ROLE_VIEWER, "GET", "/api/v1/runs?limit=-1", NULL, 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"\\\"limit\\\" must be an integer "
     "from 1 on\""},
    {ROLE_CONTRIBUTOR, "PATCH", "/api/v1/runs/$RUN", "{\"name\":\"best\"}", 200,
     "{\"id\":\"$RUN\",\"experiment_id\":1,\"name\":\"best\""},
    {ROLE_CONTRIBUTOR, "PUT", "/api/v1/runs/$RUN/artifacts/file?path=plots/a.txt", "hello", 200,
     "{\"path\":\"plots/a.txt\",\"size\":5,\"digest\":\"2cf24dba"},
    {ROLE_CONTRIBUTOR, "PUT", "/api/v1/runs/$RUN/artifacts/file?path=../a.txt", "hello", 422, NULL},
    {ROLE_CONTRIBUTOR, "PUT", "/api/v1/runs/$RUN/artifacts/file", "hello", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"\\\"path\\\" is missing\""},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/artifacts", NULL, 200,
     "{\"artifacts\":[{\"path\":\"plots/a.txt\",\"size\":5,"},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/artifacts/file?path=plots/a.txt", NULL, 200, "(file)"},
    {ROLE_VIEWER, "GET", "/api/v1/runs/$RUN/artifacts/file?path=b.txt", NULL, 404, NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/finish", "{\"status\":\"DONE\"}", 422,
     "{\"error\":{\"code\":\"invalid_field\",\"message\":\"a run ends as \\\"FINISHED\\\","},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/finish",
     "{\"status\":\"FAILED\",\"failure\":\"out of memory\"}", 200, NULL},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/experiments/1", NULL, 204, ""},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/log", "{\"tags\":{\"a\":\"b\"}}", 409, NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/experiments/1/restore", NULL, 200, NULL},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/runs/$RUN", NULL, 204, ""},
    {ROLE_VIEWER, "GET", "/api/v1/runs?deleted=true", NULL, 200, "{\"total\":1,"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/runs/$RUN/restore", NULL, 200, "{\"id\":\"$RUN\""},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/runs/$RUN/tags/note", NULL, 204, ""},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/runs/$RUN/tags/note", NULL, 404, NULL},
    {0},
};

static const Exchange model_exchanges[] = {
    {ROLE_VIEWER, "GET", "/api/v1/models", NULL, 200, "{\"models\":[],\"next\":null}"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/models", "{\"name\":\"a/b\"}", 422, NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/models", "{\"name\":\"spam\",\"description\":\"mails\"}",
     201, "{\"name\":\"spam\",\"description\":\"mails\",\"latest_version\":0,"},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/models", "{\"name\":\"spam\"}", 409, NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/models/spam/tags", "{\"tags\":{\"task\":\"text\"}}", 200,
     NULL},
    {ROLE_CONTRIBUTOR, "POST", "/api/v1/models/spam/description", "{\"description\":\"all mails\"}",
     200, "{\"name\":\"spam\",\"description\":\"all mails\""},
    {ROLE_VIEWER, "GET", "/api/v1/models/spam/versions", NULL, 200,
     "{\"versions\":[],\"next\":null}"},
    {ROLE_VIEWER, "GET", "/api/v1/models/spam/versions/latest", NULL, 404,
     "{\"error\":{\"code\":\"not_found\",\"message\":\"model \\\"spam\\\" has no version yet\""},
    {ROLE_VIEWER, "GET", "/api/v1/models/spam/versions/1/lineage", NULL, 404, NULL},
    {ROLE_CONTRIBUTOR, "PUT", "/api/v1/models/spam/aliases/champion", "{\"version\":1}", 404,
     "{\"error\":{\"code\":\"not_found\",\"message\":\"model \\\"spam\\\" has no version 1\""},
    {ROLE_CONTRIBUTOR, "PUT", "/api/v1/models/spam/aliases/latest", "{\"version\":1}", 422, NULL},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/models/spam/aliases/champion", NULL, 404, NULL},
    {ROLE_CONTRIBUTOR, "DELETE", "/api/v1/models/spam/versions/latest", NULL, 400, NULL},
    {ROLE_VIEWER, "GET", "/api/v1/models/churn", NULL, 404, NULL},
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

static Response exchange_one(Scope *scope, const Exchange *row, const char *run_id)
{
    const char *target = fill_in(row->path, run_id, scope->arena);
    const char *question = strchrnul(target, '?');
    Request request = {
        .method = row->method,
        .path = arena_copy(scope->arena, target, (size_t)(question - target)),
        .body = row->body ? fill_in(row->body, run_id, scope->arena) : "",
    };
    const Route *route;
    Response response = {0};

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
    const char *text = response->file ? "(file)" : json_finish(response->json);
    const char *expected = row->answer ? fill_in(row->answer, run_id, arena) : "";

    if (response->status == row->status && text_has_prefix(text, expected))
        return;
    fprintf(stderr, "%s %s %s: %d %s\n", row->method, row->path, row->body ? row->body : "",
            response->status, text);
    exit(1);
}

static void run_exchanges(const Exchange *rows)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    const char *run_id = "";

    for (const Exchange *row = rows; row->path; row++) {
        Scope scope = fixture.reader;
        Response response;
        RunList list = {0};

        scope.principal.role = row->role;
        response = exchange_one(&scope, row, run_id);
        EXPECT_OK(run_list(&fixture.reader, &(RunFilter){.limit = 1}, &list, NULL),
                  fixture.reader.error);
        if (list.count)
            run_id = list.items[0].id;
        check_answer(row, &response, run_id, scope.arena);
    }
}

static void test_experiments_and_runs_answer_as_the_tables_say(void)
{
    run_exchanges(tracking_exchanges);
}

static void test_models_answer_as_the_tables_say(void)
{
    run_exchanges(model_exchanges);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_experiments_and_runs_answer_as_the_tables_say),
        TEST(test_models_answer_as_the_tables_say),
        {0},
    };
    return test_main(tests, count, names);
}

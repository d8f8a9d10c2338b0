#include <math.h>

#include "store/db_internal.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/run.h"
#include "tracking/run_search_internal.h"

/* ---- a few runs by hand ---- */

static const char *add_run(Scope *scope, int64_t experiment_id, const char *name,
                           int64_t started_at)
{
    Run run;

    EXPECT_OK(run_create(scope,
                         &(RunSpec){.experiment_id = experiment_id,
                                    .name = name,
                                    .user = "ada",
                                    .started_at = started_at},
                         &run),
              scope->error);
    return run.id;
}

static void log_metric(Scope *scope, const char *id, const char *key, double value)
{
    RunBatch batch = {.metrics = {&(Metric){.key = key, .value = value, .timestamp = 1}, 1}};

    EXPECT_OK(run_log_batch(scope, id, &batch), scope->error);
}

static void log_param(Scope *scope, const char *id, const char *key, const char *value)
{
    RunBatch batch = {.params = {&(Param){key, value}, 1}};

    EXPECT_OK(run_log_batch(scope, id, &batch), scope->error);
}

static void set_tag(Scope *scope, const char *id, const char *key, const char *value)
{
    RunBatch batch = {.tags = {&(Param){key, value}, 1}};

    EXPECT_OK(run_log_batch(scope, id, &batch), scope->error);
}

/* The names of those that were found, by pages of limit; or the message. */
static const char *names(Scope *scope, const char *filter, const char *order, int64_t limit)
{
    static const int64_t experiments[] = {0, 1, 7};
    RunSearch search = {
        .experiment_ids = experiments,
        .experiment_count = COUNT(experiments),
        .filter = filter,
        .limit = limit,
    };
    TextBuilder text = {.arena = scope->arena};

    if (order)
        search.order_by = text_split(order, ',', scope->arena);
    do {
        RunList list = {0};

        if (!run_search(scope, &search, &list, &search.page_token))
            return scope->error.message;
        EXPECT(list.count == (size_t)limit || !search.page_token);
        for (size_t i = 0; i < list.count; i++)
            text_append_format(&text, "%s%s", text.count ? " " : "", list.items[i].name);
    } while (search.page_token);
    return text_built(&text);
}

static void add_few(Scope *scope)
{
    const char *a = add_run(scope, 0, "a", 1000), *b = add_run(scope, 0, "b", 2000);
    const char *c = add_run(scope, 0, "c", 3000), *d = add_run(scope, 0, "D", 4000);

    log_metric(scope, a, "f1", 0.5);
    log_metric(scope, b, "f1", 0.9);
    log_metric(scope, c, "f1", NAN);
    log_metric(scope, a, "most", INFINITY);
    log_param(scope, a, "C", "1.0");
    log_param(scope, b, "C", "10");
    log_param(scope, d, "C", "Rbf_100%");
    set_tag(scope, a, "team", "risk");
    set_tag(scope, d, "team", "Risk");
    EXPECT_OK(run_finish(scope, b, RUN_FINISHED, NULL), scope->error);
    EXPECT_OK(run_finish(scope, c, RUN_FAILED, "no data"), scope->error);
}

static void test_clauses_say_which_runs(void)
{
    static const struct {
        const char *filter, *found;
    } cases[] = {
        {NULL, "D c b a"},
        {"metrics.f1 > 0.5", "b"},
        {"metrics.f1 >= 0.5", "b a"},
        {"metrics.f1 = 0.9", "b"},
        {"metrics.f1 != 0.9", "c a"},
        {"metrics.f1 < 1", "b a"},
        {"metrics.f1 = 0", ""},
        {"metrics.most > 1e308", "a"},
        {"metrics.none != 1", ""},
        {"params.C = '1.0'", "a"},
        {"params.C != '1.0'", "D b"},
        {"params.C LIKE '1%'", "b a"},
        {"params.C LIKE 'rbf%'", ""},
        {"params.C LIKE 'Rbf_100_'", "D"},
        {"params.C ILIKE 'rBF%'", "D"},
        {"params.C IS NULL", "c"},
        {"params.C IS NOT NULL", "D b a"},
        {"params.none IS NULL", "D c b a"},
        {"params.none != 'x'", ""},
        {"tags.team = 'risk'", "a"},
        {"tags.team ILIKE 'RISK'", "D a"},
        {"tags.team != 'risk'", "D"},
        {"tags.`mlflow.runName` = 'b'", "b"},
        {"run_name = 'D' AND tags.team = 'Risk'", "D"},
        {"run_name ILIKE 'd'", "D"},
        {"user_id = 'ada' AND status = 'RUNNING'", "D a"},
        {"status != 'RUNNING'", "c b"},
        {"start_time > 1000 AND start_time <= 3000", "c b"},
        {"start_time >= 2000.5", "D c"},
        {"end_time > 0", "c b"},
        {"end_time != 0", "c b"},
        {"artifact_uri LIKE 'mlflow-artifacts:/0/%'", "D c b a"},
        {"run_id = 'none'", ""},
        {"run_id != 'none'", "D c b a"},
        {"dataset.name = 'x'", ""},
        {"metrics.f1 > 0.1 AND params.C LIKE '1%' AND start_time < 2000", "a"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_few(&fixture.scope);
    for (size_t i = 0; i < COUNT(cases); i++) {
        EXPECT_TEXT(names(&fixture.scope, cases[i].filter, NULL, 1), cases[i].found);
        EXPECT_TEXT(names(&fixture.scope, cases[i].filter, NULL, 100), cases[i].found);
    }
}

static void test_runs_without_the_key_come_last_and_nan_before_them(void)
{
    static const struct {
        const char *order, *found;
    } cases[] = {
        {"metrics.f1", "a b c D"},
        {"metrics.f1 DESC", "b a c D"},
        {"metrics.none DESC", "D c b a"},
        {"params.C", "a b D c"},
        {"params.C DESC", "D b a c"},
        {"tags.team", "D a c b"},
        {"tags.mlflow.runName", "D a b c"},
        {"start_time ASC", "a b c D"},
        {"start_time DESC", "D c b a"},
        {"run_name DESC", "c b a D"},
        {"status", "c b D a"},
        {"end_time DESC,start_time", NULL},
        {"status DESC,metrics.f1 DESC", "a D b c"},
        {"metrics.most,metrics.f1 DESC", "a b c D"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_few(&fixture.scope);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *whole = names(&fixture.scope, NULL, cases[i].order, 100);

        if (cases[i].found)
            EXPECT_TEXT(whole, cases[i].found);
        EXPECT_TEXT(names(&fixture.scope, NULL, cases[i].order, 1), whole);
    }
}

static void test_a_search_that_is_wrong_is_refused(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    const int64_t experiment = 0;
    RunSearch search = {.experiment_ids = &experiment, .experiment_count = 1, .limit = 1};
    RunList list;
    static const char *const tokens[] = {
        "x", "o.1", "s.1", "s.x.y", "m.1.a.0.0", "s.1.0123456789012345678901234567890123456"};

    for (size_t i = 0; i < COUNT(tokens); i++) {
        search.page_token = tokens[i];
        EXPECT_FAILS(run_search(scope, &search, &list, &search.page_token), scope, ERROR_FIELD,
                     "Invalid page token: it must be one that an answer to the same search had");
    }
    search.page_token = NULL;
    search.limit = RUN_LIMIT_MAX + 1;
    EXPECT_FAILS(run_search(scope, &search, &list, &search.page_token), scope, ERROR_FIELD,
                 "Invalid value 50001 for parameter 'max_results' supplied. It must be at least 1 "
                 "and at most 50000");
}

static void test_of_deleted_runs_only_who_asks_hears(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    const int64_t experiments[] = {0, 0, 5};
    RunSearch search = {.experiment_ids = experiments, .experiment_count = 3, .limit = 10};
    static const size_t counts[] = {
        [RUN_LIFE_ACTIVE] = 1, [RUN_LIFE_DELETED] = 1, [RUN_LIFE_ALL] = 2};
    const char *a = add_run(scope, 0, "a", 1);

    add_run(scope, 0, "b", 2);
    EXPECT_OK(run_delete(scope, a), scope->error);
    for (RunLife life = RUN_LIFE_ACTIVE; life <= RUN_LIFE_ALL; life++) {
        RunList list = {0};

        search.life = life;
        EXPECT_OK(run_search(scope, &search, &list, &search.page_token), scope->error);
        EXPECT(list.count == counts[life] && !search.page_token);
    }
}

/* ---- many runs, against a search that looks at each ---- */

enum { MANY = 8000 };

/* What a run has, to be searched without an index. value -1: it lacks it. */
typedef struct Plain {
    int64_t experiment_id, started_at;
    const char *id;
    int metric, few, param, tag; /* few: a metric of mostly one value; 7 is NaN */
} Plain;

typedef struct Many {
    Plain runs[MANY];
    Plain *sorted[MANY];
} Many;

static uint64_t dice = 88172645463325252u;

static int roll(int limit)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (int)(dice % (uint64_t)limit);
}

static void add_value(Scope *scope, int64_t run, int64_t key, int value, int64_t experiment)
{
    if (value >= 0)
        EXPECT_OK(db_run(scope->db, &scope->error,
                         "INSERT INTO latest_metrics(run_key, key_id, experiment_id, step,"
                         "  timestamp, value, is_nan) VALUES ($1, $2, $3, 0, 0, $4, $5)",
                         db_int(run), db_int(key), db_int(experiment),
                         db_double(value == 7 ? 0 : value), db_int(value == 7)),
                  scope->error);
}

static void add_text(Scope *scope, const char *sql, int64_t run, int value, int64_t experiment)
{
    if (value >= 0)
        EXPECT_OK(db_run(scope->db, &scope->error, sql, db_int(run),
                         db_text(arena_format(scope->arena, "v%d", value)), db_int(experiment)),
                  scope->error);
}

static void add_plain(Scope *scope, int64_t key, Plain *run)
{
    *run = (Plain){
        .experiment_id = roll(4) == 0,
        .started_at = 1000 + roll(3000),
        .id = arena_format(scope->arena, "%032x", (unsigned)(key * 2654435761u)),
        .metric = roll(40) - 1,
        .few = roll(50) ? 3 : roll(9) - 1,
        .param = roll(20) - 1,
        .tag = roll(300) - 1,
    };
    EXPECT_OK(db_run(scope->db, &scope->error,
                     "INSERT INTO runs(key, id, experiment_id, name, user_name, status, started_at)"
                     "VALUES ($1, $2, $3, 'x', 'ada', 'RUNNING', $4)",
                     db_int(key), db_text(run->id), db_int(run->experiment_id),
                     db_int(run->started_at)),
              scope->error);
    add_value(scope, key, 1, run->metric, run->experiment_id);
    add_value(scope, key, 2, run->few, run->experiment_id);
    add_text(scope,
             "INSERT INTO run_params(run_key, key, start, experiment_id)"
             "VALUES ($1, 'p', $2, $3)",
             key, run->param, run->experiment_id);
    add_text(scope,
             "INSERT INTO run_tags(run_key, key, start, experiment_id)"
             "VALUES ($1, 't', $2, $3)",
             key, run->tag, run->experiment_id);
}

static void add_many(Scope *scope, Many *many)
{
    EXPECT_OK(db_run(scope->db, &scope->error, "BEGIN"), scope->error);
    EXPECT_OK(db_run(scope->db, &scope->error,
                     "INSERT INTO experiments(id, name, created_at, updated_at)"
                     "VALUES (1, 'one', 0, 0)"),
              scope->error);
    EXPECT_OK(db_run(scope->db, &scope->error,
                     "INSERT INTO metric_keys(id, name) VALUES (1, 'm'), (2, 'few')"),
              scope->error);
    for (int i = 0; i < MANY; i++) {
        add_plain(scope, i + 1, &many->runs[i]);
        many->sorted[i] = &many->runs[i];
    }
    EXPECT_OK(db_run(scope->db, &scope->error, "COMMIT"), scope->error);
}

/* The place of a value in an order: numbers, NaN, nothing. */
static int compare_plain_values(int a, int b, bool is_nan_possible, bool is_descending)
{
    int a_rank = a < 0 ? 2 : is_nan_possible && a == 7,
        b_rank = b < 0 ? 2 : is_nan_possible && b == 7;

    if (a_rank != b_rank)
        return a_rank - b_rank;
    if (a_rank)
        return 0;
    return is_descending ? b - a : a - b;
}

static char order_of_plain; /* 'm' and 'f' up, 'M' and 'F' down, 's' newest first, 'S' oldest */

static int compare_plain(const void *left, const void *right)
{
    const Plain *a = *(Plain *const *)left, *b = *(Plain *const *)right;
    int order = 0;

    if (order_of_plain == 'm' || order_of_plain == 'M')
        order = compare_plain_values(a->metric, b->metric, true, order_of_plain == 'M');
    if (order_of_plain == 'f' || order_of_plain == 'F')
        order = compare_plain_values(a->few, b->few, true, order_of_plain == 'F');
    if (order)
        return order;
    if (a->started_at != b->started_at)
        return (a->started_at < b->started_at) == (order_of_plain != 'S') ? 1 : -1;
    return strcmp(a->id, b->id);
}

typedef struct ManyCase {
    const char *filter;
    bool (*matches)(const Plain *run);
} ManyCase;

static bool has_all(const Plain *run)
{
    return run->id != NULL;
}

static bool has_metric(const Plain *run)
{
    return run->metric > 20;
}

static bool has_metric_and_param(const Plain *run)
{
    return run->metric >= 0 && run->metric < 30 && run->metric != 7 && run->param == 5;
}

static bool has_rare_tag(const Plain *run)
{
    return run->tag == 17;
}

static bool has_few(const Plain *run)
{
    return run->few == 3 && run->metric == 38;
}

static bool lacks_param(const Plain *run)
{
    return run->param < 0 && run->few != 3 && run->few >= 0;
}

static bool has_like(const Plain *run)
{
    return run->param >= 10 && run->tag >= 0;
}

static const ManyCase many_cases[] = {
    {NULL, has_all},
    {"metrics.m > 20", has_metric},
    {"metrics.m < 30 AND params.p = 'v5'", has_metric_and_param},
    {"tags.t = 'v17'", has_rare_tag},
    {"metrics.few = 3 AND metrics.m = 38", has_few},
    {"params.p IS NULL AND metrics.few != 3", lacks_param},
    {"params.p LIKE 'v1_' AND tags.t IS NOT NULL", has_like},
};

static const struct {
    char letter;
    const char *order;
} many_orders[] = {{'s', NULL},          {'S', "start_time"},
                   {'m', "metrics.m"},   {'M', "metrics.m DESC"},
                   {'f', "metrics.few"}, {'F', "metrics.few DESC"}};

/* All pages give the expected runs, each once. */
static void check_pages(Scope *scope, const Many *many, size_t which, const char *order,
                        int64_t limit)
{
    static const int64_t experiments[] = {1, 0};
    RunSearch search = {.experiment_ids = experiments,
                        .experiment_count = 2,
                        .filter = many_cases[which].filter,
                        .limit = limit};
    size_t at = 0;

    if (order)
        search.order_by = text_split(order, ',', scope->arena);
    do {
        RunList list = {0};

        EXPECT_OK(run_search(scope, &search, &list, &search.page_token), scope->error);
        for (size_t i = 0; i < list.count; i++, at++) {
            while (at < MANY && !many_cases[which].matches(many->sorted[at]))
                at++;
            EXPECT(at < MANY);
            EXPECT_TEXT(list.items[i].id, many->sorted[at]->id);
        }
    } while (search.page_token);
    while (at < MANY && !many_cases[which].matches(many->sorted[at]))
        at++;
    EXPECT(at == MANY);
}

static void test_every_way_of_searching_finds_the_same(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Many *many = arena_new(fixture.scope.arena, Many);

    add_many(&fixture.scope, many);
    for (size_t i = 0; i < COUNT(many_orders); i++) {
        order_of_plain = many_orders[i].letter;
        qsort(many->sorted, MANY, sizeof(*many->sorted), compare_plain);
        for (size_t j = 0; j < COUNT(many_cases); j++) {
            check_pages(&fixture.scope, many, j, many_orders[i].order, 700);
            check_pages(&fixture.scope, many, j, many_orders[i].order, 5000);
        }
    }
}

static size_t parameters_of(const char *sql)
{
    size_t most = 0;

    for (; *sql; sql++)
        if (*sql == '$' && (size_t)atoll(sql + 1) > most)
            most = (size_t)atoll(sql + 1);
    return most;
}

/* Of a table that grows, nothing is looked through from one end to the other, and what an index by
 * value answers it answers alone. */
static void check_plan(Scope *scope, const char *sql)
{
    const char *explain = arena_format(scope->arena, "EXPLAIN QUERY PLAN %s", sql);
    DbValue values[80] = {0};
    CLEANUP(query_finalize)
    Query query = db_query_values(scope->db, explain, values, parameters_of(sql) + 1);

    while (query_next(&query)) {
        const char *step = query_text(&query, 3, scope->arena);

        if (strstr(step, "_by_value ("))
            EXPECT(strstr(step, "USING COVERING INDEX"));
        if (!strstr(step, "SCAN") || strstr(step, "CONSTANT ROW") || strstr(step, "SCAN wanted"))
            continue;
        fprintf(stderr, "%s\n%s\n", step, sql);
        EXPECT(false);
    }
    EXPECT_OK(query_end(&query, &scope->error), scope->error);
}

static void test_no_statement_of_a_search_scans(void)
{
    static const char *const filters[] = {
        "metrics.f1 > 0.5 AND params.C = '1.0'",
        "params.C LIKE '1%' AND tags.team ILIKE 'x' AND start_time > 5",
        "run_id IN ('a') AND status = 'FAILED' AND params.none IS NULL AND metrics.f1 != 0",
    };
    static const char *const orders[] = {
        NULL, "start_time", "metrics.f1", "metrics.f1 DESC", "params.C,tags.team", "end_time"};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.reader;
    const char *texts[256];
    size_t count = 0;

    add_few(&fixture.scope);
    for (size_t i = 0; i < COUNT(orders); i++) {
        names(scope, NULL, orders[i], 1);
        for (size_t j = 0; j < COUNT(filters); j++)
            names(scope, filters[j], orders[i], 1);
    }
    for (size_t i = 0; db_statement(scope->db, i); i++)
        if (*db_statement(scope->db, i))
            texts[count++] = arena_text(scope->arena, db_statement(scope->db, i));
    EXPECT(count > 15);
    for (size_t i = 0; i < count; i++)
        check_plan(scope, texts[i]);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_clauses_say_which_runs),
        TEST(test_runs_without_the_key_come_last_and_nan_before_them),
        TEST(test_a_search_that_is_wrong_is_refused),
        TEST(test_of_deleted_runs_only_who_asks_hears),
        TEST(test_no_statement_of_a_search_scans),
        TEST(test_every_way_of_searching_finds_the_same),
        {0},
    };

    return test_main(tests, count, arguments);
}

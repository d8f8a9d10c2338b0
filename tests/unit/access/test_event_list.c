/* test_event_list.c: pages of the audit trail, by what events are about. */
#include "access/event_internal.h"
#include "base/time.h"
#include "tests/scene.h"

typedef struct Told {
    Topic topic;
    const char *by, *action, *object;
} Told;

static const Told story[] = {
    {{"spam", NULL}, "ada", "project.created", "spam"},            /* 1 */
    {{"spam", "spam#1"}, "ada", "pipeline_run.created", "spam#1"}, /* 2 */
    {{"spam", "spam#1"}, "slipway", "dataset_version.created", "comments@1"},
    {{"spam", "spam#1"}, "slipway", "model_version.created", "junk@1"},
    {{"spam", "spam#1"}, "slipway", "endpoint.deployed", "spam"}, /* 5 */
    {{"ham", NULL}, "bob", "project.created", "ham"},
    {{"ham", NULL}, "bob", "model_version.created", "junk@2"},
    {{NULL, NULL}, "ada", "approval.asked", "spam#1/release.production"},
    {{NULL, NULL}, "bob", "run.created", "0123"},
    {{NULL, NULL}, "bob", "endpoint.candidate_set", "spam"}, /* 10 */
};

static bool tell(Scope *scope, void *context)
{
    const Told *told = context;

    scope->topic = told->topic;
    scope->principal.name = told->by;
    return event_append(scope, told->action, told->object, NULL) &&
           (strcmp(told->action, "endpoint.deployed") != 0 ||
            event_about(scope, EVENT_MODEL, "junk"));
}

static Scene scene_with_story(void)
{
    Scene scene = scene_open();

    for (size_t i = 0; i < COUNT(story); i++)
        EXPECT_OK(scope_write(&scene.scope, tell, (void *)(uintptr_t)&story[i]), scene.scope.error);
    return scene;
}

/* "1 2 5": the numbers of a whole page. */
static const char *numbers(Scope *scope, const EventFilter *filter)
{
    TextBuilder text = {.arena = scope->arena};
    EventList list;

    text_append(&text, "");
    EXPECT_OK(event_list(scope, filter, &list), scope->error);
    EXPECT(!list.next);
    for (size_t i = 0; i < list.count; i++)
        text_append_format(&text, "%s%lld", i ? " " : "", (long long)list.items[i].id);
    return text_built(&text);
}

static void test_events_are_found_by_what_they_are_about(void)
{
    static const struct {
        EventFilter filter;
        const char *numbers;
    } rows[] = {
        {{0}, "1 2 3 4 5 6 7 8 9 10"},
        {{.newest_first = true}, "10 9 8 7 6 5 4 3 2 1"},
        {{.project = "spam"}, "1 2 3 4 5 8"},
        {{.project = "ham", .newest_first = true}, "7 6"},
        {{.project = "eggs"}, ""},
        {{.subject = "pipeline_run:spam#1"}, "2 3 4 5 8"},
        {{.subject = "model:junk"}, "4 5 7"},
        {{.subject = "model:spam"}, ""},
        {{.subject = "endpoint:spam"}, "5 10"},
        {{.subject = "dataset:comments"}, "3"},
        {{.subject = "run:0123"}, "9"},
        {{.subject = "run:0123", .by = "bob", .object = "0123"}, "9"},
        {{.subject = "run:0123", .object = "other"}, ""},
        {{.subject = "experiment:0123"}, ""},
        {{.subject = "token:ci"}, ""},
        {{.by = "bob"}, "6 7 9 10"},
        {{.by = "bob", .action = "endpoint."}, "10"},
        {{.action = "model_version.created"}, "4 7"},
        {{.action = "model"}, "4 7"},
        {{.action = "endpoint.dep"}, "5"},
        {{.action = "model."}, ""},
        {{.action = "model_version.created", .project = "ham"}, "7"},
        {{.project = "spam", .subject = "model:junk", .by = "slipway", .action = "endpoint."}, "5"},
        {{.project = "spam", .by = "bob"}, ""},
        {{.object = "spam"}, "1 5 10"},
        {{.object = "spam", .by = "ada"}, "1"},
        {{.object = "spam", .project = "spam", .newest_first = true}, "5 1"},
        {{.after = 4, .project = "spam"}, "5 8"},
        {{.before = 4, .project = "spam"}, "1 2 3"},
        {{.after = 2, .before = 5}, "3 4"},
        {{.after = 10}, ""},
        {{.before = 1}, ""},
    };
    CLEANUP(scene_close) Scene scene = scene_with_story();

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_TEXT(numbers(&scene.scope, &rows[i].filter), rows[i].numbers);
}

static void test_a_page_that_is_full_says_where_to_go_on(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_story();
    EventList list;

    EXPECT_OK(event_list(&scene.scope, &(EventFilter){.project = "spam", .limit = 2}, &list),
              scene.scope.error);
    EXPECT(list.count == 2 && list.next == 2);
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.project = "spam", .after = 2}), "3 4 5 8");
    EXPECT_OK(event_list(&scene.scope, &(EventFilter){.limit = 3, .newest_first = true}, &list),
              scene.scope.error);
    EXPECT(list.count == 3 && list.next == 8);
}

static void expect_refused(Scope *scope, const EventFilter *filter, const char *field)
{
    EventList list;

    EXPECT(!event_list(scope, filter, &list));
    EXPECT_TEXT(scope->error.field, field);
    scope->error = (Error){0};
}

static void test_what_makes_no_sense_is_refused(void)
{
    static const struct {
        EventFilter filter;
        const char *field;
    } rows[] = {
        {{.limit = -1}, "limit"},           {{.limit = 10001}, "limit"},
        {{.subject = "spam"}, "subject"},   {{.subject = ":spam"}, "subject"},
        {{.subject = "by:ada"}, "subject"}, {{.subject = "model:"}, "subject"},
        {{.from = 2, .to = 2}, "to"},
    };
    CLEANUP(scene_close) Scene scene = scene_with_story();

    for (size_t i = 0; i < COUNT(rows); i++)
        expect_refused(&scene.scope, &rows[i].filter, rows[i].field);
}

/* ---- a long trail, whose hashes do not matter here ---- */

typedef struct Filling {
    int64_t count, size; /* events, and the bytes of each one's detail */
} Filling;

/* Every thousandth is about project "rare", all are by "ada". */
static bool fill(Scope *scope, void *context)
{
    const Filling *filling = context;
    Error *error = &scope->error;

    return db_run(scope->db, error,
                  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)"
                  " INSERT INTO events (id, created_at, principal, action, object, detail, hash)"
                  " SELECT i, i * 1000, 'ada', 'run.created', 'run' || i,"
                  " '\"' || hex(zeroblob($2 / 2 - 1)) || '\"', '' FROM n",
                  db_int(filling->count), db_int(filling->size)) &&
           db_run(scope->db, error,
                  "INSERT INTO event_subjects VALUES (1, 'by', 'ada'), (2, 'project', 'rare'),"
                  " (3, 'noun', 'run')") &&
           db_run(scope->db, error,
                  "INSERT INTO event_mentions SELECT 1, id FROM events"
                  " UNION ALL SELECT 2, id FROM events WHERE id % 1000 = 0"
                  " UNION ALL SELECT 3, id FROM events");
}

static Scene scene_with_many(int64_t count, int64_t size)
{
    Scene scene = scene_open();
    Filling filling = {count, size};

    EXPECT_OK(scope_write(&scene.scope, fill, &filling), scene.scope.error);
    return scene;
}

static EventList page_of(Scope *scope, const EventFilter *filter)
{
    EventList list;

    EXPECT_OK(event_list(scope, filter, &list), scope->error);
    return list;
}

/* How many pages have another one behind them, and how many events are on all. */
static size_t walk(Scope *scope, EventFilter filter, size_t *pages)
{
    EventList list = page_of(scope, &filter);
    size_t count = list.count;

    for (*pages = 0; list.next; ++*pages) {
        *(filter.newest_first ? &filter.before : &filter.after) = list.next;
        list = page_of(scope, &filter);
        count += list.count;
    }
    return count;
}

static void walk_all(Scope *scope, bool newest_first)
{
    const EventFilter deleted = {.action = "run.deleted", .newest_first = newest_first};
    const EventFilter one = {.by = "ada", .object = "run777", .newest_first = newest_first};
    const EventFilter rare = {.project = "rare", .by = "ada", .newest_first = newest_first};
    const EventFilter all = {.limit = 10000, .newest_first = newest_first};
    size_t pages;

    EXPECT(walk(scope, deleted, &pages) == 0 && pages == 3);
    EXPECT(walk(scope, one, &pages) == 1 && pages == 0);
    EXPECT(walk(scope, rare, &pages) == 30 && pages == 0);
    EXPECT(walk(scope, all, &pages) == 3 * EVENT_LOOKED_MAX + 5 && pages == 3);
}

static void test_a_page_ends_when_enough_events_were_looked_at(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_many(3 * EVENT_LOOKED_MAX + 5, 2);

    walk_all(&scene.scope, false);
    walk_all(&scene.scope, true);
}

static void test_a_page_ends_after_so_many_bytes(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_many(50, EVENT_PAGE_BYTES_MAX / 8);
    EventList list;
    size_t pages;

    EXPECT_OK(event_list(&scene.scope, &(EventFilter){0}, &list), scene.scope.error);
    EXPECT(list.count == 8 && list.next == 8);
    EXPECT(walk(&scene.scope, (EventFilter){0}, &pages) == 50 && pages == 6);
}

static bool jump(Scope *scope, void *context)
{
    (void)context;
    return db_run(scope->db, &scope->error,
                  "UPDATE events SET created_at = CASE id WHEN 3 THEN 90000 WHEN 8 THEN 2500"
                  " ELSE created_at END") &&
           db_run(scope->db, &scope->error,
                  "INSERT INTO event_subjects VALUES (4, 'clock', 'back')");
}

/* One clock was ahead for event 3, one behind for event 8. */
static void test_a_span_of_time_is_right_whatever_clocks_did(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_many(10, 2);

    EXPECT_OK(scope_write(&scene.scope, jump, NULL), scene.scope.error);
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 2000, .to = 5000}), "2 4 8");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 9000, .newest_first = true}),
                "10 9 3");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.to = 1001, .by = "ada"}), "1");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 90001}), "");
}

static bool append_twice(Scope *scope, void *context)
{
    (void)context;
    return event_append(scope, "run.created", "one", NULL) &&
           db_run(scope->db, &scope->error,
                  "UPDATE events SET created_at = created_at + 1000000 WHERE id = 1") &&
           event_append(scope, "run.created", "two", NULL) &&
           event_append(scope, "run.created", "three", NULL);
}

static void test_an_event_that_is_earlier_than_the_one_before_it_is_noted(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    int64_t id, count;

    EXPECT_OK(scope_write(&scene.scope, append_twice, NULL), scene.scope.error);
    EXPECT_OK(db_get_int(scene.scope.db, &scene.scope.error, &id,
                         "SELECT m.event_id FROM event_mentions m JOIN event_subjects s"
                         " ON s.id = m.subject_id WHERE s.kind = 'clock' AND s.name = 'back'"),
              scene.scope.error);
    EXPECT(id == 2);
    EXPECT_OK(db_get_int(scene.scope.db, &scene.scope.error, &count,
                         "SELECT count(*) FROM event_subjects WHERE kind = 'clock'"),
              scene.scope.error);
    EXPECT(count == 1);
}

static void test_a_span_of_time_is_found_from_both_ends(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_many(10, 2);

    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 2000, .to = 5000}), "2 3 4");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 8500}), "9 10");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.to = 2001, .newest_first = true}), "2 1");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 5000, .after = 6, .to = 9000}), "7 8");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 10001}), "");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.to = 1000}), "");
    EXPECT_TEXT(numbers(&scene.scope, &(EventFilter){.from = 4100, .to = 4900}), "");
}

static void check_plan(Scope *scope, const char *sql)
{
    DbValue values[13] = {0};
    int walks = 0;
    size_t count = strstr(sql, "$12") ? 12 : 4;
    CLEANUP(query_finalize)
    Query query = db_query_values(
        scope->db, arena_format(scope->arena, "EXPLAIN QUERY PLAN %s", sql), values, count + 1);

    while (query_next(&query)) {
        const char *step = query_text(&query, 3, scope->arena);

        if (strstr(step, "SCAN") || strstr(step, "TEMP B-TREE")) {
            fprintf(stderr, "%s\n%s\n", step, sql);
            walks++;
        }
    }
    EXPECT(walks == 0);
    EXPECT_OK(query_end(&query, &scope->error), scope->error);
}

static void test_no_page_walks_the_whole_trail(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_many(10, 2);
    const char *sql;

    for (size_t i = 0; (sql = event_list_statement(i)); i++)
        check_plan(&scene.scope, sql);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_events_are_found_by_what_they_are_about),
        TEST(test_a_page_that_is_full_says_where_to_go_on),
        TEST(test_what_makes_no_sense_is_refused),
        TEST(test_a_page_ends_when_enough_events_were_looked_at),
        TEST(test_a_page_ends_after_so_many_bytes),
        TEST(test_a_span_of_time_is_right_whatever_clocks_did),
        TEST(test_an_event_that_is_earlier_than_the_one_before_it_is_noted),
        TEST(test_a_span_of_time_is_found_from_both_ends),
        TEST(test_no_page_walks_the_whole_trail),
        {0},
    };
    return test_main(tests, count, names);
}

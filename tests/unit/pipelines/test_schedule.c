/* Schedules of pipelines against a clock that the test moves: a whole year with both changes of the
 * clocks, times that were missed, and clocks that jump; and what becomes of runs that overlap. */
#include "pipelines/schedule.h"

#include "base/digest_set.h"
#include "base/time.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/pipeline_source.h"
#include "pipelines/purge_internal.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static int64_t moment(const char *text)
{
    int64_t time_ms;

    EXPECT(time_parse(text, &time_ms));
    return time_ms;
}

static PipelineOrder order_of(Fixture *fixture, const char *yaml)
{
    PipelineOrder order = {.project = "spam"};
    TreeEntry entry = {.path = "slipway.yaml"};
    Artifact artifact;

    EXPECT_OK(artifact_add_bytes(fixture->platform->artifacts, yaml, strlen(yaml), &artifact,
                                 &fixture->scope.error),
              fixture->scope.error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(fixture->arena, &order.files) = entry;
    return order;
}

static PipelineSource put(Fixture *fixture, const char *parts)
{
    const char *yaml = arena_format(
        fixture->arena, "project: spam\nstages: {a: {cmd: x}, b: {cmd: y, needs: a}}\n%s", parts);
    PipelineOrder order = order_of(fixture, yaml);
    PipelineSource source;

    EXPECT_OK(pipeline_source_put(&fixture->scope, &order, &source), fixture->scope.error);
    return source;
}

typedef struct Move {
    int64_t seen_at;
} Move;

static bool write_move(Scope *scope, void *context)
{
    const Move *move = context;

    return db_run(scope->db, &scope->error, "UPDATE schedules SET seen_at = $1, next_at = $1",
                  db_int(move->seen_at));
}

/* As if the schedules had been put, and seen to, at that moment. */
static void move_to(Fixture *fixture, const char *time)
{
    Move move = {moment(time)};
    size_t started;

    EXPECT_OK(scope_write(&fixture->scope, write_move, &move), fixture->scope.error);
    EXPECT_OK(schedule_turn(&fixture->scope, move.seen_at, &started), fixture->scope.error);
    EXPECT(started == 0);
}

static size_t turn(Fixture *fixture, int64_t now)
{
    size_t started;

    EXPECT_OK(schedule_turn(&fixture->scope, now, &started), fixture->scope.error);
    return started;
}

static PipelineRunList runs_of(Fixture *fixture)
{
    PipelineRunList list = {0};

    EXPECT_OK(pipeline_run_list(&fixture->scope, "spam", &(Page){.limit = -1}, &list),
              fixture->scope.error);
    return list;
}

static size_t count_keys(Fixture *fixture, const char *prefix, const char *part)
{
    PipelineRunList list = runs_of(fixture);
    size_t count = 0;

    for (size_t i = 0; i < list.count; i++)
        count += text_has_prefix(list.items[i].trigger_key, prefix) &&
                 strstr(list.items[i].trigger_key, part);
    return count;
}

/* 2026: clocks are put forward on 29 March, and back on 25 October. */
static void test_a_year_of_a_weekly_and_a_daily_schedule(void)
{
    Fixture fixture = fixture_open();
    size_t started = 0;

    put(&fixture, "on: {schedule: [{cron: 0 3 * * 1, timezone: Europe/Amsterdam},"
                  " {cron: 30 2 * * *, timezone: Europe/Amsterdam}]}\n");
    move_to(&fixture, "2025-12-31T23:00:00Z");
    for (int64_t now = moment("2025-12-31T23:00:00Z"); now < moment("2026-12-31T23:00:00Z");
         now += 30 * MINUTE_MS)
        started += turn(&fixture, now);
    EXPECT(started == 52 + 365);
    EXPECT(count_keys(&fixture, "schedule:0 3 * * 1:", "T02:00") == 52 - 30);
    EXPECT(count_keys(&fixture, "schedule:0 3 * * 1:", "T01:00") == 30);
    EXPECT(count_keys(&fixture, "schedule:30 2 * * *:2026-03-29", "T01:00") == 1);
    EXPECT(count_keys(&fixture, "schedule:30 2 * * *:2026-10-25", "T00:30") == 1);
    EXPECT(count_keys(&fixture, "schedule:30 2 * * *:2026-10-25", "") == 1);
    fixture_close(&fixture);
}

static const struct {
    const char *missed;
    int away_hours, away_minutes;
    size_t started;
} absences[] = {
    {"latest", 0, 30, 0}, {"latest", 1, 0, 1},
    {"latest", 5, 30, 1}, {"latest", 500, 0, 1},
    {"skip", 1, 0, 1},    {"skip", 5, 0, 1},
    {"skip", 5, 2, 0},    {"all", 1, 0, 1},
    {"all", 5, 30, 5},    {"all", 500, 0, SCHEDULE_MISSED_MAX},
};

static void test_times_that_were_missed_are_made_up_for_by_rule(void)
{
    for (size_t i = 0; i < COUNT(absences); i++) {
        Fixture fixture = fixture_open();
        int64_t begin = moment("2026-05-01T00:00:00Z"), away;

        put(&fixture, arena_format(fixture.arena, "on: {schedule: {cron: 0 * * * *, missed: %s}}\n",
                                   absences[i].missed));
        move_to(&fixture, "2026-05-01T00:00:00Z");
        away = absences[i].away_hours * (int64_t)HOUR_MS +
               absences[i].away_minutes * (int64_t)MINUTE_MS;
        EXPECT(turn(&fixture, begin + away) == absences[i].started);
        EXPECT(turn(&fixture, begin + away) == 0);
        fixture_close(&fixture);
    }
}

static void test_a_clock_that_jumps_starts_nothing_twice(void)
{
    Fixture fixture = fixture_open();
    int64_t begin = moment("2026-05-01T00:00:00Z");

    put(&fixture, "on: {schedule: {cron: 0 * * * *, missed: all}}\n");
    move_to(&fixture, "2026-05-01T00:00:00Z");
    EXPECT(turn(&fixture, begin + 3 * (int64_t)HOUR_MS) == 3);
    EXPECT(turn(&fixture, begin + HOUR_MS / 2) == 0); /* back */
    EXPECT(turn(&fixture, begin + 2 * (int64_t)HOUR_MS) == 0);
    EXPECT(turn(&fixture, begin + 4 * (int64_t)HOUR_MS) == 1);
    EXPECT(turn(&fixture, begin + 40 * (int64_t)HOUR_MS) == 36); /* forward */
    EXPECT(turn(&fixture, begin + 5 * (int64_t)HOUR_MS) == 0);   /* and back again */
    EXPECT(turn(&fixture, begin + 41 * (int64_t)HOUR_MS) == 1);
    EXPECT(runs_of(&fixture).count == 41);
    fixture_close(&fixture);
}

static void test_what_cannot_start_says_why_and_holds_up_nothing(void)
{
    Fixture fixture = fixture_open();
    ScheduleList list = {0};

    put(&fixture, "params: {date: {type: date}}\non: {schedule: {cron: 0 * * * *}}\n");
    move_to(&fixture, "2026-05-01T00:00:00Z");
    EXPECT(turn(&fixture, moment("2026-05-01T01:00:00Z")) == 0);
    EXPECT_OK(schedule_list(&fixture.scope, "spam", &list), fixture.scope.error);
    EXPECT_TEXT(list.items[0].reason,
                "slipway.yaml: param \"date\" has no default: give it a value");
    EXPECT(list.items[0].next_at == moment("2026-05-01T02:00:00Z"));
    fixture_close(&fixture);
}

static void test_a_schedule_that_is_put_again_goes_on(void)
{
    Fixture fixture = fixture_open();
    ScheduleList list = {0};

    put(&fixture, "on: {schedule: {cron: 0 * * * *}}\n");
    move_to(&fixture, "2026-05-01T00:00:00Z");
    put(&fixture, "on: {schedule: [{cron: 0 * * * *}, {cron: 5 5 * * *}]}\nconcurrency: skip\n");
    EXPECT(turn(&fixture, moment("2026-05-01T01:00:00Z")) == 1);
    put(&fixture, "concurrency: skip\n");
    EXPECT_OK(schedule_list(&fixture.scope, NULL, &list), fixture.scope.error);
    EXPECT(list.count == 0);
    fixture_close(&fixture);
}

/* ---- overlap ---- */

/* s: start, e: the oldest open run's steps end, c: the newest open run is cancelled. Then, the
 * oldest first: the steps of each run that are ready, or "-" for a run that has ended. */
static const struct {
    const char *rule, *acts, *ready;
} overlaps_of_rules[] = {
    {"queue", "s", "1"},     {"queue", "ss", "10"},     {"queue", "sse", "-1"},
    {"queue", "sss", "100"}, {"queue", "ssse", "-10"},  {"queue", "sssee", "--1"},
    {"queue", "ssc", "1-"},  {"queue", "sscs", "1-0"},  {"queue", "sscse", "--1"},
    {"queue", "ssec", "--"}, {"skip", "ss", "1"},       {"skip", "sses", "-1"},
    {"replace", "ss", "-1"}, {"replace", "sss", "--1"}, {"queue", "sees", "-1"},
};

static bool end_steps(Scope *scope, void *context)
{
    const PipelineRun *run = context;
    const char *status = run->cancelled_at ? "cancelled" : "succeeded";

    for (int64_t i = 0; i < 2; i++)
        if (!step_end(scope, run->id, i, status, NULL))
            return false;
    return true;
}

static bool cancel(Scope *scope, void *context)
{
    PipelineRun *run = context;

    return pipeline_run_cancel(scope, run->id, run);
}

static PipelineRun *find_open(PipelineRunList *list, bool is_newest)
{
    PipelineRun *found = NULL;

    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].ended_at && !(found && is_newest))
            found = &list->items[i];
    return found;
}

/* What the scheduler does with runs that are to end. */
static void end_cancelled_runs(Fixture *fixture)
{
    PipelineRunList list = runs_of(fixture);

    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].cancelled_at && !list.items[i].ended_at)
            EXPECT_OK(scope_write(&fixture->scope, end_steps, &list.items[i]),
                      fixture->scope.error);
}

static void act(Fixture *fixture, char what)
{
    PipelineOrder order = {.project = "spam", .trigger = "api"};
    PipelineRunList list = runs_of(fixture);
    PipelineRun run, *open = find_open(&list, what == 'c');
    bool is_new;

    if (what == 's')
        EXPECT_OK(pipeline_source_start(&fixture->scope, &order, &run, &is_new),
                  fixture->scope.error);
    if (what == 'e' && open)
        EXPECT_OK(scope_write(&fixture->scope, end_steps, open), fixture->scope.error);
    if (what == 'c' && open)
        EXPECT_OK(scope_write(&fixture->scope, cancel, open), fixture->scope.error);
    end_cancelled_runs(fixture);
}

static const char *ready_steps(Fixture *fixture)
{
    PipelineRunList list = runs_of(fixture);
    TextBuilder text = {.arena = fixture->arena};

    for (size_t i = list.count; i-- > 0;) {
        PipelineStepList steps = {0};
        int64_t ready = 0;

        EXPECT_OK(pipeline_step_list(&fixture->scope, list.items[i].id, -1, 10, &steps),
                  fixture->scope.error);
        for (size_t j = 0; j < steps.count; j++)
            ready += strcmp(steps.items[j].status, "ready") == 0;
        if (list.items[i].ended_at)
            text_append(&text, "-");
        else
            text_append_int(&text, ready);
    }
    return text_built(&text);
}

static void test_runs_that_overlap_do_so_by_rule(void)
{
    for (size_t i = 0; i < COUNT(overlaps_of_rules); i++) {
        Fixture fixture = fixture_open();

        put(&fixture, arena_format(fixture.arena, "concurrency: %s\n", overlaps_of_rules[i].rule));
        for (const char *at = overlaps_of_rules[i].acts; *at; at++)
            act(&fixture, *at);
        EXPECT_TEXT(ready_steps(&fixture), overlaps_of_rules[i].ready);
        fixture_close(&fixture);
    }
}

/* ---- names, and the purge ---- */

static const struct {
    const char *pattern, *name;
    bool fits;
} names[] = {
    {"main", "main", true},
    {"main", "main2", false},
    {"main", "mai", false},
    {"*", "", true},
    {"*", "a/b", true},
    {"release/*", "release/1", true},
    {"release/*", "release", false},
    {"*-fix", "a-fix-fix", true},
    {"*-fix", "a-fix-", false},
    {"a*b*c", "a1b2b3c", true},
    {"a*b*c", "a1c", false},
    {"", "", true},
};

static void test_a_star_stands_for_any_text(void)
{
    for (size_t i = 0; i < COUNT(names); i++)
        EXPECT(trigger_name_fits(names[i].pattern, names[i].name) == names[i].fits);
}

static void test_the_purge_keeps_the_files_of_a_pipeline(void)
{
    Fixture fixture = fixture_open();
    PipelineSource source = put(&fixture, "");
    PurgePlan plan = {0};
    DigestSet kept = {0};
    Tree tree = {0};

    EXPECT_OK(purge_gather(&fixture.scope, &plan, NULL, &kept), fixture.scope.error);
    EXPECT_OK(tree_read(fixture.platform->artifacts, source.tree, fixture.arena, &tree,
                        &fixture.scope.error),
              fixture.scope.error);
    EXPECT(digest_set_has(&kept, source.tree));
    EXPECT(digest_set_has(&kept, tree.items[0].digest));
    digest_set_clear(&kept);
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_year_of_a_weekly_and_a_daily_schedule),
        TEST(test_times_that_were_missed_are_made_up_for_by_rule),
        TEST(test_a_clock_that_jumps_starts_nothing_twice),
        TEST(test_what_cannot_start_says_why_and_holds_up_nothing),
        TEST(test_a_schedule_that_is_put_again_goes_on),
        TEST(test_runs_that_overlap_do_so_by_rule),
        TEST(test_a_star_stands_for_any_text),
        TEST(test_the_purge_keeps_the_files_of_a_pipeline),
        {0},
    };

    return fixture_main(tests, count, arguments);
}

/* Releases: what a file says of them, the steps that come of it, and what a look at a canary leads
 * to. */
#include "pipelines/builtin.h"
#include "pipelines/release.h"
#include "pipelines/release_canary.h"
#include "tests/test.h"
#include "tests/unit/plan/plan_scene.h"

#define RELEASE "release:\n  endpoint: spam\n  production: "

static bool read_file(const char *yaml, Arena *arena, ReleaseFile *file, Error *error)
{
    const YamlNode *root;

    EXPECT_OK(yaml_parse(yaml, strlen(yaml), arena, &root, error), *error);
    return release_file_read(root, arena, file, error);
}

/* Of each share: thousandths, seconds of hold, seconds of waiting. */
static const char *shares_text(const ReleaseFile *file, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < file->shares.count; i++)
        text_append_format(&text, "%s%d:%d:%d", i ? " " : "", (int)file->shares.items[i].share,
                           (int)(file->shares.items[i].hold_ms / 1000),
                           (int)(file->shares.items[i].wait_ms / 1000));
    return text_built(&text);
}

static void test_traffic_is_read_as_shares_with_their_holds(void)
{
    static const struct {
        const char *yaml, *shares;
    } rows[] = {
        {RELEASE "{}\n", ""},
        {RELEASE "{traffic: []}\n", ""},
        {RELEASE "{traffic: }\n", ""},
        {RELEASE "{traffic: [100]}\n", ""},
        {RELEASE "{traffic: 10}\n", "100:600:6000"},
        {RELEASE "{traffic: [10, 50]}\n", "100:600:6000 500:600:6000"},
        {RELEASE "{traffic: [0.1, 99.9, 100.0]}\n", "1:600:6000 999:600:6000"},
        {RELEASE "{traffic: [10, 50, 100], hold: 90s}\n", "100:90:3600 500:90:3600"},
        {RELEASE "{traffic: [10, 50], hold: [1h, 1d]}\n", "100:3600:36000 500:86400:864000"},
        {RELEASE "{traffic: [10], hold: [1s], wait: 2m}\n", "100:1:120"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Error error = {0};
        ReleaseFile file;

        EXPECT_OK(read_file(rows[i].yaml, arena, &file, &error), error);
        EXPECT_TEXT(shares_text(&file, arena), rows[i].shares);
        EXPECT(file.rule.errors_max > 0.009 && file.rule.requests_min == 100);
        EXPECT(isnan(file.rule.p99_ms_max));
    }
}

static void test_a_mistake_in_production_is_refused_with_its_place(void)
{
#define SHARE(text)                                                                                \
    "\"release.production.traffic\" is percent, 0.1 to 100 in steps of 0.1, not \"" text "\""
#define DURATION(name, text)                                                                       \
    "\"release.production." name                                                                   \
    "\" is a duration of 1s to 30d, such as 90s, 10m or 2h, not \"" text "\""
    static const struct {
        const char *yaml, *message;
    } rows[] = {
        {"{traffic: [0]}", "line 3, column 26: " SHARE("0")},
        {"{traffic: [10, 0.05]}", "line 3, column 30: " SHARE("0.05")},
        {"{traffic: [100.1]}", "line 3, column 26: " SHARE("100.1")},
        {"{traffic: [10%]}", "line 3, column 26: " SHARE("10%")},
        {"{traffic: [.nan]}", "line 3, column 26: " SHARE(".nan")},
        {"{traffic: [100, 200]}", "line 3, column 31: " SHARE("200")},
        {"{traffic: [50, 10]}",
         "line 3, column 30: \"release.production.traffic\" rises: 10 comes after 50"},
        {"{traffic: [10, 10]}",
         "line 3, column 30: \"release.production.traffic\" rises: 10 comes after 10"},
        {"{traffic: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}",
         "line 3, column 57: \"release.production.traffic\" has at most 10 steps before 100"},
        {"{traffic: [[10]]}",
         "line 3, column 25: \"release.production.traffic\" is a text or a list of texts"},
        {"{traffic: 10, hold: 0s}", "line 3, column 35: " DURATION("hold", "0s")},
        {"{traffic: 10, hold: ten}", "line 3, column 35: " DURATION("hold", "ten")},
        {"{traffic: 10, hold: 31d}", "line 3, column 35: " DURATION("hold", "31d")},
        {"{traffic: 10, wait: 1}", "line 3, column 35: " DURATION("wait", "1")},
        {"{traffic: [1, 2, 3], hold: [1s, 2s]}",
         "line 3, column 42: \"release.production.hold\" is one duration, or one for each of the 3 "
         "steps of traffic before 100"},
        {"{hold: 10m}", "line 3, column 22: \"release.production.hold\" is about steps of traffic, "
                        "and there are none: traffic: [10, 50]"},
        {"{traffic: 100, abort: {}}",
         "line 3, column 37: \"release.production.abort\" is about steps of traffic, and there are "
         "none: traffic: [10, 50]"},
        {"{traffic: 10, abort: {errors_max: 5}}",
         "line 3, column 49: a share of errors is at least 0 and at most 1: 0.01 is 1 %"},
        {"{traffic: 10, abort: {p99_ms_max: 0}}",
         "line 3, column 49: a limit of time is above 0 milliseconds"},
        {"{traffic: 10, abort: {requests_min: -1}}",
         "line 3, column 51: a candidate is judged by 0 requests or more"},
        {"{traffic: 10, abort: {errors: 1}}", "line 3, column 37: \"errors\" is not a setting of "
                                              "\"release.production.abort\", which has "
                                              "errors_max, p99_ms_max, requests_min"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Error error = {0};
        ReleaseFile file;

        EXPECT(!read_file(arena_format(arena, RELEASE "%s\n", rows[i].yaml), arena, &file, &error));
        EXPECT_TEXT(error.message, rows[i].message);
        EXPECT(!file.endpoint);
    }
}

/* Each step's name, what it waits for, and its condition. */
static const char *steps_text(const Plan *plan, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 1; i < plan->count; i++)
        text_append_format(&text, "%s < %s: %s\n", plan->items[i].name,
                           plan->items[plan->items[i].needs.items[0]].name, plan->items[i].when);
    return text_built(&text);
}

static Plan plan_of(const char *yaml, Arena *arena)
{
    Plan plan = {0};
    Error error = {0};
    ReleaseFile file;

    *arena_push(arena, &plan) = (PlanStep){.name = "train", .uses = "train"};
    EXPECT_OK(read_file(yaml, arena, &file, &error), error);
    release_add_steps(&file, arena, &plan);
    return plan;
}

/* As a plan is made, so that the release's steps grow what was made there. */
static Plan plan_with_commands(size_t commands, Arena *arena)
{
    const SceneFile files[] = {{"slipway.yaml", NULL}, {0}};
    TextBuilder yaml = {.arena = arena};
    Error error = {0};
    ReleaseFile file;
    Plan plan;

    text_append(&yaml, "project: spam\ndata: {spam: {source: spam.csv}}\n"
                       "stages:\n  train: {uses: train, with: {data: spam}}\n");
    for (size_t i = 0; i < commands; i++)
        text_append_format(&yaml, "  command_%zu: {cmd: make}\n", i);
    EXPECT_OK(read_file(RELEASE "{}\n", arena, &file, &error), error);
    plan = scene_planned(text_built(&yaml), &(Scene){.files = files}, arena);
    release_add_steps(&file, arena, &plan);
    return plan;
}

static void test_a_release_behind_any_number_of_stages_keeps_what_its_steps_are_given(void)
{
    for (size_t commands = 0; commands < 40; commands++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Plan plan = plan_with_commands(commands, arena);

        EXPECT(plan.count == commands + 4);
        for (size_t i = plan.count - 3; i < plan.count; i++)
            EXPECT_TEXT(plan_step_with(&plan.items[i], "endpoint"), "spam");
    }
}

static void test_each_share_is_a_step_on_the_way_to_production(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan = plan_of(RELEASE "{traffic: [0.5, 50], hold: 90s, approvals: 2}\n", arena);

    EXPECT_TEXT(
        steps_text(&plan, arena),
        "release.gate < train: (null)\n"
        "release.staging < release.gate: success() && steps['release.gate'].outputs.outcome == "
        "'accepted'\n"
        "release.canary@0.5 < release.staging: steps['release.staging'].outcome == 'succeeded' && "
        "success()\n"
        "release.canary@50 < release.canary@0.5: steps['release.staging'].outcome == 'succeeded' "
        "&& steps['release.canary@0.5'].outcome != 'failed'\n"
        "release.production < release.canary@50: steps['release.staging'].outcome == 'succeeded' "
        "&& steps['release.canary@0.5'].outcome != 'failed' && "
        "steps['release.canary@50'].outcome != 'failed'\n");
    EXPECT_TEXT(plan.items[3].summary, "0.5 % of the requests for 90s");
    for (size_t i = 3; i < plan.count; i++)
        EXPECT_TEXT(plan.items[i].place, "production");
    EXPECT(builtin_of(&plan.items[3]) == &builtin_release_canary);
    EXPECT_TEXT(builtin_of(&plan.items[3])->approved_as, plan.items[5].name);
}

/* What is approved is what production depends on: other shares are another digest. */
static void test_the_shares_and_the_rule_are_in_what_is_approved(void)
{
    static const char *const files[] = {
        RELEASE "{}\n",
        RELEASE "{traffic: [10]}\n",
        RELEASE "{traffic: [20]}\n",
        RELEASE "{traffic: [10], hold: 1h}\n",
        RELEASE "{traffic: [10], wait: 1d}\n",
        RELEASE "{traffic: [10], abort: {errors_max: 0.5}}\n",
        RELEASE "{traffic: [10], abort: {p99_ms_max: 5}}\n",
        RELEASE "{traffic: [10], abort: {requests_min: 5}}\n",
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList seen = {0};

    for (size_t i = 0; i < COUNT(files); i++) {
        Plan plan = plan_of(files[i], arena);
        const PlanStep *last = &plan.items[plan.count - 1];
        TextBuilder text = {.arena = arena};

        EXPECT_TEXT(last->name, "release.production");
        for (size_t k = 0; k < last->with.count; k++)
            text_append_format(&text, "%s=%s;", last->with.items[k].name, last->with.items[k].text);
        EXPECT(!text_list_has(&seen, text_built(&text)));
        text_list_add(&seen, arena, text_built(&text));
    }
    EXPECT_TEXT(seen.items[0], "endpoint=spam;");
    EXPECT_TEXT(seen.items[6], "endpoint=spam;traffic=10 % for 600000 ms, at most 6000000 ms more;"
                               "errors_max=0.01;p99_ms_max=5;requests_min=100;");
}

/* ---- looks ---- */

enum { BEGAN = 1000000, HOLD = 60000, LIMIT = 600000 };

typedef struct Seen {
    CanaryVerdict verdict;
    int64_t looked_at, now; /* after it began */
    uint64_t errors, before;
    bool is_between;
    CanaryStep step;
    int64_t moved; /* its times, by so much */
} Seen;

static const Seen looks[] = {
    /* while it holds */
    {CANARY_WAIT, 0, 1000, 0, 0, false, CANARY_GOES_ON},
    {CANARY_CONTINUE, 0, 1000, 0, 0, false, CANARY_GOES_ON},
    {CANARY_CONTINUE, 0, 1000, 1, 1, false, CANARY_GOES_ON},
    {CANARY_CONTINUE, 0, 1000, 2, 1, false, CANARY_NOTED},
    {CANARY_CONTINUE, 1000, 6000, 0, 0, false, CANARY_NOTED},
    {CANARY_ABORT, 0, 1000, 3, 0, false, CANARY_ABORTED},
    /* at its end */
    {CANARY_CONTINUE, 58000, HOLD - 1, 0, 0, false, CANARY_GOES_ON},
    {CANARY_CONTINUE, 58000, HOLD, 0, 0, false, CANARY_PASSED},
    {CANARY_ABORT, 58000, HOLD, 0, 0, false, CANARY_ABORTED},
    {CANARY_WAIT, 58000, HOLD, 0, 0, false, CANARY_NOTED},
    /* while it waits for requests */
    {CANARY_WAIT, HOLD, HOLD + 1000, 0, 0, false, CANARY_GOES_ON},
    {CANARY_CONTINUE, HOLD, HOLD + 1000, 0, 0, false, CANARY_PASSED},
    {CANARY_WAIT, LIMIT - 1000, LIMIT - 1, 0, 0, false, CANARY_GOES_ON},
    {CANARY_WAIT, LIMIT - 1000, LIMIT, 0, 0, false, CANARY_ABORTED},
    {CANARY_CONTINUE, LIMIT - 1000, LIMIT, 0, 0, false, CANARY_PASSED},
    /* between two shares only errors count */
    {CANARY_CONTINUE, LIMIT, LIMIT + 1000, 0, 0, true, CANARY_GOES_ON},
    {CANARY_WAIT, LIMIT, LIMIT + 1000, 0, 0, true, CANARY_GOES_ON},
    {CANARY_ABORT, LIMIT, LIMIT + 1000, 0, 0, true, CANARY_ABORTED},
    /* time in which nobody looked, and a clock that was put back */
    {CANARY_CONTINUE, 30000, 45000, 0, 0, false, CANARY_NOTED},
    {CANARY_CONTINUE, 30000, 45001, 0, 0, false, CANARY_NOTED, 15001},
    {CANARY_CONTINUE, 30000, HOLD + 1000, 0, 0, false, CANARY_NOTED, 31000},
    {CANARY_WAIT, 30000, LIMIT + 1000, 0, 0, false, CANARY_NOTED, 571000},
    {CANARY_ABORT, 30000, LIMIT + 1000, 0, 0, false, CANARY_ABORTED, 571000},
    {CANARY_CONTINUE, 30000, 20000, 0, 0, false, CANARY_NOTED, -10000},
};

static void test_a_look_leads_to_one_thing(void)
{
    for (size_t i = 0; i < COUNT(looks); i++) {
        ReleaseCanary canary = {
            .holds = !looks[i].is_between,
            .until_at = BEGAN + HOLD,
            .limit_at = BEGAN + LIMIT,
            .looked_at = BEGAN + looks[i].looked_at,
        };
        CanaryRecord written = {.now = {.errors = looks[i].before, .requests = looks[i].before}};
        CanaryJudgement judgement = {
            .verdict = looks[i].verdict,
            .window = {.errors = looks[i].errors, .requests = looks[i].errors},
        };

        EXPECT(release_canary_decide(&canary, &written, &judgement, BEGAN + looks[i].now) ==
               looks[i].step);
        EXPECT(canary.until_at == BEGAN + HOLD + looks[i].moved);
        EXPECT(canary.limit_at == BEGAN + LIMIT + looks[i].moved);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_traffic_is_read_as_shares_with_their_holds),
        TEST(test_a_mistake_in_production_is_refused_with_its_place),
        TEST(test_a_release_behind_any_number_of_stages_keeps_what_its_steps_are_given),
        TEST(test_each_share_is_a_step_on_the_way_to_production),
        TEST(test_the_shares_and_the_rule_are_in_what_is_approved),
        TEST(test_a_look_leads_to_one_thing),
        {0},
    };

    return test_main(tests, count, names);
}

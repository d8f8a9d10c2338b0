/* The values of a run, and where they go: params held to their declarations, environments, "with",
 * conditions, and what waits for a start. */
#include "plan/plan.h"
#include "tests/unit/plan/plan_scene.h"

#define PARAMS                                                                                     \
    "project: p\n"                                                                                 \
    "params:\n"                                                                                    \
    "  t: text\n"                                                                                  \
    "  i: {type: integer, default: 3, minimum: 1, maximum: 10}\n"                                  \
    "  n: 0.5\n"                                                                                   \
    "  b: true\n"                                                                                  \
    "  d: {type: date, default: 2026-03-29}\n"                                                     \
    "  c: {choices: [a, 2], default: a}\n"                                                         \
    "  must: {type: integer, default: 0}\n"                                                        \
    "stages:\n"                                                                                    \
    "  s: {argv: ['${{ params.t }}', '${{ params.i }}', '${{ params.n }}', '${{ params.b }}', "    \
    "'${{ params.d }}', '${{ params.c }}']}\n"

static const struct {
    const char *values, *arguments; /* "text 3 0.5 true 2026-03-29 a" */
} accepted[] = {
    {"{}", "text 3 0.5 true 2026-03-29 a"},
    {NULL, "text 3 0.5 true 2026-03-29 a"},
    {"{\"t\":\"\",\"i\":10,\"n\":2,\"b\":false,\"d\":\"2024-02-29\",\"c\":\"2\"}",
     " 10 2 false 2024-02-29 2"},
    {"{\"i\":\"7\",\"n\":\"1e-3\",\"b\":\"false\",\"c\":2}", "text 7 0.001 false 2026-03-29 2"},
    {"{\"n\":1.0,\"t\":\"7\"}", "7 3 1.0 true 2026-03-29 a"},
    {"{\"t\":\"${{ params.i }}\"}", "${{ '${{' }} params.i }} 3 0.5 true 2026-03-29 a"},
};

static void test_values_that_fit_are_taken(void)
{
    for (size_t i = 0; i < COUNT(accepted); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Scene scene = {.values = accepted[i].values};
        Plan plan = scene_planned(PARAMS, &scene, arena);
        TextBuilder text = {.arena = arena};

        for (size_t j = 0; j < plan.items[0].arguments.count; j++)
            text_append_format(&text, "%s%s", j ? " " : "", plan.items[0].arguments.items[j]);
        EXPECT_TEXT(text_built(&text), accepted[i].arguments);
    }
}

static const struct {
    const char *values, *field, *message;
} refused[] = {
    {"{\"x\":1}", "x", "there is no param \"x\"; there are: t, i, n, b, d, c, must"},
    {"{\"T\":\"a\"}", "T", "there is no param \"T\"; there are: t, i, n, b, d, c, must"},
    {"{\"t\":1}", "t", "\"t\" is a text, not 1"},
    {"{\"t\":null}", "t", "\"t\" is a text, not null"},
    {"{\"t\":[\"a\"]}", "t", "\"t\" is a text, not [\"a\"]"},
    {"{\"i\":1.5}", "i", "\"i\" is an integer, not 1.5"},
    {"{\"i\":1.0}", "i", "\"i\" is an integer, not 1.0"},
    {"{\"i\":\"few\"}", "i", "\"i\" is an integer, not \"few\""},
    {"{\"i\":\"\"}", "i", "\"i\" is an integer, not \"\""},
    {"{\"i\":true}", "i", "\"i\" is an integer, not true"},
    {"{\"i\":0}", "i", "\"i\" is 1 or more, not 0"},
    {"{\"i\":\"11\"}", "i", "\"i\" is 10 or less, not 11"},
    {"{\"n\":\"1e999\"}", "n", "\"n\" is a number, not \"1e999\""},
    {"{\"n\":\"nan\"}", "n", "\"n\" is a number, not \"nan\""},
    {"{\"b\":1}", "b", "\"b\" is true or false, not 1"},
    {"{\"b\":\"yes\"}", "b", "\"b\" is true or false, not \"yes\""},
    {"{\"d\":\"29.3.2026\"}", "d", "\"d\" is a date such as 2026-03-29, not \"29.3.2026\""},
    {"{\"d\":\"2025-02-29\"}", "d", "\"d\" is a date such as 2026-03-29, not \"2025-02-29\""},
    {"{\"d\":\"2026-03-29T00:00\"}", "d",
     "\"d\" is a date such as 2026-03-29, not \"2026-03-29T00:00\""},
    {"{\"d\":20260329}", "d", "\"d\" is a date such as 2026-03-29, not 20260329"},
    {"{\"c\":\"b\"}", "c", "\"c\" is one of a, 2, not \"b\""},
    {"[1]", "params", "the values of params are an object of names"},
};

static void test_a_value_that_does_not_fit_is_a_mistake_in_its_param(void)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Scene scene = {.values = refused[i].values};
        Error error = {0};
        Plan plan = {0};

        EXPECT(!scene_plan(PARAMS, &scene, arena, &plan, &error));
        EXPECT_TEXT(error.message, refused[i].message);
        EXPECT_TEXT(error.field, refused[i].field);
        EXPECT(error.kind == ERROR_FIELD && !plan.items);
    }
}

static void test_a_param_without_a_default_must_be_given(void)
{
    static const char yaml[] = "project: p\nparams: {day: {type: date}}\nstages: {s: {cmd: x}}\n";
    static const Scene without = {0}, with = {.values = "{\"day\":\"2026-01-01\"}"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};
    Plan plan = {0};

    EXPECT(!scene_plan(yaml, &without, arena, &plan, &error));
    EXPECT_TEXT(error.message, "param \"day\" has no default: give it a value");
    EXPECT_TEXT(error.field, "day");
    EXPECT(scene_planned(yaml, &with, arena).count == 1);
}

static const char *environment(const PlanStep *step, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < step->environment.count; i++)
        text_append_format(&text, "%s%s=%s", i ? " " : "", step->environment.items[i].name,
                           step->environment.items[i].text);
    return text_built(&text);
}

static void test_a_stages_variables_come_before_those_of_all(void)
{
    static const Scene scene = {0};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan =
        scene_planned("project: p\nparams: {v: 1}\nenv: {A: all, B: '${{ params.v }}'}\n"
                      "stages:\n"
                      "  one: {cmd: 'x ${{ params.v }}', env: {A: own, C: '-${{ run.id }}'}}\n"
                      "  two: {uses: check-data, with: {data: d}}\n",
                      &scene, arena);

    EXPECT_TEXT(environment(&plan.items[0], arena),
                "B=1 A=own C=-${{ run['id'] }} SLIPWAY_VALUE_1=1");
    EXPECT_TEXT(environment(&plan.items[1], arena), "");
}

static void test_what_a_built_in_step_takes_is_text_or_json(void)
{
    static const Scene scene = {0};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan = scene_planned("project: p\nvars: {m: [svm, {c: 1.0}], none: null}\nstages:\n"
                              "  before: {cmd: x, metrics: [m.json]}\n"
                              "  t: {uses: train, with: {data: '${{ run.id }}', folds: 3, models: "
                              "'${{ vars.m }}', metric: '${{ vars.none }}'}}\n",
                              &scene, arena);
    const PlanValueList *with = &scene_step(&plan, "t")->with;

    EXPECT(with->count == 3);
    EXPECT_TEXT(with->items[0].text, "${{ run['id'] }}");
    EXPECT_TEXT(with->items[1].text, "3");
    EXPECT_TEXT(with->items[2].text, "[\"svm\",{\"c\":1.0}]");
}

static void test_a_built_in_steps_value_is_checked_when_it_is_known(void)
{
    static const Scene scene = {0};
    static const struct {
        const char *with, *message;
    } rows[] = {
        {"{data: d, folds: '${{ vars.t }}'}",
         "line 3, column 50: \"stages.t.with.folds\" is an integer"},
        {"{data: '${{ vars.l }}'}", "line 3, column 40: \"stages.t.with.data\" is a text"},
        {"{data: '${{ vars.none }}'}", "line 3, column 40: \"data\" has no value"},
        {"{data: d, models: ['${{ run.id }}']}",
         "line 3, column 52: \"${{ run.id }}\" is only known when the step starts: it can stand in "
         "cmd, argv, env, with and when"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Error error = {0};
        Plan plan = {0};

        EXPECT(!scene_plan(arena_format(arena,
                                        "project: p\nvars: {t: few, l: [1], none: null}\n"
                                        "stages: {t: {uses: train, with: %s}}\n",
                                        rows[i].with),
                           &scene, arena, &plan, &error));
        EXPECT_TEXT(error.message, rows[i].message);
    }
}

static void test_what_a_step_reads_of_another_it_waits_for(void)
{
    static const char *const readers[] = {
        "{cmd: 'x ${{ steps.one.metrics.f1 }}'}",
        "{argv: [x, '${{ steps.one.outcome }}']}",
        "{cmd: x, env: {A: 'a ${{ steps.one.outputs.version }}'}}",
        "{cmd: x, when: steps.one.metrics.f1 > 0.5}",
        "{cmd: x, when: 'always() && steps[''one''].outcome == ''failure'''}",
        "{uses: check-data, with: {data: '${{ steps.one.outcome }}'}}",
    };

    for (size_t i = 0; i < COUNT(readers); i++) {
        static const Scene scene = {0};
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Plan plan = scene_planned(
            arena_format(arena, "project: p\nstages:\n  two: %s\n  one: {cmd: x}\n", readers[i]),
            &scene, arena);

        EXPECT_TEXT(scene_names(&plan, arena), "one two");
        EXPECT_TEXT(scene_needs(&plan, "two", arena), "one");
    }
}

static void test_of_several_steps_one_must_be_named_to_be_read(void)
{
    static const Scene scene = {0};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};
    Plan plan = {0};

    EXPECT(!scene_plan("project: p\nstages:\n  one: {foreach: [a, b], do: {cmd: x}}\n"
                       "  two: {cmd: x, when: steps.one.outcome == 'success'}\n",
                       &scene, arena, &plan, &error));
    EXPECT_TEXT(error.message,
                "line 4, column 8: step \"two\" reads steps['one'], which is no step: a stage with "
                "foreach or matrix has several, such as steps['train@fast']");
}

static const struct {
    const char *when, *kept;
} conditions[] = {
    {"failure()", "failure()"},
    {"always()", "always()"},
    {"'${{ always() }}'", "always()"},
    {"run.number > 3", "success() && (run['number'] > 3)"},
    {"params.on", "success() && true"},
    {"params.on && run.id == 'a'", "success() && (true && (run['id'] == 'a'))"},
    {"success() || params.on", "(success() || true)"},
    {"'!failure()'", "!(failure())"},
    {"'true'", "success() && true"},
};

static void test_a_condition_wants_success_unless_it_asks_for_another_status(void)
{
    for (size_t i = 0; i < COUNT(conditions); i++) {
        static const Scene scene = {0};
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Plan plan = scene_planned(arena_format(arena,
                                               "project: p\nparams: {on: true}\nstages:\n"
                                               "  a: {cmd: x, when: %s}\n",
                                               conditions[i].when),
                                  &scene, arena);

        EXPECT_TEXT(plan.items[0].when, conditions[i].kept);
    }
}

static void test_expressions_give_numbers_lists_and_names_where_those_are_asked_for(void)
{
    static const Scene scene = {.values = "{\"minutes\":5}"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan = scene_planned("project: p\nparams: {minutes: 1, where: slurm}\n"
                              "vars: {needs: [one], outs: [a, b], size: 2GB}\nstages:\n"
                              "  one: {cmd: x}\n"
                              "  two:\n"
                              "    cmd: x\n"
                              "    timeout-minutes: ${{ params.minutes }}\n"
                              "    executor: ${{ params.where }}\n"
                              "    needs: ${{ vars.needs }}\n"
                              "    outs: ${{ vars.outs }}\n"
                              "    resources: {memory: '${{ vars.size }}'}\n",
                              &scene, arena);
    const PlanStep *step = scene_step(&plan, "two");

    EXPECT(step->timeout_ms == 5 * 60000 && step->outs.count == 2 && step->needs.count == 1);
    EXPECT(step->memory_bytes == 2000000000);
    EXPECT_TEXT(step->executor, "slurm");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_values_that_fit_are_taken),
        TEST(test_a_value_that_does_not_fit_is_a_mistake_in_its_param),
        TEST(test_a_param_without_a_default_must_be_given),
        TEST(test_a_stages_variables_come_before_those_of_all),
        TEST(test_what_a_built_in_step_takes_is_text_or_json),
        TEST(test_a_built_in_steps_value_is_checked_when_it_is_known),
        TEST(test_what_a_step_reads_of_another_it_waits_for),
        TEST(test_of_several_steps_one_must_be_named_to_be_read),
        TEST(test_a_condition_wants_success_unless_it_asks_for_another_status),
        TEST(test_expressions_give_numbers_lists_and_names_where_those_are_asked_for),
        {0},
    };

    return test_main(tests, count, names);
}

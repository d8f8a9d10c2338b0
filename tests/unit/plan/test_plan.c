/* What a pipeline's file and the values of a run become: steps, and which waits for which. */
#include "plan/plan.h"
#include "tests/unit/plan/plan_scene.h"

#define PROJECT "project: p\ndata: {comments: {target: x}}\nstages:\n"

static const SceneFile scripts[] = {{"train.py"}, {"data/raw.csv"}, {0}};
static const Scene plain = {.files = scripts};

static void test_a_step_waits_for_those_that_make_what_it_reads(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan =
        scene_planned(PROJECT "  report: {cmd: r, deps: [model/scores.json, all]}\n"
                              "  train: {cmd: t, deps: [clean.csv, train.py, comments@3], "
                              "outs: [model/]}\n"
                              "  left: {cmd: l, outs: [all/left.csv]}\n"
                              "  right: {cmd: r, outs: [./all//right.csv]}\n"
                              "  clean: {cmd: c, deps: [data/raw.csv], outs: [clean.csv]}\n",
                      &plain, arena);
    const PlanStep *train = scene_step(&plan, "train");

    EXPECT_TEXT(scene_names(&plan, arena), "clean train left right report");
    EXPECT_TEXT(scene_needs(&plan, "report", arena), "train left right");
    EXPECT_TEXT(scene_needs(&plan, "train", arena), "clean");
    EXPECT_TEXT(train->outs.items[0].path, "model");
    EXPECT(train->deps.items[2].is_data && !train->deps.items[1].is_data);
    EXPECT_TEXT(train->deps.items[2].path, "comments@3");
}

static void test_a_stage_waits_for_all_steps_of_what_it_needs(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan = scene_planned(PROJECT "  train: {foreach: [a, b], do: {cmd: 't ${{ item }}'}}\n"
                                      "  all: {cmd: x, needs: [train]}\n"
                                      "  one: {cmd: x, needs: train@b}\n",
                              &plain, arena);

    EXPECT_TEXT(scene_names(&plan, arena), "train@a train@b all one");
    EXPECT_TEXT(scene_needs(&plan, "all", arena), "train@a train@b");
    EXPECT_TEXT(scene_needs(&plan, "one", arena), "train@b");
    EXPECT_TEXT(scene_step(&plan, "train@b")->stage, "train");
}

static void test_a_value_is_a_variable_of_the_command_and_no_part_of_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Scene scene = {scripts, "{\"note\":\"x; rm -rf /\"}"};
    Plan plan = scene_planned("project: p\nparams: {note: hello}\nstages:\n"
                              "  a: {cmd: 'run ${{ params.note }} \"<${{ params.note }}>\"'}\n",
                              &scene, arena);
    const PlanStep *step = scene_step(&plan, "a");

    EXPECT_TEXT(step->commands.items[0], "run \"${SLIPWAY_VALUE_1}\" \"<${SLIPWAY_VALUE_1}>\"");
    EXPECT(step->environment.count == 1);
    EXPECT_TEXT(step->environment.items[0].name, "SLIPWAY_VALUE_1");
    EXPECT_TEXT(step->environment.items[0].text, "x; rm -rf /");
}

static void test_a_step_is_read_back_as_it_was_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const SceneFile files[] = {{"params.yaml", "c: 1.0\n"}, {"in/a"}, {0}};
    const Scene scene = {.files = files};
    Plan plan = scene_planned(
        PROJECT "  before: {uses: train, with: {data: comments, models: [a, b], folds: 3}}\n"
                "  whole:\n"
                "    cmd: [one, two]\n"
                "    wdir: in\n"
                "    deps: [a, comments]\n"
                "    outs: [m: {persist: true}]\n"
                "    metrics: [s.json: {cache: false}]\n"
                "    plots: [p.csv]\n"
                "    params: [../params.yaml: [c]]\n"
                "    env: {A: 'x', B: '${{ run.id }}'}\n"
                "    needs: before\n"
                "    when: steps.before.metrics.f1 > 0.8\n"
                "    timeout-minutes: 5\n"
                "    retries: {max: 2, backoff: 5s}\n"
                "    resources: {cpus: 2, memory: 2GB, gpus: 1, files: 100}\n"
                "    environment: production\n"
                "    executor: slurm\n"
                "    desc: what it does\n"
                "    frozen: true\n"
                "    always_changed: true\n"
                "  list: {argv: [echo, '${{ run.number }}']}\n",
        &scene, arena);

    for (size_t i = 0; i < plan.count; i++) {
        JsonWriter *json = json_writer_create(arena), *again = json_writer_create(arena);
        const JsonValue *value;
        Error error = {0};
        PlanStep step;

        plan_step_write_json(json, NULL, &plan.items[i]);
        EXPECT_OK(json_parse(json_finish(json), json_size(json), arena, &value, &error), error);
        EXPECT_OK(plan_step_read_json(value, arena, &step, &error), error);
        plan_step_write_json(again, NULL, &step);
        EXPECT_TEXT(json_finish(again), json_finish(json));
    }
    JsonWriter *json = json_writer_create(arena);
    plan_step_write_json(json, NULL, scene_step(&plan, "whole"));
    EXPECT_TEXT(
        json_finish(json),
        "{\"name\":\"whole\",\"stage\":\"whole\",\"summary\":\"what it "
        "does\",\"commands\":[\"one\","
        "\"two\"],\"environment\":{\"A\":\"x\",\"B\":\"${{ run['id'] }}\"},\"folder\":\"in\","
        "\"deps\":[{\"path\":\"in/"
        "a\"},{\"path\":\"comments\",\"is_data\":true}],\"outs\":[{\"path\":"
        "\"in/m\",\"persist\":true},{\"path\":\"in/s.json\",\"use\":\"metrics\"},{\"path\":"
        "\"in/p.csv\",\"use\":\"plots\"}],\"params\":{\"params.yaml:c\":\"1.0\"},\"needs\":[0],"
        "\"when\":\"success() && (steps['before']['metrics']['f1'] > 0.8)\",\"timeout_ms\":300000,"
        "\"retries\":2,\"backoff_ms\":5000,\"cpus\":2,\"memory_bytes\":2000000000,\"gpus\":1,"
        "\"files\":100,\"executor\":\"slurm\",\"place\":\"production\",\"always\":true,\"frozen\":"
        "true}");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_step_waits_for_those_that_make_what_it_reads),
        TEST(test_a_stage_waits_for_all_steps_of_what_it_needs),
        TEST(test_a_value_is_a_variable_of_the_command_and_no_part_of_it),
        TEST(test_a_step_is_read_back_as_it_was_written),
        {0},
    };

    return test_main(tests, count, names);
}

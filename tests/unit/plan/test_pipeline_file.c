/* What a pipeline's file may say, and the exact sentence for what it may not. */
#include "plan/pipeline_file.h"
#include "tests/unit/plan/plan_scene.h"

#define P      "project: p\n"
#define STAGES "project: p\ndata: {comments: {}}\nstages:\n"
#define A      "project: p\nstages:\n  a: "

static const struct {
    const char *yaml, *field, *message;
} mistakes[] = {
    /* The file. */
    {P "stage: {}\n", "stage",
     "line 2, column 1: \"stage\" is not a setting of the file, which has project, data, release, "
     "params, stages, vars, env, on, concurrency, monitor, notify"},
    {"stages: {}\nvar: []\n", "var",
     "line 2, column 1: \"var\" is not a setting of the file, which has stages, vars, env, on, "
     "concurrency, params, metrics, plots, artifacts, datasets"},
    {P "stages: [a]\n", "stages", "line 2, column 9: \"stages\" is a map"},
    {P "stages: {a b: {cmd: x}}\n", "stages.a b",
     "line 2, column 15: a stage's name has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
     "does not start with \".\""},
    {P "stages: {a@b: {cmd: x}}\n", "stages.a@b",
     "line 2, column 15: a stage's name has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
     "does not start with \".\""},
    {P "stages: {a: x}\n", "stages.a", "line 2, column 13: \"stages.a\" is a map"},
    {P "concurrency: stop\n", "concurrency",
     "line 2, column 14: \"concurrency\" is one of queue, skip, replace, not \"stop\""},
    {P "concurrency: {rule: stop}\n", "concurrency.rule",
     "line 2, column 21: \"concurrency.rule\" is one of queue, skip, replace, not \"stop\""},
    {P "concurrency: {group: a}\n", "concurrency.group",
     "line 2, column 15: \"group\" is not a setting of \"concurrency\", which has rule"},
    {P "env: {1A: x}\n", "env.1A",
     "line 2, column 11: a variable of the environment has letters, digits and \"_\", and does not "
     "start with a digit: not \"1A\""},
    {P "env: {SLIPWAY_RUN: x}\n", "env.SLIPWAY_RUN",
     "line 2, column 20: the variables SLIPWAY_... are set by the server"},
    {P "env: {A: '${{ item }}'}\n", "env.A",
     "line 2, column 10: \"item\" means something under foreach or matrix alone"},
    {P "env: {A: '${{ steps.a.outcome }}'}\nstages: {a: {cmd: x}}\n", "env.A",
     "line 2, column 10: \"steps\" means something in a stage alone"},
    {P "env: {A: [x]}\n", "env.A", "line 2, column 10: \"env.A\" is a text"},
    {P "vars: 3\nstages: {a: {cmd: x}}\n", NULL, NULL},
    {P "vars: [[a]]\n", "vars",
     "line 2, column 8: an item of \"vars\" is a map of values, or a file of them"},
    {P "vars: [{a: 1}, {a: 2}]\nstages: {}\n", "vars",
     "line 2, column 16: \"a\" is in vars twice, with two values"},

    /* Stages. */
    {A "{}\n", "stages.a", "line 3, column 6: stage \"a\" does nothing: it has cmd, argv or uses"},
    {A "{cmd: x, comand: y}\n", "stages.a.comand",
     "line 3, column 15: \"comand\" is not a setting of \"stages.a\", which has cmd, argv, uses, "
     "with, env, wdir, deps, outs, metrics, plots, params, vars, needs, when, timeout-minutes, "
     "retries, resources, environment, executor, frozen, always_changed, desc, meta, matrix"},
    {A "{cmd: x, argv: [y]}\n", "stages.a.argv",
     "line 3, column 21: stage \"a\" has \"cmd\" and \"argv\": it does one"},
    {A "{cmd: []}\n", "stages.a.cmd", "line 3, column 12: \"stages.a.cmd\" is empty"},
    {A "{cmd: {x: y}}\n", "stages.a.cmd", "line 3, column 12: \"stages.a.cmd\" is a text"},
    {A "{argv: x}\n", "stages.a.argv", "line 3, column 13: \"stages.a.argv\" is a list, not \"x\""},
    {A "{cmd: x, with: {}}\n", "stages.a.with",
     "line 3, column 21: \"with\" belongs to a stage with \"uses\""},
    {A "{uses: check-data, with: {data: d}, env: {A: b}}\n", "stages.a.env",
     "line 3, column 47: \"env\" belongs to a stage with cmd or argv"},
    {A "{uses: check-data, with: {data: d}, wdir: x}\n", "stages.a.wdir",
     "line 3, column 48: \"wdir\" belongs to a stage with cmd or argv"},
    {A "{uses: trian}\n", "stages.a.uses",
     "line 3, column 13: there is no built-in step \"trian\"; there are check-data, train"},
    {A "{uses: check-data}\n", "stages.a.uses",
     "line 3, column 13: \"check-data\" needs \"data\" under \"with\""},
    {A "{uses: check-data, with: {data: d, rows: 3}}\n", "stages.a.with.rows",
     "line 3, column 41: \"check-data\" takes no \"rows\"; it takes: data"},
    {A "{uses: train, with: {data: [d]}}\n", "stages.a.with.data",
     "line 3, column 33: \"stages.a.with.data\" is a text"},
    {A "{uses: train, with: {data: d, folds: few}}\n", "stages.a.with.folds",
     "line 3, column 43: \"stages.a.with.folds\" is an integer"},
    {A "{uses: train, with: {data: d, folds: 1.5}}\n", "stages.a.with.folds",
     "line 3, column 43: \"stages.a.with.folds\" is an integer"},
    {A "{uses: train, with: {data: d, models: svm}}\n", "stages.a.with.models",
     "line 3, column 44: \"stages.a.with.models\" is a list"},
    {A "{cmd: x, env: {SLIPWAY_X: y}}\n", "stages.a.env.SLIPWAY_X",
     "line 3, column 32: the variables SLIPWAY_... are set by the server"},
    {A "{cmd: x, deps: x}\n", "stages.a.deps",
     "line 3, column 21: \"stages.a.deps\" is a list, not \"x\""},
    {A "{cmd: x, deps: [{a: b}]}\n", "stages.a.deps",
     "line 3, column 22: \"stages.a.deps\" is a text"},
    {A "{cmd: x, outs: x}\n", "stages.a.outs",
     "line 3, column 21: \"stages.a.outs\" is a list, not \"x\""},
    {A "{cmd: x, outs: [{a: {cach: no}}]}\n", "stages.a.outs.a.cach",
     "line 3, column 27: \"cach\" is not a setting of \"stages.a.outs.a\", which has cache, "
     "persist, "
     "push, remote, desc, type, labels, meta"},
    {A "{cmd: x, outs: [{a: {cache: maybe}}]}\n", "stages.a.outs.a.cache",
     "line 3, column 34: \"stages.a.outs.a.cache\" is true or false, not \"maybe\""},
    {A "{cmd: x, outs: [{a: {}, b: {}}]}\n", "stages.a.outs",
     "line 3, column 22: an item of \"stages.a.outs\" is a path, or a path with a map of cache, "
     "persist, push, remote, desc, type, labels, meta"},
    {A "{cmd: x, params: {a: b}}\n", "stages.a.params",
     "line 3, column 23: \"stages.a.params\" is a list"},
    {A "{cmd: x, params: [[a]]}\n", "stages.a.params",
     "line 3, column 24: an item of \"stages.a.params\" is a key of params.yaml, or {file: "
     "[keys]}"},
    {A "{cmd: x, needs: {a: b}}\n", "stages.a.needs",
     "line 3, column 22: \"stages.a.needs\" is a text"},
    {A "{cmd: x, needs: b}\n", "stages.a.needs",
     "line 3, column 22: step \"a\" needs \"b\", which is no stage"},
    {A "{cmd: x, timeout-minutes: 0}\n", "stages.a.timeout-minutes",
     "line 3, column 32: \"stages.a.timeout-minutes\" is a whole number of 1 or more, not \"0\""},
    {A "{cmd: x, timeout-minutes: 600000}\n", "stages.a.timeout-minutes",
     "line 3, column 32: a time limit is a year at most"},
    {A "{cmd: x, retries: 2}\n", "stages.a.retries",
     "line 3, column 24: \"stages.a.retries\" is a map"},
    {A "{cmd: x, retries: {backoff: 5s}}\n", "stages.a.retries",
     "line 3, column 24: \"stages.a.retries\" has no \"max\""},
    {A "{cmd: x, retries: {max: 2, backoff: 5}}\n", "stages.a.retries.backoff",
     "line 3, column 42: \"stages.a.retries.backoff\" is a duration such as 500ms, 5s, 2m, 1h or "
     "1d, not \"5\""},
    {A "{cmd: x, retries: {max: 101}}\n", "stages.a.retries.max",
     "line 3, column 30: there are at most 100 retries"},
    {A "{cmd: x, resources: {memory: 2}}\n", "stages.a.resources.memory",
     "line 3, column 35: \"stages.a.resources.memory\" is a size such as 512MB, 2GB or 1GiB, not "
     "\"2\""},
    {A "{cmd: x, resources: {cpu: 2}}\n", "stages.a.resources.cpu",
     "line 3, column 27: \"cpu\" is not a setting of \"stages.a.resources\", which has cpus, "
     "memory, "
     "gpus, files"},
    {A "{cmd: x, environment: pro duction}\n", "stages.a.environment",
     "line 3, column 28: \"stages.a.environment\" is a name of 1 to 128 letters, digits, \"-\", "
     "\"_\" and \".\", not starting with \".\", not \"pro duction\""},
    {A "{cmd: x, frozen: 1}\n", "stages.a.frozen",
     "line 3, column 23: \"stages.a.frozen\" is true or false, not \"1\""},
    {A "{foreach: [a], cmd: x}\n", "stages.a.cmd",
     "line 3, column 21: \"cmd\" is not a setting of \"stages.a\", which has foreach, do"},
    {A "{foreach: [a]}\n", "stages.a", "line 3, column 6: \"stages.a\" has no \"do\""},
    {A "{foreach: a, do: {cmd: x}}\n", "stages.a.foreach",
     "line 3, column 16: \"stages.a.foreach\" is a list or a map"},
    {A "{foreach: [a], do: {cmd: x, matrix: {m: [1]}}}\n", "stages.a.do.matrix",
     "line 3, column 42: stage \"a\" has foreach and matrix"},
    {A "{foreach: [a], do: {cmd: x, deep: y}}\n", "stages.a.do.deep",
     "line 3, column 34: \"deep\" is not a setting of \"stages.a.do\", which has cmd, argv, uses, "
     "with, env, wdir, deps, outs, metrics, plots, params, vars, needs, when, timeout-minutes, "
     "retries, resources, environment, executor, frozen, always_changed, desc, meta, matrix"},
    {A "{foreach: [a, a], do: {cmd: x}}\n", "stages.a",
     "line 3, column 6: there are two steps \"a@a\": an item is there twice"},
    {A "{foreach: [''], do: {cmd: x}}\n", "stages.a.foreach",
     "line 3, column 16: stage \"a\": an item is empty: it names a step"},
    {A "{matrix: {m: 1}, cmd: x}\n", "stages.a.matrix.m",
     "line 3, column 19: \"stages.a.matrix.m\" is a list"},
    {A "{matrix: {}, cmd: x}\n", "stages.a.matrix",
     "line 3, column 15: \"stages.a.matrix\" is empty"},

    /* Expressions. */
    {A "{cmd: 'x ${{ params.c }}'}\n", "stages.a.cmd",
     "line 3, column 12: there is no param \"c\": declare it under \"params\"; there are: none"},
    {P "params: {rows: 1, cols: 2}\nstages:\n  a: {cmd: 'x ${{ params.row }}'}\n", "stages.a.cmd",
     "line 4, column 12: there is no param \"row\": declare it under \"params\"; there are: rows, "
     "cols"},
    {A "{cmd: 'x ${{ parms.c }}'}\n", "stages.a.cmd",
     "line 3, column 12: there is no \"parms\"; there are params, vars, item, key, matrix, steps, "
     "run and trigger"},
    {A "{cmd: 'x ${{ run.name }}'}\n", "stages.a.cmd",
     "line 3, column 12: it is written run.id or run.number"},
    {A "{cmd: 'x ${{ steps.b.outcome }}'}\n", "stages.a.cmd",
     "line 3, column 12: there is no stage \"b\""},
    {A "{cmd: 'x ${{ steps.a.f1 }}'}\n", "stages.a.cmd",
     "line 3, column 12: it is written steps.NAME.outcome, steps.NAME.metrics.NAME or "
     "steps.NAME.outputs.NAME"},
    {A "{cmd: 'x ${{ steps.a.outcome }}'}\n", "stages.a",
     "line 3, column 6: steps wait for each other in a circle: a -> a"},
    {A "{cmd: 'x ${{ item }}'}\n", "stages.a.cmd",
     "line 3, column 12: \"item\" means something under foreach or matrix alone"},
    {A "{foreach: [a], do: {cmd: 'x ${{ key }}'}}\n", "stages.a.do.cmd",
     "line 3, column 31: \"key\" means nothing under a foreach over a list"},
    {A "{cmd: 'x ${{ matrix.m }}'}\n", "stages.a.cmd",
     "line 3, column 12: \"matrix\" means something in a stage with matrix alone"},
    {A "{matrix: {m: [1]}, cmd: 'x ${{ matrix.n }}'}\n", "stages.a.cmd",
     "line 3, column 30: there is no \"n\" in this stage's matrix"},
    {A "{cmd: 'x ${{ 1 + 1 }}'}\n", "stages.a.cmd",
     "line 3, column 12: character 3 of \"1 + 1\": \"+ 1\" is not expected here"},
    {A "{cmd: 'x ${{ run.id'}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ run.id\" has no end \"}}\""},
    {A "{cmd: x, outs: ['m/${{ run.id }}']}\n", "stages.a.outs",
     "line 3, column 22: what only the start of a step knows can stand in cmd, argv, env, with and "
     "when"},
    {A "{cmd: x, deps: ['${{ success() }}']}\n", "stages.a.deps",
     "line 3, column 22: success(), failure() and always() mean something in \"when\" alone"},
    {A "{cmd: x, when: 'a ='}\n", "stages.a.when",
     "line 3, column 21: character 3 of \"a =\": \"=\" is not expected here"},
    {A "{cmd: x, when: '${{ true }} && ${{ false }}'}\n", "stages.a.when",
     "line 3, column 21: \"when\" is one expression, with or without ${{ }}"},
    {A "{cmd: x, timeout-minutes: '${{ vars.t }}'}\nvars: {t: long}\n", "stages.a.timeout-minutes",
     "line 3, column 32: \"stages.a.timeout-minutes\" is a whole number of 1 or more, not "
     "\"long\""},
    {A "{cmd: x, deps: ['${{ vars.t }}']}\nvars: {t: [a]}\n", "stages.a.deps",
     "line 3, column 22: \"stages.a.deps\" is a text"},
    {A "{cmd: 'x ${{ vars.t }}'}\nvars: {t: [a]}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ vars.t }}\": it is a list, which cannot stand in a text"},
    {A "{cmd: 'x ${{ vars.u }}'}\nvars: {t: a}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ vars.u }}\": there is no \"vars.u\""},

    /* Values and quotes. */
    {A "{cmd: \"x '${{ run.id }}'\"}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ run.id }}\" stands in single quotes, where the shell reads no "
     "variable: give it to the command by \"env\", or use \"argv\""},
    {A "{cmd: 'x `y ${{ run.id }}`'}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ run.id }}\" stands in backquotes: give it to the command by "
     "\"env\", "
     "or use \"argv\""},
    {A "{cmd: 'x $(( ${{ run.number }} + 1 ))'}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ run.number }}\" stands in arithmetic, which would take its value as "
     "code: give it to the command by \"env\", or use \"argv\""},
    {A "{cmd: \"cat <<END\\n${{ run.id }}\\nEND\"}\n", "stages.a.cmd",
     "line 3, column 12: \"${{ run.id }}\" stands in a here-document: give it to the command by "
     "\"env\", or use \"argv\""},

    /* Paths and circles. */
    {A "{cmd: x, outs: [/tmp/x]}\n", "stages.a.outs",
     "line 3, column 22: \"/tmp/x\" is absolute: a path starts at the project's folder"},
    {A "{cmd: x, outs: [a/../../x]}\n", "stages.a.outs",
     "line 3, column 22: \"a/../../x\" leaves the project's folder"},
    {A "{cmd: x, wdir: ../y}\n", "stages.a.wdir",
     "line 3, column 21: \"../y\" leaves the project's folder"},
    {A "{cmd: x, deps: ['s3://b/x']}\n", "stages.a.deps",
     "line 3, column 22: \"s3://b/x\" is outside of the project: register it as a data set"},
    {A "{cmd: x, deps: [.]}\n", "stages.a.deps",
     "line 3, column 22: the whole project cannot be what a stage reads or makes: name what it is"},
    {A "{cmd: x, outs: [\"a\\nb\"]}\n", "stages.a.outs",
     "line 3, column 22: a path has at most 1024 bytes and no control characters"},
    {STAGES "  a: {cmd: x, needs: c}\n  b: {cmd: x, needs: a}\n  c: {cmd: x, needs: [b]}\n",
     "stages.a", "line 4, column 6: steps wait for each other in a circle: a -> c -> b -> a"},
    {STAGES "  a: {cmd: x, deps: [y], outs: [z]}\n  b: {cmd: x, deps: [z/w], outs: [y]}\n",
     "stages.a", "line 4, column 6: steps wait for each other in a circle: a -> b -> a"},
    {STAGES "  a: {cmd: x, deps: [y], outs: [y]}\n", "stages.a",
     "line 4, column 6: steps wait for each other in a circle: a -> a"},
    {STAGES "  a: {cmd: x, outs: [m/]}\n  b: {cmd: x, outs: [m]}\n", "stages.b.outs",
     "line 5, column 22: \"m\" is an output of step \"a\" and of step \"b\": one makes it"},
    {STAGES "  a: {cmd: x, outs: [m], metrics: [./m]}\n", "stages.a.metrics",
     "line 4, column 36: \"m\" is an output of step \"a\" twice"},
    {STAGES "  a: {cmd: x, outs: [m/a/b]}\n  b: {cmd: x, outs: [m]}\n  c: {cmd: x, outs: [m.x]}\n",
     "stages.a.outs",
     "line 4, column 22: \"m/a/b\" of step \"a\" is inside of \"m\" of step \"b\": each output is "
     "made "
     "by one step"},

    /* Params. */
    {P "params: [a]\n", "params", "line 2, column 9: \"params\" is a map"},
    {P "params: {a b: 1}\n", "params.a b",
     "line 2, column 15: a param's name has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
     "does not start with \".\""},
    {P "params: {a: }\n", "params.a",
     "line 2, column 13: \"params.a\" is its default, or a map of default, type, choices, minimum, "
     "maximum, description"},
    {P "params: {a: [1]}\n", "params.a",
     "line 2, column 13: \"params.a\" is its default, or a map of default, type, choices, minimum, "
     "maximum, description"},
    {P "params: {a: {typ: text}}\n", "params.a.typ",
     "line 2, column 14: \"typ\" is not a setting of \"params.a\", which has default, type, "
     "choices, "
     "minimum, maximum, description"},
    {P "params: {a: {type: int}}\n", "params.a.type",
     "line 2, column 20: \"params.a.type\" is one of text, integer, number, boolean, date, choice, "
     "not \"int\""},
    {P "params: {a: {type: integer, default: x}}\n", "params.a.default",
     "line 2, column 38: \"a\" is an integer, not \"x\""},
    {P "params: {a: {type: date, default: 2026-02-30}}\n", "params.a.default",
     "line 2, column 35: \"a\" is a date such as 2026-03-29, not \"2026-02-30\""},
    {P "params: {a: {type: choice}}\n", "params.a",
     "line 2, column 13: \"params.a\" is a choice: list its values under \"choices\""},
    {P "params: {a: {choices: [x, y], default: z}}\n", "params.a.default",
     "line 2, column 40: \"a\" is one of x, y, not \"z\""},
    {P "params: {a: {type: integer, choices: [1, x]}}\n", "params.a.choices",
     "line 2, column 42: a choice of \"a\" is an integer, not \"x\""},
    {P "params: {a: {type: text, minimum: 1}}\n", "params.a.minimum",
     "line 2, column 35: only an integer or a number has a minimum or a maximum"},
    {P "params: {a: {type: integer, minimum: low}}\n", "params.a.minimum",
     "line 2, column 38: \"params.a.minimum\" is a number, not \"low\""},
    {P "params: {a: {type: integer, minimum: 2, maximum: 1}}\n", "params.a.maximum",
     "line 2, column 50: the maximum is below the minimum"},
    {P "params: {a: {default: 0, minimum: 1}}\n", "params.a.default",
     "line 2, column 23: \"a\" is 1 or more, not 0"},

    /* Triggers. */
    {P "on: push\n", "on", "line 2, column 5: \"on\" is a map"},
    {P "on: {pull: main}\n", "on.pull",
     "line 2, column 6: \"pull\" is not a setting of \"on\", which has schedule, push, data, "
     "alarm, "
     "api, manual"},
    {P "on: {schedule: '0 3 * * 1'}\n", "on.schedule",
     "line 2, column 16: \"on.schedule\" is a map"},
    {P "on: {schedule: {}}\n", "on.schedule", "line 2, column 16: \"on.schedule\" has no \"cron\""},
    {P "on: {schedule: {cron: 0 3 * *}}\n", "on.schedule.cron",
     "line 2, column 23: the schedule \"0 3 * *\" has 4 fields; it takes five, which are minute, "
     "hour, day of month, month and day of week"},
    {P "on: {schedule: [{cron: 0 24 * * *}]}\n", "on.schedule.cron",
     "line 2, column 24: the hour \"24\" of a schedule is out of range; allowed are \"*\", 0 to "
     "23, "
     "ranges as 1-5, steps as */2 or 1-9/2, and lists of them with commas"},
    {P "on: {schedule: [{cron: 0 0 30 2 *}]}\n", "on.schedule.cron",
     "line 2, column 24: the day of month \"30\" of a schedule never comes in month \"2\"; allowed "
     "are "
     "days that one of its months has"},
    {P "on: {schedule: {cron: 0 3 * * 1, timezone: 'a b'}}\n", "on.schedule.timezone",
     "line 2, column 44: a time zone has a name such as Europe/Amsterdam or UTC, not \"a b\""},
    {P "on: {schedule: {cron: 0 3 * * 1, missed: none}}\n", "on.schedule.missed",
     "line 2, column 42: \"on.schedule.missed\" is one of latest, skip, all, not \"none\""},
    {P "on: {data: [x]}\ndata: {comments: {}, more: {}}\n", "on.data",
     "line 2, column 13: there is no data set \"x\"; there are: comments, more"},
    {P "on: {api: maybe}\n", "on.api",
     "line 2, column 11: \"on.api\" is true or false, not \"maybe\""},
};

static void test_a_mistake_is_refused_with_its_place_and_what_is_allowed(void)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        PipelineFile file = {0};
        Error error = {0};
        bool is_read = scene_file(mistakes[i].yaml, arena, &file, &error);

        if (!mistakes[i].message) {
            EXPECT_OK(is_read, error);
            continue;
        }
        if (is_read)
            fprintf(stderr, "it was read:\n%s", mistakes[i].yaml);
        EXPECT(!is_read && !file.parts);
        EXPECT_TEXT(error.message, mistakes[i].message);
        EXPECT_TEXT(error.field, mistakes[i].field);
        EXPECT(error.kind == ERROR_FIELD);
    }
}

static PipelineFile read_file(const char *yaml, Arena *arena)
{
    PipelineFile file = {0};
    Error error = {0};

    EXPECT_OK(scene_file(yaml, arena, &file, &error), error);
    return file;
}

static void test_params_have_the_type_of_their_default(void)
{
    static const struct {
        const char *yaml;
        PipelineParamType type;
        const char *fallback;
    } rows[] = {
        {"x", PIPELINE_TEXT, "\"x\""},
        {"'3'", PIPELINE_TEXT, "\"3\""},
        {"3", PIPELINE_INTEGER, "3"},
        {"-3", PIPELINE_INTEGER, "-3"},
        {"3.0", PIPELINE_NUMBER, "3.0"},
        {"+.5", PIPELINE_NUMBER, "0.5"},
        {"1e-3", PIPELINE_NUMBER, "0.001"},
        {"true", PIPELINE_BOOLEAN, "true"},
        {"{type: number, default: 3}", PIPELINE_NUMBER, "3"},
        {"{type: text, default: 3}", PIPELINE_TEXT, "\"3\""},
        {"{type: date, default: 2024-02-29}", PIPELINE_DATE, "\"2024-02-29\""},
        {"{choices: [a, b]}", PIPELINE_CHOICE, NULL},
        {"{type: integer}", PIPELINE_INTEGER, NULL},
        {"{description: what}", PIPELINE_TEXT, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        PipelineFile file =
            read_file(arena_format(arena, P "params: {a: %s}\n", rows[i].yaml), arena);

        EXPECT(file.params.count == 1 && file.params.items[0].type == rows[i].type);
        if (rows[i].fallback)
            EXPECT_TEXT(file.params.items[0].fallback, rows[i].fallback);
        else
            EXPECT(!file.params.items[0].fallback);
    }
}

static void test_what_starts_a_run_is_read_whole(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    PipelineFile file = read_file(P "data: {comments: {}}\n"
                                    "concurrency: {rule: replace}\n"
                                    "on:\n"
                                    "  schedule:\n"
                                    "    - {cron: '0 3 * * 1', timezone: Europe/Amsterdam}\n"
                                    "    - {cron: '*/5 9-17 * jan-mar mon,fri', missed: all}\n"
                                    "  push: [main, 'release/*']\n"
                                    "  data: comments\n"
                                    "  alarm: [drift]\n"
                                    "  api: false\n",
                                  arena);

    EXPECT(file.on.schedules.count == 2 && file.on.push.count == 2 && file.on.data.count == 1);
    EXPECT_TEXT(file.on.schedules.items[0].timezone, "Europe/Amsterdam");
    EXPECT_TEXT(file.on.schedules.items[0].missed, "latest");
    EXPECT_TEXT(file.on.schedules.items[1].timezone, "UTC");
    EXPECT_TEXT(file.on.schedules.items[1].missed, "all");
    EXPECT_TEXT(file.on.push.items[1], "release/*");
    EXPECT(!file.on.api && file.on.manual);
    EXPECT(file.overlap == PIPELINE_REPLACE);
}

static void test_a_file_without_triggers_is_started_by_hand_and_over_the_api(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    PipelineFile file = read_file(A "{cmd: x}\n", arena);

    EXPECT(file.on.api && file.on.manual && !file.on.schedules.count);
    EXPECT(file.overlap == PIPELINE_QUEUE && !file.is_dvc && file.stages.count == 1);
}

static void test_what_only_dvc_shows_is_let_through_with_a_warning(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    PipelineFile file = read_file("stages: {a: {cmd: x}}\nparams: [params.yaml]\n"
                                  "metrics: [m.json]\nplots: [{p.csv: {x: a}}]\nartifacts: {}\n",
                                  arena);

    EXPECT(file.is_dvc && file.warnings.count == 3 && !file.params.count);
    EXPECT_TEXT(file.warnings.items[0], "line 3: \"metrics\" is for DVC alone");
}

static void test_a_file_with_values_to_come_is_planned_when_they_have_come(void)
{
    static const char *const files[] = {
        P
        "params: {n: {type: integer}}\nstages: {a: {cmd: x, timeout-minutes: '${{ params.n }}'}}\n",
        P "vars: [more.yaml]\nstages: {a: {foreach: '${{ vars.list }}', do: {cmd: x}}}\n",
        "stages: {a: {cmd: 'x ${c}'}}\n",
    };

    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        read_file(files[i], arena);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_mistake_is_refused_with_its_place_and_what_is_allowed),
        TEST(test_params_have_the_type_of_their_default),
        TEST(test_what_starts_a_run_is_read_whole),
        TEST(test_a_file_without_triggers_is_started_by_hand_and_over_the_api),
        TEST(test_what_only_dvc_shows_is_let_through_with_a_warning),
        TEST(test_a_file_with_values_to_come_is_planned_when_they_have_come),
        {0},
    };

    return test_main(tests, count, names);
}

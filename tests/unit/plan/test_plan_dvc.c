/* A dvc.yaml as it is: the templates, loops and params that DVC documents, in words of our own. The
 * names of the steps and the values are those that DVC gives. */
#include "plan/plan.h"
#include "tests/unit/plan/plan_scene.h"

static const PlanValue *value_of(const PlanValueList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    fprintf(stderr, "there is no value %s\n", name);
    exit(1);
}

/* The command with its values put in, as DVC would print it. */
static const char *shown(const PlanStep *step, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (const char *at = step->commands.items[0]; *at;) {
        const char *end = strchr(at, '}');
        bool is_quoted = strncmp(at, "\"${SLIPWAY", 10) == 0;

        if (!is_quoted && strncmp(at, "${SLIPWAY", 9) != 0) {
            text_append_bytes(&text, at++, 1);
            continue;
        }
        at += is_quoted ? 3 : 2;
        text_append(&text,
                    value_of(&step->environment, arena_copy(arena, at, (size_t)(end - at)))->text);
        at = end + (is_quoted ? 2 : 1);
    }
    return text_built(&text);
}

typedef struct Expected {
    const char *name, *command;
} Expected;

static const struct {
    const char *yaml, *params, *more;
    Expected steps[6];
} examples[] = {
    /* Values of params.yaml. */
    {"stages:\n  train:\n    cmd: python train.py --epochs ${train.epochs} --lr ${train.lr} "
     "${train.layers[1]}\n",
     "train: {epochs: 10, lr: 1e-3, layers: [64, 32]}\n",
     "",
     {{"train", "python train.py --epochs 10 --lr 0.001 32"}}},
    /* Vars: maps and files, over params.yaml. */
    {"vars: [more.yaml, {models: {us: {threshold: 10}}}]\nstages:\n  a:\n    cmd: run "
     "${models.us.threshold} ${name} ${c}\n",
     "c: true\n",
     "name: x\n",
     {{"a", "run 10 x true"}}},
    {"vars: ['more.yaml:name,size']\nstages:\n  a: {cmd: 'run ${name} ${size}'}\n",
     NULL,
     "name: x\nsize: 1.0\nother: 3\n",
     {{"a", "run x 1.0"}}},
    /* A map comes from two places. */
    {"vars: [{model: {depth: 2}}]\nstages:\n  a: {cmd: 'run ${model.depth} ${model.width}'}\n",
     "model: {width: 3}\n",
     "",
     {{"a", "run 2 3"}}},
    /* Vars of one stage. */
    {"stages:\n  a:\n    vars: [{x: 1}, more.yaml]\n    cmd: run ${x} ${y}\n",
     NULL,
     "y: 2\n",
     {{"a", "run 1 2"}}},
    /* foreach over a list, a list of maps, a map, and values of a file. */
    {"stages:\n  clean:\n    foreach: [raw, 1.0, true]\n    do: {cmd: 'clean ${item}'}\n",
     NULL,
     "",
     {{"clean@raw", "clean raw"}, {"clean@1.0", "clean 1.0"}, {"clean@true", "clean true"}}},
    {"stages:\n  train:\n    foreach: [{e: 1, t: a}, {e: 2, t: b}]\n    do: {cmd: 'train ${item.e} "
     "${item.t}'}\n",
     NULL,
     "",
     {{"train@0", "train 1 a"}, {"train@1", "train 2 b"}}},
    {"stages:\n  train:\n    foreach: {us: {e: 1}, uk: {e: 2}}\n    do: {cmd: 'train ${key} "
     "${item.e}'}\n",
     NULL,
     "",
     {{"train@us", "train us 1"}, {"train@uk", "train uk 2"}}},
    {"stages:\n  train:\n    foreach: ${models}\n    do: {cmd: 'train ${item}'}\n",
     "models: [a, b]\n",
     "",
     {{"train@a", "train a"}, {"train@b", "train b"}}},
    {"stages:\n  train:\n    foreach: ['${a}', x]\n    do: {cmd: 'train ${item}'}\n",
     "a: y\n",
     "",
     {{"train@y", "train y"}, {"train@x", "train x"}}},
    /* matrix: scalars, maps, values of a file. */
    {"stages:\n  train:\n    matrix: {model: [cnn, tree], f: [1, 2]}\n    cmd: train ${item.model} "
     "${item.f}\n",
     NULL,
     "",
     {{"train@cnn-1", "train cnn 1"},
      {"train@cnn-2", "train cnn 2"},
      {"train@tree-1", "train tree 1"},
      {"train@tree-2", "train tree 2"}}},
    {"stages:\n  train:\n    matrix:\n      model: ${models}\n      config: [{n: 1}, {n: 2}]\n    "
     "cmd: "
     "train ${item.model} ${item.config.n}\n",
     "models: [a]\n",
     "",
     {{"train@a-config0", "train a 1"}, {"train@a-config1", "train a 2"}}},
    /* Numbers, booleans and null as Python prints them. */
    {"stages:\n  a: {cmd: 'run ${a} ${b} ${c} ${d} ${e} ${f} ${g} ${h} ${i} ${j}'}\n",
     "{a: 3.10, b: 1E5, c: .5, d: 1e22, e: 100000.0, f: 0x1f, g: 0o17, h: null, i: yes, j: -0.0}\n",
     "",
     {{"a", "run 3.1 100000.0 0.5 1e+22 100000.0 31 15 None yes -0.0"}}},
    {"stages:\n  a:\n    matrix: {m: [x, [1]], n: [2.0]}\n    cmd: run ${key} ${item}\n",
     NULL,
     "",
     {{"a@x-2.0", "run x-2.0 --m x --n 2.0"}, {"a@m1-2.0", "run m1-2.0 --m 1 --n 2.0"}}},
    /* A shell's own variable. */
    {"stages:\n  a: {cmd: 'run \\${HOME} $USER ${x}'}\n",
     "x: 1\n",
     "",
     {{"a", "run ${HOME} $USER 1"}}},
    /* A map becomes options. */
    {"stages:\n  a: {cmd: 'run ${m}'}\n",
     "m: {foo: 1, on: true, off: false, nest: {deep: x}, list: [1, 2]}\n",
     "",
     {{"a", "run --foo 1 --on --nest.deep x --list 1 2"}}},
};

static void test_a_dvc_yaml_has_the_steps_and_commands_that_dvc_gives(void)
{
    for (size_t i = 0; i < COUNT(examples); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const SceneFile files[] = {{"more.yaml", examples[i].more},
                                   {examples[i].params ? "params.yaml" : "no", examples[i].params},
                                   {0}};
        const Scene scene = {.files = files};
        Plan plan = scene_planned(examples[i].yaml, &scene, arena);
        size_t count = 0;

        for (; count < COUNT(examples[i].steps) && examples[i].steps[count].name; count++) {
            EXPECT(count < plan.count);
            EXPECT_TEXT(plan.items[count].name, examples[i].steps[count].name);
            EXPECT_TEXT(shown(&plan.items[count], arena), examples[i].steps[count].command);
        }
        EXPECT(plan.count == count);
    }
}

static void test_templates_stand_in_paths_params_and_folders(void)
{
    static const SceneFile files[] = {
        {"params.yaml", "dir: src\nlists: [a.csv, b.csv]\nkeep: true\n"},
        {"src/p.yaml", "c: {d: [1, 2]}\n"},
        {"src/a.csv"},
        {0}};
    static const Scene scene = {.files = files};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan =
        scene_planned("stages:\n  a:\n    cmd: x\n    wdir: ${dir}\n    deps: ['${lists[0]}']\n"
                      "    outs: ['${lists[1]}': {persist: '${keep}'}, '../m/${dir}']\n"
                      "    params: [p.yaml: [c.d, c], ../params.yaml: ]\n"
                      "    frozen: ${keep}\n",
                      &scene, arena);
    const PlanStep *step = scene_step(&plan, "a");

    EXPECT_TEXT(step->folder, "src");
    EXPECT_TEXT(step->deps.items[0].path, "src/a.csv");
    EXPECT_TEXT(step->outs.items[0].path, "src/b.csv");
    EXPECT(step->outs.items[0].persist && !step->outs.items[1].persist && step->frozen);
    EXPECT_TEXT(step->outs.items[1].path, "m/src");
    EXPECT_TEXT(value_of(&step->params, "src/p.yaml:c.d")->text, "[1,2]");
    EXPECT_TEXT(value_of(&step->params, "src/p.yaml:c")->text, "{\"d\":[1,2]}");
    EXPECT_TEXT(value_of(&step->params, "params.yaml:")->text,
                "{\"dir\":\"src\",\"lists\":[\"a.csv\",\"b.csv\"],\"keep\":true}");
}

static void test_files_of_params_are_yaml_and_json(void)
{
    static const SceneFile files[] = {
        {"params.yaml", "a: 1\n"}, {"b.json", "{\"b\": {\"c\": 2.50}}"}, {"c.toml", "d = 1"}, {0}};
    static const Scene scene = {.files = files};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan =
        scene_planned("stages:\n  a: {cmd: x, params: [a, b.json: [b.c]]}\n", &scene, arena);
    Error error = {0};

    EXPECT_TEXT(value_of(&plan.items[0].params, "params.yaml:a")->text, "1");
    EXPECT_TEXT(value_of(&plan.items[0].params, "b.json:b.c")->text, "2.5");
    EXPECT(!scene_plan("stages:\n  a: {cmd: x, params: [c.toml: [d]]}\n", &scene, arena, &plan,
                       &error));
    EXPECT_TEXT(error.message,
                "line 2, column 33: values are read from YAML (.yaml, .yml) and JSON "
                "(.json), not from \"c.toml\"");
}

static const struct {
    const char *yaml, *message;
} mistakes[] = {
    {"stages: {a: {cmd: 'x ${nothing.here}'}}\n",
     "line 1, column 19: \"${nothing.here}\": there is no \"nothing.here\""},
    {"stages: {a: {cmd: x, params: [nothing]}}\n",
     "line 1, column 31: there is no \"nothing\" in params.yaml"},
    {"stages: {a: {cmd: x, params: [none.yaml: [a]]}}\n",
     "line 1, column 43: there is no file \"none.yaml\""},
    {"vars: [none.yaml]\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: there is no file \"none.yaml\""},
    {"vars: ['params.yaml:none']\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: all keys of \"params.yaml\" are there already"},
    {"vars: ['bad.yaml:none']\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: there is no \"none\" in it"},
    {"vars: [{c: 3}]\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: \"c\" is in vars twice, with two values"},
    {"vars: [list.yaml]\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: list.yaml is no map of values"},
    {"vars: [broken.yaml]\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: broken.yaml: line 1, column 1: did not find expected node content"},
    {"vars: [../up.yaml]\nstages: {a: {cmd: x}}\n",
     "line 1, column 8: \"../up.yaml\" leaves the project's folder"},
    {"stages: {a: {foreach: '${c}', do: {cmd: x}}}\n",
     "line 1, column 23: stage \"a\": foreach is a list or a map"},
    {"stages: {a: {matrix: {m: '${c}'}, cmd: x}}\n",
     "line 1, column 22: stage \"a\": matrix is a map of lists"},
    {"stages: {a: {cmd: x, frozen: '${c}'}}\n",
     "line 1, column 30: \"stages.a.frozen\" is true or false, not \"1.0\""},
    {"stages: {a: {cmd: x, wdir: '${m}'}}\n", "line 1, column 28: \"wdir\" is a folder"},
    {"stages: {a: {cmd: x, deps: [none.csv]}}\n",
     "line 1, column 29: \"none.csv\" of step \"a\" is not in the project, and no step makes it"},
    {"stages: {a: {cmd: \"x '${c}'\"}}\n", "line 1, column 19: \"${c}\" stands in single quotes, "
                                           "where the shell reads no variable: give it "
                                           "to the command by \"env\", or use \"argv\""},
    {"stages: {a: {cmd: x, outs: ['m/${run.id}']}}\n",
     "line 1, column 29: \"${run.id}\": there is no \"run.id\""},
};

static void test_what_dvc_would_not_find_is_refused_with_its_place(void)
{
    static const SceneFile files[] = {{"params.yaml", "c: 1.0\nm: {a: 1}\n"},
                                      {"bad.yaml", "a: 1\n"},
                                      {"list.yaml", "[1]\n"},
                                      {"broken.yaml", "]"},
                                      {0}};
    static const Scene scene = {.files = files};

    for (size_t i = 0; i < COUNT(mistakes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Error error = {0};
        Plan plan = {0};

        EXPECT(!scene_plan(mistakes[i].yaml, &scene, arena, &plan, &error));
        EXPECT_TEXT(error.message, mistakes[i].message);
        EXPECT(!plan.items);
    }
}

/* In slipway.yaml ${ } is the shell's, and params.yaml is not read into anything. */
static void test_dvcs_templates_mean_nothing_in_a_slipway_yaml(void)
{
    static const SceneFile files[] = {{"params.yaml", "c: 1\n"}, {0}};
    static const Scene scene = {.files = files};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Plan plan = scene_planned("project: p\nstages:\n  a: {cmd: 'run ${c}', outs: ['${c}']}\n",
                              &scene, arena);

    EXPECT_TEXT(plan.items[0].commands.items[0], "run ${c}");
    EXPECT_TEXT(plan.items[0].outs.items[0].path, "${c}");
    EXPECT(!plan.items[0].environment.count);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_dvc_yaml_has_the_steps_and_commands_that_dvc_gives),
        TEST(test_templates_stand_in_paths_params_and_folders),
        TEST(test_files_of_params_are_yaml_and_json),
        TEST(test_what_dvc_would_not_find_is_refused_with_its_place),
        TEST(test_dvcs_templates_mean_nothing_in_a_slipway_yaml),
        {0},
    };

    return test_main(tests, count, names);
}

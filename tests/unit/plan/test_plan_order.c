/* The order of a plan, for graphs drawn at random and for large ones. */
#include "plan/plan.h"
#include "tests/unit/plan/plan_scene.h"

enum { GRAPHS = 300, STAGES_MOST = 24 };

static const Scene empty = {0};

typedef struct Draw {
    uint64_t state;
} Draw;

static size_t draw_below(Draw *draw, size_t count)
{
    draw->state ^= draw->state << 13;
    draw->state ^= draw->state >> 7;
    draw->state ^= draw->state << 17;
    return (size_t)(draw->state % count);
}

/* waits[a][b]: stage a waits for stage b. */
typedef struct Graph {
    size_t count;
    bool waits[STAGES_MOST][STAGES_MOST];
} Graph;

/* Edges follow a hidden order of the stages, so there is no circle. */
static Graph draw_graph(Draw *draw)
{
    Graph graph = {.count = 1 + draw_below(draw, STAGES_MOST)};
    size_t hidden[STAGES_MOST] = {0};

    for (size_t i = 0; i < graph.count; i++) {
        size_t other = draw_below(draw, i + 1);

        hidden[i] = hidden[other];
        hidden[other] = i;
    }
    for (size_t i = 0; i < graph.count; i++)
        for (size_t j = 0; j < i; j++)
            graph.waits[hidden[i]][hidden[j]] = draw_below(draw, 4) == 0;
    return graph;
}

/* Each edge is one of files (the output, its folder, a file in it) or of needs. */
static const char *graph_yaml(const Graph *graph, Draw *draw, Arena *arena)
{
    TextBuilder yaml = {.arena = arena};

    text_append(&yaml, "project: p\nstages:\n");
    for (size_t i = 0; i < graph->count; i++) {
        TextBuilder needs = {.arena = arena};

        text_append_format(&yaml, "  s%zu: {cmd: x, outs: [o/%zu], deps: [", i, i);
        for (size_t j = 0; j < graph->count; j++) {
            size_t kind = draw_below(draw, 4);
            char path[32];

            if (!graph->waits[i][j])
                continue;
            if (kind == 3) {
                text_append_format(&needs, "s%zu, ", j);
                continue;
            }
            snprintf(path, sizeof(path), "o/%zu%s", j,
                     kind == 1   ? "/part/x"
                     : kind == 2 ? "/"
                                 : "");
            text_append_format(&yaml, "%s, ", path);
        }
        text_append_format(&yaml, "], needs: [%s]}\n", text_built(&needs));
    }
    return text_built(&yaml);
}

static size_t stage_number(const char *name)
{
    return (size_t)atoi(name + 1);
}

static void expect_edges(const Plan *plan, const Graph *graph)
{
    size_t edges = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const PlanNeeds *needs = &plan->items[i].needs;

        for (size_t j = 0; j < needs->count; j++) {
            EXPECT(needs->items[j] < i && (!j || needs->items[j - 1] < needs->items[j]));
            EXPECT(graph->waits[stage_number(plan->items[i].name)]
                               [stage_number(plan->items[needs->items[j]].name)]);
        }
        edges += needs->count;
    }
    for (size_t i = 0; i < graph->count; i++)
        for (size_t j = 0; j < graph->count; j++)
            edges -= graph->waits[i][j];
    EXPECT(edges == 0);
}

static void test_each_step_stands_behind_all_that_it_waits_for_and_nothing_else_is_waited_for(void)
{
    Draw draw = {88172645463325252u};

    for (size_t i = 0; i < GRAPHS; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Graph graph = draw_graph(&draw);
        Plan plan = scene_planned(graph_yaml(&graph, &draw, arena), &empty, arena);

        EXPECT(plan.count == graph.count);
        expect_edges(&plan, &graph);
    }
}

/* Renames the stages so that the file has them in the order of the plan. */
static Graph in_order_of(const Graph *graph, const Plan *plan)
{
    Graph ordered = {.count = graph->count};

    for (size_t i = 0; i < graph->count; i++)
        for (size_t j = 0; j < graph->count; j++)
            ordered.waits[i][j] =
                graph->waits[stage_number(plan->items[i].name)][stage_number(plan->items[j].name)];
    return ordered;
}

static void test_a_file_in_a_fine_order_keeps_it(void)
{
    Draw draw = {424242};

    for (size_t i = 0; i < GRAPHS; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Graph graph = draw_graph(&draw), ordered;
        Plan plan = scene_planned(graph_yaml(&graph, &draw, arena), &empty, arena);

        ordered = in_order_of(&graph, &plan);
        plan = scene_planned(graph_yaml(&ordered, &draw, arena), &empty, arena);
        for (size_t j = 0; j < plan.count; j++)
            EXPECT(stage_number(plan.items[j].name) == j);
    }
}

/* "...: s3 -> s1 -> s3": each arrow is an edge, and it comes back. */
static void expect_circle(const char *message, const Graph *graph, Arena *arena)
{
    const char *names = strstr(message, "in a circle: ");
    TextList path;

    EXPECT(names);
    path = text_split(names + strlen("in a circle: "), ' ', arena);
    EXPECT(path.count >= 3 && strcmp(path.items[0], path.items[path.count - 1]) == 0);
    if (strstr(names, "..."))
        return;
    for (size_t i = 2; i < path.count; i += 2)
        EXPECT(graph->waits[stage_number(path.items[i - 2])][stage_number(path.items[i])]);
}

static void test_a_circle_is_refused_by_name(void)
{
    Draw draw = {7777777};
    size_t circles = 0;

    for (size_t i = 0; i < GRAPHS; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Graph graph = draw_graph(&draw);
        size_t from = draw_below(&draw, graph.count), to = draw_below(&draw, graph.count);
        const char *yaml;
        Error error = {0};
        Plan plan = {0};

        if (!graph.waits[from][to])
            continue;
        graph.waits[to][from] = true;
        yaml = graph_yaml(&graph, &draw, arena);
        EXPECT(!scene_plan(yaml, &empty, arena, &plan, &error));
        expect_circle(error.message, &graph, arena);
        circles++;
    }
    EXPECT(circles > GRAPHS / 30);
}

static void test_ten_thousand_steps_are_planned(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder yaml = {.arena = arena};
    Plan plan;

    text_append(&yaml, "project: p\nvars:\n  n: [");
    for (int i = 0; i < 100; i++)
        text_append_format(&yaml, "%d, ", i);
    text_append(&yaml, "]\nstages:\n"
                       "  last: {cmd: x, deps: [part]}\n"
                       "  part:\n"
                       "    matrix: {a: '${{ vars.n }}', b: '${{ vars.n }}'}\n"
                       "    cmd: run ${{ matrix.a }} \"${{ matrix.b }}\" ${{ run.id }}\n"
                       "    deps: [first/x]\n"
                       "    outs: ['part/${{ matrix.a }}/${{ matrix.b }}']\n"
                       "  first: {cmd: x, outs: [first]}\n");
    plan = scene_planned(text_built(&yaml), &empty, arena);
    EXPECT(plan.count == 10002);
    EXPECT_TEXT(plan.items[0].name, "first");
    EXPECT_TEXT(plan.items[1].name, "part@0-0");
    EXPECT_TEXT(plan.items[10000].name, "part@99-99");
    EXPECT(plan.items[10000].needs.count == 1 && plan.items[10001].needs.count == 10000);
    EXPECT_TEXT(plan.items[10000].environment.items[1].text, "99");
}

static void test_a_chain_of_thousands_is_no_deeper_than_any_other(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder yaml = {.arena = arena};
    Plan plan;

    text_append(&yaml, "project: p\nstages:\n");
    for (int i = 0; i < 4000; i++)
        text_append_format(&yaml, "  s%d: {cmd: x, needs: [%s%d]}\n", i, i < 3999 ? "s" : "end",
                           i < 3999 ? i + 1 : 0);
    text_append(&yaml, "  end0: {cmd: x}\n");
    plan = scene_planned(text_built(&yaml), &empty, arena);
    EXPECT(plan.count == 4001);
    EXPECT_TEXT(plan.items[0].name, "end0");
    EXPECT_TEXT(plan.items[4000].name, "s0");
}

/* A foreach over so many. */
static void append_list(TextBuilder *yaml, const char *name, int count)
{
    text_append_format(yaml, "  %s:\n    foreach: [", name);
    for (int i = 0; i < count; i++)
        text_append_format(yaml, "%d, ", i);
    text_append(yaml, "]\n");
}

static void test_what_is_too_large_is_refused_before_it_takes_the_memory(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder steps = {.arena = arena}, edges = {.arena = arena}, texts = {.arena = arena};
    Error error = {0};
    Plan plan = {0};

    text_append(&steps, "project: p\nstages:\n");
    append_list(&steps, "a", PLAN_STEPS_MAX + 1);
    text_append(&steps, "    do: {cmd: x}\n");
    EXPECT(!scene_plan(text_built(&steps), &empty, arena, &plan, &error));
    EXPECT_TEXT(error.message, "line 4, column 14: a plan has at most 20000 steps");

    text_append(&edges, "project: p\nstages:\n");
    append_list(&edges, "a", 1001);
    text_append(&edges, "    do: {cmd: x}\n");
    append_list(&edges, "b", 1001);
    text_append(&edges, "    do: {cmd: x, needs: a}\n");
    EXPECT(!scene_plan(text_built(&edges), &empty, arena, &plan, &error));
    EXPECT_TEXT(error.message,
                "line 7, column 5: the plan has more than 1000000 pairs of steps that "
                "wait for each other");

    text_append(&texts, "project: p\nvars: {long: ");
    for (int i = 0; i < 30000; i++)
        text_append(&texts, "x");
    text_append(&texts, "}\nstages:\n");
    append_list(&texts, "a", 10000);
    text_append(&texts, "    do: {cmd: 'x ${{ vars.long }}'}\n");
    EXPECT(!scene_plan(text_built(&texts), &empty, arena, &plan, &error));
    EXPECT(strstr(error.message, "the plan is too large"));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_step_stands_behind_all_that_it_waits_for_and_nothing_else_is_waited_for),
        TEST(test_a_file_in_a_fine_order_keeps_it),
        TEST(test_a_circle_is_refused_by_name),
        TEST(test_ten_thousand_steps_are_planned),
        TEST(test_a_chain_of_thousands_is_no_deeper_than_any_other),
        TEST(test_what_is_too_large_is_refused_before_it_takes_the_memory),
        {0},
    };

    return test_main(tests, count, names);
}

#include "ml/forest.h"

#include "base/json.h"
#include "ml/random.h"
#include "tests/test.h"

/* ---- a model made by hand ---- */

/* Tree 0: feature 0 below 2 (missing: left) -> -1, else feature 1 below -0.5 (missing: right) -> 2,
 * else 4; node 3 was deleted. Tree 1: 0.25. */
#define TREE_0                                                                                     \
    "{\"tree_param\":{\"num_nodes\":\"6\",\"num_deleted\":\"1\",\"size_leaf_vector\":\"0\"},"      \
    "\"left_children\":[1,-1,4,-1,-1,-1],\"right_children\":[2,-1,5,-1,-1,-1],"                    \
    "\"split_indices\":[0,0,1,2147483647,0,0],\"default_left\":[1,0,0,1,0,0],"                     \
    "\"split_conditions\":[2,-1,-5E-1,0,2E0,4],\"split_type\":[0,0,0,0,0,0],"                      \
    "\"sum_hessian\":[8,2,6,0,1.5,4.5],\"loss_changes\":[Infinity,0,0,0,0,0]}"
#define TREE_1                                                                                     \
    "{\"tree_param\":{\"num_nodes\":\"1\",\"num_deleted\":\"0\",\"size_leaf_vector\":\"1\"},"      \
    "\"left_children\":[-1],\"right_children\":[-1],\"split_indices\":[0],\"default_left\":[0],"   \
    "\"split_conditions\":[2.5E-1],\"split_type\":[0],\"sum_hessian\":[8]}"
#define MODEL                                                                                      \
    "{\"learner\":{\"learner_model_param\":{\"base_score\":\"5E-1\",\"num_class\":\"0\","          \
    "\"num_feature\":\"2\",\"num_target\":\"1\"},\"objective\":{\"name\":\"reg:squarederror\"},"   \
    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"tree_info\":[0,0],"                    \
    "\"trees\":[" TREE_0 "," TREE_1 "]}}},\"version\":[1,7,4]}"

static Forest read_forest(const char *json, Arena *arena)
{
    Forest forest;
    Error error = {0};

    EXPECT_OK(forest_from_xgboost(json, strlen(json), arena, &forest, &error), error);
    return forest;
}

static double margin_of(const Forest *forest, float first, float second)
{
    float row[] = {first, second};
    double margin;

    forest_margins(forest, row, 1, &margin);
    return margin;
}

static void test_rows_go_left_below_a_threshold_and_to_a_side_where_a_value_is_missing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forest forest = read_forest(MODEL, arena);

    EXPECT_NEAR(margin_of(&forest, 1.9F, 0), 0.75 - 1, 0);
    EXPECT_NEAR(margin_of(&forest, NAN, 0), 0.75 - 1, 0);
    EXPECT_NEAR(margin_of(&forest, -INFINITY, 0), 0.75 - 1, 0);
    EXPECT_NEAR(margin_of(&forest, 2, -0.6F), 0.75 + 2, 0);
    EXPECT_NEAR(margin_of(&forest, 2, -0.5F), 0.75 + 4, 0);
    EXPECT_NEAR(margin_of(&forest, INFINITY, NAN), 0.75 + 4, 0);
    EXPECT_NEAR(margin_of(&forest, INFINITY, INFINITY), 0.75 + 4, 0);
}

/* The mean is 0.75 + (2 * -1 + 1.5 * 2 + 4.5 * 4) / 8 = 3.125. With feature 0 alone known, as 3, it
 * is 4.25; with feature 1 alone, as 0, 3.5; with both 4.75. */
static void test_contributions_are_what_each_feature_adds_on_average(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forest forest = read_forest(MODEL, arena);
    double contributions[3];

    forest_contributions(&forest, (float[]){3, 0}, contributions, arena);
    EXPECT_NEAR(contributions[0], ((4.25 - 3.125) + (4.75 - 3.5)) / 2, 1e-12);
    EXPECT_NEAR(contributions[1], ((3.5 - 3.125) + (4.75 - 4.25)) / 2, 1e-12);
    EXPECT_NEAR(contributions[2], 3.125, 1e-12);
}

/* ---- words of a document in place of others ---- */

static const char *with(const char *json, const char *old, const char *new, Arena *arena)
{
    const char *at = strstr(json, old);

    EXPECT(at);
    return arena_format(arena, "%.*s%s%s", (int)(at - json), json, new, at + strlen(old));
}

typedef struct BaseCase {
    const char *objective, *base_score;
    double margin;
} BaseCase;

static const BaseCase base_cases[] = {
    {"reg:squarederror", "5E-1", 0.5},
    {"reg:squarederror", "[-1.25E2]", -125},
    {"binary:logistic", "5E-1", 0},
    {"binary:logistic", "2.5E-1", -1.0986122886681098},
    {"binary:logistic", "[2.5E-1]", -1.0986122886681098},
    {"multi:softprob", "5E-1", 0.5},
    {"count:poisson", "2", 0.6931471805599453},
};

static void test_the_base_is_a_margin_of_the_objective(void)
{
    for (size_t i = 0; i < COUNT(base_cases); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const char *json = with(MODEL, "reg:squarederror", base_cases[i].objective, arena);
        Forest forest = read_forest(with(json, "5E-1", base_cases[i].base_score, arena), arena);

        EXPECT_NEAR(forest.base[0], base_cases[i].margin, 1e-7);
    }
}

static void test_trees_of_several_classes_take_turns(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *json = with(MODEL, "\"num_class\":\"0\"", "\"num_class\":\"2\"", arena);
    double margins[2], contributions[6];
    Forest forest;

    json = with(json, "[0,0]", "[0,1]", arena);
    forest = read_forest(with(json, "\"5E-1\"", "\"[1,2]\"", arena), arena);
    forest_margins(&forest, (float[]){3, 0}, 1, margins);
    EXPECT_NEAR(margins[0], 1 + 4, 0);
    EXPECT_NEAR(margins[1], 2 + 0.25, 0);
    forest_contributions(&forest, (float[]){3, 0}, contributions, arena);
    EXPECT_NEAR(contributions[0] + contributions[1] + contributions[2], 5, 1e-12);
    EXPECT_NEAR(contributions[3], 0, 0);
    EXPECT_NEAR(contributions[5], 2.25, 0);
}

typedef struct DamageCase {
    const char *old, *new, *sentence;
} DamageCase;

#define SAYS(text) "the XGBoost model: " text

static const DamageCase damage_cases[] = {
    {MODEL, "", SAYS("the JSON document is empty")},
    {MODEL, "[]", SAYS("it must be a JSON object")},
    {"[1,7,4]", "\"1.7.4\"", SAYS("\"version\" must be an array of numbers")},
    {"[1,7,4]", "[1,\"7\"]", SAYS("\"version\" must be an array of numbers")},
    {"[1,7,4]", "[1,6,2]", SAYS("it is of version 1.6, those of 1.7 to 3.x can be read")},
    {"[1,7,4]", "[4,0,0]", SAYS("it is of version 4.0, those of 1.7 to 3.x can be read")},
    {"\"learner\":{", "\"other\":{", SAYS("there is no object \"learner\" where one belongs")},
    {"\"learner_model_param\":{", "\"other\":{",
     SAYS("there is no object \"learner_model_param\" where one belongs")},
    {"\"gbtree\"", "\"dart\"", SAYS("its booster is \"dart\", only \"gbtree\" can be read")},
    {"\"gbtree\"", "null", SAYS("its booster is \"\", only \"gbtree\" can be read")},
    {"[0,0],\"trees\"", "[0],\"trees\"",
     SAYS("\"trees\" and \"tree_info\" must be arrays, equally long")},
    {"[0,0],\"trees\"", "[0,1],\"trees\"",
     SAYS("tree 1 is not of the group whose turn it is, of 1: only one tree at a time for each can "
          "be read")},
    {"\"num_class\":\"0\"", "\"num_class\":\"3\"",
     SAYS("tree 1 is not of the group whose turn it is, of 3: only one tree at a time for each can "
          "be read")},
    {"\"num_class\":\"0\"", "\"num_class\":\"9999\"",
     SAYS("\"num_class\" is 9999, the most is 4096")},
    {"\"num_class\":\"0\"", "\"num_class\":\"-1\"",
     SAYS("\"num_class\" must be a whole number as a text")},
    {"\"num_target\":\"1\"", "\"num_target\":\"2\"",
     SAYS("it has 2 targets, only one can be read")},
    {"\"num_feature\":\"2\"", "\"num_feature\":2",
     SAYS("\"num_feature\" must be a whole number as a text")},
    {"\"num_feature\":\"2\"", "\"num_feature\":\"1\"",
     SAYS("tree 0: node 2 splits by feature 1 of 1")},
    {"reg:squarederror", "rank:pairwise",
     SAYS("its objective is \"rank:pairwise\", of which is not known what the base means")},
    {"\"5E-1\"", "0.5", SAYS("\"base_score\" must be a number as a text")},
    {"\"5E-1\"", "\"half\"", SAYS("\"base_score\" must be a number as a text")},
    {"\"5E-1\"", "\"1e99\"", SAYS("\"base_score\" has no margin for \"reg:squarederror\"")},
    {"\"5E-1\"", "\"{}\"", SAYS("\"base_score\" has no margin for \"reg:squarederror\"")},
    {"\"5E-1\"", "\"[1,2]\"", SAYS("\"base_score\" has 2 numbers for 1 groups")},
    {"\"5E-1\"", "\"[]\"", SAYS("\"base_score\" has 0 numbers for 1 groups")},
    {TREE_0, "7", SAYS("tree 0: there is no object \"tree_param\" where one belongs")},
    {"\"num_nodes\":\"6\"", "\"num_nodes\":\"7\"",
     SAYS("tree 0: \"left_children\" must be an array of 7 whole numbers")},
    {"\"num_nodes\":\"1\"", "\"num_nodes\":\"0\"", SAYS("tree 1: it has no nodes")},
    {"\"num_deleted\":\"1\"", "\"num_deleted\":\"0\"",
     SAYS("tree 0: 1 nodes are not led to, where 0 are said to be deleted")},
    {"\"size_leaf_vector\":\"0\"", "\"size_leaf_vector\":\"3\"",
     SAYS("tree 0: its leaves hold 3 numbers, only one can be read")},
    {"[1,-1,4,-1,-1,-1]", "[0,-1,4,-1,-1,-1]",
     SAYS("tree 0: node 0 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,2,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,1,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,6,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,-2,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,-1,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child to the right alone")},
    {"[2,-1,5,-1,-1,-1]", "[2,-1,-1,-1,-1,-1]",
     SAYS("tree 0: node 2 has a child that is no node, or another one's")},
    {"[1,-1,4,-1,-1,-1]", "[1,-1,4.0,-1,-1,-1]",
     SAYS("tree 0: \"left_children\" must be an array of 6 whole numbers")},
    {"[2,-1,5,-1,-1,-1]", "[2,-1,5,-1,-1,4294967295]",
     SAYS("tree 0: \"right_children\" must be an array of 6 whole numbers")},
    {"[0,0,1,2147483647,0,0]", "[0,0,2,0,0,0]", SAYS("tree 0: node 2 splits by feature 2 of 2")},
    {"[0,0,1,2147483647,0,0]", "[-1,0,1,0,0,0]", SAYS("tree 0: node 0 splits by feature -1 of 2")},
    {"[1,0,0,1,0,0]", "[2,0,0,1,0,0]", SAYS("tree 0: node 0 has no side for what is missing")},
    {"\"split_type\":[0,0,0,0,0,0]", "\"split_type\":[1,0,0,0,0,0]",
     SAYS("tree 0: node 0 splits by categories, which cannot be read")},
    {"[2,-1,-5E-1,0,2E0,4]", "[2,-1,-5E-1,0,NaN,4]",
     SAYS("tree 0: \"split_conditions\" must be an array of 6 finite numbers")},
    {"[2,-1,-5E-1,0,2E0,4]", "[2,-1,-5E-1,0,1e39,4]",
     SAYS("tree 0: \"split_conditions\" must be an array of 6 finite numbers")},
    {"[2,-1,-5E-1,0,2E0,4]", "[2,-1,-5E-1,0,null,4]",
     SAYS("tree 0: \"split_conditions\" must be an array of 6 finite numbers")},
    {"[8,2,6,0,1.5,4.5]", "[8,2,6,0,-1.5,4.5]",
     SAYS("tree 0: node 2 has a child with a weight below 0")},
    {"[8,2,6,0,1.5,4.5]", "[8,2,6,0,1.5]",
     SAYS("tree 0: \"sum_hessian\" must be an array of 6 finite numbers")},
    {"\"sum_hessian\":[8]", "\"cover\":[8]",
     SAYS("tree 1: \"sum_hessian\" must be an array of 1 finite numbers")},
};

static void test_what_is_damaged_is_refused_with_a_sentence(void)
{
    for (size_t i = 0; i < COUNT(damage_cases); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const char *json = with(MODEL, damage_cases[i].old, damage_cases[i].new, arena);
        Forest forest = {.tree_count = 7};
        Error error = {0};

        EXPECT(!forest_from_xgboost(json, strlen(json), arena, &forest, &error));
        EXPECT_TEXT(error.message, damage_cases[i].sentence);
        EXPECT(forest.tree_count == 7 && !forest.nodes);
    }
}

/* ---- trees by chance ---- */

enum { NODES_MAX = 512, FEATURES_MAX = 12 };

/* As XGBoost has them: nodes in the order in which they came to be. */
typedef struct Grown {
    struct GrownNode {
        int left, right, feature, default_left;
        double value, weight;
    } nodes[NODES_MAX];
    int count;
} Grown;

typedef struct Shape {
    int features, levels, trees;
    bool is_chain;    /* only what goes left is split again */
    bool has_nothing; /* some nodes saw nothing in training */
} Shape;

static void grow(Grown *grown, int at, const Shape *shape, int level, Random *random)
{
    struct GrownNode *node = &grown->nodes[at];
    double share = random_unit(random);

    node->left = node->right = -1;
    node->value = floor(random_unit(random) * 16) / 4 - 2;
    if (level == shape->levels || (!shape->is_chain && random_below(random, 8) == 0))
        return;
    node->feature = (int)random_below(random, (uint64_t)shape->features);
    node->default_left = (int)random_below(random, 2);
    node->left = grown->count++;
    node->right = grown->count++;
    EXPECT(grown->count <= NODES_MAX);
    if (shape->has_nothing && random_below(random, 4) == 0)
        share = 0;
    grown->nodes[node->left].weight = (double)(float)(node->weight * share);
    grown->nodes[node->right].weight = node->weight - grown->nodes[node->left].weight;
    grow(grown, node->right, shape, shape->is_chain ? shape->levels : level + 1, random);
    grow(grown, node->left, shape, level + 1, random);
}

static void write_array(JsonWriter *json, const char *name, const Grown *grown, size_t offset)
{
    json_open_array(json, name);
    for (int i = 0; i < grown->count; i++)
        json_int(json, NULL, *(const int *)((const char *)&grown->nodes[i] + offset));
    json_close(json);
}

static void write_tree(JsonWriter *json, const Grown *grown, Arena *arena)
{
    json_open_object(json, NULL);
    json_open_object(json, "tree_param");
    json_text(json, "num_nodes", arena_format(arena, "%d", grown->count));
    json_text(json, "num_deleted", "0");
    json_text(json, "size_leaf_vector", "0");
    json_close(json);
    write_array(json, "left_children", grown, offsetof(struct GrownNode, left));
    write_array(json, "right_children", grown, offsetof(struct GrownNode, right));
    write_array(json, "split_indices", grown, offsetof(struct GrownNode, feature));
    write_array(json, "default_left", grown, offsetof(struct GrownNode, default_left));
    json_open_array(json, "split_conditions");
    for (int i = 0; i < grown->count; i++)
        json_double(json, NULL, grown->nodes[i].value);
    json_close(json);
    json_open_array(json, "sum_hessian");
    for (int i = 0; i < grown->count; i++)
        json_double(json, NULL, grown->nodes[i].weight);
    json_close(json);
    json_open_array(json, "split_type");
    for (int i = 0; i < grown->count; i++)
        json_int(json, NULL, 0);
    json_close(json);
    json_close(json);
}

static const char *write_model(const Grown *trees, const Shape *shape, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena), *info = json_writer_create(arena);
    const char *model = with(MODEL, "\"num_feature\":\"2\"",
                             arena_format(arena, "\"num_feature\":\"%d\"", shape->features), arena);

    json_open_array(json, NULL);
    json_open_array(info, NULL);
    for (int tree = 0; tree < shape->trees; tree++) {
        write_tree(json, &trees[tree], arena);
        json_int(info, NULL, 0);
    }
    json_close(json);
    json_close(info);
    model = with(model, "[" TREE_0 "," TREE_1 "]", json_finish(json), arena);
    return with(model, "[0,0]", json_finish(info), arena);
}

static Forest make_forest(const Shape *shape, Grown *trees, Random *random, Arena *arena)
{
    for (int tree = 0; tree < shape->trees; tree++) {
        trees[tree].count = 1;
        trees[tree].nodes[0].weight = 100;
        grow(&trees[tree], 0, shape, 0, random);
    }
    return read_forest(write_model(trees, shape, arena), arena);
}

static void make_row(const Shape *shape, float *row, Random *random)
{
    for (int i = 0; i < shape->features; i++)
        row[i] = random_below(random, 8) == 0 ? NAN : (float)(random_unit(random) * 5 - 2.5);
}

static bool goes_left(const struct GrownNode *node, const float *row)
{
    float value = row[node->feature];

    return isnan(value) ? node->default_left : value < (float)node->value;
}

/* What a tree gives on average when only the features of the set are known, by the definition. */
static double mean_of(const Grown *grown, int at, const float *row, unsigned known)
{
    const struct GrownNode *node = &grown->nodes[at];
    double left, right, share;

    if (node->left < 0)
        return node->value;
    if (known >> node->feature & 1)
        return mean_of(grown, goes_left(node, row) ? node->left : node->right, row, known);
    left = grown->nodes[node->left].weight;
    right = grown->nodes[node->right].weight;
    share = left + right > 0 ? left / (left + right) : 0.5;
    return share * mean_of(grown, node->left, row, known) +
           (1 - share) * mean_of(grown, node->right, row, known);
}

static double binomial(int n, int k)
{
    double value = 1;

    for (int i = 1; i <= k; i++)
        value = value * (n - k + i) / i;
    return value;
}

/* By the definition, over all sets of features. */
static void shapley_values(const Grown *trees, const Shape *shape, const float *row, double *values)
{
    unsigned sets = 1U << shape->features;
    double *means = calloc(sets, sizeof(*means));

    for (unsigned set = 0; set < sets; set++)
        for (int tree = 0; tree < shape->trees; tree++)
            means[set] += mean_of(&trees[tree], 0, row, set);
    for (int i = 0; i < shape->features; i++) {
        values[i] = 0;
        for (unsigned set = 0; set < sets; set++)
            if (!(set >> i & 1))
                values[i] += (means[set | 1U << i] - means[set]) / shape->features /
                             binomial(shape->features - 1, __builtin_popcount(set));
    }
    values[shape->features] = means[0] + 0.5;
    free(means);
}

static const Shape shapes[] = {
    {.features = 1, .levels = 3, .trees = 2},
    {.features = 3, .levels = 5, .trees = 3},
    {.features = 6, .levels = 6, .trees = 2},
    {.features = 5, .levels = 6, .trees = 3, .has_nothing = true},
    {.features = 12, .levels = 8, .trees = 2},
    {.features = 11, .levels = 40, .trees = 1, .is_chain = true},
    {.features = 12, .levels = 128, .trees = 1, .is_chain = true, .has_nothing = true},
};

static void test_contributions_are_shapleys_by_the_definition(void)
{
    Random random = random_seeded(7);

    for (size_t i = 0; i < 3 * COUNT(shapes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Shape *shape = &shapes[i / 3];
        Grown *trees = arena_array(arena, Grown, (size_t)shape->trees);
        Forest forest = make_forest(shape, trees, &random, arena);
        double expected[FEATURES_MAX + 1], actual[FEATURES_MAX + 1], margin, sum = 0;
        float row[FEATURES_MAX];

        make_row(shape, row, &random);
        shapley_values(trees, shape, row, expected);
        forest_contributions(&forest, row, actual, arena);
        forest_margins(&forest, row, 1, &margin);
        for (int feature = 0; feature <= shape->features; feature++) {
            EXPECT_NEAR(actual[feature], expected[feature], 1e-6);
            sum += actual[feature];
        }
        EXPECT_NEAR(sum, margin, 1e-6);
    }
}

static void test_many_rows_get_what_each_gets_alone(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const Shape shape = {.features = 12, .levels = 6, .trees = 13};
    enum { ROWS = 2 * 256 + 21 }; /* more than are walked together */
    Random random = random_seeded(3);
    Forest forest = make_forest(&shape, arena_array(arena, Grown, 13), &random, arena);
    float rows[ROWS * 12];
    double together[ROWS], alone;

    for (size_t row = 0; row < ROWS; row++)
        make_row(&shape, rows + row * 12, &random);
    forest_margins(&forest, rows, ROWS, together);
    for (size_t row = 0; row < ROWS; row++) {
        forest_margins(&forest, rows + row * 12, 1, &alone);
        EXPECT_NEAR(alone, together[row], 0);
    }
}

/* More than the slots on the stack hold. */
static void test_rows_may_have_many_features(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    enum { MANY = 20000, ROWS = 9 };
    const char *json = with(MODEL, "\"num_feature\":\"2\"", "\"num_feature\":\"20000\"", arena);
    Forest forest =
        read_forest(with(json, "[0,0,1,2147483647,0,0]", "[0,0,19999,0,0,0]", arena), arena);
    float *rows = arena_array(arena, float, ROWS *MANY);
    double margins[ROWS];

    for (size_t row = 0; row < ROWS; row++) {
        rows[row * MANY] = row % 2 ? NAN : 5;
        rows[row * MANY + MANY - 1] = row % 4 ? 1 : -1;
    }
    forest_margins(&forest, rows, ROWS, margins);
    for (size_t row = 0; row < ROWS; row++)
        EXPECT_NEAR(margins[row], 0.75 + (row % 2 ? -1 : row % 4 ? 4 : 2), 0);
}

static void test_more_levels_than_can_be_read_are_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const Shape shape = {.features = 3, .levels = 129, .trees = 1, .is_chain = true};
    Grown *tree = arena_array(arena, Grown, 1);
    Random random = random_seeded(1);
    const char *json;
    Forest forest;
    Error error = {0};

    tree->count = 1;
    grow(tree, 0, &shape, 0, &random);
    json = write_model(tree, &shape, arena);
    EXPECT(!forest_from_xgboost(json, strlen(json), arena, &forest, &error));
    EXPECT_TEXT(error.message, SAYS("tree 0 of the forest has 129 levels of splits, the most are "
                                    "128"));
}

/* ---- the section of a file ---- */

static ByteWriter written(const Forest *forest, size_t ahead, Arena *arena)
{
    ByteWriter writer = {.arena = arena};

    for (size_t i = 0; i < ahead; i++)
        write_items(&writer, "x", 1, 1);
    forest_write(forest, &writer);
    return writer;
}

static Forest small_forest(Arena *arena)
{
    static const Shape shape = {.features = 2, .levels = 3, .trees = 3};
    Random random = random_seeded(5);

    return make_forest(&shape, arena_array(arena, Grown, 3), &random, arena);
}

static void test_a_forest_is_read_as_it_was_written(void)
{
    for (size_t ahead = 0; ahead < 8; ahead++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Forest forest = small_forest(arena), again = {0};
        ByteWriter writer = written(&forest, ahead, arena);
        ByteReader reader = {writer.bytes, writer.size, ahead, false};
        const char *nodes;

        forest_read(&reader, arena, &again);
        EXPECT(!reader.is_bad && reader.at == reader.size && (reader.size - ahead) % 8 == 0);
        for (float value = -3; value < 3; value += 0.25F)
            EXPECT_NEAR(margin_of(&again, value, -value), margin_of(&forest, value, -value), 0);
        nodes = (const char *)again.nodes;
        EXPECT((nodes > writer.bytes && nodes < writer.bytes + writer.size) == (ahead % 4 == 0));
    }
}

/* Refused, or a forest that may be wrong but answers. */
static bool is_read(char *bytes, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ByteReader reader = {bytes, size, 0, false};
    Forest forest = {0};
    double *contributions, *margins;
    float *row;

    forest_read(&reader, arena, &forest);
    if (reader.is_bad) {
        EXPECT(!forest.nodes);
        return false;
    }
    row = arena_array(arena, float, forest.feature_count);
    margins = arena_array(arena, double, forest.group_count);
    contributions = arena_array(arena, double, forest.group_count *(forest.feature_count + 1));
    forest_margins(&forest, row, 1, margins);
    forest_contributions(&forest, row, contributions, arena);
    return true;
}

static void test_a_section_that_is_cut_or_changed_is_refused_or_harmless(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forest forest = small_forest(arena);
    ByteWriter writer = written(&forest, 0, arena);
    size_t read_count = 0;

    for (size_t size = 0; size < writer.size; size++) {
        char *cut = malloc(size + 1);

        memcpy(cut, writer.bytes, size);
        EXPECT(!is_read(cut, size));
        free(cut);
    }
    for (size_t bit = 0; bit < writer.size * 8; bit++) {
        writer.bytes[bit / 8] ^= (char)(1 << bit % 8);
        read_count += is_read(writer.bytes, writer.size);
        writer.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    EXPECT(read_count > 0 && read_count < writer.size * 4);
    EXPECT(is_read(writer.bytes, writer.size));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_rows_go_left_below_a_threshold_and_to_a_side_where_a_value_is_missing),
        TEST(test_contributions_are_what_each_feature_adds_on_average),
        TEST(test_the_base_is_a_margin_of_the_objective),
        TEST(test_trees_of_several_classes_take_turns),
        TEST(test_what_is_damaged_is_refused_with_a_sentence),
        TEST(test_contributions_are_shapleys_by_the_definition),
        TEST(test_many_rows_get_what_each_gets_alone),
        TEST(test_rows_may_have_many_features),
        TEST(test_more_levels_than_can_be_read_are_refused),
        TEST(test_a_forest_is_read_as_it_was_written),
        TEST(test_a_section_that_is_cut_or_changed_is_refused_or_harmless),
        {0},
    };

    return test_main(tests, count, names);
}

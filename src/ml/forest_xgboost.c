#include "ml/forest_xgboost.h"

#include <math.h>
#include <string.h>

/* ---- values ---- */

enum { DIGITS_MAX = 9 };

bool xgboost_count(const JsonValue *object, const char *name, size_t most, size_t *count,
                   Error *error)
{
    const char *text = json_as_text(json_member(object, name), "");
    size_t length = strlen(text), value = 0;

    if (!length || length > DIGITS_MAX || strspn(text, "0123456789") != length)
        return fail(error, ERROR_INVALID, "\"%s\" must be a whole number as a text", name);
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (size_t)(text[i] - '0');
    if (value > most)
        return fail(error, ERROR_TOO_LARGE, "\"%s\" is %zu, the most is %zu", name, value, most);
    *count = value;
    return true;
}

bool xgboost_object(const JsonValue *parent, const char *name, const JsonValue **object,
                    Error *error)
{
    *object = json_member(parent, name);
    return json_is_object(*object) ||
           fail(error, ERROR_INVALID, "there is no object \"%s\" where one belongs", name);
}

bool xgboost_float(const JsonValue *value, float *number)
{
    *number = (float)json_as_double(value, NAN);
    return isfinite(*number);
}

/* ---- the model's head ---- */

typedef struct Source {
    const JsonValue *parameters, *trees, *groups; /* groups: of each tree */
    const char *objective;
    Arena *scratch;
} Source;

static bool check_version(const JsonValue *model, Error *error)
{
    enum { MAJOR_LEAST = 1, MINOR_LEAST = 7, MAJOR_MOST = 3 };
    const JsonValue *version = json_member(model, "version");
    int64_t numbers[2] = {-1, -1};

    for (JsonWalk walk = json_walk(version); json_walk_next(&walk) && walk.index < 2;)
        numbers[walk.index] = json_as_int(walk.value, -1);
    if (!json_is_array(version) || numbers[0] < 0 || numbers[1] < 0)
        return fail(error, ERROR_INVALID, "\"version\" must be an array of numbers");
    return (numbers[0] == MAJOR_LEAST && numbers[1] >= MINOR_LEAST) ||
           (numbers[0] > MAJOR_LEAST && numbers[0] <= MAJOR_MOST) ||
           fail(error, ERROR_INVALID, "it is of version %lld.%lld, those of 1.7 to 3.x can be read",
                (long long)numbers[0], (long long)numbers[1]);
}

static bool read_booster(const JsonValue *learner, Source *source, Error *error)
{
    const JsonValue *booster, *model;
    const char *name;

    if (!xgboost_object(learner, "gradient_booster", &booster, error))
        return false;
    name = json_as_text(json_member(booster, "name"), "");
    if (strcmp(name, "gbtree") != 0)
        return fail(error, ERROR_INVALID, "its booster is \"%.40s\", only \"gbtree\" can be read",
                    name);
    if (!xgboost_object(booster, "model", &model, error))
        return false;
    source->trees = json_member(model, "trees");
    source->groups = json_member(model, "tree_info");
    return (json_is_array(source->trees) && json_is_array(source->groups) &&
            json_count(source->trees) == json_count(source->groups)) ||
           fail(error, ERROR_INVALID, "\"trees\" and \"tree_info\" must be arrays, equally long");
}

static bool read_head(const JsonValue *model, Source *source, Error *error)
{
    const JsonValue *learner, *objective;

    if (!json_is_object(model))
        return fail(error, ERROR_INVALID, "it must be a JSON object");
    if (!check_version(model, error) || !xgboost_object(model, "learner", &learner, error) ||
        !xgboost_object(learner, "learner_model_param", &source->parameters, error) ||
        !xgboost_object(learner, "objective", &objective, error))
        return false;
    source->objective = json_as_text(json_member(objective, "name"), "");
    return read_booster(learner, source, error);
}

/* ---- the base ---- */

/* How an objective makes a margin of the base, in floats, as XGBoost does. */
typedef float MarginOf(float base);

static float margin_itself(float base)
{
    return base;
}

static float margin_of_probability(float base)
{
    return -logf(1.0F / base - 1.0F);
}

static float margin_of_count(float base)
{
    return logf(base);
}

static const struct Objective {
    const char *name;
    MarginOf *margin_of;
} objectives[] = {
    {"binary:logistic", margin_of_probability}, {"binary:logitraw", margin_of_probability},
    {"reg:logistic", margin_of_probability},    {"multi:softprob", margin_itself},
    {"multi:softmax", margin_itself},           {"reg:squarederror", margin_itself},
    {"reg:absoluteerror", margin_itself},       {"reg:pseudohubererror", margin_itself},
    {"count:poisson", margin_of_count},         {"reg:gamma", margin_of_count},
    {"reg:tweedie", margin_of_count},           {0},
};

static bool find_objective(const char *name, MarginOf **margin_of, Error *error)
{
    for (const struct Objective *objective = objectives; objective->name; objective++)
        if (strcmp(objective->name, name) == 0) {
            *margin_of = objective->margin_of;
            return true;
        }
    return fail(error, ERROR_INVALID,
                "its objective is \"%.40s\", of which is not known what the base means", name);
}

/* The text of base_score: a number, or from 3.1 on an array of one or of one for each group. */
static bool read_base_score(const Source *source, const JsonValue **score, Error *error)
{
    const JsonValue *text = json_member(source->parameters, "base_score");

    return (json_is_text(text) && json_parse(json_as_text(text, ""), json_text_size(text),
                                             source->scratch, score, error)) ||
           fail(error, ERROR_INVALID, "\"base_score\" must be a number as a text");
}

static bool read_base(const Source *source, Forest *forest, Arena *arena, Error *error)
{
    double *base = arena_array(arena, double, forest->group_count);
    const JsonValue *score, *value;
    JsonWalk walk;
    MarginOf *margin_of;

    if (!find_objective(source->objective, &margin_of, error) ||
        !read_base_score(source, &score, error))
        return false;
    if (json_is_array(score) && json_count(score) != 1 && json_count(score) != forest->group_count)
        return fail(error, ERROR_INVALID, "\"base_score\" has %zu numbers for %zu groups",
                    json_count(score), forest->group_count);
    walk = json_walk(score);
    value = score;
    for (size_t group = 0; group < forest->group_count; group++) {
        float number;

        if (json_walk_next(&walk))
            value = walk.value;
        if (!xgboost_float(value, &number) || !isfinite(margin_of(number)))
            return fail(error, ERROR_INVALID, "\"base_score\" has no margin for \"%s\"",
                        source->objective);
        base[group] = (double)margin_of(number);
    }
    forest->base = base;
    return true;
}

static bool read_sizes(const Source *source, Forest *forest, Error *error)
{
    const JsonValue *parameters = source->parameters;
    size_t class_count, target_count = 1;

    if (!xgboost_count(parameters, "num_feature", FOREST_FEATURES_MAX, &forest->feature_count,
                       error) ||
        !xgboost_count(parameters, "num_class", FOREST_GROUPS_MAX, &class_count, error))
        return false;
    if (json_member(parameters, "num_target") &&
        !xgboost_count(parameters, "num_target", FOREST_GROUPS_MAX, &target_count, error))
        return false;
    if (target_count > 1)
        return fail(error, ERROR_INVALID, "it has %zu targets, only one can be read", target_count);
    forest->group_count = class_count ? class_count : 1;
    forest->tree_count = json_count(source->trees);
    return true;
}

static bool check_groups(const Source *source, const Forest *forest, Error *error)
{
    for (JsonWalk walk = json_walk(source->groups); json_walk_next(&walk);)
        if (json_as_int(walk.value, -1) != (int64_t)(walk.index % forest->group_count))
            return fail(error, ERROR_INVALID,
                        "tree %zu is not of the group whose turn it is, of %zu: only one tree at a "
                        "time for each can be read",
                        walk.index, forest->group_count);
    return forest->tree_count % forest->group_count == 0 ||
           fail(error, ERROR_INVALID, "it has %zu trees for %zu groups", forest->tree_count,
                forest->group_count);
}

/* ---- the forest ---- */

static bool read_trees(const Source *source, Forest *forest, Arena *arena, Error *error)
{
    XgboostNodes nodes = {.feature_count = forest->feature_count};
    uint32_t *roots = arena_array(arena, uint32_t, forest->tree_count);
    size_t room = 0;

    for (JsonWalk walk = json_walk(source->trees); json_walk_next(&walk);)
        room += json_count(json_member(walk.value, "left_children"));
    if (room > FOREST_NODES_MAX)
        return fail(error, ERROR_TOO_LARGE, "it has %zu nodes, the most are %d", room,
                    FOREST_NODES_MAX);
    nodes.items = arena_array(arena, ForestNode, room);
    for (JsonWalk walk = json_walk(source->trees); json_walk_next(&walk);) {
        roots[walk.index] = (uint32_t)nodes.count;
        if (!xgboost_tree(walk.value, &nodes, source->scratch, error))
            return fail_in(error, "tree %zu", walk.index);
    }
    forest->roots = roots;
    forest->nodes = nodes.items;
    forest->node_count = nodes.count;
    return true;
}

static bool read_model(const JsonValue *model, Forest *forest, Arena *arena, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Source source = {.scratch = scratch};

    return read_head(model, &source, error) && read_sizes(&source, forest, error) &&
           check_groups(&source, forest, error) && read_base(&source, forest, arena, error) &&
           read_trees(&source, forest, arena, error) && forest_complete(forest, arena, error);
}

/* As Python reads it: figures that a forest does without, of what a split gained, may be infinite.
 */
bool forest_from_xgboost(const char *json, size_t size, Arena *arena, Forest *forest, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const JsonValue *model;
    Forest found = {0};

    if (!json_parse_python(json, size, scratch, &model, error) ||
        !read_model(model, &found, arena, error))
        return fail_in(error, "the XGBoost model");
    *forest = found;
    return true;
}

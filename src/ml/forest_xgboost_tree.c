#include <math.h>
#include <string.h>

#include "ml/forest_xgboost.h"

/* ---- arrays ---- */

/* What XGBoost has of a tree, by node. */
typedef struct Tree {
    size_t count, deleted_count;
    const int32_t *left, *right, *features, *default_left, *kinds;
    const float *values, *weights;
} Tree;

static const int32_t *take_integers(const JsonValue *array, size_t count, Arena *scratch)
{
    int32_t *numbers;

    if (!json_is_array(array) || json_count(array) != count)
        return NULL;
    numbers = arena_array(scratch, int32_t, count);
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        int64_t number = json_as_int(walk.value, INT64_MIN);

        if (number < INT32_MIN || number > INT32_MAX)
            return NULL;
        numbers[walk.index] = (int32_t)number;
    }
    return numbers;
}

static const float *take_floats(const JsonValue *array, size_t count, Arena *scratch)
{
    float *numbers;

    if (!json_is_array(array) || json_count(array) != count)
        return NULL;
    numbers = arena_array(scratch, float, count);
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        if (!xgboost_float(walk.value, &numbers[walk.index]))
            return NULL;
    return numbers;
}

static const struct TreeArray {
    const char *name;
    bool is_float;
    size_t offset;
} tree_arrays[] = {
    {"left_children", false, offsetof(Tree, left)},
    {"right_children", false, offsetof(Tree, right)},
    {"split_indices", false, offsetof(Tree, features)},
    {"default_left", false, offsetof(Tree, default_left)},
    {"split_type", false, offsetof(Tree, kinds)},
    {"split_conditions", true, offsetof(Tree, values)},
    {"sum_hessian", true, offsetof(Tree, weights)},
    {0},
};

static bool read_arrays(const JsonValue *value, Tree *tree, Arena *scratch, Error *error)
{
    for (const struct TreeArray *array = tree_arrays; array->name; array++) {
        const JsonValue *member = json_member(value, array->name);
        const void *numbers = array->is_float
                                  ? (const void *)take_floats(member, tree->count, scratch)
                                  : take_integers(member, tree->count, scratch);

        if (!numbers)
            return fail(error, ERROR_INVALID, "\"%s\" must be an array of %zu %s", array->name,
                        tree->count, array->is_float ? "finite numbers" : "whole numbers");
        memcpy((char *)tree + array->offset, &numbers, sizeof(numbers));
    }
    return true;
}

static bool read_tree(const JsonValue *value, Tree *tree, Arena *scratch, Error *error)
{
    const JsonValue *parameters;
    size_t vector_size;

    if (!xgboost_object(value, "tree_param", &parameters, error) ||
        !xgboost_count(parameters, "num_nodes", FOREST_NODES_MAX, &tree->count, error) ||
        !xgboost_count(parameters, "num_deleted", FOREST_NODES_MAX, &tree->deleted_count, error) ||
        !xgboost_count(parameters, "size_leaf_vector", FOREST_GROUPS_MAX, &vector_size, error))
        return false;
    if (vector_size > 1)
        return fail(error, ERROR_INVALID, "its leaves hold %zu numbers, only one can be read",
                    vector_size);
    if (!tree->count)
        return fail(error, ERROR_INVALID, "it has no nodes");
    return read_arrays(value, tree, scratch, error);
}

/* ---- placing ---- */

/* The nodes of a tree that have their place, in the order of their places. */
typedef struct Placing {
    const Tree *tree;
    XgboostNodes *nodes;
    size_t root, count;
    size_t *sources; /* where they are in the arrays */
    bool *is_placed; /* by source */
} Placing;

static ForestNode *node_at(const Placing *placing, size_t place)
{
    return placing->nodes->items + placing->root + place;
}

static bool place_child(Placing *placing, int32_t child)
{
    if (child <= 0 || (size_t)child >= placing->tree->count || placing->is_placed[child])
        return false;
    placing->is_placed[child] = true;
    placing->sources[placing->count++] = (size_t)child;
    return true;
}

/* Of what came to either side, what came to the left; one half where that is not known. */
static float share_of(float left, float right)
{
    double all = (double)left + (double)right;

    return all > 0 ? (float)((double)left / all) : 0.5F;
}

static bool place_children(Placing *placing, size_t source, ForestNode *node, Error *error)
{
    const Tree *tree = placing->tree;
    int32_t left = tree->left[source], right = tree->right[source];
    ForestNode *children = node_at(placing, placing->count);

    node->left = (uint32_t)(placing->root + placing->count);
    if (!place_child(placing, left) || !place_child(placing, right))
        return fail(error, ERROR_INVALID, "node %zu has a child that is no node, or another one's",
                    source);
    if (tree->weights[left] < 0 || tree->weights[right] < 0)
        return fail(error, ERROR_INVALID, "node %zu has a child with a weight below 0", source);
    children[0].share = share_of(tree->weights[left], tree->weights[right]);
    children[1].share = 1 - children[0].share;
    return true;
}

static bool fill_split(Placing *placing, size_t source, ForestNode *node, Error *error)
{
    const Tree *tree = placing->tree;
    int32_t feature = tree->features[source], default_left = tree->default_left[source];
    size_t feature_count = placing->nodes->feature_count;

    if (tree->kinds[source] != 0)
        return fail(error, ERROR_INVALID, "node %zu splits by categories, which cannot be read",
                    source);
    if (feature < 0 || (size_t)feature >= feature_count)
        return fail(error, ERROR_INVALID, "node %zu splits by feature %d of %zu", source, feature,
                    feature_count);
    if (default_left != 0 && default_left != 1)
        return fail(error, ERROR_INVALID, "node %zu has no side for what is missing", source);
    node->slot = (uint32_t)((size_t)feature + (default_left ? feature_count : 0));
    return place_children(placing, source, node, error);
}

static bool fill_node(Placing *placing, size_t place, Error *error)
{
    const Tree *tree = placing->tree;
    size_t source = placing->sources[place];
    ForestNode *node = node_at(placing, place);

    node->value = tree->values[source];
    if (tree->left[source] != -1)
        return fill_split(placing, source, node, error);
    if (tree->right[source] != -1)
        return fail(error, ERROR_INVALID, "node %zu has a child to the right alone", source);
    node->slot = (uint32_t)(2 * placing->nodes->feature_count);
    node->left = (uint32_t)(placing->root + place);
    return true;
}

bool xgboost_tree(const JsonValue *value, XgboostNodes *nodes, Arena *scratch, Error *error)
{
    Tree tree;
    Placing placing = {.tree = &tree, .nodes = nodes, .root = nodes->count, .count = 1};

    if (!read_tree(value, &tree, scratch, error))
        return false;
    placing.sources = arena_array(scratch, size_t, tree.count);
    placing.is_placed = arena_array(scratch, bool, tree.count);
    node_at(&placing, 0)->share = 1;
    for (size_t place = 0; place < placing.count; place++)
        if (!fill_node(&placing, place, error))
            return false;
    if (placing.count + tree.deleted_count != tree.count)
        return fail(error, ERROR_INVALID,
                    "%zu nodes are not led to, where %zu are said to be deleted",
                    tree.count - placing.count, tree.deleted_count);
    nodes->count += placing.count;
    return true;
}

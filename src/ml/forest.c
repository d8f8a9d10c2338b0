#include "ml/forest.h"

#include <math.h>

#include "ml/forest_internal.h"

enum {
    LANES = 8, /* walks at once: while one waits for its node, others go on */
    SLOTS_ON_STACK = 1 << 14,
    ROWS_TOGETHER = 256, /* a multiple of LANES */
};

/* ---- checking ---- */

static bool split_is_sound(const Forest *forest, const ForestNode *node, size_t next)
{
    const ForestNode *children = forest->nodes + next;

    return node->left == next && children[0].share >= 0 && children[0].share <= 1 &&
           children[1].share == 1 - children[0].share;
}

/* Level by level: the next split's children are the next nodes. levels: how many there are below
 * the root's. */
static bool tree_is_sound(const Forest *forest, size_t tree, uint32_t *levels)
{
    size_t root = forest->roots[tree], end = forest_tree_end(forest, tree);
    size_t next = root + 1, level_end = next;

    *levels = 0;
    for (size_t at = root; at < end; at++) {
        const ForestNode *node = &forest->nodes[at];

        if (at == level_end) {
            ++*levels;
            level_end = next;
        }
        if (!isfinite(node->value) || node->slot > 2 * forest->feature_count || at >= next)
            return false;
        if (forest_is_leaf(forest, node)) {
            if (node->left != at)
                return false;
            continue;
        }
        if (end - next < 2 || !split_is_sound(forest, node, next))
            return false;
        next += 2;
    }
    return next == end && forest->nodes[root].share == 1;
}

static bool roots_are_sound(const Forest *forest)
{
    if (forest->tree_count && forest->roots[0] != 0)
        return false;
    for (size_t tree = 0; tree < forest->tree_count; tree++)
        if (forest->roots[tree] >= forest_tree_end(forest, tree))
            return false;
    return forest->tree_count > 0 || forest->node_count == 0;
}

static bool check(Forest *forest, uint32_t *levels, Error *error)
{
    if (!roots_are_sound(forest))
        return fail(error, ERROR_INVALID, "the trees of the forest overlap");
    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        if (!tree_is_sound(forest, tree, &levels[tree]))
            return fail(error, ERROR_INVALID, "tree %zu of the forest is damaged", tree);
        if (levels[tree] > FOREST_LEVELS_MAX)
            return fail(error, ERROR_TOO_LARGE,
                        "tree %zu of the forest has %u levels of splits, the most are %d", tree,
                        levels[tree], FOREST_LEVELS_MAX);
    }
    return true;
}

/* ---- completing ---- */

/* A tree while its splits are worked out; all by node. */
typedef struct Completing {
    const Forest *forest;
    const ForestNode *nodes;
    uint32_t *parents;
    double *shares, *means;
} Completing;

static uint32_t find_repeat(const Completing *tree, uint32_t place)
{
    size_t feature = forest_feature_of(tree->forest, &tree->nodes[place]);

    while (place && forest_feature_of(tree->forest, &tree->nodes[tree->parents[place]]) != feature)
        place = tree->parents[place];
    return place;
}

static void complete_child(Completing *tree, size_t child, double share, ForestSplit *split)
{
    const ForestNode *node = &tree->nodes[child];
    double all = tree->shares[split->repeat] * share;

    tree->parents[child] = split->place;
    tree->shares[child] = all > FOREST_SHARE_LEAST ? all : FOREST_SHARE_LEAST;
    split->shares[child % 2 == 0] = tree->shares[child];
    split->factors[child % 2 == 0] = forest_is_leaf(tree->forest, node) ? (double)node->value : 1;
}

static void complete_splits(Completing *tree, size_t count, ForestSplit *splits)
{
    tree->shares[0] = 1;
    for (size_t at = 0, left = 1; at < count; at++) {
        if (forest_is_leaf(tree->forest, &tree->nodes[at]))
            continue;
        splits->place = (uint32_t)at;
        splits->feature = (uint32_t)forest_feature_of(tree->forest, &tree->nodes[at]);
        splits->repeat = find_repeat(tree, (uint32_t)at);
        complete_child(tree, left, (double)tree->nodes[left].share, splits);
        complete_child(tree, left + 1, 1 - (double)tree->nodes[left].share, splits);
        splits++;
        left += 2;
    }
}

/* The mean of what the leaves below each node hold, by their shares, from the last node on. */
static double mean_of_tree(const Completing *tree, size_t count)
{
    for (size_t at = count, left = count; at-- > 0;) {
        double share;

        if (forest_is_leaf(tree->forest, &tree->nodes[at])) {
            tree->means[at] = (double)tree->nodes[at].value;
            continue;
        }
        left -= 2;
        share = (double)tree->nodes[left].share;
        tree->means[at] = share * tree->means[left] + (1 - share) * tree->means[left + 1];
    }
    return tree->means[0];
}

size_t forest_largest_tree(const Forest *forest)
{
    size_t most = 0;

    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        size_t count = forest_tree_end(forest, tree) - forest->roots[tree];

        most = count > most ? count : most;
    }
    return most;
}

static void complete_trees(Forest *forest, ForestSplit *splits, double *means)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t most = forest_largest_tree(forest);
    Completing tree = {forest, NULL, arena_array(scratch, uint32_t, most),
                       arena_array(scratch, double, most), arena_array(scratch, double, most)};

    for (size_t group = 0; group < forest->group_count; group++) {
        means[group] = forest->base[group];
        for (size_t at = group; at < forest->tree_count; at += forest->group_count) {
            size_t count = forest_tree_end(forest, at) - forest->roots[at];

            tree.nodes = forest->nodes + forest->roots[at];
            complete_splits(&tree, count, splits + forest_first_split(forest, at));
            means[group] += mean_of_tree(&tree, count);
        }
    }
}

bool forest_complete(Forest *forest, Arena *arena, Error *error)
{
    uint32_t *levels = arena_array(arena, uint32_t, forest->tree_count);
    ForestSplit *splits;
    double *means;

    if (!check(forest, levels, error))
        return false;
    splits = arena_array(arena, ForestSplit, (forest->node_count - forest->tree_count) / 2);
    means = arena_array(arena, double, forest->group_count);
    complete_trees(forest, splits, means);
    forest->levels = levels;
    forest->splits = splits;
    forest->means = means;
    return true;
}

/* ---- walking ---- */

void forest_fill_slots(const Forest *forest, const float *row, float *slots)
{
    float *second = slots + forest->feature_count;

    for (size_t i = 0; i < forest->feature_count; i++) {
        slots[i] = row[i];
        second[i] = isnan(row[i]) ? -INFINITY : row[i];
    }
    slots[2 * forest->feature_count] = -INFINITY;
}

/* Eight walks, lane by lane from their own places through slots that lie stride apart. */
static ALWAYS_INLINE void walk(const ForestNode *nodes, const float *slots, size_t stride,
                               uint32_t level_count, uint32_t places[LANES])
{
    for (uint32_t level = 0; level < level_count; level++) {
#pragma GCC unroll 8
        for (size_t lane = 0; lane < LANES; lane++) {
            const ForestNode *node = &nodes[places[lane]];

            places[lane] = node->left + !(slots[lane * stride + node->slot] < node->value);
        }
    }
}

/* Sums are kept as floats, whatever holds them. */
static void add_leaf(double *margin, float value)
{
    *margin = (double)((float)*margin + value);
}

/* One row through eight trees at once. */
static void walk_row(const Forest *forest, const float *slots, double *margins)
{
    for (size_t first = 0; first < forest->tree_count; first += LANES) {
        size_t left = forest->tree_count - first, count = left < LANES ? left : LANES;
        uint32_t places[LANES], level_count = 0;

        for (size_t lane = 0; lane < LANES; lane++) {
            size_t tree = first + (lane < count ? lane : 0);

            places[lane] = forest->roots[tree];
            if (forest->levels[tree] > level_count)
                level_count = forest->levels[tree];
        }
        walk(forest->nodes, slots, 0, level_count, places);
        for (size_t lane = 0; lane < count; lane++)
            add_leaf(&margins[(first + lane) % forest->group_count],
                     forest->nodes[places[lane]].value);
    }
}

/* Eight rows through one tree. */
static void walk_eight(const Forest *forest, size_t tree, const float *slots, double *margins)
{
    uint32_t places[LANES];

    for (size_t lane = 0; lane < LANES; lane++)
        places[lane] = forest->roots[tree];
    walk(forest->nodes, slots, forest_slot_count(forest), forest->levels[tree], places);
    for (size_t lane = 0; lane < LANES; lane++)
        add_leaf(&margins[lane * forest->group_count], forest->nodes[places[lane]].value);
}

/* Tree after tree, so that one that does not stay in the cache serves many rows each time. */
static void walk_rows(const Forest *forest, const float *slots, size_t row_count, double *margins)
{
    size_t stride = forest_slot_count(forest);

    for (size_t tree = 0; tree < forest->tree_count; tree++)
        for (size_t row = 0; row < row_count; row += LANES)
            walk_eight(forest, tree, slots + row * stride,
                       margins + row * forest->group_count + tree % forest->group_count);
}

/* Room for the slots of some rows: one, or a multiple of LANES. */
typedef struct Room {
    float *slots;
    size_t row_count;
} Room;

static Room room_on_stack(const Forest *forest, float *slots)
{
    size_t rows = SLOTS_ON_STACK / forest_slot_count(forest) / LANES * LANES;

    return (Room){slots, rows < ROWS_TOGETHER ? rows : ROWS_TOGETHER};
}

static void walk_all(const Forest *forest, const float *rows, size_t row_count, double *margins,
                     Room room)
{
    for (size_t row = 0, count; row < row_count; row += count) {
        double *target = margins + row * forest->group_count;
        size_t left = row_count - row, most = left < room.row_count ? left : room.row_count;

        count = most < LANES ? 1 : most / LANES * LANES;
        for (size_t i = 0; i < count; i++) {
            forest_fill_slots(forest, rows + (row + i) * forest->feature_count,
                              room.slots + i * forest_slot_count(forest));
            for (size_t group = 0; group < forest->group_count; group++)
                target[i * forest->group_count + group] = forest->base[group];
        }
        if (count == 1)
            walk_row(forest, room.slots, target);
        else
            walk_rows(forest, room.slots, count, target);
    }
}

void forest_margins(const Forest *forest, const float *rows, size_t row_count, double *margins)
{
    float on_stack[SLOTS_ON_STACK];
    Room room = room_on_stack(forest, on_stack);

    if (forest_slot_count(forest) <= SLOTS_ON_STACK) {
        walk_all(forest, rows, row_count, margins, room);
    } else {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        room.slots = arena_take(arena, forest_slot_count(forest) * sizeof(float));
        walk_all(forest, rows, row_count, margins, room);
    }
}

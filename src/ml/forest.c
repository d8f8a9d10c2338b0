#include "ml/forest.h"

#include <math.h>

#include "ml/forest_internal.h"

enum {
    LANES = 8, /* walks at once: while one waits for its node, others go on */
    SLOTS_ON_STACK = 1 << 14,
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

/* Does a split of the feature lead from its parent to a node? */
static bool is_led_to_by(const Forest *forest, const ForestNode *parent, const ForestNode *split)
{
    return forest_feature_of(forest, parent) == forest_feature_of(forest, split);
}

/* First the place of each node's parent, then, from the last node on, so that those of its
 * ancestors are still there, what is asked for. */
static void find_repeats(const Forest *forest, size_t tree, uint32_t *repeats)
{
    size_t root = forest->roots[tree], count = forest_tree_end(forest, tree) - root;
    const ForestNode *nodes = forest->nodes + root;

    for (size_t at = 0; at < count; at++) {
        size_t left = nodes[at].left - root;

        if (!forest_is_leaf(forest, &nodes[at]))
            repeats[left] = repeats[left + 1] = (uint32_t)at;
    }
    for (size_t at = count; at-- > 0;) {
        uint32_t found = (uint32_t)at;

        while (found && !is_led_to_by(forest, &nodes[repeats[found]], &nodes[at]))
            found = repeats[found];
        repeats[at] = found;
    }
}

/* The mean of what the leaves below each node hold, by their shares, from the last node on. */
static double mean_of_tree(const Forest *forest, size_t tree, double *means)
{
    size_t root = forest->roots[tree];
    const ForestNode *nodes = forest->nodes + root;

    for (size_t at = forest_tree_end(forest, tree) - root; at-- > 0;) {
        size_t left = nodes[at].left - root;
        double share = nodes[left].share;

        means[at] = forest_is_leaf(forest, &nodes[at])
                        ? (double)nodes[at].value
                        : share * means[left] + (1 - share) * means[left + 1];
    }
    return means[0];
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

bool forest_complete(Forest *forest, Arena *arena, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    uint32_t *levels = arena_array(arena, uint32_t, forest->tree_count);
    uint32_t *repeats;
    double *means, *of_nodes;

    if (!check(forest, levels, error))
        return false;
    repeats = arena_array(arena, uint32_t, forest->node_count);
    means = arena_array(arena, double, forest->group_count);
    of_nodes = arena_array(scratch, double, forest_largest_tree(forest));
    for (size_t group = 0; group < forest->group_count; group++)
        means[group] = forest->base[group];
    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        find_repeats(forest, tree, repeats + forest->roots[tree]);
        means[tree % forest->group_count] += mean_of_tree(forest, tree, of_nodes);
    }
    forest->levels = levels;
    forest->repeats = repeats;
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

/* Eight rows through one tree after the other. */
static void walk_rows(const Forest *forest, const float *slots, double *margins)
{
    size_t stride = forest_slot_count(forest), group = 0;

    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        uint32_t places[LANES];

        for (size_t lane = 0; lane < LANES; lane++)
            places[lane] = forest->roots[tree];
        walk(forest->nodes, slots, stride, forest->levels[tree], places);
        for (size_t lane = 0; lane < LANES; lane++)
            add_leaf(&margins[lane * forest->group_count + group],
                     forest->nodes[places[lane]].value);
        group = group + 1 < forest->group_count ? group + 1 : 0;
    }
}

/* Room for the slots of some rows, one or LANES. */
typedef struct Room {
    float *slots;
    size_t row_count;
} Room;

static void walk_all(const Forest *forest, const float *rows, size_t row_count, double *margins,
                     Room room)
{
    for (size_t row = 0, count; row < row_count; row += count) {
        double *target = margins + row * forest->group_count;

        count = row_count - row < room.row_count ? 1 : room.row_count;
        for (size_t i = 0; i < count; i++) {
            forest_fill_slots(forest, rows + (row + i) * forest->feature_count,
                              room.slots + i * forest_slot_count(forest));
            for (size_t group = 0; group < forest->group_count; group++)
                target[i * forest->group_count + group] = forest->base[group];
        }
        if (count == LANES)
            walk_rows(forest, room.slots, target);
        else
            walk_row(forest, room.slots, target);
    }
}

void forest_margins(const Forest *forest, const float *rows, size_t row_count, double *margins)
{
    float on_stack[SLOTS_ON_STACK];
    size_t slot_count = forest_slot_count(forest);
    Room room = {on_stack, slot_count * LANES <= SLOTS_ON_STACK ? LANES : 1};

    if (slot_count <= SLOTS_ON_STACK) {
        walk_all(forest, rows, row_count, margins, room);
    } else {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        room.slots = arena_take(arena, slot_count * sizeof(float));
        walk_all(forest, rows, row_count, margins, room);
    }
}

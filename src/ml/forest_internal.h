/* forest_internal.h: what a tree is made of, for the files forest*.c.
 *
 * The nodes of a tree lie level by level, so that the two children of each split are side by side
 * and the splits of a tree have theirs in the order of the splits themselves: there is one way only
 * to write a tree, and no cycle in it.
 *
 * A row is walked as slots: its values, its values once more with -infinity where they are missing,
 * and -infinity. A split that sends what is missing left looks at the second half: then one
 * comparison says where to go. A leaf looks at the last slot, which is below whatever it holds, so
 * it stays where it is, and all walks through a tree may take as many steps. */
#pragma once

#include "ml/forest.h"

struct ForestNode {
    float value;   /* a split's threshold; what a leaf adds */
    uint32_t slot; /* a leaf's: 2 * feature_count */
    uint32_t
        left;    /* the place of its left child, the right one is behind it; a leaf's is its own */
    float share; /* of what came to its parent in training; 1 of a root */
};

static inline size_t forest_slot_count(const Forest *forest)
{
    return 2 * forest->feature_count + 1;
}

static inline bool forest_is_leaf(const Forest *forest, const ForestNode *node)
{
    return node->slot == 2 * forest->feature_count;
}

/* What contributions want to know of a split that no row changes. Places are those in the tree; the
 * children of the tree's split i are at 2 i + 1. */
struct ForestSplit {
    uint32_t place, feature;
    uint32_t repeat; /* the last node before it, or itself, that a split of the same feature led to;
                        0: none did */
    uint32_t unused;
    double shares[2];  /* of each child: its own times those of all such nodes before it */
    double factors[2]; /* of each child: what a leaf holds, 1 of a split */
};

/* A share that is 0 would divide by 0; this one adds nothing either. */
#define FOREST_SHARE_LEAST 1e-100

/* A tree has one node more than twice its splits. */
static inline size_t forest_first_split(const Forest *forest, size_t tree)
{
    return (forest->roots[tree] - tree) / 2;
}

/* Where the tree ends. */
static inline size_t forest_tree_end(const Forest *forest, size_t tree)
{
    return tree + 1 < forest->tree_count ? forest->roots[tree + 1] : forest->node_count;
}

/* Not of a leaf: which value of a row a split looks at. */
static inline size_t forest_feature_of(const Forest *forest, const ForestNode *node)
{
    return node->slot < forest->feature_count ? node->slot : node->slot - forest->feature_count;
}

size_t forest_largest_tree(const Forest *forest);
void forest_fill_slots(const Forest *forest, const float *row, float *slots);

/* Checks all of it, then works out what a file does not have. */
bool forest_complete(Forest *forest, Arena *arena, Error *error) MUST_CHECK;

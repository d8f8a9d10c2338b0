/* What each feature adds to a margin, exactly.
 *
 * Say that each feature is known with probability t, independently: a split by a known feature
 * sends the row to its side, one by an unknown feature sends shares of it to both, as it was in
 * training. To a leaf comes the product of a factor for each feature on its path:
 *
 *     f(t) = is t + share (1 - t)
 *
 * where is says whether the row goes that way at all splits by the feature, and share is the
 * product of their shares. How much the forest's mean then grows by knowing feature i for sure
 * instead of not at all, is - share times all other factors, averaged over t from 0 to 1, is its
 * Shapley value (Owen 1972, "Multilinear extensions of games"). The average of a polynomial is
 * exact with half as many points of Gauss and Legendre as it has coefficients: four for eight
 * features on a path.
 *
 * Down a tree each node gets the product of the factors on its path; up again, the sum of the
 * leaves' values times their products below it; this, divided by the factor of the feature that led
 * to the node, is what the feature adds. Where a feature is asked once more, the new factor takes
 * the place of the one before, and what that one would add is taken away. */
#include <math.h>

#include "base/lanes.h"
#include "ml/forest_internal.h"

enum { POINTS = 4, PASSES_MAX = FOREST_LEVELS_MAX / (2 * POINTS) };

/* Values at four points. The arena aligns to 16 bytes. */
typedef double Points __attribute__((vector_size(POINTS * sizeof(double)), aligned(16)));

/* ---- the points ---- */

typedef struct Rule {
    Points known, unknown, weights; /* t, 1 - t */
    Points loss;                    /* the gain of a feature by which the row does not go here */
} Rule;

/* The value of Legendre's polynomial, and of its derivative. */
static double legendre(size_t degree, double x, double *slope)
{
    double last = 1, value = x;

    for (size_t k = 2; k <= degree; k++) {
        double next = ((double)(2 * k - 1) * x * value - (double)(k - 1) * last) / (double)k;

        last = value;
        value = next;
    }
    *slope = (double)degree * (x * value - last) / (x * x - 1);
    return value;
}

/* Four of so many points, by Newton from close by. */
static void make_rule(size_t pass, size_t point_count, Rule *rule)
{
    enum { STEPS = 5 };

    for (size_t i = 0; i < POINTS; i++) {
        double place = (double)(pass * POINTS + i) + 0.75, slope;
        double x = cos(M_PI * place / ((double)point_count + 0.5));

        for (int step = 0; step < STEPS; step++)
            x -= legendre(point_count, x, &slope) / slope;
        legendre(point_count, x, &slope);
        rule->known[i] = (1 + x) / 2;
        rule->unknown[i] = (1 - x) / 2;
        rule->loss[i] = -1 / rule->unknown[i];
        rule->weights[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

/* As many passes of four points as the longest path takes. */
static size_t make_rules(const Forest *forest, Rule rules[PASSES_MAX])
{
    size_t most = 0, pass_count;

    for (size_t tree = 0; tree < forest->tree_count; tree++)
        most = forest->levels[tree] > most ? forest->levels[tree] : most;
    most = most < forest->feature_count ? most : forest->feature_count;
    pass_count = (most + 2 * POINTS - 1) / (2 * POINTS);
    for (size_t pass = 0; pass < pass_count; pass++)
        make_rule(pass, pass_count * POINTS, &rules[pass]);
    return pass_count;
}

/* ---- a tree ---- */

/* Of a node, and of the feature that led to it. */
typedef struct State {
    Points
        product; /* of all factors on the path; of a leaf and on the way up times what they hold */
    Points inverse; /* of the feature's factor */
    Points gain;    /* (is - share) / factor */
    double is;
    double unused[3]; /* a state is found faster at a power of two */
} State;

typedef struct Work {
    const float *slots;
    State *states; /* by node of the tree */
    Points *sums;  /* by feature */
} Work;

typedef struct Tree {
    const ForestNode *nodes;
    const ForestSplit *splits;
    size_t split_count;
} Tree;

static Tree tree_at(const Forest *forest, size_t index)
{
    size_t root = forest->roots[index];

    return (Tree){forest->nodes + root, forest->splits + forest_first_split(forest, index),
                  (forest_tree_end(forest, index) - root) / 2};
}

static ALWAYS_INLINE void go_to_children(const ForestNode *node, const ForestSplit *split,
                                         const Rule *rule, const Work *work, State *children)
{
    const State *before = &work->states[split->repeat];
    size_t is_right = !(work->slots[node->slot] < node->value), is_left = 1 - is_right;
    State *taken = &children[is_right], *other = &children[is_left];
    Points product = work->states[split->place].product * before->inverse;
    Points factor = before->is * rule->known + split->shares[is_right] * rule->unknown;
    Points inverse = 1.0 / factor;

    taken->is = before->is;
    taken->product = product * factor * split->factors[is_right];
    taken->inverse = inverse;
    taken->gain = (before->is - split->shares[is_right]) * inverse;
    factor = split->shares[is_left] * rule->unknown;
    other->is = 0;
    other->product = product * factor * split->factors[is_left];
    other->inverse = 1.0 / factor;
    other->gain = rule->loss;
}

static ALWAYS_INLINE void pass_tree(const Tree *tree, const Rule *rule, const Work *work)
{
    State *states = work->states;

    states[0] = (State){rule->weights, {1, 1, 1, 1}, {0}, 1, {0}};
    for (size_t i = 0; i < tree->split_count; i++)
        go_to_children(&tree->nodes[tree->splits[i].place], &tree->splits[i], rule, work,
                       &states[2 * i + 1]);
    for (size_t i = tree->split_count; i-- > 0;) {
        const ForestSplit *split = &tree->splits[i];
        const State *left = &states[2 * i + 1], *right = left + 1;
        Points below = left->product + right->product;

        work->sums[split->feature] += left->gain * left->product + right->gain * right->product -
                                      states[split->repeat].gain * below;
        states[split->place].product = below;
    }
}

static void pass_plain(const Tree *tree, const Rule *rule, const Work *work)
{
    pass_tree(tree, rule, work);
}

static LANES_AVX2 void pass_avx2(const Tree *tree, const Rule *rule, const Work *work)
{
    pass_tree(tree, rule, work);
}

static void (*const passes[LANE_LEVELS])(const Tree *, const Rule *,
                                         const Work *) = {pass_plain, pass_avx2, pass_avx2};

/* ---- a row ---- */

static void take_sums(const Forest *forest, Points *sums, double *contributions)
{
    for (size_t i = 0; i < forest->feature_count; i++) {
        contributions[i] = (sums[i][0] + sums[i][1]) + (sums[i][2] + sums[i][3]);
        sums[i] = (Points){0};
    }
}

/* Each at the beginning of a cache line, which none of a state's members then crosses. */
static State *take_states(size_t count, Arena *arena)
{
    enum { LINE_BYTES = 64 };
    char *bytes = arena_take(arena, count * sizeof(State) + LINE_BYTES);

    return (State *)(void *)(bytes + (-(uintptr_t)bytes & (LINE_BYTES - 1)));
}

void forest_contributions(const Forest *forest, const float *row, double *contributions,
                          Arena *arena)
{
    float *slots = arena_take(arena, forest_slot_count(forest) * sizeof(float));
    Work work = {slots, take_states(forest_largest_tree(forest), arena),
                 arena_array(arena, Points, forest->feature_count)};
    LaneLevel lanes = lanes_level();
    Rule rules[PASSES_MAX];
    size_t pass_count = make_rules(forest, rules);

    forest_fill_slots(forest, row, slots);
    for (size_t group = 0; group < forest->group_count; group++) {
        double *target = contributions + group * (forest->feature_count + 1);

        for (size_t index = group; index < forest->tree_count; index += forest->group_count) {
            Tree tree = tree_at(forest, index);

            for (size_t pass = 0; pass < pass_count; pass++)
                passes[lanes](&tree, &rules[pass], &work);
        }
        take_sums(forest, work.sums, target);
        target[forest->feature_count] = forest->means[group];
    }
}

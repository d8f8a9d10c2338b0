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

/* A share that is 0 would divide by 0; this one adds nothing either. */
static const double share_least = 1e-100;

/* ---- the points ---- */

typedef struct Rule {
    Points known, unknown, weights; /* t, 1 - t */
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
    Points product; /* of all factors on the path; on the way up, times what the leaves hold */
    Points inverse; /* of the factor */
    Points gain;    /* (is - share) / factor */
    double is, share;
} State;

typedef struct Work {
    const float *slots;
    State *states; /* by node of the tree */
    Points *sums;  /* by feature */
} Work;

typedef struct Tree {
    const ForestNode *nodes;
    const uint32_t *repeats;
    size_t root, count;
} Tree;

static Tree tree_at(const Forest *forest, size_t index)
{
    size_t root = forest->roots[index];

    return (Tree){forest->nodes + root, forest->repeats + root, root,
                  forest_tree_end(forest, index) - root};
}

static ALWAYS_INLINE double at_least(double share)
{
    return share > share_least ? share : share_least;
}

static ALWAYS_INLINE void go_to_children(const Tree *tree, size_t at, const Rule *rule,
                                         const Work *work)
{
    const ForestNode *node = &tree->nodes[at];
    const State *before = &work->states[tree->repeats[at]];
    size_t left = node->left - tree->root;
    size_t is_right = !(work->slots[node->slot] < node->value);
    State *taken = &work->states[left + is_right], *other = &work->states[left + !is_right];
    double share = (double)tree->nodes[left].share;
    double share_taken = is_right ? 1 - share : share;
    Points product = work->states[at].product * before->inverse;
    Points factor_taken, factor_other, inverse;

    *taken = (State){.is = before->is, .share = at_least(before->share * share_taken)};
    *other = (State){.is = 0, .share = at_least(before->share * (1 - share_taken))};
    factor_taken = taken->is * rule->known + taken->share * rule->unknown;
    factor_other = other->share * rule->unknown;
    inverse = 1.0 / (factor_taken * factor_other);
    taken->product = product * factor_taken;
    other->product = product * factor_other;
    taken->inverse = inverse * factor_other;
    other->inverse = inverse * factor_taken;
    taken->gain = (taken->is - taken->share) * taken->inverse;
    other->gain = -other->share * other->inverse;
}

static ALWAYS_INLINE void pass_tree(const Forest *forest, const Tree *tree, const Rule *rule,
                                    const Work *work)
{
    State *states = work->states;

    states[0] = (State){rule->weights, {1, 1, 1, 1}, {0}, 1, 1};
    for (size_t at = 0; at < tree->count; at++)
        if (forest_is_leaf(forest, &tree->nodes[at]))
            states[at].product *= (double)tree->nodes[at].value;
        else
            go_to_children(tree, at, rule, work);
    for (size_t at = tree->count; at-- > 0;) {
        const ForestNode *node = &tree->nodes[at];
        const State *children = &states[node->left - tree->root];
        Points below;

        if (forest_is_leaf(forest, node))
            continue;
        below = children[0].product + children[1].product;
        work->sums[forest_feature_of(forest, node)] += children[0].gain * children[0].product +
                                                       children[1].gain * children[1].product -
                                                       states[tree->repeats[at]].gain * below;
        states[at].product = below;
    }
}

static void pass_plain(const Forest *forest, const Tree *tree, const Rule *rule, const Work *work)
{
    pass_tree(forest, tree, rule, work);
}

static LANES_AVX2 void pass_avx2(const Forest *forest, const Tree *tree, const Rule *rule,
                                 const Work *work)
{
    pass_tree(forest, tree, rule, work);
}

static void (*const passes[LANE_LEVELS])(const Forest *, const Tree *, const Rule *,
                                         const Work *) = {pass_plain, pass_avx2, pass_avx2};

/* ---- a row ---- */

static void take_sums(const Forest *forest, Points *sums, double *contributions)
{
    for (size_t i = 0; i < forest->feature_count; i++) {
        contributions[i] = (sums[i][0] + sums[i][1]) + (sums[i][2] + sums[i][3]);
        sums[i] = (Points){0};
    }
}

void forest_contributions(const Forest *forest, const float *row, double *contributions,
                          Arena *arena)
{
    float *slots = arena_take(arena, forest_slot_count(forest) * sizeof(float));
    Work work = {slots, arena_take(arena, forest_largest_tree(forest) * sizeof(State)),
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
                passes[lanes](forest, &tree, &rules[pass], &work);
        }
        take_sums(forest, work.sums, target);
        target[forest->feature_count] = forest->means[group];
    }
}

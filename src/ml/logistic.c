#include <math.h>

#include "ml/linear.h"
#include "ml/linear_internal.h"

enum { TURNS = 2 }; /* towards a row's best multiplier: more do not make epochs fewer */

static float wrong(float margin)
{
    return 1 / (1 + expf(margin));
}

/* The steepest slope of wrong() between two margins: it is steepest at 0. */
static float steepest(float from, float to)
{
    float share;

    if ((from < 0) != (to < 0))
        return 0.25F;
    share = wrong(fabsf(from) < fabsf(to) ? from : to);
    return share * (1 - share);
}

/* The best multiplier is where its share of the cost is the probability of a wrong answer at the
 * margin that comes of it. A Newton step there with the steepest slope on the way never goes too
 * far: the share stays between 0 and 1 and the dual objective never gets worse. */
static float better_multiplier(DualRow row)
{
    float share = row.multiplier / row.cost, margin = row.margin, reach = row.cost * row.square;

    for (int turn = 0; turn < TURNS; turn++) {
        float distance = wrong(margin) - share;
        float step = distance / (1 + reach * steepest(margin, margin + reach * distance));

        share += step;
        margin += reach * step;
    }
    return row.cost * share;
}

/* The gap is cost x the divergence of the two shares (Kullback & Leibler), which is at most their
 * chi-squared distance. */
static DualStep logistic_step(DualRow row)
{
    float share = wrong(row.margin), distance = share - row.multiplier / row.cost;
    float spread = fmaxf(share * (1 - share), 1e-12F);
    float loss = row.margin > 0 ? log1pf(expf(-row.margin)) : log1pf(expf(row.margin)) - row.margin;

    return (DualStep){better_multiplier(row), row.cost * loss,
                      row.cost * distance * distance / spread};
}

LinearModel logistic_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return dual_fit(set, cost, logistic_step, false, arena);
}

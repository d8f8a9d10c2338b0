#include <math.h>
#include <stdlib.h>

#include "ml/report_internal.h"

typedef struct ScoredRow {
    double score;
    size_t row;
} ScoredRow;

/* By falling score; equal scores by row, so that sums are added in the same order everywhere. */
static int scored_row_compare(const void *left, const void *right)
{
    const ScoredRow *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static Ranking ranking_create(const Sample *sample, int class_index, Arena *arena)
{
    size_t count = sample->row_count;
    ScoredRow *scored = arena_array(arena, ScoredRow, count);
    size_t *rows = arena_array(arena, size_t, count);
    bool *is_positive = arena_array(arena, bool, count);
    bool *ends_tie = arena_array(arena, bool, count);

    for (size_t row = 0; row < count; row++)
        scored[row] = (ScoredRow){sample_probability(sample, row, class_index), row};
    qsort(scored, count, sizeof(*scored), scored_row_compare);
    for (size_t i = 0; i < count; i++) {
        rows[i] = scored[i].row;
        is_positive[i] = sample->truth[rows[i]] == class_index;
        ends_tie[i] = i + 1 == count || scored[i + 1].score != scored[i].score;
    }
    return (Ranking){count, rows, is_positive, ends_tie};
}

RankingList rankings_create(const Sample *sample, Arena *arena)
{
    size_t count = sample->class_count == 2 ? 1 : sample->class_count;
    Ranking *items = arena_array(arena, Ranking, count);

    for (size_t i = 0; i < count; i++)
        items[i] = ranking_create(sample, (int)(count == 1 ? sample->positive : i), arena);
    return (RankingList){items, count};
}

typedef struct RankedFigures {
    double auc, average_precision;
} RankedFigures;

/* One walk from the highest score down, a group of equal scores at a time. */
static RankedFigures ranking_figures(const Ranking *ranking, const uint32_t *weights)
{
    double positives = 0, negatives = 0;             /* so far, with those of the open group */
    double positives_above = 0, negatives_above = 0; /* before the open group */
    double ordered_pairs = 0, area = 0;

    for (size_t i = 0; i < ranking->count; i++) {
        double tied_positives;

        if (ranking->is_positive[i])
            positives += weights[ranking->rows[i]];
        else
            negatives += weights[ranking->rows[i]];
        if (!ranking->ends_tie[i] || positives + negatives == 0)
            continue;
        tied_positives = positives - positives_above;
        ordered_pairs += (negatives - negatives_above) * (positives_above + tied_positives / 2);
        area += tied_positives * positives / (positives + negatives);
        positives_above = positives;
        negatives_above = negatives;
    }
    if (positives == 0 || negatives == 0)
        return (RankedFigures){NAN, NAN};
    return (RankedFigures){ordered_pairs / (positives * negatives), area / positives};
}

void rankings_figures(const RankingList *rankings, const uint32_t *weights, Report *report)
{
    double auc = 0, average_precision = 0;

    for (size_t i = 0; i < rankings->count; i++) {
        RankedFigures figures = ranking_figures(&rankings->items[i], weights);

        auc += figures.auc;
        average_precision += figures.average_precision;
    }
    report->auc = auc / (double)rankings->count;
    report->average_precision = average_precision / (double)rankings->count;
}

#include <stdlib.h>
#include <string.h>

#include "ml/split_internal.h"

static bool check_spec(const FoldSpec *spec, Error *error)
{
    if (spec->fold_count < 2 || spec->fold_count > FOLD_COUNT_MAX)
        return fail(error, ERROR_INVALID, "there are 2 to %d folds, not %zu", FOLD_COUNT_MAX,
                    spec->fold_count);
    if (spec->row_count < spec->fold_count)
        return fail(error, ERROR_INVALID, "%zu rows are too few for %zu folds", spec->row_count,
                    spec->fold_count);
    return true;
}

/* Dealt like cards, class after class without starting anew, so that sizes stay within one row. */
static void deal_rows(const FoldSpec *spec, const RowRunList *classes, uint32_t *folds)
{
    size_t dealt = 0;

    for (size_t i = 0; i < classes->count; i++)
        for (size_t j = 0; j < classes->items[i].count; j++)
            folds[classes->items[i].rows[j]] = (uint32_t)(dealt++ % spec->fold_count);
}

/* The deal of whole groups. */
typedef struct GroupDeal {
    const RowRunList *classes;
    const size_t *class_of; /* of each row: an index into classes */
    size_t fold_count;
    size_t *in_fold;  /* fold_count x classes->count rows so far */
    size_t *sizes;    /* fold_count rows so far */
    size_t *in_group; /* classes->count rows of the group at hand */
} GroupDeal;

/* How much less even the folds become: what the group adds to the sum of squared shares of classes.
 * A sum in the order of classes, so that it is the same everywhere. */
static double deal_cost(const GroupDeal *deal, size_t fold)
{
    const size_t *rows = &deal->in_fold[fold * deal->classes->count];
    double cost = 0;

    for (size_t i = 0; i < deal->classes->count; i++) {
        double total = (double)deal->classes->items[i].count;
        uint64_t added = deal->in_group[i] * (2 * rows[i] + deal->in_group[i]);

        cost += (double)added / total / total;
    }
    return cost;
}

/* Equal costs go to the smaller fold. So an empty fold is always taken first and none stays empty.
 */
static size_t deal_group(GroupDeal *deal, const RowRun *group)
{
    size_t best = 0;
    double least = 0;

    memset(deal->in_group, 0, deal->classes->count * sizeof(size_t));
    for (size_t i = 0; i < group->count; i++)
        deal->in_group[deal->class_of[group->rows[i]]]++;
    for (size_t fold = 0; fold < deal->fold_count; fold++) {
        double cost = deal_cost(deal, fold);

        if (fold > 0 && (cost > least || (cost == least && deal->sizes[fold] >= deal->sizes[best])))
            continue;
        least = cost;
        best = fold;
    }
    deal->sizes[best] += group->count;
    for (size_t i = 0; i < deal->classes->count; i++)
        deal->in_fold[best * deal->classes->count + i] += deal->in_group[i];
    return best;
}

static int larger_run_first(const void *left, const void *right)
{
    const RowRun *a = left, *b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

/* By falling size; the keys of groups, which only tell them apart, become a random order of equals.
 */
static void shuffle_groups(RowRunList *groups, Random *random, Arena *arena)
{
    size_t *ranks = arena_array(arena, size_t, groups->count);

    for (size_t i = 0; i < groups->count; i++)
        ranks[i] = i;
    random_shuffle(random, ranks, groups->count);
    for (size_t i = 0; i < groups->count; i++)
        groups->items[i].key = ranks[i];
    qsort(groups->items, groups->count, sizeof(*groups->items), larger_run_first);
}

static const size_t *class_of_rows(const RowRunList *classes, size_t row_count, Arena *arena)
{
    size_t *class_of = arena_array(arena, size_t, row_count);

    for (size_t i = 0; i < classes->count; i++)
        for (size_t j = 0; j < classes->items[i].count; j++)
            class_of[classes->items[i].rows[j]] = i;
    return class_of;
}

static void deal_groups(const FoldSpec *spec, const RowRunList *classes, const RowRunList *groups,
                        Arena *arena, uint32_t *folds)
{
    GroupDeal deal = {
        .classes = classes,
        .class_of = class_of_rows(classes, spec->row_count, arena),
        .fold_count = spec->fold_count,
        .in_fold = arena_array(arena, size_t, spec->fold_count * classes->count),
        .sizes = arena_array(arena, size_t, spec->fold_count),
        .in_group = arena_array(arena, size_t, classes->count),
    };

    for (size_t i = 0; i < groups->count; i++) {
        size_t fold = deal_group(&deal, &groups->items[i]);

        for (size_t j = 0; j < groups->items[i].count; j++)
            folds[groups->items[i].rows[j]] = (uint32_t)fold;
    }
}

bool fold_assign(const FoldSpec *spec, const int *labels, const size_t *groups, uint32_t *folds,
                 Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(spec->seed);
    RowRunList classes, runs;
    uint64_t *keys;

    if (!check_spec(spec, error) || !keys_of_labels(labels, spec->row_count, arena, &keys, error))
        return false;
    classes = row_runs_create(keys, spec->row_count, &random, arena);
    if (!groups) {
        deal_rows(spec, &classes, folds);
        return true;
    }
    runs = row_runs_create(keys_of_groups(groups, spec->row_count, arena), spec->row_count, NULL,
                           arena);
    if (runs.count < spec->fold_count)
        return fail(error, ERROR_INVALID, "%zu groups are too few for %zu folds", runs.count,
                    spec->fold_count);
    shuffle_groups(&runs, &random, arena);
    deal_groups(spec, &classes, &runs, arena, folds);
    return true;
}

#include "ml/split.h"

#include <stdlib.h>
#include <string.h>

#include "ml/split_internal.h"

/* A share as a whole number of 2^32 parts: products with row counts are then exact everywhere. */
enum { SHARE_BITS = 32 };

#define SHARE_ONE (UINT64_C(1) << SHARE_BITS)

typedef struct KeyedRow {
    uint64_t key;
    size_t place, row;
} KeyedRow;

static int keyed_row_compare(const void *left, const void *right)
{
    const KeyedRow *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

RowRunList row_runs_create(const uint64_t *keys, size_t row_count, Random *random, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, row_count);
    KeyedRow *keyed = arena_array(arena, KeyedRow, row_count);
    RowRunList runs = {0};

    for (size_t i = 0; i < row_count; i++)
        rows[i] = i;
    if (random)
        random_shuffle(random, rows, row_count);
    for (size_t i = 0; i < row_count; i++)
        keyed[i] = (KeyedRow){keys[rows[i]], i, rows[i]};
    qsort(keyed, row_count, sizeof(*keyed), keyed_row_compare);
    for (size_t i = 0; i < row_count; i++) {
        rows[i] = keyed[i].row;
        if (i == 0 || keyed[i].key != keyed[i - 1].key)
            *arena_push(arena, &runs) = (RowRun){.key = keyed[i].key, .rows = &rows[i]};
        runs.items[runs.count - 1].count++;
    }
    return runs;
}

bool keys_of_labels(const int *labels, size_t row_count, Arena *arena, uint64_t **keys,
                    Error *error)
{
    *keys = arena_array(arena, uint64_t, row_count);
    for (size_t row = 0; labels && row < row_count; row++) {
        if (labels[row] < 0)
            return fail(error, ERROR_INVALID, "the label of row %zu is %d, but labels start at 0",
                        row, labels[row]);
        (*keys)[row] = (uint64_t)labels[row];
    }
    return true;
}

uint64_t *keys_of_groups(const size_t *groups, size_t row_count, Arena *arena)
{
    uint64_t *keys = arena_array(arena, uint64_t, row_count);

    for (size_t row = 0; row < row_count; row++)
        keys[row] = groups[row];
    return keys;
}

static bool check_spec(const SplitSpec *spec, Error *error)
{
    if (!(spec->share > 0 && spec->share < 1))
        return fail(error, ERROR_INVALID,
                    "the share of the hold-out is %g, but it must be between 0 and 1", spec->share);
    if (spec->row_count < 2)
        return fail(error, ERROR_INVALID, "a split needs at least 2 rows, not %zu",
                    spec->row_count);
    if (spec->row_count >= SHARE_ONE)
        return fail(error, ERROR_TOO_LARGE, "a split takes fewer than 2^32 rows");
    return true;
}

static uint64_t share_parts(const SplitSpec *spec)
{
    uint64_t parts = (uint64_t)(spec->share * (double)SHARE_ONE + 0.5);

    if (parts == 0)
        return 1;
    return parts < SHARE_ONE ? parts : SHARE_ONE - 1;
}

/* The rows to hold out, rounded, but leaving a row to each side. */
static size_t target_count(const SplitSpec *spec)
{
    size_t count = (size_t)((share_parts(spec) * spec->row_count + SHARE_ONE / 2) >> SHARE_BITS);

    if (count == 0)
        return 1;
    return count < spec->row_count ? count : spec->row_count - 1;
}

static void hold_out(uint8_t *sides, const RowRun *run, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sides[run->rows[i]] = SPLIT_HOLDOUT;
}

/* What a class gets of the hold-out. */
typedef struct ClassQuota {
    size_t run, count, most;
    uint64_t remainder;
} ClassQuota;

static int class_quota_compare(const void *left, const void *right)
{
    const ClassQuota *a = left, *b = right;

    if (a->remainder != b->remainder)
        return a->remainder > b->remainder ? -1 : 1;
    return (a->run > b->run) - (a->run < b->run);
}

/* Returns how many rows are held out. */
static size_t quotas_fill(const SplitSpec *spec, const RowRunList *runs, ClassQuota *quotas)
{
    size_t target = target_count(spec), total = 0;

    for (size_t i = 0; i < runs->count; i++) {
        uint64_t quota = share_parts(spec) * runs->items[i].count;

        quotas[i] = (ClassQuota){
            .run = i,
            .count = (size_t)(quota >> SHARE_BITS),
            .most = runs->items[i].count - 1,
            .remainder = quota % SHARE_ONE,
        };
        total += quotas[i].count;
    }
    qsort(quotas, runs->count, sizeof(*quotas), class_quota_compare);
    for (size_t i = 0; i < runs->count && total < target; i++) {
        if (quotas[i].count == quotas[i].most)
            continue;
        quotas[i].count++;
        total++;
    }
    return total;
}

bool split_stratified(const SplitSpec *spec, const int *labels, uint8_t *sides, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(spec->seed);
    RowRunList runs;
    ClassQuota *quotas;
    uint64_t *keys;

    if (!check_spec(spec, error) || !keys_of_labels(labels, spec->row_count, arena, &keys, error))
        return false;
    runs = row_runs_create(keys, spec->row_count, &random, arena);
    quotas = arena_array(arena, ClassQuota, runs.count);
    if (quotas_fill(spec, &runs, quotas) == 0)
        return fail(error, ERROR_INVALID,
                    "no class has 2 rows, so a stratified split cannot hold any out");
    memset(sides, SPLIT_TRAIN, spec->row_count);
    for (size_t i = 0; i < runs.count; i++)
        hold_out(sides, &runs.items[quotas[i].run], quotas[i].count);
    return true;
}

/* Runs in random order, as an order of indices. */
static size_t *shuffled_indices(size_t count, Random *random, Arena *arena)
{
    size_t *order = arena_array(arena, size_t, count);

    for (size_t i = 0; i < count; i++)
        order[i] = i;
    random_shuffle(random, order, count);
    return order;
}

/* Subset sum: last[sum] is 1 + the place in order of the group that first reached the sum. What it
 * was added to was reached by groups before it, so the chain from a sum back to 0 names a group at
 * most once. Stops when the target itself is reached. */
static uint32_t *reach_sums(const RowRunList *runs, const size_t *order, size_t target,
                            size_t largest, Arena *arena)
{
    uint32_t *last = arena_array(arena, uint32_t, largest + 1);
    size_t highest = 0;

    for (size_t i = 0; i < runs->count && last[target] == 0; i++) {
        size_t size = runs->items[order[i]].count;

        highest = highest + size < largest ? highest + size : largest;
        for (size_t sum = highest; sum >= size; sum--)
            if (last[sum] == 0 && (sum == size || last[sum - size] != 0))
                last[sum] = (uint32_t)(i + 1);
    }
    return last;
}

/* The reached sum nearest to the target, the lower of two; 0 when there is none. */
static size_t nearest_sum(const uint32_t *last, size_t target, size_t largest)
{
    for (size_t gap = 0; gap <= largest; gap++) {
        if (gap < target && last[target - gap] != 0)
            return target - gap;
        if (target + gap <= largest && last[target + gap] != 0)
            return target + gap;
    }
    return 0;
}

static size_t choose_by_sums(const RowRunList *runs, const size_t *order, size_t target,
                             size_t largest, uint8_t *sides)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint32_t *last = reach_sums(runs, order, target, largest, arena);
    size_t total = nearest_sum(last, target, largest);

    for (size_t sum = total; sum > 0;) {
        const RowRun *run = &runs->items[order[last[sum] - 1]];

        hold_out(sides, run, run->count);
        sum -= run->count;
    }
    return total;
}

static size_t choose_what_fits(const RowRunList *runs, const size_t *order, size_t target,
                               uint8_t *sides)
{
    size_t total = 0;

    for (size_t i = 0; i < runs->count && total < target; i++) {
        const RowRun *run = &runs->items[order[i]];

        if (total + run->count > target)
            continue;
        hold_out(sides, run, run->count);
        total += run->count;
    }
    return total;
}

static void choose_smallest(const RowRunList *runs, const size_t *order, uint8_t *sides)
{
    const RowRun *smallest = &runs->items[order[0]];

    for (size_t i = 1; i < runs->count; i++)
        if (runs->items[order[i]].count < smallest->count)
            smallest = &runs->items[order[i]];
    hold_out(sides, smallest, smallest->count);
}

bool split_by_group(const SplitSpec *spec, const size_t *groups, uint8_t *sides, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(spec->seed);
    RowRunList runs;
    size_t *order, target, largest, total;

    if (!check_spec(spec, error))
        return false;
    runs = row_runs_create(keys_of_groups(groups, spec->row_count, arena), spec->row_count, NULL,
                           arena);
    if (runs.count < 2)
        return fail(error, ERROR_INVALID,
                    "all rows are of one group, but a split by group needs at least 2");
    order = shuffled_indices(runs.count, &random, arena);
    target = target_count(spec);
    /* Beyond twice the target a sum is farther away than 0; then the smallest group is nearest. */
    largest = 2 * target < spec->row_count ? 2 * target : spec->row_count - 1;
    memset(sides, SPLIT_TRAIN, spec->row_count);
    if (runs.count <= SPLIT_SEARCH_STEPS_MAX / largest)
        total = choose_by_sums(&runs, order, target, largest, sides);
    else
        total = choose_what_fits(&runs, order, target, sides);
    if (total == 0)
        choose_smallest(&runs, order, sides);
    return true;
}

/* Times as keys of the same order: the sign bit turned over. */
static uint64_t *keys_of_times(const int64_t *times, size_t row_count, Arena *arena)
{
    uint64_t *keys = arena_array(arena, uint64_t, row_count);

    for (size_t row = 0; row < row_count; row++)
        keys[row] = (uint64_t)times[row] ^ (UINT64_C(1) << 63);
    return keys;
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

bool split_by_time(const SplitSpec *spec, const int64_t *times, uint8_t *sides, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t first = 0, held_out = 0, best = 0;
    RowRunList runs;

    if (!check_spec(spec, error))
        return false;
    runs =
        row_runs_create(keys_of_times(times, spec->row_count, arena), spec->row_count, NULL, arena);
    if (runs.count < 2)
        return fail(error, ERROR_INVALID,
                    "all rows have the same time, so they cannot be split by it");
    for (size_t i = runs.count - 1; i > 0; i--) {
        held_out += runs.items[i].count;
        if (first != 0 &&
            distance(held_out, target_count(spec)) >= distance(best, target_count(spec)))
            break;
        first = i;
        best = held_out;
    }
    memset(sides, SPLIT_TRAIN, spec->row_count);
    for (size_t i = first; i < runs.count; i++)
        hold_out(sides, &runs.items[i], runs.items[i].count);
    return true;
}

DuplicateList duplicates_across(const uint64_t *hashes, const uint8_t *sides, size_t row_count,
                                Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    RowRunList runs = row_runs_create(hashes, row_count, NULL, scratch);
    size_t *train_row_plus_one = arena_array(scratch, size_t, row_count);
    DuplicateList duplicates = {0};

    for (size_t i = 0; i < runs.count; i++) {
        const RowRun *run = &runs.items[i];
        size_t train = 0;

        while (train < run->count && sides[run->rows[train]] != SPLIT_TRAIN)
            train++;
        for (size_t j = 0; train < run->count && j < run->count; j++)
            train_row_plus_one[run->rows[j]] = run->rows[train] + 1;
    }
    for (size_t row = 0; row < row_count; row++)
        if (sides[row] == SPLIT_HOLDOUT && train_row_plus_one[row] != 0)
            *arena_push(arena, &duplicates) = (Duplicate){row, train_row_plus_one[row] - 1};
    return duplicates;
}

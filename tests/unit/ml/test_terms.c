#include "ml/terms.h"

#include <stdbool.h>
#include <string.h>

#include "ml/random.h"
#include "tests/test.h"

/* Ids in the order of first sight, by comparing each with all. */
static size_t count_slowly(const uint32_t *ids, size_t count, TermCount *items)
{
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        while (at < known && items[at].id != ids[i])
            at++;
        if (at == known)
            items[known++] = (TermCount){ids[i], 0};
        items[at].count++;
    }
    return known;
}

static bool is_item(const TermCounter *counter, size_t at, TermCount item)
{
    return counter->items[at].id == item.id && counter->items[at].count == item.count &&
           term_counter_find(counter, item.id) == at;
}

static void expect_counted(const TermCounter *counter, const TermCount *items, size_t count)
{
    EXPECT(counter->count == count);
    for (size_t i = 0; i < count && i < counter->count; i++)
        EXPECT(is_item(counter, i, items[i]));
    EXPECT(term_counter_find(counter, UINT32_MAX - 1) == SIZE_MAX);
}

static void test_few_terms_are_counted_like_many(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TermCounter few = term_counter_in(arena), many = term_counter_in(arena);
    Random random = random_seeded(3);

    for (int turn = 0; turn < 4000; turn++) {
        size_t count = (size_t)turn % (FEW_TERMS + 1);
        LaneLevel level = (LaneLevel)((size_t)turn % (lanes_level() + 1u));
        uint32_t ids[FEW_TERMS];
        TermCount items[FEW_TERMS];

        memset(ids, turn, sizeof(ids)); /* those behind the last count for nothing */
        for (size_t i = 0; i < count; i++)
            ids[i] = (uint32_t)random_below(&random, 1 + (size_t)turn % 90);
        term_counter_count_few(&few, level, ids, count);
        term_counter_start(&many, count);
        for (size_t i = 0; i < count; i++)
            term_counter_add(&many, ids[i]);
        expect_counted(&few, items, count_slowly(ids, count, items));
        expect_counted(&many, items, count_slowly(ids, count, items));
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_few_terms_are_counted_like_many),
        {0},
    };

    return test_main(tests, count, names);
}

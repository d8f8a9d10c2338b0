#include "ml/term_table.h"

#include "ml/random.h"
#include "tests/test.h"

typedef struct Made {
    TermTable table;
    TermLayout layout;
} Made;

/* A table of the keys with their index as the only value. */
static Made make(const uint64_t *keys, size_t count, uint64_t key_mask, Arena *arena)
{
    Made made = {.layout = term_table_lay_out(keys, count, key_mask, arena)};
    char *buckets = arena_alloc(arena, made.layout.bucket_count + 2, sizeof(TermBucket));
    uint64_t *rows = arena_array(arena, uint64_t, 2 * count);

    buckets += -(uintptr_t)buckets % 32;
    memcpy(buckets, made.layout.buckets, made.layout.bucket_count * sizeof(TermBucket));
    for (size_t i = 0; i < count; i++) {
        TermWeights *row = (void *)(rows + 2 * (size_t)made.layout.rows[i]);

        row->key = keys[i];
        row->values[0] = (float)i;
    }
    made.table = (TermTable){.buckets = (const void *)buckets,
                             .rows = (const void *)rows,
                             .row_bytes = 2 * sizeof(uint64_t),
                             .key_mask = key_mask,
                             .bucket_count = (uint32_t)made.layout.bucket_count,
                             .row_count = (uint32_t)count};
    return made;
}

static void expect_all_found(const Made *made, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t row = term_table_find(&made->table, keys[i]);

        EXPECT(row == made->layout.rows[i] && row < count);
        EXPECT(term_table_weights(&made->table, row)->values[0] == (float)i);
    }
}

static void test_every_key_is_found_and_no_other(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    enum { COUNT_MAX = 5000 };
    uint64_t *keys = arena_array(arena, uint64_t, COUNT_MAX);
    Random random = random_seeded(3);

    for (size_t i = 0; i < COUNT_MAX; i++)
        keys[i] = random_next(&random) | 1;
    for (size_t count = 0; count <= COUNT_MAX; count = count * 3 + 1) {
        Made made = make(keys, count, UINT64_MAX, arena);

        expect_all_found(&made, keys, count);
        for (size_t i = 0; i < 20000; i++)
            EXPECT(term_table_find(&made.table, random_next(&random) & ~UINT64_C(1)) == TERM_NONE);
    }
}

static void test_keys_under_a_mask_are_spread_all_the_same(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    enum { KEYS = 4000 };
    uint64_t *keys = arena_array(arena, uint64_t, KEYS);
    Made made;

    for (size_t i = 0; i < KEYS; i++)
        keys[i] = i + 1;
    made = make(keys, KEYS, 0xffff, arena);
    expect_all_found(&made, keys, KEYS);
    EXPECT(made.layout.bucket_count == KEYS / 7 + 1);
    EXPECT(term_table_find(&made.table, keys[7] | UINT64_C(0xabc) << 40) == made.layout.rows[7]);
    EXPECT(term_table_find(&made.table, 0x10000) == term_table_find(&made.table, 1));
}

static void test_what_a_bucket_cannot_hold_is_in_the_next(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    enum { KEYS = 40 };
    uint64_t keys[KEYS];
    size_t count = 0;
    Made made;

    for (uint64_t key = 1; count < KEYS; key++) /* all belong into the first of six buckets */
        if (term_place(key, UINT64_MAX, KEYS / 7 + 1).bucket == 0)
            keys[count++] = key;
    made = make(keys, KEYS, UINT64_MAX, arena);
    expect_all_found(&made, keys, KEYS);
    EXPECT(term_bucket_is_full(made.table.buckets));
}

static void test_the_same_tag_is_not_the_same_key(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint64_t keys[3] = {1};
    size_t count = 1;
    Made made;

    for (uint64_t key = 2; count < 3; key++)
        if (term_place(key, UINT64_MAX, 1).tag == term_place(1, UINT64_MAX, 1).tag)
            keys[count++] = key;
    made = make(keys, 2, UINT64_MAX, arena);
    expect_all_found(&made, keys, 2);
    EXPECT(term_table_find(&made.table, keys[2]) == TERM_NONE);
}

/* Each key that is known is among the matches, in order, and few others are. */
static void expect_matched(const TermTable *table, LaneLevel level, const uint64_t *keys,
                           size_t count)
{
    TermMatches matches;
    size_t at = 0;

    term_table_match(table, level, keys, count, &matches);
    EXPECT(matches.count <= count);
    for (size_t i = 0; i < count; i++) {
        uint64_t kept = term_masked(keys[i], table->key_mask);
        bool is_next = at < matches.count && matches.keys[at] == kept;
        uint32_t row = term_table_find(table, keys[i]);

        EXPECT(is_next || row == TERM_NONE);
        if (is_next && row != TERM_NONE)
            EXPECT(matches.rows[at] == row || !term_table_is(table, matches.rows[at], kept));
        at += is_next;
    }
    EXPECT(at == matches.count);
}

static void test_keys_are_matched_together_as_they_are_found_singly(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const uint64_t masks[] = {UINT64_MAX, 0xfff, 0xffffff};
    enum { KEYS = 700, ASKED = MATCH_KEYS_MAX };
    uint64_t keys[KEYS], asked[ASKED + TERM_KEYS_SPARE] = {0};
    Random random = random_seeded(5);

    for (size_t i = 0; i < KEYS; i++)
        keys[i] = i + 1;
    for (size_t turn = 0; turn < 300; turn++) {
        Made made = make(keys, KEYS, masks[turn % COUNT(masks)], arena);
        size_t count = turn % (ASKED + 1);

        for (size_t i = 0; i < count; i++)
            asked[i] = random_next(&random) >> (random_next(&random) % 2 ? 0 : 54);
        for (LaneLevel level = LANES_OF_ALL; level <= lanes_level(); level++)
            expect_matched(&made.table, level, asked, count);
        arena_reset(arena);
    }
}

static void test_full_buckets_match_every_key(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    enum { KEYS = 40 };
    uint64_t keys[KEYS + TERM_KEYS_SPARE] = {0};
    size_t count = 0;
    Made made;

    for (uint64_t key = 1; count < KEYS; key++) /* all belong into the first of six buckets */
        if (term_place(key, UINT64_MAX, KEYS / 7 + 1).bucket == 0)
            keys[count++] = key;
    made = make(keys, KEYS, UINT64_MAX, arena);
    for (LaneLevel level = LANES_OF_ALL; level <= lanes_level(); level++) {
        TermMatches matches;

        term_table_match(&made.table, level, keys, KEYS, &matches);
        EXPECT(matches.count == KEYS);
        EXPECT(memcmp(matches.keys, keys, KEYS * sizeof(*keys)) == 0);
    }
}

static void test_a_table_that_is_wrong_finds_nothing_and_ends(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint64_t keys[] = {5, 6, 7};
    Made made = make(keys, 3, UINT64_MAX, arena);
    TermBucket *bucket = (void *)(uintptr_t)made.table.buckets;

    memset(bucket->tags, 0xff, sizeof(bucket->tags));
    bucket->tags[0] = term_table_place(&made.table, 5).tag;
    EXPECT(term_table_find(&made.table, 5) == made.layout.rows[0]);
    bucket->first = UINT32_MAX - 1;
    EXPECT(term_table_find(&made.table, 5) == TERM_NONE);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_key_is_found_and_no_other),
        TEST(test_keys_under_a_mask_are_spread_all_the_same),
        TEST(test_what_a_bucket_cannot_hold_is_in_the_next),
        TEST(test_the_same_tag_is_not_the_same_key),
        TEST(test_keys_are_matched_together_as_they_are_found_singly),
        TEST(test_full_buckets_match_every_key),
        TEST(test_a_table_that_is_wrong_finds_nothing_and_ends),
        {0},
    };

    return test_main(tests, count, names);
}
